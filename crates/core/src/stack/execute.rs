//! Carries out the commands, one after the other.

use std::net::Ipv4Addr;

use thiserror::Error;

use super::{Kernel, ProgramError, Stop};
use crate::bpf::{LoadError, MapError, ProgType};
use crate::scenario::command::{
    CfgValue, Command, Ipv4Net, Line, NapiKnob, Netns, RouteEncap, RouteKind, TcHook, XdpMode,
};
use crate::scenario::topology::{
    Clsact, DevId, DeviceKind, Encap, LwtBpf, MplsRoute, NetnsId, Route, Segments, TopologyError,
    loopback, prefix_mask,
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
    /// A map is not there, or refuses the change.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The packet it sent came to something that is not simulated.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// A filter needs the qdisc first.
    #[error("{0} has no clsact qdisc; `tc qdisc add dev {0} clsact` adds it")]
    NoClsact(String),
    /// Something is there already (`EEXIST`).
    #[error("there is a {0} already, so Linux answers *File exists*")]
    Exists(String),
    /// Something it names is not there (`ENOENT`).
    #[error("there is no {0}, so Linux answers *No such file or directory*")]
    Missing(String),
    /// Something is taken (`EBUSY`, `EADDRINUSE`).
    #[error("{0} is taken already, so Linux answers *busy*")]
    Busy(String),
    /// There is no room for more.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// Linux says no.
    #[error("{0}")]
    Refused(String),
    /// A session needs its tunnel first.
    #[error("there is no L2TP tunnel {0}; `ip l2tp add tunnel tunnel_id {0} …` adds it")]
    NoTunnel(u32),
    /// An address on a device without IPv6 (`EACCES`).
    #[error(
        "IPv6 is disabled on {0}: `net.ipv6.conf.all.disable_ipv6` is 1 there, so Linux answers *Permission denied*"
    )]
    Ipv6Disabled(String),
    /// The simulator does not know the command.
    #[error("not covered: {0}")]
    NotCovered(String),
}

impl From<LoadError> for Cause {
    fn from(error: LoadError) -> Self {
        Self::Program(error.into())
    }
}

/// [`Cause::Exists`].
fn exists(what: String) -> Cause {
    Cause::Exists(what)
}

