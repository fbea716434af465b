//! What the build writes below `data/` of the site, and where.

use headroom_core::trace::Cost;
use serde::{Deserialize, Serialize};

/// `data/catalogue.bin`: every scenario, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The scenarios.
    pub entries: Vec<Entry>,
}

/// One scenario in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Id, as in the address.
    pub id: String,
    /// Title.
    pub title: String,
    /// First paragraph of the explanation, with `code` in back-quotes.
    pub summary: String,
    /// What it is about, in words that others share.
    pub tags: Vec<String>,
}

/// `data/s/<id>/scenario.bin`: a scenario's own texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Id, as in the address.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is about; paragraphs, with `code` in back-quotes.
    pub explanation: String,
    /// The commands, as text.
    pub commands: String,
    /// The object files it needs, in the order in which they are loaded.
    pub programs: Vec<ProgramFile>,
    /// Columns with recordings of real kernels, such as `recording:mac_header`.
    pub recordings: Vec<String>,
}

/// An object file of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFile {
    /// Name as the commands say it, such as `progs.bpf.o`.
    pub name: String,
    /// Path of the file below `data/`.
    pub path: String,
}

/// `data/spec.bin`: the chapters of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// In order.
    pub chapters: Vec<Chapter>,
}

/// One chapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// File name without ending.
    pub id: String,
    /// Heading.
    pub title: String,
    /// The rules, in order.
    pub rules: Vec<RuleEntry>,
    /// Body: HTML that the build made of the repository's own Markdown.
    pub html: String,
}

/// A rule in the list of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleEntry {
    /// Id, such as `HR-DECAP-3`.
    pub id: String,
    /// The rule in a sentence: HTML that the build made.
    pub text: String,
}

/// `data/matrix.bin`: scenarios × designs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixFile {
    /// Names of the designs, in order.
    pub designs: Vec<String>,
    /// In the order of the catalogue.
    pub rows: Vec<MatrixRow>,
}

/// One scenario under all designs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// Scenario id.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// A cell for each design.
    pub cells: Vec<MatrixCell>,
}

/// One scenario under one design: `headroom_core::matrix::Cell`, with its verdict as a word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixCell {
    /// Design.
    pub design: String,
    /// `ok`, `garbage`, `lost`, …
    pub verdict: String,
    /// Name of the step that decided it.
    pub step: Option<String>,
    /// What the read gave that decided it, where it has four bytes.
    pub value: Option<u32>,
    /// What the run cost.
    pub cost: Cost,
    /// Why there is no verdict, or what was refused; empty else.
    pub note: String,
}

/// Where the matrix is.
pub const MATRIX: &str = "/data/matrix.bin";
/// Where the list of recorded experiments is.
pub const RECORDED: &str = "/data/recorded.bin";
/// The ids of recorded experiments begin so.
pub const RECORDED_PREFIX: &str = "rec-";

/// Where the list of scenarios is.
pub const CATALOGUE: &str = "/data/catalogue.bin";
/// Where the specification is.
pub const SPEC: &str = "/data/spec.bin";

/// Where a scenario's texts are.
#[must_use]
pub fn scenario(id: &str) -> String {
    format!("/data/s/{id}/scenario.bin")
}

/// Where the trace of a scenario under a design is: a `headroom_core::trace::Trace`.
#[must_use]
pub fn trace(id: &str, design: &str) -> String {
    // A column such as `recording:mac_header` is a name, not a part of a path.
    format!("/data/s/{id}/{}.bin", design.replace(':', "-"))
}

/// Whether a text may be a scenario's id: what else stands in an address is no part of a file name.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed)
}
