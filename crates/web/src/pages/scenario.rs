//! `/s/<scenario>`: the answer in words, the picture, the controls, the commands.

use leptos::prelude::*;

use super::missing::Missing;
use crate::address::{Address, Place};
use crate::app::Location;
use crate::engine::{self, DESIGNS};
use crate::model::{Kind, Model};
use crate::parts::commands::Commands;
use crate::parts::prose::ticks;
use crate::parts::sig;
use crate::parts::stepper::Stepper;
use crate::parts::verdicts::Verdicts;

/// A model that follows the address: back, forward, links.
pub fn model_of(id: &str, kind: Kind) -> Option<Model> {
    let location = expect_context::<Location>();
    let scenario = engine::scenario(id)?;
    let (address, notices) = location.0.get_untracked();
    let place = address.place().cloned().unwrap_or_else(|| Place::of(id));
    let model = Model::new(scenario, place, kind, notices);
    let checked = model.check_step();
    model.notices.update(|notices| notices.extend(checked));
    Effect::new(move |seen: Option<()>| {
        let (address, notices) = location.0.get();
        // The first run is the one the model was made with.
        if seen.is_none() {
            return;
        }
        if let Some(place) = address.place() {
            model.playing.set(false);
            model.place.set(place.clone());
            model
                .notices
                .set(notices.into_iter().chain(model.check_step()).collect());
        }
    });
    Some(model)
}

/// The page.
#[component]
pub fn Scenario(id: String) -> impl IntoView {
    let Some(model) = model_of(&id, Kind::Page) else {
        return Missing(super::missing::MissingProps {
            what: format!("the scenario “{id}”"),
        })
        .into_any();
    };
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
