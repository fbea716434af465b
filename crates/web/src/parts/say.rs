//! The sentence of the step, in front of the picture.

use crate::prelude::*;

use super::prose::Sentences;
use crate::designs::column_title;
use crate::dom::{El, div, el, span, text};
use crate::model::Model;

/// The nodes of a line: the designs that it is true of, and the sentence.
struct Line {
    line: El,
    who: (El, String),
    words: Sentences,
}

impl Line {
    fn new(many: bool) -> Self {
        let (who, words) = (text(""), el("span"));
        let mut line = el("p").class("say");
        if many {
            line = line.child(span("who", "").child(who.clone()));
        }
        let sentences = Sentences::new(&words);
        Self {
            line: line.child(words),
            who: (who, String::new()),
            words: sentences,
        }
    }

    /// static/words.js puts nodes of its own between the texts of a sentence that one points at.
    fn dressed(&self) -> bool {
        self.line.element().has_attribute("data-dressed")
    }

    fn show(&mut self, who: String, words: &str) {
        if self.who.1 != who {
            self.who.0.say(&who);
            self.who.1 = who;
        }
        self.words.show(words);
    }
}

/// One sentence for all designs of which the same is true.
#[must_use]
pub fn say(model: Model) -> El {
    // One stop of Tab; static/words.js goes from word to word.
    let area = div("says").set("tabindex", "0");
    let (target, mut lines) = (area.clone(), Vec::<Line>::new());
    follow(move || {
        model.said.with(|said| {
            let many = said.len() > 1;
            if said.len() != lines.len() || lines.iter().any(Line::dressed) {
                for old in lines.drain(..) {
                    old.line.remove();
                }
                lines.extend(said.iter().map(|_| Line::new(many)));
                for new in &lines {
                    target.append(&new.line);
                }
            }
            for (line, (designs, text)) in lines.iter_mut().zip(said) {
                let names: Vec<&str> = designs.iter().map(|d| column_title(*d)).collect();
                line.show(names.join(" · "), text);
            }
        });
    });
    area
}
