//! UDP (RFC 768; `struct udphdr`, `include/uapi/linux/udp.h`).

use super::{Field, field};

/// Length of the header, bytes.
pub const HLEN: u32 = 8;
/// Where the checksum is, from the start of the header.
pub const CHECK: u32 = 6;

/// The header.
pub const FIELDS: [Field; 4] = [
    field("source", 0, 2),
    field("dest", 2, 2),
    field("len", 4, 2),
    field("check", 6, 2),
];
