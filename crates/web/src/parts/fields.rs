//! The fields of the packet, under each design, old → new.

use std::sync::Arc;

use headroom_core::scene::sentence::changes_at;
use headroom_core::scene::{FieldChange, FieldValue, values};
use leptos::prelude::*;

use crate::designs::COLUMNS;
use crate::dom::{El, Keyed, el, follow, span};
use crate::frame::Frame;
use crate::model::Model;

/// Fields that are always shown; the others only when they are opened or change.
const FIRST: [&str; 14] = [
    "metadata",
    "meta_len",
    "meta_end",
    "data_meta",
    "data",
    "data_end",
    "tail",
    "end",
    "len",
    "mac_header",
    "network_header",
    "transport_header",
    "mac_len",
    "protocol",
];

type Column = (usize, Vec<FieldValue>, Vec<FieldChange>);

fn column(frame: &Arc<Frame>) -> Column {
    let changes = if frame.present {
        changes_at(&frame.trace, frame.step)
    } else {
        Vec::new()
    };
    (
        frame.design,
        frame.fields().map(values).unwrap_or_default(),
        changes,
    )
}

/// Names in the order in which the columns have them.
fn names(columns: &[Column]) -> Vec<&'static str> {
    let mut out: Vec<&'static str> = Vec::new();
    for (_, values, _) in columns {
        let mut at = 0;
        for value in values {
            match out.iter().position(|name| *name == value.name) {
                Some(place) => at = place + 1,
                None => {
                    out.insert(at.min(out.len()), value.name);
                    at += 1;
                }
            }
        }
    }
    out
}

/// What one cell says: the value before, if it changed, and the value; `None` where the design has
/// no such field.
type Cell = Option<(Option<String>, String)>;

fn cell_of(column: &Column, name: &str) -> Cell {
    let (_, values, changes) = column;
    let value = values.iter().find(|value| value.name == name)?;
    let change = changes.iter().find(|change| change.name == name);
    Some((change.map(|change| change.old.clone()), value.value.clone()))
}

fn fill(cell: &El, shows: &Cell) {
    cell.say("");
    cell.maybe(
        "class",
        matches!(shows, Some((Some(_), _))).then_some("changed"),
    );
    match shows {
        None => {
            let dash = span("absent", "–").set("title", "this design has no such field here");
            cell.append(&dash);
        }
        Some((None, value)) => cell.append(&crate::dom::text(value)),
        Some((Some(old), value)) => {
            cell.append(&span("old", old));
            cell.append(&span("to", " → ").set("aria-label", "to"));
            cell.append(&el("b").text(value));
        }
    }
}

/// The nodes of a row, and what they show.
struct Line {
    cells: Vec<(El, Option<Cell>)>,
    class: String,
}

impl Line {
    fn show(&mut self, row: &El, name: &'static str, columns: &[Column]) {
        while self.cells.len() < columns.len() {
            let cell = el("td");
            row.append(&cell);
            self.cells.push((cell, None));
        }
        let now: Vec<Cell> = columns.iter().map(|column| cell_of(column, name)).collect();
        let mut values = now.iter().flatten().map(|(_, value)| value);
        let first = values.next();
        let differs = values.any(|value| Some(value) != first);
        let class = match (name == "metadata", differs) {
            (true, true) => "key differs",
            (true, false) => "key",
            (false, true) => "differs",
            _ => "",
        };
        if class != self.class {
            self.class = class.to_owned();
            row.put("class", class);
        }
        for ((cell, shows), now) in self.cells.iter_mut().zip(now) {
            if shows.as_ref() != Some(&now) {
                fill(cell, &now);
                *shows = Some(now);
            }
        }
    }
}

/// The table.
#[must_use]
pub fn fields(model: Model) -> El {
    let all = RwSignal::new(false);
    let (head, body) = (el("tr"), el("tbody"));
    let mut rows: Keyed<&'static str> = Keyed::new(&body);
    let mut lines: Vec<(&'static str, Line)> = Vec::new();
    let (target, mut designs) = (head.clone(), None::<Vec<usize>>);
    follow(move || {
        let columns: Vec<Column> = model.frames.with(|f| f.iter().map(column).collect());
        let now: Vec<usize> = columns.iter().map(|(design, ..)| *design).collect();
        if designs.as_ref() != Some(&now) {
            rows.show(Vec::new(), &mut |_| el("tr"));
            lines.clear();
            target.say("");
            target.append(&el("th").set("scope", "col").child(span("sr", "field")));
            for design in &now {
                let name = COLUMNS.get(*design).copied().unwrap_or_default();
                target.append(&el("th").set("scope", "col").text(name));
            }
            designs = Some(now);
        }
        let changed = |name: &str| {
            let mut changes = columns.iter().flat_map(|(_, _, changes)| changes);
            changes.any(|change| change.name == name)
        };
        let every = all.get();
        let mut wanted = names(&columns);
        wanted.retain(|name| every || FIRST.contains(name) || changed(name));
        lines.retain(|(name, _)| wanted.contains(name));
        rows.show(wanted, &mut |name| {
            let line = Line {
                cells: Vec::new(),
                class: String::new(),
            };
            lines.push((name, line));
            el("tr").child(el("th").set("scope", "row").text(name))
        });
        for (name, row) in rows.nodes() {
            if let Some((_, line)) = lines.iter_mut().find(|(known, _)| known == name) {
                line.show(row, name, &columns);
            }
        }
    });
    let button = el("button")
        .class("tab")
        .tells("aria-pressed", move || all.get())
        .on("click", move |_| all.update(|all| *all = !*all))
        .text("all");
    let title = el("h2")
        .set("id", "fields-title")
        .child(el("b").text("Fields"))
        .child(button);
    el("section")
        .class("panel fields")
        .set("aria-labelledby", "fields-title")
        .child(title)
        .child(el("table").child(el("thead").child(head)).child(body))
}
