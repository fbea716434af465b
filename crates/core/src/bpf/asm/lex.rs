//! Lines into words.

use super::error::AsmError;

/// A word and its column, from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub text: &'t str,
    pub column: usize,
}

/// Signs of more than one character, longest first.
const SIGNS: [&str; 20] = [
    "s>>=", "s>=", "s<=", "s/=", "s%=", ">>=", "<<=", "s>", "s<", "==", "!=", ">=", "<=", "+=",
    "-=", "*=", "/=", "|=", "&=", "%=",
];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '%' | '@')
}

/// Words of a line; comments are gone.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let line = without_comment(line);
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let len = if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        } else if let Some(sign) = sign(rest) {
            sign
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let column = line[..line.len() - rest.len()].chars().count() + 1;
        out.push(Token {
            text: &rest[..len],
            column,
        });
        rest = &rest[len..];
    }
    out
}

/// Length of the sign that a text starts with. `^=` and `s...` are only signs between words.
fn sign(rest: &str) -> Option<usize> {
    if rest.starts_with("^=") {
        return Some(2);
    }
    // `%=`, but `%r1` is a word.
    SIGNS
        .iter()
        .find(|s| rest.starts_with(**s))
        .map(|s| s.len())
}

/// Cuts `; …`, `// …`, a `# …` at the start and a `<label+0x10>` at the end.
fn without_comment(line: &str) -> &str {
    let cut = [line.find(';'), line.find("//")]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(line.len());
    let line = line[..cut].trim_end();
    if line.trim_start().starts_with('#') {
        return "";
    }
    if line.ends_with('>')
        && let Some(open) = line.rfind('<')
        && line[open + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "_.$".contains(c))
        && !line[open..].contains(' ')
    {
        return line[..open].trim_end();
    }
    line
}

/// A walk over the words of one line.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'t> {
    pub line: usize,
    tokens: Vec<Token<'t>>,
    at: usize,
    end: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(line: usize, text: &'t str) -> Cursor<'t> {
        let tokens = tokens(text);
        let end = tokens
            .last()
            .map_or(1, |t| t.column + t.text.chars().count());
        Cursor {
            line,
            tokens,
            at: 0,
            end,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The word `n` further on.
    pub fn look(&self, n: usize) -> Option<&'t str> {
        self.tokens.get(self.at + n).map(|t| t.text)
    }

    pub fn peek(&self) -> Option<&'t str> {
        self.look(0)
    }

    pub fn bump(&mut self) -> Option<&'t str> {
        let text = self.peek();
        self.at += 1;
        text
    }

    pub fn skip(&mut self, words: usize) {
        self.at += words;
    }

    pub fn eat(&mut self, text: &str) -> bool {
        let here = self.peek() == Some(text);
        self.at += usize::from(here);
        here
    }

    pub fn expect(&mut self, text: &str) -> Result<(), AsmError> {
        if self.eat(text) {
            Ok(())
        } else {
            Err(self.fail(format!("`{text}`")))
        }
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<(), AsmError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.fail("the end of the line"))
        }
    }

    /// An error at the next word.
    pub fn fail(&self, expected: impl Into<String>) -> AsmError {
        let (column, found) = match self.tokens.get(self.at) {
            Some(token) => (token.column, format!("`{}`", token.text)),
            None => (self.end, "the end of the line".to_owned()),
        };
        AsmError {
            line: self.line,
            column,
            found,
            expected: expected.into(),
        }
    }

    /// An error at the word before.
    pub fn fail_before(&self, expected: impl Into<String>) -> AsmError {
        let mut before = self.clone();
        before.at = before.at.saturating_sub(1);
        before.fail(expected)
    }
}
