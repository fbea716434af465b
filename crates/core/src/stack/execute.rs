//! Carries out the commands, one after the other.

use std::net::Ipv4Addr;

use thiserror::Error;

use super::{Kernel, ProgramError, Stop};
use crate::bpf::{LoadError, ProgType};
use crate::net::gre;
use crate::scenario::command::{
    CfgValue, Command, Ipv4Net, Line, LinkKind, Mac, Netns, TcHook, TunnelParms, XdpMode,
};
use crate::scenario::topology::{
    Clsact, DevId, Device, DeviceKind, Filter, NetnsId, Route, TopologyError, prefix_mask, veth,
};

/// A command could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{text}`: {cause}")]
pub struct ExecuteError {
    /// 1-based line number of the command.
    pub line: usize,
    /// The command.
    pub text: String,
    /// Why.
    pub cause: Box<Cause>,
}

/// Why a command could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Cause {
    /// A namespace, device or route is not there.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// A program is not there or can't be attached.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The packet it sent came to something that is not simulated.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// A filter needs the qdisc first.
    #[error("{0} has no clsact qdisc; `tc qdisc add dev {0} clsact` adds it")]
    NoClsact(String),
    /// The simulator does not know the command.
    #[error("not covered: {0}")]
    NotCovered(String),
}

impl From<LoadError> for Cause {
    fn from(error: LoadError) -> Self {
        Self::Program(error.into())
    }
}

type Done = Result<(), Cause>;

impl Kernel {
    /// Carries out one command; packets it sends are followed to their end.
    ///
    /// # Errors
    /// [`ExecuteError`] with the line.
    pub fn execute(&mut self, line: &Line) -> Result<(), ExecuteError> {
        self.command(&line.command).map_err(|cause| ExecuteError {
            line: line.number,
            text: line.text.clone(),
            cause: Box::new(cause),
        })
    }

    fn command(&mut self, command: &Command) -> Done {
        match command {
            Command::NetnsAdd { name } => Ok(self.topology.add_netns(name)?),
            Command::LinkAdd {
                netns,
                name,
                address,
                kind,
            } => self.link_add(netns, name, *address, kind),
            Command::LinkSet {
                netns,
                dev,
                up,
                address,
                to_netns,
                mtu,
            } => {
                if to_netns.is_some() {
                    return Err(Cause::NotCovered(
                        "moving a device to another namespace".into(),
                    ));
                }
                let id = self.find(netns, dev)?;
                self.link_set(id, *up, *address, *mtu);
                Ok(())
            }
            Command::AddrAdd { netns, addr, dev } => {
                let id = self.find(netns, dev)?;
                self.addr_add(id, *addr);
                Ok(())
            }
            Command::NeighAdd {
                netns,
                addr,
                lladdr,
                dev,
            } => {
                let id = self.find(netns, dev)?;
                let netns = self.topology.dev(id).netns;
                self.topology.netns[netns.0]
                    .neigh
                    .push((id, *addr, *lladdr));
                Ok(())
            }
            Command::RouteAdd {
                netns,
                dst,
                via,
                dev,
            } => self.route_add(netns, *dst, *via, dev.as_deref()),
            Command::Sysctl { netns, key, value } => {
                let id = self.topology.find_netns(netns)?;
                self.topology.netns[id.0]
                    .sysctl
                    .push((key.clone(), value.clone()));
                Ok(())
            }
            // the input has loaded the objects before the first command runs
            Command::ProgLoadAll { .. } | Command::NoEffect { .. } => Ok(()),
            Command::AttachXdp {
                netns,
                program,
                dev,
                mode,
            } => {
                let (id, program) = (
                    self.find(netns, dev)?,
                    self.find_program(program, ProgType::Xdp)?,
                );
                self.attach_xdp(id, program, *mode)
            }
            Command::AttachTcx {
                netns,
                program,
                dev,
                hook,
            } => {
                let (id, program) = (
                    self.find(netns, dev)?,
                    self.find_program(program, ProgType::SchedCls)?,
                );
                let device = self.topology.dev_mut(id);
                match hook {
                    TcHook::Ingress => device.tcx_ingress.push(program),
                    TcHook::Egress => device.tcx_egress.push(program),
                }
                Ok(())
            }
            Command::Ping { netns, addr, count } => {
                let id = self.topology.find_netns(netns)?;
                for sequence in 1..=*count {
                    self.ping(id, *addr, sequence as u16)?;
                }
                Ok(())
            }
            Command::Send { netns, dev, frame } => {
                let id = self.find(netns, dev)?;
                Ok(self.packet_snd(id, frame)?)
            }
            Command::Tap { netns, dev } => {
                let id = self.find(netns, dev)?;
                self.open_tap(id);
                Ok(())
            }
            Command::Cfg { netns, key, value } => {
                let value = match value {
                    CfgValue::Number(number) => *number,
                    CfgValue::Device(dev) => self.topology.dev(self.find(netns, dev)?).ifindex,
                };
                self.set_knob(*key, value);
                Ok(())
            }
            Command::ClsactAdd { netns, dev } => {
                let id = self.find(netns, dev)?;
                let clsact = &mut self.topology.dev_mut(id).clsact;
                clsact.get_or_insert_with(Clsact::default);
                Ok(())
            }
            Command::FilterAdd { .. } => self.filter_add(command),
            Command::NotCovered { what } => Err(Cause::NotCovered(what.clone())),
        }
    }

