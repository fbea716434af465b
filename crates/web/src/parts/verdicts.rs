//! The answer in one line: what each program read, under each design. Each is a jump to its step.

use headroom_core::scene::name::StepName;
use headroom_core::trace::{Edge, StepKind, Verdict};

use super::ribbon::verdict_word;
use crate::designs::column_title;
use crate::dom::{El, code, div, el, span};
use crate::model::{By, Model};

#[cfg(feature = "views")]
pub use super::views::Verdicts;

/// So many reads are listed at most; `.` and the timeline lead to all of them.
const MOST: usize = 24;

#[derive(Clone, PartialEq)]
struct Answer {
    at: StepName,
    who: String,
    /// Per shown design: name, value, verdict.
    values: Vec<(&'static str, String, Verdict)>,
}

/// Exits of program runs that read something, with what they read.
fn answers(model: Model) -> Vec<Answer> {
    let mut out: Vec<Answer> = Vec::new();
    for design in model.designs.get() {
        let Some(trace) = model.trace(design) else {
            continue;
        };
        let name = column_title(design);
        let names = model.names(design);
        let mut exits = vec![None; trace.runs.len()];
        for (name, step) in names.iter().zip(&trace.steps) {
            if let StepKind::Program {
                run,
                edge: Edge::Exit,
            } = step.kind
                && let Some(exit) = exits.get_mut(run)
            {
                *exit = Some(name);
            }
        }
        for read in trace.reads.iter().take(MOST) {
            let Some(at) = exits.get(read.run).copied().flatten() else {
                continue;
            };
            let value = read
                .value()
                .map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            let value = (name, value, read.verdict);
            match out.iter_mut().find(|answer| answer.at == *at) {
                Some(answer) => answer.values.push(value),
                None => out.push(Answer {
                    at: at.clone(),
                    who: format!("{} on {}", read.program, read.dev.name),
                    values: vec![value],
                }),
            }
        }
    }
    out
}

/// Number of the packet, when more than one was sent.
fn packet_of(model: Model, at: &StepName) -> Option<usize> {
    let row = model
        .rows
        .with(|rows| rows.iter().position(|row| row.name == *at))?;
    model.sends.with(|sends| {
        (sends.len() > 1)
            .then(|| sends.iter().position(|send| send.contains(&row)))?
            .map(|n| n + 1)
    })
}

/// All reads of the run.
#[must_use]
pub fn verdicts(model: Model) -> El {
    let all = move || {
        answers(model)
            .into_iter()
            .map(|answer| one(model, answer))
            .collect()
    };
    div("answers")
        .set("role", "group")
        .set("aria-label", "What the programs read")
        .part(all)
}

fn one(model: Model, answer: Answer) -> El {
    let same = answer
        .values
        .windows(2)
        .all(|pair| pair[0].1 == pair[1].1 && pair[0].2 == pair[1].2);
    let shown = if same {
        answer.values.get(..1)
    } else {
        answer.values.get(..)
    };
    let packet = packet_of(model, &answer.at).map(|number| format!(", packet {number}"));
    let reader = span("reader", &answer.who).text(&packet.unwrap_or_default());
    let value = |(design, value, verdict): &(&'static str, String, Verdict)| {
        let (sign, class) = verdict_word(*verdict);
        let mut got = el("span").class(&format!("got {class}"));
        if !same {
            got = got.child(span("which", design)).text(" ");
        }
        // Who hears the page hears the word.
        let word = el("b").set("role", "img").set("aria-label", verdict.word());
        let sign = word.text(sign);
        got.child(code(value)).text(" ").child(sign)
    };
    let (target, mark) = (answer.at.clone(), answer.at);
    let here = move || {
        let row = model.at.get();
        let is = model
            .rows
            .with(|rows| rows.get(row).is_some_and(|row| row.name == mark));
        is.then(|| "step".to_owned())
    };
    el("button")
        .class("answer")
        .now("aria-current", here)
        .on("click", move |_| model.go_to(target.clone(), By::Jump))
        .child(reader)
        .all(shown.unwrap_or_default().iter().map(value))
}
