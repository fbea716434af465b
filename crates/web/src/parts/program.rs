//! The program that runs, C line by C line with its instructions, or the chain of calls when none runs.

use std::sync::Arc;

use headroom_core::bpf::ListingLine;
use headroom_core::scene::instruction::{changed_registers, register};
use headroom_core::scene::name::{device, what};
use headroom_core::scene::reads_at;
use headroom_core::trace::{Edge, Run, Step, StepKind};
use leptos::prelude::*;

use super::bytes::FrontTabs;
use super::{part, sig};
use crate::frame::Frame;
use crate::model::{By, Model};

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
            let open = |s: &headroom_core::trace::Step| match s.kind {
                StepKind::Program { run, edge } => Some((run, edge)),
                _ => None,
            };
            let (run, edge) = frame
                .trace
                .steps
                .get(..frame.step)?
                .iter()
                .rev()
                .find_map(open)?;
            (edge == Edge::Entry).then_some((run, None))
        }
    }
}

/// Functions around a step, outermost first: name, file, device.
fn chain(frame: &Frame) -> Vec<Link> {
    let mut open: Vec<usize> = Vec::new();
    for (index, step) in frame.trace.steps.iter().enumerate().take(frame.step + 1) {
        match &step.kind {
            StepKind::Function {
                edge: Edge::Entry, ..
            }
            | StepKind::Program {
                edge: Edge::Entry, ..
            } => open.push(index),
            StepKind::Function {
                edge: Edge::Exit, ..
            }
            | StepKind::Program {
                edge: Edge::Exit, ..
            } if index != frame.step => {
                open.pop();
            }
            _ => {}
        }
    }
    let one = |index: usize| {
        let step = &frame.trace.steps[index];
        let file = match &step.kind {
            StepKind::Function { file, .. } => (*file).to_owned(),
            StepKind::Program { run, .. } => frame
                .trace
                .runs
                .get(*run)
                .map(|run| run.listing.section.clone())
                .unwrap_or_default(),
            _ => String::new(),
        };
        let dev = device(&frame.trace, step)
            .map(|dev| dev.name.clone())
            .unwrap_or_default();
        (what(&frame.trace, step).to_owned(), file, dev, index)
    };
    open.into_iter().map(one).collect()
}

/// A function or program around the step: name, file, device, step of its entry.
type Link = (String, String, String, usize);

/// What the panel shows; the parts that stay the same keep their nodes.
#[derive(Clone, PartialEq)]
enum Shown {
    /// The listing of a run of a design.
    Listing(usize, usize),
    /// The chain of calls.
    Calls,
}

/// The panel.
#[component]
pub fn Program(model: Model) -> impl IntoView {
    let frame = Memo::new(move |_| model.front_frame());
    let running = Memo::new(move |_| frame.with(|frame| running(frame.as_ref()?)));
    let shown = Memo::new(move |_| {
        let design = frame.with(|frame| frame.as_ref().map(|frame| frame.design))?;
        Some(
            running
                .get()
                .map_or(Shown::Calls, |(run, _)| Shown::Listing(design, run)),
        )
    });
    let body = move || match shown.get()? {
        Shown::Listing(design, run) => Some(listing(model, frame, running, design, run).into_any()),
        Shown::Calls => Some(calls(model, frame).into_any()),
    };
    view! { <section class="panel program" aria-label="What runs">{part(body)}</section> }
}

fn calls(model: Model, frame: Memo<Option<Arc<Frame>>>) -> impl IntoView {
    let links = Memo::new(move |_| {
        frame.with(|frame| frame.as_ref().map(|frame| chain(frame)).unwrap_or_default())
    });
    let each = move || links.get().into_iter().enumerate().collect::<Vec<_>>();
    let one = move |(depth, (name, file, dev, step)): (usize, Link)| {
        let go = move |_| {
            let design =
                frame.with_untracked(|frame| frame.as_ref().map_or(0, |frame| frame.design));
            if let Some(name) = model.names(design).get(step) {
                model.go_to(name.clone(), By::Jump);
            }
        };
        let on = move || links.with(|links| links.len() == depth + 1);
        view! {
            <li class:on=sig(on) style:padding-left=format!("{}px", 8 + depth.min(12) * 8)>
                <button class="link" on:click=go><code>{name}</code></button><span class="dev">{dev}</span><span class="file">{file}</span>
            </li>
        }
    };
    view! {
        <h2><b>"Call chain"</b><FrontTabs model/></h2>
        <ol class="calls"><For each=each key=Clone::clone children=one/></ol>
        {next_run(model, frame)}
    }
}

/// Where a program runs next, so that nobody has to look for it.
fn next_run(model: Model, frame: Memo<Option<Arc<Frame>>>) -> impl IntoView {
    let next = Memo::new(move |_| {
        let frame = frame.get()?;
        let entry = |(_, step): &(usize, &Step)| {
            matches!(
                step.kind,
                StepKind::Program {
                    edge: Edge::Entry,
                    ..
                }
            )
        };
        let (index, step) = frame
            .trace
            .steps
            .iter()
            .enumerate()
            .skip(frame.step)
            .find(entry)?;
        let name = model.names(frame.design).get(index).cloned()?;
        let dev = device(&frame.trace, step)
            .map(|dev| dev.name.clone())
            .unwrap_or_default();
        Some((name, format!("{} on {dev}", what(&frame.trace, step))))
    });
    move || {
        next.get().map(|(name, text)| {
            let go = move |_| model.go_to(name.clone(), By::Jump);
            view! { <p class="next">"No program runs here. Next: "<button class="link" on:click=go>{text}</button></p> }
        })
    }
}

