//! Steps at which something happens that one asks for: `write to byte 252`, `change of mac_header`,
//! `wrong read`, a function, an instruction. The stepper goes from one to the next, and stops there
//! while it plays.

use std::fmt;

use super::changes::changes;
use super::map::Map;
use super::name::what;
use super::order::place_of;
use crate::trace::{Edge, Step, StepKind, Trace};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A byte of the packet's buffer is written or moved into: its offset from `head`.
    Write(u32),
    /// Metadata are read; only wrongly, if set.
    Read {
        /// Not what was written, or not found.
        wrong: bool,
    },
    /// A field of the packet gets another value: the kernel's name.
    Change(String),
    /// A function or program begins whose name holds this.
    Call(String),
    /// An instruction of a program as written: its index, and the program's name if only one is meant.
    Instruction(usize, Option<String>),
    /// A packet is dropped.
    Drop,
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    /// `write` or `instruction` without a number behind it.
    NoNumber {
        /// The word in front.
        after: &'static str,
        /// What stands there.
        found: String,
    },
    /// `change` without the name of a field.
    NoField,
    /// More than one word, and none of those that begin a query.
    Unknown(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumber { after, found } if found.is_empty() => {
                write!(f, "{after} needs a number, such as {after} 252")
            }
            Self::NoNumber { after, found } => {
                write!(f, "{after} needs a number, and “{found}” is none")
            }
            Self::NoField => f.write_str("change needs a field, such as change mac_header"),
            Self::Unknown(text) => write!(
                f,
                "“{text}” is none of: write 252, change mac_header, read, wrong read, drop, instruction 12, a function's name"
            ),
        }
    }
}

impl std::error::Error for QueryError {}

/// Words that make a sentence and say nothing.
const FILLERS: [&str; 9] = ["next", "first", "to", "of", "byte", "at", "the", "a", "in"];

impl Query {
    /// Reads a query. `None` for an empty text.
    ///
    /// # Errors
    /// What is missing in it.
    pub fn parse(text: &str) -> Result<Option<Self>, QueryError> {
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| !FILLERS.contains(word))
            .collect();
        let number = |after: &'static str| {
            let found = words.get(1).copied().unwrap_or_default();
            let digits = found.parse::<u32>();
            digits.map_err(|_| QueryError::NoNumber {
                after,
                found: found.to_owned(),
            })
        };
        Ok(Some(match words.as_slice() {
            [] => return Ok(None),
            ["write" | "writes", ..] => Self::Write(number("write")?),
            ["instruction" | "insn", rest @ ..] => Self::Instruction(
                number("instruction")? as usize,
                rest.get(1).map(|name| (*name).to_owned()),
            ),
            ["read" | "reads"] => Self::Read { wrong: false },
            ["wrong", "read" | "reads"] | ["wrong"] => Self::Read { wrong: true },
            ["drop" | "drops"] => Self::Drop,
            ["change" | "changes", field] => Self::Change((*field).to_owned()),
            ["change" | "changes"] => return Err(QueryError::NoField),
            ["call" | "function" | "program", name] | [name] => Self::Call((*name).to_owned()),
            _ => return Err(QueryError::Unknown(text.trim().to_owned())),
        }))
    }

    /// The steps of a trace at which it happens, in order.
    #[must_use]
    pub fn steps(&self, trace: &Trace) -> Vec<usize> {
        let all = || trace.steps.iter().enumerate();
        let those = |is: &dyn Fn(&Step) -> bool| {
            let found = all().filter(|(_, step)| is(step));
            found.map(|(index, _)| index).collect()
        };
        match self {
            Self::Read { wrong } => trace
                .reads
                .iter()
                .filter(|read| !wrong || read.verdict.is_wrong())
                .map(|read| read.step)
                .collect(),
            Self::Change(field) => changed(trace, field),
            Self::Write(byte) => those(&|step| writes(trace, step, *byte)),
            Self::Drop => those(&|step| {
                matches!(
                    step.kind,
                    StepKind::EndOfLife {
                        drop_reason: Some(_),
                        ..
                    }
                )
            }),
            Self::Call(name) => {
                those(&|step| begins(step) && place_of(what(trace, step), name).is_some())
            }
            Self::Instruction(number, program) => those(&|step| {
                let named = program
                    .as_deref()
                    .is_none_or(|name| what(trace, step) == name);
                named && is_instruction(trace, step, *number)
            }),
        }
    }
}

