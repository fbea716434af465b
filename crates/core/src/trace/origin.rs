//! Where each byte came from. Beside the bytes of a buffer runs a shadow of [`OriginId`]s;
//! memmove moves them, stores set them.

use serde::{Deserialize, Serialize};

use super::step::DevRef;

/// Origin of one byte: which [`Source`] wrote it, and which of the source's bytes it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct OriginId {
    /// Index into [`SourceTable`]. 0 is [`SourceTable::UNWRITTEN`].
    pub source: u16,
    /// Which byte of what the source wrote, from 0.
    pub byte: u16,
}

/// What kind of thing a run of bytes is. The colour families of the site follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Layer {
    /// Never written by this packet (an old page's content, or zero from the allocator).
    Unwritten,
    /// Written by a program into the metadata area.
    Metadata,
    /// Written by a program elsewhere in the packet.
    ProgramStore,
    /// Ethernet header.
    Ethernet,
    /// IPv4 header.
    Ipv4,
    /// IPv6 header.
    Ipv6,
    /// IPv6 extension header.
    Ipv6Ext,
    /// GRE header.
    Gre,
    /// ICMP header.
    Icmp,
    /// ICMPv6 header.
    Icmpv6,
    /// VLAN tag.
    Vlan,
    /// MPLS label stack entry.
    Mpls,
    /// UDP header.
    Udp,
    /// TCP header.
    Tcp,
    /// VXLAN header.
    Vxlan,
    /// L2TPv3 header.
    L2tp,
    /// GENEVE header.
    Geneve,
    /// What no header of ours describes.
    Payload,
}

/// One act of writing: who, where, and what the bytes mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What the bytes are.
    pub layer: Layer,
    /// A label for people, such as `IPv4 10.0.0.2 → 10.0.0.1`.
    pub label: String,
    /// Kernel function or program that wrote them, such as `iptunnel_xmit` or `set_tag`.
    pub writer: String,
    /// Device on which it happened.
    pub dev: Option<DevRef>,
    /// Index of the step that carries the write.
    pub step: usize,
    /// Length of what was written, bytes.
    pub len: u16,
}

/// All sources of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTable {
    pub(super) sources: Vec<Source>,
}

impl SourceTable {
    /// Index of the source "nobody".
    pub const UNWRITTEN: u16 = 0;
}

impl Default for SourceTable {
    fn default() -> Self {
        let unwritten = Source {
            layer: Layer::Unwritten,
            label: "unwritten".into(),
            writer: "allocator".into(),
            dev: None,
            step: 0,
            len: 0,
        };
        Self {
            sources: vec![unwritten],
        }
    }
}

impl SourceTable {
    /// Adds a source and returns its index. A table that is full (65,535 sources) reuses
    /// "unwritten", which is wrong but never dangerous.
    pub fn add(&mut self, source: Source) -> u16 {
        match u16::try_from(self.sources.len()) {
            Ok(index) => {
                self.sources.push(source);
                index
            }
            Err(_) => Self::UNWRITTEN,
        }
    }

    /// Only "unwritten" is left.
    pub(super) fn clear(&mut self) {
        self.sources.truncate(1);
    }

    /// The source of an origin.
    #[must_use]
    pub fn source(&self, origin: OriginId) -> &Source {
        self.sources
            .get(usize::from(origin.source))
            .unwrap_or(&self.sources[0])
    }

    /// Number of sources, "unwritten" included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Never: "unwritten" is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Name of the header field the byte belongs to, such as `protocol`, with the byte's index in it.
    #[must_use]
    pub fn field(&self, origin: OriginId) -> Option<(&'static str, u16)> {
        crate::net::field_at(self.source(origin).layer, usize::from(origin.byte))
    }

    /// What a byte is, in words: `GRE header, protocol, byte 0`.
    #[must_use]
    pub fn describe(&self, origin: OriginId) -> String {
        let source = self.source(origin);
        match self.field(origin) {
            Some((field, byte)) => format!("{}, {field}, byte {byte}", source.label),
            None if source.layer == Layer::Unwritten => "never written".into(),
            None => format!("{}, byte {}", source.label, origin.byte),
        }
    }
}
