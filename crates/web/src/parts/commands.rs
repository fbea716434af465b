//! What is simulated, as commands that can be edited. An error stands beside the input; the last
//! result that worked stays on the page.

use std::sync::Arc;
use std::time::Duration;

use crate::platform::{self, Timer};
use crate::prelude::*;
use headroom_protocol::Object;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlInputElement, HtmlTextAreaElement};

use super::prose::ticked;
use crate::data::{Input, Problem};
use crate::dom::{El, code, div, el, span, text};
use crate::model::Model;

/// How long to wait after the last key.
const PAUSE: Duration = Duration::from_millis(350);
/// The largest object file that is read.
const MOST_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// The panel.
#[must_use]
pub fn commands(model: Model) -> El {
    let own = model.own_input();
    let timer = StoredValue::new(None::<Timer>);
    let stop = move || {
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
    };
    let area = area(model, move |commands| {
        let input = Input {
            commands,
            ..model.input.get_untracked()
        };
        model.input.set(input.clone());
        stop();
        timer.set_value(Some(platform::after(PAUSE, move || model.run(input))));
    });
    let (original, again) = (own.clone(), own);
    let reset = el("button")
        .class("tab")
        .when("disabled", move || {
            model.input.with(|input| *input == original)
        })
        .on("click", move |_| {
            stop();
            model.run(again.clone());
        })
        .text("as in the scenario");
    let busy = move || {
        if model.busy.get() {
            "simulating…"
        } else {
            ""
        }
        .to_owned()
    };
    let hint = "what a person would type; edit them and the run is made again";
    let title = el("h2")
        .child(el("b").set("id", "commands-title").text("Commands"))
        .child(span("hint", hint))
        .child(span("busy", "").set("role", "status").word(busy))
        .child(reset);
    let place = area.clone();
    let problem = move || {
        let problem = model.problem.get();
        problem
            .map(|problem| problem_view(model, problem, &place))
            .into_iter()
            .collect()
    };
    let skipped = Memo::new(move |_| {
        let first = model.designs.with(|designs| designs.first().copied());
        let trace = first.and_then(|design| model.trace(design));
        trace.map(|trace| trace.skipped.clone()).unwrap_or_default()
    });
    let editor = div("editor")
        .flag("bad", move || model.problem.with(Option::is_some))
        .child(numbers(model))
        .child(area);
    el("section")
        .class("commands")
        .set("aria-labelledby", "commands-title")
        .child(title)
        .part(problem)
        .child(editor)
        .child(object_file(model))
        .part(move || skipped_view(skipped.get()).into_iter().collect())
}

/// The text itself.
fn area(model: Model, edited: impl Fn(String) + 'static) -> El {
    let area = el("textarea")
        .set("spellcheck", "false")
        .set("autocapitalize", "off")
        .set("autocomplete", "off")
        .set("wrap", "off")
        .set("aria-label", "Commands")
        .set("aria-describedby", "input-problem")
        .tells("aria-invalid", move || model.problem.with(Option::is_some));
    let shown = area.clone();
    follow(move || {
        model.input.with(|input| {
            let rows = input.commands.lines().count().clamp(4, 26) + 1;
            shown.put("rows", &rows.to_string());
            let Some(node) = shown.as_a::<HtmlTextAreaElement>() else {
                return;
            };
            // Setting what is there already would move the cursor to the end.
            if node.value() != input.commands {
                node.set_value(&input.commands);
            }
        });
    });
    let typed = area.clone();
    area.on("input", move |_| {
        if let Some(node) = typed.as_a::<HtmlTextAreaElement>() {
            edited(node.value());
        }
    })
}

fn numbers(model: Model) -> El {
    let lines = move || {
        let bad = model
            .problem
            .with(|problem| problem.as_ref().and_then(|problem| problem.line));
        let count = model.input.with(|input| input.commands.split('\n').count());
        let one = |n: usize| {
            span(
                if bad == Some(n as u32) { "bad" } else { "" },
                &n.to_string(),
            )
        };
        (1..=count).map(one).collect()
    };
    div("numbers").set("aria-hidden", "true").part(lines)
}

