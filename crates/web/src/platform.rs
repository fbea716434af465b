//! What the browser gives: address bar, clipboard, storage. All of it may be refused (a sandboxed
//! frame has no storage and may not touch the address), so nothing here fails loudly.

use std::time::Duration;

use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Window};

/// The window.
#[must_use]
pub fn window() -> Window {
    web_sys::window().unwrap_or_else(|| panic!("there is no window"))
}

/// The document.
#[must_use]
pub fn document() -> Document {
    window()
        .document()
        .unwrap_or_else(|| panic!("there is no document"))
}

/// Something that will run later.
#[derive(Debug, Clone, Copy)]
pub struct Timer(i32);

impl Timer {
    /// It does not run any more.
    pub fn clear(self) {
        // One list of the browser's holds both kinds.
        window().clear_timeout_with_handle(self.0);
    }
}

fn milliseconds(pause: Duration) -> i32 {
    i32::try_from(pause.as_millis()).unwrap_or(i32::MAX)
}

/// Runs something after a while.
pub fn after(pause: Duration, run: impl FnOnce() + 'static) -> Timer {
    let run = once(Box::new(run));
    let set = window().set_timeout_with_callback_and_timeout_and_arguments_0(
        run.unchecked_ref(),
        milliseconds(pause),
    );
    Timer(set.unwrap_or_default())
}

/// Runs something again and again.
pub fn every(pause: Duration, run: impl FnMut() + 'static) -> Timer {
    let run: Box<dyn FnMut()> = Box::new(run);
    let run = Closure::wrap(run).into_js_value();
    let set = window().set_interval_with_callback_and_timeout_and_arguments_0(
        run.unchecked_ref(),
        milliseconds(pause),
    );
    Timer(set.unwrap_or_default())
}

/// Runs something before the next picture.
pub fn next_frame(run: impl FnOnce() + 'static) {
    let run = once(Box::new(run));
    let _ = window().request_animation_frame(run.unchecked_ref());
}

fn once(run: Box<dyn FnOnce()>) -> JsValue {
    Closure::once_into_js(run)
}

#[wasm_bindgen]
extern "C" {
    /// The window, with the address that waits to be written: both modules of the site know of it.
    type Waiting;
    #[wasm_bindgen(method, getter, structural, js_name = addressToCome)]
    fn address(this: &Waiting) -> Option<String>;
    #[wasm_bindgen(method, setter, structural, js_name = addressToCome)]
    fn set_address(this: &Waiting, address: Option<&str>);
}

fn waiting() -> Waiting {
    window().unchecked_into()
}

/// `path?query#fragment` of the page, as it is or will be in a moment.
#[must_use]
pub fn current_address() -> String {
    waiting().address().unwrap_or_else(written_address)
}

fn written_address() -> String {
    let location = window().location();
    let part = |value: Result<String, JsValue>| value.unwrap_or_default();
    format!(
        "{}{}{}",
        part(location.pathname()),
        part(location.search()),
        part(location.hash())
    )
}

/// The address of a step is written when so much time has passed, and at once before anything else is done
/// with the address: a write takes a browser longer than all that is drawn of a step, and hundreds in some seconds
/// (a held key) it refuses.
const PAUSE: Duration = Duration::from_millis(250);

/// Writes the address without loading anything; `push` makes an entry that Back returns to.
pub fn write_address(address: &str, push: bool) {
    if push {
        // The entry that Back returns to is of the step one was at.
        settle_address();
    }
    forget_address();
    write_now(address, push);
}

/// Writes the address of a step, in a moment.
pub fn write_address_soon(address: &str) {
    let waiting = waiting();
    let first = waiting.address().is_none();
    waiting.set_address(Some(address));
    if first {
        after(PAUSE, settle_address);
    }
}

/// Writes what waits to be written.
pub fn settle_address() {
    if let Some(address) = waiting().address() {
        forget_address();
        write_now(&address, false);
    }
}

/// Forgets what waits to be written: the browser has gone to another address by itself.
pub fn forget_address() {
    waiting().set_address(None);
}

fn write_now(address: &str, push: bool) {
    if written_address() == address {
        return;
    }
    if let Ok(history) = window().history() {
        let state = JsValue::NULL;
        let _ = if push {
            history.push_state_with_url(&state, "", Some(address))
        } else {
            history.replace_state_with_url(&state, "", Some(address))
        };
    }
}

/// The address with scheme and host, for a mail.
#[must_use]
pub fn full_address(address: &str) -> String {
    format!(
        "{}{address}",
        window().location().origin().unwrap_or_default()
    )
}

/// Puts a text on the clipboard; `false` when the browser does not allow it.
pub async fn copy(text: String) -> bool {
    let clipboard = window().navigator().clipboard();
    // An insecure origin has no clipboard at all.
    if clipboard.is_undefined() {
        return false;
    }
    wasm_bindgen_futures::JsFuture::from(clipboard.write_text(&text))
        .await
        .is_ok()
}

/// Reads from the browser's storage.
#[must_use]
pub fn stored(key: &str) -> Option<String> {
    window()
        .local_storage()
        .ok()
        .flatten()?
        .get_item(key)
        .ok()
        .flatten()
}

/// Writes to the browser's storage, or removes.
pub fn store(key: &str, value: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// The keys that open the palette, as this machine's keyboard has them.
#[must_use]
pub fn palette_keys() -> &'static str {
    let apple = |name: String| name.starts_with("Mac") || name.starts_with("iP");
    match window().navigator().platform().is_ok_and(apple) {
        true => "⌘K",
        false => "Ctrl K",
    }
}
