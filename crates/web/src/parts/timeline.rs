//! The way of one packet at once: on which device, in which function, which program, what happened
//! to bytes.

use std::sync::Arc;

use headroom_core::scene::Row;
use headroom_core::scene::name::Point;
use headroom_core::trace::{StepKind, Trace, Verdict};
use leptos::prelude::*;

use super::ribbon::verdict_word;
use super::{fixed, part, sig};
use crate::designs::COLUMNS;
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

/// Marks of one design: bytes written, moved, read.
fn marks(model: Model, column: usize, design: usize) -> Vec<Mark> {
    let (rows, here) = (model.rows.get(), model.rows_here());
    let Some(trace) = model.trace(design) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut before = 0;
    for (index, row) in rows.iter().enumerate() {
        let Some(step) = row
            .steps
            .get(column)
            .copied()
            .flatten()
            .filter(|step| *step >= before)
        else {
            continue;
        };
        let steps = trace.steps.get(before..=step).unwrap_or_default();
        if here.contains(&index) {
            let writes = steps.iter().flat_map(|s| &trace.writes[s.writes.clone()]);
            for write in writes.filter(|w| !w.old.is_empty()) {
                let len = write.new.len();
                out.push(match write.moved_from {
                    Some(from) => Mark {
                        row: index,
                        class: "m",
                        words: format!("{len} bytes moved from {from} to {}", write.offset),
                    },
                    None => Mark {
                        row: index,
                        class: "w",
                        words: format!("{len} bytes written at {}", write.offset),
                    },
                });
            }
            for read in trace
                .reads
                .iter()
                .filter(|read| (before..=step).contains(&read.step))
            {
                let class = if matches!(read.verdict, Verdict::Ok | Verdict::None) {
                    "r ok"
                } else {
                    "r bad"
                };
                let value = read
                    .value()
                    .map(|value| value.to_string())
                    .unwrap_or_default();
                out.push(Mark {
                    row: index,
                    class,
                    words: format!(
                        "{} read {value} {}",
                        read.program,
                        verdict_word(read.verdict).0
                    ),
                });
            }
        }
        before = step + 1;
    }
    out.dedup_by(|next, before| next.row == before.row && next.class == before.class);
    out
}

/// The lanes, and the line where one is.
#[component]
pub fn Timeline(model: Model, width: Signal<f64>) -> impl IntoView {
    let span = Memo::new(move |_| model.rows_here());
    let percent = move |span: &std::ops::Range<usize>, row: usize| {
        row.saturating_sub(span.start) as f64 * 100.0 / span.len().max(1) as f64
    };
    let all = Memo::new(move |_| lanes(model));
    let bar = move |bar: Bar, program: bool| {
        let span = span.get_untracked();
        let (left, right) = (percent(&span, bar.start), percent(&span, bar.end));
        let px = (right - left) / 100.0 * (width.get() - 92.0);
        let fits = px >= 38.0;
        let text = if fits || program {
            bar.name.clone()
        } else {
            String::new()
        };
        let start = bar.start;
        let back = bar.name.is_empty();
        let name = if back {
            "on the way back".to_owned()
        } else {
            bar.name
        };
        view! {
            <button class="tb" class:p=program class:back=back class:partial=bar.partial tabindex="-1" aria-label=name.clone()
                style:left=format!("{}%", fixed(left)) style:width=format!("calc({}% - 1px)", fixed(right - left)) title=name
                on:click=move |_| model.go(start, By::Jump)><span>{text}</span></button>
        }
    };
    let lane = move |lane: Lane| {
        let bars = lane
            .bars
            .into_iter()
            .map(|b| bar(b, lane.programs))
            .collect_view();
        view! { <div class="lane" class:programs=lane.programs><span class="ll">{lane.name}</span><div class="track">{bars}</div></div> }
    };
    let mark_lane = move |(column, design): (usize, usize)| {
        let mark = move |mark: Mark| {
            let span = span.get_untracked();
            let left = format!(
                "calc({}% - 3px)",
                fixed((percent(&span, mark.row) + percent(&span, mark.row + 1)) / 2.0)
            );
            let row = mark.row;
            view! { <button class=format!("ev {}", mark.class) tabindex="-1" style:left=left title=mark.words on:click=move |_| model.go(row, By::Jump)></button> }
        };
        let marks = move || {
            span.track();
            marks(model, column, design)
                .into_iter()
                .map(mark)
                .collect_view()
        };
        view! { <div class="lane marks"><span class="ll">{COLUMNS.get(design).copied().unwrap_or_default()}</span><div class="track">{part(marks)}</div></div> }
    };
    let device_lanes = move || {
        span.track();
        all.get().into_iter().map(lane).collect_view()
    };
    let designs = model.designs;
    let mark_lanes = move || {
        designs
            .get()
            .into_iter()
            .enumerate()
            .map(mark_lane)
            .collect_view()
    };
    let here = move || {
        span.with(|span| {
            format!(
                "{}%",
                fixed((percent(span, model.at.get()) + percent(span, model.at.get() + 1)) / 2.0)
            )
        })
    };
    view! {
        <section class="timeline" aria-label="The whole way of this packet">
            {part(device_lanes)}
            {part(mark_lanes)}
            <div class="lane cursor" aria-hidden="true"><span class="ll"></span><div class="track"><i style:left=sig(here)></i></div></div>
        </section>
    }
}
