//! `ip ioam namespace add`: which namespaces of IOAM a host fills in.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::ip::not_covered;
use super::lex::Args;
use super::value::number;

/// A namespace of IOAM (`struct ioam6_namespace`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoamNamespace {
    /// Its number.
    pub id: u16,
    /// `data`, 4 bytes.
    pub data: u32,
    /// `wide`, 8 bytes.
    pub wide: u64,
}

/// `ip ioam namespace add ID [data D] [wide W]`.
pub(super) fn parse(mut args: Args<'_>, netns: Netns) -> Result<Vec<Command>, ParseError> {
    match args.next() {
        None => {
            return Ok(vec![Command::NoEffect {
                why: "it only shows settings",
            }]);
        }
        Some("namespace") => {}
        Some("schema") => return not_covered("ip ioam schema"),
        _ => return Err(args.unexpected("namespace or schema")),
    }
    match args.expect("add, del, show or set")? {
        "add" => {}
        "show" | "list" => {
            return Ok(vec![Command::NoEffect {
                why: "it only shows settings",
            }]);
        }
        "del" | "set" => return not_covered(&format!("ip ioam namespace {}", args.latest())),
        _ => return Err(args.unexpected("add, del, show or set")),
    }
    let id = args.value("a namespace from 0 to 65535", |word| {
        number(word).and_then(|id| u16::try_from(id).ok())
    })?;
    let mut namespace = IoamNamespace {
        id,
        data: u32::MAX,
        wide: u64::MAX,
    };
    while let Some(word) = args.next() {
        match word {
            "data" => namespace.data = args.value("4 bytes as a number", digits)? as u32,
            "wide" => namespace.wide = args.value("8 bytes as a number", digits)?,
            _ => return Err(args.unexpected("data or wide")),
        }
    }
    Ok(vec![Command::IoamNamespaceAdd { netns, namespace }])
}

fn digits(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}
