//! `/`: the problem in a sentence, and the picture of it.

use leptos::prelude::*;

use super::load::with_model;
use crate::model::{Kind, Model};
use crate::parts::say::Say;
use crate::parts::stage::Stage;
use crate::parts::verdicts::Verdicts;

/// The page.
#[component]
pub fn Start() -> impl IntoView {
    document().set_title("Headroom: where packet metadata go");
    let picture = with_model("seed", Kind::Picture, picture);
    view! {
        <main id="main" class="wrap start">
            <h1>"Where do packet metadata go when a tunnel is taken off?"</h1>
            <p class="lead">
                "An XDP program leaves four bytes in front of a packet. Linux remembers how many they are, and that they end where the MAC "
                "header begins. A GRE device moves the MAC header, so a TC program behind it reads a piece of the old headers instead."
            </p>
            <p><a class="go" href="/s/seed">"Step through it, byte by byte"</a></p>
            {picture}
            <p class="lead">
                "Headroom is an executable specification: a simulator of that path, byte for byte, under today’s design and under the proposed "
                <code>"meta_end"</code>". " <a href="/spec">"The rules"</a> " link to the steps that show them."
            </p>
        </main>
    }
}

fn picture(model: Model) -> AnyView {
    view! {
        <Verdicts model/>
        <Say model/>
        <Stage model/>
    }
    .into_any()
}
