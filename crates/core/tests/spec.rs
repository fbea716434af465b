//! The rules of `content/spec` hold in the simulator, and each can fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use headroom_core::design::DesignName;
use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::{Input, simulate};
use headroom_core::spec::{Rule, TraceOf, parse};
use headroom_core::trace::Trace;

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content")
}

/// Traces of all scenarios under all designs.
struct Traces(BTreeMap<(String, &'static str), Trace>);

impl TraceOf for Traces {
    fn trace_of(&self, scenario: &str, design: DesignName) -> Result<&Trace, String> {
        let key = (scenario.to_owned(), design.as_str());
        self.0
            .get(&key)
            .ok_or_else(|| format!("there is no scenario `{scenario}`"))
    }
}

fn files(dir: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(content().join(dir)).expect("a directory");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

fn traces() -> Traces {
    let mut all = BTreeMap::new();
    for path in files("scenarios", "json") {
        let text = fs::read_to_string(&path).expect("a scenario");
        let scenario = ScenarioFile::read(&path.display().to_string(), &text).expect("a scenario");
        let object = |path: &String| {
            (
                path.clone(),
                fs::read(content().join(path)).expect("an object"),
            )
        };
        let objects: Vec<_> = scenario.programs.values().map(object).collect();
        let input = Input::new(&scenario.id, scenario.parse().expect("commands"), &objects)
            .expect("an input");
        for design in DesignName::ALL {
            let trace = simulate(&input, design).expect("a trace");
            all.insert((scenario.id.clone(), design.as_str()), trace);
        }
    }
    Traces(all)
}

fn rules() -> Vec<Rule> {
    let chapters = files("spec", "md").into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a chapter");
        parse(&path.display().to_string(), &text).unwrap_or_else(|error| panic!("{error}"))
    });
    chapters.flat_map(|chapter| chapter.rules).collect()
}

#[test]
fn every_rule_holds() {
    let traces = traces();
    let mut failed = Vec::new();
    for rule in rules() {
        for check in &rule.checks {
            if let Err(error) = check.run(&traces) {
                failed.push(format!("{}: {error}", rule.id));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A check that can't fail is no check: with each wanted value changed, each must.
#[test]
fn every_check_can_fail() {
    let traces = traces();
    for rule in rules() {
        for check in &rule.checks {
            for i in 0..check.wants.len() {
                let mut wrong = check.clone();
                wrong.wants[i].1.push('1');
                assert!(wrong.run(&traces).is_err(), "{}: {wrong}", rule.id);
            }
        }
    }
}

#[test]
fn rule_names_are_unique_and_recordings_are_there() {
    let rules = rules();
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let mut seen = std::collections::BTreeSet::new();
    for rule in &rules {
        assert!(seen.insert(&rule.id), "{} stands twice", rule.id);
        for name in &rule.recordings {
            let file = recordings.join(format!("{name}.mac_header.json"));
            assert!(file.exists(), "{}: no recording {name}", rule.id);
        }
    }
    assert!(rules.len() >= 10);
}
