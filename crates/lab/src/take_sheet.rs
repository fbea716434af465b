//! The sheet “Take this step along” on pages of the site's first module, which has no code for it: that one asks
//! for it with an attribute on the document and an event, and this module draws it from the address.

use std::any::Any;
use std::cell::RefCell;

use headroom_web::address::{Address, Place};
use headroom_web::data::files;
use headroom_web::model::{Kind, Model};
use headroom_web::parts::part;
use headroom_web::platform;
use leptos::ev::Custom;
use leptos::html::Dialog;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use crate::take;

/// What is asked for: the words on the button that is pressed at once, or nothing for the sheet alone.
const ASKED: &str = "data-take";

thread_local! {
    static DRAWN: RefCell<Option<Drawn>> = const { RefCell::new(None) };
}

/// The sheet: dropping it takes it away.
struct Drawn {
    place: web_sys::Element,
    _handle: Box<dyn Any>,
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.place.remove();
    }
}

/// Listens from now on; what was asked for before this module was there is answered now.
pub fn listen() {
    let asked = window_event_listener(Custom::<web_sys::Event>::new("headroom:take"), |_| answer());
    std::mem::forget(asked);
    answer();
}

fn answer() {
    let root = document().document_element();
    let Some(root) = root.filter(|root| root.has_attribute(ASKED)) else {
        return;
    };
    let word = root.get_attribute(ASKED).unwrap_or_default();
    let _ = root.remove_attribute(ASKED);
    let (address, _) = Address::parse(&platform::current_address());
    let Some(place) = address.place().cloned() else {
        return;
    };
    spawn_local(async move {
        let loaded = files::scenario(&place.scenario, &place.designs).await;
        match loaded {
            Ok(loaded) => open(place, loaded, word),
            Err(text) => web_sys::console::error_1(&text.into()),
        }
    });
}

fn open(place: Place, loaded: headroom_web::model::Loaded, word: String) {
    close();
    let (Some(body), Ok(room)) = (document().body(), document().create_element("div")) else {
        return;
    };
    let _ = body.append_child(&room);
    let owner = Owner::new();
    let Ok(target) = room.clone().dyn_into::<web_sys::HtmlElement>() else {
        return;
    };
    let handle = owner.with(|| mount_to(target, move || sheet(place, loaded, word)));
    DRAWN.with_borrow_mut(|slot| {
        *slot = Some(Drawn {
            place: room,
            _handle: Box::new((handle, owner)),
        });
    });
}

fn close() {
    let drawn = DRAWN.with_borrow_mut(Option::take);
    drop(drawn);
}

fn sheet(place: Place, loaded: headroom_web::model::Loaded, word: String) -> AnyView {
    let model = Model::new(loaded, place, Kind::Page, Vec::new());
    let node = NodeRef::<Dialog>::new();
    let shown = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if model.designs.with(Vec::is_empty) || shown.get_untracked() {
            return;
        }
        shown.set(true);
        let _ = dialog.show_modal();
        let word = word.clone();
        request_animation_frame(move || press(&dialog, &word));
    });
    // The element goes when whatever the click set off is over.
    let closed = move |_| request_animation_frame(close);
    let said = part(move || model.words());
    let problem = part(move || {
        let text = model.problem.get().map(|problem| problem.message);
        text.map(|text| view! { <p class="problem" role="alert">{text}</p> })
    });
    let link = move || model.link();
    view! {
        <dialog class="sheet take-sheet" node_ref=node aria-labelledby="take-title" on:close=closed>
            <h2 id="take-title"><b>"Take this step along"</b></h2>
            <p class="hint">{said}</p>
            {problem}
            {take::copy_button("Copy link", link)}
            {take::step(model)}
            <form method="dialog"><button class="quiet">"Close"</button></form>
        </dialog>
    }
    .into_any()
}

/// Presses the button with the words.
fn press(dialog: &web_sys::HtmlDialogElement, word: &str) {
    if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || c == ' ') {
        return;
    }
    let button = dialog.query_selector(&format!("button[data-take=\"{word}\"]"));
    let button = button.ok().flatten();
    if let Some(button) = button.and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = button.focus();
        button.click();
    }
}
