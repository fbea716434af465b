//! One buffer as a picture. Nodes stay; their places and texts change. One effect compares the picture
//! with the one before it and touches only what is another.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::ribbon::Placed;
use headroom_core::scene::{
    Cell, Region, Ribbon as Picture, RibbonOptions, Scale, Zone, ZoneKind, pointers, ribbon as draw,
};
use headroom_core::trace::{PacketView, Trace, Verdict};
use web_sys::{Event, MouseEvent};

use super::px;
use super::ribbon_marks::{Marks, Tick, verdicts};
use crate::dom::{El, Keyed, div, el, svg, text};
use crate::frame::Frame;
use crate::model::{Model, Selected};

/// Width of a character of the 11 px monospaced labels.
const CHAR: f64 = 6.62;
/// A byte narrower than this shows no digits.
const READABLE: f64 = 12.4;
const ARC_H: f64 = 34.0;
pub(super) const CELL_H: f64 = 32.0;
pub(super) const ROW_H: f64 = 15.0;
/// From the top of the zones to the top of the cells.
pub(super) const HEAD_H: f64 = 40.0;

const ZONES: [ZoneKind; 6] = [
    ZoneKind::Headroom,
    ZoneKind::Metadata,
    ZoneKind::Gap,
    ZoneKind::Pulled,
    ZoneKind::Packet,
    ZoneKind::Tailroom,
];
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

/// The buffer of one design.
#[must_use]
pub fn ribbon(
    model: Model,
    design: usize,
    frame: Memo<Option<Arc<Frame>>>,
    width: RwSignal<f64>,
) -> El {
    let picture = svg("svg").set("role", "img");
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
        let cell = wasm_bindgen::JsCast::dyn_into::<web_sys::Element>(under).ok()?;
        if cell.get_attribute("class").as_deref() != Some("hit") {
            return None;
        }
        let x = f64::from(wasm_bindgen::JsCast::dyn_ref::<MouseEvent>(event)?.client_x());
        let scale = model.scale.get_untracked();
        let unit = width.get_untracked().max(240.0) / scale.units;
        let from = cell.closest("svg").ok()??.get_bounding_client_rect().left();
        // The scale knows where an offset is; the byte under a place is the last one that begins before it.
        let at = (x - from) / unit;
        let offset = scale
            .cells()
            .take_while(|offset| scale.x(*offset) <= at)
            .last()?;
        model.selected.set(Some(Selected { design, offset }));
        Some(())
    };
    let picture = picture
        .on("pointerover", move |event| {
            look(&event);
        })
        .on("click", move |event| {
            if look(&event).is_some() {
                model.front.set(design);
            }
        });
    div("ribbon").child(picture).child(below)
}

/// The nodes of a byte, and what they show.
struct Byte {
    group: El,
    hit: El,
    letters: El,
    digits: El,
    shows: Cell,
}

/// The nodes of a zone: the group, its bracket, its label and the words of that; and what they show.
type Claim = (El, El, El, El, Option<Placed<Zone>>);

/// The nodes of a picture.
struct Drawn {
    svg: El,
    zones_group: El,
    zones: Vec<Claim>,
    cells: El,
    folds: Vec<El>,
    regions: Keyed<(u64, u64, Placed<Region>)>,
    bytes: Vec<Byte>,
    bytes_group: El,
    ticks: Vec<Tick>,
    marks: Marks,
    below: El,
    scale: Option<Arc<Scale>>,
    width: f64,
    /// Rows that labels need at any step: of which trace, buffer, scale and width.
    most: Option<(usize, u32, usize)>,
    height: f64,
    label: String,
}

