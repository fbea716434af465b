//! The bytes of the buffer as a grid, 16 a row.

mod back;
mod changes;

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlElement, KeyboardEvent};

use self::back::{Back, Layout, WIDE};
use super::life::life;
use super::px;
use crate::designs::column_title;
use crate::dom::{El, div, el, on_window, span};
use crate::frame::Frame;
use crate::model::{Model, Selected};
use crate::prelude::*;
use crate::view::Show;

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

/// Width of a byte, for a width of the window: in a narrow one a row fills it.
fn unit(window: f64) -> f64 {
    if window >= 1700.0 {
        26.0
    } else {
        ((window - 32.0 - HEADS) / f64::from(WIDE)).clamp(17.0, 23.0)
    }
}

/// In a window wider than this there is room for letters beside the digits (static/headroom.css keeps it).
const LETTERS: f64 = 1560.0;

/// Width of the offsets in front of a row.
const HEADS: f64 = 44.0;

/// The nodes of the grid. A cell holds nothing: what it shows stands behind it, and its name is said when one
/// comes to it.
struct Grid {
    body: El,
    rows: El,
    back: Back,
    layout: Layout,
    /// Rows that were ever shown, without holes: another buffer shows others of them.
    made: Vec<Row>,
    /// Offset of the first.
    first: u32,
    /// The byte that is chosen, and the one that the Tab key comes to.
    here: Option<u32>,
    stop: Option<u32>,
    name: String,
}

/// A row of the grid.
struct Row {
    row: El,
    cells: Vec<El>,
    shown: bool,
}

impl Row {
    fn new(start: u32) -> Self {
        let head = span("", &start.to_string()).set("role", "rowheader");
        let row = div("row").set("role", "row").child(head);
        let cell = |offset: u32| {
            let cell = el("span")
                .set("role", "gridcell")
                .set("data-offset", &offset.to_string())
                .set("tabindex", "-1");
            row.append(&cell);
            cell
        };
        Self {
            cells: (start..start + WIDE).map(cell).collect(),
            row,
            shown: true,
        }
    }
}

impl Grid {
    fn new(body: &El) -> Self {
        let (back, rows) = (Back::new(), div("rows").set("role", "rowgroup"));
        body.append(&back.svg);
        body.append(&back.texts);
        body.append(&rows);
        Self {
            body: body.clone(),
            rows,
            back,
            layout: Layout::default(),
            made: Vec::new(),
            first: 0,
            here: None,
            stop: None,
            name: String::new(),
        }
    }

    fn lay_out(&mut self, layout: Layout) {
        let before = std::mem::replace(&mut self.layout, layout);
        self.back.lay_out(layout);
        if before.unit != layout.unit {
            self.body.style("--u", &format!("{}px", px(layout.unit)));
            self.body.style("--r", &format!("{}px", px(layout.row())));
        }
        self.make_rows(layout);
        for (row, start) in self
            .made
            .iter_mut()
            .zip((self.first..).step_by(WIDE as usize))
        {
            let shown = (layout.from..layout.to).contains(&start);
            if row.shown != shown {
                row.row.show(shown);
                row.shown = shown;
            }
        }
    }

    /// Makes the rows that are not there yet.
    fn make_rows(&mut self, layout: Layout) {
        if self.made.is_empty() {
            self.first = layout.from;
        }
        while self.first > layout.from {
            self.first -= WIDE;
            let row = Row::new(self.first);
            self.rows
                .insert(&row.row, self.made.first().map(|row| &row.row));
            self.made.insert(0, row);
        }
        let end = self.first + self.made.len() as u32 * WIDE;
        for start in (end..layout.to).step_by(WIDE as usize) {
            let row = Row::new(start);
            self.rows.append(&row.row);
            self.made.push(row);
        }
    }

    fn cell(&self, offset: Option<u32>) -> Option<&El> {
        let index = offset?.checked_sub(self.first)?;
        let row = self.made.get((index / WIDE) as usize)?;
        row.cells.get((index % WIDE) as usize)
    }

