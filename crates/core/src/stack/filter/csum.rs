//! Checksums: `bpf_l3_csum_replace()`, `bpf_l4_csum_replace()`, `bpf_csum_level()`. Sums are as in memory: little-endian words of network-order bytes.

use super::{EFAULT, EINVAL, FILE};
use crate::net::checksum::csum_add;
use crate::skb::{CHECKSUM_COMPLETE, CHECKSUM_NONE, CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY};
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;
use crate::xdp::EACCES;

/// `BPF_F_HDR_FIELD_MASK`.
const HDR_FIELD_MASK: u64 = 0xf;
const PSEUDO_HDR: u64 = 1 << 4;
const MARK_MANGLED_0: u64 = 1 << 5;
const MARK_ENFORCE: u64 = 1 << 6;
const IPV6: u64 = 1 << 7;
/// `CSUM_MANGLED_0`.
const MANGLED_0: u16 = 0xffff;
/// `SKB_MAX_CSUM_LEVEL`.
const MAX_CSUM_LEVEL: u8 = 3;

/// `csum_sub()`.
fn csum_sub(a: u32, b: u32) -> u32 {
    csum_add(a, !b)
}

/// `csum_fold()`: folded and complemented.
fn csum_fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    !((once & 0xffff) + (once >> 16)) as u16
}

/// `csum16_add()`.
pub(super) fn csum16_add(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}

/// `csum_replace_by_diff()`.
fn replace_by_diff(sum: u16, diff: u32) -> u16 {
    csum_fold(csum_add(diff, !u32::from(sum)))
}

/// `csum_replace4()`.
fn replace4(sum: u16, from: u32, to: u32) -> u16 {
    csum_fold(csum_add(csum_sub(!u32::from(sum), from), to))
}

/// `csum_replace2()`.
fn replace2(sum: u16, from: u16, to: u16) -> u16 {
    !csum16_add(csum16_add(!sum, !from), to)
}

/// What replaces what.
#[derive(Clone, Copy)]
enum Change {
    Diff(u32),
    Two(u16, u16),
    Four(u32, u32),
}

impl Change {
    /// By the width in the flags.
    fn new(from: u64, to: u64, flags: u64) -> Result<Change, i64> {
        match flags & HDR_FIELD_MASK {
            0 if from != 0 => Err(EINVAL),
            0 => Ok(Change::Diff(to as u32)),
            2 => Ok(Change::Two(from as u16, to as u16)),
            4 => Ok(Change::Four(from as u32, to as u32)),
            _ => Err(EINVAL),
        }
    }
}

impl Kernel {
    /// The checksum at an offset, in a head of one's own; `Err` is the helper's error.
    fn csum_at(&mut self, no: SkbNo, offset: u32) -> Run<Result<u16, i64>> {
        if offset > 0xffff || offset & 1 != 0 || self.bpf_try_make_writable(no, offset + 2)? != 0 {
            return Ok(Err(EFAULT));
        }
        let skb = self.skb(no);
        let bytes = self.buffers.get(skb.head).bytes(skb.data + offset, 2);
        Ok(bytes.try_into().map(u16::from_le_bytes).map_err(|_| EFAULT))
    }

    fn set_csum(&mut self, no: SkbNo, offset: u32, sum: u16, source: u16) {
        let (head, at) = (self.skb(no).head, self.skb(no).data + offset);
        self.buffers.write(head, at, &sum.to_le_bytes(), source, 0);
    }

    /// `bpf_l3_csum_replace()`.
    pub(in crate::stack) fn bpf_l3_csum_replace(
        &mut self,
        no: SkbNo,
        offset: u32,
        [from, to, flags]: [u64; 3],
        source: u16,
    ) -> Run<i64> {
        self.traced("bpf_l3_csum_replace", FILE, no, |k| {
            if flags & !HDR_FIELD_MASK != 0 {
                return Ok(EINVAL);
            }
            let sum = match k.csum_at(no, offset)? {
                Ok(sum) => sum,
                Err(error) => return Ok(error),
            };
            let sum = match Change::new(from, to, flags) {
                Ok(Change::Diff(diff)) => replace_by_diff(sum, diff),
                Ok(Change::Two(from, to)) => replace2(sum, from, to),
                Ok(Change::Four(from, to)) => replace4(sum, from, to),
                Err(error) => return Ok(error),
            };
            k.set_csum(no, offset, sum, source);
            Ok(0)
        })
    }

