//! IPv6 (RFC 8200; `struct ipv6hdr`, `include/uapi/linux/ipv6.h`) and its extension headers.

use super::{Field, field};

/// Length of the header without extension headers, bytes.
pub const HLEN: u32 = 40;
/// `IPV6_MIN_MTU`: the least that every link carries, bytes.
pub const MIN_MTU: u32 = 1280;
/// `NEXTHDR_HOP`: hop-by-hop options.
pub const NEXTHDR_HOP: u8 = 0;
/// `NEXTHDR_IPV6`: another IPv6 packet (`IPPROTO_IPV6`).
pub const NEXTHDR_IPV6: u8 = 41;
/// `NEXTHDR_ROUTING`.
pub const NEXTHDR_ROUTING: u8 = 43;
/// `NEXTHDR_FRAGMENT`.
pub const NEXTHDR_FRAGMENT: u8 = 44;
/// `NEXTHDR_ICMP`: ICMPv6.
pub const NEXTHDR_ICMP: u8 = 58;
/// `NEXTHDR_NONE`: nothing follows.
pub const NEXTHDR_NONE: u8 = 59;
/// `NEXTHDR_DEST`: options for the destination.
pub const NEXTHDR_DEST: u8 = 60;

/// The header.
pub const FIELDS: [Field; 6] = [
    field("version, traffic class, flow label", 0, 4),
    field("payload_len", 4, 2),
    field("nexthdr", 6, 1),
    field("hop_limit", 7, 1),
    field("saddr", 8, 16),
    field("daddr", 24, 16),
];

/// What an extension header begins with (`struct ipv6_opt_hdr`).
pub const EXT_FIELDS: [Field; 2] = [field("nexthdr", 0, 1), field("hdrlen", 1, 1)];

/// Length of an extension header, bytes, by its kind and second byte; `None` for what is no extension header.
#[must_use]
pub fn ext_len(kind: u8, hdrlen: u8) -> Option<u32> {
    match kind {
        NEXTHDR_HOP | NEXTHDR_ROUTING | NEXTHDR_DEST => Some((u32::from(hdrlen) + 1) * 8),
        NEXTHDR_FRAGMENT => Some(8),
        _ => None,
    }
}

/// `ipv6_get_dsfield()`: the traffic class, from a header's first two bytes.
#[must_use]
pub fn dsfield(header: &[u8]) -> u8 {
    let byte = |at: usize| header.get(at).copied().unwrap_or(0);
    byte(0) << 4 | byte(1) >> 4
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8200, section 3: four bits of version, eight of traffic class, twenty of flow label.
    #[test]
    fn the_traffic_class_lies_across_two_bytes() {
        assert_eq!(dsfield(&[0x6b, 0x8f, 0xff, 0xff]), 0xb8);
        assert_eq!(dsfield(&[0x60, 0, 0, 0]), 0);
    }

    /// RFC 8200, sections 4.3 and 4.5: length in units of 8 bytes, the first not counted; a fragment header has 8.
    #[test]
    fn lengths_of_extension_headers() {
        assert_eq!(ext_len(NEXTHDR_DEST, 0), Some(8));
        assert_eq!(ext_len(NEXTHDR_ROUTING, 2), Some(24));
        assert_eq!(ext_len(NEXTHDR_FRAGMENT, 9), Some(8));
        assert_eq!(ext_len(NEXTHDR_ICMP, 0), None);
    }
}
