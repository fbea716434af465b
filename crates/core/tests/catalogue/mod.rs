//! Scenarios of `content/scenarios/` as inputs, for tests.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::Input;

pub fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content")
}

/// A scenario file by its id.
pub fn scenario(id: &str) -> ScenarioFile {
    let file = content().join("scenarios").join(format!("{id}.json"));
    let text =
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    ScenarioFile::read(id, &text).unwrap_or_else(|error| panic!("{error}"))
}

/// All scenario files, by name.
pub fn scenarios() -> Vec<ScenarioFile> {
    let mut ids: Vec<String> = fs::read_dir(content().join("scenarios"))
        .expect("scenarios")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some(path.file_stem()?.to_string_lossy().into_owned())
        })
        .collect();
    ids.sort();
    ids.iter().map(|id| scenario(id)).collect()
}

/// What a scenario runs.
pub fn input_of(scenario: &ScenarioFile) -> Input {
    let parsed = scenario
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", scenario.id));
    let object = |path: &String| {
        let bytes =
            fs::read(content().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        (path.clone(), bytes)
    };
    let objects: Vec<_> = scenario.programs.values().map(object).collect();
    Input::new(&scenario.id, parsed, &objects)
        .unwrap_or_else(|error| panic!("{}: {error}", scenario.id))
}

/// What the scenario of that id runs.
pub fn input(id: &str) -> Input {
    input_of(&scenario(id))
}
