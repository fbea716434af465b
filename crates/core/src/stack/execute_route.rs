//! Commands about IPv4 addresses and routes.

use std::net::Ipv4Addr;

use super::Kernel;
use super::execute::Done;
use super::execute_error::{Cause, exists};
use crate::bpf::ProgType;
use crate::scenario::command::{Ipv4Net, Netns, RouteEncap};
use crate::scenario::topology::{
    DevId, Encap, Ioam6Lwt, LwtBpf, Route, Segments, TopologyError, prefix_mask,
};

impl Kernel {
    /// An address, and the route to its prefix (`fib_add_ifaddr()`).
    pub(super) fn addr_add(&mut self, id: DevId, addr: Ipv4Net) {
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
    pub(super) fn route_place(&mut self, netns: &Netns, dst: Ipv4Net, replace: bool) -> Done {
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

    pub(super) fn route_add(
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
            RouteEncap::Seg6 { segs, mode } => {
                self.topology.seg6.push(Segments {
                    list: segs.clone(),
                    mode: *mode,
                });
                Encap::Seg6(self.topology.seg6.len() - 1, *mode)
            }
            RouteEncap::Ioam6(what) => {
                self.topology.ioam6.push(Ioam6Lwt {
                    what: *what,
                    pkt_cnt: 0,
                    cached: false,
                });
                Encap::Ioam6(self.topology.ioam6.len() - 1)
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
}
