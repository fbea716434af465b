//! `/s`: what can be run.

use leptos::prelude::*;

use crate::address::{Address, Place};
use crate::engine;
use crate::parts::prose::ticks;

/// The list.
#[component]
pub fn Scenarios() -> impl IntoView {
    document().set_title("Scenarios · Headroom");
    let one = |file: headroom_core::scenario::ScenarioFile| {
        let address = Address::Scenario(Place::of(&file.id)).print();
        let first = file
            .explanation
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .to_owned();
        view! { <li><h2><a href=address>{file.title}</a></h2><p>{ticks(&first)}</p></li> }
    };
    view! {
        <main id="main" class="wrap scenarios">
            <h1>"Scenarios"</h1>
            <ul>{engine::scenarios().into_iter().map(one).collect_view()}</ul>
        </main>
    }
}
