//! `net/ipv4/icmp.c`: an echo request is answered; and `ping` sends one.

use std::net::Ipv4Addr;

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::execute::Cause;
use super::ip_output::Datagram;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, icmp, ipv4};
use crate::scenario::command::{Ipv4Net, PingParms};
use crate::scenario::topology::{Lookup, NetnsId, Route};
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv4/icmp.c";
/// `net.ipv4.ip_default_ttl`.
const DEFAULT_TTL: u8 = 64;
/// Bytes of `ping`'s data that hold the time (`struct timeval`); zero here, as the clock is virtual.
const PING_TIME_LEN: usize = 16;
/// Identifier of the simulated `ping`; the real one is chosen by the kernel or the process id.
const PING_ID: u16 = 1;

impl Kernel {
    /// `icmp_rcv()`.
    pub(super) fn icmp_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("icmp_rcv", FILE, no, |k| {
            if !k.skb_checksum_simple_validate(no) {
                k.kfree_skb(no, drop_reason::ICMP_CSUM)?;
                return Ok(NET_RX_DROP);
            }
            if !k.pskb_pull(no, icmp::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(NET_RX_DROP);
            }
            if k.is_to_many(no) {
                // net.ipv4.icmp_echo_ignore_broadcasts is on; errors to many are refused as well
                k.kfree_skb(no, drop_reason::INVALID_PROTO)?;
                return Ok(NET_RX_DROP);
            }
            let header = u32::from(k.skb(no).transport_header);
            match k.bytes(no, header, 1).first() {
                Some(&icmp::ECHO) => {
                    k.icmp_echo(no)?;
                    k.consume_skb(no)?;
                    Ok(NET_RX_SUCCESS)
                }
                Some(&icmp::ECHO_REPLY) => k.ping_rcv(no),
                Some(kind) => {
                    let kind = *kind;
                    k.icmp_other(no, kind)
                }
                None => not_covered("icmp_rcv: a message without a type"),
            }
        })
    }

    /// `RTCF_BROADCAST | RTCF_MULTICAST` of the packet's route.
    pub(super) fn is_to_many(&self, no: SkbNo) -> bool {
        let daddr = self.ip_hdr_addr(no, 16);
        let netns = self.skb(no).dev.map(|dev| self.topology.dev(dev).netns);
        netns.is_some_and(|netns| self.topology.is_to_many(netns, daddr))
    }

    /// The rest of `icmp_pointers`: errors go to the protocol of the packet they quote (`icmp_unreach()`), where only
    /// a tunnel listens; questions and answers that nobody asks any more are discarded.
    fn icmp_other(&mut self, no: SkbNo, kind: u8) -> Run<i64> {
        let refused = match kind {
            icmp::DEST_UNREACH
            | icmp::SOURCE_QUENCH
            | icmp::TIME_EXCEEDED
            | icmp::PARAMETER_PROBLEM => {
                let refused = self.icmp_unreach(no);
                if refused.is_none() {
                    let code = u32::from(self.skb(no).transport_header) + 1;
                    let code = self.bytes(no, code, 1).first().copied().unwrap_or(0);
                    self.icmp_socket_deliver(no, kind, code)?;
                }
                refused
            }
            icmp::REDIRECT | icmp::TIMESTAMP => {
                return not_covered(format!("icmp_rcv: type {kind}"));
            }
            0..=icmp::HIGHEST => None,
            _ => Some(drop_reason::UNHANDLED_PROTO),
        };
        match refused {
            Some(reason) => {
                self.kfree_skb(no, reason)?;
                Ok(NET_RX_DROP)
            }
            None => {
                self.consume_skb(no)?;
                Ok(NET_RX_SUCCESS)
            }
        }
    }

    /// `icmp_unreach()`: the quoted IP header must be whole.
    fn icmp_unreach(&self, no: SkbNo) -> Option<u32> {
        let skb = self.skb(no);
        if skb.len < ipv4::HLEN {
            return Some(drop_reason::NOT_SPECIFIED);
        }
        let first = self.packet(no, 0, 1).first().copied().unwrap_or(0);
        (u32::from(first & 0x0f) * 4 < ipv4::HLEN).then_some(drop_reason::IP_INHDR)
    }

    /// `ping_rcv()` (`net/ipv4/ping.c`): no ICMP socket waits for the reply. (The raw socket of a
    /// running `ping` gets a clone before; that clone is not simulated.)
    fn ping_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.skb_mut(no).push(icmp::HLEN)?;
        self.kfree_skb(no, drop_reason::NO_SOCKET)?;
        Ok(NET_RX_DROP)
    }

    /// `icmp_echo()`: answers unless `net.ipv4.icmp_echo_ignore_all` is set.
    fn icmp_echo(&mut self, no: SkbNo) -> Run<()> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("icmp_echo of a packet without device");
        };
        if self
            .topology
            .netns_of(dev)
            .flag("net.ipv4.icmp_echo_ignore_all")
        {
            return Ok(());
        }
        let netns = self.topology.dev(dev).netns;
        self.traced("icmp_reply", FILE, no, |k| {
            k.local_bh(|k| k.icmp_reply(no, netns))
        })
    }

    /// `icmp_reply()`: back to the sender, from the address that was asked.
    fn icmp_reply(&mut self, no: SkbNo, netns: NetnsId) -> Run<()> {
        let skb = self.skb(no);
        let header = u32::from(skb.transport_header);
        let mut message = self.bytes_from_head(no, header, icmp::HLEN + skb.len);
        let tos = self
            .bytes(no, u32::from(skb.network_header) + 1, 1)
            .first()
            .copied()
            .unwrap_or(0);
        let (asker, asked) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
        if let Some(kind) = message.first_mut() {
            *kind = icmp::ECHO_REPLY;
        }
        self.icmp_push_reply(netns, asked, asker, tos, &mut message)
    }

    /// `icmp_send()`: tells the sender of a packet that it was of no use.
    pub(super) fn icmp_send(&mut self, no: SkbNo, kind: u8, code: u8) -> Run<()> {
        self.icmp_send_info(no, kind, code, 0)
    }

    /// `icmp_send()` with the message's second word: the MTU of *fragmentation needed*, for one.
    pub(super) fn icmp_send_info(&mut self, no: SkbNo, kind: u8, code: u8, info: u32) -> Run<()> {
        self.traced("__icmp_send", FILE, no, |k| {
            k.local_bh(|k| k.icmp_error(no, kind, code, info))
        })
    }

    /// The error message holds the packet from its IP header on, 576 bytes of IP packet at most (RFC 1812, 4.3.2.3).
    fn icmp_error(&mut self, no: SkbNo, kind: u8, code: u8, info: u32) -> Run<()> {
        const LARGEST: u32 = 576;
        const IPTOS_RT_MASK: u8 = 0x1c;
        const IPTOS_PREC_INTERNETCONTROL: u8 = 0xc0;
        let skb = self.skb(no);
        let Some(dev) = skb.dev else {
            return not_covered("icmp_send of a packet without device");
        };
        if !self.may_be_told(no) {
            return Ok(());
        }
        let skb = self.skb(no);
        let netns = self.topology.dev(dev).netns;
        let at = u32::from(skb.network_header);
        let room = LARGEST - ipv4::HLEN - icmp::HLEN;
        let quoted = (skb.len + skb.data - at).min(room);
        let tos = self.bytes(no, at + 1, 1).first().copied().unwrap_or(0);
        let (saddr, daddr) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
        // from the address that was asked, else from the way out's
        let from = if self.topology.is_local(netns, daddr) {
            Some(daddr)
        } else if self.topology.is_local(netns, saddr) {
            Some(saddr)
        } else {
            self.topology.route(netns, saddr).ok().and_then(|r| r.src)
        };
        let Some(from) = from else {
            return Ok(());
        };
        if !self.icmpv4_xrlim_allow(netns, saddr.into(), kind, code) {
            return Ok(());
        }
        let mut message = vec![kind, code, 0, 0];
        message.extend(info.to_be_bytes());
        message.extend(self.bytes_from_head(no, at, quoted));
        let tos = (tos & IPTOS_RT_MASK) | IPTOS_PREC_INTERNETCONTROL;
        self.icmp_push_reply(netns, from, saddr, tos, &mut message)
    }

    /// Whether `__icmp_send()` says an error about a packet at all: not about one for many, nor about a later fragment,
    /// nor about an ICMP error (`icmp_pointers[].error`; an unknown type is taken for one).
    fn may_be_told(&self, no: SkbNo) -> bool {
        const OFFSET: u16 = 0x1fff;
        let skb = self.skb(no);
        let at = u32::from(skb.network_header);
        let header = self.bytes_from_head(no, at, ipv4::HLEN);
        let (Some(&first), Some(&protocol)) = (header.first(), header.get(9)) else {
            return false;
        };
        if skb.pkt_type != PacketType::Host || self.is_to_many(no) || be16(&header, 6) & OFFSET != 0
        {
            return false;
        }
        let inner = self.bytes_from_head(no, at + u32::from(first & 0xf) * 4, 1);
        protocol != ipv4::PROTO_ICMP
            || matches!(
                inner.first(),
                Some(&(icmp::ECHO_REPLY | icmp::ECHO | icmp::TIMESTAMP..=icmp::HIGHEST))
            )
    }

    /// `icmp_push_reply()`: checksum, IP header, out. Without a route nothing is said.
    fn icmp_push_reply(
        &mut self,
        netns: NetnsId,
        saddr: Ipv4Addr,
        daddr: Ipv4Addr,
        tos: u8,
        message: &mut [u8],
    ) -> Run<()> {
        set_checksum(message, 0);
        let route = match self.topology.lookup(netns, daddr) {
            Lookup::Unicast(route) => route,
            Lookup::Refused(_) | Lookup::NoRoute => return Ok(()),
            Lookup::Local => self.loopback_route(netns, daddr)?,
        };
        let reply = Datagram {
            saddr,
            daddr,
            protocol: ipv4::PROTO_ICMP,
            tos,
            ttl: DEFAULT_TTL,
            df: false,
            no_id: false,
            payload: message,
            writer: "icmp_push_reply",
        };
        let reply = self.ip_make_skb(route, &reply)?;
        self.ip_send_skb(reply)?;
        Ok(())
    }

    /// `__mkroute_output()` to an address of this host: by `lo`, from the same address.
    fn loopback_route(&mut self, netns: NetnsId, addr: Ipv4Addr) -> Run<Route> {
        Ok(Route {
            dst: Ipv4Net { addr, prefix: 32 },
            via: None,
            dev: self.loopback_dev(netns)?,
            src: Some(addr),
            encap: None,
        })
    }

    /// `ping -c1 ADDR`: one echo request from a raw socket (`raw_sendmsg()`, `net/ipv4/raw.c`). What is too long for `-M do`
    /// is not sent.
    pub(super) fn ping(
        &mut self,
        netns: NetnsId,
        daddr: Ipv4Addr,
        sequence: u16,
        parms: &PingParms,
    ) -> Result<(), Cause> {
        let route = if self.topology.is_local(netns, daddr) {
            self.loopback_route(netns, daddr)?
        } else {
            self.topology.route(netns, daddr)?
        };
        let Some(saddr) = route.src else {
            return Ok(not_covered("ping: the output device has no address")?);
        };
        let mut message = echo_request(sequence, parms.size);
        // a recorded one of another length is not this command's
        if self.pings.front().map(Vec::len) == Some(message.len()) {
            message = self.pings.pop_front().unwrap_or(message);
        }
        let mtu = self.ipv4_mtu(&route, daddr, false);
        let len = ipv4::HLEN as usize + message.len();
        let Some(df) = parms.pmtudisc.df(len, mtu) else {
            return Err(too_long(len, mtu));
        };
        let request = Datagram {
            saddr,
            daddr,
            protocol: ipv4::PROTO_ICMP,
            tos: parms.tos,
            ttl: parms.ttl.unwrap_or(DEFAULT_TTL),
            df,
            no_id: false,
            payload: &message,
            writer: "raw_sendmsg",
        };
        let request = self.ip_make_skb(route, &request)?;
        self.ping_listens(netns);
        self.ip_send_skb(request)?;
        Ok(self.ping_reads()?)
    }
}

