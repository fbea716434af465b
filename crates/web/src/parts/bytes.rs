//! The bytes of the buffer as a grid, 16 a row.

use headroom_core::scene::{Family, regions};
use leptos::html::Table;
use leptos::prelude::*;

use super::life::Life;
use super::{part, sig};
use crate::designs::COLUMNS;
use crate::frame::Frame;
use crate::model::{Model, Selected};
use crate::slots::Slots;

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

/// The grid of the design in front, and the life of the byte one looks at.
#[component]
pub fn Bytes(model: Model) -> impl IntoView {
    let frame = Memo::new(move |_| model.front_frame());
    let edges = Memo::new(move |_| bounds(model));
    let bytes = Memo::new(move |_| {
        let (from, to) = edges.get();
        frame.with(|frame| {
            frame
                .as_ref()
                .map(|frame| grid(frame, from, to))
                .unwrap_or_default()
        })
    });
    let node = NodeRef::<Table>::new();
    let chosen = move || {
        model
            .selected
            .get()
            .filter(|s| s.design == model.front.get())
            .map(|s| s.offset)
    };
    let move_to = move |offset: u32| {
        let (from, to) = edges.get_untracked();
        let offset = offset.clamp(from, to.saturating_sub(1));
        model.selected.set(Some(Selected {
            design: model.front.get_untracked(),
            offset,
        }));
        focus_cell(node, offset);
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        let at = chosen().unwrap_or(edges.get_untracked().0);
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
        move_to(next);
    };
    let rows = move || {
        let (from, to) = edges.get();
        (from..to).step_by(WIDE as usize).collect::<Vec<_>>()
    };
    let slots = Slots::new(move || {
        let (from, _) = edges.get();
        bytes.with(|bytes| (from..).zip(bytes.iter().cloned()).collect())
    });
    let ascii = Slots::new(move || {
        let (from, _) = edges.get();
        bytes.with(|bytes| {
            (from..)
                .step_by(WIDE as usize)
                .zip(bytes.chunks(WIDE as usize).map(letters))
                .collect()
        })
    });
    let now = move |offset: u32| {
        let index = (offset - edges.get_untracked().0) as usize;
        bytes.with_untracked(|bytes| bytes.get(index).cloned().unwrap_or_default())
    };
    let row = move |start: u32| {
        let first = edges.get_untracked().0;
        let cell = move |offset: u32| {
            let byte = slots.slot(offset, now(offset));
            let here = move || chosen() == Some(offset);
            let stop = move || here() || (chosen().is_none() && offset == first);
            let select = move || {
                model.selected.set(Some(Selected {
                    design: model.front.get_untracked(),
                    offset,
                }))
            };
            view! {
                <td role="gridcell" data-offset=offset class=sig(move || byte.with(|b| b.class.clone())) class:here=sig(here)
                    tabindex=sig(move || if stop() { "0" } else { "-1" })
                    on:pointerenter=move |_| select() on:click=move |_| select() on:focus=move |_| select()>
                    {sig(move || byte.with(|b| b.value.map_or_else(|| "··".to_owned(), |v| format!("{v:02x}"))))}
                </td>
            }
        };
        let text = ascii.slot(
            start,
            letters(&(start..start + WIDE).map(now).collect::<Vec<_>>()),
        );
        view! {
            <tr>
                <th scope="row">{start}</th>
                {(start..start + WIDE).map(cell).collect_view()}
                <td class="ascii" aria-hidden="true">{text}</td>
            </tr>
        }
    };
    view! {
        <section class="panel bytes" aria-labelledby="bytes-title">
            <h2 id="bytes-title"><b>"Bytes"</b><FrontTabs model/></h2>
            <div class="scroll">
                <table class="grid" role="grid" node_ref=node on:keydown=on_key>
                    <caption class="sr">"Bytes of the buffer, 16 a row; arrow keys go from byte to byte"</caption>
                    <tbody><For each=rows key=|start| *start children=row/></tbody>
                </table>
            </div>
            <Life model frame/>
        </section>
    }
}

fn focus_cell(node: NodeRef<Table>, offset: u32) {
    use wasm_bindgen::JsCast;
    let Some(table) = node.get_untracked() else {
        return;
    };
    let cell = table
        .query_selector(&format!("[data-offset='{offset}']"))
        .ok()
        .flatten();
    if let Some(cell) = cell.and_then(|cell| cell.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = cell.focus();
    }
}

/// Which design the lower panels show.
#[component]
pub fn FrontTabs(model: Model) -> impl IntoView {
    let tabs = move || {
        let shown = model.designs.get();
        let many = shown.len() > 1;
        let tab = move |design: usize| {
            let name = COLUMNS.get(design).copied().unwrap_or_default();
            if !many {
                return view! { <span class="tab">{name}</span> }.into_any();
            }
            view! {
                <button class="tab" aria-pressed=sig(move || (model.front.get() == design).to_string())
                    on:click=move |_| model.front.set(design)>{name}</button>
            }
            .into_any()
        };
        shown.into_iter().map(tab).collect_view()
    };
    view! { <span class="tabs" role="group" aria-label="Design shown here">{part(tabs)}</span> }
}
