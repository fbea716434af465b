//! What is simulated, as commands that can be edited. An error stands beside the input; the last
//! result that worked stays on the page.

use std::sync::Arc;
use std::time::Duration;

use leptos::html::{Input as FileInput, Textarea};
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{part, sig};
use crate::data::{Input, Problem};
use crate::model::Model;
use headroom_protocol::Object;

/// How long to wait after the last key.
const PAUSE: Duration = Duration::from_millis(350);
/// The largest object file that is read.
const MOST_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

/// The panel.
#[component]
pub fn Commands(model: Model) -> impl IntoView {
    let own = model.own_input();
    let original = own.clone();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let node = NodeRef::<Textarea>::new();
    let later = move |input: Input| {
        model.input.set(input.clone());
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        timer.set_value(set_timeout_with_handle(move || model.run(input), PAUSE).ok());
    };
    let edited = move |event: web_sys::Event| {
        let commands = event_target_value(&event);
        later(Input {
            commands,
            ..model.input.get_untracked()
        });
    };
    let changed = Memo::new(move |_| model.input.with(|input| *input != original));
    let reset = move |_| {
        if let Some(timer) = timer.get_value() {
            timer.clear();
        }
        model.run(own.clone());
    };
    let skipped = Memo::new(move |_| {
        model
            .designs
            .with(|designs| designs.first().and_then(|design| model.trace(*design)))
            .map(|trace| trace.skipped.clone())
            .unwrap_or_default()
    });
    let rows = move || {
        model
            .input
            .with(|input| input.commands.lines().count().clamp(4, 26) + 1)
            .to_string()
    };
    let line_numbers = move || {
        let bad = model
            .problem
            .with(|problem| problem.as_ref().and_then(|problem| problem.line))
            .map(|line| line as usize);
        let count = model.input.with(|input| input.commands.split('\n').count());
        let one = |n: usize| view! { <span class:bad=bad == Some(n)>{n}</span> };
        (1..=count).map(one).collect_view()
    };
    view! {
        <section class="commands" aria-labelledby="commands-title">
            <h2 id="commands-title"><b>"Commands"</b>
                <span class="hint">"what a person would type; edit them and the run is made again"</span>
                <span class="busy" role="status">{part(move || model.busy.get().then_some("simulating…"))}</span>
                <button class="tab" disabled=sig(move || !changed.get()) on:click=reset>"as in the scenario"</button>
            </h2>
            {part(move || model.problem.get().map(|problem| problem_view(model, problem, node)))}
            <div class="editor" class:bad=sig(move || model.problem.with(Option::is_some))>
                <div class="numbers" aria-hidden="true">{part(line_numbers)}</div>
                <textarea node_ref=node spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" rows=rows
                    aria-label="Commands" aria-describedby="input-problem"
                    aria-invalid=sig(move || model.problem.with(Option::is_some).to_string())
                    prop:value=sig(move || model.input.with(|input| input.commands.clone())) on:input=edited></textarea>
            </div>
            <ObjectFile model/>
            {part(move || skipped_view(skipped.get()))}
        </section>
    }
}

fn problem_view(model: Model, problem: Problem, node: NodeRef<Textarea>) -> impl IntoView {
    let place = match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("Line {line}, column {column}: "),
        (Some(line), None) => format!("Line {line}: "),
        _ => String::new(),
    };
    let kept = !model.designs.with_untracked(Vec::is_empty);
    let show = move |_| {
        let (Some(area), Some(line)) = (node.get_untracked(), problem.line) else {
            return;
        };
        let line = line as usize;
        let text = model.input.with_untracked(|input| input.commands.clone());
        let start: usize = text
            .split('\n')
            .take(line - 1)
            .map(|l| l.encode_utf16().count() + 1)
            .sum();
        let len = text
            .split('\n')
            .nth(line - 1)
            .map_or(0, |l| l.encode_utf16().count());
        let _ = area.focus();
        let _ = area.set_selection_range(start as u32, (start + len) as u32);
    };
    let jump = problem
        .line
        .map(|_| view! { <button class="link" on:click=show>"go there"</button> });
    view! {
        <p class="problem" id="input-problem" role="alert">
            <b aria-hidden="true">"✗ "</b><strong>{place}</strong>{problem.message}" "{jump}
            {kept.then(|| view! { <span class="kept">"The picture above is of the last input that worked."</span> })}
        </p>
    }
}

/// Replaces the scenario's programs by an object file of the reader's.
#[component]
fn ObjectFile(model: Model) -> impl IntoView {
    let node = NodeRef::<FileInput>::new();
    let name = move || {
        model.input.with(|input| {
            input
                .objects
                .last()
                .map(|object| format!("{}, {} bytes", object.name, object.bytes.len()))
        })
    };
    let chosen = move |_| {
        let Some(file) = node
            .get_untracked()
            .and_then(|input| input.files())
            .and_then(|files| files.get(0))
        else {
            return;
        };
        let name = file.name();
        if file.size() > MOST_BYTES {
            let message = format!(
                "{name} has {} bytes; an object file may have {}.",
                file.size() as u64,
                MOST_BYTES as u64
            );
            model.problem.set(Some(Problem {
                message,
                line: None,
                column: None,
            }));
            return;
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
                Err(_) => {
                    let message = format!("{name} can't be read.");
                    model.problem.set(Some(Problem {
                        message,
                        line: None,
                        column: None,
                    }));
                }
            }
        });
    };
    let back = move |_| {
        if let Some(input) = node.get_untracked() {
            input.set_value("");
        }
        model.run(Input {
            objects: Arc::default(),
            ..model.input.get_untracked()
        });
    };
    let own = move || {
        name().map(|name| view! { <code>{name}</code>" "<button class="link" on:click=back>"the scenario's own"</button> })
    };
    view! {
        <p class="object">
            <label>"Other programs, an object file of clang: "<input type="file" accept=".o" node_ref=node on:change=chosen/></label>
            " "{own}
        </p>
    }
}

fn skipped_view(skipped: Vec<(usize, String)>) -> Option<impl IntoView> {
    if skipped.is_empty() {
        return None;
    }
    let count = skipped.len();
    let one = |(line, text): (usize, String)| view! { <li><span class="ln">{line}</span>" "<code>{text}</code></li> };
    Some(view! {
        <details class="skipped">
            <summary>{format!("{count} {} no command and skipped", if count == 1 { "line was" } else { "lines were" })}</summary>
            <ol>{skipped.into_iter().map(one).collect_view()}</ol>
        </details>
    })
}
