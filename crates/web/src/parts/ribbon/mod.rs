//! One buffer as a picture. Nodes stay; their places and texts change. One effect compares the picture
//! with the one before it and touches only what is another.

mod cells;
mod labels;
mod marks;
mod rows;
mod shapes;
mod twins;
mod verdicts;
mod zones;

use std::sync::Arc;

use headroom_core::scene::ribbon::{MoveMark, NARROW};
use headroom_core::scene::{Cell, Ribbon as Picture, RibbonOptions, Scale, ribbon as draw};
use headroom_core::trace::Verdict;
use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent};

use self::cells::{digit_size, pieces, written};
use self::marks::{Marks, Tick};
use self::shapes::Shapes;
use self::twins::Twins;
use self::verdicts::Verdicts;
use self::zones::Zones;
use super::digits::{self, Line};
use super::px;
use crate::dom::{El, div, el, svg};
use crate::frame::Frame;
use crate::model::{Model, Selected};
use crate::prelude::*;

/// Width of a character of the 11 px monospaced labels.
const CHAR: f64 = 6.62;
/// A byte narrower than this shows no digits.
const READABLE: f64 = 13.2;
const ARC_H: f64 = 34.0;
pub(super) const CELL_H: f64 = 32.0;
pub(super) const ROW_H: f64 = 15.0;
/// From the top of the zones to the top of the cells.
pub(super) const HEAD_H: f64 = 40.0;

const POINTERS: [&str; 11] = [
    "head",
    "data_hard_start",
    "data_meta",
    "meta_end",
    "data",
    "mac_header",
    "network_header",
    "transport_header",
    "tail",
    "data_end",
    "end",
];

/// The word and mark of a verdict.
#[must_use]
pub fn verdict_word(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Ok => ("✓", "ok"),
        Verdict::None => ("–", "none"),
        Verdict::Garbage | Verdict::Lost | Verdict::Overwritten => ("✗", "bad"),
    }
}

/// Shows a group at a place; what is inside is as wide as its `--n` says (the style sheet).
fn placed(group: &El, x: f64, width: f64) {
    group.styles(&format!(
        "transform:translateX({}px);--n:{}",
        px(x),
        px(width)
    ));
}

/// The buffer of one design.
#[must_use]
pub fn ribbon(
    model: Model,
    design: usize,
    frame: Memo<Option<Arc<Frame>>>,
    width: RwSignal<f64>,
) -> El {
    let picture = svg("svg").class("live").set("role", "img");
    let below = el("p").class("verdicts");
    let mut drawn = Drawn::new(&picture, &below);
    let cells = drawn.cells.clone();
    follow(move || {
        let (scale, width) = (model.scale.get(), width.get());
        // Before it stands in the document it has none; what is drawn then would be drawn twice.
        if width <= 0.0 {
            return;
        }
        let width = width.max(240.0);
        frame.with(|frame| drawn.show(frame.as_deref(), &scale, width));
    });
    let chosen = svg("line")
        .class("chosen")
        .set("y1", &px(CELL_H + 2.5))
        .set("y2", &px(CELL_H + 2.5));
    cells.append(&chosen);
    follow(move || {
        let selected = model.selected.get().filter(|s| s.design == design);
        chosen.show(selected.is_some());
        if let Some(selected) = selected {
            let scale = model.scale.get();
            let unit = width.get().max(240.0) / scale.units;
            let x = scale.x(selected.offset) * unit;
            chosen.put("x1", &px(x + 1.0));
            chosen.put("x2", &px(x + unit - 1.0));
        }
    });
    let look = move |event: &Event| {
        let under = event.target()?;
        let cell = under.dyn_into::<web_sys::Element>().ok()?;
        if cell.get_attribute("class").as_deref() != Some("hit") {
            return None;
        }
        let x = f64::from(event.dyn_ref::<MouseEvent>()?.client_x());
        let scale = model.scale.get_untracked();
        // As wide as it is seen: a slide is enlarged.
        let seen = cell.closest("svg").ok()??.get_bounding_client_rect();
        // The scale knows where an offset is; the byte under a place is the last one that begins before it.
        let at = (x - seen.left()) / seen.width() * scale.units;
        let offset = scale
            .cells()
            .take_while(|offset| scale.x(*offset) <= at)
            .last()?;
        Some(Selected { design, offset })
    };
    let picture = picture
        .on("pointermove", move |event| {
            look(&event)
                .into_iter()
                .for_each(|byte| model.point_at(byte));
        })
        .on("click", move |event| {
            look(&event).into_iter().for_each(|byte| model.choose(byte));
        });
    div("ribbon").child(picture).child(below)
}