fn problem_view(model: Model, problem: Problem, area: &El) -> El {
    let out = el("p")
        .class("problem")
        .set("id", "input-problem")
        .set("role", "alert")
        .child(el("b").set("aria-hidden", "true").text("✗ "))
        .child(el("strong").text(&problem.place()));
    let mut out = ticked(out, &problem.message).text(" ");
    if let Some(line) = problem.line {
        let area = area.clone();
        let show = el("button").class("link").text("go there");
        out = out.child(show.on("click", move |_| select_line(model, &area, line as usize)));
    }
    if !model.designs.with_untracked(Vec::is_empty) {
        out = out.child(span(
            "kept",
            "The picture above is of the last input that worked.",
        ));
    }
    out
}

/// Selects a line of the text.
fn select_line(model: Model, area: &El, line: usize) {
    let Some(area) = area.as_a::<HtmlTextAreaElement>() else {
        return;
    };
    let text = model.input.with_untracked(|input| input.commands.clone());
    // The browser counts in UTF-16.
    let length = |line: &str| line.encode_utf16().count();
    let lines = || text.split('\n').map(length);
    let start: usize = lines()
        .take(line.saturating_sub(1))
        .map(|length| length + 1)
        .sum();
    let end = start + lines().nth(line.saturating_sub(1)).unwrap_or(0);
    let _ = area.focus();
    let _ = area.set_selection_range(start as u32, end as u32);
}

/// A problem that no line of the input has.
fn trouble(model: Model, message: String) {
    model.problem.try_set(Some(Problem {
        message,
        line: None,
        column: None,
    }));
}

/// Replaces the scenario's programs by an object file of the reader's.
fn object_file(model: Model) -> El {
    let input = el("input").set("type", "file").set("accept", ".o");
    let node = input.clone();
    let input = input.on("change", move |_| {
        let files = node
            .as_a::<HtmlInputElement>()
            .and_then(HtmlInputElement::files);
        if let Some(file) = files.and_then(|files| files.get(0)) {
            take(model, file);
        }
    });
    let node = input.clone();
    let own = move || {
        let name = model.input.with(|input| {
            let object = input.objects.last()?;
            Some(format!("{}, {} bytes", object.name, object.bytes.len()))
        });
        let Some(name) = name else {
            return Vec::new();
        };
        let node = node.clone();
        let back = el("button").class("link").text("the scenario's own");
        let back = back.on("click", move |_| {
            if let Some(input) = node.as_a::<HtmlInputElement>() {
                input.set_value("");
            }
            model.run(Input {
                objects: Arc::default(),
                ..model.input.get_untracked()
            });
        });
        vec![code(&name), text(" "), back]
    };
    let label = el("label")
        .text("Other programs, an object file of clang: ")
        .child(input);
    el("p").class("object").child(label).text(" ").part(own)
}

fn take(model: Model, file: web_sys::File) {
    let name = file.name();
    if file.size() > MOST_BYTES {
        let (size, most) = (file.size() as u64, MOST_BYTES as u64);
        let message = format!("{name} has {size} bytes; an object file may have {most}.");
        return trouble(model, message);
    }
    spawn_local(async move {
        match JsFuture::from(file.array_buffer()).await {
            Ok(buffer) => {
                let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
                model.run(Input {
                    objects: Arc::new(vec![Object { name, bytes }]),
                    ..model.input.get_untracked()
                });
            }
            Err(_) => trouble(model, format!("{name} can't be read.")),
        }
    });
}

fn skipped_view(skipped: Vec<(usize, String)>) -> Option<El> {
    if skipped.is_empty() {
        return None;
    }
    let count = skipped.len();
    let words = if count == 1 { "line was" } else { "lines were" };
    let one = |(line, text): (usize, String)| {
        el("li")
            .child(span("ln", &line.to_string()))
            .text(" ")
            .child(code(&text))
    };
    let summary = el("summary").text(&format!("{count} {words} no command and skipped"));
    let list = el("ol").all(skipped.into_iter().map(one));
    Some(el("details").class("skipped").child(summary).child(list))
}
