//! Families of bytes. One family, one colour, one pattern, everywhere.

use crate::trace::Layer;

/// What kind of bytes a region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// In front of everything this packet wrote.
    Headroom,
    /// What a program left as metadata.
    Metadata,
    /// Ethernet header and VLAN tags.
    Ethernet,
    /// IPv4 header.
    Ipv4,
    /// Header of a tunnel, such as GRE; an MPLS label.
    Tunnel,
    /// ICMP and transport headers.
    Transport,
    /// What no header describes.
    Payload,
    /// What a program wrote into the packet.
    Program,
    /// Between tail and end.
    Tailroom,
    /// Never written by this packet.
    Unwritten,
}

impl Family {
    /// All families, in the order of a legend.
    pub const ALL: [Self; 10] = [
        Self::Headroom,
        Self::Metadata,
        Self::Ethernet,
        Self::Ipv4,
        Self::Tunnel,
        Self::Transport,
        Self::Payload,
        Self::Program,
        Self::Tailroom,
        Self::Unwritten,
    ];

    /// The family of what a layer wrote.
    #[must_use]
    pub fn of(layer: Layer) -> Self {
        match layer {
            Layer::Unwritten => Self::Unwritten,
            Layer::Metadata => Self::Metadata,
            Layer::ProgramStore => Self::Program,
            Layer::Ethernet => Self::Ethernet,
            Layer::Ipv4 | Layer::Ipv6 | Layer::Ipv6Ext => Self::Ipv4,
            Layer::Vlan => Self::Ethernet,
            Layer::Gre | Layer::L2tp | Layer::Vxlan | Layer::Geneve | Layer::Mpls => Self::Tunnel,
            Layer::Icmp | Layer::Icmpv6 | Layer::Udp | Layer::Tcp => Self::Transport,
            Layer::Payload => Self::Payload,
        }
    }

    /// Short lower-case key, such as `ipv4`; the site's class names and the export's ids.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::Metadata => "metadata",
            Self::Ethernet => "ethernet",
            Self::Ipv4 => "ipv4",
            Self::Tunnel => "tunnel",
            Self::Transport => "transport",
            Self::Payload => "payload",
            Self::Program => "program",
            Self::Tailroom => "tailroom",
            Self::Unwritten => "unwritten",
        }
    }
}

/// Name of a layer in a sentence: *the four bytes are the GRE header*.
#[must_use]
pub fn layer_words(layer: Layer) -> &'static str {
    match layer {
        Layer::Unwritten => "bytes that this packet never wrote",
        Layer::Metadata => "metadata",
        Layer::ProgramStore => "bytes a program wrote",
        Layer::Ethernet => "Ethernet header",
        Layer::Ipv4 => "IPv4 header",
        Layer::Ipv6 => "IPv6 header",
        Layer::Ipv6Ext => "IPv6 extension header",
        Layer::Gre => "GRE header",
        Layer::Icmp => "ICMP header",
        Layer::Icmpv6 => "ICMPv6 header",
        Layer::Vlan => "VLAN tag",
        Layer::Mpls => "MPLS label",
        Layer::Udp => "UDP header",
        Layer::Tcp => "TCP header",
        Layer::Vxlan => "VXLAN header",
        Layer::L2tp => "L2TPv3 header",
        Layer::Geneve => "GENEVE header",
        Layer::Payload => "payload",
    }
}

/// The shortest name of a layer, for a label with no room.
#[must_use]
pub fn layer_short(layer: Layer) -> &'static str {
    match layer {
        Layer::Unwritten => "",
        Layer::Metadata => "tag",
        Layer::ProgramStore => "prog",
        Layer::Ethernet => "Eth",
        Layer::Ipv4 => "IPv4",
        Layer::Ipv6 => "IPv6",
        Layer::Ipv6Ext => "ext",
        Layer::Gre => "GRE",
        Layer::Icmp => "ICMP",
        Layer::Icmpv6 => "ICMPv6",
        Layer::Vlan => "VLAN",
        Layer::Mpls => "MPLS",
        Layer::Udp => "UDP",
        Layer::Tcp => "TCP",
        Layer::Vxlan => "VXLAN",
        Layer::L2tp => "L2TP",
        Layer::Geneve => "GENEVE",
        Layer::Payload => "data",
    }
}