/// A C line and its instructions with their indexes.
type Group = (Option<u32>, Vec<(usize, ListingLine)>);

/// Instructions in groups of one C line.
fn groups(run: &Run) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    for (index, line) in run.listing.lines.iter().cloned().enumerate() {
        match out.last_mut() {
            Some((c_line, lines)) if *c_line == line.c_line => lines.push((index, line)),
            _ => out.push((line.c_line, vec![(index, line)])),
        }
    }
    out
}

fn listing(
    model: Model,
    frame: Memo<Option<Arc<Frame>>>,
    running: Memo<Option<(usize, Option<usize>)>>,
    design: usize,
    run_index: usize,
) -> impl IntoView {
    let run = model
        .trace(design)
        .and_then(|trace| trace.runs.get(run_index).cloned());
    let at = Memo::new(move |_| running.get().and_then(|(_, at)| at));
    let read = Memo::new(move |_| frame.with(|frame| read_note(frame.as_ref()?)));
    let title = run
        .as_ref()
        .map(|run| run.program.clone())
        .unwrap_or_default();
    let source = run
        .as_ref()
        .map(|run| run.listing.source.clone())
        .unwrap_or_default();
    let insn = move |index: usize, line: ListingLine| {
        let prologue = line.written.is_none();
        let number = line
            .written
            .map_or_else(|| format!("p{index}"), |n| n.to_string());
        let own = line.note.clone().unwrap_or_default();
        let note = move || match read.get() {
            Some((insn, text)) if insn == index => text,
            _ => own.clone(),
        };
        let written = line.written_text.map(|text| format!("as written: {text}"));
        view! {
            <li class:pro=prologue class:on=sig(move || at.get() == Some(index)) title=written>
                <span class="ln">{number}</span><code>{line.text}</code><span class="nt">{sig(note)}</span>
            </li>
        }
    };
    let group = move |(c_line, lines): Group| {
        let text = c_line.and_then(|n| source.iter().find(|(line, _)| *line == n));
        let text = text.map(|(n, text)| (*n, text.trim().to_owned()));
        let (first, last) = (
            lines.first().map_or(0, |line| line.0),
            lines.last().map_or(0, |line| line.0),
        );
        let on = move || at.get().is_some_and(|at| (first..=last).contains(&at));
        let head = text.map(|(n, text)| view! { <li class="c" class:on=sig(on)><span class="ln">{n}</span><code>{text}</code></li> });
        view! { {head} {lines.into_iter().map(|(i, line)| insn(i, line)).collect_view()} }
    };
    let body = run
        .as_ref()
        .map(groups)
        .unwrap_or_default()
        .into_iter()
        .map(group)
        .collect_view();
    let file = run
        .as_ref()
        .and_then(|run| run.listing.source_file.clone())
        .unwrap_or_default();
    view! {
        <h2><b>{title}</b><span class="as">"as the kernel runs it"</span><FrontTabs model/></h2>
        <ol class="code" aria-label=format!("Instructions, with lines of {file}")>{body}</ol>
        {registers(frame)}
    }
}

/// The instruction that read, and which bytes.
fn read_note(frame: &Arc<Frame>) -> Option<(usize, String)> {
    let reads = reads_at(&frame.trace, frame.step);
    let read = reads.first()?;
    let StepKind::Insn { insn, .. } = frame.trace.steps.get(read.step)?.kind else {
        return None;
    };
    let start = read.offset?;
    Some((
        insn,
        format!(
            "reads {}",
            headroom_core::scene::explain::span(start, start + read.bytes.len() as u32)
        ),
    ))
}

fn registers(frame: Memo<Option<Arc<Frame>>>) -> impl IntoView {
    let file = Memo::new(move |_| {
        frame.with(|frame| {
            let frame = frame.as_ref()?;
            let StepKind::Insn { run, registers, .. } = frame.trace.steps.get(frame.step)?.kind
            else {
                return None;
            };
            let changed = changed_registers(&frame.trace, frame.step, run, registers);
            let changed: Vec<usize> = changed.into_iter().map(|(r, ..)| r).collect();
            Some((frame.trace.registers.get(registers)?, changed))
        })
    });
    let there = Memo::new(move |_| file.with(Option::is_some));
    let one = move |index: usize| {
        let now = move || {
            file.with(|file| {
                file.as_ref()
                    .is_some_and(|(_, changed)| changed.contains(&index))
            })
        };
        let value = move || {
            file.with(|file| {
                file.as_ref()
                    .map(|(all, _)| register(all[index]))
                    .unwrap_or_default()
            })
        };
        view! { <div class:changed=sig(now)><dt>{format!("r{index}")}</dt><dd>{sig(value)}</dd></div> }
    };
    move || {
        there.get().then(|| {
            view! { <dl class="regs" aria-label="Registers after the instruction">{(0..11).map(one).collect_view()}</dl> }
        })
    }
}
