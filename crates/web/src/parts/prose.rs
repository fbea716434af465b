//! Sentences of the core with kernel names, offsets and bytes set in the monospaced face.

use headroom_core::scene::order::{cut, place_of};

use crate::dom::{El, Said, code, el};

#[cfg(feature = "views")]
pub use super::views::ticks;

/// A word that belongs into the monospaced face: a kernel name, an offset, a byte.
fn is_code(word: &str) -> bool {
    let word = word.trim_matches(|c: char| matches!(c, '.' | ',' | ':' | ';' | '(' | ')'));
    let digits = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_digit() || c == '–');
    let byte = hex_byte(word) && word.chars().any(|c| c.is_ascii_digit());
    word.contains('_') || word.starts_with("0x") || digits(word) || byte
}

/// Two hexadecimal digits. Letters alone may be a word, `be`: they are a byte only behind another.
fn hex_byte(word: &str) -> bool {
    let digit = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_uppercase();
    word.len() == 2 && word.chars().all(digit)
}

/// Splits a sentence into runs of (is code, text). Punctuation stays outside.
#[must_use]
pub fn runs(text: &str) -> Vec<(bool, String)> {
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut push = |code: bool, part: &str| match out.as_mut_slice() {
        _ if part.is_empty() => {}
        [.., (last, text)] if *last == code => text.push_str(part),
        // `mac_header 256 → 294` is one run.
        [.., (true, text), (false, between)] if code && matches!(between.as_str(), " " | " → ") =>
        {
            text.push_str(between);
            text.push_str(part);
            out.pop();
        }
        _ => out.push((code, part.to_owned())),
    };
    // Bytes stand behind their place, `36–43: 08 00`, and behind one another.
    let mut among_bytes = false;
    for piece in text.split_inclusive(' ') {
        let word = piece.trim_end();
        let byte = hex_byte(word.trim_end_matches('.'));
        let is_code = is_code(word) || (among_bytes && byte);
        among_bytes = is_code && (byte || word.ends_with(':'));
        if !is_code {
            push(false, piece);
            continue;
        }
        let punctuation = |c: char| matches!(c, '.' | ',' | ':' | ';' | '(' | ')' | ' ');
        let trimmed = piece.trim_start_matches(punctuation);
        let (front, rest) = cut(piece, piece.len() - trimmed.len());
        let (word, behind) = cut(rest, rest.trim_end_matches(punctuation).len());
        push(false, front);
        push(true, word);
        push(false, behind);
    }
    out
}

/// Text and code, as nodes.
fn marked(into: El, text: &str) -> El {
    let one = |into: El, (is_code, words): (bool, String)| {
        if is_code {
            into.child(code(&words))
        } else {
            into.text(&words)
        }
    };
    runs(text).into_iter().fold(into, one)
}

/// Appends a sentence: kernel names are in the monospaced face.
#[must_use]
pub fn prose(into: El, text: &str) -> El {
    marked(into, text)
}

/// Texts with empty lines between them.
#[must_use]
pub fn paragraphs(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = place_of(rest, "\n\n") {
        let (paragraph, behind) = cut(rest, at);
        out.push(paragraph);
        rest = cut(behind, 2).1;
    }
    out.push(rest);
    out
}

/// A text whose nodes stay: plain text and code in turns, each node shown again with other words.
pub(super) struct Words {
    parent: El,
    /// The text of each turn, the first of plain text.
    turns: Vec<Said>,
}

impl Words {
    /// None yet, at the end of an element.
    pub(super) fn new(parent: &El) -> Self {
        Self {
            parent: parent.clone(),
            turns: Vec::new(),
        }
    }

    /// Shows a text.
    pub(super) fn show(&mut self, words: &str) {
        let mut at = 0;
        for (is_code, part) in runs(words) {
            if is_code != (at % 2 == 1) {
                self.turn(at, "");
                at += 1;
            }
            self.turn(at, &part);
            at += 1;
        }
        for rest in at..self.turns.len() {
            self.turn(rest, "");
        }
    }

