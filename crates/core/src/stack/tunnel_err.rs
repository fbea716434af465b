//! What a tunnel hears of its own packets: `ipip_err()` (`net/ipv4/ipip.c`), and what `ip_tunnel_xmit()`
//! (`net/ipv4/ip_tunnel.c`) makes of it.

use super::ip_tunnel::rank;
use super::{Kernel, Run};
use crate::net::{ethernet, icmp, ipv4};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::SkbNo;

/// `ICMP_SR_FAILED`, a code of *destination unreachable*.
const SR_FAILED: u8 = 5;
/// ICMPv6 *destination unreachable*, and its code *address unreachable*.
const ICMPV6_ADDR_UNREACH: (u8, u8) = (1, 3);

impl Kernel {
    /// `icmp_socket_deliver()` (`net/ipv4/icmp.c`) and `ipip_err()`: an error about a packet that an IPIP tunnel has sent
    /// is counted at the tunnel. The message's data begin with the quoted packet, of which eight bytes must be there
    /// behind the IP header. *Fragmentation needed* changes the path's MTU instead. GRE has nothing to say about
    /// *port unreachable* (`ipgre_err()`), with which Linux answers where no tunnel takes a packet.
    pub(super) fn tunnel_err(&mut self, no: SkbNo, kind: u8, code: u8) {
        const BEHIND: u32 = 8;
        let quoted = self.packet(no, 0, ipv4::HLEN).to_vec();
        let hlen = u32::from(quoted.first().copied().unwrap_or(0) & 0x0f) * 4;
        let whole = self.skb(no).len >= hlen + BEHIND;
        if !whole || quoted.get(9) != Some(&ipv4::PROTO_IPIP) {
            return;
        }
        let address = |at: usize| {
            let bytes = quoted.get(at..at + 4).and_then(<[u8]>::first_chunk::<4>);
            bytes.copied().map(std::net::Ipv4Addr::from)
        };
        let (Some(local), Some(remote), Some(dev)) = (address(12), address(16), self.skb(no).dev)
        else {
            return;
        };
        let netns = self.topology.dev(dev).netns;
        let devices = self.topology.devices.iter().enumerate();
        let tunnel = devices
            .filter(|(_, dev)| dev.up && dev.home == netns)
            .filter_map(|(id, dev)| match dev.kind {
                DeviceKind::Ipip(parms) if !parms.external => {
                    Some((rank(&parms, local, remote)?, DevId(id), parms))
                }
                _ => None,
            })
            .max_by_key(|(fits, id, _)| (*fits, std::cmp::Reverse(id.0)));
        let Some((_, tunnel, parms)) = tunnel.filter(|(_, _, parms)| parms.remote.is_some()) else {
            return;
        };
        let counts = match (kind, code) {
            (icmp::DEST_UNREACH, SR_FAILED | icmp::FRAG_NEEDED) => false,
            (icmp::DEST_UNREACH, _) => true,
            (icmp::TIME_EXCEEDED, icmp::EXC_TTL) => parms.ttl != 0,
            _ => false,
        };
        if counts {
            *self.tunnel_errors.entry(tunnel).or_default() += 1;
        }
    }

    /// `ip_tunnel_xmit()`: for each error that was heard (`err_count`), the sender of one packet is told that the host can't
    /// be reached (`dst_link_failure()`); the packet goes on. No scenario lasts the 30 seconds of
    /// `IPTUNNEL_ERR_TIMEO`.
    pub(super) fn tunnel_link_failure(&mut self, no: SkbNo, dev: DevId) -> Run<()> {
        let Some(count) = self.tunnel_errors.get_mut(&dev).filter(|count| **count > 0) else {
            return Ok(());
        };
        *count -= 1;
        if self.skb_protocol(no) == ethernet::P_IPV6 {
            let (kind, code) = ICMPV6_ADDR_UNREACH;
            return self.icmp6_send(no, kind, code, 0);
        }
        self.icmp_send(no, icmp::DEST_UNREACH, icmp::HOST_UNREACH)
    }
}
