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
    let mut sum = u32::from(start);
    for pair in data.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
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
    use super::internet;

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
