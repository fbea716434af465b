//! An address that leads nowhere.

use crate::platform::document;

use crate::dom::{El, code, el};

/// Says so, and where to go.
#[must_use]
pub fn missing(what: &str) -> El {
    document().set_title("Not here · Headroom");
    crate::app::show();
    let link = |address: &str, words: &str| el("a").set("href", address).text(words);
    el("main")
        .set("id", "main")
        .class("wrap narrow")
        .child(el("h1").text("Not here"))
        .child(
            el("p")
                .text("There is no ")
                .child(code(what))
                .text(" on this site."),
        )
        .child(
            el("p")
                .child(link("/s/seed", "The scenario of the seed mail"))
                .text(" · ")
                .child(link("/spec", "The rules")),
        )
}