pub(super) type Done = Result<(), Cause>;

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
                master,
            } => {
                let id = self.find(netns, dev)?;
                if let Some(to) = to_netns {
                    self.link_move(id, to)?;
                }
                if let Some(master) = master {
                    self.link_master(id, master.as_deref())?;
                }
                self.link_set(id, *up, *address, *mtu);
                Ok(())
            }
            Command::BridgeSet {
                netns,
                dev,
                options,
            } => {
                let id = self.find(netns, dev)?;
                self.bridge_set(id, *options)
            }
            Command::BridgeVlan { netns, dev, vlan } => {
                let id = self.find(netns, dev)?;
                self.bridge_vlan(id, *vlan)
            }
            Command::AttachNetkit {
                netns,
                program,
                dev,
                peer,
            } => {
                let id = self.find(netns, dev)?;
                let id = self.netkit_dev_fetch(id, *peer)?;
                let program = self.find_program(program, ProgType::SchedCls)?;
                self.topology.dev_mut(id).netkit.push(program);
                Ok(())
            }
            Command::AddrAdd { netns, addr, dev } => {
                let id = self.find(netns, dev)?;
                let mut there = self.topology.netns_of(id).addrs.iter();
                if there.any(|known| *known == (id, *addr)) {
                    let what = format!("address {}/{} on {dev}", addr.addr, addr.prefix);
                    return Err(exists(what));
                }
                self.addr_add(id, *addr);
                Ok(())
            }
            Command::NeighAdd {
                netns,
                addr,
                lladdr,
                dev,
                replace,
            } => {
                let id = self.find(netns, dev)?;
                let netns = self.topology.dev(id).netns;
                let neigh = &mut self.topology.netns[netns.0].neigh;
                let there = neigh.iter().position(|(d, a, _)| (*d, a) == (id, addr));
                match there {
                    Some(_) if !replace => {
                        return Err(exists(format!("neighbour {addr} on {dev}")));
                    }
                    Some(place) => neigh[place].2 = *lladdr,
                    None => neigh.push((id, *addr, *lladdr)),
                }
                Ok(())
            }
            Command::RouteAdd {
                netns,
                kind: RouteKind::Unicast,
                dst,
                encap,
                via,
                dev,
                replace,
            } => {
                self.route_place(netns, *dst, *replace)?;
                self.route_add(netns, *dst, encap.as_ref(), *via, dev.as_deref())
            }
            Command::RouteAdd {
                netns,
                kind,
                dst,
                replace,
                ..
            } => {
                let id = self.topology.find_netns(netns)?;
                self.route_place(netns, *dst, *replace)?;
                self.topology.netns[id.0].refused.push((*dst, *kind));
                Ok(())
            }
            Command::Addr6Add { .. }
            | Command::Neigh6Add { .. }
            | Command::Route6Add { .. }
            | Command::Ping6 { .. } => self.command_ip6(command),
            Command::MplsRouteAdd {
                netns,
                label,
                out,
                via,
                dev,
            } => {
                let (id, dev) = (self.topology.find_netns(netns)?, self.find(netns, dev)?);
                self.topology.netns[id.0].mpls.push(MplsRoute {
                    label: *label,
                    out: *out,
                    via: *via,
                    dev,
                });
                Ok(())
            }
            Command::SetGro { netns, dev, on } => {
                let id = self.find(netns, dev)?;
                self.topology.dev_mut(id).gro = *on;
                Ok(())
            }
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
                self.packet_snd(id, frame)?;
                Ok(self.napi_timers()?)
            }
            Command::L2tpTunnelAdd { netns, tunnel } => {
                let id = self.topology.find_netns(netns)?;
                self.topology.netns[id.0].l2tp.push(*tunnel);
                Ok(())
            }
            Command::L2tpSessionAdd {
                netns,
                name,
                tunnel_id,
                session,
            } => self.l2tp_session_add(netns, name, *tunnel_id, *session),
            Command::TunWrite { netns, dev, packet } => {
                let id = self.find(netns, dev)?;
                Ok(self.tun_get_user(id, packet)?)
            }
            Command::NicReceive { netns, dev, frame } => {
                let id = self.find(netns, dev)?;
                Ok(self.nic_receive(id, frame)?)
            }
            Command::Burst { netns, dev, frames } => {
                let id = self.find(netns, dev)?;
                for frame in frames {
                    self.packet_snd(id, frame)?;
                }
                Ok(self.napi_timers()?)
            }
            Command::NapiTimer {
                netns,
                dev,
                knob,
                value,
            } => {
                let id = self.find(netns, dev)?;
                let device = self.topology.dev_mut(id);
                match knob {
                    NapiKnob::DeferHardIrqs => device.napi_defer_hard_irqs = *value,
                    NapiKnob::GroFlushTimeout => device.gro_flush_timeout = *value,
                }
                Ok(())
            }
            Command::Tap { netns, dev } => {
                let id = self.find(netns, dev)?;
                self.open_tap(id);
                Ok(())
            }
            Command::Cfg { netns, key, value } => {
                let value = match value {
                    CfgValue::Number(number) => *number,
                    CfgValue::Device(dev) => {
                        let id = self.find(netns, dev)?;
                        self.topology.dev(id).ifindex
                    }
                };
                self.set_knob(*key, value);
                Ok(())
            }
            Command::Map(change) => Ok(self.change_map(change)?),
            Command::ClsactAdd { netns, dev } => {
                let id = self.find(netns, dev)?;
                let clsact = &mut self.topology.dev_mut(id).clsact;
                clsact.get_or_insert_with(Clsact::default);
                Ok(())
            }
            Command::FilterAdd { .. } => self.filter_add(command),
            Command::Netfilter { .. }
            | Command::Socket { .. }
            | Command::CgroupAttach(_)
            | Command::AssumeDynptrEverywhere => self.command_hooks(command),
            Command::NotCovered { what } => Err(Cause::NotCovered(what.clone())),
        }
    }

    /// A device by name. `lo` is there from the beginning, but only made when it is asked for.
    pub(super) fn find(&mut self, netns: &Netns, dev: &str) -> Result<DevId, TopologyError> {
        let netns = self.topology.find_netns(netns)?;
        let found = self.topology.find_dev(netns, dev);
        if dev == "lo" && found.is_err() {
            return self.loopback_dev(netns);
        }
        found
    }

    /// `lo` of a namespace.
    pub(super) fn loopback_dev(&mut self, netns: NetnsId) -> Result<DevId, TopologyError> {
        match self.topology.find_dev(netns, "lo") {
            Ok(lo) => Ok(lo),
            Err(_) => self.topology.add_dev(loopback(netns)),
        }
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
            encap: None,
        });
    }

    /// `fib_table_insert()` (`net/ipv4/fib_trie.c`): a prefix has one route; `replace` takes the old one away.
    fn route_place(&mut self, netns: &Netns, dst: Ipv4Net, replace: bool) -> Done {
        let id = self.topology.find_netns(netns)?;
        let here = &mut self.topology.netns[id.0];
        let there = here.routes.iter().any(|route| route.dst == dst)
            || here.refused.iter().any(|(known, _)| *known == dst);
        if there && !replace {
            return Err(exists(format!("route to {}/{}", dst.addr, dst.prefix)));
        }
        here.routes.retain(|route| route.dst != dst);
        here.refused.retain(|(known, _)| *known != dst);
        Ok(())
    }

    fn route_add(
        &mut self,
        netns: &Netns,
        dst: Ipv4Net,
        encap: Option<&RouteEncap>,
        via: Option<Ipv4Addr>,
        dev: Option<&str>,
    ) -> Done {
        let id = self.topology.find_netns(netns)?;
        let dev = match (dev, via) {
            (Some(dev), _) => self.topology.find_dev(id, dev)?,
            (None, Some(via)) => self.topology.route(id, via)?.dev,
            (None, None) => {
                return Err(TopologyError::NoRoute {
                    dst: dst.addr.into(),
                    netns: "a route without device".into(),
                }
                .into());
            }
        };
        let encap = encap.map(|encap| self.encap_of(encap)).transpose()?;
        let here = &mut self.topology.netns[id.0];
        let src = here
            .addrs
            .iter()
            .find(|(of, _)| *of == dev)
            .map(|(_, net)| net.addr);
        here.routes.push(Route {
            dst,
            via,
            dev,
            src,
            encap,
        });
        Ok(())
    }

    /// What a route is to put around packets.
    pub(super) fn encap_of(&mut self, encap: &RouteEncap) -> Result<Encap, Cause> {
        Ok(match encap {
            RouteEncap::Mpls { labels } => Encap::Mpls(*labels),
            RouteEncap::Seg6 { segs, inline } => {
                self.topology.seg6.push(Segments {
                    list: segs.clone(),
                    inline: *inline,
                });
                Encap::Seg6(self.topology.seg6.len() - 1)
            }
            RouteEncap::Ip(info) => {
                self.topology.tun_infos.push(info.clone());
                Encap::Ip(self.topology.tun_infos.len() - 1)
            }
            RouteEncap::Bpf(sections) => {
                let program = |section: &Option<String>, kind| {
                    let section = section.as_ref();
                    section.map(|name| self.lwt_program(name, kind)).transpose()
                };
                Encap::Bpf(LwtBpf {
                    input: program(&sections.input, ProgType::LwtIn)?,
                    output: program(&sections.output, ProgType::LwtOut)?,
                    xmit: program(&sections.xmit, ProgType::LwtXmit)?,
                })
            }
        })
    }

    /// Without a mode: native where the driver has XDP, as the kernel chooses.
    fn attach_xdp(
        &mut self,
        id: DevId,
        program: crate::scenario::topology::ProgId,
        mode: Option<XdpMode>,
    ) -> Done {
        let device = self.topology.dev_mut(id);
        let native = matches!(
            device.kind,
            DeviceKind::Veth { .. } | DeviceKind::Nic(_) | DeviceKind::Tun { tap: true }
        );
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
