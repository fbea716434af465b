//! What the timeline shows, as data: bars of functions and programs, marks of what happened to bytes.

use std::sync::Arc;

use headroom_core::scene::Row;
use headroom_core::scene::diff::own_writes;
use headroom_core::scene::name::Point;
use headroom_core::trace::{ByteWrite, StepKind, Trace, Verdict};

use crate::model::Model;
use crate::parts::ribbon::verdict_word;

/// A function or program, from its entry on, as long as the packet stays on one device.
#[derive(Clone, PartialEq)]
pub(super) struct Bar {
    /// Empty on the way back out of functions that began on another device.
    pub(super) name: String,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Some of the shown designs have it, not all.
    pub(super) partial: bool,
}

/// A lane of bars.
#[derive(Clone, PartialEq)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) bars: Vec<Bar>,
    pub(super) programs: bool,
}

/// Something that happened to bytes at a row.
#[derive(Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) row: usize,
    pub(super) class: &'static str,
    pub(super) words: String,
}

fn shown(model: Model) -> Vec<Arc<Trace>> {
    model
        .designs
        .get()
        .into_iter()
        .filter_map(|d| model.trace(d))
        .collect()
}

fn kind<'t>(row: &Row, traces: &'t [Arc<Trace>]) -> Option<&'t StepKind> {
    row.steps
        .iter()
        .zip(traces)
        .find_map(|(step, trace)| trace.steps.get((*step)?))
        .map(|step| &step.kind)
}

fn lane_name(row: &Row) -> String {
    let dev = if row.name.dev.is_empty() {
        "no dev"
    } else {
        row.name.dev.as_str()
    };
    if row.name.netns.is_empty() {
        dev.to_owned()
    } else {
        format!("{}/{dev}", row.name.netns)
    }
}

/// One lane a device, in the order in which the packet first comes to them, and one for programs.
pub(super) fn lanes(model: Model) -> Vec<Lane> {
    let (rows, traces, here) = (model.rows.get(), shown(model), model.rows_here());
    let mut out: Vec<Lane> = Vec::new();
    let mut programs: Vec<Bar> = Vec::new();
    // Functions that are open since the packet came to this device; the outermost is the bar.
    let mut open: Vec<&str> = Vec::new();
    let mut before = String::new();
    let mut last: Option<&Row> = None;
    for index in here {
        let Some(row) = rows.get(index) else { break };
        // The writes of a step stand before it: where they begin it begins, where it stands it ends.
        let first = last.is_none_or(|last| !last.name.same_step(&row.name));
        let begins = row.name.point == Point::Entry && first;
        last = Some(row);
        let (program, step) = match kind(row, &traces) {
            Some(StepKind::Program { .. } | StepKind::Insn { .. }) => (true, true),
            Some(StepKind::Function { .. }) => (false, true),
            _ => (false, false),
        };
        let name = lane_name(row);
        let bar = || Bar {
            name: row.name.what.clone(),
            start: index,
            end: index + 1,
            partial: row.differs(),
        };
        if program {
            match (begins, programs.last_mut()) {
                (true, _) => programs.push(bar()),
                (_, Some(last)) => last.end = index + 1,
                _ => {}
            }
        }
        if name != before {
            open.clear();
            before.clone_from(&name);
        }
        let at = out
            .iter()
            .position(|lane| lane.name == name)
            .unwrap_or_else(|| {
                out.push(Lane {
                    name: name.clone(),
                    bars: Vec::new(),
                    programs: false,
                });
                out.len() - 1
            });
        let bars = &mut out[at].bars;
        if open.is_empty() && step && begins {
            bars.push(bar());
        } else if let Some(last) = bars
            .last_mut()
            .filter(|last| !open.is_empty() && last.end == index)
        {
            last.end = index + 1;
        } else {
            // On the way back out of functions that began on another device.
            bars.push(Bar {
                name: String::new(),
                ..bar()
            });
        }
        match row.name.point {
            Point::Entry if step && begins => open.push(&row.name.what),
            Point::Exit if row.name.write == 0 => {
                if let Some(depth) = open.iter().rposition(|name| *name == row.name.what) {
                    open.truncate(depth);
                }
            }
            _ => {}
        }
    }
    for lane in &mut out {
        join_unnamed(&mut lane.bars);
    }
    out.push(Lane {
        name: "programs".into(),
        bars: programs,
        programs: true,
    });
    out
}

