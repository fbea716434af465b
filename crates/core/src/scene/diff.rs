//! The writes of one step, one by one, and what is another between two moments.

use super::changes::{FieldChange, changes};
use super::explain::{count_bytes, span};
use super::name::what;
use crate::trace::{ByteWrite, Trace};

/// A moment: after a step, or after one of its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Index of the step.
    pub step: usize,
    /// After which of [`own_writes`], from 1; 0 is after all of the step.
    pub write: u32,
}

/// Bytes beside each other that are others than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteChange {
    /// Offset of the first, from `head`.
    pub start: u32,
    /// Before.
    pub old: Vec<u8>,
    /// Now; as many.
    pub new: Vec<u8>,
}

/// What is another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// Fields of the packet. None if it was not there before.
    pub fields: Vec<FieldChange>,
    /// Bytes of its buffer, in order. A buffer that is made or taken is no change.
    pub bytes: Vec<ByteChange>,
}

/// The writes of a step into the buffer that its packet is in then, with their indexes in
/// [`Trace::writes`]. Making a buffer is no write.
pub fn own_writes(trace: &Trace, step: usize) -> impl Iterator<Item = (usize, &ByteWrite)> {
    let now = trace.steps.get(step);
    let buffer = now.and_then(|step| step.buffer);
    let range = now.map_or(0..0, |step| step.writes.clone());
    let start = range.start;
    let writes = trace.writes.get(range).unwrap_or_default();
    let numbered = writes.iter().enumerate();
    numbered
        .map(move |(index, write)| (start + index, write))
        .filter(move |(_, write)| Some(write.buffer) == buffer && !write.old.is_empty())
}

/// How many of the trace's writes have been made at a moment.
#[must_use]
pub fn writes_made(trace: &Trace, at: Moment) -> usize {
    let all = trace.steps.get(at.step).map_or(0, |step| step.writes.end);
    match at.write.checked_sub(1) {
        None => all,
        Some(before) => {
            let own = own_writes(trace, at.step).nth(before as usize);
            own.map_or(all, |(index, _)| index + 1)
        }
    }
}

/// What is another at `to` than at `from`, an earlier moment, in the packet of `to`.
#[must_use]
pub fn between(trace: &Trace, from: Moment, to: Moment) -> Diff {
    let Some(now) = trace.steps.get(to.step) else {
        return Diff::default();
    };
    let range = writes_made(trace, from)..writes_made(trace, to);
    let writes = trace.writes.get(range).unwrap_or_default().iter();
    let writes: Vec<&ByteWrite> = writes
        .filter(|write| Some(write.buffer) == now.buffer && !write.old.is_empty())
        .collect();
    let bytes = byte_changes(&writes);
    let of = |index: usize| trace.fields.get(trace.steps.get(index)?.fields?);
    let before = trace.before_from(to.step, from.step + 1);
    let fields = match (before.and_then(of), of(to.step)) {
        (Some(before), Some(now)) if from.step != to.step => changes(before, now),
        _ => Vec::new(),
    };
    Diff { fields, bytes }
}

/// Bytes that are others after some writes than before them.
fn byte_changes(writes: &[&ByteWrite]) -> Vec<ByteChange> {
    let end = |write: &&ByteWrite| write.offset + write.new.len() as u32;
    let first = writes.iter().map(|write| write.offset).min().unwrap_or(0);
    let last = writes.iter().map(end).max().unwrap_or(first);
    // Of each byte in the reach of the writes: before the first of them, and now.
    let mut touched: Vec<Option<(u8, u8)>> = vec![None; (last - first) as usize];
    for write in writes {
        let reach = touched.iter_mut().skip((write.offset - first) as usize);
        for ((place, (old, _)), (new, _)) in reach.zip(&write.old).zip(&write.new) {
            place.get_or_insert((*old, *new)).1 = *new;
        }
    }
    let mut bytes: Vec<ByteChange> = Vec::new();
    for (at, both) in (first..).zip(touched) {
        let Some((old, new)) = both.filter(|(old, new)| old != new) else {
            continue;
        };
        match bytes.last_mut() {
            Some(last) if last.start + last.new.len() as u32 == at => {
                last.old.push(old);
                last.new.push(new);
            }
            _ => bytes.push(ByteChange {
                start: at,
                old: vec![old],
                new: vec![new],
            }),
        }
    }
    bytes
}

/// The sentence of one write of a step; empty when there is none.
#[must_use]
pub fn write_sentence(trace: &Trace, at: Moment) -> String {
    let number = at.write.saturating_sub(1) as usize;
    let count = own_writes(trace, at.step).count();
    let (Some(step), Some((_, write))) = (
        trace.steps.get(at.step),
        own_writes(trace, at.step).nth(number),
    ) else {
        return String::new();
    };
    let len = write.new.len() as u32;
    let place = span(write.offset, write.offset + len);
    let what_happens = match write.moved_from {
        Some(from) => format!(
            "{} from {} go to {place}",
            count_bytes(write.new.len()),
            span(from, from + len)
        ),
        None => format!("{} at {place}", count_bytes(write.new.len())),
    };
    let hex = |bytes: &[(u8, crate::trace::OriginId)]| {
        const MOST: usize = 16;
        let shown = bytes.iter().take(MOST);
        let mut parts: Vec<String> = shown.map(|(byte, _)| format!("{byte:02x}")).collect();
        if bytes.len() > MOST {
            parts.push("…".into());
        }
        parts.join(" ")
    };
    format!(
        "{}, write {} of {count}: {what_happens}. They were {} and are {}.",
        what(trace, step),
        at.write,
        hex(&write.old),
        hex(&write.new)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, step_at};

    fn whole(step: usize) -> Moment {
        Moment { step, write: 0 }
    }

    #[test]
    fn a_diff_is_the_bytes_and_fields_that_are_others() {
        let trace = decap("meta_end");
        let before = step_at(&trace, "bpf_skb_meta_realign.entry@decap#1");
        let after = step_at(&trace, "bpf_skb_meta_realign.exit@decap#1");
        let diff = between(&trace, whole(before), whole(after));
        // GRE's 00 00 08 00 at 290 becomes 2a 00 00 00: the second and the fourth byte stay.
        let change = |start, old, new| ByteChange {
            start,
            old: vec![old],
            new: vec![new],
        };
        assert_eq!(
            diff.bytes,
            [change(290, 0x00, 0x2a), change(292, 0x08, 0x00)]
        );
        assert!(
            diff.fields
                .iter()
                .any(|field| (field.name, field.new.as_str()) == ("meta_end", "294")),
            "{diff:?}"
        );
        assert_eq!(between(&trace, whole(after), whole(after)), Diff::default());
    }

    #[test]
    fn a_moment_within_a_step_has_some_of_its_writes() {
        let trace = decap("meta_end");
        let step = (0..trace.steps.len())
            .max_by_key(|step| own_writes(&trace, *step).count())
            .expect("steps");
        let all: Vec<usize> = own_writes(&trace, step).map(|(index, _)| index).collect();
        for (number, index) in (1u32..).zip(&all) {
            let at = Moment {
                step,
                write: number,
            };
            assert_eq!(writes_made(&trace, at), index + 1);
            assert!(
                write_sentence(&trace, at).contains(&format!("write {number} of {}", all.len()))
            );
        }
        let beyond = Moment {
            step,
            write: all.len() as u32 + 1,
        };
        assert_eq!(writes_made(&trace, beyond), trace.steps[step].writes.end);
        assert_eq!(write_sentence(&trace, beyond), "");
    }
}
