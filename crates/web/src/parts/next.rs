//! Where a program runs next.

use headroom_core::scene::name::{device, what};
use headroom_core::trace::{Edge, Step, StepKind};

use super::calls::{Goes, jump};
use crate::dom::{El, Said, el};
use crate::frame::Frame;
use crate::model::Model;

/// Where a program runs next, so that nobody has to look for it.
pub(super) struct Next {
    /// The line.
    pub(super) line: El,
    goes: Goes,
    words: Said,
    shown: bool,
}

impl Next {
    pub(super) fn new(model: Model) -> Self {
        let (button, goes) = jump(model);
        let words = Said::new(&button);
        let line = el("p").class("next").text("No program runs here. Next: ");
        line.show(false);
        Self {
            line: line.child(button),
            goes,
            words,
            shown: false,
        }
    }

    /// Shows it for a frame in which no program runs; nothing for another.
    pub(super) fn show(&mut self, frame: Option<&Frame>) {
        let found = frame.and_then(|frame| Some((frame, next_run(frame)?)));
        if self.shown != found.is_some() {
            self.shown = found.is_some();
            self.line.show(self.shown);
        }
        if let Some((frame, (step, words))) = found {
            self.goes.set((frame.design, step));
            self.words.say(&words);
        }
    }
}

/// Where a program runs next, so that nobody has to look for it: the step, and what to call it.
fn next_run(frame: &Frame) -> Option<(usize, String)> {
    let trace = &frame.trace;
    let entry = |(_, step): &(usize, &Step)| {
        let StepKind::Program { edge, .. } = step.kind else {
            return false;
        };
        edge == Edge::Entry
    };
    let mut steps = trace.steps.iter().enumerate().skip(frame.step);
    let (index, step) = steps.find(entry)?;
    let dev = device(trace, step).map_or("", |dev| dev.name.as_str());
    Some((index, format!("{} on {dev}", what(trace, step))))
}
