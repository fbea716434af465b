//! What the reader can change, and what came out.

use std::sync::Arc;

use headroom_core::scene::{StepName, names};
use headroom_core::trace::Trace;
use headroom_protocol::Object;

use crate::designs::COLUMNS;

/// What a reader can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The commands, as text.
    pub commands: String,
    /// Object files that are loaded behind the scenario's own.
    pub objects: Arc<Vec<Object>>,
}

/// A trace and what is looked up in it all the time.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The trace.
    pub trace: Arc<Trace>,
    /// The names of its steps.
    pub names: Arc<Vec<StepName>>,
}

impl Seen {
    /// Of a trace.
    #[must_use]
    pub fn new(trace: Trace) -> Self {
        let names = Arc::new(names(&trace));
        Self {
            trace: Arc::new(trace),
            names,
        }
    }
}

/// One run: a trace for each design that was asked for.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// In the order of [`COLUMNS`]; `None` where nobody has asked yet.
    pub designs: [Option<Seen>; COLUMNS.len()],
}

impl Outcome {
    /// Puts in a design's trace.
    pub fn put(&mut self, design: usize, seen: Seen) {
        if let Some(place) = self.designs.get_mut(design) {
            *place = Some(seen);
        }
    }

    /// Forgets a design's trace.
    pub fn take(&mut self, design: usize) {
        if let Some(place) = self.designs.get_mut(design) {
            *place = None;
        }
    }

    /// This one's traces, and those of an older one where this has none.
    #[must_use]
    pub fn over(mut self, older: &Self) -> Self {
        for (new, old) in self.designs.iter_mut().zip(&older.designs) {
            if new.is_none() {
                new.clone_from(old);
            }
        }
        self
    }

    /// A design's trace.
    #[must_use]
    pub fn trace(&self, design: usize) -> Option<&Arc<Trace>> {
        Some(&self.designs.get(design)?.as_ref()?.trace)
    }

    /// The names of its steps.
    #[must_use]
    pub fn names(&self, design: usize) -> Option<&Arc<Vec<StepName>>> {
        Some(&self.designs.get(design)?.as_ref()?.names)
    }

    /// Those of some designs that are not there.
    #[must_use]
    pub fn missing(&self, of: &[usize]) -> Vec<usize> {
        of.iter()
            .copied()
            .filter(|design| self.trace(*design).is_none())
            .collect()
    }
}
