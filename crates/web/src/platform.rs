//! What the browser gives: address bar, clipboard, storage. All of it may be refused (a sandboxed
//! frame has no storage and may not touch the address), so nothing here fails loudly.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// `path?query#fragment` of the page.
#[must_use]
pub fn current_address() -> String {
    let location = window().location();
    let part = |value: Result<String, JsValue>| value.unwrap_or_default();
    format!(
        "{}{}{}",
        part(location.pathname()),
        part(location.search()),
        part(location.hash())
    )
}

/// Writes the address without loading anything; `push` makes an entry that Back returns to.
pub fn write_address(address: &str, push: bool) {
    if current_address() == address {
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