    fn find(&self, netns: &Netns, dev: &str) -> Result<DevId, TopologyError> {
        self.topology
            .find_dev(self.topology.find_netns(netns)?, dev)
    }

    fn link_add(
        &mut self,
        netns: &Netns,
        name: &str,
        address: Option<Mac>,
        kind: &LinkKind,
    ) -> Done {
        let netns = self.topology.find_netns(netns)?;
        match kind {
            LinkKind::Veth {
                peer,
                peer_address,
                peer_netns,
            } => {
                let peer_netns = if peer_netns.is_some() {
                    self.topology.find_netns(peer_netns)?
                } else {
                    netns
                };
                self.add_veth_pair((name, netns, address), (peer, peer_netns, *peer_address))
            }
            LinkKind::Gre(parms) => {
                let device = gre_device(name, netns, *parms, &self.underlay(netns, *parms));
                self.topology.add_dev(device)?;
                Ok(())
            }
            LinkKind::Unknown(kind) => Err(TopologyError::UnknownKind(kind.clone()).into()),
        }
    }

    /// Both ends, each knowing the other. A device without a given address gets a local one by its number.
    fn add_veth_pair(
        &mut self,
        a: (&str, NetnsId, Option<Mac>),
        b: (&str, NetnsId, Option<Mac>),
    ) -> Done {
        let first = self.topology.devices.len();
        for (i, (name, netns, address)) in [a, b].into_iter().enumerate() {
            let number = (first + i + 1) as u8;
            let mac = address.unwrap_or([0x02, 0, 0, 0, 0, number]);
            self.topology
                .add_dev(veth(name, netns, mac, DevId(first + 1 - i)))?;
        }
        Ok(())
    }

    /// The device a tunnel's packets will leave by, as `ip_tunnel_bind_dev()` guesses it.
    fn underlay(&self, netns: NetnsId, parms: TunnelParms) -> Option<Device> {
        let route = self.topology.route(netns, parms.remote?).ok()?;
        Some(self.topology.dev(route.dev).clone())
    }

    fn link_set(&mut self, id: DevId, up: Option<bool>, address: Option<Mac>, mtu: Option<u32>) {
        let device = self.topology.dev_mut(id);
        device.up = up.unwrap_or(device.up);
        device.mac = address.unwrap_or(device.mac);
        device.mtu = mtu.unwrap_or(device.mtu);
    }

    /// `tc filter add`: `matchall` with `action mirred`. Without a preference the kernel counts down from 49152.
    fn filter_add(&mut self, command: &Command) -> Done {
        const FIRST_AUTO_PREF: u16 = 49152;
        let Command::FilterAdd {
            netns,
            dev,
            hook,
            pref,
            protocol,
            mirred,
            to,
        } = command
        else {
            return Ok(());
        };
        let (id, to) = (self.find(netns, dev)?, self.find(netns, to)?);
        let device = self.topology.dev_mut(id);
        let Some(clsact) = &mut device.clsact else {
            return Err(Cause::NoClsact(device.name.clone()));
        };
        let first = clsact.filters(*hook).first();
        let auto = first.map_or(FIRST_AUTO_PREF, |first| first.pref.saturating_sub(1));
        clsact.add(
            *hook,
            Filter {
                pref: pref.unwrap_or(auto),
                protocol: *protocol,
                mirred: *mirred,
                to,
            },
        );
        Ok(())
    }

