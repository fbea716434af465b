//! One buffer as a picture. Nodes stay; their places and texts change.

use std::sync::Arc;

use headroom_core::scene::ribbon::{Placed, ReadMark};
use headroom_core::scene::{
    Cell, Region, Ribbon as Picture, RibbonOptions, Zone, ZoneKind, pointers, ribbon,
};
use headroom_core::trace::{BufferNo, PacketView, Verdict};
use leptos::prelude::*;

use super::ribbon_marks::{labels, moves, tick, verdict};
use super::{px, sig};
use crate::frame::Frame;
use crate::model::{Model, Selected};
use crate::slots::Slots;

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
#[component]
pub fn Ribbon(
    model: Model,
    design: usize,
    frame: Memo<Option<Arc<Frame>>>,
    width: Signal<f64>,
) -> impl IntoView {
    let draw = move |_: Option<&Arc<Picture>>| {
        let scale = model.scale.get();
        let options = RibbonOptions {
            scale: &scale,
            width: width.get().max(240.0),
            char_width: CHAR,
        };
        frame.with(|frame| {
            let frame = frame.as_ref()?;
            Some(ribbon(
                &frame.trace,
                frame.drawn.max(frame.step),
                &frame.view()?,
                options,
            ))
        })
    };
    let picture = Memo::new(move |before| Arc::new(draw(before).unwrap_or_default()));
    let unit = Memo::new(move |_| width.get().max(240.0) / model.scale.with(|scale| scale.units));
    let buffer =
        Memo::new(move |_| frame.with(|frame| frame.as_ref().and_then(|frame| frame.buffer_no)));
    let arc = Memo::new(move |_| if has_moves(model, design) { ARC_H } else { 4.0 });
    let most = Memo::new(move |_| most_rows(model, design, width.get().max(240.0), buffer.get()));
    let rows = Memo::new(move |_| most.get().max(picture.with(|p| p.rows)));
    let offsets = Memo::new(move |_| model.scale.with(|scale| scale.cells().collect::<Vec<_>>()));
    let slots = Slots::new(move || {
        let width = unit.get();
        picture.with(|p| {
            p.cells
                .iter()
                .map(|cell| (cell.offset, (Some(cell.clone()), width)))
                .collect()
        })
    });
    let drawn = move |offset: u32| {
        let cell =
            picture.with_untracked(|p| p.cells.iter().find(|cell| cell.offset == offset).cloned());
        (cell, unit.get_untracked())
    };
    let top = move || arc.get() + HEAD_H;
    let height = move || top() + CELL_H + 14.0 + rows.get() as f64 * ROW_H;
    let label =
        move || frame.with(|frame| frame.as_ref().map(|f| described(f)).unwrap_or_default());

    view! {
        <div class="ribbon">
            <svg
                width=sig(move || px(width.get().max(240.0)))
                height=sig(move || px(height()))
                role="img"
                aria-label=sig(label)
                class:tight=sig(move || unit.get() < READABLE)
            >
                <g style:transform=sig(move || format!("translateY({}px)", px(arc.get())))>
                    {ZONES.map(|kind| zone(picture, kind)).collect_view()}
                </g>
                <g style:transform=sig(move || format!("translateY({}px)", px(top())))>
                    {folds(model, unit)}
                    <For
                        each=move || picture.with(|p| p.regions.clone())
                        key=|r| (r.item.clone(), r.x.to_bits(), r.width.to_bits(), r.label.clone())
                        children=region
                    />
                    <For
                        each=move || offsets.get()
                        key=|cell| *cell
                        children=move |offset| byte(model, design, slots, drawn(offset), offset)
                    />
                    <For each=move || picture.with(|p| p.reads.clone()) key=|r| (r.start, r.end, r.x.to_bits()) children=read_frame/>
                    <line class="chosen" style:display=sig(move || shown(chosen_x(model, design, unit).is_some()))
                        x1=sig(move || px(chosen_x(model, design, unit).unwrap_or(0.0) + 1.0))
                        x2=sig(move || px(chosen_x(model, design, unit).unwrap_or(0.0) + unit.get() - 1.0))
                        y1=px(CELL_H + 2.5) y2=px(CELL_H + 2.5)/>
                    {POINTERS.map(|name| tick(picture, name)).collect_view()}
                    {labels(picture)}
                </g>
                {moves(picture, top)}
            </svg>
            {verdict(picture, width)}
        </div>
    }
}

pub(super) fn shown(yes: bool) -> &'static str {
    if yes { "" } else { "none" }
}

fn has_moves(model: Model, design: usize) -> bool {
    model
        .trace(design)
        .is_some_and(|trace| trace.writes.iter().any(|write| write.moved_from.is_some()))
}

