//! Programs as the kernel runs them, C line by C line with their instructions.

use std::sync::Arc;

use headroom_core::bpf::{Listing as Text, ListingLine};
use headroom_core::scene::explain::span as bytes;
use headroom_core::scene::reads_at;
use headroom_core::trace::{Run, StepKind};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event};

use crate::dom::{El, Said, code, div, el, span};
use crate::frame::Frame;
use crate::model::Model;

/// So many listings stay in the document; one more, and they are all made anew when they are needed.
const MOST: usize = 16;

/// Of so many runs of a trace listings are made before they are needed.
const LOOKED_AT: usize = 64;

/// The listings that were shown: a program runs many times, and its nodes stay.
pub(super) struct Listings {
    /// What holds them.
    pub(super) area: El,
    model: Model,
    all: Vec<Listing>,
    shown: Option<usize>,
    /// One will be made soon.
    awaited: bool,
}

/// The nodes of one, and what they show.
struct Listing {
    program: String,
    text: Arc<Text>,
    list: El,
    lines: Vec<Line>,
    /// The line where one is, the one that says what it read, and the one where playing stops.
    at: Option<usize>,
    noted: Option<usize>,
    stop: Option<usize>,
}

/// The line of an instruction.
struct Line {
    item: El,
    /// Index of the instruction as written, and the button that shows it.
    written: Option<usize>,
    number: El,
    note: Said,
    own: String,
    /// Its C line is marked with it.
    head: Option<El>,
}

impl Listings {
    /// None yet.
    pub(super) fn new(model: Model) -> Self {
        Self {
            area: div("listings"),
            model,
            all: Vec::new(),
            shown: None,
            awaited: false,
        }
    }

    fn known(&self, run: &Run) -> Option<usize> {
        self.all.iter().position(|one| one.is_of(run))
    }

    /// The first of these runs whose listing is to be made, if nobody does it yet: who asks will.
    pub(super) fn awaits<'r>(&mut self, runs: &'r [Run]) -> Option<&'r Run> {
        if self.awaited || self.all.len() >= MOST {
            return None;
        }
        let mut first = runs.iter().take(LOOKED_AT);
        let run = first.find(|run| self.known(run).is_none());
        self.awaited = run.is_some();
        run
    }

    /// Makes the one of a run that will be shown.
    pub(super) fn prepare(&mut self, run: &Run) {
        self.awaited = false;
        // To make room for it is no affair of what is shown now.
        if self.known(run).is_none() && self.all.len() < MOST {
            self.add(run);
        }
    }

    /// Shows the listing of a run, or none.
    pub(super) fn show(&mut self, run: Option<&Run>) {
        let now = run.map(|run| self.known(run).unwrap_or_else(|| self.add(run)));
        if self.shown == now {
            return;
        }
        for (index, one) in self.all.iter().enumerate() {
            let (was, is) = (self.shown == Some(index), now == Some(index));
            if was != is {
                one.list.show(is);
            }
        }
        self.shown = now;
    }

    fn add(&mut self, run: &Run) -> usize {
        if self.all.len() >= MOST {
            self.area.say("");
            self.all.clear();
            self.shown = None;
        }
        let one = Listing::new(self.model, run);
        one.list.show(false);
        self.area.append(&one.list);
        self.all.push(one);
        self.all.len() - 1
    }

    /// Marks in the one that is shown where one is, what was read there, and where playing stops.
    pub(super) fn mark(&mut self, at: Option<usize>, read: Option<(usize, String)>, query: &str) {
        let Some(one) = self.shown.and_then(|shown| self.all.get_mut(shown)) else {
            return;
        };
        one.show_at(at);
        one.show_note(read);
        one.show_stop(query);
    }
}

/// A C line and its instructions with their indexes.
type Group<'l> = (Option<u32>, Vec<(usize, &'l ListingLine)>);

/// Instructions in groups of one C line.
fn groups(text: &Text) -> Vec<Group<'_>> {
    let mut out: Vec<Group<'_>> = Vec::new();
    for (index, line) in text.lines.iter().enumerate() {
        match out.last_mut() {
            Some((c_line, lines)) if *c_line == line.c_line => lines.push((index, line)),
            _ => out.push((line.c_line, vec![(index, line)])),
        }
    }
    out
}

