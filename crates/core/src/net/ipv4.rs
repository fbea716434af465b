//! IPv4 (RFC 791; `struct iphdr`, `include/uapi/linux/ip.h`).

use super::{Field, field};

/// Length of the header without options, bytes.
pub const HLEN: u32 = 20;
/// Don't Fragment, in `frag_off`.
pub const DF: u16 = 0x4000;
/// `IP_MF | IP_OFFSET`, in `frag_off`.
pub const FRAGMENT: u16 = 0x3fff;
/// `IPPROTO_ICMP`.
pub const PROTO_ICMP: u8 = 1;
/// `IPPROTO_IGMP`.
pub const PROTO_IGMP: u8 = 2;
/// `IPPROTO_IPIP`.
pub const PROTO_IPIP: u8 = 4;
/// `IPPROTO_TCP`.
pub const PROTO_TCP: u8 = 6;
/// `IPPROTO_UDP`.
pub const PROTO_UDP: u8 = 17;
/// `IPPROTO_GRE`.
pub const PROTO_GRE: u8 = 47;

/// The header.
pub const FIELDS: [Field; 10] = [
    field("version, ihl", 0, 1),
    field("tos", 1, 1),
    field("tot_len", 2, 2),
    field("id", 4, 2),
    field("frag_off", 6, 2),
    field("ttl", 8, 1),
    field("protocol", 9, 1),
    field("check", 10, 2),
    field("saddr", 12, 4),
    field("daddr", 16, 4),
];
