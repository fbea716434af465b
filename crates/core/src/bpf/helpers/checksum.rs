//! `bpf_csum_diff()` (net/core/filter.c). The arithmetic is one's complement over 16-bit words in the
//! order in which they lie in memory.

use super::Call;
use crate::bpf::fault::Fault;
use crate::net::checksum::csum_partial;

/// `csum_partial()` of bytes, folded to 16 bits: little-endian words, a last odd byte is the low one.
pub(crate) fn sum16(bytes: &[u8], start: u64) -> u16 {
    let word = |pair: &[u8]| {
        u64::from(u16::from_le_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]))
    };
    fold(bytes.chunks(2).map(word).fold(start, |sum, w| sum + w))
}

/// `csum_from32to16()`, of any number of carries.
pub(crate) fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// `bpf_csum_diff(from, from_size, to, to_size, seed)`: the sum without `from` and with `to`. Since 6.13 it is
/// folded to 16 bits.
pub(super) fn diff(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [from, from_size, to, to_size, seed] = call.args;
    let (from_size, to_size) = (u64::from(from_size as u32), u64::from(to_size as u32));
    let from = call.memory.buffer(from, from_size)?;
    let to = call.memory.buffer(to, to_size)?;
    Ok(Some(u64::from(csum_diff(&from, &to, seed as u32))))
}

fn csum_diff(from: &[u8], to: &[u8], seed: u32) -> u16 {
    match (from.is_empty(), to.is_empty()) {
        // csum_sub(): plus the complement
        (false, false) => {
            let without = sum16(from, 0);
            fold(u64::from(sum16(to, u64::from(seed))) + u64::from(!without))
        }
        (true, false) => sum16(to, u64::from(seed)),
        // ~csum_partial(from, ~seed)
        (false, true) => fold(u64::from(!csum_partial(from, !seed))),
        (true, true) => fold(u64::from(seed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: words 0x0201, 0x0403 as they lie in memory sum to 0x0604.
    #[test]
    fn sums_and_differences() {
        assert_eq!(csum_diff(&[], &[1, 2, 3, 4], 0), 0x0604);
        assert_eq!(csum_diff(&[], &[1, 2, 3, 4], 1), 0x0605);
        // Replacing something by itself leaves one's-complement zero.
        assert_eq!(csum_diff(&[1, 2, 3, 4], &[1, 2, 3, 4], 0), 0xffff);
        // 0x0604 - 0x0605 = 0xffff - 1
        assert_eq!(csum_diff(&[2, 2, 3, 4], &[1, 2, 3, 4], 0), 0xfffe);
        // Pulling: ~(~seed + from), so seed 0x0604 without it is 0.
        assert_eq!(csum_diff(&[1, 2, 3, 4], &[], 0x0403_0201), 0);
        assert_eq!(csum_diff(&[], &[], 0x1_0001), 2);
    }
}
