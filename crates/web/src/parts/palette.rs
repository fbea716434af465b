//! The command palette: type a few letters, go there.

use leptos::ev;
use leptos::html::{Dialog, Input};
use leptos::prelude::*;

use super::{part, sig};
use crate::app::Location;
use crate::data::files;

/// Pages: words, address.
const PAGES: [(&str, &str); 8] = [
    ("Story", "/"),
    ("Scenarios", "/s"),
    ("Compare", "/compare"),
    ("Matrix", "/matrix"),
    ("Lab", "/lab"),
    ("Designs and roadmap", "/designs"),
    ("Open a recording", "/open"),
    ("Rules", "/spec"),
];

/// Everything one can go to that holds all the words.
fn found(text: &str) -> Vec<(String, String)> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let pages = PAGES
        .iter()
        .map(|(name, address)| ((*name).to_owned(), (*address).to_owned()));
    let ways = [
        ("scenario", "/s/"),
        ("compare", "/compare/"),
        ("lab", "/lab?s="),
    ];
    let scenarios = files::IDS.iter().flat_map(move |id| {
        ways.map(|(word, front)| (format!("{word} {id}"), format!("{front}{id}")))
    });
    pages
        .chain(scenarios)
        .filter(|(name, _)| {
            let name = name.to_lowercase();
            words.iter().all(|word| name.contains(word.as_str()))
        })
        .take(12)
        .collect()
}

/// The dialog; Ctrl or Cmd with K opens it, and so does a change of `asked`.
#[component]
pub fn Palette(dialog: NodeRef<Dialog>, asked: RwSignal<u32>) -> impl IntoView {
    let location = expect_context::<Location>();
    let field = NodeRef::<Input>::new();
    let text = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let list = Memo::new(move |_| found(&text.get()));
    let open = move || {
        if let Some(dialog) = dialog.get_untracked() {
            text.set(String::new());
            at.set(0);
            let _ = dialog.show_modal();
            if let Some(field) = field.get_untracked() {
                let _ = field.focus();
            }
        }
    };
    Effect::new(move |_| {
        if asked.get() > 0 {
            open();
        }
    });
    let key = window_event_listener(ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open();
        }
    });
    on_cleanup(move || key.remove());
    let go = move |to: usize| {
        if let Some((_, address)) = list.with_untracked(|list| list.get(to).cloned()) {
            if let Some(dialog) = dialog.get_untracked() {
                dialog.close();
            }
            location.follow(&address);
        }
    };
    let keyed = move |event: web_sys::KeyboardEvent| {
        let last = list.with_untracked(|list| list.len().saturating_sub(1));
        match event.key().as_str() {
            "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
            "Enter" => go(at.get_untracked()),
            _ => return,
        }
        event.prevent_default();
    };
    let typed = move |event: web_sys::Event| {
        text.set(event_target_value(&event));
        at.set(0);
    };
    let row = move |(index, (name, _)): (usize, (String, String))| {
        view! {
            <li role="option" id=format!("find-{index}") aria-selected=sig(move || (at.get() == index).to_string())
                on:click=move |_| go(index)>{name}</li>
        }
    };
    let rows = move || list.get().into_iter().enumerate().map(row).collect_view();
    view! {
        <dialog class="sheet palette" node_ref=dialog aria-label="Go to">
            <input type="text" node_ref=field role="combobox" aria-label="Go to" aria-expanded="true" aria-controls="find-list"
                aria-activedescendant=sig(move || format!("find-{}", at.get())) autocomplete="off" spellcheck="false"
                prop:value=text on:input=typed on:keydown=keyed/>
            <ul role="listbox" id="find-list" aria-label="Places">{part(rows)}</ul>
        </dialog>
    }
}
