//! From what the reader typed to traces: the one place where the site meets the simulator.

use std::sync::Arc;

use headroom_core::design::DesignName;
use headroom_core::scenario::{ScenarioFile, parse};
use headroom_core::scene::{StepName, names};
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
    /// The names of the steps of each trace.
    pub names: Vec<Arc<Vec<StepName>>>,
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

/// Scenario files, in the order of the list.
const FILES: [&str; 2] = [
    include_str!("../../../content/scenarios/seed.json"),
    include_str!("../../../content/scenarios/seed-dynptr.json"),
];

/// Object files by their path below `content/`.
const OBJECTS: [(&str, &[u8]); 2] = [
    (
        "programs/seed/progs.bpf.o",
        include_bytes!("../../../content/programs/seed/progs.bpf.o"),
    ),
    (
        "programs/seed/dynptr.bpf.o",
        include_bytes!("../../../content/programs/seed/dynptr.bpf.o"),
    ),
];

/// All scenario files that can be read; a test makes sure that these are all.
#[must_use]
pub fn scenarios() -> Vec<ScenarioFile> {
    FILES
        .iter()
        .filter_map(|text| ScenarioFile::read("scenario", text).ok())
        .collect()
}

/// A scenario by its id.
#[must_use]
pub fn scenario(id: &str) -> Option<Scenario> {
    let file = scenarios().into_iter().find(|file| file.id == id)?;
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

/// The scenario's own objects, and the reader's behind them: of two programs of one name the one
/// loaded last runs.
fn objects(id: &str, own: Option<&(String, Arc<Vec<u8>>)>) -> Vec<(String, Vec<u8>)> {
    let file = scenarios().into_iter().find(|file| file.id == id);
    let mut programs: Vec<(String, String)> = file
        .map(|file| file.programs.into_iter().collect())
        .unwrap_or_default();
    programs.sort_by_key(|(_, path)| OBJECTS.iter().position(|(known, _)| known == path));
    let bytes = |path: &str| {
        OBJECTS
            .iter()
            .find(|(known, _)| *known == path)
            .map(|(_, bytes)| bytes.to_vec())
    };
    let mut all: Vec<_> = programs
        .into_iter()
        .filter_map(|(name, path)| Some((name, bytes(&path)?)))
        .collect();
    if let Some((name, bytes)) = own {
        all.push((name.clone(), bytes.to_vec()));
    }
    all
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
    let whole = |message: String| Problem {
        message: sentence(&message),
        line: None,
        column: None,
    };
    let input = simulate::Input::new(id, parsed, &objects(id, input.object.as_ref()))
        .map_err(|error| whole(error.to_string()))?;
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
    let names = traces.iter().map(|trace| Arc::new(names(trace))).collect();
    Ok(Outcome { traces, names })
}

/// Begins with a capital letter, unless with a name (`cut.bpf.o: …`), and ends with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let first_word = text.split(' ').next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first_word.chars().all(char::is_alphabetic) => {
            format!("{}{}.", first.to_uppercase(), chars.as_str())
        }
        _ => format!("{text}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Input {
        scenario("seed").expect("the seed scenario").input
    }

    #[test]
    fn the_seed_scenario_runs_in_both_designs() {
        let outcome = run("seed", &seed()).expect("a run");
        let values = |trace: &Trace| {
            trace
                .reads
                .iter()
                .filter_map(|read| read.value())
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&outcome.traces[0]), [42, 42, 524_288]);
        assert_eq!(values(&outcome.traces[1]), [42, 42, 42]);
    }

    #[test]
    fn every_scenario_runs() {
        assert_eq!(scenarios().len(), FILES.len());
        for file in scenarios() {
            assert_eq!(
                objects(&file.id, None).len(),
                file.programs.len(),
                "{}",
                file.id
            );
            let scenario = scenario(&file.id).expect("it is in the list");
            let outcome = run(&file.id, &scenario.input);
            assert!(outcome.is_ok(), "{}: {outcome:?}", file.id);
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let at = |commands: &str| {
            let problem = run(
                "seed",
                &Input {
                    commands: commands.into(),
                    object: None,
                },
            )
            .expect_err(commands);
            (problem.line, problem.column.is_some(), problem.message)
        };
        assert_eq!(
            (
                at("ip netns add tx\nip lnik add").0,
                at("ip netns add tx\nip lnik add").1
            ),
            (Some(2), true)
        );
        assert_eq!(at("").2, "No packet is sent; a ping or a send makes one.");
        assert_eq!(at("ip link set dev nowhere up").0, Some(1));
    }

    #[test]
    fn a_cut_off_object_is_named() {
        let whole = OBJECTS[0].1;
        for len in [0, 1, 16, 100, 1000, whole.len() - 1] {
            let object = Some(("cut.bpf.o".to_owned(), Arc::new(whole[..len].to_vec())));
            if let Err(problem) = run("seed", &Input { object, ..seed() }) {
                assert!(
                    problem.message.starts_with("cut.bpf.o"),
                    "{}",
                    problem.message
                );
            }
        }
    }

    #[test]
    fn sentences() {
        assert_eq!(sentence("no packet is sent"), "No packet is sent.");
        assert_eq!(sentence("cut.o: too short."), "cut.o: too short.");
        assert_eq!(sentence(""), ".");
    }
}
