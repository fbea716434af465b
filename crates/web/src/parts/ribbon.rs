//! One buffer as a picture. Nodes stay; their places and texts change.

use std::sync::Arc;

use headroom_core::scene::ribbon::{Placed, ReadMark};
use headroom_core::scene::{
    Cell, Region, Ribbon as Picture, RibbonOptions, Zone, ZoneKind, pointers, ribbon,
};
use headroom_core::trace::{BufferNo, PacketView, Verdict};
use leptos::prelude::*;

use super::{part, px, sig};
use crate::frame::Frame;
use crate::model::{Model, Selected};

/// Width of a character of the 11 px monospaced labels.
const CHAR: f64 = 6.62;
/// A byte narrower than this shows no digits.
const READABLE: f64 = 12.4;
const ARC_H: f64 = 34.0;
const CELL_H: f64 = 32.0;
const ROW_H: f64 = 15.0;
/// From the top of the zones to the top of the cells.
const HEAD_H: f64 = 40.0;

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
                <g style:transform=sig(move || format!("translateY({}px)", arc.get()))>
                    {ZONES.map(|kind| zone(picture, kind)).collect_view()}
                </g>
                <g style:transform=sig(move || format!("translateY({}px)", top()))>
                    {folds(model, unit)}
                    <For
                        each=move || picture.with(|p| p.regions.clone())
                        key=|r| (r.item.clone(), r.x.to_bits(), r.width.to_bits(), r.label.clone())
                        children=region
                    />
                    <For
                        each=move || model.scale.with(|scale| scale.cells().enumerate().collect::<Vec<_>>())
                        key=|cell| *cell
                        children=move |(index, offset)| byte(model, design, picture, unit, index, offset)
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

fn shown(yes: bool) -> &'static str {
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
            style:transform=sig(move || format!("translateX({}px)", x()))>
            <path d=sig(move || format!("M1 18 v-4 h{:.1} v4", (width() - 2.0).max(1.0)))/>
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
                    <path d=format!("M{:.1} -3 l-4 {q:.1} l8 {q:.1} l-8 {q:.1} l4 {q:.1}", middle, q = (CELL_H + 6.0) / 4.0)/>
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

fn byte(
    model: Model,
    design: usize,
    picture: Memo<Arc<Picture>>,
    unit: Memo<f64>,
    index: usize,
    offset: u32,
) -> impl IntoView {
    let cell: Memo<Option<Cell>> = Memo::new(move |_| {
        picture.with(|p| {
            p.cells
                .get(index)
                .filter(|cell| cell.offset == offset)
                .cloned()
        })
    });
    let class = move || {
        cell.with(|cell| {
            let Some(cell) = cell else {
                return "b none".to_owned();
            };
            let mut class = String::from("b");
            let mut add = |yes: bool, name: &str| {
                if yes {
                    class.push(' ');
                    class.push_str(name);
                }
            };
            add(cell.value == Some(0), "z");
            add(cell.stale, "stale");
            add(cell.written, "w");
            add(cell.read.is_some(), "rd");
            class
        })
    };
    let text = move || {
        cell.with(|cell| {
            cell.as_ref()
                .and_then(|c| c.value)
                .map(|v| format!("{v:02x}"))
                .unwrap_or_default()
        })
    };
    let x = move || model.scale.with(|scale| scale.x(offset)) * unit.get() + unit.get() / 2.0;
    let look = move |_| model.selected.set(Some(Selected { design, offset }));
    let choose = move |_| {
        model.front.set(design);
        model.selected.set(Some(Selected { design, offset }));
    };
    view! {
        <g class=sig(class) on:pointerenter=look on:click=choose>
            <rect class="hit" x=sig(move || px(x() - unit.get() / 2.0)) y="0" width=sig(move || px(unit.get())) height=px(CELL_H)/>
            <text x=sig(move || px(x())) y="20.5">{sig(text)}</text>
        </g>
    }
}

fn chosen_x(model: Model, design: usize, unit: Memo<f64>) -> Option<f64> {
    let selected = model.selected.get().filter(|s| s.design == design)?;
    Some(model.scale.with(|scale| scale.x(selected.offset)) * unit.get())
}

fn read_frame(read: ReadMark) -> impl IntoView {
    let class = format!("read {}", verdict_word(read.verdict).1);
    view! { <rect class=class x=px(read.x - 1.5) y="-2.5" width=px(read.width + 3.0) height=px(CELL_H + 5.0) rx="2.5"/> }
}

