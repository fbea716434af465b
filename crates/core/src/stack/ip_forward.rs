//! `net/ipv4/ip_forward.c`, and the routing decision for received packets (`net/ipv4/route.c`).

use std::net::Ipv4Addr;

use super::dev_rx::NET_RX_DROP;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{icmp, ipv4};
use crate::scenario::command::RouteKind;
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{DevId, Lookup, Route};
use crate::skb::{CHECKSUM_COMPLETE, CHECKSUM_NONE, PacketType};
use crate::trace::SkbNo;

const FILE: &str = "net/ipv4/ip_forward.c";

/// Where a received packet goes (`dst->input`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// `ip_local_deliver()`.
    Local,
    /// `ip_forward()`.
    Forward(Route),
    /// `ip_error()`.
    Error(RouteError),
    /// `dst_discard()`: a blackhole.
    Discard,
    /// A martian: `ip_rcv_finish_core()` drops it, with this reason.
    Martian(u32),
}

/// Why there is no way (`dst->error`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RouteError {
    /// `EHOSTUNREACH`.
    Host,
    /// `ENETUNREACH`.
    Net,
    /// `EACCES`.
    Access,
}

impl Kernel {
    /// `ip_route_input_slow()`: without forwarding, what is not for this host has nowhere to go.
    pub(super) fn ip_route_input(&self, no: SkbNo, dev: DevId) -> Run<Input> {
        let netns = self.topology.dev(dev).netns;
        let (saddr, daddr) = self.ip_hdr_addrs(no);
        if let Some(reason) = weird_martian(saddr, daddr).filter(|_| !self.is_lo(dev)) {
            return Ok(Input::Martian(reason));
        }
        if self.topology.is_to_many(netns, daddr) {
            return Ok(Input::Local);
        }
        if daddr.is_multicast() {
            return not_covered(format!("ip_route_input: {daddr} (multicast)"));
        }
        let found = self.topology.lookup(netns, daddr);
        // fib_validate_source(): nobody else sends from an address of this host
        let own_source = self.topology.is_local(netns, saddr) && !self.is_lo(dev);
        if found == Lookup::Local && !own_source {
            return Ok(Input::Local);
        }
        let forwards = self.forwards(dev);
        Ok(match found {
            Lookup::Local => Input::Martian(drop_reason::IP_LOCAL_SOURCE),
            Lookup::Unicast(_) if own_source && forwards => {
                Input::Martian(drop_reason::IP_LOCAL_SOURCE)
            }
            Lookup::NoRoute if !forwards => Input::Error(RouteError::Host),
            Lookup::NoRoute => Input::Error(RouteError::Net),
            _ if !forwards => Input::Error(RouteError::Host),
            Lookup::Unicast(route) => Input::Forward(route),
            Lookup::Refused(RouteKind::Unreachable) => Input::Error(RouteError::Host),
            Lookup::Refused(RouteKind::Prohibit) => Input::Error(RouteError::Access),
            Lookup::Refused(_) => Input::Discard,
        })
    }

    fn is_lo(&self, dev: DevId) -> bool {
        self.topology.dev(dev).kind == crate::scenario::topology::DeviceKind::Loopback
    }

    /// `IN_DEV_FORWARD()`: set for all devices, or for this one.
    pub(super) fn forwards(&self, dev: DevId) -> bool {
        let netns = self.topology.netns_of(dev);
        let all = ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"];
        let own = || {
            let name = &self.topology.dev(dev).name;
            netns.device_flag("net.ipv4.conf.", name, ".forwarding")
        };
        all.into_iter().any(|key| netns.flag(key)) || own()
    }

