//! `headroom matrix`.

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;

use clap::ValueEnum;
use headroom_core::design::DesignName;
use headroom_core::matrix::{self, Matrix, Row};
use headroom_core::simulate::Input;

use crate::error::CliError;
use crate::input;

/// How a matrix is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixFormat {
    /// For people.
    Text,
    /// `headroom-matrix/1`.
    Json,
    /// A line a cell.
    Csv,
    /// A table.
    Markdown,
}

/// Computes and prints scenarios × designs. All scenarios when `wanted` is empty.
pub(crate) fn matrix(
    wanted: &[String],
    tags: &[String],
    designs: &[DesignName],
    format: MatrixFormat,
) -> Result<ExitCode, CliError> {
    let rows = if wanted.is_empty() {
        input::catalogue(tags)?
    } else {
        let one = |name: &String| Ok((String::new(), input::resolve(name)?));
        wanted
            .iter()
            .map(one)
            .collect::<Result<Vec<_>, CliError>>()?
    };
    let matrix = Matrix::new(designs, side_by_side(&rows, designs));
    let text = match format {
        MatrixFormat::Text => matrix::text(&matrix),
        MatrixFormat::Json => matrix::json(&matrix)?,
        MatrixFormat::Csv => matrix::csv(&matrix),
        MatrixFormat::Markdown => matrix::markdown(&matrix),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The rows, in order, computed on all cores.
fn side_by_side(rows: &[(String, Input)], designs: &[DesignName]) -> Vec<Row> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = rows.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let shares: Vec<_> = rows
            .chunks(share)
            .map(|rows| {
                scope.spawn(move || {
                    let row = |(title, input): &(String, Input)| matrix::row(title, input, designs);
                    rows.iter().map(row).collect::<Vec<_>>()
                })
            })
            .collect();
        // a row that panics is a bug, and said so
        let joined = shares.into_iter().map(|share| {
            share
                .join()
                .unwrap_or_else(|bug| std::panic::resume_unwind(bug))
        });
        joined.flatten().collect()
    })
}
