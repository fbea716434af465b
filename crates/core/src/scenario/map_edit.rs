//! `bpftool map update` and `bpftool map delete`: what a map holds.

use super::bpftool::program_of;
use super::command::Command;
use super::error::ParseError;
use super::lex::Args;

/// A change of a map, by a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapEdit {
    /// Name of the map.
    pub map: String,
    /// Its key, in the map's own byte order; empty for a queue, a stack or a bloom filter.
    pub key: Vec<u8>,
    /// What becomes of it.
    pub to: Entry,
}

/// What a key gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A value, with `BPF_ANY` (0), `BPF_NOEXIST` (1) or `BPF_EXIST` (2).
    Value(Vec<u8>, u64),
    /// A program, in a map of programs.
    Program(String),
    /// Nothing.
    Deleted,
}

/// `MAP [key DATA] value VALUE [any|exist|noexist]`, MAP as `name NAME` or `pinned FILE`.
pub(super) fn update(mut args: Args<'_>) -> Result<Command, ParseError> {
    let Some(map) = handle(&mut args)? else {
        return Ok(by_number("update"));
    };
    let key = key(&mut args)?;
    args.value("value VALUE", |word| (word == "value").then_some(()))?;
    if let Some(how) = args
        .peek()
        .filter(|word| matches!(*word, "pinned" | "name"))
    {
        args.next();
        let word = args.expect("a program")?;
        let program = if how == "name" {
            Some(word.to_owned())
        } else {
            program_of(word)
        };
        let program = program.ok_or_else(|| args.unexpected("the path of a pinned program"))?;
        args.end()?;
        let to = Entry::Program(program);
        return Ok(Command::MapEdit(MapEdit { map, key, to }));
    }
    let value = bytes(&mut args)?;
    let flags = match args.next() {
        None | Some("any") => 0,
        Some("noexist") => 1,
        Some("exist") => 2,
        Some(_) => return Err(args.unexpected("any, exist or noexist")),
    };
    args.end()?;
    let to = Entry::Value(value, flags);
    Ok(Command::MapEdit(MapEdit { map, key, to }))
}

/// `MAP key DATA`.
pub(super) fn delete(mut args: Args<'_>) -> Result<Command, ParseError> {
    let Some(map) = handle(&mut args)? else {
        return Ok(by_number("delete"));
    };
    let key = key(&mut args)?;
    args.end()?;
    let to = Entry::Deleted;
    Ok(Command::MapEdit(MapEdit { map, key, to }))
}

fn by_number(verb: &str) -> Command {
    Command::NotCovered {
        what: format!("bpftool map {verb} id: maps have names here"),
    }
}

/// The map's name; `None` for its number.
fn handle(args: &mut Args<'_>) -> Result<Option<String>, ParseError> {
    const EXPECTED: &str = "name NAME or pinned FILE";
    Ok(match args.expect(EXPECTED)? {
        "name" => Some(args.expect("the name of a map")?.to_owned()),
        "pinned" => {
            let path = args.expect("the path of a pinned map")?;
            Some(program_of(path).ok_or_else(|| args.unexpected("the path of a pinned map"))?)
        }
        "id" => None,
        _ => return Err(args.unexpected(EXPECTED)),
    })
}

fn key(args: &mut Args<'_>) -> Result<Vec<u8>, ParseError> {
    if !args.take("key") {
        return Ok(Vec::new());
    }
    bytes(args)
}

/// `DATA`: bytes as numbers, all in base 16 after `hex`; without, `0x` and `0` say the base (`parse_bytes()`,
/// tools/bpf/bpftool/map.c).
fn bytes(args: &mut Args<'_>) -> Result<Vec<u8>, ParseError> {
    const EXPECTED: &str = "a byte";
    let hex = args.take("hex");
    let mut bytes = Vec::new();
    while let Some(word) = args.peek() {
        if !word.starts_with(|c: char| c.is_ascii_digit() || hex && c.is_ascii_hexdigit()) {
            break;
        }
        bytes.push(args.value(EXPECTED, |word| byte(word, hex))?);
    }
    if bytes.is_empty() {
        return Err(match args.next() {
            Some(_) => args.unexpected(EXPECTED),
            None => args.missing(EXPECTED),
        });
    }
    Ok(bytes)
}

fn byte(word: &str, hex: bool) -> Option<u8> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match (digits, hex) {
        (Some(digits), _) => u8::from_str_radix(digits, 16).ok(),
        (None, true) => u8::from_str_radix(word, 16).ok(),
        (None, false) if word.len() > 1 && word.starts_with('0') => {
            u8::from_str_radix(word, 8).ok()
        }
        (None, false) => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn edit(text: &str) -> MapEdit {
        let parsed = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        match &parsed.lines[0].command {
            Command::MapEdit(edit) => edit.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    /// bpftool-map(8): `DATA` in base 16 after `hex`.
    #[test]
    fn commands_of_bpftool() {
        let set = edit("bpftool map update name ports key hex 01 0a 00 ff value hex 2a 00 noexist");
        assert_eq!((&*set.map, &*set.key), ("ports", &[1, 10, 0, 255][..]));
        assert_eq!(set.to, Entry::Value(vec![42, 0], 1));
        let set =
            edit("bpftool map update pinned /sys/fs/bpf/ports key 10 0x10 010 0 value 255 exist");
        assert_eq!((&*set.map, &*set.key), ("ports", &[10, 16, 8, 0][..]));
        assert_eq!(set.to, Entry::Value(vec![255], 2));
        let queue = edit("bpftool map update name q value 1 2");
        assert_eq!((queue.key, queue.to), (vec![], Entry::Value(vec![1, 2], 0)));
        let jump = edit("bpftool map update name jumps key 1 0 0 0 value pinned /sys/fs/bpf/next");
        assert_eq!(jump.to, Entry::Program("next".into()));
        assert_eq!(
            edit("bpftool map delete name ports key 1").to,
            Entry::Deleted
        );
    }

    #[test]
    fn mistakes_name_their_column() {
        let wrong = |text: &str| parse(text).expect_err(text).to_string();
        for (text, column) in [
            ("bpftool map update name m key 256 value 1", 31),
            ("bpftool map update name m key hex 100 value 1", 35),
            ("bpftool map update name m key value 1", 31),
            ("bpftool map update name m key 1 valeu 1", 33),
            ("bpftool map update nome m key 1 value 1", 20),
            ("bpftool map update name m key 1 value 1 often", 41),
            ("bpftool map delete name m key 1 2 x", 35),
            ("bpftool map update name m key 1 value", 38),
        ] {
            let message = wrong(text);
            assert!(
                message.contains(&format!("column {column}")),
                "{text}: {message}"
            );
        }
    }
}
