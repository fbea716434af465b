//! Two to four traces side by side: designs, and a recording of a real kernel. Rows are lined up by
//! function, device and occurrence ([`align`]); of each row is said what differs.
//!
//! A comparison is counted and named, never judged: what differs between two designs is what the
//! page is for; what differs between a recording and the design it was made under is a mistake.

mod bytes;
mod fields;

use std::ops::Range;

pub use fields::FieldDifference;

use crate::recording::visible::is_visible;
use crate::scene::name::{Point, what};
use crate::scene::{Row, Zoom, align, reads_at};
use crate::trace::{Cursor, MetadataRead, Outcome, Step, StepKind, Trace};

/// Most traces that are compared.
pub const MAX_COLUMNS: usize = 4;

/// Most bytes of a range whose values are told.
pub const SHOWN_BYTES: u32 = 8;

/// What one column has at a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The step.
    Here,
    /// No such step: the design or kernel does not do this.
    Absent,
    /// No such step, because the recorded kernel's compiler left no such function to be seen.
    Hidden,
}

/// What differs at one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Some column lacks the step, and could have it.
    pub absent: bool,
    /// Fields with different values.
    pub fields: Vec<FieldDifference>,
    /// Bytes from the packet's lowest mark to `tail` with different values, offsets from `head`.
    pub bytes: Vec<Range<u32>>,
    /// Of the first of these ranges at most [`SHOWN_BYTES`] bytes in each column, as hexadecimal digits.
    pub first_bytes: Vec<Option<String>>,
    /// Return values, where they differ.
    pub outcomes: Option<Vec<Option<String>>>,
    /// What a program read, where it differs; at the program's exit.
    pub reads: Option<Vec<Option<String>>>,
}

impl Difference {
    /// Nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A row and what differs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The moment.
    pub row: Row,
    /// For each column.
    pub presence: Vec<Presence>,
    /// What differs.
    pub difference: Difference,
}

/// One column of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Column<'t> {
    /// The trace.
    pub trace: &'t Trace,
    /// It is a recording of a kernel.
    pub recorded: bool,
}

