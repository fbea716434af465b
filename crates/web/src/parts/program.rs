//! The program that runs, C line by C line with its instructions, or the chain of calls when none runs.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::bpf::ListingLine;
use headroom_core::scene::instruction::{changed_registers, register};
use headroom_core::scene::reads_at;
use headroom_core::trace::{Edge, Run, StepKind};

use super::bytes::front_tabs;
use super::calls;
use crate::dom::{El, code, el, span};
use crate::frame::Frame;
use crate::model::Model;

/// The run a step belongs to, and the instruction that is or was the interesting one.
fn running(frame: &Frame) -> Option<(usize, Option<usize>)> {
    let step = frame.trace.steps.get(frame.step)?;
    let insn_of = |step: usize| match frame.trace.steps.get(step)?.kind {
        StepKind::Insn { insn, .. } => Some(insn),
        _ => None,
    };
    match step.kind {
        StepKind::Insn { run, insn, .. } => Some((run, Some(insn))),
        StepKind::Program {
            run,
            edge: Edge::Entry,
        } => Some((run, None)),
        StepKind::Program {
            run,
            edge: Edge::Exit,
        } => {
            let read = reads_at(&frame.trace, frame.step)
                .first()
                .map(|read| read.step);
            Some((run, read.and_then(insn_of)))
        }
        // A helper or the realign call: the program around it.
        StepKind::Function { .. } | StepKind::EndOfLife { .. } => {
            let around = calls::open_calls(&frame.trace, frame.step, 0);
            let of = |index: &usize| match frame.trace.steps.get(*index)?.kind {
                StepKind::Program { run, .. } => Some((run, None)),
                _ => None,
            };
            around.iter().rev().find_map(of)
        }
    }
}

/// What the panel shows; the parts that stay the same keep their nodes.
#[derive(Clone, PartialEq)]
enum Shown {
    /// The listing of a run of a design.
    Listing(usize, usize),
    /// The chain of calls.
    Calls,
}

/// The panel.
#[must_use]
pub fn program(model: Model) -> El {
    let frame = Memo::new(move |_| model.front_frame());
    let shown = Memo::new(move |_| {
        frame.with(|frame| {
            let frame = frame.as_ref()?;
            Some(match running(frame) {
                Some((run, _)) => Shown::Listing(frame.design, run),
                None => Shown::Calls,
            })
        })
    });
    let body = move || match shown.get() {
        None => Vec::new(),
        Some(Shown::Calls) => calls::calls(model, frame),
        Some(Shown::Listing(design, run)) => {
            let runs = model.trace(design);
            let mut shown = runs
                .as_ref()
                .and_then(|trace| trace.runs.get(run))
                .map(|run| listing(model, frame, run))
                .unwrap_or_default();
            if !shown.is_empty() {
                shown.insert(1, calls::around(model, frame, run));
            }
            shown
        }
    };
    el("section")
        .class("panel program")
        .set("aria-label", "What runs")
        .part(body)
}

/// A C line and its instructions with their indexes.
type Group<'l> = (Option<u32>, Vec<(usize, &'l ListingLine)>);

/// Instructions in groups of one C line.
fn groups(run: &Run) -> Vec<Group<'_>> {
    let mut out: Vec<Group<'_>> = Vec::new();
    for (index, line) in run.listing.lines.iter().enumerate() {
        match out.last_mut() {
            Some((c_line, lines)) if *c_line == line.c_line => lines.push((index, line)),
            _ => out.push((line.c_line, vec![(index, line)])),
        }
    }
    out
}

/// The line of an instruction.
struct Line {
    item: El,
    note: El,
    own: String,
    /// Its C line is marked with it.
    head: Option<El>,
}

