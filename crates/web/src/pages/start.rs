//! `/`: the problem, the picture of it, and the story that leads through both.

use leptos::ev;
use leptos::prelude::*;

use super::load::with_model;
use crate::address::Address;
use crate::app::Location;
use crate::model::{Kind, Model};
use crate::parts::prose::ticks;
use crate::parts::say::Say;
use crate::parts::stage::Stage;
use crate::parts::{part, sig};
use crate::platform;
use crate::story::{STOPS, find};

/// The page.
#[component]
pub fn Start() -> impl IntoView {
    document().set_title("Headroom: where packet metadata go");
    let picture = with_model("seed", Kind::Picture, story);
    view! {
        <main id="main" class="wrap start">
            <h1>"Where do packet metadata go when a tunnel is taken off?"</h1>
            {picture}
            <nav class="doors" aria-label="Where to go on">
                <a href="/s"><b>"Scenarios"</b><span>"every experiment, step by step"</span></a>
                <a href="/compare"><b>"Compare"</b><span>"designs and real kernels side by side"</span></a>
                <a href="/lab"><b>"Lab"</b><span>"your own commands, programs, packets"</span></a>
                <a href="/spec"><b>"Rules"</b><span>"what Linux does, with checks that run"</span></a>
            </nav>
            <p class="lead">
                "Headroom is an executable specification: a simulator of the way from XDP through the stack to TC, byte for byte, under today’s design and "
                "under the proposed ones. Nothing is sent anywhere; everything runs in this page."
            </p>
        </main>
    }
}

fn story(model: Model) -> AnyView {
    let location = expect_context::<Location>();
    let slug = move || {
        location.0.with(|(address, _)| match address {
            Address::Start(stop) => stop.clone(),
            _ => None,
        })
    };
    let at = RwSignal::new(untrack(slug).and_then(|slug| find(&slug)).unwrap_or(0));
    // Back and forward.
    Effect::new(move |seen: Option<()>| {
        let wanted = slug().and_then(|slug| find(&slug)).unwrap_or(0);
        if seen.is_some() {
            at.set(wanted);
        }
    });
    Effect::new(move |_| {
        let stop = STOPS[at.get().min(STOPS.len() - 1)];
        model
            .front
            .set(stop.place().designs.first().copied().unwrap_or(0));
        model.place.set(stop.place());
    });
    let go = move |to: usize| {
        let to = to.min(STOPS.len() - 1);
        if at.get_untracked() == to {
            return;
        }
        at.set(to);
        let stop = (to > 0).then(|| STOPS[to].slug.to_owned());
        platform::write_address(&Address::Start(stop).print(), false);
    };
    let keys = window_event_listener(ev::keydown, move |event| {
        if crate::parts::stepper::taken(&event) {
            return;
        }
        let now = at.get_untracked();
        match event.key().as_str() {
            "ArrowRight" | "PageDown" | " " => go(now + 1),
            "ArrowLeft" | "PageUp" => go(now.saturating_sub(1)),
            "Home" => go(0),
            "End" => go(STOPS.len() - 1),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || keys.remove());
    let dot = move |(index, stop): (usize, &'static crate::story::Stop)| {
        view! {
            <li><button aria-label=format!("{}: {}", index + 1, stop.title) title=stop.title
                aria-current=sig(move || (at.get() == index).then_some("step")) class:past=sig(move || at.get() > index)
                on:click=move |_| go(index)></button></li>
        }
    };
    let text = move || {
        let now = at.get();
        let stop = STOPS[now.min(STOPS.len() - 1)];
        let more = stop
            .more
            .map(|(address, words)| view! { " "<a href=address>{words}</a> });
        view! {
            <h2>{stop.title}</h2>
            <p>{ticks(stop.text)}{more}</p>
        }
    };
    let number = move || format!("{} / {}", at.get() + 1, STOPS.len());
    let next = move || {
        if at.get() == 0 {
            "Watch it happen"
        } else {
            "Next"
        }
    };
    let step = move || Address::Scenario(model.place.get()).print();
    view! {
        <section class="story" aria-label="The story in twelve stops">
            <div class="told" aria-live="polite">{part(text)}</div>
            <div class="turn">
                <button class="go" on:click=move |_| go(at.get_untracked() + 1) disabled=sig(move || at.get() + 1 == STOPS.len())>{sig(next)}" "<kbd>"→"</kbd></button>
                <button class="quiet" on:click=move |_| go(at.get_untracked().saturating_sub(1)) disabled=sig(move || at.get() == 0)>"Back "<kbd>"←"</kbd></button>
                <ol class="stops">{STOPS.iter().enumerate().map(dot).collect_view()}</ol>
                <span class="n">{sig(number)}</span>
                <a href=step>"This step, byte by byte"</a>
            </div>
            <Say model/>
            <Stage model/>
        </section>
    }
    .into_any()
}
