//! The matrix as text, JSON, CSV and Markdown.

use std::fmt::Write as _;

use super::{Cell, CellVerdict, Matrix};

/// `524288 garbage`, `42 ok`, `lost`.
fn said(cell: &Cell) -> String {
    match (cell.value, cell.verdict) {
        (Some(value), verdict) if verdict != CellVerdict::Refused => {
            format!("{value} {}", verdict.word())
        }
        (_, verdict) => verdict.word().into(),
    }
}

/// Bytes moved, allocations, structure bytes, prologue instructions: `4/20/2/6`.
fn cost(cell: &Cell) -> String {
    let cost = cell.cost;
    format!(
        "{}/{}/{}/{}",
        cost.metadata_bytes_moved,
        cost.allocations(),
        cost.structure_bytes,
        cost.prologue_instructions
    )
}

/// A table for a terminal: one block a scenario, one line a design.
#[must_use]
pub fn text(matrix: &Matrix) -> String {
    let mut out = String::from(
        "verdict, cost as bytes moved/allocations/structure bytes/prologue instructions, and the step that decided\n",
    );
    let width = matrix.designs.iter().map(String::len).max().unwrap_or(0);
    for row in &matrix.rows {
        let _ = writeln!(out, "\n{}  {}", row.scenario, row.title);
        for cell in &row.cells {
            let step = cell.step.as_deref().unwrap_or_default();
            let line = format!(
                "  {:<width$}  {:<18} {:<14} {step}",
                cell.design,
                said(cell),
                cost(cell)
            );
            let _ = writeln!(out, "{}", line.trim_end());
            if !cell.note.is_empty() {
                let _ = writeln!(out, "  {:<width$}    {}", "", cell.note);
            }
        }
    }
    out
}

/// One table, a row a scenario, a column a design.
#[must_use]
pub fn markdown(matrix: &Matrix) -> String {
    let mut out = format!("| scenario | {} |\n", matrix.designs.join(" | "));
    let _ = writeln!(out, "| --- |{}", " --- |".repeat(matrix.designs.len()));
    for row in &matrix.rows {
        let _ = write!(out, "| {} |", row.scenario);
        for cell in &row.cells {
            let step = match &cell.step {
                Some(step) => format!(" `{step}`"),
                None => String::new(),
            };
            let _ = write!(out, " {} {}{step} |", said(cell), cost(cell));
        }
        out.push('\n');
    }
    out
}

/// One line a cell, fields quoted as RFC 4180 says.
#[must_use]
pub fn csv(matrix: &Matrix) -> String {
    let mut out = String::from(
        "scenario,design,verdict,value,step,read,reads_ok,reads_wrong,bytes_moved,buffer_allocations,\
         metadata_allocations,structure_bytes,prologue_instructions,note\r\n",
    );
    for row in &matrix.rows {
        for cell in &row.cells {
            let cost = cell.cost;
            let fields = [
                row.scenario.clone(),
                cell.design.clone(),
                cell.verdict.word().into(),
                cell.value
                    .map(|value| value.to_string())
                    .unwrap_or_default(),
                cell.step.clone().unwrap_or_default(),
                cell.read.clone().unwrap_or_default(),
                cell.reads_ok.to_string(),
                cell.reads_wrong.to_string(),
                cost.metadata_bytes_moved.to_string(),
                cost.buffer_allocations.to_string(),
                cost.metadata_allocations.to_string(),
                cost.structure_bytes.to_string(),
                cost.prologue_instructions.to_string(),
                cell.note.clone(),
            ];
            let quoted: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
            out.push_str(&quoted.join(","));
            out.push_str("\r\n");
        }
    }
    out
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

/// The schema `headroom-matrix/1`.
///
/// # Errors
/// None that can occur: all keys are texts.
pub fn json(matrix: &Matrix) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(matrix).map(|text| text + "\n")
}
