//! Address → page.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::address::Address;
use crate::crash;
use crate::pages::{embed, later, missing, scenario, spec, start as start_page};
use crate::parts::header::Header;
use crate::platform;

/// The address of the page, as last loaded, followed or gone back to. Stepping writes the
/// browser's address bar by itself; it does not come through here.
#[derive(Clone, Copy)]
pub struct Location(pub RwSignal<(Address, Vec<String>)>);

impl Location {
    /// Follows a link inside the site.
    pub fn follow(&self, target: &str) {
        platform::write_address(target, true);
        self.0.set(Address::parse(target));
        if !target.contains('#') {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }
}

/// Draws the site into the document. What the build drew there stays until the first page is whole.
pub fn start() {
    crash::watch();
    let place = document()
        .get_element_by_id("app")
        .and_then(|place| place.dyn_into::<web_sys::HtmlElement>().ok());
    match place {
        Some(place) => mount_to(place, App).forget(),
        None => mount_to_body(App),
    }
}

/// The first page is whole: it takes the place of what the build drew.
pub fn show() {
    let document = document();
    if let Some(drawn) = document.get_element_by_id("drawn") {
        drawn.remove();
    }
    if let Some(app) = document.get_element_by_id("app") {
        let _ = app.remove_attribute("hidden");
    }
}

/// What decides which page is there; a step inside a page is no new page.
#[derive(Clone, PartialEq)]
enum Route {
    Start,
    Scenario(String),
    Embed(String),
    Spec,
    /// Another module draws it.
    Later,
    Unknown(String),
}

fn route(address: &Address) -> Route {
    match address {
        Address::Start(_) => Route::Start,
        Address::Scenario(place) => Route::Scenario(place.scenario.clone()),
        Address::Embed(place) => Route::Embed(place.scenario.clone()),
        Address::Spec(_) => Route::Spec,
        Address::Scenarios(_)
        | Address::Compare(_)
        | Address::Matrix(_)
        | Address::Lab(_)
        | Address::Open
        | Address::Designs(_) => Route::Later,
        Address::Unknown(path) => Route::Unknown(path.clone()),
    }
}

/// The whole site.
#[component]
fn App() -> impl IntoView {
    let location = Location(RwSignal::new(Address::parse(&platform::current_address())));
    provide_context(location);
    let read = move |_| location.0.set(Address::parse(&platform::current_address()));
    let popped = window_event_listener(ev::popstate, read);
    let hashed = window_event_listener(ev::hashchange, move |_| {
        location.0.set(Address::parse(&platform::current_address()))
    });
    on_cleanup(move || {
        popped.remove();
        hashed.remove();
    });
    let clicked = window_event_listener(ev::click, move |event| follow_link(location, &event));
    on_cleanup(move || clicked.remove());

    crate::drop::watch(location);

    let route = Memo::new(move |_| location.0.with(|(address, _)| route(address)));
    let page = move || match route.get() {
        Route::Start => start_page::Start().into_any(),
        Route::Scenario(id) => scenario::Scenario(scenario::ScenarioProps { id }).into_any(),
        Route::Embed(id) => embed::Embed(embed::EmbedProps { id }).into_any(),
        Route::Spec => spec::Spec().into_any(),
        Route::Later => later::Later().into_any(),
        Route::Unknown(path) => missing::Missing(missing::MissingProps { what: path }).into_any(),
    };
    let framed = move || {
        let embedded = matches!(route.get(), Route::Embed(_));
        (!embedded).then(|| view! { <Header/> })
    };
    view! { {framed} {page} }
}

/// A plain click on a link into the site loads nothing.
fn follow_link(location: Location, event: &web_sys::MouseEvent) {
    if event.default_prevented()
        || event.button() != 0
        || event.meta_key()
        || event.ctrl_key()
        || event.shift_key()
    {
        return;
    }
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let Some(link) = target.and_then(|target| target.closest("a[href]").ok().flatten()) else {
        return;
    };
    let (href, new_window) = (
        link.get_attribute("href").unwrap_or_default(),
        link.has_attribute("target"),
    );
    if new_window || !href.starts_with('/') || href.starts_with("//") {
        return;
    }
    event.prevent_default();
    location.follow(&href);
}
