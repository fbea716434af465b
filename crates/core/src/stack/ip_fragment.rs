//! `ip_do_fragment()` (`net/ipv4/ip_output.c`): a packet that is too long leaves in pieces.

use super::fraglist::{EMSGSIZE, Geometry};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, ipv4};
use crate::scenario::topology::Route;
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL};
use crate::trace::{Layer, SkbNo};

/// `IP_MF`.
const MF: u16 = 0x2000;
/// `IP_OFFSET`: in units of eight bytes.
const OFFSET: u16 = 0x1fff;

/// A header of a fragment: what changes of that of the whole packet.
struct Piece {
    /// Header and payload, bytes.
    tot_len: u32,
    /// Place of the payload, in units of eight bytes, and whether more follows.
    frag_off: u16,
    writer: &'static str,
}

impl Kernel {
    /// Packets that lie in `frag_list` in fitting pieces leave as they are; of any other, each fragment is a copy.
    pub(super) fn ip_do_fragment(&mut self, no: SkbNo, route: Route, mtu: u32) -> Run<i64> {
        if self.skb(no).ip_summed == CHECKSUM_PARTIAL {
            self.skb_checksum_help(no)?;
        }
        let at = u32::from(self.skb(no).network_header);
        let header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let hlen = u32::from(header.first().copied().unwrap_or(0) & 0x0f) * 4;
        if mtu < hlen + 8 {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(EMSGSIZE);
        }
        if hlen != ipv4::HLEN {
            return not_covered("ip_do_fragment: IP options (ip_options_fragment)");
        }
        let reserved = self.topology.dev(route.dev).ll_reserved_space();
        let geometry = Geometry {
            hlen,
            space: mtu - hlen,
            headroom: reserved,
            member_headroom: hlen + reserved,
        };
        // ip_is_fragment()
        let whole = be16(&header, 6) & (MF | OFFSET) == 0;
        match whole && self.fraglist_fits(no, &geometry) {
            true => self.ip_send_fraglist(no, route),
            false => self.ip_copy_fragments(no, route, &geometry),
        }
    }

    /// The fast path: each packet of the list gets a header, in front of its own data. What XDP left for the whole packet is
    /// the first one's; the others have what was left for the packets they were.
    fn ip_send_fraglist(&mut self, no: SkbNo, route: Route) -> Run<i64> {
        let list = self.take_fraglist(no);
        let at = u32::from(self.skb(no).network_header);
        let header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let tot_len = self.skb(no).len;
        let first = Piece {
            tot_len,
            frag_off: MF,
            writer: "ip_fraglist_init",
        };
        self.ip_patch_fragment(no, at, &first);
        let (mut skb, mut offset) = (no, 0);
        let mut rest = list.into_iter().peekable();
        loop {
            let next = rest.next();
            if let Some(member) = next {
                offset += self.skb(skb).len - ipv4::HLEN;
                let more = if rest.peek().is_some() { MF } else { 0 };
                self.ip_fraglist_prepare(member, skb, &header, (offset / 8) as u16 | more)?;
            }
            let err = self.ip_finish_output2(skb, route)?;
            if err != 0 {
                self.kfree_rest(next.into_iter().chain(rest))?;
                return Ok(err);
            }
            match next {
                Some(member) => skb = member,
                None => return Ok(0),
            }
        }
    }

    /// `ip_fraglist_prepare()`.
    fn ip_fraglist_prepare(
        &mut self,
        member: SkbNo,
        from: SkbNo,
        header: &[u8],
        frag_off: u16,
    ) -> Run<()> {
        let skb = self.skb_mut(member);
        skb.ip_summed = CHECKSUM_NONE;
        skb.reset_transport_header();
        skb.push(ipv4::HLEN)?;
        skb.reset_network_header();
        let tot_len = skb.len;
        let piece = Piece {
            tot_len,
            frag_off,
            writer: "ip_fraglist_prepare",
        };
        self.ip_copy_metadata(member, from);
        self.ip_write_fragment(member, header, &piece);
        Ok(())
    }

    /// The slow path: each fragment is a packet of its own, without what the old one had in front of its data.
    fn ip_copy_fragments(&mut self, no: SkbNo, route: Route, geometry: &Geometry) -> Run<i64> {
        let total = self.skb(no).len - geometry.hlen;
        let mut from = 0;
        while from < total {
            let len = geometry.next_len(total - from);
            let fragment = self.ip_frag_next(no, geometry, from, len);
            let err = self.ip_finish_output2(fragment, route)?;
            if err != 0 {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(err);
            }
            from += len;
        }
        self.consume_skb(no)?;
        Ok(0)
    }

    /// `ip_frag_next()`: `len` bytes of the payload from `from` on, behind a header of their own.
    fn ip_frag_next(&mut self, no: SkbNo, geometry: &Geometry, from: u32, len: u32) -> SkbNo {
        let tot_len = len + geometry.hlen;
        let fragment = self.alloc_skb(tot_len + geometry.headroom);
        self.ip_copy_metadata(fragment, no);
        self.metadata_left_behind(no, fragment);
        let skb = self.skb_mut(fragment);
        skb.reserve(geometry.headroom);
        skb.put(tot_len);
        skb.reset_network_header();
        skb.transport_header = skb.network_header + geometry.hlen as u16;
        let (head, payload) = (skb.head, u32::from(skb.transport_header));
        let at = u32::from(self.skb(no).network_header);
        let header = self.bytes(no, at, geometry.hlen).to_vec();
        let old = be16(&header, 6);
        let more = from + len < self.skb(no).len - geometry.hlen || old & MF != 0;
        let piece = Piece {
            tot_len,
            frag_off: ((old & OFFSET) + (from / 8) as u16) | if more { MF } else { 0 },
            writer: "ip_frag_next",
        };
        self.ip_write_fragment(fragment, &header, &piece);
        self.skb_copy_bits(no, geometry.hlen + from, (head, payload), len);
        fragment
    }

    /// Writes a fragment's header at `data`.
    fn ip_write_fragment(&mut self, no: SkbNo, header: &[u8], piece: &Piece) {
        let label = format!(
            "IPv4 header of the fragment from byte {}",
            u32::from(piece.frag_off & OFFSET) * 8
        );
        let at = self.skb(no).data;
        self.write_header(no, at, header, Layer::Ipv4, label, piece.writer);
        self.ip_patch_fragment(no, at, piece);
    }

    /// Length, place and checksum of a header that is there.
    fn ip_patch_fragment(&mut self, no: SkbNo, at: u32, piece: &Piece) {
        let mut header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let words = [(2, piece.tot_len as u16), (6, piece.frag_off), (10, 0)];
        for (place, word) in words {
            if let Some(bytes) = header.get_mut(place..place + 2) {
                bytes.copy_from_slice(&word.to_be_bytes());
            }
        }
        let check = checksum::internet(&header).to_be_bytes();
        let head = self.skb(no).head;
        self.buffers
            .patch(head, at + 2, header.get(2..8).unwrap_or(&[]));
        self.buffers.patch(head, at + 10, &check);
    }
}
