//! The command palette: type a few letters, go there, or press a button of the page.

use crate::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

use crate::address::Address;
use crate::app::Location;
use crate::data::files;
use crate::dom::{El, el, on_window};
use crate::pages::later;

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

/// What is taken along of a step, where the page has no buttons for it: the second module does that.
const TAKE: [&str; 7] = [
    "Copy hex",
    "Copy C array",
    "Copy Scapy",
    "Copy Markdown",
    "Copy SVG",
    "Save SVG",
    "Save PNG",
];

/// What an entry does.
#[derive(Clone)]
enum To {
    Address(String),
    /// Presses a button of the page.
    Press(HtmlElement),
    Take(&'static str),
}

/// `querySelectorAll()`; the list that it gives is a type that nothing else here uses.
fn all_of(selector: &str) -> Option<js_sys::Array> {
    let document = document();
    let method = js_sys::Reflect::get(&document, &"querySelectorAll".into()).ok()?;
    let method = method.dyn_into::<js_sys::Function>().ok()?;
    let list = method.call1(&document, &selector.into()).ok()?;
    Some(js_sys::Array::from(&list))
}

/// The buttons of the page, by their words.
fn buttons() -> Vec<(String, To)> {
    let mut out: Vec<(String, To)> = Vec::new();
    let all = all_of("main button:not(:disabled), .theme");
    for button in all.unwrap_or_default().iter() {
        let Ok(button) = button.dyn_into::<HtmlElement>() else {
            continue;
        };
        let words = button
            .get_attribute("aria-label")
            .or_else(|| button.text_content())
            .unwrap_or_default();
        let words = words.trim();
        if !words.is_empty() && out.iter().all(|(known, _)| known != words) {
            out.push((words.to_owned(), To::Press(button)));
        }
    }
    out
}

/// Everything one can do or go to that holds all the words.
fn found(text: &str, location: Location) -> Vec<(String, To)> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(str::to_ascii_lowercase)
        .collect();
    let mut all: Vec<(String, To)> = Vec::new();
    for (name, address) in PAGES {
        all.push((name.to_owned(), To::Address(address.to_owned())));
    }
    if !words.is_empty() {
        all.extend(buttons());
        let at = |(address, _): &(Address, Vec<String>)| matches!(address, Address::Scenario(_));
        if location.0.with_untracked(at) {
            all.extend(TAKE.map(|words| (words.to_owned(), To::Take(words))));
        }
    }
    for id in files::IDS {
        for (word, front) in [
            ("scenario", "/s/"),
            ("compare", "/compare/"),
            ("lab", "/lab?s="),
        ] {
            all.push((format!("{word} {id}"), To::Address(format!("{front}{id}"))));
        }
    }
    all.retain(|(name, _)| {
        let name = name.to_ascii_lowercase();
        words.iter().all(|word| name.contains(word.as_str()))
    });
    all.truncate(12);
    all
}

/// The dialog, and what opens it. Ctrl or Cmd with K does so too.
#[must_use]
pub fn palette(location: Location) -> (El, Callback) {
    let text = RwSignal::new(String::new());
    let at = RwSignal::new(0usize);
    let go = StoredValue::new(None::<El>);
    let choose = move |to: usize| {
        if let Some((_, to)) = found(&text.get_untracked(), location).into_iter().nth(to) {
            go.with_value(|dialog| {
                let dialog = dialog.as_ref().and_then(El::as_a::<HtmlDialogElement>);
                if let Some(dialog) = dialog {
                    dialog.close();
                }
            });
            match to {
                To::Address(address) => location.follow(&address),
                To::Press(button) => button.click(),
                To::Take(words) => later::take(words),
            }
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
        .on("keydown", move |event| {
            keyed(
                &event,
                || found(&text.get_untracked(), location).len(),
                at,
                choose,
            )
        });
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
        for (index, (name, _)) in text.with(|text| found(text, location)).iter().enumerate() {
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
    count: impl Fn() -> usize,
    at: RwSignal<usize>,
    choose: impl Fn(usize),
) {
    let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
        return;
    };
    let last = count().saturating_sub(1);
    match event.key().as_str() {
        "ArrowDown" => at.update(|at| *at = (*at + 1).min(last)),
        "ArrowUp" => at.update(|at| *at = at.saturating_sub(1)),
        "Enter" => choose(at.get_untracked()),
        _ => return,
    }
    event.prevent_default();
}
