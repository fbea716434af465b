//! Carries out the commands, one after the other.

use super::Kernel;
pub(super) use super::execute_error::Cause;
use super::execute_error::{ExecuteError, exists};
use crate::bpf::ProgType;
use crate::scenario::command::{CfgValue, Command, Line, NapiKnob, Netns, RouteKind, TcHook};
use crate::scenario::topology::{Clsact, DevId, MplsRoute, NetnsId, TopologyError, loopback};

pub(super) type Done = Result<(), Cause>;

/// Whether a command is one of the recorder's tool.
fn is_recorders(line: &Line) -> bool {
    line.text.split_whitespace().any(|word| word == "orc")
}

impl Kernel {
    /// Carries out one command; packets it sends are followed to their end.
    ///
    /// # Errors
    /// [`ExecuteError`] with the line.
    pub fn execute(&mut self, line: &Line) -> Result<(), ExecuteError> {
        self.icmp_time_passes();
        let done = match &line.command {
            Command::AttachTcx {
                netns,
                program,
                dev,
                hook,
            } => self.attach_tcx(netns, program, dev, *hook, is_recorders(line)),
            command => self.command(command),
        };
        let done = done.and_then(|()| Ok(self.neigh_timers()?));
        done.map_err(|cause| ExecuteError {
            line: line.number,
            text: line.text.clone(),
            cause: Box::new(cause),
        })
    }

    /// `tcx_link_attach()`: behind those that are there. A hook has a program once (`bpf_mprog_attach()`); the recorder
    /// loads one anew for each hook.
    fn attach_tcx(
        &mut self,
        netns: &Netns,
        program: &str,
        dev: &str,
        hook: TcHook,
        anew: bool,
    ) -> Done {
        let id = self.find(netns, dev)?;
        let index = self.find_program(program, ProgType::SchedCls)?;
        let device = self.topology.dev_mut(id);
        let programs = match hook {
            TcHook::Ingress => &mut device.tcx_ingress,
            TcHook::Egress => &mut device.tcx_egress,
        };
        if programs.contains(&index) && !anew {
            return Err(exists(format!("program `{program}` on this hook of {dev}")));
        }
        programs.push(index);
        Ok(())
    }

    fn command(&mut self, command: &Command) -> Done {
        match command {
            Command::NetnsAdd { name } => Ok(self.topology.add_netns(name)?),
            Command::LinkAdd {
                netns,
                name,
                address,
                index,
                kind,
            } => self.link_add(netns, name, (*address, *index), kind),
            Command::LinkSet {
                netns,
                dev,
                up,
                address,
                to_netns,
                mtu,
                master,
                flags,
            } => {
                let id = self.find(netns, dev)?;
                if let Some(to) = to_netns {
                    self.link_move(id, to)?;
                }
                if let Some(master) = master {
                    self.link_master(id, master.as_deref())?;
                }
                self.link_flags(id, *flags);
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
            Command::SetFeatures {
                netns,
                dev,
                features,
                on,
            } => {
                let id = self.find(netns, dev)?;
                let unwanted = &mut self.topology.dev_mut(id).unwanted;
                match on {
                    true => *unwanted &= !features,
                    false => *unwanted |= features,
                }
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
            Command::ProgLoad(load) => self.prog_load(load),
            Command::AttachXdp {
                netns,
                program,
                dev,
                mode,
                force,
            } => {
                let (id, program) = (
                    self.find(netns, dev)?,
                    self.find_program(program, ProgType::Xdp)?,
                );
                self.attach_xdp(id, program, *mode, *force)
            }
            Command::DetachXdp { netns, dev, mode } => {
                let id = self.find(netns, dev)?;
                self.detach_xdp(id, *mode);
                Ok(())
            }
            // with the line: `execute()`
            Command::AttachTcx { .. } => Ok(()),
            Command::Ping { netns, addr, parms } => {
                let id = self.topology.find_netns(netns)?;
                for sequence in 1..=parms.count {
                    self.ping(id, *addr, sequence as u16, parms)?;
                }
                Ok(())
            }
            Command::Send { netns, dev, frame } => {
                let id = self.find(netns, dev)?;
                self.packet_snd(id, frame)?;
                Ok(self.napi_timers()?)
            }
            Command::IoamNamespaceAdd { netns, namespace } => {
                let id = self.topology.find_netns(netns)?;
                self.ioam_namespace_add(id, *namespace)
            }
            Command::FouAdd { netns, port, kind } => {
                let id = self.topology.find_netns(netns)?;
                self.fou_create(id, *port, *kind)
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
            Command::NicReceive { netns, dev, frames } => {
                let id = self.find(netns, dev)?;
                self.nic_poll(id, frames)?;
                Ok(self.napi_timers()?)
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
                    NapiKnob::RpsCpus => device.rps = *value != 0,
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
}
