//! Where a program runs next.

use headroom_core::scene::name::{device, what};
use headroom_core::trace::{Edge, Run, Step, StepKind};

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

    /// Shows it for a frame in which no program runs, nothing for another; gives the run that will be.
    pub(super) fn show<'f>(&mut self, frame: Option<&'f Frame>) -> Option<&'f Run> {
        let found = frame.and_then(|frame| Some((frame, next_run(frame)?)));
        if self.shown != found.is_some() {
            self.shown = found.is_some();
            self.line.show(self.shown);
        }
        let (frame, (step, run, words)) = found?;
        self.goes.set((frame.design, step));
        self.words.say(&words);
        frame.trace.runs.get(run)
    }
}

/// Where a program runs next, so that nobody has to look for it: the step, the run, and what to call it.
fn next_run(frame: &Frame) -> Option<(usize, usize, String)> {
    let trace = &frame.trace;
    let entry = |(index, step): (usize, &Step)| match step.kind {
        StepKind::Program {
            run,
            edge: Edge::Entry,
        } => Some((index, run)),
        _ => None,
    };
    let mut steps = trace.steps.iter().enumerate().skip(frame.step);
    let (index, run) = steps.find_map(entry)?;
    let step = trace.steps.get(index)?;
    let dev = device(trace, step).map_or("", |dev| dev.name.as_str());
    Some((index, run, format!("{} on {dev}", what(trace, step))))
}
