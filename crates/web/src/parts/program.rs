//! The program that runs, with its registers, or the chain of calls when none runs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::platform::after;
use crate::prelude::*;
use headroom_core::scene::instruction::{changed_registers, register};
use headroom_core::scene::reads_at;
use headroom_core::trace::{Edge, StepKind, Trace};

use super::bytes::front_tabs;
use super::calls::{Calls, open_calls};
use super::listing::{Listings, read_note};
use super::next::Next;
use crate::dom::{El, Said, el, span};
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
            let around = open_calls(&frame.trace, frame.step, 0);
            let of = |index: &usize| match frame.trace.steps.get(*index)?.kind {
                StepKind::Program { run, .. } => Some((run, None)),
                _ => None,
            };
            around.iter().rev().find_map(of)
        }
    }
}

/// The panel. Its parts stay, and are shown again with other words.
#[must_use]
pub fn program(model: Model) -> El {
    let frame = Memo::new(move |_| model.front_frame());
    let (heading, kind) = (el("b"), span("as", "as the kernel runs it"));
    kind.show(false);
    let mut name = Said::new(&heading);
    let mut calls = Calls::new(model);
    let listings = Listings::new(model);
    let (area, listings) = (listings.area.clone(), Rc::new(RefCell::new(listings)));
    let mut next = Next::new(model);
    let title = el("h2")
        .child(heading)
        .child(kind.clone())
        .child(front_tabs(model));
    let panel = el("section")
        .class("panel program")
        .set("aria-label", "What runs")
        .child(title)
        .child(calls.list.clone())
        .child(area)
        .child(registers(frame))
        .child(next.line.clone());
    let mut beside = false;
    follow(move || {
        let query = model.query.get();
        frame.with(|frame| {
            let Some(frame) = frame.as_deref() else {
                return;
            };
            let of =
                |(run, at): (usize, Option<usize>)| Some((run, frame.trace.runs.get(run)?, at));
            let now = running(frame).and_then(of);
            if beside != now.is_some() {
                beside = now.is_some();
                kind.show(beside);
            }
            name.say(now.map_or("Call chain", |(_, run, _)| &run.program));
            calls.show(frame, now.map(|(run, ..)| run));
            next.show(Some(frame).filter(|_| !beside));
            prepare(&listings, &frame.trace);
            let mut listings = listings.borrow_mut();
            listings.show(now.map(|(_, run, _)| run));
            listings.mark(now.and_then(|(.., at)| at), read_note(frame), &query);
        });
    });
    panel
}

/// While nothing else is done the listings of a run are made, one after the other, so that the step that begins a program
/// need not do that.
fn prepare(listings: &Rc<RefCell<Listings>>, trace: &Arc<Trace>) {
    let Some(run) = listings.borrow_mut().awaits(&trace.runs).cloned() else {
        return;
    };
    let (listings, trace) = (listings.clone(), trace.clone());
    after(Duration::from_millis(200), move || {
        listings.borrow_mut().prepare(&run);
        prepare(&listings, &trace);
    });
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
