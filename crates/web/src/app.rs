//! Address → page.

use std::cell::Cell;

use crate::prelude::*;
use wasm_bindgen::JsCast;

use crate::address::Address;
use crate::crash;
use crate::dom::{El, div, on_window};
use crate::pages::{embed, later, missing, scenario, spec, start as start_page};
use crate::parts::header::header;
use crate::platform;

/// The address of the page, as last loaded, followed or gone back to. Stepping writes the
/// browser's address bar by itself; it does not come through here.
#[derive(Clone, Copy)]
pub struct Location(pub RwSignal<(Address, Vec<String>)>);

thread_local! {
    static HERE: Cell<Option<Location>> = const { Cell::new(None) };
}

impl Location {
    /// The location of this module's pages.
    #[must_use]
    pub fn new(read: (Address, Vec<String>)) -> Self {
        let location = Self(RwSignal::new(read));
        HERE.set(Some(location));
        location
    }

    /// The one that was made last.
    #[must_use]
    pub fn here() -> Self {
        HERE.get()
            .unwrap_or_else(|| Self::new(Address::parse(&platform::current_address())))
    }

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
        .or_else(|| document().body().map(Into::into));
    let Some(place) = place else { return };
    app(&El::of(place));
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
fn app(place: &El) {
    let location = Location::new(Address::parse(&platform::current_address()));
    for event in ["popstate", "hashchange"] {
        on_window(event, move |_| {
            platform::forget_address();
            location.0.set(Address::parse(&platform::current_address()));
        });
    }
    on_window("pagehide", |_| platform::settle_address());
    on_window("click", move |event| {
        if let Some(event) = event.dyn_ref::<web_sys::MouseEvent>() {
            follow_link(location, event);
        }
    });
    crate::drop::watch(location);

    let route = Memo::new(move |_| location.0.with(|(address, _)| route(address)));
    let framed = Memo::new(move |_| route.with(|route| matches!(route, Route::Embed(_))));
    let top = div("top-part").part(move || {
        let shown = !framed.get();
        shown.then(|| header(location)).into_iter().collect()
    });
    place.append(&top);
    let page = div("page-part");
    place.append(&page);
    let mut now: Option<El> = None;
    follow(move || {
        if let Some(old) = now.take() {
            old.remove();
        }
        let next = route.with(|route| draw(location, route));
        page.append(&next);
        now = Some(next);
    });
}

fn draw(location: Location, route: &Route) -> El {
    match route {
        Route::Start => start_page::start(),
        Route::Scenario(id) => scenario::scenario(id),
        Route::Embed(id) => embed::embed(id),
        Route::Spec => spec::spec(location),
        Route::Later => later::later(location),
        Route::Unknown(path) => missing::missing(path),
    }
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
