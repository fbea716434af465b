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

/// Entries of the functions and programs around a step that lie as deep as `least` or deeper, its own among them,
/// outermost first. It looks back no farther than the outermost one, however long the trace is.
#[must_use]
pub(super) fn open_calls(trace: &Trace, step: usize, least: u16) -> Vec<usize> {
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
        if depth <= least {
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

fn links(trace: &Trace, open: Vec<usize>) -> Vec<Link> {
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
    open.into_iter().enumerate().filter_map(one).collect()
}

/// A list of calls around the step of a frame; its last is where one is.
fn list(
    model: Model,
    frame: Memo<Option<Arc<Frame>>>,
    class: &str,
    mut open: impl FnMut(&Frame) -> Vec<usize> + 'static,
) -> El {
    let list = el("ol").class(class).set("aria-label", "Call chain");
    let mut nodes: Keyed<Link> = Keyed::new(&list);
    // The innermost call stands out.
    let mut on: Option<El> = None;
    follow(move || {
        let (links, design) = frame.with(|frame| match frame {
            Some(frame) => (links(&frame.trace, open(frame)), frame.design),
            None => Default::default(),
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
    });
    list
}

/// Beside a program that runs: the functions down to its hook, the program, and what it has called.
pub(super) fn around(model: Model, frame: Memo<Option<Arc<Frame>>>, run: usize) -> El {
    // What is around the program is the same in the whole run, which may be long.
    let mut outer: Option<(Vec<usize>, u16)> = None;
    list(model, frame, "calls line", move |frame| {
        let trace = &frame.trace;
        let (outer, depth) = outer.get_or_insert_with(|| {
            let steps = trace.steps.iter().take(frame.step + 1);
            let own = StepKind::Program {
                run,
                edge: Edge::Entry,
            };
            let entry = { steps }
                .rposition(|step| step.kind == own)
                .unwrap_or(frame.step);
            let depth = trace.steps.get(entry).map_or(0, |step| step.depth);
            (open_calls(trace, entry, 0), depth)
        });
        let mut open = outer.clone();
        if open.last() != Some(&frame.step) {
            open.extend(open_calls(trace, frame.step, *depth + 1));
        }
        open
    })
}

/// The panel when no program runs.
pub(super) fn calls(model: Model, frame: Memo<Option<Arc<Frame>>>) -> Vec<El> {
    let list = list(model, frame, "calls", |frame| {
        open_calls(&frame.trace, frame.step, 0)
    });
    let next = el("p").class("next");
    let (below, mut said) = (next.clone(), None);
    follow(move || {
        let found = frame.with(|frame| {
            let frame = frame.as_ref()?;
            let (step, words) = next_run(frame)?;
            Some((step, words, frame.design))
        });
        if said.as_ref() != Some(&found) {
            below.say("");
            if let Some((step, words, design)) = &found {
                below.append(&crate::dom::text("No program runs here. Next: "));
                below.append(&jump(model, *design, *step).text(words));
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
