//! `/`: the story in twelve stops, and doors to everything else.

use crate::prelude::*;
use headroom_protocol::files::{LEAD, Stop};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::KeyboardEvent;

use super::load::with_model;
use crate::address::{Address, Place};
use crate::app::Location;
use crate::data::files;
use crate::designs::DESIGNS;
use crate::dom::{El, div, el, on_window, span};
use crate::model::{Kind, Model};
use crate::parts::prose::ticked;
use crate::parts::say::say;
use crate::parts::stage::stage;
use crate::parts::stepper::taken;
use crate::parts::text_view::text_view;
use crate::platform;

/// Address, name, and what is there.
const DOORS: [(&str, &str, &str); 4] = [
    ("/s", "Scenarios", "every experiment, step by step"),
    (
        "/compare",
        "Compare",
        "designs and real kernels side by side",
    ),
    ("/lab", "Lab", "your own commands, programs, packets"),
    ("/spec", "Rules", "what Linux does, with checks that run"),
];

/// The page.
#[must_use]
pub fn start() -> El {
    document().set_title("Headroom: where packet metadata go");
    let door = |(address, name, words): (&str, &str, &str)| {
        el("a")
            .set("href", address)
            .child(el("b").text(name))
            .child(el("span").text(words))
    };
    let doors = el("nav").class("doors").set("aria-label", "Where to go on");
    el("main")
        .set("id", "main")
        .class("wrap start")
        .child(el("h1").text("Where do packet metadata go when a tunnel is taken off?"))
        .child(with_model("seed", Kind::Picture, story))
        .child(doors.all(DOORS.into_iter().map(door)))
        .child(el("p").class("lead").text(LEAD))
}

/// Where one is in the story, and the way through it.
#[derive(Clone, Copy)]
struct Walk {
    at: RwSignal<usize>,
    /// None until they are there.
    stops: RwSignal<Vec<Stop>>,
}

impl Walk {
    fn last(self) -> usize {
        self.stops.with(|stops| stops.len().saturating_sub(1))
    }

    fn go(self, to: usize) {
        let to = to.min(untrack(|| self.last()));
        if self.at.get_untracked() == to {
            return;
        }
        self.at.set(to);
        let slug = |stops: &Vec<Stop>| stops.get(to).map(|stop| stop.slug.clone());
        let stop = self.stops.with_untracked(slug).filter(|_| to > 0);
        platform::write_address(&Address::Start(stop).print(), false);
    }

    fn on(self) {
        self.go(self.at.get_untracked() + 1);
    }

    fn back(self) {
        self.go(self.at.get_untracked().saturating_sub(1));
    }

    /// The stop one is at.
    fn stop(self) -> Option<Stop> {
        let at = self.at.get();
        self.stops.with(|stops| stops.get(at).cloned())
    }

    /// The stop that the address names.
    fn named(self, location: Location, model: Model) -> usize {
        let slug = location.0.with(|(address, _)| match address {
            Address::Start(stop) => stop.clone(),
            _ => None,
        });
        let is = |stop: &Stop| Some(&stop.slug) == slug.as_ref();
        let (at, none) = self
            .stops
            .with(|stops| (stops.iter().position(is), stops.is_empty()));
        if let (None, false, Some(slug)) = (at, none, slug) {
            let said = format!("The story has no stop “{slug}”. This is its beginning.");
            model.notices.set(vec![said]);
        }
        at.unwrap_or(0)
    }

    /// The keys of the story, those of presenters' remotes among them.
    fn key(self, event: &KeyboardEvent) {
        if taken(event) {
            return;
        }
        match event.key().as_str() {
            "ArrowRight" | "PageDown" | " " => self.on(),
            "ArrowLeft" | "PageUp" => self.back(),
            "Home" => self.go(0),
            "End" => self.go(usize::MAX),
            _ => return,
        }
        event.prevent_default();
    }
}

