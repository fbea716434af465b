//! `/embed`: the stepper alone, for a frame on a slide.

use leptos::prelude::*;

use super::load::with_model;
use crate::address::Address;
use crate::model::{Kind, Model};
use crate::parts::stepper::Stepper;

/// The page.
#[component]
pub fn Embed(id: String) -> impl IntoView {
    with_model(&id, Kind::Embed, page)
}

fn page(model: Model) -> AnyView {
    let title = model.scenario.with_value(|scenario| scenario.title.clone());
    document().set_title(&format!("{title} · Headroom"));
    let full = move || Address::Scenario(model.place.get()).print();
    view! {
        <main id="main" class="wrap embed">
            <div class="title"><h1>{title}</h1><a href=full target="_blank" rel="noopener">"Open in full"</a></div>
            <Stepper model/>
        </main>
    }
    .into_any()
}
