//! Cutting TCP: `net/ipv4/tcp_offload.c`, `net/ipv6/tcpv6_offload.c`.

use super::gro_ip::pseudo_of;
use super::gso::{GsoCb, Segmented};
use super::{Kernel, Run};
use crate::net::dissect::{be16, be32};
use crate::net::{checksum, ipv4, ipv6, tcp};
use crate::skb::{CHECKSUM_PARTIAL, Features, feature::GSO_ROBUST, gso};
use crate::trace::SkbNo;

/// Bytes of the header that differ between segments.
mod field {
    pub const SEQ: u32 = 4;
    pub const DOFF: u32 = 12;
    pub const FLAGS: u32 = 13;
    pub const CHECK: u32 = 16;
}

/// Flags of byte 13: on the last segment only, and on the first only.
const FIN_PSH: u8 = 0x09;
const CWR: u8 = 0x80;

impl Kernel {
    /// `tcp4_gso_segment()`.
    pub(super) fn tcp4_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        self.tcp_gso_segment_of(no, cb, features, gso::TCPV4)
    }

    /// `tcp6_gso_segment()`.
    pub(super) fn tcp6_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        self.tcp_gso_segment_of(no, cb, features, gso::TCPV6)
    }

    /// What both have in common: a checksum that is not left to the device becomes so. (Lists of whole packets,
    /// `SKB_GSO_FRAGLIST`, come from `NETIF_F_GRO_FRAGLIST` only, which is off.)
    fn tcp_gso_segment_of(
        &mut self,
        no: SkbNo,
        cb: &GsoCb,
        features: Features,
        wanted: u32,
    ) -> Run<Segmented> {
        let gso_type = self.buffers.get(self.skb(no).head).shinfo.gso_type;
        if gso_type & wanted == 0 || !self.pskb_may_pull(no, tcp::HLEN)? {
            return Ok(Segmented::Failed);
        }
        if self.skb(no).ip_summed != CHECKSUM_PARTIAL {
            // __tcp_v4_send_check(), __tcp_v6_send_check()
            let skb = self.skb(no);
            let (head, th, len) = (skb.head, skb.transport_header, skb.len);
            let ip = self.bytes(no, u32::from(skb.network_header), ipv6::HLEN);
            let check = pseudo_of(ip, ipv4::PROTO_TCP, len);
            let at = u32::from(th) + field::CHECK;
            self.buffers.patch(head, at, &check.to_be_bytes());
            let skb = self.skb_mut(no);
            skb.ip_summed = CHECKSUM_PARTIAL;
            (skb.csum_start, skb.csum_offset) = (th, field::CHECK as u16);
        }
        self.tcp_gso_segment(no, cb, features)
    }

    /// `tcp_gso_segment()`: sequence number, flags and checksum of each segment.
    fn tcp_gso_segment(&mut self, no: SkbNo, cb: &GsoCb, features: Features) -> Run<Segmented> {
        let skb = self.skb(no);
        let th = u32::from(skb.transport_header);
        let (len, csum_start) = (skb.len, u32::from(skb.csum_start));
        let doff = self.bytes(no, th + field::DOFF, 1).first().copied();
        let thlen = u32::from(doff.unwrap_or(0) >> 4) * 4;
        if thlen < tcp::HLEN || csum_start != th || !self.pskb_may_pull(no, thlen)? {
            return Ok(Segmented::Failed);
        }
        self.skb_mut(no).pull(thlen)?;
        let head = self.skb(no).head;
        let shinfo = self.buffers.get(head).shinfo;
        let (mss, payload) = (u32::from(shinfo.gso_size), self.skb(no).len);
        if payload <= mss {
            return Ok(Segmented::Failed);
        }
        if self.skb_gso_ok(no, features | GSO_ROBUST) {
            self.buffers.shinfo_mut(head).gso_segs = payload.div_ceil(mss) as u16;
            return Ok(Segmented::Not);
        }
        let Ok(list) = self.skb_segment(no, cb, features)? else {
            return Ok(Segmented::Failed);
        };
        let accecn = shinfo.gso_type & gso::TCP_ACCECN != 0;
        self.tcp_complete_segments(&list, (len, thlen, mss), accecn);
        Ok(Segmented::Into(list))
    }

    /// The headers of the segments; `oldlen` is that of the whole, header included.
    fn tcp_complete_segments(
        &mut self,
        list: &[SkbNo],
        (oldlen, thlen, mut mss): (u32, u32, u32),
        accecn: bool,
    ) {
        let Some(first) = list.first().copied() else {
            return;
        };
        // a segment may be a merged packet itself
        let shinfo = self.buffers.get(self.skb(first).head).shinfo;
        mss *= u32::from(shinfo.packets());
        let at = u32::from(self.skb(first).transport_header);
        let header = self.bytes(first, at, tcp::HLEN).to_vec();
        let (mut seq, check) = (be32(&header, 4), be16(&header, 16));
        for (i, segment) in list.iter().copied().enumerate() {
            let (is_first, last) = (i == 0, i + 1 == list.len());
            let skb = self.skb(segment);
            let (head, at) = (skb.head, u32::from(skb.transport_header));
            let flags = header.get(13).copied().unwrap_or(0);
            let flags = if last { flags } else { flags & !FIN_PSH };
            let flags = match is_first || accecn {
                true => flags,
                false => flags & !CWR,
            };
            let len = match last {
                true => skb.data + skb.len - at,
                false => thlen + mss,
            };
            // the pseudo header's sum with the new length
            let check = checksum::add(check, (!oldlen).wrapping_add(len));
            self.buffers
                .patch(head, at + field::SEQ, &seq.to_be_bytes());
            self.buffers.patch(head, at + field::FLAGS, &[flags]);
            self.buffers
                .patch(head, at + field::CHECK, &check.to_be_bytes());
            if self.skb(segment).ip_summed != CHECKSUM_PARTIAL {
                let check = self.gso_make_checksum(segment).to_be_bytes();
                self.buffers.patch(head, at + field::CHECK, &check);
            }
            seq = seq.wrapping_add(mss);
        }
    }

    /// `gso_make_checksum()`: over all from the transport header on. What an inner checksum that is left to the device
    /// stands for is known without it.
    pub(super) fn gso_make_checksum(&self, no: SkbNo) -> u16 {
        let skb = self.skb(no);
        let at = u32::from(skb.transport_header);
        if skb.ip_summed == CHECKSUM_PARTIAL && u32::from(skb.csum_start) > at {
            return !self.lco_csum(no, at);
        }
        let len = (skb.data + skb.len).saturating_sub(at);
        !checksum::sum(&self.bytes_from_head(no, at, len), 0)
    }
}
