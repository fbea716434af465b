//! The whole run at once: functions by nesting, programs, and what happened to bytes.

use headroom_core::scene::Row;
use headroom_core::scene::name::Point;
use headroom_core::trace::{StepKind, Trace, Verdict};
use leptos::prelude::*;

use super::ribbon::verdict_word;
use crate::engine::DESIGNS;
use crate::model::{By, Model};

/// A function or program from its entry to its exit, in rows.
#[derive(Clone, PartialEq)]
struct Bar {
    name: String,
    start: usize,
    end: usize,
    depth: usize,
    program: bool,
    /// Some of the shown designs have it, not all.
    partial: bool,
}

/// Something that happened to bytes at a row.
#[derive(Clone, PartialEq)]
struct Mark {
    row: usize,
    class: &'static str,
    words: String,
}

fn step_of<'t>(model: Model, row: &Row, traces: &'t [std::sync::Arc<Trace>]) -> Option<(&'t Trace, usize)> {
    let _ = model;
    row.steps.iter().zip(traces).find_map(|(step, trace)| Some((trace.as_ref(), (*step)?)))
}

fn bars(model: Model) -> Vec<Bar> {
    let rows = model.rows.get();
    let traces: Vec<_> = model.place.with(|p| p.designs.clone()).into_iter().filter_map(|d| model.trace(d)).collect();
    let mut open: Vec<Bar> = Vec::new();
    let mut out: Vec<Bar> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let Some((trace, step)) = step_of(model, row, &traces) else { continue };
        let kind = &trace.steps[step].kind;
        let program = matches!(kind, StepKind::Program { .. });
        if !program && !matches!(kind, StepKind::Function { .. }) {
            continue;
        }
        match row.name.point {
            Point::Entry => open.push(Bar {
                name: row.name.what.clone(),
                start: index,
                end: index + 1,
                depth: open.len(),
                program,
                partial: row.differs(),
            }),
            _ => {
                if let Some(at) = open.iter().rposition(|bar| bar.name == row.name.what) {
                    for mut bar in open.split_off(at) {
                        bar.end = index + 1;
                        out.push(bar);
                    }
                }
            }
        }
    }
    // What never returns within the trace lasts to its end.
    for mut bar in open {
        bar.end = rows.len();
        out.push(bar);
    }
    out
}

/// Marks of one design: bytes written, moved, read.
fn marks(model: Model, column: usize, design: usize) -> Vec<Mark> {
    let rows = model.rows.get();
    let Some(trace) = model.trace(design) else { return Vec::new() };
    let mut out = Vec::new();
    let mut before = 0;
    for (index, row) in rows.iter().enumerate() {
        let Some(step) = row.steps.get(column).copied().flatten() else { continue };
        for write in trace.steps[before..=step].iter().flat_map(|s| &trace.writes[s.writes.clone()]).filter(|w| !w.old.is_empty()) {
            let len = write.new.len();
            out.push(match write.moved_from {
                Some(from) => Mark { row: index, class: "m", words: format!("{len} bytes moved from {from} to {}", write.offset) },
                None => Mark { row: index, class: "w", words: format!("{len} bytes written at {}", write.offset) },
            });
        }
        for read in trace.reads.iter().filter(|read| (before..=step).contains(&read.step)) {
            let class = match read.verdict {
                Verdict::Ok | Verdict::None => "r ok",
                _ => "r bad",
            };
            let value = read.value().map(|value| value.to_string()).unwrap_or_default();
            out.push(Mark { row: index, class, words: format!("{} read {value} {}", read.program, verdict_word(read.verdict).0) });
        }
        before = step + 1;
    }
    out
}

/// The lanes, and the line where one is.
#[component]
pub fn Timeline(model: Model, width: Signal<f64>) -> impl IntoView {
    let count = Memo::new(move |_| model.rows.with(|rows| rows.len()).max(1));
    let all = Memo::new(move |_| bars(model));
    let percent = move |rows: usize| rows as f64 * 100.0 / count.get_untracked() as f64;
    let bar = move |bar: Bar| {
        let (left, wide) = (percent(bar.start), percent(bar.end - bar.start));
        let px = wide / 100.0 * width.get_untracked();
        let fits = (bar.name.chars().count() as f64) * 6.1 + 6.0 <= px;
        let shown = if fits { bar.name.clone() } else { String::new() };
        let start = bar.start;
        let place = format!("left:{left:.3}%;width:calc({wide:.3}% - 1px)");
        view! {
            <button class="tb" class:p=bar.program class:partial=bar.partial tabindex="-1" style=place
                style:top=format!("{}px", bar.depth * 17) title=bar.name.clone()
                on:click=move |_| model.go(start, By::Jump)>{shown}</button>
        }
    };
    let deep = move || all.with(|all| all.iter().map(|bar| bar.depth + 1).max().unwrap_or(1));
    let drawn = move || {
        width.get();
        count.get();
        all.get().into_iter().map(bar).collect_view()
    };
    let lane = move |(column, design): (usize, usize)| {
        let mark = move |mark: Mark| {
            let left = format!("calc({:.3}% - 3px)", percent(mark.row) + percent(1) / 2.0);
            let row = mark.row;
            view! { <button class=format!("ev {}", mark.class) tabindex="-1" style:left=left title=mark.words on:click=move |_| model.go(row, By::Jump)></button> }
        };
        let marks = move || {
            count.get();
            marks(model, column, design).into_iter().map(mark).collect_view()
        };
        view! { <div class="lane"><span class="ll">{DESIGNS.get(design).copied().unwrap_or_default()}</span><div class="track">{marks}</div></div> }
    };
    let lanes = move || model.place.with(|p| p.designs.clone()).into_iter().enumerate().map(lane).collect_view();
    let here = move || format!("{:.3}%", (model.at.get() as f64 + 0.5) * 100.0 / count.get() as f64);
    view! {
        <section class="timeline" aria-label="The whole run">
            <div class="lane calls"><span class="ll">"functions"</span>
                <div class="track" style:height=move || format!("{}px", deep() * 17)>{drawn}</div>
            </div>
            {lanes}
            <div class="lane cursor" aria-hidden="true"><span class="ll"></span><div class="track"><i style:left=here></i></div></div>
        </section>
    }
}
