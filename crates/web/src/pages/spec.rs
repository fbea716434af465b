//! `/spec`: the rules. They are rendered when the site is built.

use crate::prelude::*;

use super::load::with_file;
use crate::address::Address;
use crate::app::Location;
use crate::data::files;
use crate::dom::{El, div, el};

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
    with_file(page, files::spec(), move |html| rules(location, &html))
}

/// Contents and chapters. Their HTML was made from the repository's own Markdown by the site's build,
/// in which HTML is text; nothing a reader brings comes here.
fn rules(location: Location, html: &str) -> Vec<El> {
    // The rule of the address, as soon as the page is in the document.
    let notice = el("p").class("notice").set("role", "status");
    let lacking = notice.clone();
    effect(move || {
        let rule = location.0.with(|(address, _)| match address {
            Address::Spec(rule) => rule.clone(),
            _ => None,
        });
        let rule = rule.unwrap_or_default();
        match document().get_element_by_id(&rule) {
            Some(target) => target.scroll_into_view(),
            None if !rule.is_empty() => {
                return lacking.say(&format!("There is no rule {rule} here."));
            }
            None => {}
        }
        lacking.say("");
    });
    vec![notice, div("rules").html(html)]
}