    /// An address, and the route to its prefix (`fib_add_ifaddr()`).
    fn addr_add(&mut self, id: DevId, addr: Ipv4Net) {
        let netns = self.topology.dev(id).netns;
        let here = &mut self.topology.netns[netns.0];
        here.addrs.push((id, addr));
        let network = Ipv4Addr::from(u32::from(addr.addr) & prefix_mask(addr.prefix));
        let dst = Ipv4Net {
            addr: network,
            prefix: addr.prefix,
        };
        here.routes.push(Route {
            dst,
            via: None,
            dev: id,
            src: Some(addr.addr),
        });
    }

    fn route_add(
        &mut self,
        netns: &Netns,
        dst: Ipv4Net,
        via: Option<Ipv4Addr>,
        dev: Option<&str>,
    ) -> Done {
        let id = self.topology.find_netns(netns)?;
        let dev = match (dev, via) {
            (Some(dev), _) => self.topology.find_dev(id, dev)?,
            (None, Some(via)) => self.topology.route(id, via)?.dev,
            (None, None) => {
                return Err(TopologyError::NoRoute {
                    dst: dst.addr,
                    netns: "a route without device".into(),
                }
                .into());
            }
        };
        let here = &mut self.topology.netns[id.0];
        let src = here
            .addrs
            .iter()
            .find(|(of, _)| *of == dev)
            .map(|(_, net)| net.addr);
        here.routes.push(Route { dst, via, dev, src });
        Ok(())
    }

    /// Without a mode: native where the driver has XDP, as the kernel chooses.
    fn attach_xdp(
        &mut self,
        id: DevId,
        program: crate::scenario::topology::ProgId,
        mode: Option<XdpMode>,
    ) -> Done {
        let device = self.topology.dev_mut(id);
        let native = matches!(device.kind, DeviceKind::Veth { .. });
        if mode == Some(XdpMode::Native) && !native {
            return Err(Cause::NotCovered(format!(
                "native XDP on {} (its driver has none)",
                device.name
            )));
        }
        let mode = mode.unwrap_or(if native {
            XdpMode::Native
        } else {
            XdpMode::Generic
        });
        device.xdp = Some((program, mode));
        Ok(())
    }
}

/// A GRE tunnel device: `ipgre_tunnel_init()` and `ip_tunnel_bind_dev()` (`net/ipv4/ip_gre.c`, `ip_tunnel.c`).
fn gre_device(name: &str, netns: NetnsId, parms: TunnelParms, underlay: &Option<Device>) -> Device {
    /// `LL_MAX_HEADER` of a kernel with wireless and mesh: what is assumed without a route to the remote.
    const LL_MAX_HEADER: u32 = 128;
    const IPV4_HLEN: u32 = 20;
    let flags = [
        (parms.ocsum, gre::CSUM),
        (parms.okey.is_some(), gre::KEY),
        (parms.oseq, gre::SEQ),
    ];
    let tun_hlen = gre::header_len(
        flags
            .into_iter()
            .filter(|(on, _)| *on)
            .map(|(_, flag)| flag)
            .sum(),
    );
    let t_hlen = tun_hlen + IPV4_HLEN;
    let below = underlay.as_ref().map_or(LL_MAX_HEADER, |dev| {
        dev.hard_header_len + dev.needed_headroom
    });
    let mtu = underlay.as_ref().map_or(1500, |dev| dev.mtu);
    let mut device = veth(name, netns, [0; 6], DevId(0));
    device.kind = DeviceKind::Gre(parms);
    device.hard_header_len = 0;
    device.needed_headroom = t_hlen + below;
    device.mtu = mtu.saturating_sub(t_hlen).max(68);
    device
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden E2-gre-veth-full: a packet socket on `encap` reserves 48 bytes: 24 + 14 = 38, rounded.
    #[test]
    fn headroom_of_a_gre_device_over_veth() {
        let below = veth("tx", NetnsId(0), [0; 6], DevId(0));
        let gre = gre_device("encap", NetnsId(0), TunnelParms::default(), &Some(below));
        assert_eq!(
            (gre.needed_headroom, gre.mtu, gre.ll_reserved_space()),
            (38, 1476, 48)
        );
    }
}