/// The most rows that labels take at any step in this buffer, so that stepping never moves the page.
fn most_rows(model: Model, design: usize, width: f64, buffer: Option<BufferNo>) -> usize {
    let (Some(trace), scale) = (model.trace(design), model.scale.get()) else {
        return 0;
    };
    let mut seen: Vec<Vec<(&'static str, u32)>> = Vec::new();
    for step in trace.steps.iter().filter(|step| step.buffer == buffer) {
        let Some(fields) = step.fields.and_then(|index| trace.fields.get(index)) else {
            continue;
        };
        let set = pointers(
            &trace,
            &PacketView {
                step,
                fields: Some(fields),
                buffer: None,
            },
        );
        if !seen.contains(&set) {
            seen.push(set);
        }
    }
    let rows = |set: &Vec<_>| {
        let (_, labels) = headroom_core::scene::pointers::place(set, &scale, width, CHAR);
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

fn zone(picture: Memo<Arc<Picture>>, kind: ZoneKind) -> impl IntoView {
    let find = move || picture.with(|p| p.zones.iter().find(|z| z.item.kind == kind).cloned());
    let here: Memo<Option<Placed<Zone>>> = Memo::new(move |_| find());
    let x = move || here.with(|z| z.as_ref().map_or(0.0, |z| z.x));
    let width = move || here.with(|z| z.as_ref().map_or(0.0, |z| z.width));
    let text = move || here.with(|z| z.as_ref().map_or(String::new(), |z| z.label.clone()));
    let class = format!("zone {}", kind.word().replace(' ', "-"));
    view! {
        <g class=class style:display=sig(move || shown(here.with(Option::is_some)))
            style:transform=sig(move || format!("translateX({}px)", px(x())))>
            <path d=sig(move || format!("M1 18 v-4 h{} v4", px((width() - 2.0).max(1.0))))/>
            <text x=sig(move || px(width() / 2.0)) y="10">{text}</text>
        </g>
    }
}

fn folds(model: Model, unit: Memo<f64>) -> impl IntoView {
    move || {
        let unit = unit.get();
        let one = |piece: &headroom_core::scene::Piece| {
            let (x, width) = (piece.x * unit, piece.width * unit);
            let count = if width > 30.0 {
                (piece.end - piece.start).to_string()
            } else {
                String::new()
            };
            (x, width, count)
        };
        let folds: Vec<_> = model.scale.with(|scale| scale.folds().map(one).collect());
        let draw = |(x, width, count): (f64, f64, String)| {
            let middle = x + width / 2.0;
            view! {
                <g class="fold">
                    <path d=format!("M{} -3 l-4 {q} l8 {q} l-8 {q} l4 {q}", px(middle), q = px((CELL_H + 6.0) / 4.0))/>
                    <text x=px(middle) y=px(CELL_H + 13.0)>{count}</text>
                </g>
            }
        };
        folds.into_iter().map(draw).collect_view()
    }
}

fn region(region: Placed<Region>) -> impl IntoView {
    let class = format!(
        "region f-{}{}",
        region.item.family.key(),
        if region.item.stale { " stale" } else { "" }
    );
    let middle = region.x + region.width / 2.0;
    view! {
        <g class=class>
            <rect x=px(region.x) y="0" width=px(region.width) height=px(CELL_H)/>
            <text class="rl" x=px(middle) y="-6">{region.label}</text>
        </g>
    }
}

/// What one drawn byte shows: the cell and its width.
type Drawn = (Option<Cell>, f64);

fn byte(
    model: Model,
    design: usize,
    slots: Slots<u32, Drawn>,
    first: Drawn,
    offset: u32,
) -> impl IntoView {
    let slot = slots.slot(offset, first);
    let class = move || {
        slot.with(|(cell, _)| {
            cell.as_ref()
                .map_or_else(|| "b none".to_owned(), cell_class)
        })
    };
    let text = move || {
        slot.with(|(cell, _)| {
            cell.as_ref()
                .and_then(|c| c.value)
                .map(|v| format!("{v:02x}"))
                .unwrap_or_default()
        })
    };
    let left = move || slot.with(|(cell, _)| cell.as_ref().map_or(0.0, |cell| cell.x));
    let width = move || slot.with(|(_, width)| *width);
    let look = move |_| model.selected.set(Some(Selected { design, offset }));
    let choose = move |_| {
        model.front.set(design);
        model.selected.set(Some(Selected { design, offset }));
    };
    view! {
        <g class=sig(class) on:pointerenter=look on:click=choose>
            <rect class="hit" x=sig(move || px(left())) y="0" width=sig(move || px(width())) height=px(CELL_H)/>
            <text x=sig(move || px(left() + width() / 2.0)) y="20.5">{sig(text)}</text>
        </g>
    }
}

fn cell_class(cell: &Cell) -> String {
    let mut class = String::from("b");
    let parts = [
        (cell.value == Some(0), " z"),
        (cell.stale, " stale"),
        (cell.written, " w"),
        (cell.read.is_some(), " rd"),
    ];
    for (_, name) in parts.into_iter().filter(|(yes, _)| *yes) {
        class.push_str(name);
    }
    class
}

fn chosen_x(model: Model, design: usize, unit: Memo<f64>) -> Option<f64> {
    let selected = model.selected.get().filter(|s| s.design == design)?;
    Some(model.scale.with(|scale| scale.x(selected.offset)) * unit.get())
}

fn read_frame(read: ReadMark) -> impl IntoView {
    let class = format!("read {}", verdict_word(read.verdict).1);
    view! { <rect class=class x=px(read.x - 1.5) y="-2.5" width=px(read.width + 3.0) height=px(CELL_H + 5.0) rx="2.5"/> }
}
