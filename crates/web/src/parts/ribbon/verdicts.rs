//! What was read, in words under the bytes they speak of.

use headroom_core::scene::Ribbon as Picture;
use headroom_core::scene::ribbon::ReadMark;

use super::verdict_word;
use crate::dom::{El, Row, Rows, Said, el, text};
use crate::parts::px;

/// The nodes of one, and what they show.
struct Verdict {
    line: El,
    class: &'static str,
    mark: Said,
    hex: Said,
    /// ` = ` and the number; whether they are in sight.
    value: (El, Said, bool),
    note: Said,
}

impl Row for Verdict {
    fn element(&self) -> &El {
        &self.line
    }

    fn hidden(&mut self) {
        self.class = "";
        self.line.put("class", "");
    }
}

impl Verdict {
    fn new(_: usize) -> Self {
        let line = el("span");
        let mark = el("b").set("aria-hidden", "true");
        let (hex, number, value) = (el("code"), el("code"), el("span").text(" = "));
        line.append(&mark);
        line.append(&text(" reads "));
        line.append(&hex);
        line.append(&value);
        value.append(&number);
        let note = el("span").text(" · ");
        line.append(&note);
        Self {
            mark: Said::new(&mark),
            hex: Said::new(&hex),
            value: (value, Said::new(&number), true),
            note: Said::new(&note),
            class: "",
            line,
        }
    }

    fn show(&mut self, read: &ReadMark) {
        let (mark, class) = verdict_word(read.verdict);
        if self.class != class {
            self.class = class;
            self.line.put("class", &format!("verdict {class}"));
        }
        self.mark.say(mark);
        self.hex.say(&read.hex);
        let (value, number, seen) = &mut self.value;
        if *seen != read.value.is_some() {
            *seen = read.value.is_some();
            value.show(*seen);
        }
        if let Some(words) = read.value {
            number.say(&words.to_string());
        }
        self.note.say(&read.note);
    }
}

/// Those that are there.
pub(super) struct Verdicts {
    below: El,
    left: String,
    rows: Rows<Verdict>,
    shown: Vec<ReadMark>,
}

impl Verdicts {
    /// None yet, in a paragraph.
    pub(super) fn new(below: &El) -> Self {
        Self {
            below: below.clone(),
            left: String::new(),
            rows: Rows::new(below),
            shown: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, picture: &Picture, width: f64) {
        if self.shown == picture.reads {
            return;
        }
        let x = picture.reads.first().map_or(0.0, |read| read.x);
        let left = format!("{}px", px(x.min(width - 400.0).max(0.0)));
        if self.left != left {
            self.below.style("padding-left", &left);
            self.left = left;
        }
        let rows = self.rows.show(picture.reads.len(), &mut Verdict::new);
        for (row, read) in rows.iter_mut().zip(&picture.reads) {
            row.show(read);
        }
        self.shown.clone_from(&picture.reads);
    }
}
