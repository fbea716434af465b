//! What to look for in the run: the next write to a byte, the next change of a field, a wrong read, a
//! function, an instruction. Playing stops at each of them.

use crate::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

use crate::dom::{El, div, el, span};
use crate::model::Model;

/// What can be asked, as a list behind the field.
const ASKED: [&str; 8] = [
    "wrong read",
    "read",
    "write to byte 252",
    "change of mac_header",
    "change of data",
    "change of meta_end",
    "drop",
    "ip_rcv",
];

/// The field, two buttons, and how many there are. Gives the whole and the field.
#[must_use]
pub fn finder(model: Model) -> (El, El) {
    let field = el("input")
        .set("type", "search")
        .set("list", "asked")
        .set("aria-label", "Find in the run")
        .set("placeholder", "write to byte 252")
        .set("autocomplete", "off")
        .set("spellcheck", "false")
        .tells("aria-invalid", move || {
            model.found.with(|found| matches!(found, Some(Err(_))))
        });
    let (typed, left) = (field.clone(), field.clone());
    let field = field
        .on("input", move |_| {
            if let Some(input) = typed.as_a::<HtmlInputElement>() {
                model.look_for(input.value());
            }
        })
        .on("keydown", move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            let go = key.key() == "Enter";
            if go {
                model.go_found(!key.shift_key());
            }
            // Out of the field, so that `n` and `N` are keys again; what was typed stays.
            if go || key.key() == "Escape" {
                event.prevent_default();
                if let Some(field) = left.as_a::<HtmlInputElement>() {
                    let _ = field.blur();
                }
            }
        });
    let shown = field.clone();
    follow(move || {
        let text = model.query.get();
        if let Some(input) = shown.as_a::<HtmlInputElement>() {
            // Setting what is there already would move the cursor to the end.
            if input.value() != text {
                input.set_value(&text);
            }
        }
    });
    let said = span("count", "").set("role", "status");
    let count = said.clone();
    follow(move || {
        let at = model.at.get();
        count.say(&model.found.with(|found| match found {
            None => String::new(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(rows)) => match (rows.binary_search(&at), rows.len()) {
                (_, 0) => "none in this run".into(),
                (Ok(index), all) => format!("{} of {all}", index + 1),
                (Err(_), all) => format!("{all} in this run"),
            },
        }));
    });
    let nothing = move || {
        let any = |rows: &std::sync::Arc<Vec<usize>>| !rows.is_empty();
        !model
            .found
            .with(|found| matches!(found, Some(Ok(rows)) if any(rows)))
    };
    let button = |label: &str, sign: &str, forward: bool| {
        el("button")
            .class("tab")
            .set("aria-label", label)
            .set("title", label)
            .when("disabled", nothing)
            .on("click", move |_| model.go_found(forward))
            .text(sign)
    };
    let options = ASKED.map(|words| el("option").set("value", words));
    let whole = div("finder")
        .set("role", "search")
        .child(field.clone())
        .child(el("datalist").set("id", "asked").all(options))
        .child(button("Previous of what is found", "↑", false))
        .child(button("Next of what is found", "↓", true))
        .child(said);
    (whole, field)
}
