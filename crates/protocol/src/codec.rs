//! Values to bytes and back: one byte for the format, then postcard.

use std::fmt;

use headroom_core::trace::Trace;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Grows when a type of this crate or of the trace changes its form, so that a page never reads the
/// files of another build as if they were its own.
const FORMAT: u8 = 3;

/// Why bytes can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// There is nothing.
    Empty,
    /// Written by another version of the site: its format.
    Format(u8),
    /// Cut off or damaged: in what way.
    Damaged(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Format(format) => {
                write!(f, "it is of format {format}, and this site reads {FORMAT}")
            }
            Self::Damaged(what) => write!(f, "it is damaged: {what}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The bytes of a value.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Nothing in these types fails to serialize (no map with a length unknown beforehand); an empty
    // answer is refused by `decode` with a sentence.
    postcard::to_extend(value, vec![FORMAT]).unwrap_or_default()
}

/// The value of bytes.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT, rest)) => {
            postcard::from_bytes(rest).map_err(|error| DecodeError::Damaged(words(&error).into()))
        }
        Some((&format, _)) => Err(DecodeError::Format(format)),
    }
}

/// What is wrong, shortly: postcard's own sentences would be in every page's module.
fn words(error: &postcard::Error) -> &'static str {
    match error {
        postcard::Error::DeserializeUnexpectedEnd => "it ends too early",
        _ => "it holds a value that can't be",
    }
}

/// The bytes of a trace: one byte for the format, then [`Trace::pack`].
#[must_use]
pub fn encode_trace(trace: &Trace) -> Vec<u8> {
    let mut out = vec![FORMAT];
    out.extend(trace.pack());
    out
}

/// The trace of bytes.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode_trace(bytes: &[u8]) -> Result<Trace, DecodeError> {
    match bytes.split_first() {
        None => Err(DecodeError::Empty),
        Some((&FORMAT, rest)) => {
            Trace::unpack(rest).map_err(|error| DecodeError::Damaged(format!("byte {}", error.at)))
        }
        Some((&format, _)) => Err(DecodeError::Format(format)),
    }
}
