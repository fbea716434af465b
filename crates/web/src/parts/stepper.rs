//! The stepper: sentence, buffers, panels, timeline, controls. The scenario page and the embedded
//! page are made of it.

use std::time::Duration;

use crate::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, KeyboardEvent};

use super::bytes::bytes;
use super::controls::controls;
use super::fields::fields;
use super::finder::finder;
use super::path_strip::path_strip;
use super::program::program;
use super::prose::ticked;
use super::say::say;
use super::stage::{stage, watch_width};
use super::text_view::text_view;
use super::timeline::timeline;
use crate::dom::{El, div, el, on_window};
use crate::keys::{Action, action, carry_out};
use crate::model::{Kind, Model, SCALE};
use crate::platform;
use crate::view::Show;

#[cfg(feature = "views")]
pub use super::views::Stepper;

/// Keys that the focused element needs for itself.
#[must_use]
pub fn taken(event: &KeyboardEvent) -> bool {
    if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
        return true;
    }
    let Some(target) = event
        .target()
        .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
    else {
        return false;
    };
    let key = event.key();
    if target.closest("dialog[open]").ok().flatten().is_some() {
        return true;
    }
    match target.tag_name().as_str() {
        "TEXTAREA" | "SELECT" => true,
        "INPUT" => {
            let range = target.get_attribute("type").as_deref() == Some("range");
            // The scrubber does arrows, Home and End itself, the same way.
            !range
                || matches!(
                    key.as_str(),
                    "ArrowLeft"
                        | "ArrowRight"
                        | "ArrowUp"
                        | "ArrowDown"
                        | "Home"
                        | "End"
                        | "PageUp"
                        | "PageDown"
                )
        }
        "BUTTON" | "A" | "SUMMARY" => key == " " || key == "Enter",
        _ => false,
    }
}

/// Copies the link to the step, and says so.
fn copier(model: Model, copied: RwSignal<bool>) -> Callback {
    Callback::new(move || {
        let text = model.link();
        spawn_local(async move {
            if platform::copy(text.clone()).await {
                copied.try_set(true);
                let said = "The link to this step is on the clipboard.";
                model.spoken.try_set(said.into());
                platform::after(Duration::from_secs(2), move || {
                    copied.try_set(false);
                });
            } else {
                model
                    .spoken
                    .try_set(format!("The link to this step is {text}"));
            }
        });
    })
}

/// The panels below the picture.
fn lower(model: Model) -> El {
    div("panels")
        .child(bytes(model))
        .child(program(model))
        .child(fields(model))
}

/// The whole stepper.
#[must_use]
pub fn stepper(model: Model) -> El {
    let copied = RwSignal::new(false);
    let copy = copier(model, copied);
    let (find, field) = finder(model);
    on_window("keydown", move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        if taken(event) {
            return;
        }
        let Some(action) = action(&event.key()) else {
            return;
        };
        event.prevent_default();
        match action {
            Action::CopyLink => copy.run(),
            Action::Find => {
                if let Some(field) = field.as_a::<HtmlElement>() {
                    let _ = field.focus();
                }
            }
            other => carry_out(&model, other),
        }
    });
    let notices = move || {
        let all = model.notices.get();
        let line = |class: &str, words: &str| ticked(el("p").class(class), words);
        let said = (!all.is_empty()).then(|| line("notice", &all.join(" ")).set("role", "status"));
        let refused = refused(model).map(|words| line("problem", &words));
        said.into_iter().chain(refused).collect()
    };
    let whole = div("stepper")
        .flag("empty", move || refused(model).is_some())
        .part(notices)
        .child(path_strip(model));
    let (words, picture) = (say(model), stage(model));
    let whole = match model.kind {
        // Beside others the picture comes first, on the screen and in the document; and what differs beside the words.
        Kind::Compare => whole.child(picture).child(words).child(div("slot")),
        _ => whole.child(words).child(picture),
    };
    let whole = whole.child(under(model, find));
    let whole = match model.kind {
        // On a slide the picture comes first; the rest is there when it is asked for.
        Kind::Embed => {
            let opened = RwSignal::new(false);
            let more = el("button")
                .class("tab more")
                .tells("aria-expanded", move || opened.get())
                .on("click", move |_| opened.update(|o| *o = !*o))
                .text("Bytes, program, fields");
            let panels = move || opened.get().then(|| lower(model)).into_iter().collect();
            whole.child(more).child(div("opened").part(panels))
        }
        Kind::Page | Kind::Compare | Kind::Picture => {
            let wide = div("lane-measure");
            let width = watch_width(&wide);
            whole
                .child(lower(model))
                .child(wide)
                .child(timeline(model, width))
        }
    };
    let spoken = el("p")
        .class("sr")
        .set("role", "status")
        .set("aria-live", "polite")
        .word(move || model.spoken.get());
    whole.child(controls(model, copied, copy)).child(spoken)
}

/// Why there is nothing to step through.
fn refused(model: Model) -> Option<String> {
    let problem = model.problem.get()?;
    let none = model.designs.with(Vec::is_empty);
    none.then(|| format!("There is no run to step through. {}", problem.message))
}

/// The line under the picture.
fn under(model: Model, find: El) -> El {
    let linear = move || model.view.get().has(Show::Scale);
    let scale = el("button")
        .class("tab")
        .tells("aria-pressed", linear)
        .set(
            "title",
            "Headroom, payload and tailroom folded, or every byte equally wide",
        )
        .on("click", move |_| {
            model.toggle(Show::Scale);
            let kept = untrack(linear).then_some("linear");
            platform::store(SCALE, kept);
        })
        .word(move || if linear() { "to scale" } else { "folded" }.to_owned());
    let keys = el("button")
        .class("tab")
        .set("data-keys", "")
        .text("Keys ")
        .child(el("kbd").text("?"));
    div("under")
        .child(text_view(model))
        .child(find)
        .child(scale)
        .child(keys)
}
