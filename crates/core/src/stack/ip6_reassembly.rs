//! Reassembly of IPv6: `net/ipv6/reassembly.c`.

use super::inet_fragment::{Key, Place, Queue, ecn_of};
use super::ip6_input::Ext;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{icmpv6, ipv4, ipv6};
use crate::scenario::topology::DevId;
use crate::skb::NOT_SET;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/reassembly.c";
/// `sizeof(struct frag_hdr)`.
const FRAG_HLEN: u32 = 8;
/// `IP6_MF`.
const MF: u16 = 1;
/// `IPV6_MAXPLEN`.
const MAX_PAYLOAD: u32 = 65_535;
/// `offsetof(struct ipv6hdr, payload_len)`.
const PAYLOAD_LEN: u32 = 4;

impl Kernel {
    /// `ipv6_frag_rcv()`: `data` is at the fragment header. The packet goes on when it is whole; its next header's number
    /// is at the offset that is given, from the network header.
    pub(super) fn ipv6_frag_rcv(&mut self, no: SkbNo, nhoff: u32) -> Run<Ext> {
        let mut next = Ext::Gone;
        self.traced("ipv6_frag_rcv", FILE, no, |k| {
            if !k.pskb_may_pull(no, FRAG_HLEN)? {
                let skb = k.skb(no);
                let at = skb.data.saturating_sub(u32::from(skb.network_header));
                return k.ipv6_frag_refuse(no, icmpv6::HDR_FIELD, at);
            }
            let header = k.packet(no, 0, FRAG_HLEN).to_vec();
            let word = be16(&header, 2);
            let skb = k.skb_mut(no);
            let at = skb.data.saturating_sub(u32::from(skb.network_header));
            if word & (0xfff8 | MF) == 0 {
                // an atomic fragment (RFC 6946)
                skb.transport_header += FRAG_HLEN as u16;
                next = Ext::Next(at);
                return Ok(1);
            }
            if word & 0xfff8 == 0 && k.upper_header_is_cut(no, header[0]) {
                const HDR_INCOMP: u8 = 3;
                return k.ipv6_frag_refuse(no, HDR_INCOMP, 0);
            }
            let network = u32::from(k.skb(no).network_header);
            let payload = u32::from(be16(k.bytes(no, network + PAYLOAD_LEN, 2), 0));
            let offset = u32::from(word & 0xfff8);
            let end = (offset + payload).saturating_sub(at + FRAG_HLEN - ipv6::HLEN);
            if end > MAX_PAYLOAD {
                return k.ipv6_frag_refuse(no, icmpv6::HDR_FIELD, at + 2);
            }
            let more = word & MF != 0;
            if more && end & 7 != 0 {
                return k.ipv6_frag_refuse(no, icmpv6::HDR_FIELD, PAYLOAD_LEN);
            }
            let place = Place {
                offset,
                end,
                more,
                ihl: at + FRAG_HLEN,
                df: false,
                ecn: 1 << (k.ipv6_dsfield(no, network) & 3),
            };
            let Some(queue) = k.ip6_frag_queue(no, be32(&header, 4), &place, nhoff)? else {
                return Ok(-1);
            };
            let (Some(dev), queue) = queue else {
                return not_covered("ip6_frag_reasm of a packet without device");
            };
            let nhoff = queue.nhoffset;
            k.ip6_frag_reasm(no, dev, queue)?;
            next = Ext::Next(nhoff);
            Ok(1)
        })?;
        Ok(next)
    }

    /// `ip6_frag_queue()`. Gives the queue when it is whole, and the device.
    fn ip6_frag_queue(
        &mut self,
        no: SkbNo,
        id: u32,
        place: &Place,
        nhoff: u32,
    ) -> Run<Option<(Option<DevId>, Queue)>> {
        let dev = self.skb(no).dev;
        let Some(here) = dev else {
            return not_covered("ip6_frag_queue of a packet without device");
        };
        let netns = self.topology.dev(here).netns;
        let (saddr, daddr) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        let local = daddr.is_multicast() || daddr.segments()[0] & 0xffc0 == 0xfe80;
        let key = Key::V6(netns, saddr, daddr, id, local.then_some(here));
        if place.offset == 0 {
            let queue = self.frag_queues.entry(key).or_default();
            queue.nhoffset = nhoff;
        }
        let queue = self.inet_frag_queue(no, key, place)?;
        Ok(queue.map(|queue| (dev, queue)))
    }

    /// `icmpv6_param_prob()`: the sender is told, and the packet is gone.
    fn ipv6_frag_refuse(&mut self, no: SkbNo, code: u8, pointer: u32) -> Run<i64> {
        self.icmp6_send(no, icmpv6::PARAMPROB, code, pointer)?;
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
        Ok(-1)
    }

    /// `ipv6frag_thdr_truncated()`: the first fragment must hold the header of the protocol (RFC 8200, 4.5).
    fn upper_header_is_cut(&self, no: SkbNo, protocol: u8) -> bool {
        let least = match protocol {
            ipv4::PROTO_TCP => 20,
            ipv4::PROTO_UDP | ipv6::NEXTHDR_ICMP => 8,
            _ => 1,
        };
        FRAG_HLEN + least > self.skb(no).len
    }

    /// `ip6_frag_reasm()`: the fragment header goes, by moving everything from `head` on up to it 8 bytes up. Metadata in
    /// front of the MAC header move with it; a place that is recorded elsewhere does not follow.
    fn ip6_frag_reasm(&mut self, no: SkbNo, dev: DevId, queue: Queue) -> Run<()> {
        self.traced("ip6_frag_reasm", FILE, no, |k| {
            let mut parts: Vec<SkbNo> = queue.parts.iter().map(|part| part.2).collect();
            k.inet_frag_reasm_prepare(no, &mut parts)?;
            let skb = k.skb(no);
            let (head, data, network) = (skb.head, skb.data, u32::from(skb.network_header));
            let headers = data.saturating_sub(network + ipv6::HLEN + FRAG_HLEN);
            let payload = headers + queue.len;
            if payload > MAX_PAYLOAD {
                return not_covered("ip6_frag_reasm: a packet of more than 65535 bytes");
            }
            let next = k.bytes(no, u32::from(skb.transport_header), 1).to_vec();
            k.buffers.patch(head, network + queue.nhoffset, &next);
            k.buffers
                .memmove(head, 0, FRAG_HLEN, data.saturating_sub(FRAG_HLEN));
            if let Some(left) = k.judge.expected(head) {
                k.judge.moved_metadata(head, left.offset, FRAG_HLEN as i32);
            }
            let skb = k.skb_mut(no);
            if skb.mac_header != NOT_SET {
                skb.mac_header += FRAG_HLEN as u16;
            }
            skb.network_header += FRAG_HLEN as u16;
            skb.reset_transport_header();
            k.inet_frag_reasm_finish(no, &parts)?;
            k.skb_mut(no).dev = Some(dev);
            let at = network + FRAG_HLEN;
            let length = (payload as u16).to_be_bytes();
            k.buffers.patch(head, at + PAYLOAD_LEN, &length);
            // ipv6_change_dsfield()
            let ecn = ecn_of(queue.ecn).unwrap_or(0);
            let second = k.bytes(no, at + 1, 1).first().copied().unwrap_or(0);
            k.buffers.patch(head, at + 1, &[second | ecn << 4]);
            Ok(1)
        })?;
        Ok(())
    }
}
