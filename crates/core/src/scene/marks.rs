//! What happened to bytes at a step: read, moved, written.

use super::explain::{outside, reads_at};
use super::family::layer_words;
use super::sentence::{is_wide, own_entry};
use crate::trace::{Layer, Trace, Verdict};

/// Bytes that were read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadMark {
    /// First byte.
    pub start: u32,
    /// One past the last byte; the first one where no byte of this buffer was read, for the metadata are kept elsewhere.
    pub end: u32,
    /// Left edge.
    pub x: f64,
    /// Width; 0 where no byte of this buffer was read.
    pub width: f64,
    /// How true the read was.
    pub verdict: Verdict,
    /// The bytes in hex.
    pub hex: String,
    /// As a number, if four bytes or more were read.
    pub value: Option<u32>,
    /// A word or two: `garbage: the GRE header`, `the bytes set_tag wrote`.
    pub note: String,
}

/// Bytes that were moved inside the buffer.
#[derive(Debug, Clone, PartialEq)]
pub struct MoveMark {
    /// Bytes.
    pub len: u32,
    /// From, offset.
    pub from: u32,
    /// To, offset.
    pub to: u32,
    /// Middle of the old place.
    pub from_x: f64,
    /// Middle of the new place.
    pub to_x: f64,
    /// Who moved them.
    pub by: String,
}

/// The ranges written in the step's buffer: by the whole function or program at its exit, since
/// the step before otherwise. Creating a buffer is no write.
#[must_use]
pub fn written_ranges(trace: &Trace, step: usize) -> Vec<std::ops::Range<u32>> {
    writes_since(trace, step)
        .map(|write| write.offset..write.offset + write.new.len() as u32)
        .collect()
}

/// Writes into the step's buffer that a step tells of.
pub(crate) fn writes_since(
    trace: &Trace,
    step: usize,
) -> impl Iterator<Item = &crate::trace::ByteWrite> {
    let now = trace.steps.get(step);
    let (buffer, own) = (
        now.and_then(|s| s.buffer),
        now.map_or(0..0, |s| s.writes.clone()),
    );
    let start = match own_entry(trace, step) {
        Some(entry) if !is_wide(entry, step) => trace.steps[entry].writes.end.min(own.end),
        _ => own.start,
    };
    trace.writes[start..own.end]
        .iter()
        .filter(move |write| Some(write.buffer) == buffer && !write.old.is_empty())
}

pub(super) fn read_marks(trace: &Trace, step: usize, x: &impl Fn(u32) -> f64) -> Vec<ReadMark> {
    let mark = |read: &crate::trace::MetadataRead| {
        let start = read.offset?;
        let here = if outside(trace, read) {
            0..0
        } else {
            start..start + read.bytes.len() as u32
        };
        let std::ops::Range { start, end } = here;
        let hex: Vec<String> = read
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(ReadMark {
            start,
            end,
            x: x(start),
            width: x(end) - x(start),
            verdict: read.verdict,
            hex: hex.join(" "),
            value: read.value(),
            note: note(trace, read),
        })
    };
    reads_at(trace, step).into_iter().filter_map(mark).collect()
}

fn note(trace: &Trace, read: &crate::trace::MetadataRead) -> String {
    let Some(first) = read.origins.first() else {
        return String::new();
    };
    let source = trace.sources.source(*first);
    let one_owner = read
        .origins
        .iter()
        .all(|origin| origin.source == first.source);
    match read.verdict {
        Verdict::Ok => format!("the bytes {} wrote", source.writer),
        Verdict::Garbage if one_owner => {
            let words = layer_words(source.layer);
            match source.layer {
                Layer::Unwritten | Layer::ProgramStore => format!("garbage: {words}"),
                _ => format!("garbage: the {words}"),
            }
        }
        Verdict::Garbage => "garbage: bytes of more than one header".into(),
        Verdict::Overwritten => "overwritten".into(),
        Verdict::Lost => "lost".into(),
        Verdict::None => "none were written".into(),
    }
}

pub(super) fn move_marks(trace: &Trace, step: usize, x: &impl Fn(u32) -> f64) -> Vec<MoveMark> {
    let mark = |write: &crate::trace::ByteWrite| {
        let (from, to, len) = (write.moved_from?, write.offset, write.new.len() as u32);
        let middle = |start: u32| f64::midpoint(x(start), x(start + len));
        Some(MoveMark {
            len,
            from,
            to,
            from_x: middle(from),
            to_x: middle(to),
            by: mover(trace, step, write),
        })
    };
    writes_since(trace, step).filter_map(mark).collect()
}

fn mover(trace: &Trace, up_to: usize, write: &crate::trace::ByteWrite) -> String {
    let holds = |step: &&crate::trace::Step| {
        trace.writes[step.writes.clone()]
            .iter()
            .any(|w| std::ptr::eq(w, write))
    };
    let step = trace.steps.get(..=up_to).into_iter().flatten().find(holds);
    step.map(|step| super::name::what(trace, step).to_owned())
        .unwrap_or_default()
}
