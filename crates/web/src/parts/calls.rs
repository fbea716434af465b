//! The chain of calls around a step.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use headroom_core::scene::name::{device, what};
use headroom_core::trace::{Edge, StepKind, Trace};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

use crate::dom::{El, Row, Rows, Said, el};
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

/// Where a press leads: a step of a design's trace.
pub(super) type Goes = Rc<Cell<(usize, usize)>>;

/// A button that leads to a step of a design, and where to.
pub(super) fn jump(model: Model) -> (El, Goes) {
    let goes = Goes::default();
    let to = goes.clone();
    let button = el("button").class("link").on("click", move |_| {
        let (design, step) = to.get();
        if let Some(name) = model.names(design).get(step) {
            model.go_to(name.clone(), By::Jump);
        }
    });
    (button, goes)
}

/// The nodes of a call.
struct Call {
    item: El,
    goes: Goes,
    name: Said,
    dev: Said,
    file: Said,
    rule: (El, Said),
    shows: Option<Link>,
}

impl Row for Call {
    fn element(&self) -> &El {
        &self.item
    }

    fn hidden(&mut self) {
        self.item.put("class", "");
    }
}

impl Call {
    fn new(model: Model, depth: usize) -> Self {
        let indent = format!("{}px", 8 + depth.min(12) * 8);
        let (button, goes) = jump(model);
        let (name, rule) = (el("code"), el("a"));
        let (dev, file) = (el("span").class("dev"), el("span").class("file"));
        rule.show(false);
        Self {
            name: Said::new(&name),
            dev: Said::new(&dev),
            file: Said::new(&file),
            rule: (rule.clone(), Said::new(&rule)),
            item: el("li")
                .styled("padding-left", &indent)
                .child(button.child(name))
                .child(dev)
                .child(rule)
                .child(file),
            goes,
            shows: None,
        }
    }

    fn show(&mut self, design: usize, link: Link) {
        self.goes.set((design, link.step));
        if self.shows.as_ref() == Some(&link) {
            return;
        }
        self.name.say(&link.name);
        self.dev.say(&link.dev);
        self.file.say(&link.file);
        let before = self.shows.as_ref().and_then(|link| rule(&link.name));
        let now = rule(&link.name);
        if before != now {
            let (anchor, words) = &mut self.rule;
            anchor.show(now.is_some());
            if let Some(rule) = now {
                anchor.put("href", &format!("/spec#{rule}"));
                words.say(rule);
            }
        }
        self.shows = Some(link);
    }
}

/// The calls around a step; the innermost stands out. Beside a program that runs they are the functions down to
/// its hook, the program, and what it has called.
pub(super) struct Calls {
    /// The list.
    pub(super) list: El,
    model: Model,
    rows: Rows<Call>,
    /// How many there are, and whether beside a program.
    shows: (usize, bool),
    /// What is around a run of a program is the same in the whole run, which may be long.
    outer: Option<Outer>,
}

/// What is around a run: entries of functions and of the program, and how deep the program lies.
struct Outer {
    of: (Weak<Trace>, usize),
    open: Vec<usize>,
    depth: u16,
}

impl Outer {
    fn new(frame: &Frame, run: usize) -> Self {
        let trace = &frame.trace;
        let own = StepKind::Program {
            run,
            edge: Edge::Entry,
        };
        let steps = trace.steps.iter().take(frame.step + 1);
        let entry = { steps }.rposition(|step| step.kind == own);
        let entry = entry.unwrap_or(frame.step);
        Self {
            of: (Arc::downgrade(trace), run),
            open: open_calls(trace, entry, 0),
            depth: trace.steps.get(entry).map_or(0, |step| step.depth),
        }
    }

    fn is_of(&self, frame: &Frame, run: usize) -> bool {
        self.of.1 == run && self.of.0.as_ptr() == Arc::as_ptr(&frame.trace)
    }
}

impl Calls {
    /// None yet.
    pub(super) fn new(model: Model) -> Self {
        let list = el("ol").class("calls").set("aria-label", "Call chain");
        Self {
            rows: Rows::new(&list),
            list,
            model,
            shows: (0, false),
            outer: None,
        }
    }

    /// Shows the calls around the step of a frame, which may be in a run of a program.
    pub(super) fn show(&mut self, frame: &Frame, run: Option<usize>) {
        let open = match run {
            Some(run) => self.beside(frame, run),
            None => open_calls(&frame.trace, frame.step, 0),
        };
        let links = links(&frame.trace, open);
        let (before, now) = (self.shows, (links.len(), run.is_some()));
        if before.1 != now.1 {
            let class = if now.1 { "calls line" } else { "calls" };
            self.list.put("class", class);
        }
        let model = self.model;
        let rows = self
            .rows
            .show(links.len(), &mut |depth| Call::new(model, depth));
        for (index, (row, link)) in rows.iter_mut().zip(links).enumerate() {
            row.show(frame.design, link);
            let (was, is) = (index + 1 == before.0, index + 1 == now.0);
            if was != is {
                row.item.put("class", if is { "on" } else { "" });
            }
        }
        self.shows = now;
    }

    fn beside(&mut self, frame: &Frame, run: usize) -> Vec<usize> {
        let known = self.outer.take().filter(|outer| outer.is_of(frame, run));
        let outer = self
            .outer
            .insert(known.unwrap_or_else(|| Outer::new(frame, run)));
        let mut open = outer.open.clone();
        if open.last() != Some(&frame.step) {
            open.extend(open_calls(&frame.trace, frame.step, outer.depth + 1));
        }
        open
    }
}

/// The rule that speaks of a function.
fn rule(name: &str) -> Option<&'static str> {
    let index = RULES.binary_search_by_key(&name, |(function, _)| function);
    RULES.get(index.ok()?).map(|(_, rule)| *rule)
}
