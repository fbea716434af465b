//! `/s`: what can be run.

use leptos::prelude::*;

use super::load::with_file;
use crate::address::{Address, Place};
use crate::data::files::{self, Catalogue};
use crate::parts::prose::ticks;

/// The list.
#[component]
pub fn Scenarios() -> impl IntoView {
    document().set_title("Scenarios · Headroom");
    let draw = |catalogue: Catalogue| {
        let one = |entry: headroom_protocol::files::Entry| {
            let address = Address::Scenario(Place::of(&entry.id)).print();
            view! { <li><h2><a href=address>{entry.title}</a></h2><p>{ticks(&entry.summary)}</p></li> }
        };
        view! { <ul>{catalogue.entries.into_iter().map(one).collect_view()}</ul> }.into_any()
    };
    view! {
        <main id="main" class="wrap scenarios">
            <h1>"Scenarios"</h1>
            {with_file(files::catalogue(), draw)}
        </main>
    }
}
