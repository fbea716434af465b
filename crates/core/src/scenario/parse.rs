//! Text → commands.
//!
//! # Which lines are commands
//! * A **prompt** is `$ `, `# `, or one of them behind `^C` or behind a shell's `user@host:dir`.
//! * `# ` begins a prompt only when the first word behind it is a known tool ([`TOOLS`]); else the line is
//!   a comment. Behind `$ `, `^C#` and `user@host…#` there can be no comment, so there any word is a command.
//! * In a text in which some line has a prompt, a line without prompt is output of a program and is skipped.
//! * In a text without any prompt every line is a command, except blank ones and comments (`#…`).
//!
//! Skipped lines (output, comments, empty prompts) are returned with their numbers; only blank lines are not.

use super::command::{Command, Line, Netns};
use super::error::{ParseError, Problem};
use super::lex::{Args, Word, words};
use super::{bpftool, bridge, contradict, ethtool, ip, nft, nic, orc, ping, sysctl, tc};

/// Largest text that is read, bytes.
pub const MAX_TEXT: usize = 1 << 20;

/// The tools whose command lines are known.
pub const TOOLS: [&str; 25] = [
    "ip", "tc", "bridge", "ethtool", "sysctl", "echo", "bpftool", "ping", "orc", "send", "nic",
    "cat", "clang", "gcc", "llc", "make", "ls", "sleep", "tcpdump", "modprobe", "iptables", "nft",
    "sudo", "true", "headroom",
];

/// What a text held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The commands, in order. One line may give several (`sysctl -w a=1 b=2`).
    pub lines: Vec<Line>,
    /// Lines that were no command, with their 1-based numbers.
    pub skipped: Vec<(usize, String)>,
}

/// Reads what a person would paste.
///
/// # Errors
/// The first line that must be a command but is none that is known, with its place; a text over [`MAX_TEXT`] bytes.
pub fn parse(text: &str) -> Result<Parsed, ParseError> {
    check_size(text.len())?;
    let has_prompts = text
        .lines()
        .any(|line| matches!(classify(line), Shape::Prompt { .. }));
    let mut parsed = Parsed::default();
    for (number, line) in (1..).zip(text.lines()) {
        match classify(line) {
            Shape::Blank => {}
            Shape::Prompt { at } if !line[at..].trim().is_empty() => {
                command_line(number, line, at, &mut parsed.lines)?
            }
            Shape::Plain if !has_prompts => command_line(number, line, 0, &mut parsed.lines)?,
            Shape::Prompt { .. } | Shape::Plain | Shape::Comment => {
                parsed.skipped.push((number, line.to_owned()))
            }
        }
    }
    Ok(parsed)
}

/// Reads the `setup` array of a recording: every string is a command, without prompt.
///
/// # Errors
/// As [`parse`]; a line number is the 1-based index. An empty string is an error.
pub fn parse_setup(setup: &[String]) -> Result<Vec<Line>, ParseError> {
    parse_setup_without(setup, &[])
}

/// The same, without the commands of these line numbers, whatever they are.
pub(crate) fn parse_setup_without(
    setup: &[String],
    left_out: &[usize],
) -> Result<Vec<Line>, ParseError> {
    check_size(setup.iter().map(String::len).sum())?;
    let mut lines = Vec::new();
    for (number, line) in (1..)
        .zip(setup)
        .filter(|(number, _)| !left_out.contains(number))
    {
        command_line(number, line, 0, &mut lines)?;
    }
    Ok(lines)
}

fn check_size(size: usize) -> Result<(), ParseError> {
    if size <= MAX_TEXT {
        return Ok(());
    }
    let problem = Problem::TooLarge {
        what: "the text",
        size,
        limit: MAX_TEXT,
    };
    Err(ParseError {
        line: 0,
        column: 0,
        word: String::new(),
        problem,
    })
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Blank,
    Comment,
    /// A prompt; the command starts at byte `at`.
    Prompt {
        at: usize,
    },
    Plain,
}

