//! Offsets and names under the pointers.

use headroom_core::scene::labels::Label;
use headroom_core::scene::order::cut;

use super::{CELL_H, ROW_H};
use crate::dom::{El, Row, Rows, Said, svg};
use crate::parts::px;

/// The nodes of a label, and what they show.
struct Tag {
    group: El,
    lines: Rows<Line>,
    shows: Option<Label>,
}

/// A line: the offset, which only the first has, and names.
struct Line {
    text: El,
    offset: Said,
    names: Said,
}

impl Row for Line {
    fn element(&self) -> &El {
        &self.text
    }

    /// Who asks a label for its words gets those that are seen.
    fn hidden(&mut self) {
        self.offset.say("");
        self.names.say("");
    }
}

impl Line {
    fn new(index: usize) -> Self {
        let (offset, names) = (svg("tspan").class("po"), svg("tspan"));
        Self {
            offset: Said::new(&offset),
            names: Said::new(&names),
            text: svg("text")
                .set("y", &px(index as f64 * ROW_H + 3.5))
                .child(offset)
                .child(names),
        }
    }
}

/// A text up to its first blank, and from there on.
fn first(words: &str) -> (&str, &str) {
    cut(words, words.find(' ').unwrap_or(words.len()))
}

/// The first name that a label says: it is of this pointer, and moves with it.
fn name(label: &Label) -> &str {
    let line = label.lines.first().map_or("", String::as_str);
    first(first(line).1.trim_start()).0
}

impl Tag {
    fn new(parent: &El) -> Self {
        let group = svg("g");
        parent.append(&group);
        Self {
            lines: Rows::new(&group),
            group,
            shows: None,
        }
    }

    fn show(&mut self, label: &Label) {
        let last = self.shows.as_ref();
        if last == Some(label) {
            return;
        }
        if last.is_none() {
            self.group.put("class", "pl");
        }
        if last.is_none_or(|last| (last.x, last.row) != (label.x, label.row)) {
            let y = px(CELL_H + 15.0 + label.row as f64 * ROW_H);
            let place = format!("transform:translate({}px, {y}px)", px(label.x));
            self.group.styles(&place);
        }
        let lines = self.lines.show(label.lines.len(), &mut Line::new);
        for (index, (line, words)) in lines.iter_mut().zip(&label.lines).enumerate() {
            let (offset, names) = match index {
                0 => first(words),
                _ => ("", words.as_str()),
            };
            line.offset.say(offset);
            line.names.say(names);
        }
        self.shows = Some(label.clone());
    }

    /// Out of sight, and no label for those who look for labels. What is shown again does not fly in from there.
    fn hide(&mut self) {
        self.group.put("class", "");
        self.group.styles("display:none");
        self.shows = None;
    }
}

/// Those that are there.
pub(super) struct Labels {
    parent: El,
    all: Vec<Tag>,
    spare: Vec<Tag>,
}

impl Labels {
    pub(super) fn new(parent: &El) -> Self {
        Self {
            parent: parent.clone(),
            all: Vec::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, labels: &[Label]) {
        let shown = self.all.iter().map(|tag| tag.shows.as_ref());
        if shown.eq(labels.iter().map(Some)) {
            return;
        }
        let mut free = std::mem::take(&mut self.all);
        let is_of = |tag: &Tag, label| {
            tag.shows
                .as_ref()
                .is_some_and(|own| name(own) == name(label))
        };
        let kept: Vec<Option<Tag>> = labels
            .iter()
            .map(|label| {
                let at = free.iter().position(|tag| is_of(tag, label))?;
                Some(free.swap_remove(at))
            })
            .collect();
        for (label, tag) in labels.iter().zip(kept) {
            let tag = tag.or_else(|| self.spare.pop());
            let mut tag = tag.unwrap_or_else(|| Tag::new(&self.parent));
            tag.show(label);
            self.all.push(tag);
        }
        for mut tag in free {
            tag.hide();
            self.spare.push(tag);
        }
    }
}
