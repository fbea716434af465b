//! The stepper itself: buttons, scrubber, zoom, link.

use std::time::Duration;

use crate::platform::{self, Timer};
use crate::prelude::*;
use headroom_core::scene::name::Point;
use headroom_core::scene::{StepName, Zoom};
use web_sys::HtmlInputElement;

use crate::dom::{El, code, div, el, span, svg, text};
use crate::keys::{Action, carry_out};
use crate::model::{By, Model};
use crate::view::{SPEEDS, View};
use crate::zooms::ZOOMS;

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
    let point = match name.write {
        0 => point,
        write => format!("{point}, write {write}"),
    };
    match name.dev.as_str() {
        "" => format!("{}, {point}", name.what),
        dev => format!("{} on {dev}, {point}", name.what),
    }
}

fn icon(path: &str) -> El {
    svg("svg")
        .set("width", "14")
        .set("height", "14")
        .set("viewBox", "0 0 14 14")
        .set("aria-hidden", "true")
        .child(svg("path").set("d", path))
}

/// A button that does what a key does.
fn button(
    model: Model,
    label: &str,
    path: &str,
    action: Action,
    off: impl Fn() -> bool + 'static,
) -> El {
    el("button")
        .class("ctl")
        .set("aria-label", label)
        .set("title", label)
        .tells("aria-disabled", off)
        .on("click", move |_| carry_out(&model, action))
        .child(icon(path))
}

/// The bar.
#[must_use]
pub fn controls(model: Model, copied: RwSignal<bool>, copy: Callback) -> El {
    follow_play(model);
    let at_start = move || model.at.get() == 0;
    let at_end = move || model.at.get() + 1 >= model.rows.with(|rows| rows.len());
    let play = move || {
        let (path, word) = if model.playing.get() {
            ("M3 2h3v10H3z M8 2h3v10H8z", "Pause")
        } else {
            ("M3 1.5v11l9-5.5z", "Play")
        };
        vec![icon(path), el("span").text(word)]
    };
    let buttons = div("buttons")
        .child(button(
            model,
            "First step",
            "M2 2h2v10H2z M12.5 1.5v11L5 7z",
            Action::First,
            at_start,
        ))
        .child(button(
            model,
            "Previous step",
            "M11 1.5v11L3 7z",
            Action::Previous,
            at_start,
        ))
        .child(
            el("button")
                .class("ctl play")
                .on("click", move |_| model.toggle_play())
                .part(play),
        )
        .child(speed(model))
        .child(button(
            model,
            "Next step",
            "M3 1.5v11L11 7z",
            Action::Next,
            at_end,
        ))
        .child(button(
            model,
            "Last step",
            "M10 2h2v10h-2z M1.5 1.5v11L9 7z",
            Action::Last,
            at_end,
        ));
    let (scrub, place) = scrubber(model);
    let zoom = |(level, label): (Zoom, &str)| {
        el("button")
            .class("tab")
            .tells("aria-pressed", move || {
                model.place.with(|p| p.zoom) == level
            })
            .on("click", move |_| model.zoom(level))
            .text(label)
    };
    let levels = div("zoom")
        .set("role", "group")
        .set("aria-label", "Zoom level")
        .all(ZOOMS.map(zoom));
    let link = el("button")
        .class("quiet copy")
        .on("click", move |_| copy.run())
        .word(move || if copied.get() { "Copied" } else { "Copy link" }.to_owned());
    div("controls")
        .set("role", "toolbar")
        .set("aria-label", "Stepper")
        .child(buttons)
        .child(scrub)
        .child(place)
        .child(levels)
        .child(link)
}

/// The slider, and the words for where it stands.
fn scrubber(model: Model) -> (El, El) {
    let scrub = el("input")
        .class("scrub")
        .set("type", "range")
        .set("min", "0")
        .set("aria-label", "Step");
    let (number, words) = (text(""), text(""));
    let (slider, number_now, words_now) = (scrub.clone(), number.clone(), words.clone());
    let mut most = None;
    follow(move || {
        let at = model.at.get();
        let (count, said) = model.rows.with(|rows| {
            let said = rows.get(at).map(|row| step_words(&row.name));
            (rows.len(), said.unwrap_or_default())
        });
        if most.replace(count) != Some(count) {
            slider.put("max", &count.saturating_sub(1).to_string());
        }
        if let Some(input) = slider.as_a::<HtmlInputElement>() {
            input.set_value(&at.to_string());
        }
        slider.put(
            "aria-valuetext",
            &format!("step {} of {count}, {said}", at + 1),
        );
        number_now.say(&format!("{} / {count}", at + 1));
        words_now.say(&said);
    });
    let moved = scrub.clone();
    let scrub = scrub.on("input", move |_| {
        let value = moved
            .as_a::<HtmlInputElement>()
            .map(HtmlInputElement::value);
        if let Some(row) = value.and_then(|value| value.parse::<usize>().ok()) {
            model.go(row, By::Step);
        }
    });
    let place = el("p")
        .class("where")
        .child(span("n", "").child(number))
        .text(" ")
        .child(code("").child(words));
    (scrub, place)
}

/// Steps by itself while it plays.
fn follow_play(model: Model) {
    let mut handle: Option<Timer> = None;
    let speed = Memo::new(move |_| model.view.get().speed);
    follow(move || {
        if let Some(handle) = handle.take() {
            handle.clear();
        }
        if model.playing.get() {
            let faster = SPEEDS.get(speed.get()).map_or(1.0, |(faster, ..)| *faster);
            let pause = TICK.div_f64(faster);
            handle = Some(platform::every(pause, move || model.play_on()));
        }
    });
    on_cleanup(move || {
        model.playing.try_set(false);
    });
}

/// How fast it plays: each press is the next of a few speeds.
fn speed(model: Model) -> El {
    let word = move || {
        let speed = SPEEDS.get(model.view.get().speed);
        speed.map_or("", |(_, word, _)| word)
    };
    el("button")
        .class("ctl speed")
        .set("title", "How fast it plays")
        .now("aria-label", move || {
            Some(format!("Speed of playing, now {}", word()))
        })
        .on("click", move |_| {
            let view = model.view.get_untracked();
            let speed = (view.speed + 1) % SPEEDS.len();
            model.look(View { speed, ..view });
            model.spoken.set(untrack(word).to_owned());
        })
        .word(move || word().to_owned())
}