    /// `bpf_l4_csum_replace()`. A checksum that the device finishes holds the pseudo header only.
    pub(in crate::stack) fn bpf_l4_csum_replace(
        &mut self,
        no: SkbNo,
        offset: u32,
        [from, to, flags]: [u64; 3],
        source: u16,
    ) -> Run<i64> {
        self.traced("bpf_l4_csum_replace", FILE, no, |k| {
            let known = MARK_MANGLED_0 | MARK_ENFORCE | PSEUDO_HDR | HDR_FIELD_MASK | IPV6;
            if flags & !known != 0 {
                return Ok(EINVAL);
            }
            let sum = match k.csum_at(no, offset)? {
                Ok(sum) => sum,
                Err(error) => return Ok(error),
            };
            let marks = flags & MARK_MANGLED_0 != 0;
            if marks && flags & MARK_ENFORCE == 0 && sum == 0 {
                return Ok(0);
            }
            let (minus, plus) = match Change::new(from, to, flags) {
                Ok(Change::Diff(diff)) => (None, diff),
                // inet_proto_csum_replace2() goes by way of four bytes
                Ok(Change::Two(from, to)) => (Some(u32::from(from)), u32::from(to)),
                Ok(Change::Four(from, to)) => (Some(from), to),
                Err(error) => return Ok(error),
            };
            let partial = k.skb(no).ip_summed == CHECKSUM_PARTIAL;
            let now = u32::from(sum);
            let mut sum = match (partial, minus) {
                (true, _) if flags & PSEUDO_HDR == 0 => sum,
                (true, None) => !csum_fold(csum_add(plus, now)),
                (true, Some(minus)) => !csum_fold(csum_add(csum_sub(now, minus), plus)),
                (false, None) => replace_by_diff(sum, plus),
                (false, Some(minus)) => replace4(sum, minus, plus),
            };
            if marks && sum == 0 {
                sum = MANGLED_0;
            }
            k.set_csum(no, offset, sum, source);
            // the sum of the whole packet changes with the pseudo header, which is no part of it
            let skb = k.skb_mut(no);
            if skb.ip_summed == CHECKSUM_COMPLETE && flags & PSEUDO_HDR != 0 {
                let csum = skb.bpf.csum;
                skb.bpf.csum = match minus {
                    Some(minus) => !csum_add(csum_sub(!csum, minus), plus),
                    None if flags & IPV6 != 0 => csum,
                    None => !csum_sub(plus, csum),
                };
            }
            Ok(0)
        })
    }

    /// `bpf_csum_level()`: how many checksums the device has verified, less one.
    pub(in crate::stack) fn bpf_csum_level(&mut self, no: SkbNo, level: u64) -> i64 {
        const QUERY: u64 = 0;
        const INC: u64 = 1;
        const DEC: u64 = 2;
        const RESET: u64 = 3;
        let skb = self.skb_mut(no);
        let verified = skb.ip_summed == CHECKSUM_UNNECESSARY;
        match level {
            QUERY if verified => return i64::from(skb.bpf.csum_level),
            QUERY => return EACCES,
            INC => self.skb_incr_checksum_unnecessary(no),
            DEC => self.skb_decr_checksum_unnecessary(no),
            RESET if verified => {
                skb.ip_summed = CHECKSUM_NONE;
                skb.bpf.csum_level = 0;
            }
            RESET => {}
            _ => return EINVAL,
        }
        0
    }

    /// `__skb_incr_checksum_unnecessary()` (`include/linux/skbuff.h`): one checksum more is known to be right.
    pub(in crate::stack) fn skb_incr_checksum_unnecessary(&mut self, no: SkbNo) {
        let skb = self.skb_mut(no);
        if skb.ip_summed == CHECKSUM_UNNECESSARY {
            skb.bpf.csum_level = (skb.bpf.csum_level + 1).min(MAX_CSUM_LEVEL);
        } else if skb.ip_summed == CHECKSUM_NONE {
            skb.ip_summed = CHECKSUM_UNNECESSARY;
            skb.bpf.csum_level = 0;
        }
    }

    /// `__skb_decr_checksum_unnecessary()`: one of them has been used.
    pub(in crate::stack) fn skb_decr_checksum_unnecessary(&mut self, no: SkbNo) {
        let skb = self.skb_mut(no);
        if skb.ip_summed == CHECKSUM_UNNECESSARY {
            match skb.bpf.csum_level.checked_sub(1) {
                Some(level) => skb.bpf.csum_level = level,
                None => skb.ip_summed = CHECKSUM_NONE,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1624, section 4: HC = 0xDD2F, m = 0x5555, m' = 0x3285 gives 0x0000 (not 0xFFFF), in network order.
    #[test]
    fn the_example_of_rfc_1624() {
        let swap = u16::swap_bytes;
        assert_eq!(replace2(swap(0xdd2f), swap(0x5555), swap(0x3285)), 0);
        let wide = |n: u16| u32::from(swap(n));
        assert_eq!(replace4(swap(0xdd2f), wide(0x5555), wide(0x3285)), 0);
    }

    /// A checksum over changed bytes equals the old one replaced: 10.0.0.1 becomes 10.0.0.2 in a header whose
    /// other words sum to 0x1234.
    #[test]
    fn replacing_equals_summing_anew() {
        let le = |b: [u8; 4]| u32::from_le_bytes(b);
        let sum = |address: [u8; 4]| csum_fold(csum_add(0x1234, le(address)));
        let (old, new) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(replace4(sum(old), le(old), le(new)), sum(new));
        let diff = csum_sub(le(new), le(old));
        assert_eq!(replace_by_diff(sum(old), diff), sum(new));
    }
}
