//! `/embed`: the stepper alone, for a frame on a slide.

use crate::prelude::*;

use super::load::with_model;
use crate::address::Address;
use crate::dom::{El, div, el};
use crate::model::{Kind, Model};
use crate::parts::stepper::stepper;

/// The page.
#[must_use]
pub fn embed(id: &str) -> El {
    with_model(id, Kind::Embed, page)
}

fn page(model: Model) -> El {
    let title = model.scenario.with_value(|scenario| scenario.title.clone());
    document().set_title(&format!("{title} · Headroom"));
    let full = el("a")
        .set("target", "_blank")
        .set("rel", "noopener")
        .now("href", move || {
            Some(Address::Scenario(model.place.get()).print())
        })
        .text("Open in full");
    el("main")
        .set("id", "main")
        .class("wrap embed")
        .child(div("title").child(el("h1").text(&title)).child(full))
        .child(stepper(model))
}
