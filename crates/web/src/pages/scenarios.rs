//! `/s`: what can be run.

use leptos::prelude::document;

use super::load::with_file;
use crate::address::{Address, Place};
use crate::data::files::{self, Catalogue};
use crate::dom::{El, el};
use crate::parts::prose::ticked;

/// The list.
#[must_use]
pub fn scenarios() -> El {
    document().set_title("Scenarios · Headroom");
    let draw = |catalogue: Catalogue| {
        let one = |entry: &headroom_protocol::files::Entry| {
            let address = Address::Scenario(Place::of(&entry.id)).print();
            let link = el("a").set("href", &address).text(&entry.title);
            el("li")
                .child(el("h2").child(link))
                .child(ticked(el("p"), &entry.summary))
        };
        vec![el("ul").all(catalogue.entries.iter().map(one))]
    };
    let page = el("main")
        .set("id", "main")
        .class("wrap scenarios")
        .child(el("h1").text("Scenarios"));
    with_file(page, files::catalogue(), draw)
}
