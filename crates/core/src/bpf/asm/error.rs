//! Why a text is no program.

use thiserror::Error;

/// The place, what is there, and what was expected. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: expected {expected}, found {found}")]
pub struct AsmError {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// The word in backquotes, or `the end of the line`.
    pub found: String,
    /// What would do.
    pub expected: String,
}
