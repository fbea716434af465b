//! What points at the bytes of a buffer: pointers and their labels, moves, verdicts.

use std::sync::Arc;

use headroom_core::scene::Ribbon as Picture;
use headroom_core::scene::ribbon::ReadMark;
use leptos::prelude::*;

use super::ribbon::{CELL_H, HEAD_H, ROW_H, shown, verdict_word};
use super::{part, px, sig};

pub(super) fn tick(picture: Memo<Arc<Picture>>, name: &'static str) -> impl IntoView {
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
            "M0 {} V{}",
            px(CELL_H + 1.0),
            px(CELL_H + row().unwrap_or(15.0))
        )
    };
    view! {
        <g class="tick" style:display=sig(move || shown(x.with(Option::is_some)))
            style:transform=sig(move || format!("translateX({}px)", px(last.get())))>
            <path class="stem" d=sig(stem)/>
            <path class="head" d=format!("M-3 {b} L0 {t} L3 {b} z", b = px(CELL_H + 6.5), t = px(CELL_H + 0.5))/>
        </g>
    }
}

pub(super) fn labels(picture: Memo<Arc<Picture>>) -> impl IntoView {
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
                    "translate({}px, {}px)",
                    px(label.x),
                    px(CELL_H + 15.0 + label.row as f64 * ROW_H)
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

pub(super) fn label_line(index: usize, line: &str) -> impl IntoView + use<> {
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

pub(super) fn moves(
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
                    <path d=format!("M{} {y} C{} {r} {} {r} {} {y}", px(from), px(from + third), px(to - third), px(to), y = px(y), r = px(rise))/>
                    <path class="tip" d=format!("M{} {} L{} {} L{} {} z", px(to - 4.0), px(y - 6.0), px(to), px(y + 1.0), px(to + 3.0), px(y - 6.5))/>
                    <text x=px(f64::midpoint(from, to)) y=px(rise + 1.0)>{text}</text>
                </g>
            }
        };
        moves.into_iter().map(draw).collect_view()
    }
}

/// The verdict stands under the bytes it speaks of.
pub(super) fn verdict(picture: Memo<Arc<Picture>>, width: Signal<f64>) -> impl IntoView {
    let reads = Memo::new(move |_| picture.with(|p| p.reads.clone()));
    let inset = move || {
        let x = reads.with(|reads| reads.first().map_or(0.0, |read| read.x));
        format!("{}px", px(x.min(width.get() - 400.0).max(0.0)))
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
