//! A command line as words with columns, and a cursor over them.

use super::command::Command;
use super::error::{ParseError, Problem};
use super::meant::meant;

/// A word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word without its quotes.
    pub text: String,
    /// 1-based column of its first character in the line.
    pub column: usize,
}

/// Cuts `text`, which starts at 1-based `column` of line `line`, into words as a shell would:
/// blanks separate, quotes hold together, a `#` at the start of a word begins a comment.
pub(super) fn words(text: &str, line: usize, column: usize) -> Result<Vec<Word>, ParseError> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut open: Option<(char, usize)> = None;
    for (i, c) in text.chars().enumerate() {
        let at = column + i;
        match (open, c) {
            (Some((quote, _)), c) if c == quote => open = None,
            (Some(_), c) => push(&mut current, c, at),
            (None, '\'' | '"') => {
                open = Some((c, at));
                current.get_or_insert(Word {
                    text: String::new(),
                    column: at,
                });
            }
            (None, '#') if current.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(current.take()),
            (None, c) => push(&mut current, c, at),
        }
    }
    if let Some((quote, column)) = open {
        return Err(ParseError {
            line,
            column,
            word: quote.into(),
            problem: Problem::Quote(quote),
        });
    }
    words.extend(current);
    Ok(words)
}

fn push(current: &mut Option<Word>, c: char, column: usize) {
    current
        .get_or_insert_with(|| Word {
            text: String::new(),
            column,
        })
        .text
        .push(c);
}

/// A cursor over the words of one command.
#[derive(Debug, Clone)]
pub(super) struct Args<'w> {
    words: &'w [Word],
    at: usize,
    line: usize,
}

impl<'w> Args<'w> {
    /// At the first word.
    pub fn new(words: &'w [Word], line: usize) -> Self {
        Self { words, at: 0, line }
    }

    /// The next word, without taking it.
    pub fn peek(&self) -> Option<&'w str> {
        self.words.get(self.at).map(|word| word.text.as_str())
    }

    /// The next word.
    pub fn next(&mut self) -> Option<&'w str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// Takes the next word if it is `word`.
    pub fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    /// The next word, which must be there.
    pub fn expect(&mut self, expected: &str) -> Result<&'w str, ParseError> {
        self.next().ok_or_else(|| self.missing(expected))
    }

    /// The next word, read by `read`; one that `read` does not take is an error that names `expected`.
    pub fn value<T>(
        &mut self,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ParseError> {
        let word = self.expect(expected)?;
        read(word).ok_or_else(|| self.unexpected(expected))
    }

    /// An error if words are left.
    pub fn end(&mut self) -> Result<(), ParseError> {
        match self.next() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the command")),
        }
    }

    /// How many words have been taken.
    pub fn taken(&self) -> usize {
        self.at
    }

    /// The word taken last does not fit.
    pub fn unexpected(&self, expected: &str) -> ParseError {
        let word = self.latest();
        self.error(Problem::Unexpected {
            word: word.into(),
            expected: expected.into(),
        })
    }

    /// The word taken last is none that is simulated: a slip of one of `known` is a mistake, another word is *not
    /// covered*, named by `what`.
    pub fn not_covered(&self, what: String, known: &str) -> Result<Command, ParseError> {
        match meant(self.latest(), known) {
            Some(_) => Err(self.unexpected(known)),
            None => Ok(Command::NotCovered { what }),
        }
    }

    /// A word is missing after the last one.
    pub fn missing(&self, expected: &str) -> ParseError {
        let column = self
            .words
            .last()
            .map_or(1, |word| word.column + word.text.chars().count());
        let problem = Problem::Missing {
            expected: expected.into(),
        };
        ParseError {
            line: self.line,
            column,
            word: String::new(),
            problem,
        }
    }

    /// The word taken last is wrong.
    pub fn error(&self, problem: Problem) -> ParseError {
        let column = self
            .at
            .checked_sub(1)
            .and_then(|at| self.words.get(at))
            .map_or(1, |word| word.column);
        ParseError {
            line: self.line,
            column,
            word: self.latest().into(),
            problem,
        }
    }

    /// The word taken last.
    pub fn latest(&self) -> &'w str {
        self.at
            .checked_sub(1)
            .and_then(|at| self.words.get(at))
            .map_or("", |word| word.text.as_str())
    }

    /// The command's first words that are no options, as a name for it: `orc tap`, `ip link del`.
    pub fn name(&self, words: usize) -> String {
        let plain = self
            .words
            .iter()
            .map(|word| word.text.as_str())
            .filter(|word| !word.starts_with('-'));
        plain.take(words).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<(String, usize)> {
        words(line, 1, 1)
            .unwrap()
            .into_iter()
            .map(|word| (word.text, word.column))
            .collect()
    }

    #[test]
    fn words_have_columns_counted_in_characters() {
        assert_eq!(texts("ip  link"), [("ip".into(), 1), ("link".into(), 5)]);
        assert_eq!(texts("é x"), [("é".into(), 1), ("x".into(), 3)]);
    }

    #[test]
    fn quotes_hold_a_word_together_and_a_hash_ends_the_command() {
        assert_eq!(
            texts("sysctl \"a=1 2\" # why"),
            [("sysctl".into(), 1), ("a=1 2".into(), 8)]
        );
        assert_eq!(texts("a#b"), [("a#b".into(), 1)]);
        assert_eq!(
            words("a 'b", 7, 1).unwrap_err().to_string(),
            "Line 7, column 3: the quote ' is never closed, expected another one."
        );
    }
}
