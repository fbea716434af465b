//! TCP (RFC 9293; `struct tcphdr`, `include/uapi/linux/tcp.h`).

use super::{Field, field};

/// Length of the header without options, bytes.
pub const HLEN: u32 = 20;

/// The header.
pub const FIELDS: [Field; 8] = [
    field("source", 0, 2),
    field("dest", 2, 2),
    field("seq", 4, 4),
    field("ack_seq", 8, 4),
    field("doff, flags", 12, 2),
    field("window", 14, 2),
    field("check", 16, 2),
    field("urg_ptr", 18, 2),
];