/// Lines up and compares; rows in order, those in which nothing differs included.
#[must_use]
pub fn compare(columns: &[Column<'_>], zoom: Zoom) -> Vec<Compared> {
    let traces: Vec<&Trace> = columns.iter().map(|column| column.trace).collect();
    let mut cursors: Vec<Option<Cursor<'_>>> =
        traces.iter().map(|trace| Cursor::new(trace)).collect();
    let mut out = Vec::new();
    for row in align(&traces, zoom) {
        for (cursor, step) in cursors.iter_mut().zip(&row.steps) {
            if let (Some(cursor), Some(step)) = (cursor, step) {
                cursor.go(*step);
            }
        }
        let presence = presence(columns, &row);
        let here: Vec<Option<&Step>> = row
            .steps
            .iter()
            .zip(&traces)
            .map(|(step, trace)| trace.steps.get((*step)?))
            .collect();
        let ranges = bytes::differences(&cursors, &row);
        let first = ranges.first();
        let difference = Difference {
            absent: presence.contains(&Presence::Absent),
            fields: fields::differences(&traces, &here),
            first_bytes: first.map_or_else(Vec::new, |first| bytes::values(&cursors, &row, first)),
            bytes: ranges,
            outcomes: differing(here.iter().map(|step| step.map(outcome))),
            reads: reads(columns, &row),
        };
        out.push(Compared {
            row,
            presence,
            difference,
        });
    }
    out
}

/// The first row from `from` on at which something differs.
#[must_use]
pub fn next_difference(rows: &[Compared], from: usize) -> Option<usize> {
    let differs = |row: &&Compared| !row.difference.is_empty();
    let (at, _) = rows
        .iter()
        .enumerate()
        .skip(from)
        .find(|(_, row)| differs(row))?;
    Some(at)
}

/// The latest row before `before` at which something differs.
#[must_use]
pub fn previous_difference(rows: &[Compared], before: usize) -> Option<usize> {
    let rows = rows.get(..before.min(rows.len()))?;
    rows.iter().rposition(|row| !row.difference.is_empty())
}

fn presence(columns: &[Column<'_>], row: &Row) -> Vec<Presence> {
    let one = |(column, step): (&Column<'_>, &Option<usize>)| match step {
        Some(_) => Presence::Here,
        None if column.recorded && !could_be_seen(columns, column, row) => Presence::Hidden,
        None => Presence::Absent,
    };
    columns.iter().zip(&row.steps).map(one).collect()
}

/// Whether the recorded kernel would show this function, called as the other columns call it.
fn could_be_seen(columns: &[Column<'_>], recorded: &Column<'_>, row: &Row) -> bool {
    let other = columns.iter().zip(&row.steps);
    let step = other
        .filter_map(|(column, step)| Some((column.trace, (*step)?)))
        .next();
    let Some((trace, index)) = step else {
        return true;
    };
    match trace.steps.get(index).map(|step| &step.kind) {
        Some(StepKind::Function { name, .. }) => {
            let caller = caller(trace, index);
            is_visible(&recorded.trace.design, name, caller)
                && !crate::recording::normalise::is_left_out(name, row.name.point)
        }
        // A recording has no instructions.
        Some(StepKind::Insn { .. }) => false,
        _ => true,
    }
}

fn caller(trace: &Trace, index: usize) -> Option<&str> {
    let depth = trace.steps.get(index)?.depth;
    let outer = depth.checked_sub(1)?;
    let before = trace.steps.get(..index)?;
    let step = before.iter().rev().find(|step| step.depth == outer)?;
    Some(what(trace, step))
}

/// The values, if those that are there are not all the same.
fn differing(values: impl Iterator<Item = Option<String>>) -> Option<Vec<Option<String>>> {
    let values: Vec<Option<String>> = values.collect();
    let mut there = values.iter().flatten();
    let first = there.next()?;
    there.any(|value| value != first).then_some(values)
}

fn outcome(step: &Step) -> String {
    match step.outcome {
        Outcome::None => "nothing".into(),
        Outcome::Ret(value) => value.to_string(),
        Outcome::RetSkb(None) => "NULL".into(),
        // Numbers of packets mean identity inside of one trace only.
        Outcome::RetSkb(Some(_)) => "an skb".into(),
    }
}

/// What the program whose exit a row is has read in each column, where it differs. A recording tells a
/// read as the program reported it, a trace as the loads it was made of: where their numbers differ,
/// the worst verdicts are compared.
fn reads(columns: &[Column<'_>], row: &Row) -> Option<Vec<Option<String>>> {
    if row.name.point != Point::Exit {
        return None;
    }
    let of = |(column, step): (&Column<'_>, &Option<usize>)| {
        let reads: Vec<MetadataRead> = reads_at(column.trace, (*step)?)
            .into_iter()
            .cloned()
            .collect();
        (!reads.is_empty()).then_some(reads)
    };
    let all: Vec<Option<Vec<MetadataRead>>> = columns.iter().zip(&row.steps).map(of).collect();
    let texts = || all.iter().map(|reads| reads.as_deref().map(read_words));
    let mut counts = all.iter().flatten().map(Vec::len);
    let first = counts.next()?;
    if counts.all(|count| count == first) {
        return differing(texts());
    }
    let worst = |reads: &Vec<MetadataRead>| {
        reads
            .iter()
            .map(|read| read.verdict)
            .max_by_key(|v| v.badness())
    };
    let verdicts = all
        .iter()
        .map(|reads| Some(worst(reads.as_ref()?)?.word().to_owned()));
    differing(verdicts).map(|_| texts().collect())
}

fn read_words(reads: &[MetadataRead]) -> String {
    let one = |read: &MetadataRead| {
        let value = match (read.value(), read.bytes.len()) {
            (_, 0) => "nothing".to_owned(),
            (Some(value), 4) => value.to_string(),
            (_, len) => format!("{len} bytes"),
        };
        format!("{value}, {}", read.verdict.word())
    };
    reads.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
