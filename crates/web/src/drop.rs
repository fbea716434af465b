//! A file that is dropped on any page: a recording is opened, anything else goes to the lab. The file
//! waits on the window, because the page that takes it is another module.

use crate::prelude::*;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DragEvent, File};

use crate::address::Address;
use crate::app::Location;
use crate::dom::on_window;

/// Name under which the file waits.
const KEY: &str = "headroomFile";

/// Watches for dropped files as long as the site is there.
pub fn watch(location: Location) {
    // Without this the browser would leave the page and show the file.
    on_window("dragover", |event| event.prevent_default());
    on_window("drop", move |event| {
        let Some(event) = event.dyn_ref::<DragEvent>() else {
            return;
        };
        let file = event
            .data_transfer()
            .and_then(|data| data.files())
            .and_then(|files| files.get(0));
        event.prevent_default();
        // Pages that take files themselves do so.
        let own = location
            .0
            .with_untracked(|(address, _)| matches!(address, Address::Lab(_) | Address::Open));
        let Some(file) = file.filter(|_| !own) else {
            return;
        };
        let page = if file.name().ends_with(".json") {
            "/open"
        } else {
            "/lab"
        };
        wait(&file);
        location.follow(page);
    });
}

/// Lets a file wait for the page that takes it.
pub fn wait(file: &File) {
    let _ = Reflect::set(&window(), &KEY.into(), file);
}

/// The file that waits; it is given once.
#[must_use]
pub fn waiting() -> Option<File> {
    let file = Reflect::get(&window(), &KEY.into())
        .ok()?
        .dyn_into::<File>()
        .ok()?;
    let _ = Reflect::set(&window(), &KEY.into(), &JsValue::UNDEFINED);
    Some(file)
}
