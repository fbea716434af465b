//! `/spec`: the rules. The pages are rendered when the site is built.

use leptos::prelude::*;

use crate::address::Address;
use crate::app::Location;

/// One chapter, as `build.rs` made it.
pub struct Chapter {
    /// File name without ending.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Id, text (HTML, made from our own Markdown at build time) and first step of each rule, in order.
    pub rules: &'static [(&'static str, &'static str, &'static str)],
    /// Body, made from our own Markdown at build time.
    pub html: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/spec.rs"));

/// The page.
#[component]
pub fn Spec() -> impl IntoView {
    document().set_title("The rules · Headroom");
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
    let entry = |(id, text, _): &(&'static str, &'static str, &'static str)| view! { <li><a href=format!("/spec#{id}")>{*id}</a><span inner_html=*text></span></li> };
    let contents = CHAPTERS.iter().map(|chapter| {
        view! { <h2>{chapter.title}</h2><ol>{chapter.rules.iter().map(entry).collect_view()}</ol> }
    });
    let chapters = CHAPTERS
        .iter()
        .map(|chapter| view! { <section id=chapter.id inner_html=chapter.html></section> });
    view! {
        <main id="main" class="wrap spec">
            <h1>"The rules"</h1>
            <p class="lead">"What Linux does with packet metadata, rule by rule. Each rule names its source and the check that runs, and links to the step that shows it."</p>
            <nav class="contents" aria-label="Contents">{contents.collect_view()}</nav>
            <article>{chapters.collect_view()}</article>
        </main>
    }
}
