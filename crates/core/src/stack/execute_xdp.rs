//! `bpftool net attach xdp…`, `ip link set … xdp`: whether a driver takes the program.

use super::Kernel;
use super::execute::Done;
use super::execute_error::Cause;
use crate::scenario::command::XdpMode;
use crate::scenario::topology::{DevId, DeviceKind, ProgId};

impl Kernel {
    /// `dev_xdp_attach()` (`net/core/dev.c`). Without a mode: native where the driver has XDP, as the kernel chooses.
    pub(super) fn attach_xdp(
        &mut self,
        id: DevId,
        program: ProgId,
        mode: Option<XdpMode>,
        force: bool,
    ) -> Done {
        let device = self.topology.dev(id);
        let native = matches!(
            device.kind,
            DeviceKind::Veth { .. } | DeviceKind::Nic(_) | DeviceKind::Tun { tap: true }
        );
        let netkit = matches!(device.kind, DeviceKind::Netkit { .. });
        if mode == Some(XdpMode::Native) && !native && !netkit {
            return Err(Cause::NotCovered(format!(
                "native XDP on {} (its driver has none)",
                device.name
            )));
        }
        let mode = self.dev_xdp_mode(id, mode);
        match self.topology.dev(id).xdp {
            Some((_, there)) if there != mode => {
                let name = &self.topology.dev(id).name;
                return Err(Cause::NotCovered(format!(
                    "native and generic XDP together, on {name}"
                )));
            }
            Some(_) if !force => {
                let name = &self.topology.dev(id).name;
                return Err(Cause::Busy(format!(
                    "the place of an XDP program on {name}"
                )));
            }
            _ => {}
        }
        self.dev_bound_fits(id, program, mode == XdpMode::Generic)?;
        if mode == XdpMode::Native {
            self.xdp_fits(id, program)?;
        }
        self.topology.dev_mut(id).xdp = Some((program, mode));
        Ok(())
    }

    /// `dev_xdp_attach()` of no program: the one of that mode is gone. Where there is none nothing happens.
    pub(super) fn detach_xdp(&mut self, id: DevId, mode: Option<XdpMode>) {
        let mode = self.dev_xdp_mode(id, mode);
        let device = self.topology.dev_mut(id);
        device.xdp = device.xdp.filter(|(_, there)| *there != mode);
    }

    /// `dev_xdp_mode()`.
    fn dev_xdp_mode(&self, id: DevId, mode: Option<XdpMode>) -> XdpMode {
        mode.unwrap_or(match self.has_ndo_bpf(id) {
            true => XdpMode::Native,
            false => XdpMode::Generic,
        })
    }

    /// `ndo_bpf()` of the driver: a program that does not know fragments is for frames in one buffer only.
    fn xdp_fits(&self, id: DevId, program: ProgId) -> Done {
        let device = self.topology.dev(id);
        let frags = self.xdp_has_frags(program);
        let refused = match device.kind {
            DeviceKind::Veth { peer } => self.veth_xdp_set(peer, frags),
            DeviceKind::Netkit { .. } => Err(
                "netkit takes AF_XDP alone, so Linux answers *Operation not supported* (netkit_xsk())"
                    .to_owned(),
            ),
            DeviceKind::Nic(driver) => self.nic_xdp_set(id, driver, frags),
            _ => Ok(()),
        };
        refused.map_err(|why| Cause::Refused(format!("{}: {why}", device.name)))
    }
}
