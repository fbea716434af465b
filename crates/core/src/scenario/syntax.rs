//! Commands as an editor shows them: what each word is, and what may come next. Both ask the parser
//! itself, so that the editor never knows a command that the simulator does not, or the other way round.

use std::ops::Range;

use super::error::Problem;
use super::lex::words;
use super::parse::{Shape, TOOLS, classify, command, parse, tool_name};
use super::topology_error::KINDS;
use super::value;

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A shell's prompt.
    Prompt,
    /// The tool: `ip`, `tc`.
    Tool,
    /// A word of the tool's own grammar.
    Word,
    /// An option: `-n`.
    Flag,
    /// An address, of IP or of a link.
    Address,
    /// A number, with or without `0x`.
    Number,
    /// A name that the text defines: device, namespace, program.
    Name,
    /// Bytes in hex.
    Bytes,
    /// A comment, or output that is passed over.
    Comment,
}

impl Kind {
    /// Class in a style sheet.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Prompt => "t-prompt",
            Self::Tool => "t-tool",
            Self::Word => "t-word",
            Self::Flag => "t-flag",
            Self::Address => "t-addr",
            Self::Number => "t-num",
            Self::Name => "t-name",
            Self::Bytes => "t-bytes",
            Self::Comment => "t-comment",
        }
    }
}

/// A piece of a line; the range counts bytes of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where.
    pub range: Range<usize>,
    /// What.
    pub kind: Kind,
}

/// The words that name something, in front of the name.
const NAMING: [&str; 12] = [
    "dev", "netns", "-n", "add", "name", "exec", "link", "set", "master", "vrf", "pinned", "prog",
];
/// Words of the tools' grammars that stand where a name could.
const GRAMMAR: [&str; 19] = [
    "dev",
    "type",
    "peer",
    "name",
    "address",
    "netns",
    "link",
    "up",
    "down",
    "via",
    "add",
    "set",
    "del",
    "xdp",
    "tcx",
    "prog",
    "exec",
    "xdpgeneric",
    "xdpdrv",
];

/// The tokens of each line of a text. Blanks are in none.
#[must_use]
pub fn tokens(text: &str) -> Vec<Vec<Token>> {
    let has_prompts = text
        .lines()
        .any(|line| matches!(classify(line), Shape::Prompt { .. }));
    text.split('\n')
        .map(|line| line_tokens(line, has_prompts))
        .collect()
}

fn line_tokens(line: &str, has_prompts: bool) -> Vec<Token> {
    let whole = |kind| {
        let start = line.len() - line.trim_start().len();
        vec![Token {
            range: start..line.trim_end().len(),
            kind,
        }]
    };
    match classify(line) {
        Shape::Blank => Vec::new(),
        Shape::Comment => whole(Kind::Comment),
        Shape::Plain if has_prompts => whole(Kind::Comment),
        Shape::Plain => command_tokens(line, 0),
        Shape::Prompt { at } => {
            let start = line.len() - line.trim_start().len();
            let mut out = vec![Token {
                range: start..at,
                kind: Kind::Prompt,
            }];
            out.extend(command_tokens(line, at));
            out
        }
    }
}

fn command_tokens(line: &str, at: usize) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut before = "";
    // `ip netns exec NAME` is followed by another command.
    let mut tool_at = 0;
    let mut position = at;
    for piece in line[at..].split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let start = position;
        position += piece.len();
        if word.is_empty() {
            continue;
        }
        if word.starts_with('#') {
            out.push(Token {
                range: start..line.trim_end().len(),
                kind: Kind::Comment,
            });
            break;
        }
        if before == "exec" {
            tool_at = out.len() + 1;
        }
        let kind = kind(word, before, out.len() == tool_at);
        out.push(Token {
            range: start..start + word.len(),
            kind,
        });
        before = word;
    }
    out
}

/// `command`: a command begins with this word.
fn kind(word: &str, before: &str, command: bool) -> Kind {
    let number = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        !digits.is_empty()
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (digits != text && b.is_ascii_hexdigit()))
    };
    let hex = word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    if command && TOOLS.contains(&tool_name(word)) {
        return Kind::Tool;
    }
    match word {
        _ if hex => Kind::Bytes,
        _ if word.starts_with('-') => Kind::Flag,
        _ if number(word) => Kind::Number,
        _ if value::ipv4_net(word).is_some()
            || value::mac(word).is_some()
            || value::is_ipv6(word) =>
        {
            Kind::Address
        }
        _ if NAMING.contains(&before) && !GRAMMAR.contains(&word) => Kind::Name,
        _ => Kind::Word,
    }
}

