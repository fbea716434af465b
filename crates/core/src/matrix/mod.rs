//! The matrix: scenarios × designs, each cell with a verdict, the step that decided it, and what it cost.
//!
//! A cell is computed from one run ([`cell`]), so a view can fill a matrix cell by cell, or compute one row
//! anew when a policy point changes. Costs are counts, never times.

mod render;

pub use render::{csv, json, markdown, text};

use serde::Serialize;

use crate::design::DesignName;
use crate::scene::names;
use crate::simulate::{Input, Partial, Simulator, simulate_partial};
use crate::trace::{Cost, Edge, MetadataRead, Outcome, StepKind, Trace, Verdict};
use crate::why::decided_at;

/// The only schema of [`json`].
pub const SCHEMA: &str = "headroom-matrix/1";

/// What became of the metadata in a scenario, under a design. The worst thing that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CellVerdict {
    /// The run can't be carried out: it says nothing about the design.
    NotCovered,
    /// No program read metadata, and none asked for any.
    None,
    /// Every read gave what the writer had left.
    Ok,
    /// A program asked for metadata, or for access to them, and got an error.
    Refused,
    /// Right place, other bytes.
    Overwritten,
    /// A reader found none, although a program had left some.
    Lost,
    /// A reader got bytes that never were metadata.
    Garbage,
}

impl CellVerdict {
    /// The word in tables and addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotCovered => "not covered",
            Self::None => "none",
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Overwritten => "overwritten",
            Self::Lost => "lost",
            Self::Garbage => "garbage",
        }
    }
}

/// One scenario under one design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Design name.
    pub design: String,
    /// The worst thing that happened.
    pub verdict: CellVerdict,
    /// Name of the step that decided it, as in addresses: `__iptunnel_pull_header.exit@rx#2`. For a wrong read the
    /// event that parted the metadata from their place, for a true one the last read, for a refusal the call.
    pub step: Option<String>,
    /// Name of the step of the read the verdict is about.
    pub read: Option<String>,
    /// What that read gave, as a little-endian number, when it has four bytes.
    pub value: Option<u32>,
    /// How many reads were true.
    pub reads_ok: usize,
    /// How many were not.
    pub reads_wrong: usize,
    /// What the run cost.
    pub cost: Cost,
    /// Why there is no verdict, or what was refused; empty else.
    pub note: String,
}

/// One scenario under all designs asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Scenario id.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// In the order of the matrix's designs.
    pub cells: Vec<Cell>,
}

/// Scenarios × designs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Design names, in order.
    pub designs: Vec<String>,
    /// In the order of the scenarios.
    pub rows: Vec<Row>,
}

impl Matrix {
    /// A matrix of rows that were computed for `designs`.
    #[must_use]
    pub fn new(designs: &[DesignName], rows: Vec<Row>) -> Self {
        Self {
            schema: SCHEMA,
            designs: designs
                .iter()
                .map(|design| design.as_str().into())
                .collect(),
            rows,
        }
    }
}

/// All cells of one scenario.
#[must_use]
pub fn row(title: &str, input: &Input, designs: &[DesignName]) -> Row {
    Row {
        scenario: input.id.clone(),
        title: title.into(),
        cells: cells(input, designs),
    }
}

fn cells(input: &Input, designs: &[DesignName]) -> Vec<Cell> {
    let mut simulator = Simulator::new(input);
    let one = |design: &DesignName| cell_of(simulator.partial(*design));
    designs.iter().map(one).collect()
}

/// Runs a scenario under a design and judges it.
#[must_use]
pub fn cell(input: &Input, design: DesignName) -> Cell {
    cell_of(simulate_partial(input, design))
}

/// The cell of a run that may have ended early.
#[must_use]
pub fn cell_of(partial: Partial) -> Cell {
    let mut cell = judged(&partial.trace);
    if let Some(error) = partial.error {
        cell.note = error.to_string();
        cell.verdict = if error.is_refusal() {
            CellVerdict::Refused
        } else {
            CellVerdict::NotCovered
        };
    }
    cell
}

/// The cell of a finished run.
#[must_use]
pub fn judged(trace: &Trace) -> Cell {
    let worst = trace
        .reads
        .iter()
        .enumerate()
        .max_by_key(|(index, read)| (of(read), *index))
        .map(|(_, read)| read);
    let count = |wanted: fn(CellVerdict) -> bool| {
        let of = trace.reads.iter().map(of);
        of.filter(|verdict| wanted(*verdict)).count()
    };
    let mut cell = Cell {
        design: trace.design.clone(),
        verdict: worst.map_or(CellVerdict::None, of),
        step: None,
        read: None,
        value: worst
            .filter(|read| read.bytes.len() == 4)
            .and_then(MetadataRead::value),
        reads_ok: count(|verdict| verdict == CellVerdict::Ok),
        reads_wrong: count(|verdict| verdict > CellVerdict::Refused),
        cost: trace.cost,
        note: String::new(),
    };
    let refusal = refusal(trace).filter(|_| cell.verdict < CellVerdict::Refused);
    let names = names(trace);
    let name = |step: usize| names.get(step).map(ToString::to_string);
    if let Some((step, note)) = refusal {
        cell.verdict = CellVerdict::Refused;
        cell.step = name(step);
        cell.note = note;
    } else if let Some(read) = worst {
        cell.step = name(decided_at(trace, read));
        cell.read = name(read.step.min(trace.steps.len().saturating_sub(1)));
    }
    cell
}

fn of(read: &MetadataRead) -> CellVerdict {
    match read.verdict {
        Verdict::Ok => CellVerdict::Ok,
        Verdict::Garbage => CellVerdict::Garbage,
        Verdict::Lost => CellVerdict::Lost,
        Verdict::Overwritten => CellVerdict::Overwritten,
        Verdict::None => CellVerdict::None,
    }
}

/// Functions by which a program asks for metadata, or for access to them.
const ASKED: [&str; 3] = [
    "bpf_xdp_adjust_meta",
    "bpf_xdp_trait_set",
    "bpf_dynptr_from_skb_meta",
];
/// What says only that there is nothing.
const ENOENT: i64 = crate::design::traits::ENOENT;

/// The first such call that got an error.
fn refusal(trace: &Trace) -> Option<(usize, String)> {
    trace.steps.iter().enumerate().find_map(|(index, step)| {
        let StepKind::Function {
            name,
            edge: Edge::Exit,
            ..
        } = step.kind
        else {
            return None;
        };
        match step.outcome {
            Outcome::Ret(error) if error < 0 && error != ENOENT && ASKED.contains(&name) => {
                Some((index, format!("{name}: {error}")))
            }
            _ => None,
        }
    })
}