impl Drawn {
    fn new(picture: &El, below: &El) -> Self {
        let zones_group = svg("g");
        let zones = ZONES.map(|kind| {
            let class = format!("zone {}", kind.word().replace(' ', "-"));
            let (path, words) = (svg("path"), text(""));
            let label = svg("text").set("y", "10").child(words.clone());
            let group = svg("g")
                .class(&class)
                .child(path.clone())
                .child(label.clone());
            group.show(false);
            zones_group.append(&group);
            (group, path, label, words, None)
        });
        let cells = svg("g");
        let (folds_and_regions, bytes_group) = (svg("g"), svg("g"));
        picture.append(&zones_group);
        picture.append(&cells);
        cells.append(&folds_and_regions);
        cells.append(&bytes_group);
        let marks = Marks::new(&cells, picture);
        let ticks = POINTERS.map(|name| Tick::new(name, &cells));
        Self {
            svg: picture.clone(),
            zones_group,
            zones: zones.into(),
            folds: Vec::new(),
            regions: Keyed::new(&folds_and_regions),
            cells,
            bytes: Vec::new(),
            bytes_group,
            ticks: ticks.into(),
            marks,
            below: below.clone(),
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
        let picture = frame
            .and_then(|f| Some(draw(&f.trace, f.drawn.max(f.step), &f.view()?, options)))
            .unwrap_or_default();
        let unit = width / scale.units;
        let same = self
            .scale
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, scale) || known == scale);
        if !same || (self.width - width).abs() > 0.1 {
            self.lay_out(scale, width, unit);
        }
        self.show_zones(&picture);
        self.show_regions(&picture);
        self.show_bytes(&picture, unit);
        for tick in &mut self.ticks {
            tick.show(&picture);
        }
        let arcs = frame.is_some_and(|frame| has_moves(&frame.trace));
        let arc = if arcs { ARC_H } else { 4.0 };
        let rows = frame
            .map_or(0, |frame| self.most_rows(frame, scale, width))
            .max(picture.rows);
        let top = arc + HEAD_H;
        let height = top + CELL_H + 14.0 + rows as f64 * ROW_H;
        if (self.height - height).abs() > 0.1 {
            self.height = height;
            self.svg.put("height", &px(height));
            self.zones_group
                .style("transform", &format!("translateY({}px)", px(arc)));
            self.cells
                .style("transform", &format!("translateY({}px)", px(top)));
        }
        self.marks.show(&picture, top);
        verdicts(&self.below, &picture, width, &mut self.marks.verdicts);
        let label = frame.map(described).unwrap_or_default();
        if label != self.label {
            self.svg.put("aria-label", &label);
            self.label = label;
        }
    }

    /// Another scale or width: places that hold for all steps.
    fn lay_out(&mut self, scale: &Arc<Scale>, width: f64, unit: f64) {
        self.svg.put("width", &px(width));
        self.svg.mark("tight", unit < READABLE);
        for fold in self.folds.drain(..) {
            fold.remove();
        }
        for piece in scale.folds() {
            let middle = (piece.x + piece.width / 2.0) * unit;
            let q = px((CELL_H + 6.0) / 4.0);
            let path = format!("M{} -3 l-4 {q} l8 {q} l-8 {q} l4 {q}", px(middle));
            let fold = svg("g").class("fold").child(svg("path").set("d", &path));
            // Over the regions, under the bytes.
            self.bytes_group.append(&fold);
            self.folds.push(fold);
        }
        for byte in self.bytes.drain(..) {
            byte.group.remove();
        }
        (self.scale, self.width, self.most) = (Some(scale.clone()), width, None);
    }

    fn show_zones(&mut self, picture: &Picture) {
        for (kind, (group, path, label, words, last)) in ZONES.iter().zip(&mut self.zones) {
            let zone = picture.zones.iter().find(|zone| zone.item.kind == *kind);
            if zone == last.as_ref() {
                continue;
            }
            if let Some(zone) = zone {
                group.style("transform", &format!("translateX({}px)", px(zone.x)));
                let same_width = last
                    .as_ref()
                    .is_some_and(|last| (last.width - zone.width).abs() < 0.01);
                if !same_width {
                    path.put(
                        "d",
                        &format!("M1 18 v-4 h{} v4", px((zone.width - 2.0).max(1.0))),
                    );
                    label.put("x", &px(zone.width / 2.0));
                }
                if last.as_ref().is_none_or(|last| last.label != zone.label) {
                    words.say(&zone.label);
                }
            }
            if zone.is_some() != last.is_some() {
                group.show(zone.is_some());
            }
            *last = zone.cloned();
        }
    }

    fn show_regions(&mut self, picture: &Picture) {
        let key = |r: &Placed<Region>| (r.x.to_bits(), r.width.to_bits(), r.clone());
        let wanted = picture.regions.iter().map(key).collect();
        self.regions.show(wanted, &mut |(_, _, r)| region(r));
    }

    fn show_bytes(&mut self, picture: &Picture, unit: f64) {
        let same = self.bytes.len() == picture.cells.len();
        if !same {
            for byte in self.bytes.drain(..) {
                byte.group.remove();
            }
            for cell in &picture.cells {
                let byte = Byte::new(cell, unit);
                self.bytes_group.append(&byte.group);
                self.bytes.push(byte);
            }
            return;
        }
        for (byte, cell) in self.bytes.iter_mut().zip(&picture.cells) {
            byte.show(cell, unit);
        }
    }

    /// The most rows that labels take at any step in this buffer, so that stepping never moves the page.
    fn most_rows(&mut self, frame: &Frame, scale: &Scale, width: f64) -> usize {
        let Some(buffer) = frame.buffer_no else {
            return 0;
        };
        let key = (Arc::as_ptr(&frame.trace) as usize, buffer.0);
        if let Some((trace, no, rows)) = self.most
            && (trace, no) == key
        {
            return rows;
        }
        let rows = most_rows(frame, scale, width);
        self.most = Some((key.0, key.1, rows));
        rows
    }
}

