//! The command palette: type a few letters, go there.

use crate::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

use crate::app::Location;
use crate::data::files;
use crate::dom::{El, el, on_window};

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
    let words: Vec<String> = text
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
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
            let name = name.to_ascii_lowercase();
            words.iter().all(|word| name.contains(word.as_str()))
        })
        .take(12)
        .collect()
}

/// The dialog, and what opens it. Ctrl or Cmd with K does so too.
#[must_use]
pub fn palette(location: Location) -> (El, Callback) {
    let text = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let go = StoredValue::new(None::<El>);
    let choose = move |to: usize| {
        if let Some((_, address)) = found(&text.get_untracked()).get(to) {
            go.with_value(|dialog| {
                let dialog = dialog.as_ref().and_then(El::as_a::<HtmlDialogElement>);
                if let Some(dialog) = dialog {
                    dialog.close();
                }
            });
            location.follow(address);
        }
    };
    let field = el("input")
        .set("type", "text")
        .set("role", "combobox")
        .set("aria-label", "Go to")
        .set("aria-expanded", "true")
        .set("aria-controls", "find-list")
        .set("autocomplete", "off")
        .set("spellcheck", "false")
        .now("aria-activedescendant", move || {
            Some(format!("find-{}", at.get()))
        })
        .on("keydown", move |event| keyed(&event, text, at, choose));
    let typed = field.clone();
    let field = field.on("input", move |_| {
        if let Some(input) = typed.as_a::<HtmlInputElement>() {
            text.set(input.value());
            at.set(0);
        }
    });
    let list = el("ul")
        .set("role", "listbox")
        .set("id", "find-list")
        .set("aria-label", "Places");
    let rows = list.clone();
    follow(move || {
        let now = at.get();
        rows.say("");
        for (index, (name, _)) in text.with(|text| found(text)).iter().enumerate() {
            let row = el("li")
                .set("role", "option")
                .set("id", &format!("find-{index}"))
                .set("aria-selected", if index == now { "true" } else { "false" })
                .on("click", move |_| choose(index))
                .text(name);
            rows.append(&row);
        }
    });
    let dialog = el("dialog")
        .class("sheet palette")
        .set("aria-label", "Go to")
        .child(field.clone())
        .child(list);
    go.set_value(Some(dialog.clone()));
    let kept = StoredValue::new((dialog.clone(), field));
    let open = move || {
        text.set(String::new());
        at.set(0);
        kept.with_value(|(dialog, field)| {
            if let Some(dialog) = dialog.as_a::<HtmlDialogElement>() {
                let _ = dialog.show_modal();
            }
            if let Some(input) = field.as_a::<HtmlInputElement>() {
                input.set_value("");
            }
            if let Some(input) = field.as_a::<HtmlElement>() {
                let _ = input.focus();
            }
        });
    };
    on_window("keydown", move |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
            event.prevent_default();
            open();
        }
    });
    (dialog, Callback::new(open))
}

/// Up, down, and Enter.
fn keyed(
    event: &web_sys::Event,
    text: RwSignal<String>,
    at: RwSignal<usize>,
    choose: impl Fn(usize),
) {
    let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
        return;
    };
    let last = text.with_untracked(|text| found(text).len().saturating_sub(1));
    match event.key().as_str() {
        "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
        "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
        "Enter" => choose(at.get_untracked()),
        _ => return,
    }
    event.prevent_default();
}
