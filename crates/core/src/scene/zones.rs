//! What the kernel's fields claim: where metadata, gap, headers and packet are. No byte is looked at.

use crate::trace::{PacketFields, SkbFields, XdpFields};

/// A stretch of the buffer, named by the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZoneKind {
    /// Free space in front.
    Headroom,
    /// Metadata by the design's own formula.
    Metadata,
    /// Between the end of the metadata and the packet.
    Gap,
    /// Headers already pulled, from `mac_header` to `data`.
    Pulled,
    /// From `data` to `tail`.
    Packet,
    /// From `tail` to `end`.
    Tailroom,
}

impl ZoneKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Headroom => "headroom",
            Self::Metadata => "metadata",
            Self::Gap => "gap",
            Self::Pulled => "pulled headers",
            Self::Packet => "packet",
            Self::Tailroom => "tailroom",
        }
    }
}

/// One zone; offsets are bytes from `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Which.
    pub kind: ZoneKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Metadata range by the design's formula, if there are any.
#[must_use]
pub fn metadata_range(fields: &PacketFields) -> Option<(u32, u32)> {
    match fields {
        PacketFields::Skb(SkbFields { meta, .. }) if meta.len > 0 => Some((meta.start?, meta.end?)),
        PacketFields::Xdp(XdpFields {
            data_meta, data, ..
        }) if data_meta < data => Some((*data_meta, *data)),
        PacketFields::Skb(_) | PacketFields::Xdp(_) => None,
    }
}

/// What the kernel keeps for `skb_shared_info` at the end of a frame, bytes:
/// `SKB_DATA_ALIGN(sizeof(struct skb_shared_info))` on x86-64.
pub const SHARED_INFO: u32 = 320;

/// `data`, `tail` and `end` (`data`, `data_end` and `xdp_data_hard_end()` for XDP).
#[must_use]
pub fn packet_range(fields: &PacketFields) -> (u32, u32, u32) {
    match fields {
        PacketFields::Skb(f) => (f.data, f.tail, f.end),
        PacketFields::Xdp(f) => (
            f.data,
            f.data_end,
            f.frame_sz.saturating_sub(SHARED_INFO).max(f.data_end),
        ),
    }
}

/// The zones, from `head` to `end`; empty ones are left out. They overlap only when a design's
/// fields do (metadata that reach into the packet).
#[must_use]
pub fn zones(fields: &PacketFields) -> Vec<Zone> {
    let (data, tail, end) = packet_range(fields);
    let first = match fields {
        PacketFields::Skb(f) => f.mac_header.map_or(data, |mac| mac.min(data)),
        PacketFields::Xdp(_) => data,
    };
    let meta = metadata_range(fields);
    let headroom_end = meta.map_or(first, |(start, _)| start.min(first));
    let mut zones = vec![Zone {
        kind: ZoneKind::Headroom,
        start: 0,
        end: headroom_end,
    }];
    if let Some((start, end)) = meta {
        zones.push(Zone {
            kind: ZoneKind::Metadata,
            start,
            end,
        });
        zones.push(Zone {
            kind: ZoneKind::Gap,
            start: end,
            end: first,
        });
    }
    zones.push(Zone {
        kind: ZoneKind::Pulled,
        start: first,
        end: data,
    });
    zones.push(Zone {
        kind: ZoneKind::Packet,
        start: data,
        end: tail,
    });
    zones.push(Zone {
        kind: ZoneKind::Tailroom,
        start: tail,
        end,
    });
    zones.retain(|zone| zone.start < zone.end);
    zones
}
