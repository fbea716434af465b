//! The MTU of a path, where it is less than that of the device: `net/ipv4/route.c`, and who finds it out (`net/ipv4/ip_tunnel.c`,
//! `net/ipv4/ip_tunnel_core.c`).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, icmp, icmpv6, ipv4, ipv6};
use crate::scenario::topology::{DevId, Lookup, NetnsId, Route};
use crate::trace::SkbNo;

/// What is known beside the routes: by a route's next hop, and destination (`struct fib_nh_exception`). No scenario lasts the ten
/// minutes after which it is forgotten (`ip_rt_mtu_expires`).
pub(super) type PathMtus = BTreeMap<(DevId, Option<Ipv4Addr>, Ipv4Addr), PathMtu>;

/// An exception of a next hop.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathMtu {
    /// `fnhe_pmtu`, bytes.
    mtu: u32,
    /// `fnhe_mtu_locked`: it was less than the least that is believed, and counts for forwarded packets too.
    locked: bool,
}

impl Kernel {
    /// `ip_dst_mtu_maybe_forward()` (`include/net/ip.h`): longest packet to `daddr` by a route. What was learned does not count for
    /// packets that are only forwarded, unless it is locked, or `net.ipv4.ip_forward_use_pmtu` is set.
    pub(super) fn ipv4_mtu(&self, route: &Route, daddr: Ipv4Addr, forwarding: bool) -> u32 {
        let device = self.topology.dev(route.dev);
        if self.path_mtus.is_empty() {
            return route.mtu(device.mtu);
        }
        let learned = self.path_mtus.get(&(route.dev, route.via, daddr));
        let believes = || {
            let netns = &self.topology.netns[device.netns.0];
            netns.flag("net.ipv4.ip_forward_use_pmtu")
        };
        let counts = |path: &&PathMtu| !forwarding || path.locked || believes();
        route.mtu(learned.filter(counts).map_or(device.mtu, |path| path.mtu))
    }

    /// `__ip_rt_update_pmtu()`: packets to `daddr` must not be longer than `mtu`. Less than `net.ipv4.route.min_pmtu` is not believed:
    /// that many bytes are sent then, in fragments where it must be.
    fn ip_rt_update_pmtu(&mut self, route: &Route, daddr: Ipv4Addr, mtu: u32) {
        let key = (route.dev, route.via, daddr);
        let old = self.ipv4_mtu(route, daddr, false);
        if old < mtu || self.path_mtus.get(&key).is_some_and(|path| path.locked) {
            return;
        }
        let least = self.min_pmtu(self.topology.dev(route.dev).netns);
        let locked = mtu < least;
        let mtu = if locked { old.min(least) } else { mtu };
        self.path_mtus.insert(key, PathMtu { mtu, locked });
    }

    /// `net.ipv4.route.min_pmtu`, bytes.
    fn min_pmtu(&self, netns: NetnsId) -> u32 {
        const DEFAULT_MIN_PMTU: u32 = 512 + 20 + 20;
        let mut set = self.topology.netns[netns.0].sysctl.iter().rev();
        let set = set.find(|(key, _)| key == "net.ipv4.route.min_pmtu");
        set.and_then(|(_, value)| value.trim().parse().ok())
            .unwrap_or(DEFAULT_MIN_PMTU)
    }

    /// `ipv4_update_pmtu()`: an ICMP error has named the MTU of the way to `daddr`.
    pub(super) fn ipv4_update_pmtu(&mut self, netns: NetnsId, daddr: Ipv4Addr, mtu: u32) {
        if let Lookup::Unicast(route) = self.topology.lookup(netns, daddr) {
            self.ip_rt_update_pmtu(&route, daddr, mtu);
        }
    }

    /// `skb_dst_update_pmtu_no_confirm()` of an IPv4 packet, which has come to a tunnel by a route.
    fn skb_dst_update_pmtu(&mut self, no: SkbNo, mtu: u32) {
        let skb = self.skb(no);
        if let Some(route) = skb.dst.filter(|_| skb.protocol == ethernet::P_IP) {
            let daddr = self.ip_hdr_addr(no, 16);
            self.ip_rt_update_pmtu(&route, daddr, mtu);
        }
    }

    /// `tnl_update_pmtu()`: the packet's route is told what fits into the tunnel, and the sender of a packet that may not be cut and is
    /// too long. `false`: the packet does not go on.
    pub(super) fn tnl_update_pmtu(
        &mut self,
        no: SkbNo,
        dev: DevId,
        (route, remote): (Route, Ipv4Addr),
        (frag_off, tunnel_hlen): (u16, u32),
    ) -> Run<bool> {
        let outer = self.ipv4_mtu(&route, remote, false);
        let skb = self.skb(no);
        let device = self.topology.dev(dev);
        let inner_at = u32::from(skb.inner_network_header);
        let inner = self.inner_header(no, inner_at);
        let inner_len = (skb.data + skb.len).saturating_sub(inner_at);
        let own = tunnel_hlen + ipv4::HLEN;
        let mtu = if frag_off & ipv4::DF != 0 {
            outer.saturating_sub(own + device.hard_header_len)
        } else if let Some(own) = skb.dst.filter(|_| skb.protocol == ethernet::P_IP) {
            let daddr = self.bytes(no, inner_at + 16, 4);
            self.ipv4_mtu(&own, crate::net::dissect::be32(daddr, 0).into(), false)
        } else {
            device.mtu
        };
        let fits = inner_len <= mtu || self.skb_is_gso(no);
        self.skb_dst_update_pmtu(no, mtu);
        if inner.is_some_and(|inner| inner.df) && !fits {
            self.icmp_send_info(no, icmp::DEST_UNREACH, icmp::FRAG_NEEDED, mtu)?;
            return Ok(false);
        }
        if self.skb_protocol(no) == ethernet::P_IPV6 && !fits && mtu >= ipv6::MIN_MTU {
            self.icmp6_send(no, icmpv6::PKT_TOOBIG, 0, mtu)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// `skb_tunnel_check_pmtu()` (`net/ipv4/ip_tunnel_core.c`), with the MTU of the way to the other end: what does not fit is sent
    /// nevertheless, unless the tunnel is a bridge port, and the packet's route is told.
    pub(super) fn skb_tunnel_check_pmtu(
        &mut self,
        no: SkbNo,
        dev: DevId,
        encap_mtu: u32,
        headroom: u32,
    ) -> Run<()> {
        let file = "net/ipv4/ip_tunnel_core.c";
        self.traced("skb_tunnel_check_pmtu", file, no, |k| {
            let skb = k.skb(no);
            let len = (skb.len + skb.data).saturating_sub(u32::from(skb.network_header));
            let mtu = encap_mtu.saturating_sub(headroom);
            let fits = match k.skb_is_gso(no) {
                true => k.skb_gso_validate_network_len(no, mtu),
                false => len <= mtu,
            };
            if fits {
                return Ok(0);
            }
            k.skb_dst_update_pmtu(no, mtu);
            if k.topology.dev(dev).master.is_some() {
                return not_covered(
                    "skb_tunnel_check_pmtu: a bridge port sends back what is too long",
                );
            }
            Ok(0)
        })?;
        Ok(())
    }
}
