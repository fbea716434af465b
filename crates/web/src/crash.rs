//! When the page's own module panics: a sentence instead of a page that no longer answers. Nothing of
//! the page is used any more, only the document.

use std::cell::RefCell;

use crate::platform::{document, window};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;

use crate::platform;

/// Where the input is kept over the reload.
const KEY: &str = "kept-input";

thread_local! {
    static INPUT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers what the reader typed last, for the case that the page ends.
pub fn keep(input: &str) {
    INPUT.with_borrow_mut(|kept| *kept = Some(input.to_owned()));
}

/// What was kept when the page ended; it is given once.
#[must_use]
pub fn kept() -> Option<String> {
    let input = platform::stored(KEY)?;
    platform::store(KEY, None);
    Some(input)
}

/// From now on a panic is shown.
pub fn watch() {
    std::panic::set_hook(Box::new(|info| {
        web_sys::console::error_1(&info.to_string().into());
        let _ = show(&info.to_string());
    }));
}

/// Shows the sentence, once: after the first mistake, whatever still runs of the page makes others.
fn show(what: &str) -> Option<()> {
    if document().query_selector(".crash").ok()?.is_some() {
        return None;
    }
    let input = INPUT.with(|input| input.try_borrow().ok().and_then(|input| input.clone()));
    if let Some(input) = &input {
        platform::store(KEY, Some(input));
    }
    let (document, body) = (document(), document().body()?);
    let element = |name: &str, text: &str| {
        let element = document.create_element(name).ok()?;
        element.set_text_content(Some(text));
        Some(element)
    };
    let area = element("div", "")?;
    let _ = area.set_attribute("class", "crash");
    let _ = area.set_attribute("role", "alert");
    let sentence = "This page came upon a mistake of its own and has stopped. The address still holds where you were.";
    area.append_child(&*element("p", sentence)?).ok()?;
    area.append_child(&*element("p", what)?).ok()?;
    if let Some(input) = input {
        area.append_child(&*element(
            "p",
            "Your commands are kept, here and over a reload:",
        )?)
        .ok()?;
        area.append_child(&*element("pre", &input)?).ok()?;
    }
    let button = element("button", "Load the page again")?;
    let reload = Closure::<dyn FnMut()>::new(|| {
        let _ = window().location().reload();
    });
    let _ = button.add_event_listener_with_callback("click", reload.as_ref().unchecked_ref());
    reload.forget();
    area.append_child(&button).ok()?;
    body.append_child(&area).ok()?;
    Some(())
}