/// The nodes of a picture.
struct Drawn {
    svg: El,
    zones_group: El,
    zones: Zones,
    cells: El,
    shapes: Shapes,
    /// Where the picture leaves bytes out, as one shape; and where bytes can be pointed at.
    folds: El,
    hits: El,
    written: El,
    written_path: String,
    /// Of each piece that is drawn byte by byte: one past its last byte, and its digits.
    digits_group: El,
    digits: Vec<(u32, El, Line)>,
    bytes: Vec<Cell>,
    ticks: Vec<Tick>,
    marks: Marks,
    twins: Twins,
    verdicts: Verdicts,
    scale: Option<Arc<Scale>>,
    width: f64,
    /// Rows that labels need at any step: of which trace, buffer, scale and width.
    most: Option<(usize, u32, (usize, usize))>,
    height: f64,
    label: String,
}

impl Drawn {
    fn new(picture: &El, below: &El) -> Self {
        let (zones_group, cells) = (svg("g"), svg("g"));
        picture.append(&zones_group);
        picture.append(&cells);
        let regions = svg("g");
        let folds = svg("path").class("fold");
        cells.append(&regions);
        cells.append(&folds);
        let written = svg("path").class("written");
        cells.append(&written);
        let digits_group = svg("g");
        cells.append(&digits_group);
        let hits = svg("path").class("hit");
        cells.append(&hits);
        let twins = Twins::new(&cells);
        // Labels over the stems that cross them.
        let ticks = POINTERS.map(|name| Tick::new(name, &cells));
        let marks = Marks::new(&cells, picture);
        Self {
            svg: picture.clone(),
            zones: Zones::new(&zones_group),
            zones_group,
            shapes: Shapes::new(&regions),
            folds,
            hits,
            written,
            written_path: String::new(),
            digits_group,
            digits: Vec::new(),
            bytes: Vec::new(),
            cells,
            ticks: ticks.into(),
            marks,
            twins,
            verdicts: Verdicts::new(below),
            scale: None,
            width: 0.0,
            most: None,
            height: 0.0,
            label: String::new(),
        }
    }

