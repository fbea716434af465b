//! Other packets over the same buffer: for each a line from `data` to `tail` with its pointers as arrows, and in words.

use headroom_core::scene::twins::{Twin, twins};

use super::CHAR;
use crate::dom::{El, svg};
use crate::frame::Frame;
use crate::parts::px;

/// Most that are drawn.
pub(super) const MOST: usize = 3;
/// From the top of one to the line that its words stand on, and from line to line.
const WORDS_Y: f64 = 20.0;
const LINE_H: f64 = 13.0;
/// Characters of the words when all pointers are set.
const LONGEST: f64 = 106.0;

/// What is drawn of one.
#[derive(PartialEq)]
struct Drawn {
    line: String,
    arrows: String,
    /// Place and words of each line.
    words: Vec<(String, String, String)>,
}

/// Those that are there.
pub(super) struct Twins {
    group: El,
    shown: Vec<Drawn>,
}

/// Height of one in a picture of a width, whatever it says.
pub(super) fn height(width: f64) -> f64 {
    WORDS_Y - LINE_H + 6.0 + LINE_H * (LONGEST * CHAR / width.max(240.0)).ceil()
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
        let shown: Vec<Drawn> = (0u8..)
            .zip(all.iter().take(MOST))
            .map(|(index, twin)| drawn(twin, under + f64::from(index) * height(width), x, width))
            .collect();
        if shown == self.shown {
            return;
        }
        self.group.say("");
        for one in &shown {
            self.group.append(&svg("path").set("d", &one.line));
            self.group
                .append(&svg("path").class("at").set("d", &one.arrows));
            let text = svg("text");
            for (left, y, words) in &one.words {
                text.append(&svg("tspan").set("x", left).set("y", y).text(words));
            }
            self.group.append(&text);
        }
        self.shown = shown;
    }
}

fn drawn(twin: &Twin<'_>, top: f64, x: &dyn Fn(u32) -> f64, width: f64) -> Drawn {
    let (from, to) = (x(twin.fields.data), x(twin.fields.tail));
    let line = format!("M{} {}H{}", px(from), px(top + 6.0), px(to));
    let mut arrows = String::new();
    for (_, offset) in twin.pointers() {
        let (x, tip) = (px(x(offset)), px(top - 1.0));
        arrows.push_str(&format!("M{x} {}V{tip}m-3 5l3-5 3 5", px(top + 6.0)));
    }
    let mut lines = vec![String::new()];
    for part in twin.words().split_inclusive('·') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && (last + part.chars().count()) as f64 * CHAR > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let begins = line.is_empty();
            line.push_str(if begins { part.trim_start() } else { part });
        }
    }
    let place = |(index, words): (u8, String)| {
        let long = words.chars().count() as f64 * CHAR;
        let left = from.min(width - long).max(0.0);
        let y = top + WORDS_Y + f64::from(index) * LINE_H;
        (px(left), px(y), words)
    };
    Drawn {
        line,
        arrows,
        words: (0u8..).zip(lines).map(place).collect(),
    }
}
