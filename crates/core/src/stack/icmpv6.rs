//! `net/ipv6/icmp.c`: an echo request is answered, a useless packet's sender is told; and `ping` sends.

use std::net::Ipv6Addr;

use super::execute::Cause;
use super::icmp::{ping_message, set_checksum, too_long};
use super::ip6_output::{DEFAULT_HOP_LIMIT, Datagram6};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{checksum, icmpv6, ipv6};
use crate::scenario::command::{Ipv6Net, PingParms};
use crate::scenario::topology::{Lookup6, NetnsId, Route6};
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/icmp.c";

impl Kernel {
    /// `icmpv6_rcv()`.
    pub(super) fn icmpv6_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("icmpv6_rcv", FILE, no, |k| {
            if !k.csum_init(no, ipv6::NEXTHDR_ICMP) || !k.checksum_complete(no, ipv6::NEXTHDR_ICMP)
            {
                k.kfree_skb(no, drop_reason::ICMP_CSUM)?;
                return Ok(0);
            }
            if !k.pskb_pull(no, icmpv6::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let header = u32::from(k.skb(no).transport_header);
            match k.bytes(no, header, 1).first().copied().unwrap_or(0) {
                icmpv6::ECHO_REQUEST => {
                    if k.icmpv6_echo(no)? {
                        k.consume_skb(no)?;
                    } else {
                        k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    }
                }
                // ping_rcv(): no ICMP socket waits for the reply
                icmpv6::ECHO_REPLY => {
                    k.skb_mut(no).push(icmpv6::HLEN)?;
                    k.kfree_skb(no, drop_reason::NO_SOCKET)?;
                }
                icmpv6::NDISC_FIRST..=icmpv6::NDISC_LAST => match k.ndisc_rcv(no)? {
                    Some(reason) => k.kfree_skb(no, reason)?,
                    None => k.consume_skb(no)?,
                },
                // icmpv6_notify(): to the sender's protocol, which has nobody waiting here
                kind if kind & icmpv6::INFOMSG_MASK == 0 => k.icmpv6_notify(no)?,
                _ => k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?,
            }
            Ok(0)
        })
    }

    /// `icmpv6_notify()`: an error message must hold a whole IPv6 header.
    fn icmpv6_notify(&mut self, no: SkbNo) -> Run<()> {
        if self.skb(no).len < ipv6::HLEN {
            return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
        }
        self.consume_skb(no)
    }

