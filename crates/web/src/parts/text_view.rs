//! The picture as a table of words.

use headroom_core::scene::{TextRow, text_table};
use leptos::prelude::*;

use super::part;
use crate::designs::COLUMNS;
use crate::model::Model;

/// Zones, bytes and pointers of each shown design, as text.
#[component]
pub fn TextView(model: Model) -> impl IntoView {
    let open = RwSignal::new(false);
    let table = move |design: usize, rows: Vec<TextRow>| {
        let row = |row: TextRow| view! { <tr><td>{row.kind}</td><td class="num">{row.place}</td><td>{row.what}</td></tr> };
        view! {
            <table>
                <caption>{COLUMNS.get(design).copied().unwrap_or_default()}</caption>
                <thead><tr><th scope="col">"kind"</th><th scope="col">"offset"</th><th scope="col">"what"</th></tr></thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        }
    };
    let tables = move || {
        open.get().then(|| {
            let frames = model.frames.get();
            let one = |frame: std::sync::Arc<crate::frame::Frame>| {
                let rows = frame
                    .view()
                    .map(|view| text_table(&frame.trace, &view))
                    .unwrap_or_default();
                table(frame.design, rows)
            };
            frames.into_iter().map(one).collect_view()
        })
    };
    let toggled = move |event: web_sys::Event| {
        use wasm_bindgen::JsCast;
        let now = event
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|e| e.has_attribute("open"));
        open.set(now);
    };
    view! { <details class="text-view" on:toggle=toggled><summary>"The picture as text"</summary><div class="tables">{part(tables)}</div></details> }
}
