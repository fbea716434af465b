//! `skb->csum`, the sum that `CHECKSUM_COMPLETE` promises: made once, and kept as bytes come and go (`skb_postpull_rcsum()` and
//! its like, `include/linux/skbuff.h`). Sums are as in memory: little-endian words of network-order bytes.

use super::{Kernel, Run};
use crate::net::checksum::{self, csum_add, csum_block_add, csum_partial};
use crate::net::ethernet;
use crate::skb::{CHECKSUM_COMPLETE, CHECKSUM_NONE, CHECKSUM_PARTIAL};
use crate::trace::SkbNo;

impl Kernel {
    /// `skb_checksum()` from 0 on: each piece of the packet by itself.
    pub(super) fn skb_checksum(&self, no: SkbNo, offset: u32, len: u32) -> u32 {
        if self.skb(no).data_len == 0 {
            return csum_partial(&self.packet(no, offset, len), 0);
        }
        let mut at = 0;
        let parts = self.stretches(no, offset, len);
        parts.iter().fold(0, |csum, part| {
            let bytes = self.buffers.get(part.buffer).bytes(part.at, part.len);
            let sum = csum_block_add(csum, csum_partial(bytes, 0), at);
            at += part.len;
            sum
        })
    }

    /// `__skb_checksum_complete()`: `csum` is the sum of the packet from `data` on, which is right or not.
    pub(super) fn csum_is_complete(&mut self, no: SkbNo, csum: u32, valid: bool) {
        let skb = self.skb_mut(no);
        skb.bpf.csum = csum;
        skb.ip_summed = CHECKSUM_COMPLETE;
        skb.csum_valid = valid;
    }

    /// Bytes of the head.
    fn csum_of(&self, no: SkbNo, start: u32, len: u32, sum: u32) -> u32 {
        csum_partial(self.bytes(no, start, len), sum)
    }

    /// `skb_postpull_rcsum()`: `len` bytes at `start`, from `head`, belong to the packet no more.
    pub(super) fn skb_postpull_rcsum(&mut self, no: SkbNo, start: u32, len: u32) {
        let skb = self.skb(no);
        if skb.ip_summed == CHECKSUM_COMPLETE {
            let negated = skb.bpf.csum.wrapping_neg();
            self.skb_mut(no).bpf.csum = self.csum_of(no, start, len, negated).wrapping_neg();
        } else if skb.ip_summed == CHECKSUM_PARTIAL && u32::from(skb.csum_start) < skb.data {
            self.skb_mut(no).ip_summed = CHECKSUM_NONE;
        }
    }

    /// `__skb_postpull_rcsum()` of bytes inside of the packet, `off` from its start.
    pub(super) fn skb_postpull_rcsum_at(&mut self, no: SkbNo, start: u32, len: u32, off: u32) {
        let skb = self.skb(no);
        if skb.ip_summed == CHECKSUM_COMPLETE {
            let gone = !self.csum_of(no, start, len, 0);
            let csum = csum_block_add(skb.bpf.csum, gone, off);
            self.skb_mut(no).bpf.csum = csum;
        } else {
            self.skb_postpull_rcsum(no, start, len);
        }
    }

    /// `skb_postpush_rcsum()`, `__skb_postpush_rcsum()`: `len` bytes at `start` belong to the packet now, `off` from its start.
    pub(super) fn skb_postpush_rcsum(&mut self, no: SkbNo, start: u32, len: u32, off: u32) {
        let skb = self.skb(no);
        if skb.ip_summed == CHECKSUM_COMPLETE {
            let csum = csum_block_add(skb.bpf.csum, self.csum_of(no, start, len, 0), off);
            self.skb_mut(no).bpf.csum = csum;
        }
    }

    /// `skb_pull_rcsum()`: a checksum that a device was still to fill in is gone with its header.
    pub(super) fn skb_pull_rcsum(&mut self, no: SkbNo, len: u32) -> Run<()> {
        let start = self.skb(no).data;
        self.skb_mut(no).pull(len)?;
        self.skb_postpull_rcsum(no, start, len);
        Ok(())
    }

    /// `skb_postpull_rcsum()` of the Ethernet header that `eth_type_trans()` has pulled.
    pub(super) fn postpull_eth(&mut self, no: SkbNo) {
        let at = u32::from(self.skb(no).mac_header);
        self.skb_postpull_rcsum(no, at, ethernet::HLEN);
    }

