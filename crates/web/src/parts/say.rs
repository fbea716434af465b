//! The sentence of the step, in front of the picture.

use crate::prelude::*;

use super::prose::strong_prose;
use crate::designs::column_title;
use crate::dom::{El, div, el, span};
use crate::model::Model;

/// One sentence for all designs of which the same is true.
#[must_use]
pub fn say(model: Model) -> El {
    let said = Memo::new(move |_| model.sentences());
    // One stop of Tab; static/words.js goes from word to word.
    let area = div("says").set("tabindex", "0");
    let (target, mut lines) = (area.clone(), Vec::<El>::new());
    follow(move || {
        for line in lines.drain(..) {
            line.remove();
        }
        said.with(|said| {
            let many = said.len() > 1;
            target.mark("two", many);
            for (designs, text) in said {
                let mut line = el("p").class("say");
                if many {
                    let names: Vec<&str> = designs.iter().map(|d| column_title(*d)).collect();
                    line = line.child(span("who", &names.join(" · ")));
                }
                let line = line.child(strong_prose(el("span"), text));
                target.append(&line);
                lines.push(line);
            }
        });
    });
    area
}
