//! What points at the bytes of a buffer: pointers and their labels, moves, reads and verdicts.

use headroom_core::scene::Ribbon as Picture;
use headroom_core::scene::ribbon::{MoveMark, ReadMark};

use super::labels::Labels;
use super::{CELL_H, HEAD_H, ROW_H, verdict_word};
use crate::dom::{El, Row, Rows, svg};
use crate::parts::px;

/// The arrow of one pointer. One that is not set keeps its last place, so that it never flies in from
/// the left.
pub(super) struct Tick {
    name: &'static str,
    /// Its place, and the length of its stem as `--n`.
    group: El,
    place: Option<(f64, f64)>,
}

impl Tick {
    pub(super) fn new(name: &'static str, parent: &El) -> Self {
        let (below, top) = (px(CELL_H + 6.5), px(CELL_H + 0.5));
        let head = format!("M-3 {below} L0 {top} L3 {below} z");
        let stem = svg("path").class("stem").set("d", "M0 0V1");
        let group = svg("g")
            .class("tick")
            .child(stem)
            .child(svg("path").class("head").set("d", &head));
        group.show(false);
        parent.append(&group);
        Self {
            name,
            group,
            place: None,
        }
    }

    pub(super) fn show(&mut self, picture: &Picture) {
        let pointer = picture.pointers.iter().find(|p| p.name == self.name);
        let Some(pointer) = pointer else {
            if self.place.take().is_some() {
                self.group.show(false);
            }
            return;
        };
        let label = picture
            .labels
            .iter()
            .find(|label| label.offset == pointer.offset);
        // Beside its text a stem goes down to the line of the text, over it only to its top.
        let long = label.map_or(15.0, |label| {
            let beside = label.left || label.x > label.tick;
            label.row as f64 * ROW_H + if beside { 15.0 } else { 5.0 }
        });
        let place = Some((pointer.x, long - 1.0));
        if self.place != place {
            super::placed(&self.group, pointer.x, long - 1.0);
            self.place = place;
        }
    }
}

/// Everything else that points at bytes.
pub(super) struct Marks {
    labels: Labels,
    reads: Rows<Frame>,
    moves_group: El,
    moves: Vec<MoveMark>,
}

impl Marks {
    pub(super) fn new(cells: &El, picture: &El) -> Self {
        let (reads, labels, moves_group) = (svg("g"), svg("g"), svg("g"));
        cells.append(&reads);
        cells.append(&labels);
        picture.append(&moves_group);
        Self {
            labels: Labels::new(&labels),
            reads: Rows::new(&reads),
            moves_group,
            moves: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, picture: &Picture, top: f64, width: f64) {
        self.labels.show(&picture.labels);
        // Metadata that are kept elsewhere are no bytes of this buffer.
        let here = picture.reads.iter().filter(|read| read.start < read.end);
        let frames = self.reads.show(here.clone().count(), &mut Frame::new);
        for (frame, read) in frames.iter_mut().zip(here) {
            frame.show(read);
        }
        if self.moves != picture.moves {
            self.moves_group.say("");
            for mark in &picture.moves {
                self.moves_group
                    .append(&arc(mark, top - HEAD_H + 1.0, width));
            }
            self.moves.clone_from(&picture.moves);
        }
    }
}

fn arc(mark: &MoveMark, y: f64, width: f64) -> El {
    let (from, to) = (mark.from_x, mark.to_x);
    let third = (to - from) / 3.0;
    let rise = y - 24.0;
    let words = format!(
        "{} moved {} bytes, {} {}",
        mark.by,
        mark.len,
        mark.from.abs_diff(mark.to),
        if mark.to > mark.from { "up" } else { "down" }
    );
    // The words stay within the picture.
    let half = words.chars().count() as f64 * super::CHAR / 2.0;
    let middle = f64::midpoint(from, to).min(width - half).max(half);
    let curve = format!(
        "M{} {y} C{} {r} {} {r} {} {y}",
        px(from),
        px(from + third),
        px(to - third),
        px(to),
        y = px(y),
        r = px(rise)
    );
    let tip = format!(
        "M{} {} L{} {} L{} {} z",
        px(to - 4.0),
        px(y - 6.0),
        px(to),
        px(y + 1.0),
        px(to + 3.0),
        px(y - 6.5)
    );
    svg("g")
        .class("move")
        .child(svg("path").set("d", &curve))
        .child(svg("path").class("tip").set("d", &tip))
        .child(
            svg("text")
                .set("x", &px(middle))
                .set("y", &px(rise + 1.0))
                .text(&words),
        )
}

/// The frame around what was read.
struct Frame {
    rect: El,
    shows: Option<ReadMark>,
}

impl Row for Frame {
    fn element(&self) -> &El {
        &self.rect
    }

    fn hidden(&mut self) {
        self.rect.put("class", "");
        self.shows = None;
    }
}

impl Frame {
    fn new(_: usize) -> Self {
        let rect = svg("rect")
            .set("y", "-2.5")
            .set("height", &px(CELL_H + 5.0))
            .set("rx", "2.5");
        Self { rect, shows: None }
    }

    fn show(&mut self, read: &ReadMark) {
        if self.shows.as_ref() == Some(read) {
            return;
        }
        let class = format!("read {}", verdict_word(read.verdict).1);
        self.rect.put("class", &class);
        self.rect.put("x", &px(read.x - 1.5));
        self.rect.put("width", &px(read.width + 3.0));
        self.shows = Some(read.clone());
    }
}
