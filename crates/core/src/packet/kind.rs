//! The layers there are, and their fields bit by bit.

/// A kind of layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Ethernet II.
    Ethernet,
    /// A VLAN tag behind the addresses (802.1Q, 802.1ad).
    Vlan,
    /// A label stack entry (RFC 3032).
    Mpls,
    /// RFC 791.
    Ipv4,
    /// RFC 8200.
    Ipv6,
    /// RFC 2784, RFC 2890.
    Gre,
    /// RFC 768.
    Udp,
    /// RFC 7348.
    Vxlan,
    /// RFC 8926.
    Geneve,
    /// An echo message, RFC 792; under IPv6 RFC 4443.
    Icmp,
    /// RFC 9293.
    Tcp,
    /// Bytes.
    Payload,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Decimal; hex with `0x` is read too.
    Decimal,
    /// Hex with `0x`.
    Hex,
    /// `02:00:00:00:00:01`.
    Mac,
    /// `10.0.0.1`.
    V4,
    /// `fc00::1`.
    V6,
}

/// Where a value comes from when none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Always the same.
    Usual(u128),
    /// What stands behind it: `EtherType`, IP protocol, UDP port.
    Next,
    /// A length.
    Length,
    /// A checksum.
    Checksum,
    /// The field is not there (the optional words of GRE).
    Absent,
}

/// A field of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The kernel's or the standard's name.
    pub name: &'static str,
    /// First bit, from the start of the header, most significant first.
    pub bit: usize,
    /// Bits.
    pub bits: usize,
    /// How it is written.
    pub form: Form,
    /// Where its value comes from.
    pub fill: Fill,
}

const fn spec(name: &'static str, bit: usize, bits: usize, form: Form, fill: Fill) -> Spec {
    Spec {
        name,
        bit,
        bits,
        form,
        fill,
    }
}

use Fill::{Absent, Checksum, Length, Next, Usual};
use Form::{Decimal, Hex, Mac, V4, V6};

const ETHERNET: [Spec; 3] = [
    spec("h_dest", 0, 48, Mac, Usual(0x0200_0000_0001)),
    spec("h_source", 48, 48, Mac, Usual(0x0200_0000_0002)),
    spec("h_proto", 96, 16, Hex, Next),
];
const VLAN: [Spec; 4] = [
    spec("pcp", 0, 3, Decimal, Usual(0)),
    spec("dei", 3, 1, Decimal, Usual(0)),
    spec("id", 4, 12, Decimal, Usual(7)),
    spec("type", 16, 16, Hex, Next),
];
const MPLS: [Spec; 4] = [
    spec("label", 0, 20, Decimal, Usual(100)),
    spec("tc", 20, 3, Decimal, Usual(0)),
    spec("bottom", 23, 1, Decimal, Next),
    spec("ttl", 24, 8, Decimal, Usual(64)),
];
const IPV4: [Spec; 14] = [
    spec("version", 0, 4, Decimal, Usual(4)),
    spec("ihl", 4, 4, Decimal, Length),
    spec("tos", 8, 8, Hex, Usual(0)),
    spec("tot_len", 16, 16, Decimal, Length),
    spec("id", 32, 16, Hex, Usual(0x2222)),
    spec("reserved", 48, 1, Decimal, Usual(0)),
    spec("df", 49, 1, Decimal, Usual(0)),
    spec("mf", 50, 1, Decimal, Usual(0)),
    spec("frag_off", 51, 13, Decimal, Usual(0)),
    spec("ttl", 64, 8, Decimal, Usual(64)),
    spec("protocol", 72, 8, Decimal, Next),
    spec("check", 80, 16, Hex, Checksum),
    spec("saddr", 96, 32, V4, Usual(0x0a00_0002)),
    spec("daddr", 128, 32, V4, Usual(0x0a00_0001)),
];
const IPV6: [Spec; 8] = [
    spec("version", 0, 4, Decimal, Usual(6)),
    spec("traffic_class", 4, 8, Hex, Usual(0)),
    spec("flow_lbl", 12, 20, Hex, Usual(0)),
    spec("payload_len", 32, 16, Decimal, Length),
    spec("nexthdr", 48, 8, Decimal, Next),
    spec("hop_limit", 56, 8, Decimal, Usual(64)),
    spec("saddr", 64, 128, V6, Usual(0xfc00 << 112 | 2)),
    spec("daddr", 192, 128, V6, Usual(0xfc00 << 112 | 1)),
];
/// Bits of the optional words are those of a header that has all of them.
const GRE: [Spec; 5] = [
    spec("version", 13, 3, Decimal, Usual(0)),
    spec("protocol", 16, 16, Hex, Next),
    spec("csum", 32, 16, Hex, Absent),
    spec("key", 64, 32, Decimal, Absent),
    spec("seq", 96, 32, Decimal, Absent),
];
const UDP: [Spec; 4] = [
    spec("source", 0, 16, Decimal, Usual(40_000)),
    spec("dest", 16, 16, Decimal, Next),
    spec("len", 32, 16, Decimal, Length),
    spec("check", 48, 16, Hex, Checksum),
];
const VXLAN: [Spec; 4] = [
    spec("vx_flags", 0, 8, Hex, Usual(0x08)),
    spec("reserved1", 8, 24, Hex, Usual(0)),
    spec("vni", 32, 24, Decimal, Usual(42)),
    spec("reserved2", 56, 8, Hex, Usual(0)),
];
const GENEVE: [Spec; 8] = [
    spec("ver", 0, 2, Decimal, Usual(0)),
    spec("opt_len", 2, 6, Decimal, Length),
    spec("oam", 8, 1, Decimal, Usual(0)),
    spec("critical", 9, 1, Decimal, Usual(0)),
    spec("rsvd1", 10, 6, Hex, Usual(0)),
    spec("proto_type", 16, 16, Hex, Next),
    spec("vni", 32, 24, Decimal, Usual(42)),
    spec("rsvd2", 56, 8, Hex, Usual(0)),
];
const ICMP: [Spec; 5] = [
    spec("type", 0, 8, Decimal, Next),
    spec("code", 8, 8, Decimal, Usual(0)),
    spec("checksum", 16, 16, Hex, Checksum),
    spec("id", 32, 16, Hex, Usual(0x0707)),
    spec("sequence", 48, 16, Decimal, Usual(1)),
];
const TCP: [Spec; 10] = [
    spec("source", 0, 16, Decimal, Usual(1000)),
    spec("dest", 16, 16, Decimal, Usual(2000)),
    spec("seq", 32, 32, Decimal, Usual(1)),
    spec("ack_seq", 64, 32, Decimal, Usual(1)),
    spec("doff", 96, 4, Decimal, Length),
    spec("reserved", 100, 4, Hex, Usual(0)),
    spec("flags", 104, 8, Hex, Usual(0x10)),
    spec("window", 112, 16, Decimal, Usual(1000)),
    spec("check", 128, 16, Hex, Checksum),
    spec("urg_ptr", 144, 16, Decimal, Usual(0)),
];

