//! The fields of the packet, under each design, old → new.

use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::sentence::changes_at;
use headroom_core::scene::{FieldChange, FieldValue, values};

use crate::designs::column_title;
use crate::dom::{El, Said, el, span};
use crate::frame::Frame;
use crate::model::Model;
use crate::view::Show;

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
    let changes = if frame.present && frame.write == 0 {
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

/// The nodes of a cell stay, and only their texts change: the value before, an arrow that the style shows where there is one, the value.
struct Shown {
    cell: El,
    old: Said,
    value: Said,
    class: &'static str,
}

impl Shown {
    fn new() -> Self {
        let (old, value) = (el("span").class("old"), el("b"));
        Self {
            old: Said::new(&old),
            value: Said::new(&value),
            cell: el("td").child(old).child(span("to", " → ")).child(value),
            class: "",
        }
    }

    fn show(&mut self, now: &Cell) {
        let (old, value, class) = match now {
            None => (None, "–", "absent"),
            Some((Some(old), value)) => (Some(old), value.as_str(), "changed"),
            Some((None, value)) => (None, value.as_str(), ""),
        };
        if self.class != class {
            self.class = class;
            self.cell.put("class", class);
            let note = now
                .is_none()
                .then_some("this design has no such field here");
            self.cell.maybe("title", note);
        }
        // The style hides it where nothing changed.
        if let Some(old) = old {
            self.old.say(old);
        }
        self.value.say(value);
    }
}

/// The nodes of a row, and what they show. A row that was there once stays, out of sight, as long as the designs do.
struct Line {
    name: &'static str,
    row: El,
    cells: Vec<Shown>,
    class: &'static str,
    hidden: bool,
}

impl Line {
    fn new(model: Model, name: &'static str) -> Self {
        let stop = el("button")
            .set("tabindex", "-1")
            .set("title", "Playing stops where it changes")
            .on("click", move |_| {
                model.toggle_query(&format!("change of {name}"));
            })
            .text(name);
        Self {
            name,
            row: el("tr").child(el("th").set("scope", "row").child(stop)),
            cells: Vec::new(),
            class: "",
            hidden: false,
        }
    }

    fn hide(&mut self, hidden: bool) {
        if self.hidden != hidden {
            self.row.show(!hidden);
            self.hidden = hidden;
        }
    }

    fn show(&mut self, columns: &[Column]) {
        let name = self.name;
        while self.cells.len() < columns.len() {
            let shown = Shown::new();
            self.row.append(&shown.cell);
            self.cells.push(shown);
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
            self.class = class;
            self.row.put("class", class);
        }
        for (shown, now) in self.cells.iter_mut().zip(&now) {
            shown.show(now);
        }
    }
}

/// The table.
#[must_use]
pub fn fields(model: Model) -> El {
    let all = move || model.view.get().has(Show::Fields);
    let (head, body) = (el("tr"), el("tbody"));
    let (rows, mut lines) = (body.clone(), Vec::<Line>::new());
    let (target, mut designs) = (head.clone(), None::<Vec<usize>>);
    follow(move || {
        let columns: Vec<Column> = model.frames.with(|f| f.iter().map(column).collect());
        let now: Vec<usize> = columns.iter().map(|(design, ..)| *design).collect();
        if designs.as_ref() != Some(&now) {
            rows.say("");
            lines.clear();
            target.say("");
            target.append(&el("th").set("scope", "col").child(span("sr", "field")));
            for design in &now {
                let name = column_title(*design);
                target.append(&el("th").set("scope", "col").text(name));
            }
            designs = Some(now);
        }
        let changed = |name: &str| {
            let mut changes = columns.iter().flat_map(|(_, _, changes)| changes);
            changes.any(|change| change.name == name)
        };
        let every = all();
        let mut wanted = names(&columns);
        wanted.retain(|name| every || FIRST.contains(name) || changed(name));
        // A new one comes behind the one that it follows.
        let mut at = 0;
        for name in &wanted {
            match lines.iter().position(|line| line.name == *name) {
                Some(known) => at = known + 1,
                None => {
                    let mut line = Line::new(model, name);
                    line.show(&columns);
                    rows.insert(&line.row, lines.get(at).map(|next| &next.row));
                    lines.insert(at, line);
                    at += 1;
                }
            }
        }
        for line in &mut lines {
            let shown = wanted.contains(&line.name);
            line.hide(!shown);
            if shown {
                line.show(&columns);
            }
        }
    });
    let button = el("button")
        .class("tab")
        .tells("aria-pressed", all)
        .on("click", move |_| model.toggle(Show::Fields))
        .text("all");
    let title = el("h2")
        .child(el("b").set("id", "fields-title").text("Fields"))
        .child(button);
    el("section")
        .class("panel fields")
        .set("aria-labelledby", "fields-title")
        .child(title)
        .child(
            el("table")
                .set("aria-labelledby", "fields-title")
                .child(el("thead").child(head))
                .child(body),
        )
}
