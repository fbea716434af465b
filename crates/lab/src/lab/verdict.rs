//! The verifier's words on a program, in sentences and marks.

use headroom_protocol::program::{Checked, Objection};
use leptos::prelude::*;

use super::check::Verdict;
use super::coloured::Wrong;

/// Where the first refusal stands in an assembler program, and what it says.
pub fn wrong(verdict: &Verdict) -> Option<Wrong> {
    let Verdict::Said(all) = verdict else {
        return None;
    };
    let refused = all.iter().flat_map(|checked| &checked.refused);
    let first = refused.filter_map(|said| Some((said.line?, said))).next();
    first.map(|(line, said)| Wrong {
        line: line as usize,
        column: None,
        said: said.why.clone(),
    })
}

/// A mark and sentences for an assembler program of so many instructions.
pub fn assembler(verdict: &Verdict, insns: usize) -> AnyView {
    match verdict {
        Verdict::Waits => {
            view! { <p class="hint" role="status">{insns}" instructions; the verifier reads them…"</p> }.into_any()
        }
        Verdict::Broken(text) => broken(text),
        Verdict::Said(all) => all.iter().map(|one| said(one, insns)).collect_view().into_any(),
    }
}

fn said(checked: &Checked, insns: usize) -> AnyView {
    let accepted = accepted(checked);
    let taken = (!accepted.is_empty()).then(|| {
        view! { <p class="ok" role="status">"✓ "{insns}" instructions, taken by the verifier as "{accepted.join(" and ")}</p> }
    });
    view! { {taken}{objections(checked, "")} }.into_any()
}

/// The types as which no kernel that was asked refuses it.
fn accepted(checked: &Checked) -> Vec<String> {
    let refused = |kind: &String| checked.refused.iter().any(|said| said.kind == *kind);
    let kinds = checked.kinds.iter().filter(|kind| !refused(kind));
    kinds.cloned().collect()
}

/// The mark in front of a program's name: red where a kernel refuses it.
pub fn mark(verdict: &Verdict, program: &str) -> AnyView {
    let Verdict::Said(all) = verdict else {
        return ().into_any();
    };
    let checked = all.iter().find(|checked| checked.program == program);
    match checked.map(|checked| checked.refused.is_empty()) {
        Some(true) => {
            view! { <b class="verdict ok" title="The verifier takes it">"✓"</b> }.into_any()
        }
        Some(false) => view! { <b class="verdict bad" title="Refused">"✗"</b> }.into_any(),
        None => ().into_any(),
    }
}

/// What is said of a program of an object, with its lines of C.
pub fn of_object(verdict: &Verdict, program: &str) -> AnyView {
    match verdict {
        Verdict::Waits => ().into_any(),
        Verdict::Broken(text) => broken(text),
        Verdict::Said(all) => {
            let mine = all.iter().filter(|checked| checked.program == program);
            let mine = mine.map(|checked| objections(checked, program));
            mine.collect_view().into_any()
        }
    }
}

fn objections(checked: &Checked, program: &str) -> AnyView {
    let refused = checked.refused.iter().map(|said| one(said, true, program));
    let warned = checked.warned.iter().map(|said| one(said, false, program));
    refused.chain(warned).collect_view().into_any()
}

fn one(said: &Objection, refused: bool, program: &str) -> AnyView {
    let mut place = Vec::new();
    place.extend(said.line.map(|line| match &said.source {
        Some((file, _)) => format!("{}:{line}", file.rsplit('/').next().unwrap_or(file)),
        None => format!("Line {line}"),
    }));
    place.extend(said.insn.map(|insn| format!("instruction {insn}")));
    place.push(format!("as {}", said.kind));
    if !said.designs.is_empty() {
        place.push(format!("under {}", said.designs.join(", ")));
    }
    let code = said.source.as_ref().map(|(_, text)| {
        view! { <code class="source-line" class:wavy=refused>{text.clone()}</code> }
    });
    let (class, sign, word) = if refused {
        ("problem", "✗ ", "refuses")
    } else {
        ("notice", "⚠ ", "may refuse")
    };
    let who = if program.is_empty() {
        format!("Linux {word} it. ")
    } else {
        format!("Linux {word} {program}. ")
    };
    view! {
        <div class=class role="status"><b aria-hidden="true">{sign}</b>{who}<strong>{place.join(", ")}</strong>": "
            <code>{said.why.clone()}</code>{code}</div>
    }
    .into_any()
}

fn broken(text: &str) -> AnyView {
    let text = format!(
        "The verifier ended by a mistake of its own ({text}); the next change starts it again."
    );
    view! { <p class="problem" role="status"><b aria-hidden="true">"✗ "</b>{text}</p> }.into_any()
}
