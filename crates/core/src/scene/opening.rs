//! Where a run is opened: at the step it is about.

use std::borrow::Borrow;

use super::align::Row;
use super::explain::reads_at;
use super::name::Point;
use crate::trace::Trace;

/// Rows at which a program run has ended that read something else than its metadata. `traces` are
/// the columns of the rows.
#[must_use]
pub fn wrong_rows<T: Borrow<Trace>>(rows: &[Row], traces: &[T]) -> Vec<usize> {
    let wrong = |row: &Row| {
        row.name.point == Point::Exit
            && row.steps.iter().zip(traces).any(|(step, trace)| {
                let reads = step.map(|step| reads_at(trace.borrow(), step));
                reads
                    .unwrap_or_default()
                    .iter()
                    .any(|read| read.verdict.is_wrong())
            })
    };
    rows.iter()
        .enumerate()
        .filter(|(_, row)| wrong(row))
        .map(|(index, _)| index)
        .collect()
}

/// The first wrong read, which is what a run is about; else its start.
#[must_use]
pub fn opening<T: Borrow<Trace>>(rows: &[Row], traces: &[T]) -> usize {
    wrong_rows(rows, traces).first().copied().unwrap_or(0)
}
