//! From what the reader typed to traces: the one place where the site meets the simulator.

use std::sync::Arc;

use headroom_core::design::DesignName;
use headroom_core::scenario::{ScenarioFile, parse};
use headroom_core::simulate::{self, SimulateError};
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
    /// What it is about; paragraphs, with `code` in back-quotes.
    pub explanation: String,
    /// What it runs.
    pub input: Input,
}

const SEED_JSON: &str = include_str!("../../../content/scenarios/seed.json");
const SEED_OBJECT: &[u8] = include_bytes!("../../../content/programs/seed/progs.bpf.o");

/// A scenario by its id.
#[must_use]
pub fn scenario(id: &str) -> Option<Scenario> {
    let file = ScenarioFile::read("seed.json", SEED_JSON)
        .ok()
        .filter(|file| file.id == id)?;
    let lines = if file.paste.is_empty() {
        &file.commands
    } else {
        &file.paste
    };
    Some(Scenario {
        input: Input {
            commands: lines.join("\n"),
            object: None,
        },
        id: file.id,
        title: file.title,
        explanation: file.explanation,
    })
}

/// Runs the input under every design.
///
/// # Errors
/// What is wrong with the commands or the object file, or what the simulator does not cover.
pub fn run(id: &str, input: &Input) -> Result<Outcome, Problem> {
    let parsed = parse(&input.commands).map_err(|error| Problem {
        message: sentence(&error.problem.to_string()),
        line: (error.line > 0).then_some(error.line),
        column: (error.line > 0).then_some(error.column),
    })?;
    let object = match &input.object {
        Some((name, bytes)) => (name.clone(), bytes.to_vec()),
        None => ("progs.bpf.o".into(), SEED_OBJECT.to_vec()),
    };
    let whole = |message: String| Problem {
        message: sentence(&message),
        line: None,
        column: None,
    };
    let input =
        simulate::Input::new(id, parsed, &[object]).map_err(|error| whole(error.to_string()))?;
    let one = |name: &str| {
        let design =
            DesignName::parse(name).ok_or_else(|| whole(format!("there is no design {name}")))?;
        simulate::simulate(&input, design)
            .map(Arc::new)
            .map_err(|error| match error {
                SimulateError::Execute(error) => Problem {
                    message: sentence(&error.cause.to_string()),
                    line: Some(error.line),
                    column: None,
                },
                SimulateError::Load(error) => whole(error.to_string()),
            })
    };
    let traces = DESIGNS
        .iter()
        .map(|name| one(name))
        .collect::<Result<Vec<_>, _>>()?;
    if traces.iter().any(|trace| trace.steps.is_empty()) {
        return Err(whole(
            "no packet is sent; a ping or a send makes one".into(),
        ));
    }
    Ok(Outcome { traces })
}

/// Begins with a capital letter and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