impl Byte {
    fn new(cell: &Cell, unit: f64) -> Self {
        let digits = text(&hex(cell.value));
        let hit = svg("rect")
            .class("hit")
            .set("y", "0")
            .set("height", &px(CELL_H));
        let letters = svg("text").set("y", "20.5").child(digits.clone());
        let group = svg("g")
            .class(&cell_class(cell))
            .child(hit.clone())
            .child(letters.clone());
        let byte = Self {
            group,
            hit,
            letters,
            digits,
            shows: cell.clone(),
        };
        byte.place(cell, unit);
        byte
    }

    fn place(&self, cell: &Cell, unit: f64) {
        self.hit.put("x", &px(cell.x));
        self.hit.put("width", &px(unit));
        self.letters.put("x", &px(cell.x + unit / 2.0));
    }

    fn show(&mut self, cell: &Cell, unit: f64) {
        if self.shows == *cell {
            return;
        }
        if self.shows.value != cell.value {
            self.digits.say(&hex(cell.value));
        }
        let class = cell_class(cell);
        if class != cell_class(&self.shows) {
            self.group.put("class", &class);
        }
        if (self.shows.x - cell.x).abs() > 0.01 {
            self.place(cell, unit);
        }
        self.shows = cell.clone();
    }
}

fn hex(value: Option<u8>) -> String {
    value
        .map(|value| format!("{value:02x}"))
        .unwrap_or_default()
}

fn has_moves(trace: &Trace) -> bool {
    trace.writes.iter().any(|write| write.moved_from.is_some())
}

fn most_rows(frame: &Frame, scale: &Scale, width: f64) -> usize {
    let (trace, buffer) = (&frame.trace, frame.buffer_no);
    let mut seen: Vec<Vec<(&'static str, u32)>> = Vec::new();
    let mut last = None;
    for step in trace.steps.iter().filter(|step| step.buffer == buffer) {
        // A set of fields that is the one before it has the same pointers, but for what a program sees.
        let same = (step.fields, std::mem::discriminant(&step.kind));
        if last.replace(same) == Some(same) {
            continue;
        }
        let Some(fields) = step.fields.and_then(|index| trace.fields.get(index)) else {
            continue;
        };
        let view = PacketView {
            step,
            fields: Some(fields),
            buffer: None,
        };
        let set = pointers(trace, &view);
        if !seen.contains(&set) {
            seen.push(set);
        }
    }
    let rows = |set: &Vec<_>| {
        let (_, labels) = headroom_core::scene::pointers::place(set, scale, width, CHAR);
        labels
            .iter()
            .map(headroom_core::scene::labels::Label::end_row)
            .max()
    };
    seen.iter().filter_map(rows).max().unwrap_or(0)
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

fn region(region: &Placed<Region>) -> El {
    let stale = if region.item.stale { " stale" } else { "" };
    let class = format!("region f-{}{stale}", region.item.family.key());
    let shape = svg("rect")
        .set("x", &px(region.x))
        .set("y", "0")
        .set("width", &px(region.width))
        .set("height", &px(CELL_H));
    let label = svg("text")
        .class("rl")
        .set("x", &px(region.x + region.width / 2.0))
        .set("y", "-6")
        .text(&region.label);
    svg("g").class(&class).child(shape).child(label)
}

fn cell_class(cell: &Cell) -> String {
    let mut class = String::from("b");
    let parts = [
        (cell.value == Some(0), " z"),
        (cell.written, " w"),
        (cell.read.is_some(), " rd"),
    ];
    for (_, name) in parts.into_iter().filter(|(yes, _)| *yes) {
        class.push_str(name);
    }
    class
}
