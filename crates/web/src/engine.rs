//! From what the reader typed to traces: the one place where the site meets the simulator.

use std::sync::Arc;

use headroom_core::trace::Trace;

/// The designs the site shows, in order.
pub const DESIGNS: [&str; 2] = ["mac_header", "meta_end"];

/// What is said under a design's name.
#[must_use]
pub fn design_note(index: usize) -> &'static str {
    match index {
        0 => "Linux 7.2",
        1 => "series v3, not merged",
        _ => "",
    }
}

/// What a reader can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The commands, as text.
    pub commands: String,
    /// An object file that replaces the scenario's own: its name and bytes.
    pub object: Option<(String, Arc<Vec<u8>>)>,
}

/// What is wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// One sentence.
    pub message: String,
    /// 1-based line of the commands.
    pub line: Option<usize>,
    /// 1-based column.
    pub column: Option<usize>,
}

/// One run: a trace for each of [`DESIGNS`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// In the order of [`DESIGNS`].
    pub traces: Vec<Arc<Trace>>,
}

/// A scenario's own texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Id, as in the address.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is about, in a sentence.
    pub summary: String,
    /// What it runs.
    pub input: Input,
}

#[cfg(feature = "fixture")]
pub use crate::fixture::{run, scenario};

#[cfg(not(feature = "fixture"))]
/// Runs the input under every design.
///
/// # Errors
/// What is wrong with the input.
pub fn run(_input: &Input) -> Result<Outcome, Problem> {
    Err(Problem { message: "the simulator is not there yet".into(), line: None, column: None })
}

#[cfg(not(feature = "fixture"))]
/// A scenario by its id.
#[must_use]
pub fn scenario(_id: &str) -> Option<Scenario> {
    None
}
