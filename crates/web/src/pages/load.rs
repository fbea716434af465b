//! Pages whose data come from files: what is shown meanwhile, and when they can't be had.

use std::future::Future;

use wasm_bindgen_futures::spawn_local;

use super::missing::missing;
use crate::address::Place;
use crate::app::{self, Location};
use crate::crash;
use crate::data::{Input, files};
use crate::dom::{El, div, el};
use crate::model::{Kind, Loaded, Model};
use crate::prelude::*;

/// What a file held, once it is there.
type State<T> = RwSignal<Option<Result<T, String>>>;

fn begin<T: Send + Sync + 'static>(
    load: impl Future<Output = Result<T, String>> + 'static,
) -> State<T> {
    let state = RwSignal::new(None);
    spawn_local(async move {
        let loaded = load.await;
        // The reader may have gone on by now.
        if state.try_set(Some(loaded)).is_none() {
            app::show();
        }
    });
    state
}

/// Appends to a part of the page what a file holds, as soon as it is there.
#[must_use]
pub fn with_file<T: Clone + Send + Sync + 'static>(
    into: El,
    load: impl Future<Output = Result<T, String>> + 'static,
    draw: impl Fn(T) -> Vec<El> + 'static,
) -> El {
    let state = begin(load);
    into.part(move || match state.get() {
        None => vec![loading()],
        Some(Ok(data)) => draw(data),
        Some(Err(text)) => vec![failed(&text)],
    })
}

fn loading() -> El {
    el("p")
        .class("wrap loading")
        .set("role", "status")
        .text("Loading…")
}

fn failed(text: &str) -> El {
    // The start page is loaded anew: perhaps the host has another build by now.
    let again = el("a")
        .set("href", "/")
        .set("target", "_self")
        .text("The start page");
    div("wrap narrow")
        .child(el("p").class("problem").set("role", "alert").text(text))
        .child(el("p").child(again))
}

/// A page with a model of a scenario that follows the address: back, forward, links.
#[must_use]
pub fn with_model(id: &str, kind: Kind, draw: fn(Model) -> El) -> El {
    let location = Location::here();
    if !files::IDS.contains(&id) && !id.starts_with(headroom_protocol::files::RECORDED_PREFIX) {
        app::show();
        return missing(&format!("the scenario “{id}”"));
    }
    let id = id.to_owned();
    let designs = location.place(&id).designs;
    let load = {
        let id = id.clone();
        async move { files::scenario(&id, &designs).await }
    };
    with_file(div("page"), load, move |loaded: Loaded| {
        vec![draw(model_of(location, &id, kind, loaded))]
    })
}

fn model_of(location: Location, id: &str, kind: Kind, loaded: Loaded) -> Model {
    let place = location.place(id);
    let notices = location.0.with_untracked(|(_, notices)| notices.clone());
    let model = Model::new(loaded, place, kind, notices);
    // Designs without files are simulated first; then it is known whether the step is there.
    let mut checked = false;
    follow(move || {
        if !checked && !model.designs.with(Vec::is_empty) {
            checked = true;
            let wrong = untrack(|| model.check_step());
            model.notices.update(|notices| notices.extend(wrong));
        }
    });
    let mut first = true;
    follow(move || {
        let (address, notices) = location.0.get();
        // The first run is the one the model was made with.
        if std::mem::take(&mut first) {
            return;
        }
        if let Some(place) = address.place() {
            model.playing.set(false);
            model.follow(place.clone());
            let notices = notices.into_iter().chain(model.check_step());
            model.notices.set(notices.collect());
        }
    });
    if let Some(commands) = crash::kept().filter(|_| kind == Kind::Page) {
        model.run(Input {
            commands,
            objects: Default::default(),
        });
    }
    model
}

impl Location {
    /// The place of the address, or a scenario's opening picture.
    fn place(&self, id: &str) -> Place {
        self.0
            .with_untracked(|(address, _)| address.place().cloned())
            .unwrap_or_else(|| Place::of(id))
    }
}

/// The same for pages that are drawn with views of Leptos.
#[cfg(feature = "views")]
pub mod views {
    use leptos::prelude::AnyView;

    use super::*;
    use crate::dom::bridge;
    use crate::parts::part;

    /// Draws what a file holds, as soon as it is there.
    pub fn with_file<T: Clone + Send + Sync + 'static>(
        load: impl Future<Output = Result<T, String>> + 'static,
        draw: impl Fn(T) -> AnyView + Send + Sync + 'static,
    ) -> AnyView {
        let state = begin(load);
        part(move || match state.get() {
            None => bridge::view(&loading()),
            Some(Ok(data)) => draw(data),
            Some(Err(text)) => bridge::view(&failed(&text)),
        })
    }

    /// Draws a model of a scenario that follows the address: back, forward, links.
    pub fn with_model(id: &str, kind: Kind, draw: fn(Model) -> AnyView) -> AnyView {
        let location = Location::here();
        if !files::IDS.contains(&id) && !id.starts_with(headroom_protocol::files::RECORDED_PREFIX) {
            app::show();
            return bridge::view(&missing(&format!("the scenario “{id}”")));
        }
        let id = id.to_owned();
        let designs = location.place(&id).designs;
        let load = {
            let id = id.clone();
            async move { files::scenario(&id, &designs).await }
        };
        with_file(load, move |loaded: Loaded| {
            draw(model_of(location, &id, kind, loaded))
        })
    }
}
