//! `/spec`: the rules. The chapters are rendered when the site is built.

use crate::prelude::*;
use headroom_protocol::files::{Chapter, RuleEntry};

use super::load::with_file;
use crate::address::Address;
use crate::app::Location;
use crate::data::files::{self, Spec as Chapters};
use crate::dom::{El, el};

/// The page.
#[must_use]
pub fn spec(location: Location) -> El {
    document().set_title("The rules · Headroom");
    let lead = "What Linux does with packet metadata, rule by rule. Each rule names its source and the check that runs, and links to the step that shows it.";
    let page = el("main")
        .set("id", "main")
        .class("wrap spec")
        .child(el("h1").text("The rules"))
        .child(el("p").class("lead").text(lead));
    with_file(page, files::spec(), move |spec| chapters(location, &spec))
}

/// Contents and chapters. Their HTML was made from the repository's own Markdown by the site's build,
/// in which HTML is text; nothing a reader brings comes here.
fn chapters(location: Location, spec: &Chapters) -> Vec<El> {
    // The rule of the address, as soon as the page is in the document.
    effect(move || {
        let rule = location.0.with(|(address, _)| match address {
            Address::Spec(rule) => rule.clone(),
            _ => None,
        });
        if let Some(target) = rule.and_then(|rule| document().get_element_by_id(&rule)) {
            target.scroll_into_view();
        }
    });
    let entry = |RuleEntry { id, text }: &RuleEntry| {
        let link = el("a").set("href", &format!("/spec#{id}")).text(id);
        el("li").child(link).child(el("span").html(text))
    };
    let contents = |chapter: &Chapter| {
        [
            el("h2").text(&chapter.title),
            el("ol").all(chapter.rules.iter().map(entry)),
        ]
    };
    let body = |chapter: &Chapter| el("section").set("id", &chapter.id).html(&chapter.html);
    vec![
        el("nav")
            .class("contents")
            .set("aria-label", "Contents")
            .all(spec.chapters.iter().flat_map(contents)),
        el("article").all(spec.chapters.iter().map(body)),
    ]
}
