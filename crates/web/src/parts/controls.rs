//! The stepper itself: buttons, scrubber, zoom, link.

use std::time::Duration;

use headroom_core::scene::name::Point;
use headroom_core::scene::{StepName, Zoom};
use leptos::prelude::*;

use super::{part, sig};
use crate::keys::{Action, carry_out};
use crate::model::{By, Model};

/// Time between two steps of playing.
const TICK: Duration = Duration::from_millis(700);

/// `get_tag on decap, exit`: a step's name for people.
#[must_use]
pub fn step_words(name: &StepName) -> String {
    let point = match name.point {
        Point::Entry => "entry".to_owned(),
        Point::Exit => "exit".to_owned(),
        Point::Insn(index) => format!("instruction {index}"),
        Point::Prologue(index) => format!("prologue instruction {index}"),
    };
    match name.dev.as_str() {
        "" => format!("{}, {point}", name.what),
        dev => format!("{} on {dev}, {point}", name.what),
    }
}

fn icon(path: &'static str) -> impl IntoView {
    view! { <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path d=path/></svg> }
}

/// The bar.
#[component]
pub fn Controls(model: Model, copied: RwSignal<bool>, copy: Callback<()>) -> impl IntoView {
    let count = Memo::new(move |_| model.rows.with(|rows| rows.len()));
    let words = Memo::new(move |_| {
        model.rows.with(|rows| {
            rows.get(model.at.get())
                .map(|row| step_words(&row.name))
                .unwrap_or_default()
        })
    });
    let valuetext = move || {
        format!(
            "step {} of {}, {}",
            model.at.get() + 1,
            count.get(),
            words.get()
        )
    };
    Effect::new(move |handle: Option<Option<IntervalHandle>>| {
        if let Some(handle) = handle.flatten() {
            handle.clear();
        }
        model
            .playing
            .get()
            .then(|| set_interval_with_handle(move || model.play_on(), TICK).ok())
            .flatten()
    });
    let at_start = move || model.at.get() == 0;
    let at_end = move || model.at.get() + 1 >= count.get();
    let button = move |label: &'static str,
                       path: &'static str,
                       action: Action,
                       off: Signal<bool>| {
        view! {
            <button class="ctl" aria-label=label title=label aria-disabled=sig(move || off.get().to_string())
                on:click=move |_| carry_out(&model, action)>{icon(path)}</button>
        }
    };
    let play_word = move || if model.playing.get() { "Pause" } else { "Play" };
    let play_icon = move || {
        if model.playing.get() {
            icon("M3 2h3v10H3z M8 2h3v10H8z").into_any()
        } else {
            icon("M3 1.5v11l9-5.5z").into_any()
        }
    };
    let scrub = move |event: web_sys::Event| {
        if let Ok(row) = event_target_value(&event).parse::<usize>() {
            model.go(row, By::Step);
        }
    };
    let zoom = move |label: &'static str, level: Zoom| {
        view! {
            <button class="tab" aria-pressed=sig(move || (model.place.with(|p| p.zoom) == level).to_string())
                on:click=move |_| model.zoom(level)>{label}</button>
        }
    };
    view! {
        <div class="controls" role="toolbar" aria-label="Stepper">
            <div class="buttons">
                {button("First step", "M2 2h2v10H2z M12.5 1.5v11L5 7z", Action::First, Signal::derive(at_start))}
                {button("Previous step", "M11 1.5v11L3 7z", Action::Previous, Signal::derive(at_start))}
                <button class="ctl play" on:click=move |_| model.toggle_play()>{part(play_icon)}<span>{sig(play_word)}</span></button>
                {button("Next step", "M3 1.5v11L11 7z", Action::Next, Signal::derive(at_end))}
                {button("Last step", "M10 2h2v10h-2z M1.5 1.5v11L9 7z", Action::Last, Signal::derive(at_end))}
            </div>
            <input class="scrub" type="range" min="0" max=sig(move || count.get().saturating_sub(1).to_string())
                prop:value=sig(move || model.at.get().to_string()) aria-label="Step" aria-valuetext=sig(valuetext) on:input=scrub/>
            <p class="where"><span class="n">{sig(move || format!("{} / {}", model.at.get() + 1, count.get()))}</span>" "<code>{words}</code></p>
            <div class="zoom" role="group" aria-label="Zoom level">
                {zoom("functions", Zoom::Functions)}
                {zoom("instructions", Zoom::Instructions)}
            </div>
            <button class="quiet copy" on:click=move |_| copy.run(())>{move || if copied.get() { "Copied" } else { "Copy link" }}</button>
        </div>
    }
}
