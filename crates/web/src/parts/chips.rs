//! A chip for each design.

use leptos::prelude::*;

use crate::designs::DESIGNS;
use crate::dom::{El, bridge, div, el};
use crate::model::Model;

/// Shows and hides designs.
#[must_use]
pub fn chips(model: Model) -> El {
    let chip = |(index, name): (usize, &'static str)| {
        let on = move || model.place.with(|place| place.designs.contains(&index));
        el("button")
            .class("chip")
            .tells("aria-pressed", on)
            .on("click", move |_| model.toggle_design(index))
            .text(name)
    };
    div("chips")
        .set("role", "group")
        .set("aria-label", "Designs")
        .all(DESIGNS.into_iter().enumerate().map(chip))
}

/// The chips as a view of Leptos.
pub fn designs(model: Model) -> AnyView {
    bridge::view(&chips(model))
}
