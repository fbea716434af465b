//! `headroom check`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use headroom_core::design::DesignName;
use headroom_core::recording::{Recording, Report, Scope, compare_within};
use headroom_core::simulate::{SimulateError, simulate_partial};

use crate::error::CliError;
use crate::input::{json_files, read_text, recording_input};

/// Compares each recording with a simulation of its set-up; one line a recording, then a sum.
pub(crate) fn check(paths: &[PathBuf], receive: Option<&str>) -> Result<ExitCode, CliError> {
    let scope = match receive {
        Some(dev) => Scope::Receive { dev: dev.into() },
        None => Scope::All,
    };
    let mut sum = Sum::default();
    let mut unreadable = Vec::new();
    let mut out = std::io::stdout().lock();
    for path in recordings(paths)? {
        let (report, error) = match check_one(&path, &scope) {
            Ok(checked) => checked,
            Err(error) => {
                // the others are compared all the same
                unreadable.push(error);
                continue;
            }
        };
        writeln!(out, "{report}")?;
        if let Some(error) = &error {
            writeln!(out, "  the simulation ended early: {error}")?;
        }
        sum.add(&report, error.is_none());
    }
    if sum.recordings == 0 && unreadable.len() == 1 {
        return Err(unreadable.remove(0));
    }
    for error in &unreadable {
        eprintln!("headroom: {error}");
    }
    sum.unreadable = unreadable.len();
    writeln!(out, "{}", sum.line())?;
    Ok(match (sum.unreadable, sum.failed) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(1),
        _ => ExitCode::from(2),
    })
}

/// The recordings that are named, or lie in the directories that are named.
fn recordings(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = json_files(path)?;
            if found.is_empty() {
                return Err(CliError::NoRecordings { path: path.clone() });
            }
            all.extend(found);
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

/// A simulation that stops half-way is compared as far as it came: what is missing is *not covered*.
fn check_one(path: &Path, scope: &Scope) -> Result<(Report, Option<SimulateError>), CliError> {
    let file = path.display().to_string();
    let recording = Recording::read(&file, &read_text(path)?)?;
    let design = DesignName::parse(&recording.head.design).ok_or_else(|| CliError::NoDesign {
        file,
        design: recording.head.design.clone(),
    })?;
    let input = recording_input(&recording, path)?;
    let partial = simulate_partial(&input, design);
    Ok((
        compare_within(&recording, &partial.trace, scope),
        partial.error,
    ))
}

/// The last line.
#[derive(Default)]
struct Sum {
    recordings: usize,
    failed: usize,
    /// Files that are no recording; each counts as one that failed.
    unreadable: usize,
    events: usize,
    covered: usize,
    compared: usize,
    equal: usize,
}

impl Sum {
    fn add(&mut self, report: &Report, whole: bool) {
        self.recordings += 1;
        self.failed += usize::from(!report.passed() || !whole);
        self.events += report.events;
        self.covered += report.events_covered;
        self.compared += report.fields_compared;
        self.equal += report.fields_equal;
    }

    fn line(&self) -> String {
        format!(
            "{} recordings: {} passed, {} failed; events {}/{}, fields {}/{}",
            self.recordings + self.unreadable,
            self.recordings - self.failed,
            self.failed + self.unreadable,
            self.covered,
            self.events,
            self.equal,
            self.compared,
        )
    }
}
