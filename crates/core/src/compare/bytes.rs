//! Bytes that differ.

use std::ops::Range;

use super::SHOWN_BYTES;
use crate::scene::Row;
use crate::scene::zones::{metadata_range, packet_range};
use crate::trace::{Cursor, PacketFields, PacketView, SourceTable};

/// From the lowest of metadata, `mac_header` and `data` to `tail`.
fn extent(fields: &PacketFields) -> Range<u32> {
    let (data, tail, _) = packet_range(fields);
    let mac = match fields {
        PacketFields::Skb(f) => f.mac_header,
        PacketFields::Xdp(_) => None,
    };
    let meta = metadata_range(fields).map(|(start, _)| start);
    let start = [mac, meta].into_iter().flatten().fold(data, u32::min);
    start..tail
}

/// Compares the bytes that all columns with this step show. A byte that nobody wrote in some column
/// (an old page's content) is no difference.
pub(super) fn differences(cursors: &[Option<Cursor<'_>>], row: &Row) -> Vec<Range<u32>> {
    let view = |(cursor, step): (&'_ Option<Cursor<'_>>, &Option<usize>)| -> Option<Range<u32>> {
        step.as_ref()?;
        Some(extent(cursor.as_ref()?.packet().fields?))
    };
    let extents: Vec<Range<u32>> = cursors.iter().zip(&row.steps).filter_map(view).collect();
    if extents.len() < 2 {
        return Vec::new();
    }
    let start = extents.iter().map(|extent| extent.start).min().unwrap_or(0);
    let end = extents.iter().map(|extent| extent.end).min().unwrap_or(0);
    let views: Vec<PacketView<'_>> = cursors
        .iter()
        .zip(&row.steps)
        .filter_map(|(cursor, step)| step.and(cursor.as_ref()).map(Cursor::packet))
        .filter(|view| view.fields.is_some())
        .collect();
    let mut out: Vec<Range<u32>> = Vec::new();
    for at in start..end {
        if !differs(&views, at as usize) {
            continue;
        }
        match out.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => out.push(at..at + 1),
        }
    }
    out
}

/// The first bytes of a range in each column that has the step.
pub(super) fn values(
    cursors: &[Option<Cursor<'_>>],
    row: &Row,
    range: &Range<u32>,
) -> Vec<Option<String>> {
    let shown = range.start as usize..range.end.min(range.start + SHOWN_BYTES) as usize;
    let of = |(cursor, step): (&Option<Cursor<'_>>, &Option<usize>)| {
        let cursor = step.and(cursor.as_ref())?;
        let bytes = cursor.packet().buffer?.bytes.get(shown.clone())?;
        let mut words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if shown.end < range.end as usize {
            words.push("…".into());
        }
        Some(words.join(" "))
    };
    cursors.iter().zip(&row.steps).map(of).collect()
}

fn differs(views: &[PacketView<'_>], at: usize) -> bool {
    let mut first = None;
    let mut other = false;
    for view in views {
        let Some(buffer) = view.buffer else {
            return false;
        };
        let (Some(byte), Some(origin)) = (buffer.bytes.get(at), buffer.origins.get(at)) else {
            return false;
        };
        if origin.source == SourceTable::UNWRITTEN {
            return false;
        }
        other |= *first.get_or_insert(*byte) != *byte;
    }
    other
}
