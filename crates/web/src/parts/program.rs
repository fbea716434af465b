//! The program that runs, C line by C line with its instructions, or the chain of calls when none runs.

use std::sync::Arc;

use headroom_core::bpf::ListingLine;
use headroom_core::scene::name::{device, what};
use headroom_core::scene::reads_at;
use headroom_core::scene::sentence::{changed_registers, register};
use headroom_core::trace::{Edge, Run, StepKind};
use leptos::prelude::*;

use super::bytes::FrontTabs;
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
fn chain(frame: &Frame) -> Vec<(String, String, String, usize)> {
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

/// The panel.
#[component]
pub fn Program(model: Model) -> impl IntoView {
    let frame = Memo::new(move |_| model.front_frame());
    let body = move || {
        let frame = frame.get()?;
        Some(match running(&frame) {
            Some((run, at)) => listing(model, &frame, run, at).into_any(),
            None => calls(model, &frame).into_any(),
        })
    };
    view! { <section class="panel program" aria-label="What runs">{body}</section> }
}

fn calls(model: Model, frame: &Arc<Frame>) -> impl IntoView + use<> {
    let links = chain(frame);
    let last = links.len().saturating_sub(1);
    let names = headroom_core::scene::names(&frame.trace);
    let one = |(depth, (name, file, dev, step)): (usize, (String, String, String, usize))| {
        let target = names.get(step).cloned();
        let go = move |_| {
            if let Some(name) = target.clone() {
                model.go_to(name, By::Jump);
            }
        };
        let dev = (!dev.is_empty()).then(|| view! { <span class="dev">{dev}</span> });
        view! {
            <li class:on=depth == last style:padding-left=format!("{}px", 8 + depth * 10)>
                <button class="link" on:click=go><code>{name}</code></button>{dev}<span class="file">{file}</span>
            </li>
        }
    };
    view! {
        <h2><b>"Call chain"</b><FrontTabs model/></h2>
        <ol class="calls">{links.into_iter().enumerate().map(one).collect_view()}</ol>
        {next_run(model, frame)}
    }
}

/// Where a program runs next, so that nobody has to look for it.
fn next_run(model: Model, frame: &Arc<Frame>) -> impl IntoView + use<> {
    let next = frame
        .trace
        .steps
        .iter()
        .enumerate()
        .skip(frame.step)
        .find(|(_, step)| {
            matches!(
                step.kind,
                StepKind::Program {
                    edge: Edge::Entry,
                    ..
                }
            )
        });
    let next = next.and_then(|(index, step)| {
        let name = headroom_core::scene::names(&frame.trace)
            .into_iter()
            .nth(index)?;
        let dev = device(&frame.trace, step)
            .map(|dev| dev.name.clone())
            .unwrap_or_default();
        Some((name, format!("{} on {dev}", what(&frame.trace, step))))
    });
    next.map(|(name, text)| {
        view! { <p class="next">"No program runs here. Next: "<button class="link" on:click=move |_| model.go_to(name.clone(), By::Jump)>{text}</button></p> }
    })
}

/// Instructions in groups of one C line.
fn groups(run: &Run) -> Vec<(Option<u32>, Vec<(usize, ListingLine)>)> {
    let mut out: Vec<(Option<u32>, Vec<(usize, ListingLine)>)> = Vec::new();
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
    frame: &Arc<Frame>,
    run_index: usize,
    at: Option<usize>,
) -> impl IntoView + use<> {
    let run = frame.trace.runs.get(run_index).cloned();
    let reads = reads_at(&frame.trace, frame.step);
    let read_note = reads.first().and_then(|read| {
        let step = frame.trace.steps.get(read.step)?;
        let StepKind::Insn { insn, .. } = step.kind else {
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
    });
    let title = run
        .as_ref()
        .map(|run| run.program.clone())
        .unwrap_or_default();
    let source = run
        .as_ref()
        .map(|run| run.listing.source.clone())
        .unwrap_or_default();
    let insn = |index: usize, line: ListingLine| {
        let prologue = line.written.is_none();
        let number = line
            .written
            .map_or_else(|| format!("p{index}"), |n| n.to_string());
        let note = match &read_note {
            Some((insn, text)) if *insn == index => Some(text.clone()),
            _ => line.note.clone(),
        };
        let written = line.written_text.map(|text| format!("as written: {text}"));
        view! {
            <li class:pro=prologue class:on=at == Some(index) title=written>
                <span class="ln">{number}</span><code>{line.text}</code><span class="nt">{note}</span>
            </li>
        }
    };
    let group = |(c_line, lines): (Option<u32>, Vec<(usize, ListingLine)>)| {
        let text = c_line
            .and_then(|n| source.iter().find(|(line, _)| *line == n))
            .map(|(n, text)| (*n, text.trim().to_owned()));
        let on = lines.iter().any(|(index, _)| Some(*index) == at);
        let head = text.map(|(n, text)| view! { <li class="c" class:on=on><span class="ln">{n}</span><code>{text}</code></li> });
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

fn registers(frame: &Arc<Frame>) -> Option<impl IntoView + use<>> {
    let StepKind::Insn { run, registers, .. } = frame.trace.steps.get(frame.step)?.kind else {
        return None;
    };
    let changed = changed_registers(&frame.trace, frame.step, run, registers);
    let file = frame.trace.registers.get(registers).copied()?;
    let one = move |index: usize| {
        let now = changed.iter().any(|(r, ..)| *r == index);
        view! { <div class:changed=now><dt>{format!("r{index}")}</dt><dd>{register(file[index])}</dd></div> }
    };
    Some(
        view! { <dl class="regs" aria-label="Registers after the instruction">{(0..11).map(one).collect_view()}</dl> },
    )
}
