//! What is wrong with a command, and where.

use thiserror::Error;

use super::meant::did_you_mean;

/// A command that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Line {line}, column {column}: {problem}.")]
pub struct ParseError {
    /// 1-based line of the text (or 1-based index in a `setup` array); 0 when the text as a whole is refused.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// The word that is wrong; empty when one is missing.
    pub word: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The kinds of mistakes. Each displays as a clause without the full stop.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A word that does not fit.
    #[error("`{word}` does not fit here{}, expected {expected}", did_you_mean(.word, .expected))]
    Unexpected {
        /// The word.
        word: String,
        /// What would fit.
        expected: String,
    },
    /// The command ends too early.
    #[error("the command ends here, expected {expected}")]
    Missing {
        /// What would have to follow.
        expected: String,
    },
    /// A word that says the opposite of an earlier one, or the same option with another value.
    #[error("`{word}` contradicts `{other}` at column {column}")]
    Contradicts {
        /// The later word, with its value.
        word: String,
        /// The earlier one.
        other: String,
        /// Where that stands: 1-based, in characters.
        column: usize,
    },
    /// A quote that is not closed.
    #[error("the quote {0} is never closed, expected another one")]
    Quote(char),
    /// A hex string with a bad digit or an odd number of digits.
    #[error("bad hex at digit {offset} (counted from 0): {what}")]
    Hex {
        /// 0-based offset of the digit in the hex string.
        offset: usize,
        /// What is wrong there.
        what: String,
    },
    /// Too much of something.
    #[error("{what} is {size} bytes long, the limit is {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
}