    /// `icmpv6_echo_reply()`: back to the sender, from the address that was asked. `false`: there is no answer.
    fn icmpv6_echo(&mut self, no: SkbNo) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("icmpv6_echo_reply of a packet without device");
        };
        let netns = self.topology.dev(dev).netns;
        if self.topology.netns[netns.0].flag("net.ipv6.icmp.echo_ignore_all") {
            return Ok(false);
        }
        let mut sent = 0;
        self.traced("icmpv6_echo_reply", FILE, no, |k| {
            let skb = k.skb(no);
            let (header, at) = (
                u32::from(skb.transport_header),
                u32::from(skb.network_header),
            );
            let mut message = k.bytes_from_head(no, header, icmpv6::HLEN + skb.len);
            let tclass = k.ipv6_dsfield(no, at);
            let (asker, asked) = (k.ipv6_hdr_addr(no, 8), k.ipv6_hdr_addr(no, 24));
            if let Some(kind) = message.first_mut() {
                *kind = icmpv6::ECHO_REPLY;
            }
            let done = k.local_bh(|k| {
                // a group is nobody's own address
                let from = Some(asked).filter(|asked| !asked.is_multicast());
                k.icmpv6_push(netns, from, asker, tclass, &mut message)
            })?;
            sent = i64::from(done);
            Ok(sent)
        })?;
        Ok(sent == 1)
    }

    /// `icmp6_send()`: tells the sender of a packet what became of it; never an answer to an error message.
    /// `info` is the message's second word.
    pub(super) fn icmp6_send(&mut self, no: SkbNo, kind: u8, code: u8, info: u32) -> Run<()> {
        self.traced("icmp6_send", FILE, no, |k| {
            let skb = k.skb(no);
            let Some(dev) = skb.dev else { return Ok(()) };
            let at = u32::from(skb.network_header);
            let to_us = skb.pkt_type == PacketType::Host;
            let whole = at + ipv6::HLEN <= skb.tail;
            let len = (skb.len + skb.data).saturating_sub(at);
            let (saddr, daddr) = (k.ipv6_hdr_addr(no, 8), k.ipv6_hdr_addr(no, 24));
            let answerable = !saddr.is_unspecified() && !saddr.is_multicast();
            let group = daddr.is_multicast() || !to_us;
            if !whole || !answerable || (group && kind != icmpv6::PKT_TOOBIG) {
                return Ok(());
            }
            if k.is_icmpv6_error(no, at) {
                return Ok(());
            }
            let netns = k.topology.dev(dev).netns;
            let from = if k.topology.is_local6(netns, daddr) {
                Some(daddr)
            } else {
                k.topology.source6(netns, dev, saddr)
            };
            if !k.icmpv6_xrlim_allow(netns, saddr.into(), kind) {
                return Ok(());
            }
            // the whole message fits into the least MTU
            let room = ipv6::MIN_MTU - ipv6::HLEN - icmpv6::HLEN;
            let mut message = vec![kind, code, 0, 0];
            message.extend(info.to_be_bytes());
            message.extend(k.bytes_from_head(no, at, len.min(room)));
            k.local_bh(|k| k.icmpv6_push(netns, from, saddr, 0, &mut message))?;
            Ok(())
        })
    }

    /// `is_ineligible()`: whether the packet at `at` is an ICMPv6 error message itself.
    fn is_icmpv6_error(&self, no: SkbNo, at: u32) -> bool {
        let next = self.bytes(no, at + 6, 1).first() == Some(&ipv6::NEXTHDR_ICMP);
        let kind = self.bytes(no, at + ipv6::HLEN, 1).first().copied();
        next && kind.is_none_or(|kind| kind & icmpv6::INFOMSG_MASK == 0)
    }

    /// `icmpv6_push_pending_frames()`: checksum, IPv6 header, out. Without a route or source nothing is said.
    fn icmpv6_push(
        &mut self,
        netns: NetnsId,
        saddr: Option<Ipv6Addr>,
        daddr: Ipv6Addr,
        tclass: u8,
        message: &mut [u8],
    ) -> Run<bool> {
        let route = match self.topology.lookup6(netns, daddr) {
            Lookup6::Unicast(route) => route,
            Lookup6::Refused(_) | Lookup6::NoRoute => return Ok(false),
            Lookup6::Local => self.loopback_route6(netns, daddr)?,
        };
        let own = self.topology.is_local6(netns, daddr).then_some(daddr);
        let saddr = saddr
            .or(own)
            .or_else(|| self.topology.source6(netns, route.dev, daddr));
        let Some(saddr) = saddr else { return Ok(false) };
        set_icmpv6_checksum(message, saddr, daddr);
        let reply = Datagram6 {
            saddr,
            daddr,
            protocol: ipv6::NEXTHDR_ICMP,
            tclass,
            hop_limit: DEFAULT_HOP_LIMIT,
            payload: message,
            writer: "icmpv6_push_pending_frames",
        };
        let reply = self.ip6_make_skb(route, &reply)?;
        self.ip6_send_skb(reply)?;
        Ok(true)
    }

    /// The way to an address of this host: `lo`.
    fn loopback_route6(&mut self, netns: NetnsId, addr: Ipv6Addr) -> Run<Route6> {
        Ok(Route6 {
            dst: Ipv6Net { addr, prefix: 128 },
            via: None,
            dev: self.loopback_dev(netns)?,
            encap: None,
        })
    }

    /// `ping -6 -c1 ADDR`: one echo request from a raw socket (`rawv6_sendmsg()`, `net/ipv6/raw.c`). What is too long for
    /// `-M do` is not sent.
    pub(super) fn ping6(
        &mut self,
        netns: NetnsId,
        daddr: Ipv6Addr,
        sequence: u16,
        parms: &PingParms,
    ) -> Result<(), Cause> {
        let route = match self.topology.lookup6(netns, daddr) {
            Lookup6::Unicast(route) => route,
            Lookup6::Local => self.loopback_route6(netns, daddr)?,
            Lookup6::Refused(_) | Lookup6::NoRoute => {
                let netns = self.topology.netns[netns.0].display_name();
                let dst = daddr.into();
                return Err(
                    crate::scenario::topology::TopologyError::NoRoute { dst, netns }.into(),
                );
            }
        };
        let own = self.topology.is_local6(netns, daddr).then_some(daddr);
        let Some(saddr) = own.or_else(|| self.topology.source6(netns, route.dev, daddr)) else {
            return Ok(not_covered("ping: this host has no IPv6 address")?);
        };
        let mut message = ping_message(icmpv6::ECHO_REQUEST, sequence, parms.size);
        let mtu = self.topology.dev(route.dev).mtu;
        let len = ipv6::HLEN as usize + message.len();
        if parms.pmtudisc.df(len, mtu).is_none() {
            return Err(too_long(len, mtu));
        }
        set_icmpv6_checksum(&mut message, saddr, daddr);
        let request = Datagram6 {
            saddr,
            daddr,
            protocol: ipv6::NEXTHDR_ICMP,
            tclass: parms.tos,
            hop_limit: parms.ttl.unwrap_or(DEFAULT_HOP_LIMIT),
            payload: &message,
            writer: "rawv6_sendmsg",
        };
        let request = self.ip6_make_skb(route, &request)?;
        self.ip6_send_skb(request)?;
        Ok(())
    }
}

/// Fills in the ICMPv6 checksum, which covers a pseudo header (RFC 4443, section 2.3).
fn set_icmpv6_checksum(message: &mut [u8], saddr: Ipv6Addr, daddr: Ipv6Addr) {
    let len = message.len() as u32;
    let pseudo = checksum::pseudo6(saddr.octets(), daddr.octets(), ipv6::NEXTHDR_ICMP, len);
    set_checksum(message, pseudo);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 2001:db8::1 twice sums to 2·(2001 + 0db8 + 1) = 5b74; length 8; next header 003a; the message
    /// 8000 0000 0007 0001. 5b74 + 8 + 3a + 8000 + 7 + 1 = dbbe, inverted 2441.
    #[test]
    fn checksum_by_hand() {
        let addr: Ipv6Addr = "2001:db8::1".parse().unwrap();
        let mut message = vec![128, 0, 0, 0, 0, 7, 0, 1];
        set_icmpv6_checksum(&mut message, addr, addr);
        assert_eq!(message[2..4], [0x24, 0x41]);
    }
}
