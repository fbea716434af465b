//! A chip for each design that is shown or usual, and a list of the others.

use crate::prelude::*;
use headroom_core::compare::MAX_COLUMNS;
use web_sys::HtmlSelectElement;

use crate::designs::{COLUMNS, CUSTOM, DESIGNS, FIRST_SHOWN, column_title, design_note};
use crate::dom::{El, div, el};
use crate::model::{Kind, Model};

/// Shows and hides designs.
#[must_use]
pub fn chips(model: Model) -> El {
    // The place is another at each step; the designs seldom are.
    let shown_now = Memo::new(move |_| model.place.with(|place| place.designs.clone()));
    let usual = move || {
        let shown = shown_now.get();
        let wanted = |column: &usize| *column < FIRST_SHOWN || shown.contains(column);
        (0..=CUSTOM)
            .filter(wanted)
            .map(|column| one(model, column))
            .collect()
    };
    div("chips")
        .set("role", "group")
        .set("aria-label", "Designs")
        .part(usual)
        .part(move || {
            shown_now.track();
            vec![untrack(|| others(model))]
        })
}

/// A chip: pressed, if its column is shown.
fn one(model: Model, column: usize) -> El {
    let on = move || model.place.with(|place| place.designs.contains(&column));
    let full = move || model.place.with(|place| place.designs.len() >= MAX_COLUMNS);
    el("button")
        .class("chip")
        .set("title", design_note(column))
        .tells("aria-pressed", on)
        .when("disabled", move || full() && !on())
        .on("click", move |_| model.toggle_design(column))
        .text(column_title(column))
}

/// The designs that have no chip.
fn others(model: Model) -> El {
    let shown = model.place.with(|place| place.designs.clone());
    let option = |column: usize| {
        let (name, note) = (column_title(column), design_note(column));
        let words = format!("{name} · {note}");
        el("option").set("value", name).text(&words)
    };
    // Where there is a form for its policy, the design that the reader makes is offered too.
    let end = match model.kind {
        Kind::Compare | Kind::Picture => CUSTOM + 1,
        Kind::Page | Kind::Embed => DESIGNS.len(),
    };
    let list = (FIRST_SHOWN..end)
        .filter(|column| !shown.contains(column))
        .map(option);
    let select = el("select")
        .class("chip more")
        .set("aria-label", "Show another design")
        .child(el("option").set("value", "").text("+ design"))
        .all(list);
    if shown.len() >= MAX_COLUMNS {
        select.put("disabled", "");
    }
    let chosen = select.clone();
    select.on("change", move |_| {
        let name = chosen
            .as_a::<HtmlSelectElement>()
            .map(HtmlSelectElement::value);
        let column = COLUMNS
            .iter()
            .position(|known| name.as_deref() == Some(*known));
        if let Some(column) = column {
            model.toggle_design(column);
        }
    })
}

#[cfg(feature = "views")]
mod views {
    use leptos::prelude::AnyView;

    use super::*;
    use crate::dom::bridge;

    /// All of it, as a view of Leptos.
    #[must_use]
    pub fn designs(model: Model) -> AnyView {
        bridge::view(&chips(model))
    }

    /// One chip, as a view of Leptos.
    #[must_use]
    pub fn chip(model: Model, column: usize) -> AnyView {
        bridge::view(&one(model, column))
    }

    /// The list of the others, as a view of Leptos.
    #[must_use]
    pub fn more(model: Model) -> AnyView {
        bridge::view(&others(model))
    }
}

#[cfg(feature = "views")]
pub use views::{chip, designs, more};