    /// `skb_postpull_rcsum()` of all between network and transport header.
    pub(super) fn postpull_network_header(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        let at = u32::from(skb.network_header);
        let len = u32::from(skb.transport_header.wrapping_sub(skb.network_header));
        self.skb_postpull_rcsum(no, at, len);
    }

    /// `skb_push_rcsum()`.
    pub(super) fn skb_push_rcsum(&mut self, no: SkbNo, len: u32) -> Run<()> {
        self.skb_mut(no).push(len)?;
        let start = self.skb(no).data;
        self.skb_postpush_rcsum(no, start, len, 0);
        Ok(())
    }

    /// `pskb_trim_rcsum()`: the packet ends after `len` bytes.
    pub(super) fn pskb_trim_rcsum(&mut self, no: SkbNo, len: u32) -> Run<()> {
        let skb = self.skb(no);
        let (csum, old) = (skb.bpf.csum, skb.len);
        if skb.ip_summed == CHECKSUM_COMPLETE && len < old {
            let gone = !self.skb_checksum(no, len, old - len);
            self.skb_mut(no).bpf.csum = csum_block_add(csum, gone, len);
        }
        self.pskb_trim(no, len)
    }

    /// Bytes of the packet are others now, at an even place: a sum of all of it follows (`skb_mod_eth_type()`,
    /// `skb_mpls_update_lse()`).
    pub(super) fn csum_follows(&mut self, no: SkbNo, old: &[u8], new: &[u8]) {
        let skb = self.skb_mut(no);
        if skb.ip_summed == CHECKSUM_COMPLETE {
            let diff: Vec<u8> = old
                .iter()
                .map(|byte| !byte)
                .chain(new.iter().copied())
                .collect();
            skb.bpf.csum = csum_partial(&diff, skb.bpf.csum);
        }
    }

    /// `bpf_push_mac_rcsum()` (`net/core/filter.c`): what is in front of the network header at ingress is summed too, for a while.
    pub(super) fn bpf_push_mac_rcsum(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        if skb.tc_at_ingress {
            let (at, len) = (u32::from(skb.mac_header), u32::from(skb.mac_len));
            self.skb_postpush_rcsum(no, at, len, 0);
        }
    }

    /// `bpf_pull_mac_rcsum()`.
    pub(super) fn bpf_pull_mac_rcsum(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        if skb.tc_at_ingress {
            let (at, len) = (u32::from(skb.mac_header), u32::from(skb.mac_len));
            self.skb_postpull_rcsum(no, at, len);
        }
    }

    /// `inet_compute_pseudo()`, `ip6_compute_pseudo()`: the sum of a UDP packet's pseudo header.
    fn compute_pseudo(&self, no: SkbNo, protocol: u8) -> u32 {
        let len = self.skb(no).len;
        let at = u32::from(self.skb(no).network_header);
        if self.is_ipv6(no) {
            // csum_ipv6_magic() is folded and complemented
            let (saddr, daddr) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
            let sum = checksum::pseudo6(saddr.octets(), daddr.octets(), protocol, len);
            return !u32::from((!sum).swap_bytes());
        }
        let addresses = csum_partial(self.bytes(no, at + 12, 8), 0);
        csum_add(addresses, (len + u32::from(protocol)) << 8)
    }

    /// `skb_checksum_try_convert()`: a right checksum that somebody else has found is as good as a sum of the
    /// whole packet, from which inner checksums follow. GRE has no pseudo header.
    pub(super) fn skb_checksum_try_convert(&mut self, no: SkbNo, protocol: Option<u8>) {
        let pseudo = protocol.map_or(0, |protocol| self.compute_pseudo(no, protocol));
        let skb = self.skb_mut(no);
        if skb.ip_summed == CHECKSUM_NONE && skb.csum_valid {
            skb.bpf.csum = !pseudo;
            skb.ip_summed = CHECKSUM_COMPLETE;
        }
    }

    /// `bpf_csum_update()`.
    pub(super) fn bpf_csum_update(&mut self, no: SkbNo, csum: u32) -> i64 {
        let skb = self.skb_mut(no);
        if skb.ip_summed != CHECKSUM_COMPLETE {
            return super::filter::ENOTSUPP;
        }
        skb.bpf.csum = csum_add(skb.bpf.csum, csum);
        i64::from(skb.bpf.csum)
    }
}
