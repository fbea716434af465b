//! GRO of TCP: `net/ipv4/tcp_offload.c`.

use super::gro::GroCb;
use super::{Kernel, Run};
use crate::net::dissect::{be16, be32};
use crate::net::{checksum, ipv4, tcp};
use crate::trace::SkbNo;

/// Flags of byte 13 of the header.
mod flag {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const URG: u8 = 0x20;
    pub const CWR: u8 = 0x80;
}

/// What GRO knows of a packet that it holds.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Packets in it (`NAPI_GRO_CB(p)->count`).
    pub count: u16,
    /// Payload, bytes (`skb_gro_len()`).
    pub len: u32,
    /// All have the same IPv4 id (`ip_fixedid`).
    fixed_id: bool,
    /// Where the IP headers are, from `data`.
    pub networks: Vec<u32>,
}

impl Segment {
    /// A packet with `len` bytes of payload, merged of `count` ones before (`gso_segs`), or of one.
    pub fn new(count: u16, len: u32, networks: &[u32]) -> Self {
        Self {
            count,
            len,
            fixed_id: false,
            networks: networks.to_vec(),
        }
    }
}

impl Kernel {
    /// `tcp4_gro_receive()` and `tcp_gro_receive()`.
    pub(super) fn tcp4_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        let ip_at = self.skb(no).data + cb.networks.last().copied().unwrap_or(0);
        let ip = self.bytes(no, ip_at, ipv4::HLEN).to_vec();
        let left = self.skb(no).len.saturating_sub(cb.offset);
        let addr = |at: usize| be32(&ip, at).to_be_bytes();
        let pseudo = checksum::pseudo(addr(12), addr(16), ipv4::PROTO_TCP, left);
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
            let merges = !cb.flush && self.continues(p, &th, &ip, len, mss, cb);
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

    /// Whether the segment is the next one of `p` in all that `tcp_gro_receive()` and `inet_gro_flush()` compare.
    fn continues(
        &mut self,
        p: SkbNo,
        th: &[u8],
        ip: &[u8],
        len: u32,
        mss: u32,
        cb: &GroCb,
    ) -> bool {
        let at = u32::from(self.skb(p).transport_header);
        let th2 = self.bytes(p, at, th.len() as u32).to_vec();
        let ip2_at = self.skb(p).data + cb.networks.last().copied().unwrap_or(0);
        let ip2 = self.bytes(p, ip2_at, ipv4::HLEN).to_vec();
        let fits = match cb.gso_size {
            0 => (1..=mss).contains(&len),
            size => size == mss,
        };
        let Some(segment) = self.gro_segments.get_mut(&p) else {
            return false;
        };
        let may_differ = flag::CWR | flag::FIN | flag::PSH;
        let same_tcp = th[13] & flag::CWR == 0
            && (th[13] ^ th2[13]) & !may_differ == 0
            && th[12] == th2[12]
            && th[14..16] == th2[14..16]
            && th[8..12] == th2[8..12]
            && th[20..] == th2[20..];
        let df = |ip: &[u8]| be16(ip, 6) & ipv4::DF;
        let same_ip = (ip[8], ip[1], df(ip)) == (ip2[8], ip2[1], df(&ip2));
        let ids = be16(ip, 4).wrapping_sub(be16(&ip2, 4));
        if segment.count == 1 && df(ip) != 0 && ids == 0 {
            segment.fixed_id = true;
        }
        let expected = if segment.fixed_id { 0 } else { segment.count };
        let next = be32(&th2, 4).wrapping_add(segment.len) == be32(th, 4);
        same_tcp && same_ip && ids == expected && next && fits
    }

    /// The skb whose head another packet took: its memory is the next one that is given out, so the next packet
    /// has its number (golden E11-gro-equal: the reset that answers is packet 9 again).
    pub(super) fn forget_stolen(&mut self, no: SkbNo) {
        self.skbs.remove(&no);
        self.free_skb_no = Some(no);
    }
}
