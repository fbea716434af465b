//! `headroom matrix`.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use headroom_core::design::DesignName;
use headroom_core::matrix::{self, Matrix};

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
    let rows = rows
        .iter()
        .map(|(title, input)| matrix::row(title, input, designs))
        .collect();
    let matrix = Matrix::new(designs, rows);
    let text = match format {
        MatrixFormat::Text => matrix::text(&matrix),
        MatrixFormat::Json => matrix::json(&matrix)?,
        MatrixFormat::Csv => matrix::csv(&matrix),
        MatrixFormat::Markdown => matrix::markdown(&matrix),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