fn join_unnamed(bars: &mut Vec<Bar>) {
    bars.dedup_by(|next, before| {
        let join = next.name.is_empty() && before.name.is_empty() && before.end == next.start;
        if join {
            before.end = next.end;
        }
        join
    });
}

/// Marks of one design: bytes written and moved, metadata read, packets dropped. Of each kind one a row.
pub(super) fn marks(model: Model, column: usize, design: usize) -> Vec<Mark> {
    let (rows, here) = (model.rows.get(), model.rows_here());
    let Some(trace) = model.trace(design) else {
        return Vec::new();
    };
    let step_of = |index: usize| rows.get(index)?.steps.get(column).copied().flatten();
    // What happened before this packet is told with the packet before.
    let mut before = (0..here.start)
        .rev()
        .find_map(step_of)
        .map_or(0, |step| step + 1);
    let mut out: Vec<Mark> = Vec::new();
    for row in here {
        let Some(step) = step_of(row).filter(|step| *step >= before) else {
            continue;
        };
        if let Some(number) = rows.get(row).map(|row| row.name.write).filter(|n| *n > 0) {
            let write = own_writes(&trace, step).nth(number as usize - 1);
            let told = write.map(|(_, write)| written(write));
            out.extend(told.map(|(class, words)| Mark { row, class, words }));
            continue;
        }
        let above = row.checked_sub(1).and_then(|above| rows.get(above));
        let apart =
            above.is_some_and(|above| above.name.write > 0 && step_of(row - 1) == Some(step));
        let first = out.len();
        for (class, words) in happened(&trace, before, step) {
            // Each of its writes has a mark of its own.
            if apart && matches!(class, "w" | "m") {
                continue;
            }
            let known = out
                .get(first..)
                .is_some_and(|new| new.iter().any(|m| m.class == class));
            if !known {
                out.push(Mark { row, class, words });
            }
        }
        before = step + 1;
    }
    out
}

/// A write: class of the mark, and words.
fn written(write: &ByteWrite) -> (&'static str, String) {
    let (len, at) = (write.new.len(), write.offset);
    match write.moved_from {
        Some(from) => ("m", format!("{len} bytes moved from {from} to {at}")),
        None => ("w", format!("{len} bytes written at {at}")),
    }
}

/// What happened in some steps: class of the mark, and words.
fn happened(trace: &Trace, from: usize, to: usize) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let steps = trace.steps.get(from..=to).unwrap_or_default();
    let writes = steps
        .iter()
        .flat_map(|step| trace.writes.get(step.writes.clone()).unwrap_or_default());
    out.extend(writes.filter(|w| !w.old.is_empty()).map(written));
    // Reads are in the order of their steps.
    let first = trace.reads.partition_point(|read| read.step < from);
    let reads = trace.reads.iter().skip(first);
    for read in reads.take_while(|read| read.step <= to) {
        let class = match read.verdict {
            Verdict::Ok | Verdict::None => "ok",
            _ => "bad",
        };
        let value = read.value().map(|value| value.to_string());
        let sign = verdict_word(read.verdict).0;
        out.push((
            class,
            format!("{} read {} {sign}", read.program, value.unwrap_or_default()),
        ));
    }
    for step in steps {
        if let StepKind::EndOfLife {
            name,
            drop_reason: Some(reason),
        } = &step.kind
        {
            out.push(("x", format!("{name}: dropped, reason {reason}")));
        }
    }
    out
}
