//! Pages whose data come from files: what is shown meanwhile, and when they can't be had.

use std::future::Future;

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::missing::Missing;
use crate::address::Place;
use crate::app::{self, Location};
use crate::crash;
use crate::data::{Input, files};
use crate::model::{Kind, Loaded, Model};
use crate::parts::part;

/// Draws what a file holds, as soon as it is there.
pub fn with_file<T: Clone + Send + Sync + 'static>(
    load: impl Future<Output = Result<T, String>> + 'static,
    draw: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    let state = RwSignal::new(None::<Result<T, String>>);
    spawn_local(async move {
        let loaded = load.await;
        // The reader may have gone on by now.
        if state.try_set(Some(loaded)).is_none() {
            app::show();
        }
    });
    part(move || match state.get() {
        None => view! { <p class="wrap loading" role="status">"Loading…"</p> }.into_any(),
        Some(Ok(data)) => draw(data),
        Some(Err(text)) => failed(&text),
    })
}

fn failed(text: &str) -> AnyView {
    let text = text.to_owned();
    view! {
        <div class="wrap narrow"><p class="problem" role="alert">{text}</p><p><a href="/" target="_self">"The start page"</a></p></div>
    }
    .into_any()
}

/// Draws a model of a scenario that follows the address: back, forward, links.
pub fn with_model(id: &str, kind: Kind, draw: fn(Model) -> AnyView) -> AnyView {
    if !files::IDS.contains(&id) && !id.starts_with(headroom_protocol::files::RECORDED_PREFIX) {
        app::show();
        let what = format!("the scenario “{id}”");
        return Missing(super::missing::MissingProps { what }).into_any();
    }
    let id = id.to_owned();
    let designs = expect_context::<Location>().place(&id).designs;
    let load = {
        let id = id.clone();
        async move { files::scenario(&id, &designs).await }
    };
    with_file(load, move |loaded: Loaded| {
        draw(model_of(&id, kind, loaded))
    })
}

fn model_of(id: &str, kind: Kind, loaded: Loaded) -> Model {
    let location = expect_context::<Location>();
    let place = location.place(id);
    let notices = location.0.with_untracked(|(_, notices)| notices.clone());
    let model = Model::new(loaded, place, kind, notices);
    // Designs without files are simulated first; then it is known whether the step is there.
    Effect::new(move |done: Option<bool>| {
        let there = !model.designs.with(Vec::is_empty);
        if there && done != Some(true) {
            let checked = untrack(|| model.check_step());
            model.notices.update(|notices| notices.extend(checked));
        }
        there || done == Some(true)
    });
    Effect::new(move |seen: Option<()>| {
        let (address, notices) = location.0.get();
        // The first run is the one the model was made with.
        if seen.is_none() {
            return;
        }
        if let Some(place) = address.place() {
            model.playing.set(false);
            model.follow(place.clone());
            model
                .notices
                .set(notices.into_iter().chain(model.check_step()).collect());
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