/// What `ping` says of a packet that it is not to fragment.
pub(super) fn too_long(len: usize, mtu: u32) -> Cause {
    Cause::Refused(format!(
        "ping -M do: a packet of {len} bytes is not sent, as the MTU is {mtu} (EMSGSIZE)"
    ))
}

/// An echo request as `ping` makes it, with `size` bytes: 16 of time, then bytes that count up from 0x10. Where there is no
/// room for the time the bytes count up from 0.
fn echo_request(sequence: u16, size: u16) -> Vec<u8> {
    let mut message = ping_message(icmp::ECHO, sequence, size);
    set_checksum(&mut message, 0);
    message
}

/// The same without checksum, for ICMP and ICMPv6.
pub(super) fn ping_message(kind: u8, sequence: u16, size: u16) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0];
    message.extend(PING_ID.to_be_bytes());
    message.extend(sequence.to_be_bytes());
    let timed = usize::from(size) >= PING_TIME_LEN;
    let byte = |i: usize| match timed && i < PING_TIME_LEN {
        true => 0,
        false => i as u8,
    };
    message.extend((0..usize::from(size)).map(byte));
    message
}

/// Fills in the ICMP checksum; ICMPv6 has a pseudo header to begin with.
pub(super) fn set_checksum(message: &mut [u8], pseudo: u16) {
    if let Some(field) = message.get_mut(2..4) {
        field.fill(0);
    }
    let check = (!checksum::sum(message, pseudo)).to_be_bytes();
    if let Some(field) = message.get_mut(2..4) {
        field.copy_from_slice(&check);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// golden E1: `0800 dbd6 0707 0001 6162…78` (24 bytes of data) has the checksum 0xdbd6.
    #[test]
    fn checksum_of_a_recorded_echo_request() {
        let mut message = vec![8, 0, 0, 0, 7, 7, 0, 1];
        message.extend(b'a'..=b'x');
        set_checksum(&mut message, 0);
        assert_eq!(message[2..4], [0xdb, 0xd6]);
    }

    /// The mail: `56(84) bytes of data`.
    #[test]
    fn ping_sends_56_bytes_behind_the_icmp_header() {
        let request = echo_request(1, PingParms::default().size);
        assert_eq!(request.len(), 8 + 56);
        assert_eq!(checksum::internet(&request), 0);
        assert_eq!((request[8 + 15], request[8 + 16]), (0, 0x10));
        // without room for the time
        assert_eq!(echo_request(1, 3)[8..], [0, 1, 2]);
    }
}
