//! Files that are dropped on any page: recordings are opened, anything else goes to the lab. They
//! wait on the window, because the page that takes them is another module.

use crate::prelude::*;
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DragEvent, File};

use crate::address::Address;
use crate::app::Location;
use crate::dom::on_window;

/// Name under which they wait.
const KEY: &str = "headroomFiles";

/// Watches for dropped files as long as the site is there.
pub fn watch(location: Location) {
    // Without this the browser would leave the page and show the file.
    on_window("dragover", |event| event.prevent_default());
    on_window("drop", move |event| {
        let Some(event) = event.dyn_ref::<DragEvent>() else {
            return;
        };
        let files = event.data_transfer().and_then(|data| data.files());
        let file = files.as_ref().and_then(|files| files.get(0));
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
        wait(&Array::from(&files.into()));
        location.follow(page);
    });
}

/// Lets files wait for the page that takes them.
pub fn wait(files: &Array) {
    let _ = Reflect::set(&window(), &KEY.into(), files);
}

/// The files that wait; they are given once.
#[must_use]
pub fn waiting() -> Vec<File> {
    let files = Reflect::get(&window(), &KEY.into());
    let files = files.ok().and_then(|files| files.dyn_into::<Array>().ok());
    let _ = Reflect::set(&window(), &KEY.into(), &JsValue::UNDEFINED);
    let file = |file: JsValue| file.dyn_into::<File>().ok();
    files
        .map(|files| files.iter().filter_map(file).collect())
        .unwrap_or_default()
}
