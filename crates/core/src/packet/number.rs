//! The numbers by which one layer names the next.

use super::Kind;

/// Local experimental `EtherType` 1 (IEEE 802, 2.3.2): stands for bytes nobody describes.
const ETHERTYPE_EXPERIMENTAL: u16 = 0x88b5;
/// "Use for experimentation and testing" (RFC 3692, IANA protocol numbers).
const PROTOCOL_EXPERIMENTAL: u8 = 253;
/// `discard` (RFC 863): where a payload may go.
const PORT_DISCARD: u16 = 9;

/// How a header names what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// By an `EtherType`.
    EtherType,
    /// By an IP protocol number.
    Protocol,
    /// By the destination port.
    Port,
    /// Not at all: what is behind it is known or guessed.
    Silent,
}

pub(super) fn naming(kind: Kind) -> Naming {
    match kind {
        Kind::Ethernet | Kind::Vlan | Kind::Gre | Kind::Geneve => Naming::EtherType,
        Kind::Ipv4 | Kind::Ipv6 => Naming::Protocol,
        Kind::Udp => Naming::Port,
        Kind::Mpls | Kind::Vxlan | Kind::Icmp | Kind::Tcp | Kind::Payload => Naming::Silent,
    }
}

/// The number for what is behind `kind`: `next`, and behind that `after`. `None`: there is none.
pub(super) fn number(kind: Kind, next: Option<Kind>, after: Option<Kind>) -> Option<u128> {
    let next = next.unwrap_or(Kind::Payload);
    match naming(kind) {
        Naming::EtherType => ethertype(next, after).map(u128::from),
        Naming::Protocol => protocol(kind, next).map(u128::from),
        Naming::Port => match next {
            Kind::Vxlan => Some(4789),
            Kind::Geneve => Some(6081),
            Kind::Payload => Some(PORT_DISCARD.into()),
            _ => None,
        },
        Naming::Silent => None,
    }
}

fn ethertype(next: Kind, after: Option<Kind>) -> Option<u16> {
    match next {
        Kind::Ipv4 => Some(0x0800),
        Kind::Ipv6 => Some(0x86dd),
        // The outer one of two tags is a service tag (802.1ad).
        Kind::Vlan if after == Some(Kind::Vlan) => Some(0x88a8),
        Kind::Vlan => Some(0x8100),
        Kind::Mpls => Some(0x8847),
        Kind::Ethernet => Some(0x6558),
        Kind::Payload => Some(ETHERTYPE_EXPERIMENTAL),
        Kind::Gre | Kind::Udp | Kind::Vxlan | Kind::Geneve | Kind::Icmp | Kind::Tcp => None,
    }
}

fn protocol(kind: Kind, next: Kind) -> Option<u8> {
    match next {
        Kind::Icmp if kind == Kind::Ipv6 => Some(58),
        Kind::Icmp => Some(1),
        Kind::Ipv4 => Some(4),
        Kind::Tcp => Some(6),
        Kind::Udp => Some(17),
        Kind::Ipv6 => Some(41),
        Kind::Gre => Some(47),
        // RFC 4023
        Kind::Mpls => Some(137),
        // RFC 8986 took 143 for Ethernet.
        Kind::Ethernet => Some(143),
        Kind::Payload => Some(PROTOCOL_EXPERIMENTAL),
        Kind::Vlan | Kind::Vxlan | Kind::Geneve => None,
    }
}

/// What a number names: the inverse of [`number`]; a payload for everything unknown.
pub(super) fn named(kind: Kind, number: u128) -> Kind {
    match (naming(kind), number) {
        (Naming::EtherType, 0x0800) => Kind::Ipv4,
        (Naming::EtherType, 0x86dd) => Kind::Ipv6,
        (Naming::EtherType, 0x8100 | 0x88a8) => Kind::Vlan,
        (Naming::EtherType, 0x8847) => Kind::Mpls,
        (Naming::EtherType, 0x6558) => Kind::Ethernet,
        (Naming::Protocol, 1) if kind == Kind::Ipv4 => Kind::Icmp,
        (Naming::Protocol, 58) if kind == Kind::Ipv6 => Kind::Icmp,
        (Naming::Protocol, 4) => Kind::Ipv4,
        (Naming::Protocol, 6) => Kind::Tcp,
        (Naming::Protocol, 17) => Kind::Udp,
        (Naming::Protocol, 41) => Kind::Ipv6,
        (Naming::Protocol, 47) => Kind::Gre,
        (Naming::Protocol, 137) => Kind::Mpls,
        (Naming::Protocol, 143) => Kind::Ethernet,
        (Naming::Port, 4789) => Kind::Vxlan,
        (Naming::Port, 6081) => Kind::Geneve,
        _ => Kind::Payload,
    }
}
