//! `net/ipv6/ip6_input.c` and the extension headers of `net/ipv6/exthdrs.c`.

use std::net::Ipv6Addr;

use smallvec::SmallVec;

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::ioam6::ioam_options;
use super::ip6_forward::Input6;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{addr6, be16};
use crate::net::{icmpv6, ipv4, ipv6, l2tp};
use crate::scenario::netfilter::NfHook;
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/ip6_input.c";
const EXTHDRS: &str = "net/ipv6/exthdrs.c";
/// Where `nexthdr` is in the IPv6 header (`IP6CB(skb)->nhoff`), bytes.
const NHOFF: u32 = 6;
/// `IP6_MAX_EXT_HDRS_CNT`: the most extension headers that are looked through.
const MAX_EXT_HDRS: u32 = 12;
/// `max_dst_opts_cnt` and `max_hbh_opts_cnt` of `net.ipv6`.
const MAX_OPTS: u32 = 8;

/// What an extension header says about the packet.
pub(super) enum Ext {
    /// The next header is at this offset from the network header (`IP6CB(skb)->nhoff`).
    Next(u32),
    /// The packet is gone.
    Gone,
}

impl Kernel {
    /// `ipv6_rcv()`: one packet from the backlog.
    pub(super) fn ipv6_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ipv6_rcv", FILE, no, |k| {
            let Some(nhoff) = k.ip6_rcv_core(no)? else {
                return Ok(NET_RX_DROP);
            };
            let dev = k.skb(no).dev;
            let passed = k.nf_hook(no, NfState::ipv6(NfHook::PreRouting, dev, None))?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.ip6_rcv_finish(no, nhoff)
        })
    }

    /// `ipv6_list_rcv()`: packets from NAPI. All are looked at before the first goes on.
    pub(super) fn ipv6_list_rcv(&mut self, list: &[SkbNo]) -> Run<()> {
        let mut accepted = SmallVec::<[_; 8]>::new();
        for &no in list {
            accepted.extend(self.ip6_rcv_core(no)?.map(|nhoff| (no, nhoff)));
        }
        // ip6_sublist_rcv(): NF_HOOK_LIST()
        let mut passed = SmallVec::<[_; 8]>::new();
        for (no, nhoff) in accepted {
            let dev = self.skb(no).dev;
            let state = NfState::ipv6(NfHook::PreRouting, dev, None);
            if self.nf_hook(no, state)? == NF_ACCEPTED {
                passed.push((no, nhoff));
            }
        }
        for (no, nhoff) in passed {
            let input = self.ip6_route_input(no)?;
            self.dst_input6(no, input, nhoff)?;
        }
        Ok(())
    }

    /// `ip6_rcv_core()`: is it an IPv6 packet, is it whole, has it hop-by-hop options. Gives where the number
    /// of the next header is, from the network header.
    fn ip6_rcv_core(&mut self, no: SkbNo) -> Run<Option<u32>> {
        let mut nhoff = None;
        self.traced("ip6_rcv_core", FILE, no, |k| {
            let skb = k.skb(no);
            let Some(dev) = skb.dev else {
                return not_covered("ip6_rcv_core of a packet without device");
            };
            k.pskb_may_pull(no, ipv6::HLEN)?;
            let skb = k.skb(no);
            let header = k
                .bytes(no, skb.data, skb.headlen().min(ipv6::HLEN))
                .to_vec();
            let length = match valid_length(&header, skb.len) {
                _ if skb.pkt_type == PacketType::OtherHost => Err(drop_reason::OTHERHOST),
                _ if !k.topology.ipv6_enabled(dev) => Err(drop_reason::IPV6DISABLED),
                length => length,
            };
            let len = match length {
                Ok(len) => len,
                Err(reason) => {
                    k.kfree_skb(no, reason)?;
                    return Ok(None);
                }
            };
            let skb = k.skb_mut(no);
            skb.transport_header = skb.network_header.wrapping_add(ipv6::HLEN as u16);
            // pskb_trim_rcsum(): padding of the link layer goes away
            k.pskb_trim_rcsum(no, len)?;
            nhoff = Some(NHOFF);
            if header.get(6) == Some(&ipv6::NEXTHDR_HOP) {
                nhoff = match k.ipv6_parse_opts(no, true)? {
                    Ext::Next(nhoff) => Some(nhoff),
                    Ext::Gone => None,
                };
            }
            Ok(nhoff.map(|_| no))
        })?;
        Ok(nhoff)
    }

    /// `ip6_rcv_finish()`: the routing decision, and on.
    fn ip6_rcv_finish(&mut self, no: SkbNo, nhoff: u32) -> Run<i64> {
        self.traced("ip6_rcv_finish", FILE, no, |k| {
            let input = k.ip6_route_input(no)?;
            k.dst_input6(no, input, nhoff)
        })
    }

    /// `dst_input()`: by the routing decision.
    pub(super) fn dst_input6(&mut self, no: SkbNo, input: Input6, nhoff: u32) -> Run<i64> {
        match input {
            Input6::Local => self.ip6_input(no, nhoff),
            Input6::Multicast(joined) => self.ip6_mc_input(no, nhoff, joined),
            Input6::Forward(route) => self.forward_or_tunnel6(no, route),
            Input6::Error { code, reason } => self.ip6_pkt_drop(no, code, reason),
            Input6::Discard => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(0)
            }
        }
    }

    /// `ip6_mc_input()`: this host is no multicast router.
    fn ip6_mc_input(&mut self, no: SkbNo, nhoff: u32, joined: bool) -> Run<i64> {
        self.traced("ip6_mc_input", FILE, no, |k| {
            match joined {
                true => drop(k.ip6_input(no, nhoff)?),
                false => k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?,
            }
            Ok(0)
        })
    }

    /// `ip6_input()` and `ip6_input_finish()`.
    fn ip6_input(&mut self, no: SkbNo, nhoff: u32) -> Run<i64> {
        self.traced("ip6_input", FILE, no, |k| {
            let dev = k.skb(no).dev;
            let passed = k.nf_hook(no, NfState::ipv6(NfHook::LocalIn, dev, None))?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip6_protocol_deliver_rcu", FILE, no, |k| {
                k.ip6_protocol_deliver(no, nhoff)
            })?;
            Ok(NET_RX_SUCCESS)
        })
    }

    /// `ip6_protocol_deliver_rcu()`: through the extension headers to the protocol's handler.
    fn ip6_protocol_deliver(&mut self, no: SkbNo, mut nhoff: u32) -> Run<()> {
        // hop-by-hop options count, and they leave `nhoff` behind the IPv6 header
        let mut count = u32::from(nhoff != NHOFF);
        loop {
            let skb = self.skb(no);
            let offset = u32::from(skb.transport_header).saturating_sub(skb.data);
            let next_at = u32::from(skb.network_header) + nhoff;
            if !self.pskb_pull(no, offset)? {
                return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            }
            let next = self.bytes(no, next_at, 1).first().copied();
            let ext = match next.unwrap_or(ipv6::NEXTHDR_NONE) {
                ipv6::NEXTHDR_DEST => self.ipv6_parse_opts(no, false)?,
                ipv6::NEXTHDR_ROUTING => self.ipv6_rthdr_rcv(no)?,
                ipv6::NEXTHDR_FRAGMENT => self.ipv6_frag_rcv(no, nhoff)?,
                // nodata_protocol
                ipv6::NEXTHDR_NONE => return self.kfree_skb(no, drop_reason::NOT_SPECIFIED),
                l2tp::PROTO_L2TP => return self.l2tp_ip6_recv(no).map(drop),
                protocol => return self.ip6_final_protocol(no, protocol, nhoff),
            };
            match ext {
                Ext::Next(_) if count >= MAX_EXT_HDRS => {
                    return self.kfree_skb(no, drop_reason::IPV6_TOO_MANY_EXTHDRS);
                }
                Ext::Next(at) => nhoff = at,
                Ext::Gone => return Ok(()),
            }
            count += 1;
        }
    }

    /// A protocol behind which no extension header can stand (`INET6_PROTO_FINAL`).
    fn ip6_final_protocol(&mut self, no: SkbNo, protocol: u8, nhoff: u32) -> Run<()> {
        self.postpull_network_header(no);
        match protocol {
            ipv6::NEXTHDR_ICMP => self.icmpv6_rcv(no).map(drop),
            ipv4::PROTO_UDP => self.udpv6_rcv(no).map(drop),
            ipv4::PROTO_TCP => self.tcp_v6_rcv(no).map(drop),
            ipv4::PROTO_GRE => self.gre6_rcv(no).map(drop),
            ipv4::PROTO_IPIP | ipv6::NEXTHDR_IPV6 => self.tunnel6_rcv(no, protocol).map(drop),
            _ => {
                self.icmp6_send(no, icmpv6::PARAMPROB, icmpv6::UNK_NEXTHDR, nhoff)?;
                self.kfree_skb(no, drop_reason::IP_NOPROTO)
            }
        }
    }

    /// `ipv6_parse_hopopts()` and `ipv6_destopt_rcv()`: `transport_header` is at options; past them, unless one
    /// of them is refused.
    fn ipv6_parse_opts(&mut self, no: SkbNo, hop_by_hop: bool) -> Run<Ext> {
        let name = if hop_by_hop {
            "ipv6_parse_hopopts"
        } else {
            "ipv6_destopt_rcv"
        };
        let mut ext = Ext::Gone;
        self.traced(name, EXTHDRS, no, |k| {
            let Some(options) = k.ext_header(no) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(-1);
            };
            match parse_tlv(&options) {
                Tlv::Fine if hop_by_hop => {
                    for at in ioam_options(&options) {
                        if !k.ipv6_hop_ioam(no, at)? {
                            return Ok(-1);
                        }
                    }
                }
                Tlv::Fine => {}
                Tlv::Bad => {
                    k.kfree_skb(no, drop_reason::IP_INHDR)?;
                    return Ok(-1);
                }
                Tlv::Unknown(option) => {
                    return not_covered(format!(
                        "ip6_tlvopt_unknown: option {option} asks for an answer"
                    ));
                }
            }
            ext = k.past_ext_header(no, options.len() as u32);
            Ok(1)
        })?;
        Ok(ext)
    }

    /// `ipv6_rthdr_rcv()`: a routing header that is at its end is passed over; types other than segment routing
    /// are refused before.
    fn ipv6_rthdr_rcv(&mut self, no: SkbNo) -> Run<Ext> {
        const SRCRT_TYPE_3: u8 = 3;
        const SRCRT_TYPE_4: u8 = 4;
        let mut ext = Ext::Gone;
        self.traced("ipv6_rthdr_rcv", EXTHDRS, no, |k| {
            let header = k.ext_header(no);
            let header = header.filter(|_| k.skb(no).pkt_type == PacketType::Host);
            let Some(header) = header else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(-1);
            };
            match (header[2], header[3]) {
                (SRCRT_TYPE_4, _) => {
                    ext = k.ipv6_srh_rcv(no, &header)?;
                    Ok(match ext {
                        Ext::Next(_) => 1,
                        Ext::Gone => -1,
                    })
                }
                (SRCRT_TYPE_3, _) => not_covered("ipv6_rpl_srh_rcv: RPL segment routing"),
                (_, 0) => {
                    ext = k.past_ext_header(no, header.len() as u32);
                    Ok(1)
                }
                _ => {
                    let skb = k.skb(no);
                    let at = skb.transport_header.wrapping_sub(skb.network_header);
                    k.icmp6_send(no, icmpv6::PARAMPROB, icmpv6::HDR_FIELD, u32::from(at) + 2)?;
                    // icmpv6_param_prob() frees the packet itself
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(-1)
                }
            }
        })?;
        Ok(ext)
    }

    /// The extension header at `transport_header`, if the packet holds all of it.
    fn ext_header(&self, no: SkbNo) -> Option<Vec<u8>> {
        let skb = self.skb(no);
        let at = u32::from(skb.transport_header);
        let hdrlen = self.bytes(no, at, 2).get(1).copied()?;
        let len = (u32::from(hdrlen) + 1) * 8;
        let inside = at + len <= skb.tail;
        inside.then(|| self.bytes(no, at, len).to_vec())
    }

    pub(super) fn past_ext_header(&mut self, no: SkbNo, len: u32) -> Ext {
        let skb = self.skb_mut(no);
        let at = skb.transport_header.wrapping_sub(skb.network_header);
        skb.transport_header += len as u16;
        Ext::Next(u32::from(at))
    }

    /// An address of the IPv6 header: 8 is `saddr`, 24 is `daddr`.
    pub(super) fn ipv6_hdr_addr(&self, no: SkbNo, field: u32) -> Ipv6Addr {
        let at = u32::from(self.skb(no).network_header) + field;
        addr6(self.bytes(no, at, 16), 0)
    }

    /// `ipv6_get_dsfield()` of the header at `at`.
    pub(super) fn ipv6_dsfield(&self, no: SkbNo, at: u32) -> u8 {
        ipv6::dsfield(self.bytes(no, at, 2))
    }
}

