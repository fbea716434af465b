//! `ip6_forward()` (`net/ipv6/ip6_output.c`), and the routing decision for received packets
//! (`net/ipv6/route.c`).

use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{icmpv6, ipv6};
use crate::scenario::command::RouteKind;
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{DevId, Lookup6, Route6};
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/ip6_output.c";
/// `-EINVAL`, `-ETIMEDOUT`, `-EMSGSIZE`: what `ip6_forward()` answers for what it drops.
const EINVAL: i64 = -22;
const ETIMEDOUT: i64 = -110;
const EMSGSIZE: i64 = -90;

/// Where a received IPv6 packet goes (`dst->input`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input6 {
    /// `ip6_input()`.
    Local,
    /// `ip6_mc_input()`, of a group that the device has joined, or not.
    Multicast(bool),
    /// `ip6_forward()`.
    Forward(Route6),
    /// `ip6_pkt_discard()`, `ip6_pkt_prohibit()`: dropped, and the sender is told.
    Error {
        /// Code of *destination unreachable*.
        code: u8,
        /// Drop reason.
        reason: u32,
    },
    /// `dst_discard()`: a blackhole.
    Discard,
}

impl Kernel {
    /// `ip6_route_input()`: a host that does not forward finds out in `ip6_forward()` only.
    pub(super) fn ip6_route_input(&self, no: SkbNo) -> Run<Input6> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("ip6_route_input of a packet without device");
        };
        let daddr = self.ipv6_hdr_addr(no, 24);
        if daddr.is_multicast() {
            return Ok(Input6::Multicast(self.has_joined6(dev, daddr)));
        }
        let error = |code| Input6::Error {
            code,
            reason: match daddr.is_unspecified() {
                true => drop_reason::IP_INADDRERRORS,
                false => drop_reason::IP_INNOROUTES,
            },
        };
        Ok(
            match self.topology.lookup6(self.topology.dev(dev).netns, daddr) {
                Lookup6::Local => Input6::Local,
                Lookup6::Unicast(route) => Input6::Forward(route),
                Lookup6::Refused(RouteKind::Prohibit) => error(icmpv6::ADM_PROHIBITED),
                Lookup6::Refused(RouteKind::Unreachable) | Lookup6::NoRoute => {
                    error(icmpv6::NOROUTE)
                }
                Lookup6::Refused(_) => Input6::Discard,
            },
        )
    }

    /// `ip6_pkt_drop()` (`net/ipv6/route.c`).
    pub(super) fn ip6_pkt_drop(&mut self, no: SkbNo, code: u8, reason: u32) -> Run<i64> {
        let name = if code == icmpv6::ADM_PROHIBITED {
            "ip6_pkt_prohibit"
        } else {
            "ip6_pkt_discard"
        };
        self.traced(name, "net/ipv6/route.c", no, |k| {
            k.icmp6_send(no, icmpv6::DEST_UNREACH, code, 0)?;
            k.kfree_skb(no, reason)?;
            Ok(0)
        })
    }

    /// `net.ipv6.conf.all.forwarding`, or `force_forwarding` of the device.
    fn forwards6(&self, dev: DevId) -> bool {
        let netns = self.topology.netns_of(dev);
        let name = &self.topology.dev(dev).name;
        netns.flag("net.ipv6.conf.all.forwarding")
            || netns.device_flag("net.ipv6.conf.", name, ".force_forwarding")
    }

    /// `ip6_forward()`: one hop less to live, and out by the route's device.
    pub(super) fn ip6_forward(&mut self, no: SkbNo, route: Route6) -> Run<i64> {
        self.traced("ip6_forward", FILE, no, |k| {
            let (from, kind) = (k.skb(no).dev, k.skb(no).pkt_type);
            if !from.is_some_and(|dev| k.forwards6(dev)) {
                k.kfree_skb(no, drop_reason::IP_INADDRERRORS)?;
                return Ok(EINVAL);
            }
            if kind != PacketType::Host {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(EINVAL);
            }
            k.skb_forward_csum(no);
            let at = u32::from(k.skb(no).network_header);
            let hop_limit = k.bytes(no, at + 7, 1).first().copied().unwrap_or(0);
            if hop_limit <= 1 {
                k.icmp6_send(no, icmpv6::TIME_EXCEED, 0, 0)?;
                k.kfree_skb(no, drop_reason::IP_INHDR)?;
                return Ok(ETIMEDOUT);
            }
            if from == Some(route.dev) {
                return not_covered("ip6_forward: out by the device it came from (redirect)");
            }
            let saddr = k.ipv6_hdr_addr(no, 8);
            let link_local = saddr.segments()[0] & 0xffc0 == 0xfe80;
            if link_local {
                k.icmp6_send(no, icmpv6::DEST_UNREACH, icmpv6::NOT_NEIGHBOUR, 0)?;
            }
            if link_local || saddr.is_unspecified() {
                k.kfree_skb(no, drop_reason::IP_INADDRERRORS)?;
                return Ok(EINVAL);
            }
            let out = k.topology.dev(route.dev);
            let (room, mtu) = (out.hard_header_len, out.mtu.max(ipv6::MIN_MTU));
            // ip6_pkt_too_big()
            if k.exceeds_mtu(no, mtu) {
                // the output device's address is to be the source
                k.skb_mut(no).dev = Some(route.dev);
                k.icmp6_send(no, icmpv6::PKT_TOOBIG, 0, mtu)?;
                k.kfree_skb(no, drop_reason::PKT_TOO_BIG)?;
                return Ok(EMSGSIZE);
            }
            k.skb_cow(no, room)?;
            let (head, at) = (k.skb(no).head, u32::from(k.skb(no).network_header));
            k.buffers.patch(head, at + 7, &[hop_limit - 1]);
            k.skb_mut(no).set_dst6(Some(route));
            let state = NfState::ipv6(NfHook::Forward, from, Some(route.dev));
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip6_forward_finish", FILE, no, |k| k.dst_output6(no))
        })
    }
}
