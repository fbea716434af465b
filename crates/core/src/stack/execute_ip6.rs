//! Carries out the commands of IPv6.

use std::net::Ipv6Addr;

use super::Kernel;
use super::execute::{Cause, Done};
use crate::scenario::command::{Command, Ipv6Net, RouteEncap, RouteKind};
use crate::scenario::inet6::prefix_mask6;
use crate::scenario::topology::{DevId, NetnsId, Route6, TopologyError};

impl Kernel {
    /// `ip -6 …` and `ping -6`.
    pub(super) fn command_ip6(&mut self, command: &Command) -> Done {
        match command {
            Command::Addr6Add { netns, addr, dev } => {
                let id = self.find(netns, dev)?;
                self.addr6_add(id, *addr)
            }
            Command::Neigh6Add {
                netns,
                addr,
                lladdr,
                dev,
            } => {
                let id = self.find(netns, dev)?;
                let netns = self.topology.dev(id).netns;
                let neigh = &mut self.topology.netns[netns.0].inet6.neigh;
                neigh.push((id, *addr, *lladdr));
                Ok(())
            }
            Command::Route6Add {
                netns,
                kind,
                dst,
                encap,
                via,
                dev,
            } => {
                let id = self.topology.find_netns(netns)?;
                if *kind != RouteKind::Unicast {
                    self.topology.netns[id.0].inet6.refused.push((*dst, *kind));
                    return Ok(());
                }
                let dev = match dev {
                    Some(dev) => Some(self.find(netns, dev)?),
                    None => None,
                };
                self.route6_add(id, *dst, encap.as_ref(), *via, dev)
            }
            Command::Ping6 { netns, addr, parms } => {
                let id = self.topology.find_netns(netns)?;
                for sequence in 1..=parms.count {
                    self.ping6(id, *addr, sequence as u16, parms)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An address, and the route to its prefix (`addrconf_prefix_route()`). Where IPv6 is off there can be none.
    fn addr6_add(&mut self, id: DevId, addr: Ipv6Net) -> Done {
        let netns = self.topology.dev(id).netns;
        let inet6 = &mut self.topology.netns[netns.0].inet6;
        inet6.addrs.push((id, addr));
        if !self.topology.ipv6_enabled(id) {
            self.topology.netns[netns.0].inet6.addrs.pop();
            return Err(Cause::Ipv6Disabled(self.topology.dev(id).name.clone()));
        }
        let network = Ipv6Addr::from(u128::from(addr.addr) & prefix_mask6(addr.prefix));
        self.topology.netns[netns.0].inet6.routes.push(Route6 {
            dst: Ipv6Net {
                addr: network,
                prefix: addr.prefix,
            },
            via: None,
            dev: id,
            encap: None,
        });
        Ok(())
    }

    fn route6_add(
        &mut self,
        netns: NetnsId,
        dst: Ipv6Net,
        encap: Option<&RouteEncap>,
        via: Option<Ipv6Addr>,
        dev: Option<DevId>,
    ) -> Done {
        let below = via.and_then(|via| self.topology.route6(netns, via));
        let Some(dev) = dev.or(below.map(|route| route.dev)) else {
            return Err(TopologyError::NoRoute {
                dst: via.unwrap_or(dst.addr).into(),
                netns: self.topology.netns[netns.0].display_name(),
            }
            .into());
        };
        let encap = encap.map(|encap| self.encap_of(encap)).transpose()?;
        self.topology.netns[netns.0].inet6.routes.push(Route6 {
            dst,
            via,
            dev,
            encap,
        });
        Ok(())
    }
}
