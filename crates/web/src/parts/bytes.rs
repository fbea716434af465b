//! The bytes of the buffer as a grid, 16 a row.

use crate::prelude::*;
use headroom_core::scene::{Family, regions};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, KeyboardEvent};

use super::life::life;
use crate::designs::COLUMNS;
use crate::dom::{El, div, el, text};
use crate::frame::Frame;
use crate::model::{Model, Selected};

const WIDE: u32 = 16;

/// What one byte of the grid shows.
#[derive(Clone, PartialEq, Default)]
struct Byte {
    value: Option<u8>,
    class: String,
}

/// From the row of the first byte that is drawn to the row of the tail, over all steps.
fn bounds(model: Model) -> (u32, u32) {
    model.scale.with(|scale| {
        let first = scale
            .folds()
            .find(|fold| fold.start == 0)
            .map_or(0, |fold| fold.end);
        let last = scale
            .folds()
            .last()
            .filter(|fold| fold.start > 0)
            .map(|fold| fold.start);
        let last = last
            .or_else(|| scale.pieces.last().map(|piece| piece.end))
            .unwrap_or(WIDE);
        (first / WIDE * WIDE, last.div_ceil(WIDE) * WIDE)
    })
}

fn grid(frame: &Frame, from: u32, to: u32) -> Vec<Byte> {
    let Some(view) = frame.view() else {
        return Vec::new();
    };
    let regions = regions(&frame.trace, &view);
    let reads = headroom_core::scene::reads_at(&frame.trace, frame.step);
    let written = headroom_core::scene::ribbon::written_ranges(&frame.trace, frame.step);
    let one = |offset: u32| {
        let region = regions
            .iter()
            .find(|region| (region.start..region.end).contains(&offset));
        let value = frame.buffer.bytes.get(offset as usize).copied();
        let family = region.map_or(Family::Unwritten, |region| region.family);
        let mut class = format!("f-{}", family.key());
        let read = |r: &&&headroom_core::trace::MetadataRead| {
            r.offset
                .is_some_and(|start| (start..start + r.bytes.len() as u32).contains(&offset))
        };
        if region.is_some_and(|region| region.stale) {
            class.push_str(" stale");
        }
        if value == Some(0) {
            class.push_str(" z");
        }
        if let Some(read) = reads.iter().find(read) {
            class.push_str(" rd ");
            class.push_str(super::ribbon::verdict_word(read.verdict).1);
        }
        if written.iter().any(|range| range.contains(&offset)) {
            class.push_str(" w");
        }
        Byte { value, class }
    };
    (from..to).map(one).collect()
}

/// The bytes as letters.
fn letters(bytes: &[Byte]) -> String {
    let printable = |byte: &Byte| match byte.value {
        Some(value @ 0x20..=0x7e) => value as char,
        _ => '·',
    };
    bytes.iter().map(printable).collect()
}

/// The nodes of the grid: its edges, a cell and its text for each byte, a line of letters for each row.
#[derive(Default)]
struct Grid {
    from: u32,
    to: u32,
    cells: Vec<(El, El)>,
    letters: Vec<(El, String)>,
    shows: Vec<Byte>,
    /// The byte that is chosen, and the one that the Tab key comes to.
    here: Option<u32>,
    stop: Option<u32>,
}

impl Grid {
    fn lay_out(&mut self, body: &El, from: u32, to: u32) {
        body.say("");
        *self = Self {
            from,
            to,
            ..Self::default()
        };
        for start in (from..to).step_by(WIDE as usize) {
            let mut row = el("tr").child(el("th").set("scope", "row").text(&start.to_string()));
            for offset in start..start + WIDE {
                let words = text("··");
                let cell = el("td")
                    .set("role", "gridcell")
                    .set("data-offset", &offset.to_string())
                    .set("tabindex", "-1")
                    .child(words.clone());
                row = row.child(cell.clone());
                self.cells.push((cell, words));
            }
            let letters = text("");
            let ascii = el("td").class("ascii").set("aria-hidden", "true");
            body.append(&row.child(ascii.child(letters.clone())));
            self.letters.push((letters, String::new()));
        }
        self.shows = vec![Byte::default(); self.cells.len()];
    }

    fn show(&mut self, bytes: Vec<Byte>) {
        for ((cell, words), (old, new)) in self.cells.iter().zip(self.shows.iter().zip(&bytes)) {
            if old.value != new.value {
                let hex = new.value.map(|value| format!("{value:02x}"));
                words.say(hex.as_deref().unwrap_or("··"));
            }
            if old.class != new.class {
                cell.put("class", &new.class);
            }
        }
        for ((node, shown), bytes) in self.letters.iter_mut().zip(bytes.chunks(WIDE as usize)) {
            let now = letters(bytes);
            if now != *shown {
                node.say(&now);
                *shown = now;
            }
        }
        self.shows = bytes;
    }

