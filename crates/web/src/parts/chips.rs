//! A chip for each design.

use leptos::prelude::*;

use super::sig;
use crate::designs::DESIGNS;
use crate::model::Model;

/// Shows and hides designs.
pub fn designs(model: Model) -> impl IntoView {
    let chip = move |(index, name): (usize, &'static str)| {
        let on = move || model.place.with(|place| place.designs.contains(&index));
        view! { <button class="chip" aria-pressed=sig(move || on().to_string()) on:click=move |_| model.toggle_design(index)>{name}</button> }
    };
    DESIGNS.into_iter().enumerate().map(chip).collect_view()
}
