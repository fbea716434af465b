//! The picture as a table of words.

use crate::prelude::*;
use headroom_core::scene::twins::twin_rows;
use headroom_core::scene::{TextRow, text_table};

use crate::designs::column_title;
use crate::dom::{El, div, el};
use crate::model::Model;

/// Zones, bytes and pointers of each shown design, as text.
#[must_use]
pub fn text_view(model: Model) -> El {
    let open = RwSignal::new(false);
    let tables = move || {
        if !open.get() {
            return Vec::new();
        }
        let frames = model.frames.get();
        let one = |frame: &std::sync::Arc<crate::frame::Frame>| {
            let rows = frame
                .view()
                .map(|view| text_table(&frame.trace, &view))
                .unwrap_or_default();
            let others = twin_rows(&frame.trace, frame.step);
            table(frame.design, rows.into_iter().chain(others))
        };
        frames.iter().map(one).collect()
    };
    let details = el("details").class("text-view");
    let seen = details.clone();
    details
        .on("toggle", move |_| {
            open.set(seen.element().has_attribute("open"))
        })
        .child(el("summary").text("The picture as text"))
        .child(div("tables").part(tables))
}

fn table(design: usize, rows: impl Iterator<Item = TextRow>) -> El {
    let row = |row: TextRow| {
        el("tr")
            .child(el("td").text(row.kind))
            .child(el("td").class("num").text(&row.place))
            .child(el("td").text(&row.what))
    };
    let head = ["kind", "offset", "what"].map(|name| el("th").set("scope", "col").text(name));
    el("table")
        .child(el("caption").text(column_title(design)))
        .child(el("thead").child(el("tr").all(head)))
        .child(el("tbody").all(rows.map(row)))
}