    fn cell(&self, offset: Option<u32>) -> Option<&El> {
        let index = offset?.checked_sub(self.from)?;
        self.cells.get(index as usize).map(|(cell, _)| cell)
    }

    fn choose(&mut self, chosen: Option<u32>) {
        let stop = Some(chosen.unwrap_or(self.from));
        if self.here != chosen {
            for (offset, on) in [(self.here, false), (chosen, true)] {
                if let Some(cell) = self.cell(offset) {
                    cell.maybe("aria-selected", on.then_some("true"));
                }
            }
            self.here = chosen;
        }
        if self.stop != stop {
            for (offset, index) in [(self.stop, "-1"), (stop, "0")] {
                if let Some(cell) = self.cell(offset) {
                    cell.put("tabindex", index);
                }
            }
            self.stop = stop;
        }
    }
}

/// The offset of the cell that an event is about.
fn offset_of(event: &Event) -> Option<u32> {
    let target: web_sys::Element = event.target()?.dyn_into().ok()?;
    let cell = target.closest("[data-offset]").ok()??;
    cell.get_attribute("data-offset")?.parse().ok()
}

/// The grid of the design in front, and the life of the byte one looks at.
#[must_use]
pub fn bytes(model: Model) -> El {
    let frame = Memo::new(move |_| model.front_frame());
    let chosen = move || {
        let selected = model.selected.get();
        selected
            .filter(|s| s.design == model.front.get())
            .map(|s| s.offset)
    };
    let body = el("tbody");
    let nodes = StoredValue::new(Grid::default());
    let (target, mut scale) = (body.clone(), None);
    follow(move || {
        let now = model.scale.get();
        nodes.update_value(|nodes| {
            if scale.as_ref() != Some(&now) {
                let (from, to) = bounds(model);
                if (nodes.from, nodes.to) != (from, to) || nodes.cells.is_empty() {
                    nodes.lay_out(&target, from, to);
                }
                scale = Some(now);
            }
            let (from, to) = (nodes.from, nodes.to);
            let of = |frame: &Option<_>| {
                frame
                    .as_ref()
                    .map(|frame: &std::sync::Arc<Frame>| grid(frame, from, to))
            };
            let mut bytes = frame.with(of).unwrap_or_default();
            bytes.resize(nodes.cells.len(), Byte::default());
            nodes.show(bytes);
            nodes.choose(untrack(chosen));
        });
    });
    follow(move || {
        let chosen = chosen();
        nodes.update_value(|nodes| nodes.choose(chosen));
    });
    let select = move |event: Event| {
        if let Some(offset) = offset_of(&event) {
            let design = model.front.get_untracked();
            model.selected.set(Some(Selected { design, offset }));
        }
    };
    let on_key = move |event: Event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        let (from, to) = nodes.with_value(|nodes| (nodes.from, nodes.to));
        let at = untrack(chosen).unwrap_or(from);
        let next = match event.key().as_str() {
            "ArrowRight" => at + 1,
            "ArrowLeft" => at.saturating_sub(1),
            "ArrowDown" => at + WIDE,
            "ArrowUp" => at.saturating_sub(WIDE),
            "Home" => at / WIDE * WIDE,
            "End" => at / WIDE * WIDE + WIDE - 1,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        let offset = next.clamp(from, to.saturating_sub(1).max(from));
        let design = model.front.get_untracked();
        model.selected.set(Some(Selected { design, offset }));
        nodes.with_value(|nodes| {
            if let Some(cell) = nodes.cell(Some(offset)).and_then(El::as_a::<HtmlElement>) {
                let _ = cell.focus();
            }
        });
    };
    let caption = "Bytes of the buffer, 16 a row; arrow keys go from byte to byte";
    let table = el("table")
        .class("grid")
        .set("role", "grid")
        .on("keydown", on_key)
        .on("pointerover", select)
        .on("click", select)
        .on("focusin", select)
        .child(el("caption").class("sr").text(caption))
        .child(body);
    let title = el("h2")
        .set("id", "bytes-title")
        .child(el("b").text("Bytes"))
        .child(front_tabs(model));
    el("section")
        .class("panel bytes")
        .set("aria-labelledby", "bytes-title")
        .child(title)
        .child(div("scroll").child(table))
        .child(life(model, frame))
}

/// Which design the lower panels show.
#[must_use]
pub fn front_tabs(model: Model) -> El {
    let tabs = move || {
        let shown = model.designs.get();
        let many = shown.len() > 1;
        let tab = |design: usize| {
            let name = COLUMNS.get(design).copied().unwrap_or_default();
            if !many {
                return crate::dom::span("tab", name);
            }
            el("button")
                .class("tab")
                .tells("aria-pressed", move || model.front.get() == design)
                .on("click", move |_| model.front.set(design))
                .text(name)
        };
        shown.into_iter().map(tab).collect()
    };
    el("span")
        .class("tabs")
        .set("role", "group")
        .set("aria-label", "Design shown here")
        .part(tabs)
}
