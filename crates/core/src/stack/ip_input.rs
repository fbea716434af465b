//! `net/ipv4/ip_input.c`.

use std::net::Ipv4Addr;

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::ip_forward::Input;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{checksum, icmp, ipv4, ipv6, l2tp, mpls};
use crate::scenario::netfilter::NfHook;
use crate::skb::{PacketType, SkbList};
use crate::trace::SkbNo;

const FILE: &str = "net/ipv4/ip_input.c";
/// `IP_MF | IP_OFFSET`.
const FRAGMENT: u16 = 0x3fff;

impl Kernel {
    /// `ip_rcv()`: one packet from the backlog.
    pub(super) fn ip_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip_rcv", FILE, no, |k| {
            if k.ip_rcv_core(no)?.is_none() {
                return Ok(NET_RX_DROP);
            }
            let dev = k.skb(no).dev;
            let passed = k.nf_hook(no, NfState::ipv4(NfHook::PreRouting, dev, None))?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip_rcv_finish", FILE, no, |k| {
                let input = k.ip_rcv_finish_core(no)?;
                k.dst_input(no, input)
            })
        })
    }

    /// `ip_list_rcv()`: packets from NAPI, device by device.
    pub(super) fn ip_list_rcv(&mut self, list: &[SkbNo]) -> Run<()> {
        let mut sublist = SkbList::new();
        let mut current = None;
        for &no in list {
            let dev = self.skb(no).dev;
            if self.ip_rcv_core(no)?.is_none() {
                continue;
            }
            if current != dev {
                self.ip_sublist_rcv(&sublist)?;
                sublist.clear();
                current = dev;
            }
            sublist.push(no);
        }
        self.ip_sublist_rcv(&sublist)
    }

    /// `ip_sublist_rcv()`: netfilter sees all of them before the first goes on (`NF_HOOK_LIST()`).
    fn ip_sublist_rcv(&mut self, list: &[SkbNo]) -> Run<()> {
        let mut passed = SkbList::new();
        for &no in list {
            let dev = self.skb(no).dev;
            let state = NfState::ipv4(NfHook::PreRouting, dev, None);
            if self.nf_hook(no, state)? == NF_ACCEPTED {
                passed.push(no);
            }
        }
        self.ip_list_rcv_finish(&passed)
    }

    /// `ip_list_rcv_finish()`: packets in a row with the same route go on together. A route
    /// that says no is never the same as another one.
    fn ip_list_rcv_finish(&mut self, list: &[SkbNo]) -> Run<()> {
        let mut sublist = SkbList::new();
        let mut current: Option<(Input, Ipv4Addr)> = None;
        for &no in list {
            let input = self.ip_rcv_finish_core(no)?;
            if matches!(input, Input::Martian(_)) {
                continue;
            }
            let route = Some((input, self.ip_hdr_addr(no, 16)));
            if current != route || matches!(input, Input::Error(_)) {
                self.ip_sublist_rcv_finish(&sublist, current)?;
                sublist.clear();
                current = route;
            }
            sublist.push(no);
        }
        self.ip_sublist_rcv_finish(&sublist, current)
    }

    /// `ip_sublist_rcv_finish()`: packets with the same route.
    fn ip_sublist_rcv_finish(
        &mut self,
        list: &[SkbNo],
        route: Option<(Input, Ipv4Addr)>,
    ) -> Run<()> {
        let Some((input, _)) = route else {
            return Ok(());
        };
        for &no in list {
            self.dst_input(no, input)?;
        }
        Ok(())
    }

    /// `ip_rcv_core()`: is it an IPv4 packet, is it whole, where is its transport header.
    fn ip_rcv_core(&mut self, no: SkbNo) -> Run<Option<SkbNo>> {
        self.traced("ip_rcv_core", FILE, no, |k| {
            if k.skb(no).pkt_type != PacketType::OtherHost && k.pskb_may_pull(no, ipv4::HLEN)? {
                let first = k.bytes(no, k.skb(no).data, 1).first().copied();
                k.pskb_may_pull(no, u32::from(first.unwrap_or(0) & 0x0f) * 4)?;
            }
            let skb = k.skb(no);
            let header = k.bytes(no, skb.data, skb.headlen());
            let len = match valid_length(header, skb.len) {
                _ if skb.pkt_type == PacketType::OtherHost => Err(drop_reason::OTHERHOST),
                length => length,
            };
            let len = match len {
                Ok(len) => len,
                Err(reason) => {
                    k.kfree_skb(no, reason)?;
                    return Ok(None);
                }
            };
            let ihl = u16::from(header[0] & 0x0f) * 4;
            // pskb_trim_rcsum(): padding of the link layer goes away
            k.pskb_trim_rcsum(no, len)?;
            let skb = k.skb_mut(no);
            skb.transport_header = skb.network_header.wrapping_add(ihl);
            skb.forwarded = false;
            Ok(Some(no))
        })
    }

    /// `ip_rcv_finish_core()`: the routing decision.
    fn ip_rcv_finish_core(&mut self, no: SkbNo) -> Run<Input> {
        let mut input = Input::Discard;
        self.traced("ip_rcv_finish_core", FILE, no, |k| {
            let Some(dev) = k.skb(no).dev else {
                return not_covered("ip_rcv_finish_core of a packet without device");
            };
            input = k.ip_route_input(no, dev)?;
            if let Input::Martian(reason) = input {
                k.kfree_skb(no, reason)?;
                return Ok(NET_RX_DROP);
            }
            Ok(NET_RX_SUCCESS)
        })?;
        Ok(input)
    }

    /// `ip_local_deliver()`.
    pub(super) fn ip_local_deliver(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip_local_deliver", FILE, no, |k| {
            let at = u32::from(k.skb(no).network_header);
            let fragment = be16(k.bytes(no, at + 6, 2), 0) & FRAGMENT != 0;
            if fragment && !k.ip_defrag(no)? {
                return Ok(0);
            }
            let dev = k.skb(no).dev;
            let passed = k.nf_hook(no, NfState::ipv4(NfHook::LocalIn, dev, None))?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.ip_local_deliver_finish(no)
        })
    }

    /// `ip_local_deliver_finish()`: past the IP header.
    fn ip_local_deliver_finish(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip_local_deliver_finish", FILE, no, |k| {
            let skb = k.skb_mut(no);
            skb.pull(u32::from(
                skb.transport_header.wrapping_sub(skb.network_header),
            ))?;
            k.ip_protocol_deliver_rcu(no)?;
            Ok(0)
        })
    }

    /// `ip_protocol_deliver_rcu()`: to the protocol's handler.
    fn ip_protocol_deliver_rcu(&mut self, no: SkbNo) -> Run<()> {
        self.traced("ip_protocol_deliver_rcu", FILE, no, |k| {
            let at = u32::from(k.skb(no).network_header);
            let Some(mut protocol) = k.bytes(no, at + 9, 1).first().copied() else {
                return not_covered("ip_protocol_deliver_rcu: a packet without IP header");
            };
            // an answer below 0 is the number of another protocol (`resubmit`)
            while let Ok(next @ 1..) = u8::try_from(-k.deliver_to(no, protocol)?) {
                protocol = next;
            }
            Ok(())
        })
    }

    /// Once through `ip_protocol_deliver_rcu()`: what the handler of a protocol answers.
    fn deliver_to(&mut self, no: SkbNo, protocol: u8) -> Run<i64> {
        let k = self;
        let raw = k.raw_local_deliver(no, protocol)?;
        match protocol {
            ipv4::PROTO_UDP => return k.udp_rcv(no),
            ipv4::PROTO_ICMP => k.icmp_rcv(no).map(drop)?,
            ipv4::PROTO_GRE => k.gre_rcv(no).map(drop)?,
            ipv4::PROTO_IPIP => k.tunnel4_rcv(no).map(drop)?,
            ipv6::NEXTHDR_IPV6 => k.tunnel64_rcv(no).map(drop)?,
            mpls::PROTO_MPLS => k.tunnelmpls4_rcv(no).map(drop)?,
            l2tp::PROTO_L2TP => k.l2tp_ip_recv(no).map(drop)?,
            ipv4::PROTO_TCP => k.tcp_v4_rcv(no).map(drop)?,
            // igmp_rcv(), which the recorded kernels have
            ipv4::PROTO_IGMP => return not_covered("ip_protocol_deliver_rcu: IGMP"),
            _ if raw => k.consume_skb(no)?,
            _ => {
                k.icmp_send(no, icmp::DEST_UNREACH, icmp::PROT_UNREACH)?;
                k.kfree_skb(no, drop_reason::IP_NOPROTO)?;
            }
        }
        Ok(0)
    }

    /// `saddr` and `daddr` of the IP header.
    pub(super) fn ip_hdr_addrs(&self, no: SkbNo) -> (Ipv4Addr, Ipv4Addr) {
        let both = self.bytes(no, u32::from(self.skb(no).network_header) + 12, 8);
        (be32(both, 0).into(), be32(both, 4).into())
    }

    /// An address of the IP header: 12 is `saddr`, 16 is `daddr`.
    pub(super) fn ip_hdr_addr(&self, no: SkbNo, field: u32) -> Ipv4Addr {
        let at = u32::from(self.skb(no).network_header) + field;
        Ipv4Addr::from(be32(self.bytes(no, at, 4), 0))
    }
}

