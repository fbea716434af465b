//! The sentence of the step, in front of the picture.

use leptos::prelude::*;

use super::prose::prose;
use super::{part, sig};
use crate::designs::COLUMNS;
use crate::model::Model;

/// One sentence for all designs of which the same is true.
#[component]
pub fn Say(model: Model) -> impl IntoView {
    let said = Memo::new(move |_| model.sentences());
    let lines = move || {
        let said = said.get();
        let many = said.len() > 1;
        let one = |(designs, text): (Vec<usize>, String)| {
            let names: Vec<&str> = designs
                .iter()
                .filter_map(|d| COLUMNS.get(*d).copied())
                .collect();
            let who = many.then(|| view! { <span class="who">{names.join(" · ")}</span> });
            view! { <p class="say">{who}<span>{prose(&text, true)}</span></p> }
        };
        said.into_iter().map(one).collect_view()
    };
    view! { <div class="says" class:two=sig(move || said.with(|said| said.len() > 1))>{part(lines)}</div> }
}
