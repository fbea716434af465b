//! A chip for each design that is shown or usual, and a list of the others.

use headroom_core::compare::MAX_COLUMNS;
use leptos::prelude::*;

use super::{part, sig};
use crate::designs::{COLUMNS, CUSTOM, DESIGNS, FIRST_SHOWN, column_title, design_note};
use crate::model::Model;

/// Shows and hides designs.
pub fn designs(model: Model) -> AnyView {
    view! { {part(move || chips(model))}{part(move || more(model))} }.into_any()
}

/// A chip: pressed, if its column is shown.
pub fn chip(model: Model, column: usize) -> AnyView {
    let on = move || model.place.with(|place| place.designs.contains(&column));
    let full = move || model.place.with(|place| place.designs.len() >= MAX_COLUMNS);
    view! {
        <button class="chip" title=design_note(column) aria-pressed=sig(move || on().to_string()) disabled=sig(move || full() && !on())
            on:click=move |_| model.toggle_design(column)>{column_title(column)}</button>
    }
    .into_any()
}

fn chips(model: Model) -> Vec<AnyView> {
    let shown = model.place.with(|place| place.designs.clone());
    let wanted = |column: &usize| *column < FIRST_SHOWN || shown.contains(column);
    (0..=CUSTOM)
        .filter(wanted)
        .map(|column| chip(model, column))
        .collect()
}

/// The designs that have no chip.
pub fn more(model: Model) -> AnyView {
    let shown = model.place.with(|place| place.designs.clone());
    let picked = move |event: web_sys::Event| {
        let name = event_target_value(&event);
        if let Some(column) = COLUMNS.iter().position(|known| *known == name) {
            model.toggle_design(column);
        }
    };
    let option = |column: usize| {
        let (name, note) = (column_title(column), design_note(column));
        view! { <option value=name>{name}" · "{note}</option> }
    };
    let others: Vec<usize> = (FIRST_SHOWN..DESIGNS.len())
        .filter(|column| !shown.contains(column))
        .collect();
    let full = shown.len() >= MAX_COLUMNS;
    view! {
        <select class="chip more" aria-label="Show another design" disabled=full on:change=picked>
            <option value="">"+ design"</option>
            {others.into_iter().map(option).collect_view()}
        </select>
    }
    .into_any()
}