    fn turn(&mut self, at: usize, words: &str) {
        if at == self.turns.len() {
            self.turns.push(match at % 2 {
                0 => Said::new(&self.parent),
                _ => {
                    let code = el("code");
                    self.parent.append(&code);
                    Said::new(&code)
                }
            });
        }
        if let Some(turn) = self.turns.get_mut(at) {
            turn.say(words);
        }
    }
}

/// Sentences of which the first stands out.
pub(super) struct Sentences {
    insn: Said,
    first: Words,
    rest: Words,
}

impl Sentences {
    /// None yet, at the end of an element.
    pub(super) fn new(parent: &El) -> Self {
        let (insn, strong) = (el("code").class("insn"), el("strong"));
        parent.append(&insn);
        parent.append(&strong);
        Self {
            insn: Said::new(&insn),
            first: Words::new(&strong),
            rest: Words::new(parent),
        }
    }

    /// Shows them.
    pub(super) fn show(&mut self, words: &str) {
        let (insn, first, rest) = parts(words);
        self.insn.say(insn);
        self.first.show(first);
        self.rest.show(rest);
    }
}

/// An instruction or a first sentence, and the rest.
fn parts(words: &str) -> (&str, &str, &str) {
    if is_instruction(words) {
        let (insn, rest) = cut(words, instruction_end(words));
        return (insn, "", rest);
    }
    let (first, rest) = cut(
        words,
        place_of(words, ". ").map_or(words.len(), |at| at + 1),
    );
    ("", first, rest)
}

/// `r3 = *(u32 *)(r1 +0). …`: the sentence of an instruction begins with the instruction.
fn is_instruction(text: &str) -> bool {
    let text = text.strip_prefix("prologue: ").unwrap_or(text);
    let register = |text: &str| {
        let mut chars = text.chars();
        matches!(chars.next(), Some('r' | 'w')) && chars.next().is_some_and(|c| c.is_ascii_digit())
    };
    register(text)
        || ["*(", "if r", "if w", "call ", "exit", "goto ", "lock "]
            .iter()
            .any(|start| text.starts_with(start))
}

/// Where the instruction ends and the words begin.
fn instruction_end(text: &str) -> usize {
    let ends = [". ", " sets "]
        .iter()
        .filter_map(|end| place_of(text, end));
    ends.min()
        .unwrap_or_else(|| text.trim_end_matches('.').len())
}

/// Appends a text in which `code` stands in back-quotes.
#[must_use]
pub fn ticked(into: El, words: &str) -> El {
    let one = |into: El, (index, part): (usize, &str)| match index % 2 {
        1 => into.child(code(part)),
        _ => into.text(part),
    };
    words.split('`').enumerate().fold(into, one)
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn kernel_names_and_numbers_are_code_and_punctuation_is_not() {
        let code: Vec<String> = runs(
            "get_tag on decap read 524288. The bytes at 290–293 are (flags 0x0000, id 08 00).",
        )
        .into_iter()
        .filter(|(code, _)| *code)
        .map(|(_, text)| text)
        .collect();
        assert_eq!(code, ["get_tag", "524288", "290–293", "0x0000", "08 00"]);
    }

    #[test]
    fn a_byte_of_letters_is_one_among_bytes() {
        let code = |text| {
            let runs = runs(text).into_iter().filter(|(code, _)| *code);
            runs.map(|(_, text)| text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            code("Eight bytes were written at 36–43: 08 00 db d6 07."),
            "36–43 08 00 db d6 07"
        );
        assert_eq!(
            code("It changed mac_header 256 → 294 and len 40 → 36."),
            "mac_header 256 → 294 40 → 36"
        );
        assert_eq!(code("It wrote two bytes at 50–51: ca fe."), "50–51 ca fe");
        assert_eq!(code("It may be said of 20 bytes."), "20");
    }

    #[test]
    fn nothing_is_lost() {
        for text in ["", " ", "a_b.", "…x_y…", "(0x1) – 5 _", "é_ü "] {
            let joined: String = runs(text).into_iter().map(|(_, text)| text).collect();
            assert_eq!(joined, text);
        }
    }
}
