//! One file a protocol: a header is a table of named byte ranges. The same table feeds labels,
//! origins and tooltips, so a field is named once.

pub mod arp;
pub mod checksum;
pub mod dissect;
pub mod ethernet;
mod fields;
pub mod geneve;
pub mod gre;
pub mod headlen;
pub mod icmp;
pub mod icmpv6;
pub mod ipv4;
pub mod ipv6;
pub mod l2tp;
pub mod mpls;
pub mod ndisc;
pub mod pcap;
pub mod tcp;
pub mod udp;
pub mod vlan;
pub mod vxlan;

use crate::trace::Layer;

/// A named byte range of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The standard's name, such as `protocol`.
    pub name: &'static str,
    /// First byte, from the start of the header.
    pub start: usize,
    /// Bytes.
    pub len: usize,
}

/// Shorthand for header tables.
pub(crate) const fn field(name: &'static str, start: usize, len: usize) -> Field {
    Field { name, start, len }
}

/// The fields of a layer's header, in order.
#[must_use]
pub fn fields(layer: Layer) -> &'static [Field] {
    match layer {
        Layer::Ethernet => &ethernet::FIELDS,
        Layer::Ipv4 => &ipv4::FIELDS,
        Layer::Ipv6 => &ipv6::FIELDS,
        Layer::Ipv6Ext => &ipv6::EXT_FIELDS,
        Layer::Gre => &gre::FIELDS,
        Layer::Icmp | Layer::Icmpv6 => &icmp::FIELDS,
        Layer::Vlan => &vlan::FIELDS,
        Layer::Mpls => &mpls::FIELDS,
        Layer::Udp => &udp::FIELDS,
        Layer::Tcp => &tcp::FIELDS,
        Layer::Vxlan => &vxlan::FIELDS,
        Layer::L2tp => &l2tp::FIELDS,
        Layer::Geneve => &geneve::FIELDS,
        Layer::Unwritten | Layer::Metadata | Layer::ProgramStore | Layer::Payload => &[],
    }
}

/// Name of the field that byte `byte` of a header belongs to, and the byte's index in it.
#[must_use]
pub fn field_at(layer: Layer, byte: usize) -> Option<(&'static str, u16)> {
    fields(layer)
        .iter()
        .find(|field| (field.start..field.start + field.len).contains(&byte))
        .map(|field| (field.name, (byte - field.start) as u16))
}
