//! `/s/<scenario>`: the answer in words, the picture, the controls, the commands.

use leptos::prelude::*;

use super::load::with_model;
use crate::address::Address;
use crate::model::{Kind, Model};
use crate::parts::chips;
use crate::parts::commands::Commands;
use crate::parts::prose::ticks;
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
    let embed = move || Address::Embed(model.place.get()).print();
    view! {
        <main id="main" class="wrap scenario">
            <div class="title">
                <div>
                    <h1>{title}</h1>
                </div>
                <div class="chips" role="group" aria-label="Designs">{chips::designs(model)}</div>
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
