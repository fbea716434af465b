//! What follows from traces and rows.

use std::ops::Range;
use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::diff::write_sentence;
use headroom_core::scene::name::{Point, StepName};
use headroom_core::scene::{Row, Zoom, sentence};
use headroom_core::trace::Trace;

use crate::data::Outcome;
use crate::frame::Frame;

/// The traces of some designs.
pub(super) fn traces(outcome: RwSignal<Arc<Outcome>>, designs: &[usize]) -> Vec<Arc<Trace>> {
    outcome.with(|outcome| {
        designs
            .iter()
            .filter_map(|design| outcome.trace(*design).cloned())
            .collect()
    })
}

/// Cuts the rows where an outermost call begins.
pub(super) fn sends(rows: &[Row], traces: &[Arc<Trace>]) -> Vec<Range<usize>> {
    let outermost = |row: &Row| {
        let steps = row
            .steps
            .iter()
            .zip(traces)
            .filter_map(|(step, trace)| trace.steps.get((*step)?));
        row.name.point == Point::Entry && steps.map(|step| step.depth).min() == Some(0)
    };
    // The writes of a step stand before it.
    let first = |index: usize, row: &Row| {
        let before = index.checked_sub(1).and_then(|before| rows.get(before));
        before.is_none_or(|before| !before.name.same_step(&row.name))
    };
    let starts: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(index, row)| outermost(row) && first(*index, row))
        .map(|(index, _)| index)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([rows.len()]);
    let mut out: Vec<Range<usize>> = starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect();
    match out.first_mut() {
        Some(first) => first.start = 0,
        None => out.push(0..rows.len()),
    }
    out
}

/// An instruction has no row at the coarse level; its program's exit stands for it.
pub(super) fn settle(mut name: StepName, zoom: Zoom) -> StepName {
    if zoom != Zoom::Writes {
        name.write = 0;
    }
    match (name.point, zoom) {
        (Point::Insn(_) | Point::Prologue(_), Zoom::Functions) => StepName {
            point: Point::Exit,
            ..name
        },
        _ => name,
    }
}

/// What to say of a row, and of which designs; designs of which the same is true are said together.
pub(super) fn sentences(row: Option<&Row>, frames: &[Arc<Frame>]) -> Vec<(Vec<usize>, String)> {
    let mut out: Vec<(Vec<usize>, String)> = Vec::new();
    for frame in frames {
        let text = if frame.present && frame.write > 0 {
            write_sentence(&frame.trace, frame.moment())
        } else if frame.present {
            sentence(&frame.trace, frame.step)
        } else {
            let name = row.map(|row| row.name.what.as_str()).unwrap_or_default();
            format!("There is no {name} at this point.")
        };
        match out.iter_mut().find(|(_, said)| *said == text) {
            Some((designs, _)) => designs.push(frame.design),
            None => out.push((vec![frame.design], text)),
        }
    }
    out
}
