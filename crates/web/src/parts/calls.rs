//! The chain of calls around a step, and where a program runs next.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::name::{device, what};
use headroom_core::trace::{Edge, StepKind, Trace};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

use super::bytes::front_tabs;
use crate::dom::{El, Keyed, code, el, span};
use crate::frame::Frame;
use crate::model::{By, Model};

/// Entries of the functions and programs around a step, its own among them, outermost first. It looks
/// back no farther than the outermost one, however long the trace is.
#[must_use]
pub(super) fn open_calls(trace: &Trace, step: usize) -> Vec<usize> {
    let entry = |kind: &StepKind| {
        matches!(
            kind,
            StepKind::Function {
                edge: Edge::Entry,
                ..
            } | StepKind::Program {
                edge: Edge::Entry,
                ..
            }
        )
    };
    let Some(now) = trace.steps.get(step) else {
        return Vec::new();
    };
    let (mut out, mut depth) = (Vec::new(), now.depth);
    if entry(&now.kind) {
        out.push(step);
    } else {
        // An exit stands as deep as its entry; an instruction or the end of a packet deeper than what is around it.
        let exit = matches!(
            now.kind,
            StepKind::Function {
                edge: Edge::Exit,
                ..
            } | StepKind::Program {
                edge: Edge::Exit,
                ..
            }
        );
        depth = depth.saturating_add(u16::from(exit));
    }
    for (index, before) in trace.steps.iter().enumerate().take(step).rev() {
        if depth == 0 {
            break;
        }
        if before.depth < depth && entry(&before.kind) {
            out.push(index);
            depth = before.depth;
        }
    }
    out.reverse();
    out
}

/// A function or program around the step: depth, name, file or section, device, step of its entry.
#[derive(Clone, PartialEq)]
struct Link {
    depth: usize,
    name: String,
    file: String,
    dev: String,
    step: usize,
}

fn links(frame: &Frame) -> Vec<Link> {
    let trace = &frame.trace;
    let one = |(depth, index): (usize, usize)| {
        let step = trace.steps.get(index)?;
        let file = match &step.kind {
            StepKind::Function { file, .. } => (*file).to_owned(),
            StepKind::Program { run, .. } => trace.runs.get(*run)?.listing.section.clone(),
            _ => String::new(),
        };
        Some(Link {
            depth,
            name: what(trace, step).to_owned(),
            file,
            dev: device(trace, step)
                .map(|dev| dev.name.clone())
                .unwrap_or_default(),
            step: index,
        })
    };
    open_calls(trace, frame.step)
        .into_iter()
        .enumerate()
        .filter_map(one)
        .collect()
}

/// The panel when no program runs.
pub(super) fn calls(model: Model, frame: Memo<Option<Arc<Frame>>>) -> Vec<El> {
    let list = el("ol").class("calls");
    let next = el("p").class("next");
    let mut nodes: Keyed<Link> = Keyed::new(&list);
    let (below, mut said) = (next.clone(), None);
    // The innermost call stands out.
    let mut on: Option<El> = None;
    follow(move || {
        let (links, design) = frame.with(|frame| {
            let frame = frame.as_ref();
            (
                frame.map(|frame| links(frame)).unwrap_or_default(),
                frame.map_or(0, |frame| frame.design),
            )
        });
        nodes.show(links, &mut |link| call(model, design, link));
        let last = nodes.nodes().last().map(|(_, node)| node.clone());
        if last != on {
            for (node, class) in [(&on, ""), (&last, "on")] {
                if let Some(node) = node {
                    node.put("class", class);
                }
            }
            on = last;
        }
        let found = frame.with(|frame| next_run(frame.as_ref()?));
        if said.as_ref() != Some(&found) {
            below.say("");
            if let Some((step, words)) = &found {
                let step = *step;
                below.append(&crate::dom::text("No program runs here. Next: "));
                below.append(&jump(model, design, step).text(words));
            }
            said = Some(found);
        }
    });
    let title = el("h2")
        .child(el("b").text("Call chain"))
        .child(front_tabs(model));
    vec![title, list, next]
}

fn jump(model: Model, design: usize, step: usize) -> El {
    el("button").class("link").on("click", move |_| {
        if let Some(name) = model.names(design).get(step) {
            model.go_to(name.clone(), By::Jump);
        }
    })
}

fn call(model: Model, design: usize, link: &Link) -> El {
    let indent = format!("{}px", 8 + link.depth.min(12) * 8);
    el("li")
        .styled("padding-left", &indent)
        .child(jump(model, design, link.step).child(code(&link.name)))
        .child(span("dev", &link.dev))
        .all(rule(&link.name))
        .child(span("file", &link.file))
}

/// The rule that speaks of a function.
fn rule(name: &str) -> Option<El> {
    let index = RULES.binary_search_by_key(&name, |(function, _)| function);
    let (_, rule) = RULES.get(index.ok()?)?;
    let address = format!("/spec#{rule}");
    Some(el("a").set("href", &address).text(rule))
}

/// Where a program runs next, so that nobody has to look for it: the step, and what to call it.
fn next_run(frame: &Frame) -> Option<(usize, String)> {
    let trace = &frame.trace;
    let entry = |kind: &StepKind| {
        matches!(
            kind,
            StepKind::Program {
                edge: Edge::Entry,
                ..
            }
        )
    };
    let (index, step) = trace
        .steps
        .iter()
        .enumerate()
        .skip(frame.step)
        .find(|(_, step)| entry(&step.kind))?;
    let dev = device(trace, step)
        .map(|dev| dev.name.clone())
        .unwrap_or_default();
    Some((index, format!("{} on {dev}", what(trace, step))))
}