/// What options say.
#[derive(Debug, PartialEq, Eq)]
enum Tlv {
    Fine,
    Bad,
    /// One that nobody knows and that must not be passed over.
    Unknown(u8),
}

/// `ip6_parse_tlv()`: padding of up to 7 bytes, options that may be skipped when they are unknown.
fn parse_tlv(options: &[u8]) -> Tlv {
    const PAD1: u8 = 0;
    const PADN: u8 = 1;
    const ROUTER_ALERT: u8 = 5;
    let (mut at, mut count, mut padding) = (2, 0, 0);
    while let Some(kind) = options.get(at) {
        if *kind == PAD1 {
            padding += 1;
            at += 1;
            if padding > 7 {
                return Tlv::Bad;
            }
            continue;
        }
        let len = options.get(at + 1).map(|len| usize::from(*len) + 2);
        let Some(option) = len.and_then(|len| options.get(at..at + len)) else {
            return Tlv::Bad;
        };
        if *kind == PADN {
            padding += option.len();
            if padding > 7 || option[2..].iter().any(|byte| *byte != 0) {
                return Tlv::Bad;
            }
        } else {
            count += 1;
            padding = 0;
            if count > MAX_OPTS {
                return Tlv::Bad;
            }
            // RFC 8200, section 4.2: the two highest bits say what to do with an unknown option
            if *kind >> 6 != 0 && *kind != ROUTER_ALERT {
                return Tlv::Unknown(*kind);
            }
        }
        at += option.len();
    }
    Tlv::Fine
}

