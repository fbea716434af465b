//! The life of one byte: who wrote it, how it came here, who read it.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::life::{LifeEvent, LifeKind, life as events_of};
use headroom_core::trace::{Layer, OriginId};

use super::calls::{Goes, jump};
use super::prose::Words;
use crate::dom::{El, Row, Rows, Said, div, el};
use crate::frame::Frame;
use crate::model::Model;

/// The byte to speak of: the one looked at, else the first one that was read, else the first of
/// the metadata.
fn offset(model: Model, frame: &Frame) -> Option<u32> {
    let chosen = model
        .selected
        .get()
        .filter(|selected| selected.design == frame.design)
        .map(|s| s.offset);
    chosen
        .or_else(|| {
            let reads = headroom_core::scene::reads_at(&frame.trace, frame.step);
            let read = reads.first()?;
            let interesting = read.bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
            Some(read.offset? + interesting as u32)
        })
        .or_else(|| {
            let is_meta =
                |origin: &OriginId| frame.trace.sources.source(*origin).layer == Layer::Metadata;
            frame
                .buffer
                .origins
                .iter()
                .position(is_meta)
                .map(|at| at as u32)
        })
}

fn class(kind: LifeKind) -> &'static str {
    match kind {
        LifeKind::Written => "written",
        LifeKind::Moved => "moved",
        LifeKind::Passed => "passed",
        LifeKind::Read => "read",
    }
}

/// What is told of a byte: its offset, its value, what happened to it.
type Told = (u32, Option<u8>, Vec<LifeEvent>);

fn told(model: Model, frame: &Frame) -> Option<Told> {
    let at = offset(model, frame)?;
    let buffer = &frame.buffer;
    let origin = buffer.origins.get(at as usize).copied().unwrap_or_default();
    let value = buffer.bytes.get(at as usize).copied();
    let events = events_of(&frame.trace, frame.buffer_no?, at, origin, frame.step);
    Some((at, value, events))
}

/// The nodes of an event, and what they show.
struct Line {
    item: El,
    class: &'static str,
    words: Words,
    /// A button where there is a step to go to, else words.
    button: (El, Goes, Said),
    name: Said,
    goes: bool,
}

impl Row for Line {
    fn element(&self) -> &El {
        &self.item
    }
}

impl Line {
    fn new(model: Model) -> Self {
        let (words, name) = (el("span"), el("span"));
        let (button, goes) = jump(model);
        button.show(false);
        Self {
            words: Words::new(&words),
            button: (button.clone(), goes, Said::new(&button)),
            name: Said::new(&name),
            item: el("li").child(words).child(button).child(name),
            class: "",
            goes: false,
        }
    }

    fn class(&mut self, class: &'static str) {
        if self.class != class {
            self.class = class;
            self.item.put("class", class);
        }
    }

    fn show(&mut self, design: usize, event: &LifeEvent) {
        self.class(class(event.kind));
        self.words.show(&format!("{} · ", event.text));
        let (button, goes, words) = &mut self.button;
        if self.goes != event.step.is_some() {
            self.goes = event.step.is_some();
            button.show(self.goes);
        }
        match event.step {
            Some(step) => {
                goes.set((design, step));
                words.say(&event.who);
                self.name.say("");
            }
            None => self.name.say(&event.who),
        }
    }

    fn show_none(&mut self) {
        self.class("none");
        self.words.show("Never written by this packet.");
        self.name.say("");
        if std::mem::take(&mut self.goes) {
            self.button.0.show(false);
        }
    }
}

/// The list under the grid.
#[must_use]
pub fn life(model: Model, frame: Memo<Option<Arc<Frame>>>) -> El {
    let (offset, value) = (el("code"), el("code"));
    let bold = |code: &El| el("b").child(code.clone());
    let heading = el("h3")
        .text("Life of byte ")
        .child(bold(&offset))
        .text(", value ")
        .child(bold(&value));
    let list = el("ol").class("life");
    let area = div("told-byte").child(heading).child(list.clone());
    let (target, mut rows) = (area.clone(), Rows::new(&list));
    let (mut offset, mut value) = (Said::new(&offset), Said::new(&value));
    let mut shown: Option<(usize, Told)> = None;
    target.show(false);
    follow(move || {
        let now = frame.with(|frame| {
            let frame = frame.as_ref()?;
            Some((frame.design, told(model, frame)?))
        });
        if shown == now {
            return;
        }
        if shown.is_some() != now.is_some() {
            target.show(now.is_some());
        }
        if let Some((design, (at, byte, events))) = &now {
            offset.say(&at.to_string());
            value.say(&byte.map_or_else(|| "not known".into(), |v| format!("0x{v:02x}")));
            let lines = rows.show(events.len().max(1), &mut |_| Line::new(model));
            for (line, event) in lines.iter_mut().zip(events) {
                line.show(*design, event);
            }
            if events.is_empty()
                && let [line] = lines
            {
                line.show_none();
            }
        }
        shown = now;
    });
    area
}
