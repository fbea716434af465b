//! `/spec`: the rules. The chapters are rendered when the site is built.

use headroom_protocol::files::{Chapter, RuleEntry};
use leptos::prelude::*;

use super::load::with_file;
use crate::address::Address;
use crate::app::Location;
use crate::data::files::{self, Spec as Chapters};

/// The page.
#[component]
pub fn Spec() -> impl IntoView {
    document().set_title("The rules · Headroom");
    view! {
        <main id="main" class="wrap spec">
            <h1>"The rules"</h1>
            <p class="lead">"What Linux does with packet metadata, rule by rule. Each rule names its source and the check that runs, and links to the step that shows it."</p>
            {with_file(files::spec(), chapters)}
        </main>
    }
}

/// Contents and chapters. Their HTML was made from the repository's own Markdown by the site's build,
/// in which HTML is text; nothing a reader brings comes here.
fn chapters(spec: Chapters) -> AnyView {
    let location = expect_context::<Location>();
    Effect::new(move |_| {
        let rule = location.0.with(|(address, _)| match address {
            Address::Spec(rule) => rule.clone(),
            _ => None,
        });
        if let Some(target) = rule.and_then(|rule| document().get_element_by_id(&rule)) {
            target.scroll_into_view();
        }
    });
    let entry = |RuleEntry { id, text }: &RuleEntry| {
        view! { <li><a href=format!("/spec#{id}")>{id.clone()}</a><span inner_html=text.clone()></span></li> }
    };
    let contents = |chapter: &Chapter| {
        view! { <h2>{chapter.title.clone()}</h2><ol>{chapter.rules.iter().map(entry).collect_view()}</ol> }
    };
    let body = |chapter: &Chapter| view! { <section id=chapter.id.clone() inner_html=chapter.html.clone()></section> };
    view! {
        <nav class="contents" aria-label="Contents">{spec.chapters.iter().map(contents).collect_view()}</nav>
        <article>{spec.chapters.iter().map(body).collect_view()}</article>
    }
    .into_any()
}