impl Kind {
    /// All, in the order of a menu.
    pub const ALL: [Self; 12] = [
        Self::Ethernet,
        Self::Vlan,
        Self::Mpls,
        Self::Ipv4,
        Self::Ipv6,
        Self::Gre,
        Self::Udp,
        Self::Vxlan,
        Self::Geneve,
        Self::Icmp,
        Self::Tcp,
        Self::Payload,
    ];

    /// The word for it, as in the text form.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ethernet => "ethernet",
            Self::Vlan => "vlan",
            Self::Mpls => "mpls",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Gre => "gre",
            Self::Udp => "udp",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Payload => "payload",
        }
    }

    /// Its fields, in the order of the wire.
    #[must_use]
    pub fn fields(self) -> &'static [Spec] {
        match self {
            Self::Ethernet => &ETHERNET,
            Self::Vlan => &VLAN,
            Self::Mpls => &MPLS,
            Self::Ipv4 => &IPV4,
            Self::Ipv6 => &IPV6,
            Self::Gre => &GRE,
            Self::Udp => &UDP,
            Self::Vxlan => &VXLAN,
            Self::Geneve => &GENEVE,
            Self::Icmp => &ICMP,
            Self::Tcp => &TCP,
            Self::Payload => &[],
        }
    }

    /// Length of the fixed header, bytes (of GRE without optional words).
    #[must_use]
    pub fn fixed_len(self) -> usize {
        match self {
            Self::Ethernet => 14,
            Self::Vlan | Self::Mpls | Self::Gre => 4,
            Self::Ipv4 | Self::Tcp => 20,
            Self::Ipv6 => 40,
            Self::Udp | Self::Vxlan | Self::Geneve | Self::Icmp => 8,
            Self::Payload => 0,
        }
    }

    /// Most bytes of options behind the fixed header, where there can be some; for a payload, its bytes.
    #[must_use]
    pub fn most_bytes(self) -> usize {
        match self {
            Self::Ipv4 | Self::Tcp => 40,
            Self::Geneve => 252,
            Self::Payload => super::build::MAX_FRAME,
            _ => 0,
        }
    }
}
