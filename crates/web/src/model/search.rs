//! Rows at which something happens that the reader asks for.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::Row;
use headroom_core::scene::search::{Query, QueryError};
use headroom_core::trace::Trace;

use super::derive::traces;
use super::{By, Model};
use crate::data::Outcome;

/// The rows that were found, in order; or why the text is no query; nothing for an empty text.
pub type Found = Option<Result<Arc<Vec<usize>>, QueryError>>;

/// Rows of the shown traces at which a query holds.
pub(super) fn found(
    text: &str,
    rows: &[Row],
    outcome: RwSignal<Arc<Outcome>>,
    designs: &[usize],
) -> Found {
    let query = match Query::parse(text) {
        Ok(query) => query?,
        Err(error) => return Some(Err(error)),
    };
    let mut hits = vec![false; rows.len()];
    for (column, trace) in traces(outcome, designs).iter().enumerate() {
        for row in rows_of(rows, column, &query, trace) {
            if let Some(hit) = hits.get_mut(row) {
                *hit = true;
            }
        }
    }
    let rows = hits.iter().enumerate().filter(|(_, hit)| **hit);
    Some(Ok(Arc::new(rows.map(|(row, _)| row).collect())))
}

/// A step that has no row of its own (an instruction, seen from far) is at the next row after it.
fn rows_of(rows: &[Row], column: usize, query: &Query, trace: &Trace) -> Vec<usize> {
    let mut steps = query.steps(trace).into_iter().peekable();
    let mut out = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(here) = row.steps.get(column).copied().flatten() else {
            continue;
        };
        // Of the writes of a step the step itself tells, which stands behind them.
        if row.name.write > 0 {
            continue;
        }
        let mut hit = false;
        while steps.next_if(|step| *step <= here).is_some() {
            hit = true;
        }
        if hit {
            out.push(index);
        }
    }
    out
}

impl Model {
    /// Goes to the next row that was found, or to the one before; round at the ends.
    pub fn go_found(&self, forward: bool) {
        let at = self.at.get_untracked();
        let to = self.found.with_untracked(|found| {
            let rows = found.as_ref()?.as_ref().ok()?;
            if forward {
                rows.iter().find(|row| **row > at).or(rows.first()).copied()
            } else {
                rows.iter().rfind(|row| **row < at).or(rows.last()).copied()
            }
        });
        match to {
            Some(row) => self.go(row, By::Jump),
            None => self
                .spoken
                .set("Nothing of that kind happens in this run.".into()),
        }
    }

    /// Whether playing stops at a row.
    pub(super) fn stops_at(&self, row: usize) -> bool {
        self.found.with_untracked(|found| {
            let rows = found.as_ref().and_then(|found| found.as_ref().ok());
            rows.is_some_and(|rows| rows.binary_search(&row).is_ok())
        })
    }
}
