//! The sheet of keys, on pages of this module that show no stepper: where one is, it shows its own.

use headroom_web::keys::KEYS;
use headroom_web::parts::stepper::taken;
use leptos::ev;
use leptos::html::Dialog;
use leptos::prelude::*;

/// The dialog, and the key that opens it, as long as the page is there.
pub fn keys() -> AnyView {
    let node = NodeRef::<Dialog>::new();
    let pressed = window_event_listener(ev::keydown, move |event| {
        let stepper = document().query_selector(".stepper").ok().flatten();
        if event.key() != "?" || stepper.is_some() || taken(&event) {
            return;
        }
        event.prevent_default();
        if let Some(dialog) = node.get_untracked() {
            let _ = dialog.show_modal();
        }
    });
    on_cleanup(move || pressed.remove());
    let row = |print: &'static str, words: &'static str| {
        let keys = print.split(' ').map(|key| view! { <kbd>{key}</kbd>" " });
        view! { <tr><th scope="row">{keys.collect_view()}</th><td>{words}</td></tr> }
    };
    let rows = KEYS.iter().map(|(_, print, _, words)| row(print, words));
    view! {
        <dialog class="sheet" node_ref=node aria-labelledby="page-keys">
            <h2 id="page-keys">"Keys"</h2>
            <table><tbody>{rows.collect_view()}</tbody></table>
            <form method="dialog"><button class="quiet">"Close"</button></form>
        </dialog>
    }
    .into_any()
}
