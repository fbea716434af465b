//! Work to link and back.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use thiserror::Error;

use super::section::{Found, read, write};
use super::work::Work;

/// The only version there is. Old ones are read for ever.
const VERSION: char = '1';
/// Longest link that is made, characters of the fragment. Work above it is a file.
pub const MAX_LINK: usize = 32 * 1024;
/// Most bytes that a link or file may unpack to.
pub const MAX_UNPACKED: usize = 16 << 20;
/// Effort of the compressor, 0–10; above 8 it is slower and gains under a percent.
const EFFORT: u8 = 8;
/// The same for what is kept at each change.
const QUICK: u8 = 1;

/// Bytes of work that are kept as they are: to compress that many at each change keeps the page busy, and the browser has
/// room for them. There is no such room for more.
const KEPT_AS_IT_IS: RangeInclusive<usize> = 128 << 10..=1536 << 10;

/// What a link held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Everything that was whole.
    pub work: Work,
    /// What was broken, one sentence each.
    pub broken: Vec<String>,
}

/// Why work can't be a link, or why nothing of a link can be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShareError {
    /// Too much for a link.
    #[error("the link would have {len} characters, the limit is {MAX_LINK}; save it as a file")]
    TooLong {
        /// How many it would have.
        len: usize,
    },
    /// Nothing behind the `#`.
    #[error("the link is empty")]
    Empty,
    /// A link of a later version.
    #[error("the link begins with “{0}”; only version {VERSION} is known here")]
    Version(char),
    /// A character that no link holds.
    #[error("character {at} of the link is “{found}”, which no link holds")]
    Character {
        /// 1-based, counted from the version.
        at: usize,
        /// What stands there.
        found: char,
    },
    /// The compressed data make no sense from their start on.
    #[error("the link is damaged at its start; nothing of it can be read")]
    Damaged,
    /// It unpacks to more than is taken.
    #[error("the link unpacks to more than {MAX_UNPACKED} bytes")]
    Unpacked,
}

/// The fragment of a link, without `#`.
///
/// # Errors
/// [`ShareError::TooLong`] above [`MAX_LINK`] characters.
pub fn to_link(work: &Work) -> Result<String, ShareError> {
    let out = to_text(work);
    if out.len() > MAX_LINK {
        return Err(ShareError::TooLong { len: out.len() });
    }
    Ok(out)
}

/// As [`to_link`], of any length: what a browser's storage keeps.
#[must_use]
pub fn to_text(work: &Work) -> String {
    let mut out = String::from(VERSION);
    URL_SAFE_NO_PAD.encode_string(to_bytes(work), &mut out);
    out
}

/// As [`to_text`], in a fraction of the time and longer: for what is kept at each change.
#[must_use]
pub fn to_text_quickly(work: &Work) -> String {
    let mut out = String::from(VERSION);
    let bytes = bytes_of(work);
    let effort = match bytes.len() {
        len if KEPT_AS_IT_IS.contains(&len) => 0,
        _ => QUICK,
    };
    URL_SAFE_NO_PAD.encode_string(compress_to_vec(&bytes, effort), &mut out);
    out
}

/// The same, compressed, for a file; of any length.
#[must_use]
pub fn to_bytes(work: &Work) -> Vec<u8> {
    compress_to_vec(&bytes_of(work), EFFORT)
}

fn bytes_of(work: &Work) -> Vec<u8> {
    let mut bytes = Vec::new();
    for section in work.sections() {
        write(&section, &mut bytes);
    }
    bytes
}

/// Opens a fragment, with or without `#`. Blanks and line breaks that a mail put in are passed over.
///
/// # Errors
/// [`ShareError`] when nothing can be read. What is broken while the rest is whole is in
/// [`Opened::broken`].
pub fn from_link(fragment: &str) -> Result<Opened, ShareError> {
    let text: String = fragment
        .trim_start_matches('#')
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let mut chars = text.chars();
    match chars.next() {
        None => return Err(ShareError::Empty),
        Some(VERSION) => {}
        Some(other) => return Err(ShareError::Version(other)),
    }
    let digits = chars.as_str();
    let foreign = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let mut broken = Vec::new();
    let (digits, cut) = match digits.find(foreign) {
        None => (digits, false),
        Some(0) => {
            let found = digits.chars().next().unwrap_or_default();
            return Err(ShareError::Character { at: 2, found });
        }
        Some(at) => {
            let found = digits[at..].chars().next().unwrap_or_default();
            let place = at + 2;
            broken.push(format!(
                "Character {place} of the link is “{found}”, which no link holds; what is behind it was left out."
            ));
            (&digits[..at], true)
        }
    };
    unpack(&decode(digits), broken, cut)
}

/// base64 of any length: a last character that gives no whole byte is left out.
fn decode(digits: &str) -> Vec<u8> {
    let whole = if digits.len() % 4 == 1 {
        &digits[..digits.len() - 1]
    } else {
        digits
    };
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        base64::engine::GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
    );
    lenient.decode(whole).unwrap_or_default()
}

/// Opens the compressed form.
fn unpack(packed: &[u8], mut broken: Vec<String>, mut cut: bool) -> Result<Opened, ShareError> {
    use miniz_oxide::inflate::TINFLStatus;
    let bytes = match decompress_to_vec_with_limit(packed, MAX_UNPACKED) {
        Ok(bytes) => bytes,
        Err(error) if error.status == TINFLStatus::HasMoreOutput => {
            return Err(ShareError::Unpacked);
        }
        Err(error) if error.output.is_empty() => return Err(ShareError::Damaged),
        Err(error) => {
            let how = if error.status == TINFLStatus::FailedCannotMakeProgress {
                "is cut off"
            } else {
                "is damaged"
            };
            if !cut {
                broken.push(format!(
                    "The link {how}; what could be read up to there is opened."
                ));
            }
            cut = true;
            error.output
        }
    };
    let mut work = Work::default();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (found, len) = read(rest);
        rest = rest.get(len..).unwrap_or_default();
        match found {
            Found::Whole(section) => {
                let word = section.tag.word();
                if let Err(what) = work.take(section) {
                    broken.push(sentence(&format!("{word}: {what}")));
                }
            }
            Found::Broken(what) | Found::CutOff(what) => broken.push(sentence(&what)),
        }
    }
    if cut && work == Work::default() {
        return Err(ShareError::Damaged);
    }
    Ok(Opened { work, broken })
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), chars.as_str())
    })
}

/// Opens a file that [`to_bytes`] made.
///
/// # Errors
/// As [`from_link`].
pub fn from_bytes(packed: &[u8]) -> Result<Opened, ShareError> {
    if packed.is_empty() {
        return Err(ShareError::Empty);
    }
    unpack(packed, Vec::new(), false)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
