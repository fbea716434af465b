//! What a step says of the place where a design looks for metadata, and of what is there.

use super::changes::{BELOW_HEAD, FieldChange, NOT_SET};
use super::explain::{span, whereabouts};
use super::sentence::baseline;
use super::zones::{ZoneKind, metadata_range, zones};
use crate::trace::{Cursor, Layer, MetadataRead, PacketFields, Trace};

/// Where the metadata are by the formula, where that has changed or a gap opens behind them; at a packet's first step alone
/// if they are not there.
pub(super) fn formula_words(
    trace: &Trace,
    step: usize,
    change: Option<&FieldChange>,
    nothing_written: bool,
) -> String {
    let (old, new) = match change {
        Some(change) => (change.old.as_str(), change.new.as_str()),
        None if baseline(trace, step).is_some() => return gap_words(trace, step),
        None => (NONE, NOT_SET),
    };
    let old = if old == NOT_SET { NONE } else { old };
    // Where only the formula has changed, that is said; of a new place it is told whether it is the right one.
    if new != NONE
        && (old == NONE || !nothing_written)
        && let Some((range, place)) = astray(trace, step)
    {
        return format!(" The formula for the metadata gives {range}, but none are there.{place}");
    }
    match (old, new, nothing_written) {
        (_, BELOW_HEAD, _) => {
            " The formula for the metadata leads below head, into memory that is not the packet's."
                .into()
        }
        (NONE, NOT_SET, _) => String::new(),
        (NONE, new, _) => format!(" The metadata are at {new}."),
        (old, NONE, _) => {
            let before = baseline(trace, step);
            let were = match before.and_then(|before| astray(trace, before)) {
                Some(_) => "the formula gave",
                None => "they were at",
            };
            format!(" There are no metadata any more; {were} {old}.")
        }
        (old, new, true) => format!(
            " The formula for the metadata now gives {new} and no longer {old}; no byte moved."
        ),
        (old, new, false) => format!(" The metadata are at {new} and no longer at {old}."),
    }
}

/// What the field `metadata` says of a packet that has none.
const NONE: &str = "none";

/// The packet's design looks for metadata where there are none, although a program left some, or reads there later: the
/// place, and a sentence on where they are, if they are in the buffer. `None` for a frame: what makes room for metadata comes before
/// them.
fn astray(trace: &Trace, step: usize) -> Option<(String, String)> {
    let now = trace.steps.get(step)?;
    let fields = trace.fields.get(now.fields?)?;
    let (PacketFields::Skb(_), Some((start, end))) = (fields, metadata_range(fields)) else {
        return None;
    };
    let mut cursor = Cursor::new(trace)?;
    cursor.go(step);
    let packet = cursor.packet().buffer?;
    let there = packet.origins.get(start as usize..end as usize)?;
    let is_metadata = |origin| trace.sources.source(origin).layer == Layer::Metadata;
    if there.iter().copied().any(is_metadata) {
        return None;
    }
    let misread = |read: &MetadataRead| {
        read.verdict.is_wrong() && read.step >= step && Some(read.buffer) == now.buffer
    };
    let place = match whereabouts(trace, step, Some(start)) {
        Some(place) => format!(" {place}"),
        None if trace.reads.iter().any(misread) => String::new(),
        None => return None,
    };
    Some((span(start, end), place))
}

/// ` The metadata stay at 252–255, with a gap of 38 bytes behind them.` when a gap opens or changes.
fn gap_words(trace: &Trace, step: usize) -> String {
    let fields = |index: usize| trace.fields.get(trace.steps.get(index)?.fields?);
    let gap = |fields: &PacketFields| {
        zones(fields)
            .into_iter()
            .find(|zone| zone.kind == ZoneKind::Gap)
            .map(|gap| gap.end - gap.start)
    };
    let (Some(now), Some(before)) = (fields(step), baseline(trace, step).and_then(fields)) else {
        return String::new();
    };
    match (gap(now), metadata_range(now)) {
        (Some(size), Some((start, end))) if gap(before) != Some(size) => {
            format!(
                " The metadata stay at {}, with a gap of {size} bytes behind them.",
                span(start, end)
            )
        }
        _ => String::new(),
    }
}