/// `tot_len` of a header that `ip_rcv_core()` accepts, given the packet from the header on; else the drop reason.
fn valid_length(packet: &[u8], skb_len: u32) -> Result<u32, u32> {
    let first = packet.first().copied().unwrap_or(0);
    let ihl = usize::from(first & 0x0f) * 4;
    let Some(header) = packet.get(..ihl) else {
        return Err(drop_reason::IP_INHDR);
    };
    if first >> 4 != 4 || ihl < ipv4::HLEN as usize {
        return Err(drop_reason::IP_INHDR);
    }
    if checksum::internet(header) != 0 {
        return Err(drop_reason::IP_CSUM);
    }
    let len = u32::from(be16(packet, 2));
    if len > skb_len {
        Err(drop_reason::PKT_TOO_SMALL)
    } else if (len as usize) < ihl {
        Err(drop_reason::IP_INHDR)
    } else {
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The IPv4 header of the echo request in golden E1 (checksum 0x44a5), with 32 bytes behind it.
    fn echo() -> Vec<u8> {
        let mut packet = vec![
            0x45, 0x00, 0x00, 0x34, 0x22, 0x22, 0x00, 0x00, 0x40, 0x01, 0x44, 0xa5, 0x0a, 0x00,
            0x00, 0x02, 0x0a, 0x00, 0x00, 0x01,
        ];
        packet.resize(52, 0);
        packet
    }

    fn valid(packet: &[u8]) -> Result<u32, u32> {
        valid_length(packet, packet.len() as u32)
    }

    #[test]
    fn a_whole_header_gives_its_length() {
        assert_eq!(valid(&echo()), Ok(52));
    }

    #[test]
    fn what_is_refused() {
        let mut bad_sum = echo();
        bad_sum[11] ^= 1;
        assert_eq!(valid(&bad_sum), Err(drop_reason::IP_CSUM));
        // golden E8-h_change_tail_shrink-aligned-4b, seq 48: shorter than tot_len
        assert_eq!(valid(&echo()[..51]), Err(drop_reason::PKT_TOO_SMALL));
        let mut v6 = echo();
        v6[0] = 0x65;
        assert_eq!(valid(&v6), Err(drop_reason::IP_INHDR));
        assert_eq!(valid(&[]), Err(drop_reason::IP_INHDR));
    }
}
