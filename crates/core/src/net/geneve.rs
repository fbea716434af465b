//! GENEVE (RFC 8926; `struct genevehdr`, `include/net/geneve.h`).

use super::{Field, field};

/// Length of the header without options, bytes (`GENEVE_BASE_HLEN` without UDP).
pub const HLEN: u32 = 8;
/// IANA's port.
pub const PORT: u16 = 6081;
/// Critical options present, in the second byte.
pub const CRITICAL: u8 = 0x40;

/// The header; options follow.
pub const FIELDS: [Field; 5] = [
    field("ver, opt_len", 0, 1),
    field("flags", 1, 1),
    field("proto_type", 2, 2),
    field("vni", 4, 3),
    field("reserved", 7, 1),
];

/// Length with options, from the first byte.
#[must_use]
pub fn header_len(first: u8) -> u32 {
    HLEN + 4 * u32::from(first & 0x3f)
}
