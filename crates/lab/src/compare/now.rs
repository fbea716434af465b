//! What differs at this step: one line a field, one column a design or recording.

use std::ops::Range;
use std::sync::Arc;

use headroom_core::compare::{Compared, Presence};
use headroom_core::scene::explain::span;
use headroom_web::designs::column_title;
use headroom_web::frame::Frame;
use headroom_web::model::Model;
use headroom_web::parts::part;
use leptos::prelude::*;

use super::{Rows, against};

/// Most bytes of a range that are printed.
const MOST_BYTES: u32 = 16;

/// One line: what, and its value in each column.
struct Line {
    what: String,
    values: Vec<Option<String>>,
}

/// The table; a sentence where nothing differs.
pub fn table(model: Model, rows: Rows) -> AnyView {
    part(move || {
        let at = model.at.get();
        let shown = model.designs.get();
        let Some(compared) = rows.with(|rows| rows.get(at).cloned()) else {
            return ().into_any();
        };
        if shown.len() < 2 {
            return ().into_any();
        }
        let lines = lines(&compared, &model.frames.get(), &shown);
        if lines.is_empty() {
            return view! { <p class="same">"At this step nothing differs."</p> }.into_any();
        }
        let against = against(model);
        let head = shown
            .iter()
            .map(|column| view! { <th scope="col">{column_title(*column)}</th> })
            .collect_view();
        view! {
            <div class="scroll"><table class="differences">
                <caption class="sr">"What differs at this step"</caption>
                <thead><tr><th scope="col">"differs"</th>{head}</tr></thead>
                <tbody>{lines.into_iter().map(|line| row(line, &against)).collect_view()}</tbody>
            </table></div>
        }
        .into_any()
    })
}

fn row(line: Line, against: &[Option<usize>]) -> AnyView {
    let first = line.values.iter().flatten().next().cloned();
    let cell = |(at, value): (usize, &Option<String>)| {
        let recorded = against
            .get(at)
            .copied()
            .flatten()
            .and_then(|other| line.values.get(other));
        let wrong =
            matches!((recorded, value), (Some(Some(kernel)), Some(value)) if kernel != value);
        let other = value.is_some() && *value != first;
        let text = value.clone().unwrap_or_else(|| "–".into());
        let note = wrong.then(|| view! { <span class="word">" not as recorded"</span> });
        view! { <td class:wrong=wrong class:other=other><code>{text}</code>{note}</td> }
    };
    let cells = line.values.iter().enumerate().map(cell).collect_view();
    view! { <tr><th scope="row">{line.what.clone()}</th>{cells}</tr> }.into_any()
}

fn lines(compared: &Compared, frames: &[Arc<Frame>], shown: &[usize]) -> Vec<Line> {
    let mut out = Vec::new();
    let difference = &compared.difference;
    if difference.absent {
        let word = |presence: &Presence| {
            Some(match presence {
                Presence::Here => "this step".to_owned(),
                Presence::Absent => "no such step".to_owned(),
                Presence::Hidden => "not to be seen".to_owned(),
            })
        };
        out.push(Line {
            what: "step".into(),
            values: compared.presence.iter().map(word).collect(),
        });
    }
    let mut add = |what: &str, values: &Option<Vec<Option<String>>>| {
        if let Some(values) = values {
            out.push(Line {
                what: what.into(),
                values: values.clone(),
            });
        }
    };
    add("the program read", &difference.reads);
    add("returned", &difference.outcomes);
    for field in &difference.fields {
        out.push(Line {
            what: field.name.into(),
            values: field.values.clone(),
        });
    }
    for range in &difference.bytes {
        let of = |column: &usize| {
            let frame = frames
                .iter()
                .find(|frame| frame.design == *column && frame.present)?;
            bytes(frame, range)
        };
        let word = if range.end - range.start == 1 {
            "byte"
        } else {
            "bytes"
        };
        out.push(Line {
            what: format!("{word} {}", span(range.start, range.end)),
            values: shown.iter().map(of).collect(),
        });
    }
    out
}

fn bytes(frame: &Frame, range: &Range<u32>) -> Option<String> {
    let end = range.end.min(range.start + MOST_BYTES);
    let bytes = frame.buffer.bytes.get(range.start as usize..end as usize)?;
    let mut text: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if end < range.end {
        text.push("…".into());
    }
    Some(text.join(" "))
}