/// Length of an IPv6 packet that `ip6_rcv_core()` accepts, header included; else the drop reason.
fn valid_length(header: &[u8], skb_len: u32) -> Result<u32, u32> {
    if header.len() < ipv6::HLEN as usize {
        return Err(drop_reason::IP_INHDR);
    }
    if header[0] >> 4 != 6 {
        return Err(drop_reason::UNHANDLED_PROTO);
    }
    let (saddr, daddr) = (addr6(header, 8), addr6(header, 24));
    if saddr.is_loopback() || daddr.is_loopback() || saddr.is_multicast() {
        return Err(drop_reason::IP_INHDR);
    }
    let payload = u32::from(be16(header, 4));
    if payload == 0 && header[6] == ipv6::NEXTHDR_HOP {
        // a jumbogram says its length in an option
        return Ok(skb_len);
    }
    let len = payload + ipv6::HLEN;
    if len > skb_len {
        return Err(drop_reason::PKT_TOO_SMALL);
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(payload: u16) -> Vec<u8> {
        let mut header = vec![0x60, 0, 0, 0];
        header.extend(payload.to_be_bytes());
        header.extend([ipv6::NEXTHDR_ICMP, 64]);
        for last in [2, 1] {
            header.extend([
                0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last,
            ]);
        }
        header
    }

    /// RFC 8200, section 3: `payload_len` does not count the header. 40 + 32 of 76 bytes: 4 are padding.
    #[test]
    fn what_is_accepted_and_refused() {
        assert_eq!(valid_length(&header(32), 76), Ok(72));
        assert_eq!(
            valid_length(&header(32), 71),
            Err(drop_reason::PKT_TOO_SMALL)
        );
        assert_eq!(
            valid_length(&header(32)[..39], 39),
            Err(drop_reason::IP_INHDR)
        );
        let mut v4 = header(32);
        v4[0] = 0x45;
        assert_eq!(valid_length(&v4, 72), Err(drop_reason::UNHANDLED_PROTO));
        let mut loopback = header(32);
        loopback[8..24].copy_from_slice(&Ipv6Addr::LOCALHOST.octets());
        assert_eq!(valid_length(&loopback, 72), Err(drop_reason::IP_INHDR));
    }

    /// RFC 2473, section 4.1.1: the tunnel encapsulation limit is option 4; its two highest bits are 00.
    #[test]
    fn options() {
        assert_eq!(parse_tlv(&[41, 0, 4, 1, 4, 1, 1, 0]), Tlv::Fine);
        assert_eq!(
            parse_tlv(&[41, 0, 1, 4, 0, 0, 0, 1]),
            Tlv::Bad,
            "PadN with a byte"
        );
        assert_eq!(
            parse_tlv(&[41, 0, 4, 9, 0, 0, 0, 0]),
            Tlv::Bad,
            "over the end"
        );
        assert_eq!(parse_tlv(&[41, 0, 0x80, 4, 0, 0, 0, 0]), Tlv::Unknown(0x80));
        assert_eq!(parse_tlv(&[41, 0, 0, 0, 0, 0, 0, 0]), Tlv::Fine, "six Pad1");
        assert_eq!(
            parse_tlv(&[41, 1, 1, 5, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0]),
            Tlv::Bad
        );
    }
}
