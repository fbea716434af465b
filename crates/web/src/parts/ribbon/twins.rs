//! Other packets over the same buffer: a line from `data` to `tail` for each, with its pointers in words.

use headroom_core::scene::twins::{Twin, twins};

use super::CHAR;
use crate::dom::{El, svg};
use crate::frame::Frame;
use crate::parts::px;

/// Height of one.
pub(super) const TWIN_H: f64 = 24.0;
/// Most that are drawn.
pub(super) const MOST: usize = 3;

/// What is drawn of one: path, place of the words, words.
type Line = (String, (String, String), String);

/// The lines.
pub(super) struct Twins {
    group: El,
    shown: Vec<Line>,
}

impl Twins {
    pub(super) fn new(cells: &El) -> Self {
        let group = svg("g").class("twins");
        cells.append(&group);
        Self {
            group,
            shown: Vec::new(),
        }
    }

    pub(super) fn show(
        &mut self,
        frame: Option<&Frame>,
        under: f64,
        x: &dyn Fn(u32) -> f64,
        width: f64,
    ) {
        let all = frame.map(|frame| twins(&frame.trace, frame.step));
        let all = all.unwrap_or_default();
        let lines: Vec<Line> = (0u8..)
            .zip(all.iter().take(MOST))
            .map(|(index, twin)| line(twin, under + f64::from(index) * TWIN_H, x, width))
            .collect();
        if lines == self.shown {
            return;
        }
        self.group.say("");
        for (path, (left, y), words) in &lines {
            let text = svg("text").set("x", left).set("y", y).text(words);
            self.group.append(&svg("path").set("d", path));
            self.group.append(&text);
        }
        self.shown = lines;
    }
}

fn line(twin: &Twin<'_>, top: f64, x: &dyn Fn(u32) -> f64, width: f64) -> Line {
    let (from, to) = (x(twin.fields.data), x(twin.fields.tail));
    let path = format!("M{} {}v6H{}v-6", px(from), px(top), px(to));
    let words = twin.words();
    let long = words.chars().count() as f64 * CHAR;
    let left = from.min(width - long).max(0.0);
    (path, (px(left), px(top + 18.0)), words)
}
