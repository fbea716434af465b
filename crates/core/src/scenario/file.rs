//! Scenario files: `content/scenarios/*.json`.
//!
//! ```json
//! {
//!   "schema": "headroom-scenario/1",
//!   "id": "seed",
//!   "title": "One sentence",
//!   "explanation": "What to look at, markdown",
//!   "paste": ["# ip netns add tx", "…"],
//!   "programs": { "progs.bpf.o": "programs/seed/progs.bpf.o" },
//!   "tags": ["gre", "decap"],
//!   "recordings": ["E2-gre-veth-full"],
//!   "focus": { "stage": "get_tag:entry", "dev": "decap" }
//! }
//! ```
//! `commands` and `paste` exclude each other. `commands` is a list of commands without prompts, each of which
//! must be understood. `paste` is a list of lines as a person would paste them, output and all
//! ([`parse`](super::parse()) has the rule). A name in `programs` is an object file as a command names it
//! (`bpftool prog loadall progs.bpf.o …`) or a program as `orc xdp` names it; the path is below `content/`. A command may
//! name the object by the last part of its path as well ([`ScenarioFile::objects`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::command::{Command, Line};
use super::error::ParseError;
use super::parse::{Parsed, parse, parse_setup};

/// The only schema there is.
pub const SCHEMA: &str = "headroom-scenario/1";

/// A scenario as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name in addresses and on the command line: lower-case letters, digits, `-`.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// What to look at, as markdown.
    pub explanation: String,
    /// Commands without prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Lines as pasted: prompts, commands, output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paste: Vec<String>,
    /// Object or program name → path below `content/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, String>,
    /// What it is about, for lists and filters: lower-case words such as `gre`, `decap`, `clone`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Recordings of a real kernel with the same set-up and result, by id, such as `E2-gre-veth-full`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<String>,
    /// The row of the seed mail's roadmap that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roadmap: Option<Roadmap>,
    /// Where a reader should look first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus: Option<Focus>,
}

/// A row of the seed mail's roadmap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roadmap {
    /// 1 to 8, in the mail's order.
    pub row: u8,
    /// Where it stands today.
    pub status: RoadmapStatus,
    /// Design → what follows under it, and why: derived, not recorded, unless the text names a recording.
    pub consequences: BTreeMap<String, String>,
}

/// Where a row of the roadmap stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoadmapStatus {
    /// In Linux 7.2.
    InLinux,
    /// In series v3, which was not merged.
    InV3,
    /// Proposed elsewhere.
    Proposed,
    /// Nothing is proposed.
    Open,
}

/// A moment of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Focus {
    /// `function:entry` or `function:exit`, as in recordings.
    pub stage: String,
    /// Device, if several see the function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<String>,
    /// Which occurrence, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub occurrence: u32,
}

fn first() -> u32 {
    1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_first(n: &u32) -> bool {
    *n == 1
}

/// What is wrong with a scenario file, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}{}: {what}.", place(*.line, *.column))]
pub struct FileError {
    /// The file as the caller named it.
    pub file: String,
    /// 1-based line; 0 when a value is wrong that was read as a whole.
    pub line: usize,
    /// 1-based column; 0 as for `line`.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// `:line:column`; nothing for a value that was read as a whole.
fn place(line: usize, column: usize) -> String {
    if line == 0 {
        return String::new();
    }
    format!(":{line}:{column}")
}

impl FileError {
    /// From serde's own error, whose text repeats the place.
    pub(crate) fn from_json(file: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let what = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(what, _)| what)
            .to_owned();
        Self {
            file: file.into(),
            line: error.line(),
            column: error.column(),
            what,
        }
    }

    fn value(file: &str, what: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            what: what.into(),
        }
    }
}

impl ScenarioFile {
    /// Reads and checks a file's text; `file` is only used in errors.
    ///
    /// # Errors
    /// Bad JSON, an unknown or missing field, another schema, an id or path that is not allowed,
    /// both or neither of `commands` and `paste`, a focus that is no stage.
    pub fn read(file: &str, text: &str) -> Result<Self, FileError> {
        let scenario: Self =
            serde_json::from_str(text).map_err(|error| FileError::from_json(file, &error))?;
        scenario
            .check()
            .map_err(|what| FileError::value(file, what))?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("schema is `{}`, expected `{SCHEMA}`", self.schema));
        }
        let id_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || !self.id.chars().all(id_char) {
            return Err(format!(
                "id is `{}`, expected lower-case letters, digits and `-`",
                self.id
            ));
        }
        if self.commands.is_empty() == self.paste.is_empty() {
            return Err("expected either `commands` or `paste`, with at least one line".into());
        }
        let tag_char = |c: char| id_char(c) || c == '_' || c == '.';
        if let Some(tag) = self
            .tags
            .iter()
            .find(|tag| tag.is_empty() || !tag.chars().all(tag_char))
        {
            return Err(format!(
                "tag `{tag}`: expected lower-case letters, digits, `-`, `_` and `.`"
            ));
        }
        if let Some(roadmap) = self
            .roadmap
            .as_ref()
            .filter(|roadmap| !(1..=8).contains(&roadmap.row))
        {
            return Err(format!("roadmap.row is {}, expected 1 to 8", roadmap.row));
        }
        for (name, path) in &self.programs {
            if path.is_empty()
                || path.starts_with('/')
                || path.contains('\\')
                || path.split('/').any(|part| part == "..")
            {
                return Err(format!(
                    "programs.{name} is `{path}`, expected a path below content/, or below the scenario's own folder"
                ));
            }
        }
        let stage = self.focus.as_ref().map(|focus| focus.stage.as_str());
        if let Some(stage) = stage.filter(|s| !s.ends_with(":entry") && !s.ends_with(":exit")) {
            return Err(format!(
                "focus.stage is `{stage}`, expected `function:entry` or `function:exit`"
            ));
        }
        Ok(())
    }

    /// The object files: the name by which the commands load each, and its path below `content/`. That is the name in
    /// `programs`, or the last part of the path where only that one is loaded.
    #[must_use]
    pub fn objects(&self, lines: &[Line]) -> Vec<(&str, &str)> {
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let loaded: Vec<String> = lines
            .iter()
            .filter_map(|line| match &line.command {
                Command::ProgLoad(load) => Some(last(&load.object)),
                Command::ProgLoadAll { object, .. } => Some(last(object)),
                _ => None,
            })
            .collect();
        let named = |name: &str| loaded.contains(&last(name));
        let mut out = Vec::new();
        for (name, path) in &self.programs {
            let file = path.rsplit('/').next().unwrap_or(path);
            let by_file = !named(name) && named(file);
            out.push((if by_file { file } else { name }, path.as_str()));
        }
        out
    }

    /// The commands, parsed. Line numbers are 1-based indexes into `commands` or `paste`.
    ///
    /// # Errors
    /// The first line that is no command although it must be one.
    pub fn parse(&self) -> Result<Parsed, ParseError> {
        if self.paste.is_empty() {
            return Ok(Parsed {
                lines: parse_setup(&self.commands)?,
                skipped: Vec::new(),
            });
        }
        parse(&self.paste.join("\n"))
    }
}
