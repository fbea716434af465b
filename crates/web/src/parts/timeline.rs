//! The way of one packet at once: on which device, in which function, which program, what happened
//! to bytes.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::Row;
use headroom_core::scene::name::Point;
use headroom_core::trace::{StepKind, Trace, Verdict};

use super::fixed;
use super::ribbon::verdict_word;
use crate::designs::COLUMNS;
use crate::dom::{El, div, el, span};
use crate::model::{By, Model};

/// A function or program, from its entry on, as long as the packet stays on one device.
#[derive(Clone, PartialEq)]
struct Bar {
    name: String,
    start: usize,
    end: usize,
    /// Some of the shown designs have it, not all.
    partial: bool,
}

/// A lane of bars.
#[derive(Clone, PartialEq)]
struct Lane {
    name: String,
    bars: Vec<Bar>,
    programs: bool,
}

/// Something that happened to bytes at a row.
#[derive(Clone, PartialEq)]
struct Mark {
    row: usize,
    class: &'static str,
    words: String,
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
fn lanes(model: Model) -> Vec<Lane> {
    let (rows, traces, here) = (model.rows.get(), shown(model), model.rows_here());
    let mut out: Vec<Lane> = Vec::new();
    let mut programs: Vec<Bar> = Vec::new();
    // Functions that are open since the packet came to this device; the outermost is the bar.
    let mut open: Vec<&str> = Vec::new();
    let mut before = String::new();
    for index in here {
        let Some(row) = rows.get(index) else { break };
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
            match (row.name.point, programs.last_mut()) {
                (Point::Entry, _) => programs.push(bar()),
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
        if open.is_empty() && step && row.name.point == Point::Entry {
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
            Point::Entry if step => open.push(&row.name.what),
            Point::Exit => {
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
fn marks(model: Model, column: usize, design: usize) -> Vec<Mark> {
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
        let first = out.len();
        for (class, words) in happened(&trace, before, step) {
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

/// What happened in some steps: class of the mark, and words.
fn happened(trace: &Trace, from: usize, to: usize) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let steps = trace.steps.get(from..=to).unwrap_or_default();
    let writes = steps
        .iter()
        .flat_map(|step| trace.writes.get(step.writes.clone()).unwrap_or_default());
    for write in writes.filter(|w| !w.old.is_empty()) {
        let (len, at) = (write.new.len(), write.offset);
        out.push(match write.moved_from {
            Some(from) => ("m", format!("{len} bytes moved from {from} to {at}")),
            None => ("w", format!("{len} bytes written at {at}")),
        });
    }
    // Reads are in the order of their steps.
    let first = trace.reads.partition_point(|read| read.step < from);
    let reads = trace.reads.iter().skip(first);
    for read in reads.take_while(|read| read.step <= to) {
        let class = match read.verdict {
            Verdict::Ok | Verdict::None => "r ok",
            _ => "r bad",
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

/// Where rows stand in a lane, in percent.
#[derive(Clone, PartialEq)]
struct Span(std::ops::Range<usize>);

impl Span {
    fn percent(&self, row: usize) -> f64 {
        row.saturating_sub(self.0.start) as f64 * 100.0 / self.0.len().max(1) as f64
    }

    fn middle(&self, row: usize) -> f64 {
        f64::midpoint(self.percent(row), self.percent(row + 1))
    }
}

/// The lanes, and the line where one is.
#[must_use]
pub fn timeline(model: Model, width: RwSignal<f64>) -> El {
    let span_of = Memo::new(move |_| Span(model.rows_here()));
    let device_lanes = move || {
        let (span, width) = (span_of.get(), width.get());
        lanes(model)
            .into_iter()
            .map(|lane| bars(model, &span, width, lane))
            .collect()
    };
    let mark_lanes = move || {
        let span = span_of.get();
        let shown = model.designs.get().into_iter().enumerate();
        let one = |(column, design)| mark_lane(model, &span, column, design);
        shown.map(one).collect()
    };
    let found_lane = move || {
        let rows = model.found.get().and_then(Result::ok).unwrap_or_default();
        let span = span_of.get();
        let here: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|row| span.0.contains(row))
            .collect();
        let lane = (!here.is_empty()).then(|| found_lane(model, &span, &here));
        lane.into_iter().collect()
    };
    let line = el("i");
    let moved = line.clone();
    follow(move || {
        let at = span_of.with(|span| span.middle(model.at.get()));
        moved.style("left", &format!("{}%", fixed(at)));
    });
    let cursor = div("lane cursor")
        .set("aria-hidden", "true")
        .child(span("ll", ""))
        .child(div("track").child(line));
    el("section")
        .class("timeline")
        .set("aria-label", "The whole way of this packet")
        .part(device_lanes)
        .part(mark_lanes)
        .part(found_lane)
        .child(cursor)
}

fn bars(model: Model, span_of: &Span, width: f64, lane: Lane) -> El {
    let track = div("track");
    for bar in lane.bars {
        let (left, right) = (span_of.percent(bar.start), span_of.percent(bar.end));
        let fits = (right - left) / 100.0 * (width - 92.0) >= 38.0;
        let start = bar.start;
        let name = if bar.name.is_empty() {
            "on the way back"
        } else {
            &bar.name
        };
        let mut class = String::from("tb");
        let parts = [
            (lane.programs, " p"),
            (bar.name.is_empty(), " back"),
            (bar.partial, " partial"),
        ];
        for (_, part) in parts.into_iter().filter(|(on, _)| *on) {
            class.push_str(part);
        }
        let words = if fits || lane.programs {
            bar.name.as_str()
        } else {
            ""
        };
        let button = el("button")
            .class(&class)
            .set("tabindex", "-1")
            .set("aria-label", name)
            .set("title", name)
            .styled("left", &format!("{}%", fixed(left)))
            .styled("width", &format!("calc({}% - 1px)", fixed(right - left)))
            .on("click", move |_| model.go(start, By::Jump))
            .child(el("span").text(words));
        track.append(&button);
    }
    let class = if lane.programs {
        "lane programs"
    } else {
        "lane"
    };
    div(class).child(span("ll", &lane.name)).child(track)
}

fn mark_lane(model: Model, span_of: &Span, column: usize, design: usize) -> El {
    let track = div("track");
    for mark in marks(model, column, design) {
        let row = mark.row;
        let left = format!("calc({}% - 3px)", fixed(span_of.middle(row)));
        let button = el("button")
            .class(&format!("ev {}", mark.class))
            .set("tabindex", "-1")
            .set("title", &mark.words)
            .styled("left", &left)
            .on("click", move |_| model.go(row, By::Jump));
        track.append(&button);
    }
    let name = COLUMNS.get(design).copied().unwrap_or_default();
    div("lane marks").child(span("ll", name)).child(track)
}

/// Where playing stops.
fn found_lane(model: Model, span_of: &Span, rows: &[usize]) -> El {
    let track = div("track");
    for row in rows.iter().copied() {
        let left = format!("calc({}% - 3px)", fixed(span_of.middle(row)));
        let button = el("button")
            .class("ev found")
            .set("tabindex", "-1")
            .set("title", "found")
            .styled("left", &left)
            .on("click", move |_| model.go(row, By::Jump));
        track.append(&button);
    }
    div("lane marks").child(span("ll", "found")).child(track)
}
