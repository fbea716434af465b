//! What the bytes are: runs of bytes that one source wrote, in one piece.

use super::family::{Family, layer_short};
use super::zones::{metadata_range, packet_range};
use crate::trace::{Layer, PacketFields, PacketView, SourceTable, Trace};

/// A run of bytes of one origin; offsets are bytes from `head`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region {
    /// Colour family.
    pub family: Family,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Label, such as `IPv4 10.0.0.2 → 10.0.0.1`.
    pub label: String,
    /// Label for a narrow place, such as `IPv4`.
    pub short: String,
    /// Index of the source in the trace's table.
    pub source: u16,
    /// In front of `data` and not metadata: the kernel is done with these bytes.
    pub stale: bool,
}

/// The regions of a packet's buffer, from `head` to `end`, without holes.
/// Empty when the packet is not there.
#[must_use]
pub fn regions(trace: &Trace, view: &PacketView<'_>) -> Vec<Region> {
    let (Some(fields), Some(buffer)) = (view.fields, view.buffer) else {
        return Vec::new();
    };
    let (data, tail, end) = packet_range(fields);
    let meta = metadata_range(fields);
    let tail = (tail as usize).min(buffer.origins.len());
    let cuts = [
        Some(data),
        meta.map(|(start, _)| start),
        meta.map(|(_, end)| end),
    ];

    let mut out: Vec<Region> = Vec::new();
    let mut start = 0;
    while start < tail {
        let first = buffer.origins[start];
        let mut stop = start + 1;
        while stop < tail
            && !cuts.contains(&Some(stop as u32))
            && follows(first, buffer.origins[stop], stop - start)
        {
            stop += 1;
        }
        out.push(region(
            trace,
            fields,
            first.source,
            start as u32,
            stop as u32,
            meta,
        ));
        start = stop;
    }
    // Cuts make no sense in free space: one headroom, not three.
    merge_unwritten(&mut out);
    name_headroom(&mut out);
    if (tail as u32) < end {
        out.push(plain(Family::Tailroom, tail as u32, end, "tailroom"));
    }
    out
}

fn follows(first: crate::trace::OriginId, next: crate::trace::OriginId, distance: usize) -> bool {
    first.source == next.source
        && (first.source == SourceTable::UNWRITTEN
            || usize::from(next.byte) == usize::from(first.byte) + distance)
}

fn region(
    trace: &Trace,
    fields: &PacketFields,
    source_index: u16,
    start: u32,
    end: u32,
    meta: Option<(u32, u32)>,
) -> Region {
    let origin = crate::trace::OriginId {
        source: source_index,
        byte: 0,
    };
    let source = trace.sources.source(origin);
    let (data, _, _) = packet_range(fields);
    let in_meta = meta.is_some_and(|(from, to)| from <= start && end <= to);
    let stale = end <= data && !(in_meta && source.layer == Layer::Metadata);
    Region {
        family: Family::of(source.layer),
        start,
        end,
        label: source.label.clone(),
        short: layer_short(source.layer).to_owned(),
        source: source_index,
        stale,
    }
}

fn plain(family: Family, start: u32, end: u32, label: &str) -> Region {
    Region {
        family,
        start,
        end,
        label: label.into(),
        short: label.into(),
        source: SourceTable::UNWRITTEN,
        stale: false,
    }
}

fn merge_unwritten(regions: &mut Vec<Region>) {
    regions.dedup_by(|next, before| {
        let join = next.family == Family::Unwritten && before.family == Family::Unwritten;
        if join {
            before.end = next.end;
        }
        join
    });
}

/// Never-written bytes in front of everything else are headroom.
fn name_headroom(regions: &mut [Region]) {
    if let Some(first) = regions
        .first_mut()
        .filter(|first| first.family == Family::Unwritten && first.start == 0)
    {
        *first = plain(Family::Headroom, first.start, first.end, "headroom");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, view_at};
    use crate::scene::zones::{ZoneKind, zones};

    fn brief(trace: &Trace, step: &str) -> Vec<(Family, u32, u32, bool)> {
        view_at(trace, step, |view| {
            regions(trace, &view)
                .iter()
                .map(|r| (r.family, r.start, r.end, r.stale))
                .collect()
        })
    }

    /// 256 bytes of headroom, of which the program takes the last four; 14 + 20 + 4 + 20 + 8 + 8 bytes of packet.
    #[test]
    fn before_decap_each_header_is_one_region() {
        let trace = decap("mac_header");
        assert_eq!(
            brief(&trace, "set_tag.exit@rx#1"),
            [
                (Family::Headroom, 0, 252, false),
                (Family::Metadata, 252, 256, false),
                (Family::Ethernet, 256, 270, false),
                (Family::Ipv4, 270, 290, false),
                (Family::Tunnel, 290, 294, false),
                (Family::Ipv4, 294, 314, false),
                (Family::Transport, 314, 322, false),
                (Family::Payload, 322, 330, false),
                (Family::Tailroom, 330, 384, false),
            ]
        );
    }

    #[test]
    fn after_decap_the_outer_headers_are_stale() {
        let trace = decap("mac_header");
        let stale: Vec<_> = brief(&trace, "get_tag.entry@decap#1")
            .into_iter()
            .filter(|r| r.3)
            .map(|r| (r.1, r.2))
            .collect();
        assert_eq!(
            stale,
            [(252, 256), (256, 270), (270, 290), (290, 294)],
            "the tag too: the formula left it"
        );
    }

    #[test]
    fn zones_tell_the_two_designs_apart() {
        let of = |design| {
            let trace = decap(design);
            view_at(&trace, "get_tag.entry@decap#1", |view| {
                let zones = zones(view.fields.expect("a packet"));
                zones
                    .iter()
                    .map(|z| (z.kind, z.start, z.end))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            of("mac_header"),
            [
                (ZoneKind::Headroom, 0, 290),
                (ZoneKind::Metadata, 290, 294),
                (ZoneKind::Packet, 294, 330),
                (ZoneKind::Tailroom, 330, 384)
            ]
        );
        assert_eq!(
            of("meta_end"),
            [
                (ZoneKind::Headroom, 0, 252),
                (ZoneKind::Metadata, 252, 256),
                (ZoneKind::Gap, 256, 294),
                (ZoneKind::Packet, 294, 330),
                (ZoneKind::Tailroom, 330, 384)
            ]
        );
    }

    #[test]
    fn after_realign_the_old_copy_is_a_stale_region() {
        let trace = decap("meta_end");
        let metadata: Vec<_> = brief(&trace, "get_tag.exit@decap#1")
            .into_iter()
            .filter(|r| r.0 == Family::Metadata)
            .collect();
        assert_eq!(
            metadata,
            [
                (Family::Metadata, 252, 256, true),
                (Family::Metadata, 290, 294, false)
            ]
        );
    }
}