fn tick(picture: Memo<Arc<Picture>>, name: &'static str) -> impl IntoView {
    let x: Memo<Option<f64>> = Memo::new(move |_| {
        picture.with(|p| {
            p.pointers
                .iter()
                .find(|pointer| pointer.name == name)
                .map(|p| p.x)
        })
    });
    // A pointer that is not set keeps its last place, so that it never flies in from the left.
    let last = Memo::new(move |before: Option<&f64>| x.get().or(before.copied()).unwrap_or(0.0));
    let row = move || {
        picture.with(|p| {
            let offset = p
                .pointers
                .iter()
                .find(|pointer| pointer.name == name)?
                .offset;
            let label = p.labels.iter().find(|label| label.offset == offset)?;
            // Beside its text a stem goes down to the line of the text, over it only to its top.
            let beside = label.left || label.x > label.tick;
            Some(label.row as f64 * ROW_H + if beside { 15.0 } else { 5.0 })
        })
    };
    let stem = move || {
        format!(
            "M0 {:.1} V{:.1}",
            CELL_H + 1.0,
            CELL_H + row().unwrap_or(15.0)
        )
    };
    view! {
        <g class="tick" style:display=sig(move || shown(x.with(Option::is_some)))
            style:transform=sig(move || format!("translateX({}px)", last.get()))>
            <path class="stem" d=sig(stem)/>
            <path class="head" d=format!("M-3 {b:.1} L0 {t:.1} L3 {b:.1} z", b = CELL_H + 6.5, t = CELL_H + 0.5)/>
        </g>
    }
}

fn labels(picture: Memo<Arc<Picture>>) -> impl IntoView {
    let names = |label: &headroom_core::scene::labels::Label| {
        label
            .text()
            .split_once(' ')
            .map(|(_, names)| names.to_owned())
            .unwrap_or_default()
    };
    let keys = move || picture.with(|p| p.labels.iter().map(names).collect::<Vec<_>>());
    let one = move |key: String| {
        let wanted = key.clone();
        let label = Memo::new(move |_| {
            picture.with(|p| {
                p.labels
                    .iter()
                    .find(|label| names(label) == wanted)
                    .cloned()
            })
        });
        let place = move || {
            label.with(|label| {
                let Some(label) = label else {
                    return String::new();
                };
                format!(
                    "translate({:.1}px, {:.1}px)",
                    label.x,
                    CELL_H + 15.0 + label.row as f64 * ROW_H
                )
            })
        };
        let lines = move || {
            label.with(|label| {
                let lines = label
                    .as_ref()
                    .map(|label| label.lines.clone())
                    .unwrap_or_default();
                lines
                    .into_iter()
                    .enumerate()
                    .map(|(i, line)| label_line(i, &line))
                    .collect_view()
            })
        };
        view! { <g class="pl" style:transform=sig(place)>{part(lines)}</g> }
    };
    view! { <For each=keys key=Clone::clone children=one/> }
}

fn label_line(index: usize, line: &str) -> impl IntoView + use<> {
    let (offset, names) = if index == 0 {
        line.split_once(' ').unwrap_or((line, ""))
    } else {
        ("", line)
    };
    let (offset, names) = (
        offset.to_owned(),
        if index == 0 {
            format!(" {names}")
        } else {
            names.to_owned()
        },
    );
    view! { <text y=px(index as f64 * ROW_H + 3.5)><tspan class="po">{offset}</tspan><tspan>{names}</tspan></text> }
}

fn moves(
    picture: Memo<Arc<Picture>>,
    top: impl Fn() -> f64 + Copy + Send + Sync + 'static,
) -> impl IntoView {
    move || {
        let moves = picture.with(|p| p.moves.clone());
        let draw = |mark: headroom_core::scene::ribbon::MoveMark| {
            let (from, to, y) = (mark.from_x, mark.to_x, top() - HEAD_H + 1.0);
            let third = (to - from) / 3.0;
            let rise = y - 24.0;
            let text = format!(
                "{} moved {} bytes, {} {}",
                mark.by,
                mark.len,
                mark.from.abs_diff(mark.to),
                if mark.to > mark.from { "up" } else { "down" }
            );
            view! {
                <g class="move">
                    <path d=format!("M{from:.1} {y:.1} C{:.1} {rise:.1} {:.1} {rise:.1} {to:.1} {y:.1}", from + third, to - third)/>
                    <path class="tip" d=format!("M{:.1} {:.1} L{to:.1} {:.1} L{:.1} {:.1} z", to - 4.0, y - 6.0, y + 1.0, to + 3.0, y - 6.5)/>
                    <text x=px(f64::midpoint(from, to)) y=px(rise + 1.0)>{text}</text>
                </g>
            }
        };
        moves.into_iter().map(draw).collect_view()
    }
}

/// The verdict stands under the bytes it speaks of.
fn verdict(picture: Memo<Arc<Picture>>, width: Signal<f64>) -> impl IntoView {
    let reads = Memo::new(move |_| picture.with(|p| p.reads.clone()));
    let inset = move || {
        let x = reads.with(|reads| reads.first().map_or(0.0, |read| read.x));
        format!("{:.0}px", x.min(width.get() - 400.0).max(0.0))
    };
    let one = |read: ReadMark| {
        let (mark, class) = verdict_word(read.verdict);
        let value = read
            .value
            .map(|value| view! { " = " <code>{value.to_string()}</code> });
        view! {
            <span class=format!("verdict {class}")>
                <b aria-hidden="true">{mark}</b> " reads " <code>{read.hex}</code> {value} " · " {read.note}
            </span>
        }
    };
    view! { <p class="verdicts" style:padding-left=sig(inset)>{part(move || reads.get().into_iter().map(one).collect_view())}</p> }
}
