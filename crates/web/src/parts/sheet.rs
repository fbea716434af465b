//! The sheet of keys.

use leptos::html::Dialog;
use leptos::prelude::*;

use crate::keys::KEYS;

/// A dialog that lists all keys.
#[component]
pub fn KeySheet(node: NodeRef<Dialog>) -> impl IntoView {
    let row = |(_, print, _, words): &(
        &[&str],
        &'static str,
        crate::keys::Action,
        &'static str,
    )| {
        view! { <tr><th scope="row">{print.split(' ').map(|key| view! { <kbd>{key.to_owned()}</kbd>" " }).collect_view()}</th><td>{*words}</td></tr> }
    };
    view! {
        <dialog class="sheet" node_ref=node aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            <table><tbody>{KEYS.iter().map(row).collect_view()}</tbody></table>
            <p>"In the byte grid the arrows go from byte to byte."</p>
            <form method="dialog"><button class="quiet">"Close"</button></form>
        </dialog>
    }
}
