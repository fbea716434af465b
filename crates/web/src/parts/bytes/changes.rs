//! What is another than at the step before: bytes, before and now, and fields.

use headroom_core::scene::diff::{ByteChange, Diff, between};
use headroom_core::scene::explain::span as range;

use crate::dom::{El, code, div, el};
use crate::frame::Frame;
use crate::model::Model;
use crate::prelude::*;
use crate::view::Show;

/// The table; empty while all bytes are shown.
pub(super) fn changes(model: Model, frame: Memo<Option<std::sync::Arc<Frame>>>) -> El {
    let table = move || {
        if !model.view.get().has(Show::Changes) {
            return Vec::new();
        }
        frame.with(|frame| frame.as_ref().map(|frame| drawn(frame)).unwrap_or_default())
    };
    div("changes").part(table)
}

fn drawn(frame: &Frame) -> Vec<El> {
    let note = |words: &str| vec![el("p").text(words)];
    let Some(before) = frame.before else {
        return note("This is the first step: there is nothing before it.");
    };
    if !frame.present {
        return note("This design has no such step.");
    }
    let Diff { fields, bytes } = between(&frame.trace, before, frame.moment());
    if fields.is_empty() && bytes.is_empty() {
        return note("No byte and no field of this packet is another than at the step before.");
    }
    let row = |what: &str, old: &str, new: &str| {
        el("tr")
            .child(el("th").set("scope", "row").text(what))
            .child(el("td").child(code(old)))
            .child(el("td").child(el("ins").child(code(new))))
    };
    let byte = |change: &ByteChange| {
        let end = change.start + change.new.len() as u32;
        let place = range(change.start, end);
        row(&place, &hex(&change.old), &hex(&change.new))
    };
    let field =
        |change: &headroom_core::scene::FieldChange| row(change.name, &change.old, &change.new);
    let heads = ["what", "before", "now"].map(|word| el("th").set("scope", "col").text(word));
    let body = el("tbody")
        .all(bytes.iter().map(byte))
        .all(fields.iter().map(field));
    vec![
        el("table")
            .child(el("thead").child(el("tr").all(heads)))
            .child(body),
    ]
}

fn hex(bytes: &[u8]) -> String {
    const MOST: usize = 64;
    let mut out = String::new();
    for byte in bytes.iter().take(MOST) {
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        out.push(' ');
    }
    if bytes.len() > MOST {
        out.push('…');
    }
    out
}