fn begins(step: &Step) -> bool {
    matches!(
        step.kind,
        StepKind::Function {
            edge: Edge::Entry,
            ..
        } | StepKind::Program {
            edge: Edge::Entry,
            ..
        } | StepKind::EndOfLife { .. }
    )
}

/// Writes into the step's own buffer. Making a buffer is no write.
fn writes(trace: &Trace, step: &Step, byte: u32) -> bool {
    let writes = trace.writes.get(step.writes.clone()).unwrap_or_default();
    writes.iter().any(|write| {
        let end = write.offset.saturating_add(write.new.len() as u32);
        Some(write.buffer) == step.buffer
            && !write.old.is_empty()
            && (write.offset..end).contains(&byte)
    })
}

fn is_instruction(trace: &Trace, step: &Step, number: usize) -> bool {
    let StepKind::Insn { run, insn, .. } = step.kind else {
        return false;
    };
    let lines = trace.runs.get(run).map(|run| &run.listing.lines);
    lines
        .and_then(|lines| lines.get(insn))
        .and_then(|line| line.written)
        == Some(number)
}

/// Steps at which a field of a packet has another value than at the step before of that packet.
fn changed(trace: &Trace, field: &str) -> Vec<usize> {
    let mut last = Map::default();
    let mut out = Vec::new();
    for (index, step) in trace.steps.iter().enumerate() {
        let (Some(skb), Some(now)) = (step.skb, step.fields) else {
            continue;
        };
        let Some(before) = last.insert(skb, now).filter(|before| *before != now) else {
            continue;
        };
        let (Some(old), Some(new)) = (trace.fields.get(before), trace.fields.get(now)) else {
            continue;
        };
        if changes(old, new).iter().any(|change| change.name == field) {
            out.push(index);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::names;
    use crate::scene::testing::decap;

    fn found(design: &str, text: &str) -> Vec<String> {
        let trace = decap(design);
        let names = names(&trace);
        let query = Query::parse(text).expect(text).expect(text);
        let steps = query.steps(&trace);
        steps.iter().map(|step| names[*step].to_string()).collect()
    }

    #[test]
    fn texts_are_read_with_and_without_fillers() {
        let read = |text| Query::parse(text);
        assert_eq!(read("  "), Ok(None));
        assert_eq!(read("next write to byte 252"), Ok(Some(Query::Write(252))));
        assert_eq!(read("write 252"), Ok(Some(Query::Write(252))));
        assert_eq!(
            read("next change of mac_header"),
            Ok(Some(Query::Change("mac_header".into())))
        );
        assert_eq!(
            read("first wrong read"),
            Ok(Some(Query::Read { wrong: true }))
        );
        assert_eq!(read("ip_rcv"), Ok(Some(Query::Call("ip_rcv".into()))));
        for text in [
            "write",
            "write x",
            "change",
            "instruction",
            "two words here",
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains("such as") || error.contains('“'), "{error}");
        }
    }

    #[test]
    fn the_first_wrong_read_is_that_on_the_tunnel() {
        let all = found("mac_header", "read");
        let wrong = found("mac_header", "wrong read");
        assert!(
            wrong
                .iter()
                .all(|name| name.contains("get_tag") && name.contains("@decap")),
            "{wrong:?}"
        );
        assert!(!wrong.is_empty() && wrong.len() <= all.len());
        assert_eq!(found("meta_end", "wrong read"), [""; 0]);
    }

    #[test]
    fn the_tag_is_written_once_and_mac_header_set_and_moved() {
        let written = found("mac_header", "write to byte 252");
        assert_eq!(written.len(), 1, "{written:?}");
        assert!(written[0].starts_with("set_tag."), "{written:?}");
        let moved = found("mac_header", "change of mac_header");
        // Set by eth_type_trans, moved on the tunnel device.
        assert_eq!(
            moved,
            ["eth_type_trans.exit@rx#1", "ip_tunnel_rcv.exit@decap#1"]
        );
        // Under meta_end the realign call moves the four bytes up to 290.
        assert_eq!(found("meta_end", "write 290").len(), 1);
        assert_eq!(found("mac_header", "write 290"), [""; 0]);
    }

    #[test]
    fn a_function_is_found_where_it_begins() {
        let calls = found("mac_header", "ip_tunnel_rcv");
        assert!(
            !calls.is_empty() && calls.iter().all(|name| name.contains(".entry@")),
            "{calls:?}"
        );
        assert_eq!(found("mac_header", "drop"), [""; 0]);
    }
}