pub(super) fn classify(line: &str) -> Shape {
    let trimmed = line.trim_start();
    if trimmed.is_empty() {
        return Shape::Blank;
    }
    let indent = line.len() - trimmed.len();
    if let Some(length) = sure_prompt(trimmed) {
        return Shape::Prompt {
            at: indent + length,
        };
    }
    match trimmed.strip_prefix('#') {
        Some("") => Shape::Prompt { at: line.len() },
        Some(rest)
            if rest.starts_with([' ', '\t'])
                && rest.split_whitespace().next().is_some_and(is_tool) =>
        {
            Shape::Prompt { at: indent + 1 }
        }
        Some(_) => Shape::Comment,
        None => Shape::Plain,
    }
}

/// Length of a prompt behind which only a command can stand.
fn sure_prompt(line: &str) -> Option<usize> {
    let marker = match line.strip_prefix("^C") {
        Some(_) => 2,
        None if line.starts_with('$') => 0,
        None => {
            let marker = line.find(['#', '$'])?;
            let host = &line[..marker];
            let shell = host.contains('@')
                && host.split_whitespace().count() <= if host.starts_with('[') { 2 } else { 1 };
            shell.then_some(marker)?
        }
    };
    let rest = line.get(marker..)?;
    let after = rest.strip_prefix(['#', '$'])?;
    (after.is_empty() || after.starts_with([' ', '\t'])).then_some(marker + 1)
}

fn is_tool(word: &str) -> bool {
    TOOLS.contains(&tool_name(word))
}

/// `/usr/sbin/ip` is `ip`.
pub(super) fn tool_name(word: &str) -> &str {
    match word.rsplit_once('/') {
        Some((dir, name)) if dir.is_empty() || dir.starts_with('/') => name,
        _ => word,
    }
}

/// Parses the command that starts at byte `at` of `line`.
fn command_line(
    number: usize,
    line: &str,
    at: usize,
    lines: &mut Vec<Line>,
) -> Result<(), ParseError> {
    let column = line[..at].chars().count() + 1;
    let words = words(&line[at..], number, column)?;
    let text = line[at..].trim();
    for command in command(&words, number, &None)? {
        lines.push(Line {
            number,
            text: text.to_owned(),
            command,
        });
    }
    Ok(())
}

/// Parses the words of one command that runs in `netns`.
pub(super) fn command(
    words: &[Word],
    line: usize,
    netns: &Netns,
) -> Result<Vec<Command>, ParseError> {
    let mut args = Args::new(words, line);
    let tool = tool_name(args.expect("a command")?);
    let found = tool_command(tool, args, words, line, netns)?;
    // what runs in a namespace is a command of its own
    let nested = words.iter().any(|word| word.text == "exec");
    if matches!(tool, "ip" | "bridge" | "tc") && !nested {
        contradict::check(words, line)?;
    }
    Ok(found)
}

/// By the tool's name.
fn tool_command(
    tool: &str,
    args: Args<'_>,
    words: &[Word],
    line: usize,
    netns: &Netns,
) -> Result<Vec<Command>, ParseError> {
    match tool {
        "ip" => ip::parse(args, words, line, netns),
        "sysctl" => sysctl::parse(args, netns),
        "echo" => sysctl::parse_echo(args, netns),
        "bpftool" => bpftool::parse(args, netns).map(one),
        "ping" => ping::parse(args, netns).map(one),
        "ethtool" => ethtool::parse(args, netns),
        "orc" => orc::parse(args, netns).map(one),
        "nic" => nic::parse(args, netns).map(one),
        "send" => orc::send(args, netns).map(one),
        "bridge" => bridge::parse(args, netns).map(one),
        "tc" => tc::parse(args, netns).map(one),
        "nft" => nft::parse(words, line, netns).map(one),
        "headroom" => orc::assume(args).map(one),
        "sudo" => command(words.get(1..).unwrap_or_default(), line, netns),
        "cat" | "ls" => Ok(one(Command::NoEffect {
            why: "it only shows files",
        })),
        "clang" | "gcc" | "llc" | "make" => Ok(one(Command::NoEffect {
            why: "programs come with the scenario, built",
        })),
        "modprobe" => Ok(one(Command::NoEffect {
            why: "what the simulator has is there without loading",
        })),
        "sleep" | "true" => Ok(one(Command::NoEffect {
            why: "the simulator has no clock",
        })),
        tool if is_tool(tool) => Ok(one(Command::NotCovered { what: args.name(3) })),
        _ => Err(args.unexpected(&format!("one of the tools {}", TOOLS.join(", ")))),
    }
}

fn one(command: Command) -> Vec<Command> {
    vec![command]
}
