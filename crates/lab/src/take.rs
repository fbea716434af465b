//! Taking along: a button that puts a text on the clipboard or gives a file, and says that it did.

use std::time::Duration;

use headroom_web::parts::sig;
use headroom_web::platform;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// A button that copies what `text` gives.
pub fn copy_button(label: &'static str, text: impl Fn() -> String + Copy + 'static) -> AnyView {
    let said = RwSignal::new(None::<&'static str>);
    let press = move |_| {
        let text = text();
        spawn_local(async move {
            let word = if platform::copy(text).await {
                "Copied"
            } else {
                "Not allowed here"
            };
            if said.try_set(Some(word)).is_none() {
                set_timeout(
                    move || {
                        said.try_set(None);
                    },
                    Duration::from_secs(2),
                );
            }
        });
    };
    view! { <button class="tab" on:click=press>{sig(move || said.get().unwrap_or(label).to_owned())}</button> }.into_any()
}

/// A button that gives a file.
pub fn save_button(
    label: &'static str,
    name: &'static str,
    kind: &'static str,
    bytes: impl Fn() -> Vec<u8> + 'static,
) -> AnyView {
    let press = move |_| crate::browser::save(name, kind, &bytes());
    view! { <button class="tab" on:click=press>{label}</button> }.into_any()
}