    /// What a cell is called.
    fn say(&mut self, frame: Option<&Frame>) {
        let Some(at) = self.here else { return };
        let known = |frame: &Frame| {
            let value = frame.buffer.bytes.get(at as usize)?;
            let origin = frame.buffer.origins.get(at as usize)?;
            let whose = &frame.trace.sources.source(*origin).label;
            Some(format!("byte {at}: {value:02x}, {whose}"))
        };
        let name = frame.and_then(known);
        let name = name.unwrap_or_else(|| format!("byte {at}: not known"));
        if name != self.name
            && let Some(cell) = self.cell(self.here)
        {
            cell.put("aria-label", &name);
            self.name = name;
        }
    }

    fn choose(&mut self, chosen: Option<u32>) {
        let stop = Some(chosen.unwrap_or(self.layout.from));
        if self.here != chosen {
            for (offset, on) in [(self.here, false), (chosen, true)] {
                if let Some(cell) = self.cell(offset) {
                    cell.maybe("aria-selected", on.then_some("true"));
                    if !on {
                        cell.maybe("aria-label", None);
                    }
                }
            }
            self.here = chosen;
            self.name.clear();
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

/// Width of the window.
fn inner_width() -> f64 {
    let width = window().inner_width().ok();
    width.and_then(|width| width.as_f64()).unwrap_or(1280.0)
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
    let body = div("grid");
    let window_width = RwSignal::new(inner_width());
    on_window("resize", move |_| window_width.set(inner_width()));
    let bounds = Memo::new(move |_| bounds(model));
    let layout = Memo::new(move |_| {
        let (from, to) = bounds.get();
        let window = window_width.get();
        Layout {
            from,
            to,
            unit: unit(window),
            letters: window > LETTERS,
        }
    });
    let nodes = StoredValue::new(Grid::new(&body));
    let mut laid_out = None;
    follow(move || {
        let now = layout.get();
        let chosen = chosen();
        nodes.update_value(|nodes| {
            if laid_out != Some(now) {
                nodes.lay_out(now);
                laid_out = Some(now);
            }
            frame.with(|frame| {
                nodes.back.show(frame.as_deref());
                nodes.choose(chosen);
                nodes.say(frame.as_deref());
            });
        });
    });
    let under = move |event: &Event| {
        let (offset, design) = (offset_of(event)?, model.front.get_untracked());
        Some(Selected { design, offset })
    };
    let point = move |event: Event| {
        let byte = under(&event);
        byte.into_iter().for_each(|byte| model.point_at(byte));
    };
    let on_key = move |event: Event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        let (from, to) = nodes.with_value(|nodes| (nodes.layout.from, nodes.layout.to));
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
        model.choose(Selected { design, offset });
        nodes.with_value(|nodes| {
            if let Some(cell) = nodes.cell(Some(offset)).and_then(El::as_a::<HtmlElement>) {
                let _ = cell.focus();
            }
        });
    };
    let table = body
        .set("role", "grid")
        .set(
            "aria-label",
            "Bytes of the buffer, 16 a row; arrow keys go from byte to byte",
        )
        .on("keydown", on_key)
        .on("focusin", point)
        .on("pointerover", point)
        .on("click", move |event| {
            under(&event)
                .into_iter()
                .for_each(|byte| model.choose(byte));
        });
    let title = el("h2")
        .child(el("b").set("id", "bytes-title").text("Bytes"))
        .child(front_tabs(model))
        .child(
            el("button")
                .class("tab")
                .set("title", "What is another than at the step before (key x)")
                .tells("aria-pressed", move || model.view.get().has(Show::Changes))
                .on("click", move |_| model.toggle(Show::Changes))
                .text("changes"),
        );
    el("section")
        .class("panel bytes")
        .set("aria-labelledby", "bytes-title")
        .child(title)
        .child(
            div("scroll")
                .when("hidden", move || model.view.get().has(Show::Changes))
                .child(table),
        )
        .child(changes::changes(model, frame))
        .child(life(model, frame))
}

/// Which design the lower panels show.
#[must_use]
pub fn front_tabs(model: Model) -> El {
    let tabs = move || {
        let shown = model.designs.get();
        let many = shown.len() > 1;
        let tab = |design: usize| {
            let name = column_title(design);
            if !many {
                return crate::dom::span("tab", name);
            }
            el("button")
                .class("tab")
                .tells("aria-pressed", move || model.front.get() == design)
                .on("click", move |_| model.face(design, None))
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
