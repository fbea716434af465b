//! The Internet checksum (RFC 1071).

/// Ones' complement sum of 16-bit words, folded and inverted; what stands in a header.
/// A data length that is odd is padded with a zero byte.
#[must_use]
pub fn internet(data: &[u8]) -> u16 {
    !sum(data, 0)
}

/// `csum_partial()`, folded: the sum of 16-bit words, added to another one, not inverted.
#[must_use]
pub fn sum(data: &[u8], start: u16) -> u16 {
    // RFC 1071, section 2 (B): the bytes of a sum are swapped when those of all words are
    let words = fold(csum_partial(data, 0)).swap_bytes();
    fold(u32::from(words) + u32::from(start))
}

/// A sum in 16 bits, not inverted.
fn fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    ((once & 0xffff) + (once >> 16)) as u16
}

/// `csum_fold()`: 0 when a sum with the checksum in it is right.
#[must_use]
pub fn csum_fold(sum: u32) -> u16 {
    !fold(sum)
}

/// `csum_partial()`: a 32-bit sum of little-endian words with end-around carry, added to another one. A last word that is not
/// whole is filled up with zeros.
#[must_use]
pub fn csum_partial(bytes: &[u8], start: u32) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let whole = words.iter().chain([&last]).copied();
    let mut sum = whole.fold(u64::from(start), |sum, word| {
        sum + u64::from(u32::from_le_bytes(word))
    });
    while sum > u64::from(u32::MAX) {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    sum as u32
}

/// `csum_add()`.
#[must_use]
pub fn csum_add(a: u32, b: u32) -> u32 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u32::from(carry)
}

/// `csum_block_add()`: the sum of two pieces, the second of which begins `offset` bytes behind the start.
#[must_use]
pub fn csum_block_add(a: u32, b: u32, offset: u32) -> u32 {
    csum_add(
        a,
        if offset & 1 == 1 {
            b.rotate_right(8)
        } else {
            b
        },
    )
}

/// `csum_add()` of a number of 32 bits in network order to a sum, folded, not inverted.
#[must_use]
pub fn add(start: u16, word: u32) -> u16 {
    sum(&word.to_be_bytes(), start)
}

/// The sum of the pseudo header of UDP and TCP over IPv4 (RFC 768), not inverted.
#[must_use]
pub fn pseudo(saddr: [u8; 4], daddr: [u8; 4], protocol: u8, len: u32) -> u16 {
    let tail = [0, protocol, (len >> 8) as u8, len as u8];
    sum(&tail, sum(&daddr, sum(&saddr, 0)))
}

/// The sum of the pseudo header of a protocol over IPv6 (RFC 8200, section 8.1), not inverted.
#[must_use]
pub fn pseudo6(saddr: [u8; 16], daddr: [u8; 16], protocol: u8, len: u32) -> u16 {
    let tail = [0, 0, 0, protocol];
    sum(&tail, sum(&len.to_be_bytes(), sum(&daddr, sum(&saddr, 0))))
}

#[cfg(test)]
mod tests {
    use super::{csum_block_add, csum_partial, internet, sum};

    /// RFC 1071, section 1: 16-bit words in network order, added with the carries brought around; of all lengths up to 40.
    #[test]
    fn sums_are_those_of_words_in_network_order() {
        let bytes: Vec<u8> = (0..40u8).map(|i| i.wrapping_mul(73) ^ 0xf1).collect();
        for len in 0..=bytes.len() {
            for start in [0, 1, 0xffff] {
                let words = bytes[..len].chunks(2).map(|word| {
                    let low = word.get(1).copied().unwrap_or(0);
                    u32::from(word[0]) << 8 | u32::from(low)
                });
                let by_words = words.fold(u32::from(start), |sum, word| {
                    let sum = sum + word;
                    (sum & 0xffff) + (sum >> 16)
                });
                assert_eq!(
                    u32::from(sum(&bytes[..len], start)),
                    by_words,
                    "{len} bytes"
                );
            }
        }
    }

    /// Two words and two bytes; a carry; a piece at an odd place counts in the other half of each word.
    #[test]
    fn sums_as_in_memory() {
        assert_eq!(csum_partial(&[1, 2, 3, 4, 5, 6], 0), 0x0403_0201 + 0x0605);
        assert_eq!(csum_partial(&[0xff; 4], 2), 2);
        assert_eq!(csum_partial(&[], 7), 7);
        let whole = |bytes: &[u8]| !internet(bytes);
        let folded = |sum: u32| {
            let once = (sum & 0xffff) + (sum >> 16);
            (((once & 0xffff) + (once >> 16)) as u16).swap_bytes()
        };
        let bytes = [9, 8, 7, 6, 5, 4, 3];
        let (a, b) = bytes.split_at(3);
        let both = csum_block_add(csum_partial(a, 0), csum_partial(b, 0), 3);
        assert_eq!(folded(both), whole(&bytes));
    }

    /// RFC 1071, section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2 (after folding), inverted 220d.
    #[test]
    fn example_of_rfc_1071() {
        assert_eq!(
            internet(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            0x220d
        );
    }

    /// An odd last byte counts as the high half of a word: 0x01 → 0x0100, inverted 0xfeff.
    #[test]
    fn odd_length() {
        assert_eq!(internet(&[0x01]), 0xfeff);
    }
}
