//! Files → simulator input.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use headroom_core::recording::Recording;
use headroom_core::scenario::{Parsed, ScenarioFile};
use headroom_core::simulate::Input;

use crate::error::CliError;

/// Reads a file as text.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    let bytes = fs::read(path).map_err(|error| CliError::Read {
        path: path.into(),
        error,
    })?;
    text(path, bytes)
}

/// All of standard input, as text.
pub(crate) fn stdin() -> Result<String, CliError> {
    let path = Path::new("standard input");
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| CliError::Read {
            path: path.into(),
            error,
        })?;
    text(path, bytes)
}

/// Bytes as text; an error names the first byte that is none.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CliError> {
    String::from_utf8(bytes).map_err(|error| CliError::NoText {
        path: path.into(),
        offset: error.utf8_error().valid_up_to(),
        object: error.as_bytes().starts_with(b"\x7fELF"),
    })
}

/// The `content` directory: here or in the nearest directory above.
pub(crate) fn content() -> Result<PathBuf, CliError> {
    let here = std::env::current_dir().map_err(|error| CliError::Read {
        path: ".".into(),
        error,
    })?;
    here.ancestors()
        .map(|dir| dir.join("content"))
        .find(|content| content.join("scenarios").is_dir())
        .ok_or(CliError::NoContent { name: None })
}

/// All scenario files, by name.
pub(crate) fn scenarios() -> Result<Vec<ScenarioFile>, CliError> {
    let dir = content()?.join("scenarios");
    json_files(&dir)?
        .iter()
        .map(|path| read_scenario(path))
        .collect()
}

/// The scenarios that have all of `tags`, in order: title and input.
pub(crate) fn catalogue(tags: &[String]) -> Result<Vec<(String, Input)>, CliError> {
    let content = content()?;
    let wanted = |scenario: &ScenarioFile| tags.iter().all(|tag| scenario.tags.contains(tag));
    scenarios()?
        .into_iter()
        .filter(wanted)
        .map(|scenario| {
            let file = format!("content/scenarios/{}.json", scenario.id);
            let input = scenario_input(&scenario, &file, &content)?;
            Ok((scenario.title, input))
        })
        .collect()
}

/// The `*.json` files of a directory, sorted.
pub(crate) fn json_files(dir: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = fs::read_dir(dir).map_err(|error| CliError::Read {
        path: dir.into(),
        error,
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    Ok(files)
}

/// What `headroom run` is given: an id, a scenario file, or a recording.
pub(crate) fn resolve(name: &str) -> Result<Input, CliError> {
    let path = Path::new(name);
    if path.exists() {
        let text = read_text(path)?;
        if text.contains("\"headroom-recording/") {
            let recording = Recording::read(name, &text)?;
            return recording_input(&recording, path);
        }
        let scenario = ScenarioFile::read(name, &text)?;
        let folder = programs_folder(&scenario, path)?;
        return scenario_input(&scenario, name, &folder);
    }
    let all = scenarios().map_err(|error| error.looking_for(name))?;
    match all.iter().find(|scenario| scenario.id == name) {
        Some(scenario) => scenario_input(scenario, name, &content()?),
        None => {
            let known: Vec<_> = all.iter().map(|scenario| scenario.id.as_str()).collect();
            Err(CliError::NoScenario {
                name: name.into(),
                known: known.join(", "),
            })
        }
    }
}

/// A scenario by its id or file, and the directory that the paths of its programs start from.
pub(crate) fn find_scenario(name: &str) -> Result<(ScenarioFile, PathBuf), CliError> {
    let path = Path::new(name);
    if path.exists() {
        let scenario = read_scenario(path)?;
        let folder = programs_folder(&scenario, path)?;
        return Ok((scenario, folder));
    }
    let all = scenarios().map_err(|error| error.looking_for(name))?;
    let known: Vec<_> = all.iter().map(|scenario| scenario.id.clone()).collect();
    match all.into_iter().find(|scenario| scenario.id == name) {
        Some(scenario) => Ok((scenario, content()?)),
        None => Err(CliError::NoScenario {
            name: name.into(),
            known: known.join(", "),
        }),
    }
}

/// The set-up of a recording, with the objects from the `programs` folder beside it.
pub(crate) fn recording_input(recording: &Recording, path: &Path) -> Result<Input, CliError> {
    let file = path.display().to_string();
    let lines = recording.commands().map_err(|error| CliError::Command {
        file: file.clone(),
        error: Box::new(error),
    })?;
    let programs = path.parent().unwrap_or(Path::new(".")).join("programs");
    let mut objects = Vec::new();
    for (program, source) in &recording.head.programs {
        let object = programs.join(source).with_extension("o");
        let bytes = fs::read(&object).map_err(|error| CliError::NoObject {
            file: file.clone(),
            program: program.clone(),
            object: object.clone(),
            error,
        })?;
        objects.push((object.display().to_string(), bytes));
    }
    let parsed = Parsed {
        lines,
        skipped: Vec::new(),
    };
    Ok(Input::new(&recording.head.id, parsed, &objects)?.drawn_as_in(recording))
}

fn read_scenario(path: &Path) -> Result<ScenarioFile, CliError> {
    Ok(ScenarioFile::read(
        &path.display().to_string(),
        &read_text(path)?,
    )?)
}

/// Where the paths of a scenario file's programs start: at the `content` directory it lies in. Elsewhere at the file itself, as
/// people keep an object beside it; at the project's `content` if the file has none of them beside it and there is a project.
fn programs_folder(scenario: &ScenarioFile, path: &Path) -> Result<PathBuf, CliError> {
    let absolute = path.canonicalize().map_err(|error| CliError::Read {
        path: path.into(),
        error,
    })?;
    let mut above = absolute.ancestors();
    if let Some(content) = above.find(|dir| dir.file_name().is_some_and(|name| name == "content")) {
        return Ok(content.into());
    }
    let beside = absolute.parent().unwrap_or(Path::new("."));
    let mut programs = scenario.programs.values();
    match content() {
        Ok(content) if !programs.any(|program| beside.join(program).exists()) => Ok(content),
        _ => Ok(beside.into()),
    }
}

fn scenario_input(scenario: &ScenarioFile, file: &str, content: &Path) -> Result<Input, CliError> {
    let parsed = scenario.parse().map_err(|error| CliError::Command {
        file: file.into(),
        error: Box::new(error),
    })?;
    let mut objects = Vec::new();
    for (name, path) in scenario.objects(&parsed.lines) {
        // In messages an object is its file, unless the commands have another name for it.
        let by_path = path.rsplit('/').next() == Some(name);
        let path = content.join(path);
        let bytes = fs::read(&path).map_err(|error| CliError::Read {
            path: path.clone(),
            error,
        })?;
        let shown = path.display().to_string();
        objects.push((if by_path { shown } else { name.into() }, bytes));
    }
    Ok(Input::new(&scenario.id, parsed, &objects)?)
}