    fn show(&mut self, frame: Option<&Frame>, scale: &Arc<Scale>, width: f64) {
        let options = RibbonOptions {
            scale,
            width,
            char_width: CHAR,
        };
        let mut picture = frame
            .and_then(|f| Some(draw(&f.trace, f.drawn.max(f.step), &f.view()?, options)))
            .unwrap_or_default();
        if let Some((range, from)) = frame.and_then(Frame::written) {
            for cell in &mut picture.cells {
                cell.written = range.contains(&cell.offset);
                cell.read = None;
            }
            picture.reads.clear();
            let is = |mark: &MoveMark| (mark.to, Some(mark.from)) == (range.start, from);
            picture.moves.retain(is);
        }
        let unit = width / scale.units;
        let same = self
            .scale
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, scale) || known == scale);
        if !same || (self.width - width).abs() > 0.1 {
            self.lay_out(scale, width, unit);
        }
        self.zones.show(&picture);
        self.shapes.show(&picture);
        self.show_bytes(&picture, unit);
        for tick in &mut self.ticks {
            tick.show(&picture);
        }
        let arcs = frame.is_some_and(|frame| frame.reaches.moves);
        let arc = if arcs { ARC_H } else { 4.0 };
        let (rows, twins) = frame.map_or((0, 0), |frame| self.most_rows(frame, scale, width));
        // On a phone a line below them says what has a number.
        let rows = (rows + usize::from(width < NARROW)).max(picture.rows);
        let top = arc + HEAD_H;
        let under = CELL_H + 10.0 + rows as f64 * ROW_H;
        let height = top + under + twins as f64 * twins::height(width);
        if (self.height - height).abs() > 0.1 {
            self.height = height;
            self.svg.put("height", &px(height));
            self.zones_group
                .style("transform", &format!("translateY({}px)", px(arc)));
            self.cells
                .style("transform", &format!("translateY({}px)", px(top)));
        }
        self.marks.show(&picture, top, width);
        self.twins
            .show(frame, under, &|offset| scale.x(offset) * unit, width);
        self.verdicts.show(&picture, width);
        let label = frame.map(described).unwrap_or_default();
        if label != self.label {
            self.svg.put("aria-label", &label);
            self.label = label;
        }
    }

    /// Another scale or width: places that hold for all steps.
    fn lay_out(&mut self, scale: &Arc<Scale>, width: f64, unit: f64) {
        self.svg.put("width", &px(width));
        // static/words.js finds bytes by it.
        self.svg.put("data-scale", &scale.places());
        self.lay_out_digits(scale, unit);
        self.bytes.clear();
        let (mut folds, mut hits) = (String::new(), String::new());
        for piece in scale.folds() {
            let middle = (piece.x + piece.width / 2.0) * unit;
            let q = px((CELL_H + 6.0) / 4.0);
            folds.push_str(&format!("M{} -3l-4 {q}l8 {q}l-8 {q}l4 {q}", px(middle)));
        }
        for piece in pieces(scale) {
            let (x, along) = (px(piece.x * unit), px(piece.width * unit));
            hits.push_str(&format!("M{x} 0h{along}v{}h-{along}z", px(CELL_H)));
        }
        self.folds.put("d", &folds);
        self.hits.put("d", &hits);
        (self.scale, self.width, self.most) = (Some(scale.clone()), width, None);
    }

    /// A line of digits for each piece that is drawn byte by byte; none where they could not be read.
    fn lay_out_digits(&mut self, scale: &Scale, unit: f64) {
        let readable = unit >= READABLE;
        self.digits_group.show(readable);
        let size = digit_size(unit);
        digits::size(&self.digits_group, size, unit);
        let mut old = std::mem::take(&mut self.digits).into_iter();
        for piece in pieces(scale).filter(|_| readable) {
            let (_, group, line) = old.next().unwrap_or_else(|| {
                let group = svg("g");
                self.digits_group.append(&group);
                let line = Line::new(&group, &|| svg("text").set("y", "20.5"));
                (0, group, line)
            });
            let x = px(piece.x * unit + digits::inset(size, unit));
            group.put("transform", &format!("translate({x})"));
            self.digits.push((piece.end, group, line));
        }
        for (_, group, _) in old {
            group.remove();
        }
    }

    fn show_bytes(&mut self, picture: &Picture, unit: f64) {
        if self.bytes == picture.cells {
            return;
        }
        let mut cells = picture.cells.iter().peekable();
        for (end, _, line) in &mut self.digits {
            let mut layers = digits::Layers::default();
            while let Some(cell) = cells.next_if(|cell| cell.offset < *end) {
                let strong = cell.written || cell.read.is_some();
                digits::push(&mut layers, cell.value, strong);
            }
            line.show(&layers);
        }
        let path = written(&picture.cells, unit);
        if path != self.written_path {
            self.written.put("d", &path);
            self.written_path = path;
        }
        self.bytes.clone_from(&picture.cells);
    }

    /// The most rows that labels take at any step in this buffer, so that stepping never moves the page.
    fn most_rows(&mut self, frame: &Frame, scale: &Scale, width: f64) -> (usize, usize) {
        let Some(buffer) = frame.buffer_no else {
            return (0, 0);
        };
        let key = (Arc::as_ptr(&frame.trace) as usize, buffer.0);
        if let Some((trace, no, rows)) = self.most
            && (trace, no) == key
        {
            return rows;
        }
        let rows = rows::most_rows(frame, scale, width);
        self.most = Some((key.0, key.1, rows));
        rows
    }
}

fn described(frame: &Frame) -> String {
    let Some(view) = frame.view() else {
        return "no packet".into();
    };
    let rows = headroom_core::scene::text_table(&frame.trace, &view);
    let said = rows
        .iter()
        .filter(|row| row.kind == "zone")
        .map(|row| format!("{} {}", row.what, row.place));
    said.collect::<Vec<_>>().join(", ")
}