    /// `dst_input()`: by the routing decision.
    pub(super) fn dst_input(&mut self, no: SkbNo, input: Input) -> Run<i64> {
        match input {
            Input::Local => self.ip_local_deliver(no),
            Input::Forward(route) => self.forward_or_tunnel(no, route),
            Input::Error(error) => self.ip_error(no, error),
            Input::Martian(_) => Ok(NET_RX_DROP),
            Input::Discard => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(0)
            }
        }
    }

    /// `ip_error()` (`net/ipv4/route.c`): a router tells the sender; another host is silent.
    fn ip_error(&mut self, no: SkbNo, error: RouteError) -> Run<i64> {
        let forwards = self.skb(no).dev.is_some_and(|dev| self.forwards(dev));
        let (code, reason) = match error {
            RouteError::Host if !forwards => (None, drop_reason::IP_INADDRERRORS),
            RouteError::Net if !forwards => (None, drop_reason::IP_INNOROUTES),
            RouteError::Host => (Some(icmp::HOST_UNREACH), drop_reason::NOT_SPECIFIED),
            RouteError::Net => (Some(icmp::NET_UNREACH), drop_reason::IP_INNOROUTES),
            RouteError::Access => (Some(icmp::PKT_FILTERED), drop_reason::NOT_SPECIFIED),
        };
        if let Some(code) = code.filter(|_| forwards) {
            self.icmp_send(no, icmp::DEST_UNREACH, code)?;
        }
        self.kfree_skb(no, reason)?;
        Ok(0)
    }

    /// `ip_forward()`: one hop less to live, and out by the route's device.
    pub(super) fn ip_forward(&mut self, no: SkbNo, route: Route) -> Run<i64> {
        self.traced("ip_forward", FILE, no, |k| {
            if k.skb(no).pkt_type != PacketType::Host {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(NET_RX_DROP);
            }
            k.skb_forward_csum(no);
            let at = u32::from(k.skb(no).network_header);
            let header = k.bytes(no, at, ipv4::HLEN).to_vec();
            let ttl = header.get(8).copied().unwrap_or(0);
            if ttl <= 1 {
                k.icmp_send(no, icmp::TIME_EXCEEDED, icmp::EXC_TTL)?;
                k.kfree_skb(no, drop_reason::IP_INHDR)?;
                return Ok(NET_RX_DROP);
            }
            let out = k.topology.dev(route.dev);
            let room = out.ll_reserved_space();
            let mtu = k.ipv4_mtu(&route, k.ip_hdr_addr(no, 16), true);
            // ip_exceeds_mtu()
            if k.exceeds_mtu(no, mtu) && be16(&header, 6) & ipv4::DF != 0 {
                k.icmp_send_info(no, icmp::DEST_UNREACH, icmp::FRAG_NEEDED, mtu)?;
                k.kfree_skb(no, drop_reason::PKT_TOO_BIG)?;
                return Ok(NET_RX_DROP);
            }
            if k.skb(no).dev == Some(route.dev) {
                return not_covered("ip_forward: out by the device it came from (ICMP redirect)");
            }
            k.skb_cow_head(no, room)?;
            k.ip_decrease_ttl(no);
            k.skb_mut(no).set_dst(Some(route));
            k.skb_mut(no).forwarded = true;
            let state = NfState::ipv4(NfHook::Forward, k.skb(no).dev, Some(route.dev));
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip_forward_finish", FILE, no, |k| k.dst_output(no))
        })
    }

    /// `skb_forward_csum()`: a sum of the received packet is of no use for the one that is sent.
    pub(super) fn skb_forward_csum(&mut self, no: SkbNo) {
        let skb = self.skb_mut(no);
        if skb.ip_summed == CHECKSUM_COMPLETE {
            skb.ip_summed = CHECKSUM_NONE;
        }
    }

    /// `ip_decrease_ttl()`: ttl and checksum, in place.
    fn ip_decrease_ttl(&mut self, no: SkbNo) {
        let (head, at) = (self.skb(no).head, u32::from(self.skb(no).network_header));
        let ttl = self.bytes(no, at + 8, 1).first().copied().unwrap_or(1);
        let check = be16(self.bytes(no, at + 10, 2), 0);
        self.buffers.patch(head, at + 8, &[ttl.wrapping_sub(1)]);
        self.buffers
            .patch(head, at + 10, &check_after_decrease(check).to_be_bytes());
    }
}

/// Addresses that cannot come over a wire: what `ip_route_input_slow()` refuses before it looks for a route.
fn weird_martian(saddr: Ipv4Addr, daddr: Ipv4Addr) -> Option<u32> {
    let zeronet = |addr: Ipv4Addr| addr.octets()[0] == 0;
    if daddr.is_multicast() {
        // ip_route_input_mc() decides about those
        return None;
    }
    if saddr.is_multicast() || saddr.is_broadcast() {
        return Some(drop_reason::IP_INVALID_SOURCE);
    }
    if daddr.is_broadcast() || (saddr.is_unspecified() && daddr.is_unspecified()) {
        return None;
    }
    if zeronet(saddr) {
        return Some(drop_reason::IP_INVALID_SOURCE);
    }
    if zeronet(daddr) {
        return Some(drop_reason::IP_INVALID_DEST);
    }
    // net.ipv4.conf.all.route_localnet is off
    (daddr.is_loopback() || saddr.is_loopback()).then_some(drop_reason::IP_LOCALNET)
}

/// The header checksum when ttl is one less (RFC 1624).
fn check_after_decrease(check: u16) -> u16 {
    let sum = u32::from(check) + 0x0100;
    // check += (check >= 0xFFFF): the carry, and never 0xffff
    (sum + u32::from(sum >= 0xffff)) as u16
}

#[cfg(test)]
mod tests {
    use super::{check_after_decrease, weird_martian};

    /// `ip_route_input_slow()` (`net/ipv4/route.c`), reasons of `include/net/dropreason-core.h`.
    #[test]
    fn addresses_that_never_come_over_a_wire() {
        let reason = |saddr: [u8; 4], daddr: [u8; 4]| weird_martian(saddr.into(), daddr.into());
        assert_eq!(reason([10, 0, 0, 2], [10, 0, 0, 1]), None);
        assert_eq!(reason([224, 0, 0, 1], [10, 0, 0, 1]), Some(88));
        assert_eq!(reason([0, 0, 0, 5], [10, 0, 0, 1]), Some(88));
        assert_eq!(reason([10, 0, 0, 2], [0, 0, 0, 1]), Some(90));
        assert_eq!(reason([10, 0, 0, 2], [127, 0, 0, 1]), Some(89));
        assert_eq!(reason([127, 0, 0, 1], [10, 0, 0, 1]), Some(89));
    }

    /// golden E10-fwd-plain-4b-native: ttl 64 → 63 makes 449f 459f.
    #[test]
    fn checksum_of_a_forwarded_header() {
        assert_eq!(check_after_decrease(0x449f), 0x459f);
        assert_eq!(check_after_decrease(0xff80), 0x0081);
        assert_eq!(check_after_decrease(0xfeff), 0x0000);
    }
}
