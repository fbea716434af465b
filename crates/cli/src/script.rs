//! `headroom script`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use headroom_core::scenario::{ScenarioFile, script};

use crate::error::CliError;
use crate::input;

/// Prints a scenario as a shell script for a real kernel.
pub(crate) fn print(name: &str) -> Result<ExitCode, CliError> {
    let (scenario, content) = input::find_scenario(name)?;
    let text = write(&scenario, name, &content)?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn write(scenario: &ScenarioFile, file: &str, content: &Path) -> Result<String, CliError> {
    let parsed = scenario.parse().map_err(|error| CliError::Command {
        file: file.into(),
        error: Box::new(error),
    })?;
    let mut objects = Vec::new();
    for (name, path) in scenario.objects(&parsed.lines) {
        let path = content.join(path);
        let bytes = fs::read(&path).map_err(|error| CliError::Read {
            path: path.clone(),
            error,
        })?;
        objects.push((name.to_owned(), bytes));
    }
    script(scenario, &parsed.lines, &objects).map_err(|error| CliError::Script {
        file: file.into(),
        error,
    })
}
