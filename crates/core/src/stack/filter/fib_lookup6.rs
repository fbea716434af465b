//! `bpf_ipv6_fib_lookup()` (`net/core/filter.c`).

use std::net::{IpAddr, Ipv6Addr};

use super::fib_lookup::{DMAC, DST, ENODEV, IFINDEX, Params, RT_METRIC, SMAC, SRC, TOT_LEN, VLAN};
use super::fib_lookup::{flag, ret};
use crate::net::ipv6;
use crate::scenario::command::RouteKind;
use crate::scenario::inet6::{Lookup6, Route6, contains6};
use crate::scenario::topology::{DevId, NetnsId};
use crate::stack::Kernel;

/// `IP6_RT_PRIO_ADDRCONF`, `IP6_RT_PRIO_USER` (include/uapi/linux/ipv6_route.h): the metric of a route that an address made, and
/// of one that a command made.
const PRIO_ADDRCONF: u32 = 256;
const PRIO_USER: u32 = 1024;

/// `rt6_need_strict()`: link-local, multicast and loopback addresses are never forwarded.
fn needs_strict(addr: Ipv6Addr) -> bool {
    addr.is_unicast_link_local() || addr.is_multicast() || addr.is_loopback()
}

impl Kernel {
    pub(super) fn bpf_ipv6_fib_lookup(
        &self,
        dev: DevId,
        params: &mut Params<'_>,
        flags: u32,
        check_mtu: bool,
    ) -> i64 {
        let (src, dst) = (params.address6(SRC), params.address6(DST));
        if needs_strict(src) || needs_strict(dst) {
            return ret::NOT_FWDED;
        }
        let netns = self.topology.dev(dev).netns;
        let Some(from) = self.topology.dev_by_index(netns, params.ifindex()) else {
            return ENODEV;
        };
        if !self.topology.ipv6_enabled(from) || !self.topology.forwards6_own(from) {
            return ret::FWD_DISABLED;
        }
        let route = match self.fib6_lookup(netns, dst, params, flags) {
            Lookup6::Unicast(route) => route,
            Lookup6::Refused(RouteKind::Blackhole) => return ret::BLACKHOLE,
            Lookup6::Refused(RouteKind::Unreachable) => return ret::UNREACHABLE,
            Lookup6::Refused(RouteKind::Prohibit) => return ret::PROHIBIT,
            Lookup6::Local | Lookup6::Refused(_) | Lookup6::NoRoute => return ret::NOT_FWDED,
        };
        let device = self.topology.dev(route.dev);
        let mtu = (device.mtu.max(ipv6::MIN_MTU) as u16).to_le_bytes();
        if check_mtu && params.tot_len() > u16::from_le_bytes(mtu) {
            params.put(TOT_LEN, &mtu);
            return ret::FRAG_NEEDED;
        }
        if route.encap.is_some() {
            return ret::UNSUPP_LWT;
        }
        let next_hop = route.via.unwrap_or(dst);
        params.put(DST, &next_hop.octets());
        params.put(RT_METRIC, &self.metric6(netns, route).to_le_bytes());
        params.put(IFINDEX, &device.ifindex.to_le_bytes());
        if flags & flag::SRC != 0 {
            match self.topology.source6(netns, route.dev, dst) {
                Some(source) => params.put(SRC, &source.octets()),
                None => return ret::NO_SRC_ADDR,
            }
        }
        if flags & flag::SKIP_NEIGH == 0 {
            let Some(mac) = self.topology.neighbour(route.dev, IpAddr::V6(next_hop)) else {
                return ret::NO_NEIGH;
            };
            params.put(DMAC, &mac);
            params.put(SMAC, &device.mac);
        }
        params.put(VLAN, &[0; 4]);
        if check_mtu {
            params.put(TOT_LEN, &mtu);
        }
        ret::SUCCESS
    }

    /// `fib6_lookup()`, or `fib6_table_lookup()` in one table. The device that is asked for is only
    /// preferred among routes for one prefix, of which there are never two here: without `RT6_LOOKUP_F_IFACE` a route through
    /// another one is found too (`rt6_score_route()`, net/ipv6/route.c).
    fn fib6_lookup(
        &self,
        netns: NetnsId,
        dst: Ipv6Addr,
        params: &mut Params<'_>,
        flags: u32,
    ) -> Lookup6 {
        const UNSPEC: u32 = 0;
        const MAIN: u32 = 254;
        if flags & flag::DIRECT == 0 && self.topology.is_local6(netns, dst) {
            return Lookup6::Local;
        }
        if flags & flag::DIRECT != 0 && flags & flag::TBID != 0 {
            let table = u32::from_le_bytes(params.word(VLAN));
            params.put(VLAN, &[0; 4]);
            // `fib6_get_table()` takes 0 for the main table
            if !matches!(table, UNSPEC | MAIN) {
                return Lookup6::NoRoute;
            }
        }
        self.topology.lookup6_main(netns, dst)
    }

    fn metric6(&self, netns: NetnsId, route: Route6) -> u32 {
        let mut addrs = self.topology.netns[netns.0].inet6.addrs.iter();
        let of_address = addrs.any(|(dev, net)| {
            *dev == route.dev && net.prefix == route.dst.prefix && contains6(*net, route.dst.addr)
        });
        match route.via {
            None if of_address => PRIO_ADDRCONF,
            _ => PRIO_USER,
        }
    }
}
