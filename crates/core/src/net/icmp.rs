//! ICMP echo (RFC 792; `struct icmphdr`, `include/uapi/linux/icmp.h`).

use super::{Field, field};

/// Length of the header, bytes.
pub const HLEN: u32 = 8;
/// `ICMP_ECHOREPLY`.
pub const ECHO_REPLY: u8 = 0;
/// `ICMP_DEST_UNREACH`.
pub const DEST_UNREACH: u8 = 3;
/// `ICMP_PORT_UNREACH`, a code of [`DEST_UNREACH`].
pub const PORT_UNREACH: u8 = 3;
/// `ICMP_PROT_UNREACH`, a code of [`DEST_UNREACH`].
pub const PROT_UNREACH: u8 = 2;
/// `ICMP_NET_UNREACH`, a code of [`DEST_UNREACH`].
pub const NET_UNREACH: u8 = 0;
/// `ICMP_HOST_UNREACH`, a code of [`DEST_UNREACH`].
pub const HOST_UNREACH: u8 = 1;
/// `ICMP_FRAG_NEEDED`, a code of [`DEST_UNREACH`].
pub const FRAG_NEEDED: u8 = 4;
/// `ICMP_PKT_FILTERED`, a code of [`DEST_UNREACH`].
pub const PKT_FILTERED: u8 = 13;
/// `ICMP_TIME_EXCEEDED`.
pub const TIME_EXCEEDED: u8 = 11;
/// `ICMP_SOURCE_QUENCH`.
pub const SOURCE_QUENCH: u8 = 4;
/// `ICMP_REDIRECT`.
pub const REDIRECT: u8 = 5;
/// `ICMP_PARAMETERPROB`.
pub const PARAMETER_PROBLEM: u8 = 12;
/// `ICMP_TIMESTAMP`.
pub const TIMESTAMP: u8 = 13;
/// `NR_ICMP_TYPES`: the highest type that is known.
pub const HIGHEST: u8 = 18;
/// `ICMP_EXC_TTL`, a code of [`TIME_EXCEEDED`].
pub const EXC_TTL: u8 = 0;
/// `ICMP_ECHO`.
pub const ECHO: u8 = 8;

/// The header of an echo message.
pub const FIELDS: [Field; 5] = [
    field("type", 0, 1),
    field("code", 1, 1),
    field("checksum", 2, 2),
    field("id", 4, 2),
    field("sequence", 6, 2),
];
