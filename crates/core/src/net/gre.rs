//! GRE (RFC 2784, RFC 2890; `struct gre_base_hdr`, `include/net/gre.h`).

use super::{Field, field};

/// Length of the header without options, bytes (`sizeof(struct gre_base_hdr)`).
pub const BASE_HLEN: u32 = 4;
/// Checksum present (`GRE_CSUM`), in the flags as read in network order.
pub const CSUM: u16 = 0x8000;
/// Routing present (`GRE_ROUTING`).
pub const ROUTING: u16 = 0x4000;
/// Key present (`GRE_KEY`).
pub const KEY: u16 = 0x2000;
/// Sequence number present (`GRE_SEQ`).
pub const SEQ: u16 = 0x1000;
/// Version bits (`GRE_VERSION`).
pub const VERSION: u16 = 0x0007;

/// The base header; optional words follow in the order checksum, key, sequence.
pub const FIELDS: [Field; 3] = [
    field("flags and version", 0, 2),
    field("protocol", 2, 2),
    field("optional words", 4, 12),
];

/// `gre_calc_hlen()`: length of a header with these flags (network order as read), bytes.
#[must_use]
pub fn header_len(flags: u16) -> u32 {
    let optional = [CSUM, KEY, SEQ]
        .into_iter()
        .filter(|flag| flags & flag != 0)
        .count() as u32;
    BASE_HLEN + 4 * optional
}
