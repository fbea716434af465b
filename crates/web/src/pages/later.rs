//! Pages that are a module of their own (`crates/lab`): this one makes room for them, loads the
//! module once, and tells it when the address has changed.

use leptos::prelude::*;

use crate::app::{self, Location};

/// Starts the module; `static/lab.js`.
const SCRIPT: &str = "/lab.js";
const STYLE: &str = "/lab.css";

/// The room.
#[component]
pub fn Later() -> impl IntoView {
    let location = expect_context::<Location>();
    app::show();
    load();
    Effect::new(move |_| {
        location.0.track();
        // When the room is in the document.
        request_animation_frame(|| say("headroom:page"));
    });
    on_cleanup(|| say("headroom:leave"));
    view! { <div id="later" class="later"><p class="wrap loading" role="status">"Loading…"</p></div> }
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