fn story(model: Model) -> El {
    let location = Location::here();
    let walk = Walk {
        at: RwSignal::new(0),
        stops: RwSignal::new(Vec::new()),
    };
    // Its texts are a file of their own: what only this page shows, no other page loads.
    spawn_local(async move {
        match files::story().await {
            // The reader may be elsewhere by now.
            Ok(story) => drop(walk.stops.try_set(story.stops)),
            Err(text) => drop(model.notices.try_set(vec![text])),
        }
    });
    // Back and forward, and where one came in.
    follow(move || {
        let wanted = walk.named(location, model);
        walk.at.set(wanted);
    });
    follow(move || show(model, walk));
    on_window("keydown", move |event| {
        if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
            walk.key(event);
        }
    });
    let told = move || {
        let Some(stop) = walk.stop() else {
            return Vec::new();
        };
        let mut text = ticked(el("p").set("tabindex", "0"), &stop.text);
        if let Some((address, words)) = &stop.more {
            text = text
                .text(" ")
                .child(el("a").set("href", address).text(words));
        }
        vec![el("h2").text(&stop.title), text]
    };
    // Title and text are heard as one, once: of the nodes above a screen reader says one or the other, and words again that
    // are lit.
    let heard = move || {
        let stop = walk.stop();
        stop.map_or_else(String::new, |stop| {
            format!("{}. {}", stop.title, stop.text.replace('`', ""))
        })
    };
    el("section")
        .class("story")
        .set("aria-label", "The story in twelve stops")
        .child(div("told").part(told))
        .child(turn(model, walk))
        .child(say(model))
        .child(stage(model))
        .part(move || notice(model, walk))
        .child(text_view(model))
        .child(el("p").class("sr").set("role", "status").word(heard))
}

/// What could not be loaded, and what is wrong with the address; it is said at the beginning of the story.
fn notice(model: Model, walk: Walk) -> Vec<El> {
    if walk.at.get() > 0 {
        return Vec::new();
    }
    let all = model.notices.get();
    let line = |text: String| el("p").class("notice").set("role", "status").text(&text);
    all.into_iter().map(line).collect()
}

/// What is drawn at a stop.
fn place(stop: &Stop) -> Place {
    let index = |name: &String| DESIGNS.iter().position(|design| design == name);
    Place {
        designs: stop.designs.iter().filter_map(index).collect(),
        at: stop.step.parse().ok(),
        ..Place::of(&stop.scenario)
    }
}

/// Draws the step of the stop; its scenario may have to be loaded first, and what was drawn stays so long.
fn show(model: Model, walk: Walk) {
    let Some(stop) = walk.stop() else { return };
    let at = walk.at.get();
    let place = place(&stop);
    let set = move |mut place: Place| {
        place.view = model.view.get_untracked();
        model.place.set(place);
    };
    if model.scenario.with_value(|known| known.id == stop.scenario) {
        return set(place);
    }
    spawn_local(async move {
        match files::scenario(&stop.scenario, &[]).await {
            // The reader may be elsewhere by now.
            Ok((texts, outcome, _)) if walk.at.try_get_untracked() == Some(at) => {
                model.take(texts, outcome);
                model.input.set(model.own_input());
                model.outcome.set(model.own());
                set(place);
            }
            Ok(_) => {}
            Err(text) => model.notices.set(vec![text]),
        }
    });
}

/// The buttons, the stops as dots, and the way to the stepper.
fn turn(model: Model, walk: Walk) -> El {
    let at = walk.at;
    let dot = move |(index, stop): (usize, &Stop)| {
        let button = el("button")
            .set("aria-label", &format!("{}: {}", index + 1, stop.title))
            .set("title", &stop.title)
            .now("aria-current", move || {
                (at.get() == index).then(|| "step".to_owned())
            })
            .flag("past", move || at.get() > index)
            .on("click", move |_| walk.go(index));
        el("li").child(button)
    };
    let word = move || {
        if at.get() == 0 {
            "Watch it happen "
        } else {
            "Next "
        }
        .to_owned()
    };
    let next = el("button")
        .class("go")
        .tells("aria-disabled", move || at.get() >= walk.last())
        .on("click", move |_| walk.on())
        .word(word)
        .child(el("kbd").text("→"));
    let back = el("button")
        .class("quiet")
        .tells("aria-disabled", move || at.get() == 0)
        .on("click", move |_| walk.back())
        .text("Back ")
        .child(el("kbd").text("←"));
    let step = el("a")
        .now("href", move || {
            Some(Address::Scenario(model.place.get()).print())
        })
        .text("This step, byte by byte");
    div("turn")
        .child(next)
        .child(back)
        .child(el("ol").class("stops").part(move || {
            walk.stops
                .with(|stops| stops.iter().enumerate().map(dot).collect())
        }))
        .child(span("n", "").word(move || format!("{} / {}", at.get() + 1, walk.last() + 1)))
        .child(step)
}
