//! The stepper: sentence, buffers, panels, timeline, controls. The scenario page and the embedded
//! page are made of it.

use std::time::Duration;

use leptos::ev;
use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use super::bytes::Bytes;
use super::controls::Controls;
use super::fields::Fields;
use super::path_strip::PathStrip;
use super::program::Program;
use super::say::Say;
use super::sheet::KeySheet;
use super::stage::{Stage, watch_width};
use super::text_view::TextView;
use super::timeline::Timeline;
use super::{part, sig};
use crate::keys::{Action, action, carry_out};
use crate::model::{Kind, Model};
use crate::platform;

/// Keys that the focused element needs for itself.
#[must_use]
pub fn taken(event: &web_sys::KeyboardEvent) -> bool {
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

/// The whole stepper.
#[component]
pub fn Stepper(model: Model) -> impl IntoView {
    let sheet = NodeRef::<Dialog>::new();
    let copied = RwSignal::new(false);
    let copy = Callback::new(move |()| {
        let text = platform::full_address(&model.address().print());
        spawn_local(async move {
            if platform::copy(text.clone()).await {
                copied.set(true);
                model
                    .spoken
                    .set("The link to this step is on the clipboard.".into());
                set_timeout(move || copied.set(false), Duration::from_secs(2));
            } else {
                model.spoken.set(format!("The link to this step is {text}"));
            }
        });
    });
    let on_key = window_event_listener(ev::keydown, move |event| {
        if taken(&event) {
            return;
        }
        let Some(action) = action(&event.key()) else {
            return;
        };
        event.prevent_default();
        match action {
            Action::CopyLink => copy.run(()),
            Action::Help => {
                if let Some(sheet) = sheet.get_untracked() {
                    let _ = sheet.show_modal();
                }
            }
            other => carry_out(&model, other),
        }
    });
    on_cleanup(move || on_key.remove());
    let notices = move || {
        let all = model.notices.get();
        (!all.is_empty()).then(|| view! { <p class="notice" role="status">{all.join(" ")}</p> })
    };
    let open_sheet = move |_| {
        if let Some(sheet) = sheet.get_untracked() {
            let _ = sheet.show_modal();
        }
    };
    let wide = NodeRef::<Div>::new();
    let lane_width = watch_width(wide);
    let lower = move || {
        view! {
            <div class="panels">
                <Bytes model/>
                <Program model/>
                <Fields model/>
            </div>
        }
    };
    // On a slide the picture comes first; the rest is there when it is asked for.
    let opened = RwSignal::new(false);
    let panels = match model.kind {
        Kind::Embed => view! {
            <button class="tab more" aria-expanded=sig(move || opened.get().to_string()) on:click=move |_| opened.update(|o| *o = !*o)>
                "Bytes, program, fields"
            </button>
            {part(move || opened.get().then(lower))}
        }
        .into_any(),
        Kind::Page | Kind::Compare | Kind::Picture => view! {
            {lower()}
            <div class="lane-measure" node_ref=wide></div>
            <Timeline model width=lane_width/>
        }
        .into_any(),
    };
    let scale_word = move || {
        if model.linear.get() {
            "to scale"
        } else {
            "folded"
        }
    };
    view! {
        <div class="stepper">
            {part(notices)}
            <PathStrip model/>
            <Say model/>
            <Stage model/>
            <div class="under">
                <TextView model/>
                <button class="tab" aria-pressed=sig(move || model.linear.get().to_string())
                    title="Headroom, payload and tailroom folded, or every byte equally wide"
                    on:click=move |_| model.linear.update(|l| *l = !*l)>{scale_word}</button>
                <button class="tab" on:click=open_sheet>"Keys "<kbd>"?"</kbd></button>
            </div>
            {panels}
            <Controls model copied copy/>
            <KeySheet node=sheet/>
            <p class="sr" role="status" aria-live="polite">{model.spoken}</p>
        </div>
    }
}
