//! `ip_do_fragment()` (`net/ipv4/ip_output.c`): a packet that is too long leaves in pieces.

use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, ipv4};
use crate::scenario::topology::Route;
use crate::skb::CHECKSUM_PARTIAL;
use crate::trace::{Layer, SkbNo};

/// `IP_MF`.
const MF: u16 = 0x2000;
/// `IP_OFFSET`: in units of eight bytes.
const OFFSET: u16 = 0x1fff;

impl Kernel {
    /// The slow path, which every packet in one piece takes: each fragment is a packet of its own, without what the
    /// old one had in front of its data, metadata included (`ip_copy_metadata()` copies fields only).
    pub(super) fn ip_do_fragment(&mut self, no: SkbNo, route: Route, mtu: u32) -> Run<i64> {
        if self.skb(no).ip_summed == CHECKSUM_PARTIAL {
            self.skb_checksum_help(no)?;
        }
        let at = u32::from(self.skb(no).network_header);
        let hlen = u32::from(self.bytes(no, at, 1).first().copied().unwrap_or(0) & 0x0f) * 4;
        if hlen != ipv4::HLEN {
            return not_covered("ip_do_fragment: IP options (ip_options_fragment)");
        }
        let (space, total) = (mtu.saturating_sub(hlen), self.skb(no).len - hlen);
        if space < 8 {
            return not_covered("ip_do_fragment: an MTU below 28 bytes");
        }
        let mut from = 0;
        while from < total {
            let left = total - from;
            let len = match left > space {
                true => space & !7,
                false => left,
            };
            let fragment = self.ip_frag_next(no, route, from, len);
            let ret = self.ip_finish_output2(fragment, route)?;
            if ret != 0 {
                return Ok(ret);
            }
            from += len;
        }
        self.consume_skb(no)?;
        Ok(0)
    }

    /// `ip_frag_next()`: `len` bytes of the payload from `from` on, behind a header of their own.
    fn ip_frag_next(&mut self, no: SkbNo, route: Route, from: u32, len: u32) -> SkbNo {
        let old = self.skb(no).clone();
        let at = u32::from(old.network_header);
        let room = self.topology.dev(route.dev).ll_reserved_space();
        let fragment = self.alloc_skb(len + ipv4::HLEN + room);
        let skb = self.skb_mut(fragment);
        skb.reserve(room);
        skb.put(len + ipv4::HLEN);
        skb.reset_network_header();
        skb.transport_header = skb.network_header + ipv4::HLEN as u16;
        (skb.pkt_type, skb.protocol) = (old.pkt_type, old.protocol);
        (skb.skb_iif, skb.dst, skb.dev, skb.mark) = (old.skb_iif, old.dst, old.dev, old.mark);
        let (head, start) = (skb.head, skb.data);
        let mut header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let frag_off = be16(&header, 6);
        let more = from + len < old.len - ipv4::HLEN || frag_off & MF != 0;
        let offset = (frag_off & OFFSET) + (from / 8) as u16;
        let words = [
            (2, (len + ipv4::HLEN) as u16),
            (6, offset | if more { MF } else { 0 }),
            (10, 0),
        ];
        for (place, word) in words {
            header[place..place + 2].copy_from_slice(&word.to_be_bytes());
        }
        let check = checksum::internet(&header);
        header[10..12].copy_from_slice(&check.to_be_bytes());
        let label = format!("IPv4 header of the fragment from byte {}", offset * 8);
        self.write_header(fragment, start, &header, Layer::Ipv4, label, "ip_frag_next");
        let payload = at + ipv4::HLEN + from;
        self.buffers
            .memcpy(head, start + ipv4::HLEN, old.head, payload, len);
        fragment
    }
}
