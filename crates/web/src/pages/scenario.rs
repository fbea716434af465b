//! `/s/<scenario>`: the answer in words, the picture, the controls, the commands.

use leptos::prelude::*;

use super::load::with_model;
use crate::address::Address;
use crate::designs::DESIGNS;
use crate::model::{Kind, Model};
use crate::parts::commands::Commands;
use crate::parts::prose::ticks;
use crate::parts::sig;
use crate::parts::stepper::Stepper;
use crate::parts::verdicts::Verdicts;

/// The page.
#[component]
pub fn Scenario(id: String) -> impl IntoView {
    with_model(&id, Kind::Page, page)
}

fn page(model: Model) -> AnyView {
    let (title, explanation) = model
        .scenario
        .with_value(|scenario| (scenario.title.clone(), scenario.explanation.clone()));
    let paragraphs = explanation
        .split("\n\n")
        .map(|text| view! { <p>{ticks(text)}</p> })
        .collect_view();
    document().set_title(&format!("{title} · Headroom"));
    let chip = move |(index, name): (usize, &'static str)| {
        let on = move || model.place.with(|place| place.designs.contains(&index));
        view! { <button class="chip" aria-pressed=sig(move || on().to_string()) on:click=move |_| model.toggle_design(index)>{name}</button> }
    };
    let embed = move || Address::Embed(model.place.get()).print();
    view! {
        <main id="main" class="wrap scenario">
            <div class="title">
                <div>
                    <h1>{title}</h1>
                </div>
                <div class="chips" role="group" aria-label="Designs">{DESIGNS.into_iter().enumerate().map(chip).collect_view()}</div>
            </div>
            <Verdicts model/>
            <Stepper model/>
            <div class="below">
                <Commands model/>
                <section class="about" aria-labelledby="about-title"><h2 id="about-title"><b>"What this is"</b></h2>{paragraphs}</section>
            </div>
            <footer class="foot"><a href=embed>"This step for a slide"</a></footer>
        </main>
    }
    .into_any()
}
