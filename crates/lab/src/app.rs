//! When to draw what.

use std::any::Any;
use std::cell::RefCell;

use headroom_web::address::Address;
use headroom_web::app::Location;
use headroom_web::platform;
use leptos::ev::Custom;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::{catalogue, compare, designs, lab, matrix, open};

/// Where the site's module lets this one draw.
const PLACE: &str = "later";

thread_local! {
    static DRAWN: RefCell<Option<Drawn>> = const { RefCell::new(None) };
}

/// What is drawn: dropping it takes it away.
struct Drawn {
    page: Page,
    location: Location,
    _handle: Box<dyn Any>,
}

/// The pages of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    Catalogue,
    Compare(String),
    Matrix,
    Lab,
    Open,
    Designs,
}

fn page(address: &Address) -> Option<Page> {
    match address {
        Address::Scenarios(_) => Some(Page::Catalogue),
        Address::Compare(place) => Some(Page::Compare(place.scenario.clone())),
        Address::Matrix(_) => Some(Page::Matrix),
        Address::Lab(_) => Some(Page::Lab),
        Address::Open => Some(Page::Open),
        Address::Designs(_) => Some(Page::Designs),
        _ => None,
    }
}

/// Draws the page of the address, and from then on follows the site's module.
pub fn start() {
    headroom_web::crash::watch();
    headroom_web::react::leptos::join();
    let changed =
        window_event_listener(Custom::<web_sys::Event>::new("headroom:page"), |_| follow());
    let left = window_event_listener(Custom::<web_sys::Event>::new("headroom:leave"), |_| leave());
    // They listen as long as the document is there.
    std::mem::forget((changed, left));
    crate::take_sheet::listen();
    follow();
}

fn leave() {
    let drawn = DRAWN.with_borrow_mut(Option::take);
    drop(drawn);
}

/// Draws the page of the address, or tells the page that is there what the address has become.
fn follow() {
    let (address, notices) = Address::parse(&platform::current_address());
    let Some(wanted) = page(&address) else {
        return leave();
    };
    let same = DRAWN.with_borrow(|drawn| {
        let drawn = drawn.as_ref().filter(|drawn| drawn.page == wanted)?;
        Some(drawn.location)
    });
    if let Some(location) = same {
        // Also when it is the address that was read last: pages write the bar by themselves, and the
        // reader may have come back from there.
        location.0.set((address, notices));
        return;
    }
    leave();
    let place = document()
        .get_element_by_id(PLACE)
        .and_then(|place| place.dyn_into::<web_sys::HtmlElement>().ok());
    let Some(place) = place else { return };
    place.set_inner_html("");
    let owner = Owner::new();
    let location = owner.with(|| Location::new((address, notices)));
    let drawn = wanted.clone();
    let handle = mount_to(place, move || {
        provide_context(location);
        let page = match &wanted {
            Page::Catalogue => catalogue::page(),
            Page::Compare(id) => compare::page(id),
            Page::Matrix => matrix::page(),
            Page::Lab => lab::page(),
            Page::Open => open::page(),
            Page::Designs => designs::page(),
        };
        page
    });
    let kept: Box<dyn Any> = Box::new((handle, owner));
    DRAWN.with_borrow_mut(|slot| {
        *slot = Some(Drawn {
            page: drawn,
            location,
            _handle: kept,
        });
    });
}
