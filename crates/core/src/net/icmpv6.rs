//! ICMPv6 (RFC 4443; `struct icmp6hdr`, `include/uapi/linux/icmpv6.h`).

/// Length of the header, bytes.
pub const HLEN: u32 = 8;
/// `ICMPV6_DEST_UNREACH`.
pub const DEST_UNREACH: u8 = 1;
/// `ICMPV6_NOROUTE`, a code of [`DEST_UNREACH`].
pub const NOROUTE: u8 = 0;
/// `ICMPV6_ADM_PROHIBITED`, a code of [`DEST_UNREACH`].
pub const ADM_PROHIBITED: u8 = 1;
/// `ICMPV6_NOT_NEIGHBOUR`, a code of [`DEST_UNREACH`].
pub const NOT_NEIGHBOUR: u8 = 2;
/// `ICMPV6_ADDR_UNREACH`, a code of [`DEST_UNREACH`].
pub const ADDR_UNREACH: u8 = 3;
/// `ICMPV6_PORT_UNREACH`, a code of [`DEST_UNREACH`].
pub const PORT_UNREACH: u8 = 4;
/// `ICMPV6_PKT_TOOBIG`.
pub const PKT_TOOBIG: u8 = 2;
/// `ICMPV6_TIME_EXCEED`.
pub const TIME_EXCEED: u8 = 3;
/// `ICMPV6_PARAMPROB`.
pub const PARAMPROB: u8 = 4;
/// `ICMPV6_HDR_FIELD`, a code of [`PARAMPROB`].
pub const HDR_FIELD: u8 = 0;
/// `ICMPV6_UNK_NEXTHDR`, a code of [`PARAMPROB`].
pub const UNK_NEXTHDR: u8 = 1;
/// `ICMPV6_INFOMSG_MASK`: messages from here on are no errors.
pub const INFOMSG_MASK: u8 = 0x80;
/// `ICMPV6_ECHO_REQUEST`.
pub const ECHO_REQUEST: u8 = 128;
/// `ICMPV6_ECHO_REPLY`.
pub const ECHO_REPLY: u8 = 129;
/// `NDISC_ROUTER_SOLICITATION`, the first type of neighbour discovery.
pub const NDISC_FIRST: u8 = 133;
/// `NDISC_REDIRECT`, its last type.
pub const NDISC_LAST: u8 = 137;
