//! The commands: a text field over the same text in colours. What is wrong is marked where it
//! stands, and what may come next is said below, in the parser's own words.

use std::ops::Range;

use headroom_core::scenario::parse;
use headroom_core::scenario::syntax::{Completion, Token, complete, tokens};
use headroom_web::parts::{part, sig};
use leptos::html::Textarea;
use leptos::prelude::*;

use super::coloured::{self, Line, Wrong};
use super::state::Lab;

/// The panel.
pub fn commands(lab: Lab) -> AnyView {
    let node = NodeRef::<Textarea>::new();
    let text = Memo::new(move |_| lab.work.with(|work| work.commands.clone()));
    let caret = RwSignal::new(None::<usize>);
    let lines = Memo::new(move |_| drawn(&text.get(), lab));
    let completion = Memo::new(move |_| {
        let text = text.get();
        let Some(at) = caret.get() else {
            return Completion::default();
        };
        let completion = complete(&text, at);
        match completion.expected.contains(PROGRAM) {
            true => with_programs(lab, &text, completion),
            false => completion,
        }
    });
    let moved = move || {
        let at = node
            .get_untracked()
            .and_then(|area| area.selection_start().ok().flatten());
        let at = at.map(|utf16| byte_of(&text.get_untracked(), utf16));
        if caret.get_untracked() != at {
            caret.set(at);
        }
    };
    Effect::new(move |_| {
        if let (Some(line), Some(area)) = (lab.line.get(), node.get()) {
            lab.line.set(None);
            select_line(&area, &text.get_untracked(), line);
        }
    });
    let edited = move |event: web_sys::Event| {
        let now = event_target_value(&event);
        lab.change(Some("commands"), |work| work.commands = now);
        moved();
    };
    let insert = move |word: String| {
        let Completion { replaces, .. } = completion.get_untracked();
        place(lab, node, &replaces, &word, caret);
    };
    let keyed = move |event: web_sys::KeyboardEvent| {
        // Tab stays the browser's: nobody is caught in the field.
        if event.ctrl_key() && event.key() == " " {
            event.prevent_default();
            if let Some(word) = completion.get_untracked().choices.into_iter().next() {
                insert(word);
            }
        }
    };
    let bad = move || lines.with(|lines| lines.iter().any(|line| line.bad.is_some()).to_string());
    let rows = move || {
        text.with(|text| text.split('\n').count().max(8))
            .to_string()
    };
    view! {
        <section class="commands" aria-labelledby="lab-commands">
            <h2 id="lab-commands" class="sr">"Commands"</h2>
            {coloured::field(lines, view! {
                <textarea node_ref=node spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off" rows=sig(rows)
                    aria-label="Commands" aria-describedby="lab-next" aria-invalid=sig(bad) prop:value=text
                    on:input=edited on:keydown=keyed on:keyup=move |_| moved() on:click=move |_| moved() on:focus=move |_| moved()></textarea>
            })}
            {part(move || next(completion.get(), insert))}
        </section>
    }
    .into_any()
}

/// What the parser calls the name of a program.
const PROGRAM: &str = "a program name";

/// With the names of programs that begin as the word that is being typed: the parser knows no objects.
fn with_programs(lab: Lab, text: &str, mut completion: Completion) -> Completion {
    let scenario = lab.work.with(|work| work.scenario.clone());
    lab.checks.want_own(&scenario);
    let typed = text.get(completion.replaces.clone()).unwrap_or_default();
    let mut names = lab.checks.names();
    names.retain(|name| name.starts_with(typed) && name != typed);
    completion.choices.extend(names);
    completion
}

/// What may come next, as words to press and as a sentence.
fn next(completion: Completion, insert: impl Fn(String) + Copy + Send + Sync + 'static) -> AnyView {
    let said = if completion.expected.is_empty() {
        String::new()
    } else {
        format!("Next: {}", completion.expected)
    };
    let choice = move |word: String| {
        let target = word.clone();
        view! { <button class="tab" on:click=move |_| insert(target.clone())><code>{word}</code></button> }
    };
    let choices = completion.choices.into_iter().map(choice).collect_view();
    view! {
        <div class="next-words">
            <p id="lab-next" class="hint">{said}" "<kbd>"Ctrl"</kbd>" "<kbd>"Space"</kbd>" takes the first"</p>
            <div class="choices">{choices}</div>
        </div>
    }
    .into_any()
}

/// Puts a word in place of the one that is being typed, and the caret behind it.
fn place(
    lab: Lab,
    node: NodeRef<Textarea>,
    at: &Range<usize>,
    word: &str,
    caret: RwSignal<Option<usize>>,
) {
    let mut text = lab.work.with_untracked(|work| work.commands.clone());
    if text.get(at.clone()).is_none() {
        return;
    }
    let word = format!("{word} ");
    text.replace_range(at.clone(), &word);
    let end = at.start + word.len();
    let utf16 = text[..end].encode_utf16().count() as u32;
    lab.change(Some("commands"), |work| work.commands = text);
    caret.set(Some(end));
    if let Some(area) = node.get_untracked() {
        let _ = area.focus();
        // Behind the new text, which the field has by the next turn.
        request_animation_frame(move || {
            let _ = area.set_selection_range(utf16, utf16);
        });
    }
}

/// Selects a line, 1-based, and brings it into sight.
fn select_line(area: &web_sys::HtmlTextAreaElement, text: &str, line: usize) {
    let units = |text: &str| text.encode_utf16().count() as u32;
    let before = text.split('\n').take(line.saturating_sub(1));
    let start: u32 = before.map(|line| units(line) + 1).sum();
    let len = text
        .split('\n')
        .nth(line.saturating_sub(1))
        .map_or(0, units);
    let _ = area.focus();
    let _ = area.set_selection_range(start, start + len);
    let all = text.split('\n').count().max(1);
    let mut parent = area.parent_element();
    // What scrolls is the field's frame, not the field.
    while let Some(element) = parent {
        if element.class_list().contains("editor") {
            let place = f64::from(element.scroll_height()) * (line as f64 - 3.0) / all as f64;
            element.set_scroll_top(place.max(0.0) as i32);
            return;
        }
        parent = element.parent_element();
    }
}

/// A place that the browser counts in UTF-16 units, in bytes.
fn byte_of(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        if units >= utf16 {
            return at;
        }
        units += c.len_utf16() as u32;
    }
    text.len()
}

/// The lines, with what is wrong: what the parser says at once, and what the run says when it is there.
fn drawn(text: &str, lab: Lab) -> Vec<Line> {
    let wrong = match parse(text) {
        Err(error) if error.line > 0 => Some(Wrong::word(error.line, error.column)),
        _ => lab.model.problem.with(|problem| {
            let problem = problem.as_ref()?;
            Some(Wrong {
                line: problem.line? as usize,
                column: problem.column.map(|column| column as usize),
                said: String::new(),
            })
        }),
    };
    let mut kinds = tokens(text).into_iter();
    let one = |Token { range, kind }: Token| (range.start, range.end, kind.class());
    coloured::lines(text, wrong, |_| {
        kinds
            .next()
            .unwrap_or_default()
            .into_iter()
            .map(one)
            .collect()
    })
}
