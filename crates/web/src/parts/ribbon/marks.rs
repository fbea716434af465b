//! What points at the bytes of a buffer: pointers and their labels, moves, reads and verdicts.

use headroom_core::scene::Ribbon as Picture;
use headroom_core::scene::labels::Label;
use headroom_core::scene::ribbon::{MoveMark, ReadMark};

use super::{CELL_H, HEAD_H, ROW_H, verdict_word};
use crate::dom::{El, Keyed, code, el, svg};
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
    labels: Keyed<String>,
    shown: Vec<Label>,
    reads: Keyed<(u32, u32, u64)>,
    moves_group: El,
    moves: Vec<MoveMark>,
    pub(super) verdicts: Vec<ReadMark>,
}

impl Marks {
    pub(super) fn new(cells: &El, picture: &El) -> Self {
        let (reads, labels, moves_group) = (svg("g"), svg("g"), svg("g"));
        cells.append(&reads);
        cells.append(&labels);
        picture.append(&moves_group);
        Self {
            labels: Keyed::new(&labels),
            shown: Vec::new(),
            reads: Keyed::new(&reads),
            moves_group,
            moves: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, picture: &Picture, top: f64, width: f64) {
        self.show_labels(&picture.labels);
        let key = |read: &ReadMark| (read.start, read.end, read.x.to_bits());
        // Metadata that are kept elsewhere are no bytes of this buffer.
        let here = picture.reads.iter().filter(|read| read.start < read.end);
        let wanted = here.map(key).collect();
        self.reads.show(wanted, &mut |wanted| {
            let read = picture.reads.iter().find(|read| key(read) == *wanted);
            read.map_or_else(|| svg("g"), read_frame)
        });
        if self.moves != picture.moves {
            self.moves_group.say("");
            for mark in &picture.moves {
                self.moves_group
                    .append(&arc(mark, top - HEAD_H + 1.0, width));
            }
            self.moves.clone_from(&picture.moves);
        }
    }

    /// A label keeps its node as long as it names the same pointers, so that it moves with them.
    fn show_labels(&mut self, labels: &[Label]) {
        if self.shown == labels {
            return;
        }
        let wanted = labels.iter().map(names).collect();
        // Made whole before it comes into the document.
        self.labels.show(wanted, &mut |wanted| {
            let group = svg("g").class("pl");
            if let Some(label) = labels.iter().find(|label| names(label) == *wanted) {
                move_label(&group, label);
                letter(&group, label);
            }
            group
        });
        for (label, (_, group)) in labels.iter().zip(self.labels.nodes()) {
            let Some(old) = self.shown.iter().find(|old| names(old) == names(label)) else {
                continue;
            };
            if (old.x, old.row) != (label.x, label.row) {
                move_label(group, label);
            }
            if old.lines == label.lines {
                continue;
            }
            // The text node of the offset; what stands behind it in one line is the same.
            let offset = group.first().and_then(|line| line.first()?.first());
            match (offset, label.lines.as_slice()) {
                (Some(offset), [line]) if old.lines.len() == 1 => offset.say(parts(0, line).0),
                _ => {
                    group.say("");
                    letter(group, label);
                }
            }
        }
        self.shown = labels.to_vec();
    }
}

fn names(label: &Label) -> String {
    label
        .text()
        .split_once(' ')
        .map(|(_, names)| names.to_owned())
        .unwrap_or_default()
}

fn move_label(group: &El, label: &Label) {
    let y = px(CELL_H + 15.0 + label.row as f64 * ROW_H);
    group.style("transform", &format!("translate({}px, {y}px)", px(label.x)));
}

fn letter(group: &El, label: &Label) {
    for (index, line) in label.lines.iter().enumerate() {
        group.append(&label_line(index, line));
    }
}

/// The offset, which stands in the first line, and the names.
fn parts(index: usize, line: &str) -> (&str, &str) {
    match index {
        0 => line.split_once(' ').unwrap_or((line, "")),
        _ => ("", line),
    }
}

fn label_line(index: usize, line: &str) -> El {
    let (offset, names) = parts(index, line);
    let names = if index == 0 {
        format!(" {names}")
    } else {
        names.to_owned()
    };
    svg("text")
        .set("y", &px(index as f64 * ROW_H + 3.5))
        .child(svg("tspan").class("po").text(offset))
        .child(svg("tspan").text(&names))
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

fn read_frame(read: &ReadMark) -> El {
    svg("rect")
        .class(&format!("read {}", verdict_word(read.verdict).1))
        .set("x", &px(read.x - 1.5))
        .set("y", "-2.5")
        .set("width", &px(read.width + 3.0))
        .set("height", &px(CELL_H + 5.0))
        .set("rx", "2.5")
}

/// The verdicts stand under the bytes they speak of.
pub(super) fn verdicts(below: &El, picture: &Picture, width: f64, shown: &mut Vec<ReadMark>) {
    if *shown == picture.reads {
        return;
    }
    let x = picture.reads.first().map_or(0.0, |read| read.x);
    below.style(
        "padding-left",
        &format!("{}px", px(x.min(width - 400.0).max(0.0))),
    );
    below.say("");
    for read in &picture.reads {
        let (mark, class) = verdict_word(read.verdict);
        let mut line = el("span")
            .class(&format!("verdict {class}"))
            .child(el("b").set("aria-hidden", "true").text(mark))
            .text(" reads ")
            .child(code(&read.hex));
        if let Some(value) = read.value {
            line = line.text(" = ").child(code(&value.to_string()));
        }
        below.append(&line.text(" · ").text(&read.note));
    }
    shown.clone_from(&picture.reads);
}