/// What could stand at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The word that is being typed: bytes of the text that a choice replaces.
    pub replaces: Range<usize>,
    /// What the parser expects there, in its words; empty when it expects nothing.
    pub expected: String,
    /// Words that fit and begin with what is typed.
    pub choices: Vec<String>,
}

/// Most choices that are given.
const MAX_CHOICES: usize = 24;

/// Completes the word that ends at byte `at` of the text.
#[must_use]
pub fn complete(text: &str, at: usize) -> Completion {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let before = &text[line_start..at];
    let typed = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    let replaces = at - typed.len()..at;
    let front = before[..before.len() - typed.len()].trim_end();
    let start = match classify(before) {
        Shape::Comment => {
            return Completion {
                replaces,
                ..Completion::default()
            };
        }
        Shape::Prompt { at } => at,
        Shape::Blank | Shape::Plain => 0,
    };
    let front = front.get(start..).unwrap_or_default();
    let expected = expected_after(front);
    let names = Names::of(text);
    let mut choices: Vec<String> = Vec::new();
    for word in alternatives(&expected, &names) {
        if word.starts_with(typed) && word != typed && !choices.contains(&word) {
            choices.push(word);
        }
    }
    choices.truncate(MAX_CHOICES);
    Completion {
        replaces,
        expected,
        choices,
    }
}

/// What the parser misses behind these words. Asked twice: with the words alone, and with a word that
/// fits nowhere behind them, because much may end where it stands and still go on.
fn expected_after(front: &str) -> String {
    if front.trim().is_empty() {
        return TOOLS.join(", ");
    }
    let ask = |text: &str| -> Option<String> {
        let words = words(text, 1, 1).ok()?;
        match command(&words, 1, &None).err()?.problem {
            Problem::Missing { expected } => Some(expected),
            Problem::Unexpected { word, expected } if word == NOWHERE => Some(expected),
            _ => None,
        }
    };
    ask(front)
        .or_else(|| ask(&format!("{front} {NOWHERE}")))
        .unwrap_or_default()
}

/// Fits nowhere: no name, number or address is so long.
const NOWHERE: &str = "\u{1}nowhere-nowhere-nowhere";

/// The names that a text defines.
#[derive(Default)]
struct Names {
    devices: Vec<String>,
    namespaces: Vec<String>,
}

impl Names {
    fn of(text: &str) -> Self {
        use super::command::{Command, LinkKind};
        let mut names = Self::default();
        let add = |list: &mut Vec<String>, name: &str| {
            if !list.iter().any(|known| known == name) {
                list.push(name.to_owned());
            }
        };
        // Line by line: one that is not understood yet must not hide the others.
        for line in text.lines() {
            for line in parse(line).map(|parsed| parsed.lines).unwrap_or_default() {
                match line.command {
                    Command::NetnsAdd { name } => add(&mut names.namespaces, &name),
                    Command::LinkAdd { name, kind, .. } => {
                        add(&mut names.devices, &name);
                        if let LinkKind::Veth { peer, .. } | LinkKind::Netkit { peer, .. } = kind {
                            add(&mut names.devices, &peer);
                        }
                    }
                    _ => {}
                }
            }
        }
        names
    }
}

/// The words of an expectation: `xdp, tcx or tap` are three, `a device` is the devices of the text.
fn alternatives(expected: &str, names: &Names) -> Vec<String> {
    let list = expected
        .strip_prefix("one of the tools ")
        .unwrap_or(expected);
    let mut out = Vec::new();
    for part in list.split(", ").flat_map(|part| part.split(" or ")) {
        let part = part.trim();
        match part {
            "a device" | "a device name" | "the device" => {
                out.extend(names.devices.iter().cloned())
            }
            "a namespace" | "a namespace name" => out.extend(names.namespaces.iter().cloned()),
            "a device type" => out.extend(KINDS.split(", ").map(str::to_owned)),
            _ => out.extend(word_of(part)),
        }
    }
    out
}

/// `xdp` itself, and `type` of `type KIND`; nothing of a description.
fn word_of(part: &str) -> Option<String> {
    let mut words = part.split(' ');
    let first = words.next().filter(|word| !word.is_empty())?;
    let placeholder = |word: &str| word.chars().all(|c| c.is_ascii_uppercase());
    let own = !first.starts_with(|c: char| c.is_ascii_uppercase());
    (words.next().is_none_or(placeholder) && words.next().is_none() && own)
        .then(|| first.trim_matches('`').to_owned())
}

#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
