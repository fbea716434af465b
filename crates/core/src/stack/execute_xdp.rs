//! `bpftool net attach xdp…`, `ip link set … xdp`: whether a driver takes the program.

use super::Kernel;
use super::execute::Done;
use super::execute_error::Cause;
use crate::scenario::command::XdpMode;
use crate::scenario::topology::{DevId, DeviceKind, ProgId};

impl Kernel {
    /// Without a mode: native where the driver has XDP, as the kernel chooses.
    pub(super) fn attach_xdp(&mut self, id: DevId, program: ProgId, mode: Option<XdpMode>) -> Done {
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
        // dev_xdp_mode()
        let mode = mode.unwrap_or(if self.has_ndo_bpf(id) {
            XdpMode::Native
        } else {
            XdpMode::Generic
        });
        self.dev_bound_fits(id, program, mode == XdpMode::Generic)?;
        if mode == XdpMode::Native {
            self.xdp_fits(id, program)?;
        }
        self.topology.dev_mut(id).xdp = Some((program, mode));
        Ok(())
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