impl Listing {
    fn new(model: Model, run: &Run) -> Self {
        let text = run.listing.clone();
        let file = text.source_file.as_deref().unwrap_or_default();
        let program = run.program.clone();
        let list = el("ol")
            .class("code")
            .set("aria-label", &format!("Instructions, with lines of {file}"))
            .on("click", move |event| {
                if let Some(number) = pressed(&event) {
                    model.toggle_query(&format!("instruction {number} of {program}"));
                }
            });
        let mut lines = Vec::with_capacity(text.lines.len());
        for (c_line, group) in groups(&text) {
            let source = c_line.and_then(|n| text.source.iter().find(|(line, _)| *line == n));
            let head = source.map(|(n, words)| {
                el("li")
                    .class("c")
                    .child(span("ln", &n.to_string()))
                    .child(code(words.trim()))
            });
            if let Some(head) = &head {
                list.append(head);
            }
            for (index, line) in group {
                let one = Line::new(index, line, head.clone());
                list.append(&one.item);
                lines.push(one);
            }
        }
        Self {
            program: run.program.clone(),
            text,
            list,
            lines,
            at: None,
            noted: None,
            stop: None,
        }
    }

    fn is_of(&self, run: &Run) -> bool {
        Arc::ptr_eq(&self.text, &run.listing)
    }

    fn show_at(&mut self, at: Option<usize>) {
        if self.at == at {
            return;
        }
        for (at, on) in [(self.at, false), (at, true)] {
            if let Some(line) = at.and_then(|at| self.lines.get(at)) {
                line.item.mark("on", on);
                if let Some(head) = &line.head {
                    head.mark("on", on);
                }
            }
        }
        self.at = at;
    }

    fn show_note(&mut self, read: Option<(usize, String)>) {
        let now = read.as_ref().map(|(at, _)| *at);
        let over = self.noted.filter(|at| now != Some(*at));
        if let Some(line) = over.and_then(|at| self.lines.get_mut(at)) {
            line.note.say(&line.own);
        }
        if let Some((at, words)) = read
            && let Some(line) = self.lines.get_mut(at)
        {
            line.note.say(&words);
        }
        self.noted = now;
    }

    fn show_stop(&mut self, query: &str) {
        let wanted = query.strip_prefix("instruction ").and_then(|words| {
            words
                .strip_suffix(self.program.as_str())?
                .strip_suffix(" of ")
        });
        let now = wanted.and_then(|number| {
            let is = |line: &Line| line.written.is_some_and(|n| n.to_string() == number);
            self.lines.iter().position(is)
        });
        if self.stop == now {
            return;
        }
        for (at, on) in [(self.stop, "false"), (now, "true")] {
            if let Some(line) = at.and_then(|at| self.lines.get(at)) {
                line.number.put("aria-pressed", on);
            }
        }
        self.stop = now;
    }
}

/// The number of the instruction whose button an event comes from.
fn pressed(event: &Event) -> Option<String> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest("button").ok()??.text_content()
}

impl Line {
    fn new(index: usize, line: &ListingLine, head: Option<El>) -> Self {
        let (note, own) = (
            el("span").class("nt"),
            line.note.clone().unwrap_or_default(),
        );
        // Pressed, playing stops there.
        let number = match line.written {
            Some(written) => el("button")
                .class("ln")
                .set("tabindex", "-1")
                .set("title", "Playing stops here")
                .set("aria-pressed", "false")
                .text(&written.to_string()),
            None => span("ln", &format!("p{index}")),
        };
        let item = el("li")
            .class(if line.written.is_none() { "pro" } else { "" })
            .child(number.clone())
            .child(code(&line.text))
            .child(note.clone());
        if let Some(text) = &line.written_text {
            item.put("title", &format!("as written: {text}"));
        }
        let mut note = Said::new(&note);
        note.say(&own);
        Self {
            item,
            written: line.written,
            number,
            note,
            own,
            head,
        }
    }
}

/// The instruction that read, and which bytes.
pub(super) fn read_note(frame: &Frame) -> Option<(usize, String)> {
    let reads = reads_at(&frame.trace, frame.step);
    let read = reads.first()?;
    let StepKind::Insn { insn, .. } = frame.trace.steps.get(read.step)?.kind else {
        return None;
    };
    let start = read.offset?;
    let end = start + read.bytes.len() as u32;
    Some((insn, format!("reads {}", bytes(start, end))))
}
