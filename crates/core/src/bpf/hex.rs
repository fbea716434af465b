//! Bytes as a person types them: hex digits in pairs, with spaces and lines between pairs.

use thiserror::Error;

/// Why a text is no bytes. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HexError {
    /// Something other than a digit where one is due.
    #[error("line {line}, column {column}: expected a hex digit, found `{}`", found.escape_debug())]
    NoDigit {
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
        /// The character.
        found: char,
    },
    /// A byte of one digit.
    #[error("line {line}, column {column}: the byte `{digit}` lacks its second hex digit")]
    HalfByte {
        /// Line.
        line: usize,
        /// Column of the digit, in characters.
        column: usize,
        /// The digit.
        digit: char,
    },
}

/// Bytes of a text such as `b7 00 00 00 2a000000`.
pub fn parse_hex(text: &str) -> Result<Vec<u8>, HexError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for (line, content) in text.lines().enumerate() {
        let line = line + 1;
        let mut first: Option<(usize, char, u32)> = None;
        for (column, found) in content.chars().enumerate() {
            let column = column + 1;
            match (found.to_digit(16), first) {
                (Some(digit), None) => first = Some((column, found, digit)),
                (Some(digit), Some((_, _, high))) => {
                    bytes.push((high << 4 | digit) as u8);
                    first = None;
                }
                (None, None) if found.is_whitespace() => {}
                (None, Some((column, digit, _))) if found.is_whitespace() => {
                    return Err(HexError::HalfByte {
                        line,
                        column,
                        digit,
                    });
                }
                (None, _) => {
                    return Err(HexError::NoDigit {
                        line,
                        column,
                        found,
                    });
                }
            }
        }
        if let Some((column, digit, _)) = first {
            return Err(HexError::HalfByte {
                line,
                column,
                digit,
            });
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_with_anything_blank_between() {
        assert_eq!(parse_hex("b700 2A\n\n ff "), Ok(vec![0xb7, 0, 0x2a, 0xff]));
        assert_eq!(parse_hex(""), Ok(vec![]));
    }

    #[test]
    fn errors_have_a_place() {
        let no_digit = HexError::NoDigit {
            line: 2,
            column: 4,
            found: 'x',
        };
        assert_eq!(parse_hex("00\n00 x0"), Err(no_digit));
        let half = HexError::HalfByte {
            line: 1,
            column: 4,
            digit: '7',
        };
        assert_eq!(parse_hex("b7 7 00"), Err(half.clone()));
        assert_eq!(parse_hex("b7 7"), Err(half));
        assert!(parse_hex("é0").is_err());
    }
}