fn listing(model: Model, frame: Memo<Option<Arc<Frame>>>, run: &Run) -> Vec<El> {
    let file = run.listing.source_file.clone().unwrap_or_default();
    let list = el("ol")
        .class("code")
        .set("aria-label", &format!("Instructions, with lines of {file}"));
    let mut lines: Vec<Line> = Vec::new();
    for (c_line, group) in groups(run) {
        let source = c_line.and_then(|n| run.listing.source.iter().find(|(line, _)| *line == n));
        let head = source.map(|(n, text)| {
            el("li")
                .class("c")
                .child(span("ln", &n.to_string()))
                .child(code(text.trim()))
        });
        if let Some(head) = &head {
            list.append(head);
        }
        for (index, line) in group {
            let one = instruction(model, &run.program, index, line, head.clone());
            list.append(&one.item);
            lines.push(one);
        }
    }
    let mut last: (Option<usize>, Option<(usize, String)>) = (None, None);
    follow(move || {
        let now = frame.with(|frame| {
            let at = frame.as_ref().and_then(|frame| running(frame)?.1);
            (at, frame.as_ref().and_then(read_note))
        });
        for (at, on) in [(last.0, false), (now.0, true)] {
            if let Some(line) = at.filter(|_| last.0 != now.0).and_then(|at| lines.get(at)) {
                line.item.mark("on", on);
                if let Some(head) = &line.head {
                    head.mark("on", on);
                }
            }
        }
        if last.1 != now.1 {
            if let Some(line) = last.1.as_ref().and_then(|(at, _)| lines.get(*at)) {
                line.note.say(&line.own);
            }
            if let Some((at, text)) = &now.1
                && let Some(line) = lines.get(*at)
            {
                line.note.say(text);
            }
        }
        last = now;
    });
    let title = el("h2")
        .child(el("b").text(&run.program))
        .child(span("as", "as the kernel runs it"))
        .child(front_tabs(model));
    vec![title, list, registers(frame)]
}

fn instruction(
    model: Model,
    program: &str,
    index: usize,
    line: &ListingLine,
    head: Option<El>,
) -> Line {
    let number = line
        .written
        .map_or_else(|| format!("p{index}"), |n| n.to_string());
    let own = line.note.clone().unwrap_or_default();
    let note = span("nt", &own);
    let item = el("li")
        .class(if line.written.is_none() { "pro" } else { "" })
        .child(stop(model, program, line.written, &number))
        .child(code(&line.text))
        .child(note.clone());
    if let Some(text) = &line.written_text {
        item.put("title", &format!("as written: {text}"));
    }
    Line {
        item,
        note,
        own,
        head,
    }
}

/// The number of an instruction; pressed, playing stops there.
fn stop(model: Model, program: &str, written: Option<usize>, number: &str) -> El {
    let Some(index) = written else {
        return span("ln", number);
    };
    let wanted = format!("instruction {index} of {program}");
    let same = wanted.clone();
    el("button")
        .class("ln")
        .set("tabindex", "-1")
        .set("title", "Playing stops here")
        .tells("aria-pressed", move || {
            model.query.with(|query| *query == same)
        })
        .on("click", move |_| model.toggle_query(&wanted))
        .text(number)
}

/// The instruction that read, and which bytes.
fn read_note(frame: &Arc<Frame>) -> Option<(usize, String)> {
    let reads = reads_at(&frame.trace, frame.step);
    let read = reads.first()?;
    let StepKind::Insn { insn, .. } = frame.trace.steps.get(read.step)?.kind else {
        return None;
    };
    let start = read.offset?;
    let end = start + read.bytes.len() as u32;
    Some((
        insn,
        format!("reads {}", headroom_core::scene::explain::span(start, end)),
    ))
}

/// The registers after an instruction; hidden elsewhere.
fn registers(frame: Memo<Option<Arc<Frame>>>) -> El {
    let list = el("dl")
        .class("regs")
        .set("aria-label", "Registers after the instruction");
    list.show(false);
    let (target, mut values) = (list.clone(), Vec::<(El, El, String, bool)>::new());
    follow(move || {
        let file = frame.with(|frame| {
            let frame = frame.as_ref()?;
            let StepKind::Insn { run, registers, .. } = frame.trace.steps.get(frame.step)?.kind
            else {
                return None;
            };
            let changed = changed_registers(&frame.trace, frame.step, run, registers);
            let changed: Vec<usize> = changed.into_iter().map(|(r, ..)| r).collect();
            Some((frame.trace.registers.get(registers)?, changed))
        });
        target.show(file.is_some());
        let Some((all, changed)) = file else {
            return;
        };
        if values.is_empty() {
            for index in 0..all.len() {
                let (row, value) = (el("div"), el("dd"));
                let name = el("dt").text(&format!("r{index}"));
                target.append(&row.clone().child(name).child(value.clone()));
                values.push((row, value, String::new(), false));
            }
        }
        for (index, (row, value, text, marked)) in values.iter_mut().enumerate() {
            let Some(now) = all.get(index).map(|value| register(*value)) else {
                continue;
            };
            if now != *text {
                value.say(&now);
                *text = now;
            }
            let on = changed.contains(&index);
            if on != *marked {
                row.mark("changed", on);
                *marked = on;
            }
        }
    });
    list
}
