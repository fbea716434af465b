//! `/s/<scenario>`: the answer in words, the picture, the controls, the commands.

use crate::prelude::*;

use super::later;
use super::load::with_model;
use crate::address::Address;
use crate::dom::{El, div, el};
use crate::model::{Kind, Model};
use crate::parts::chips::chips;
use crate::parts::commands::commands;
use crate::parts::prose::{paragraphs, ticked};
use crate::parts::stepper::stepper;
use crate::parts::verdicts::verdicts;

/// The page.
#[must_use]
pub fn scenario(id: &str) -> El {
    with_model(id, Kind::Page, page)
}

fn page(model: Model) -> El {
    let (title, explanation) = model
        .scenario
        .with_value(|scenario| (scenario.title.clone(), scenario.explanation.clone()));
    document().set_title(&format!("{title} · Headroom"));
    let about = el("section")
        .class("about")
        .set("aria-labelledby", "about-title")
        .child(
            el("h2")
                .set("id", "about-title")
                .child(el("b").text("What this is")),
        )
        .all(
            paragraphs(&explanation)
                .into_iter()
                .map(|text| ticked(el("p"), text)),
        );
    let slide = el("a")
        .now("href", move || {
            Some(Address::Embed(model.place.get()).print())
        })
        .text("This step for a slide");
    let id = model.scenario.with_value(|scenario| scenario.id.clone());
    let lab = el("a")
        .set("href", &format!("/lab?s={id}"))
        .text("Open in the lab");
    // What the sheet shows is made from the address, which does not hold edited commands.
    let own = model.own_input();
    let take = el("button")
        .class("link take")
        .when("disabled", move || model.input.with(|input| *input != own))
        .on("click", |_| later::take())
        .text("Copy or save this step");
    el("main")
        .set("id", "main")
        .class("wrap scenario")
        .child(
            div("title")
                .child(el("div").child(el("h1").text(&title)))
                .child(chips(model)),
        )
        .child(verdicts(model))
        .child(stepper(model))
        .child(div("below").child(commands(model)).child(about))
        .child(
            el("footer")
                .class("foot")
                .child(lab)
                .text(" · ")
                .child(slide)
                .text(" · ")
                .child(take),
        )
}
