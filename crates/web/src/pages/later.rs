//! Pages that are a module of their own (`crates/lab`): this one makes room for them, loads the
//! module once, and tells it when the address has changed.

use crate::platform;
use crate::prelude::*;

use crate::app::{self, Location};
use crate::dom::{El, div, el};

/// Starts the module; `static/lab.js`.
const SCRIPT: &str = "/lab.js";
const STYLE: &str = "/lab.css";

/// The room.
#[must_use]
pub fn later(location: Location) -> El {
    app::show();
    load();
    follow(move || {
        location.0.track();
        // When the room is in the document.
        platform::next_frame(|| say("headroom:page"));
    });
    on_cleanup(|| say("headroom:leave"));
    let loading = el("p")
        .class("wrap loading")
        .set("role", "status")
        .text("Loading…");
    div("later").set("id", "later").child(loading)
}

/// Asks the module for the step of the address, to take along: it shows a sheet with all that can be had. Where
/// `data-take` already stands on the document, it presses the button with these words at once (`static/find.js`).
pub fn take() {
    load();
    // It may have to be loaded first; it looks for this then.
    if let Some(root) = document().document_element() {
        let words = root.get_attribute("data-take").unwrap_or_default();
        let _ = root.set_attribute("data-take", &words);
    }
    say("headroom:take");
}

fn say(what: &str) {
    if let Ok(event) = web_sys::Event::new(what) {
        let _ = window().dispatch_event(&event);
    }
}

/// Adds style and script to the document, the first time.
fn load() {
    let document = document();
    let Some(head) = document.head() else { return };
    if document.get_element_by_id("lab-script").is_some() {
        return;
    }
    let add = |name: &str, attributes: &[(&str, &str)]| {
        let Ok(element) = document.create_element(name) else {
            return;
        };
        for (name, value) in attributes {
            let _ = element.set_attribute(name, value);
        }
        let _ = head.append_child(&element);
    };
    add("link", &[("rel", "stylesheet"), ("href", STYLE)]);
    add(
        "script",
        &[("id", "lab-script"), ("type", "module"), ("src", SCRIPT)],
    );
}
