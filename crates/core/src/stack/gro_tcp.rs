//! GRO of TCP: `net/ipv4/tcp_offload.c`.

use super::gro::GroCb;
use super::{Kernel, Run};
use crate::net::dissect::be32;
use crate::net::{ipv4, tcp};
use crate::trace::SkbNo;

/// Flags of byte 13 of the header.
mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const URG: u8 = 0x20;
}

/// What GRO knows of a packet that it holds.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Packets in it (`NAPI_GRO_CB(p)->count`).
    pub count: u16,
    /// Payload, bytes (`skb_gro_len()`).
    pub len: u32,
    /// At which level all have the same IPv4 id (`ip_fixedid`): 1 outer, 2 inner.
    pub fixed_ids: u8,
    /// Where the IP headers are, from `data`.
    pub networks: Vec<u32>,
}

impl Segment {
    /// A packet with `len` bytes of payload, merged of `count` ones before (`gso_segs`), or of one.
    pub fn new(count: u16, len: u32, networks: &[u32]) -> Self {
        Self {
            count,
            len,
            fixed_ids: 0,
            networks: networks.to_vec(),
        }
    }
}

impl Kernel {
    /// `tcp4_gro_receive()`, `tcp6_gro_receive()` and `tcp_gro_receive()`.
    pub(super) fn tcp_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        let left = self.skb(no).len.saturating_sub(cb.offset);
        let pseudo = self.gro_compute_pseudo(no, cb, ipv4::PROTO_TCP);
        let valid = cb.flush || self.gro_checksum_validate(no, pseudo, cb);
        let doff = self.gro_header(no, cb, tcp::HLEN)?.get(12).copied();
        let thlen = u32::from(doff.unwrap_or(0) >> 4) * 4;
        let th = self.gro_header(no, cb, thlen)?;
        if !valid || thlen < tcp::HLEN || th.len() < thlen as usize {
            cb.flush = true;
            return Ok(None);
        }
        cb.offset += thlen;
        let len = left - thlen;
        let ports = |p: &SkbNo| {
            let other = self.bytes(*p, u32::from(self.skb(*p).transport_header), 4);
            other == &th[..4]
        };
        let flow: Vec<_> = cb.flow.iter().filter(|p| ports(p)).copied().collect();
        cb.flow = flow;
        // tcp_gro_lookup(): the list has the newest first
        let found = cb.flow.last().copied();
        let mut mss = 1;
        if let Some(p) = found {
            mss = u32::from(self.buffers.get(self.skb(p).head).shinfo.gso_size);
            let merges = !cb.flush && self.continues((p, no), &th, len, mss, cb);
            if !merges || !self.skb_gro_receive(p, no, len, cb)? {
                mss = 1;
            } else {
                // the first header takes over FIN and PSH
                let (head, at) = (
                    self.skb(p).head,
                    u32::from(self.skb(p).transport_header) + 13,
                );
                let flags = self.bytes(p, at, 1).first().copied().unwrap_or(0);
                let flags = flags | th[13] & (flag::FIN | flag::PSH);
                self.buffers.patch(head, at, &[flags]);
            }
        }
        let last = flag::URG | flag::PSH | flag::RST | flag::SYN | flag::FIN;
        let shinfo = self.buffers.get(self.skb(no).head).shinfo;
        let short = match cb.gso_size {
            0 => len < mss,
            size => len != u32::from(shinfo.packets()) * size,
        };
        let flush = short || th[13] & last != 0;
        let complete = found.filter(|_| !cb.same_flow || flush);
        cb.flush |= flush;
        Ok(complete)
    }

    /// Whether the segment is the next one of `p` in all that `tcp_gro_receive()` compares: flags but FIN and PSH, window,
    /// acknowledgement, options, the IP headers, length and sequence number.
    fn continues(
        &mut self,
        (p, no): (SkbNo, SkbNo),
        th: &[u8],
        len: u32,
        mss: u32,
        cb: &GroCb,
    ) -> bool {
        let at = u32::from(self.skb(p).transport_header);
        let th2 = self.bytes(p, at, th.len() as u32).to_vec();
        let fits = match cb.gso_size {
            0 => (1..=mss).contains(&len),
            size => size == mss,
        };
        let may_differ = u32::from(flag::FIN | flag::PSH) << 16;
        let same_tcp = (be32(th, 12) ^ be32(&th2, 12)) & !may_differ == 0
            && th[8..12] == th2[8..12]
            && th[20..] == th2[20..];
        let apart = self.gro_network_flush(p, no, &cb.networks);
        let Some(segment) = self.gro_segments.get(&p) else {
            return false;
        };
        let next = be32(&th2, 4).wrapping_add(segment.len) == be32(th, 4);
        same_tcp && !apart && next && fits
    }

    /// The skb whose head another packet took: its memory is the next one that is given out, so the next packet
    /// has its number (golden E11-gro-equal: the reset that answers is packet 9 again).
    pub(super) fn forget_stolen(&mut self, no: SkbNo) {
        self.skbs.remove(&no);
        self.free_skb_no = Some(no);
    }
}
