//! The picture as a table of words, for those who hear the page and for plain text.

use super::explain::span;
use super::pointers::pointers;
use super::regions::regions;
use super::zones::zones;
use crate::trace::{Fragment, PacketFields, PacketView, Trace};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow {
    /// `pointer`, `zone`, `bytes` or `fragment`.
    pub kind: &'static str,
    /// Offset or range, from `head`; of a fragment, its buffer and the range there.
    pub place: String,
    /// What is there.
    pub what: String,
}

/// Zones, runs of bytes and pointers of a packet, in words.
#[must_use]
pub fn text_table(trace: &Trace, view: &PacketView<'_>) -> Vec<TextRow> {
    let Some(fields) = view.fields else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for zone in zones(fields) {
        rows.push(TextRow {
            kind: "zone",
            place: span(zone.start, zone.end),
            what: zone.kind.word().into(),
        });
    }
    for region in regions(trace, view) {
        let done = if region.stale {
            ", in front of the packet"
        } else {
            ""
        };
        rows.push(TextRow {
            kind: "bytes",
            place: span(region.start, region.end),
            what: format!("{}{done}", region.label),
        });
    }
    rows.extend(fragments(fields).iter().enumerate().map(fragment_row));
    for (name, offset) in pointers(trace, view) {
        rows.push(TextRow {
            kind: "pointer",
            place: offset.to_string(),
            what: name.into(),
        });
    }
    rows
}

/// Where the bytes behind the linear part are.
#[must_use]
pub fn fragments(fields: &PacketFields) -> &[Fragment] {
    match fields {
        PacketFields::Skb(skb) => &skb.fragments,
        PacketFields::Xdp(xdp) => &xdp.fragments,
    }
}

/// A fragment as a line: its page, and the bytes in it.
fn fragment_row((i, fragment): (usize, &Fragment)) -> TextRow {
    let Fragment {
        skb,
        buffer,
        offset,
        len,
    } = fragment;
    let what = match skb {
        None => format!("fragment {i}, {len} bytes"),
        Some(skb) => format!("fragment {i}, {len} bytes of packet {} in frag_list", skb.0),
    };
    TextRow {
        kind: "fragment",
        place: format!("buffer {}: {}", buffer.0, span(*offset, offset + len)),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, view_at};

    #[test]
    fn the_table_says_what_the_picture_shows() {
        let trace = decap("mac_header");
        let rows = view_at(&trace, "get_tag.entry@decap#1", |view| {
            text_table(&trace, &view)
        });
        let has = |kind, place: &str, what: &str| {
            rows.iter()
                .any(|r| r.kind == kind && r.place == place && r.what == what)
        };
        assert!(has("zone", "290–293", "metadata"), "{rows:?}");
        assert!(
            has("bytes", "290–293", "GRE, in front of the packet"),
            "{rows:?}"
        );
        assert!(
            has("bytes", "252–255", "tag, in front of the packet"),
            "{rows:?}"
        );
        assert!(has("pointer", "294", "mac_header"), "{rows:?}");
    }
}
