//! Numbers and addresses in the bytes of a header.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `IPv4 SADDR → DADDR` of a header that is at least 20 bytes long.
#[must_use]
pub fn ipv4_label(header: &[u8]) -> String {
    let addr = |at: usize| {
        header.get(at..at + 4).map_or(Ipv4Addr::UNSPECIFIED, |b| {
            Ipv4Addr::new(b[0], b[1], b[2], b[3])
        })
    };
    format!("IPv4 {} → {}", addr(12), addr(16))
}

/// `IPv6 SADDR → DADDR` of a header that is at least 40 bytes long.
#[must_use]
pub fn ipv6_label(header: &[u8]) -> String {
    format!("IPv6 {} → {}", addr6(header, 8), addr6(header, 24))
}

/// An IPv6 address in a header; `::` when it is not there.
#[must_use]
pub fn addr6(bytes: &[u8], at: usize) -> Ipv6Addr {
    let octets = bytes
        .get(at..at + 16)
        .and_then(|b| <[u8; 16]>::try_from(b).ok());
    Ipv6Addr::from(octets.unwrap_or_default())
}

/// Two bytes in network order; 0 when they are not there.
#[inline]
#[must_use]
pub fn be16(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..at + 2)
        .map_or(0, |b| u16::from_be_bytes([b[0], b[1]]))
}

/// Four bytes in network order; 0 when they are not there.
#[inline]
#[must_use]
pub fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}
