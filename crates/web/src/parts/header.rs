//! The bar at the top of every page.

use crate::prelude::*;

use crate::address::Address;
use crate::app::Location;
use crate::dom::{El, div, el, span, svg};
use crate::platform::palette_keys;
use crate::theme::Theme;

/// Pages: address, word, whether an address is one of theirs.
type Page = (&'static str, &'static str, fn(&Address) -> bool);

const PAGES: [Page; 5] = [
    ("/s", "Scenarios", |at| {
        matches!(at, Address::Scenario(_) | Address::Scenarios(_))
    }),
    ("/compare", "Compare", |at| {
        matches!(at, Address::Compare(_))
    }),
    ("/matrix", "Matrix", |at| {
        matches!(at, Address::Matrix(_) | Address::Designs(_))
    }),
    ("/lab", "Lab", |at| {
        matches!(at, Address::Lab(_) | Address::Open)
    }),
    ("/spec", "Spec", |at| matches!(at, Address::Spec(_))),
];

/// Name, pages, theme.
#[must_use]
pub fn header(location: Location) -> El {
    let page = |(address, word, is): &Page| {
        let is = *is;
        let here = move || location.0.with(|(at, _)| is(at)).then(|| "page".to_owned());
        el("a")
            .set("href", address)
            .now("aria-current", here)
            .text(word)
    };
    // Pressed by static/habits.js, which has the key for it too.
    let find = el("button")
        .class("quiet find")
        .set("title", "Go to a page or scenario")
        .text("Find ")
        .child(el("kbd").text(palette_keys()));
    let theme = RwSignal::new(Theme::stored());
    let turn = el("button")
        .class("quiet theme")
        .set("title", "Colours: as the system says, light, dark")
        .on("click", move |_| {
            theme.update(|theme| *theme = theme.next());
            theme.get_untracked().apply();
        })
        .child(span("wide", "Theme: "))
        .word(move || theme.get().word().to_owned());
    let dense = document().document_element();
    let dense = dense.is_some_and(|root| root.has_attribute("data-density"));
    let density = el("button")
        .class("quiet density")
        .set("title", "More on one screen (Shift+D)")
        .set("aria-pressed", if dense { "true" } else { "false" })
        .text("Dense");
    let bar = div("wrap")
        .child(
            el("a")
                .class("skip")
                .set("href", "#main")
                .text("To the content"),
        )
        .child(
            el("a")
                .class("logo")
                .set("href", "/")
                .child(logo())
                .text("Headroom"),
        )
        .child(
            el("nav")
                .set("aria-label", "Pages")
                .all(PAGES.iter().map(page)),
        )
        .child(find)
        .child(density)
        .child(turn);
    el("header").class("top").child(bar)
}

fn logo() -> El {
    let families = ["headroom", "metadata", "ethernet", "ipv4"];
    let part = |(index, family): (usize, &str)| {
        svg("rect")
            .class(&format!("f-{family}"))
            .set("x", &(index * 7).to_string())
            .set("width", "7")
            .set("height", "14")
    };
    svg("svg")
        .set("width", "28")
        .set("height", "14")
        .set("viewBox", "0 0 28 14")
        .set("aria-hidden", "true")
        .all(families.into_iter().enumerate().map(part))
}
