//! The sentence of the step, in front of the picture.

use crate::prelude::*;

use super::prose::Sentences;
use crate::designs::column_title;
use crate::dom::{El, Row, Rows, Said, div, el};
use crate::model::Model;

/// The nodes of a line: the designs that it is true of, and the sentence.
struct Line {
    line: El,
    /// Empty where there is one sentence for all: the style hides it then.
    who: Said,
    words: Sentences,
    shown: bool,
}

impl Row for Line {
    fn element(&self) -> &El {
        &self.line
    }

    /// static/words.js does not take it for a sentence.
    fn hidden(&mut self) {
        self.line.put("class", "");
        self.shown = false;
    }
}

impl Line {
    fn new(_: usize) -> Self {
        let (who, words) = (el("span").class("who"), el("span"));
        Self {
            line: el("p").child(who.clone()).child(words.clone()),
            who: Said::new(&who),
            words: Sentences::new(&words),
            shown: false,
        }
    }

    /// static/words.js puts nodes of its own between the texts of a sentence that one points at.
    fn dressed(&self) -> bool {
        self.line.element().has_attribute("data-dressed")
    }

    fn show(&mut self, who: &str, words: &str) {
        if !std::mem::replace(&mut self.shown, true) {
            self.line.put("class", "say");
        }
        self.who.say(who);
        self.words.show(words);
    }
}

/// One sentence for all designs of which the same is true.
#[must_use]
pub fn say(model: Model) -> El {
    // One stop of Tab; static/words.js goes from word to word.
    let area = div("says").set("tabindex", "0");
    let (target, mut rows) = (area.clone(), Rows::new(&area));
    follow(move || {
        model.said.with(|said| {
            if rows.all().iter().any(Line::dressed) {
                target.say("");
                rows = Rows::new(&target);
            }
            let lines = rows.show(said.len(), &mut Line::new);
            for (line, (designs, text)) in lines.iter_mut().zip(said) {
                let named = designs.iter().filter(|_| said.len() > 1);
                let names: Vec<&str> = named.map(|d| column_title(*d)).collect();
                line.show(&names.join(" · "), text);
            }
        });
    });
    area
}
