//! `bpftool map update` and `map delete`: what a user puts into a map before a packet comes.

use super::bpftool::program_of;
use super::command::Command;
use super::error::ParseError;
use super::lex::Args;

/// A change of a map from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapChange {
    /// Name of the map.
    pub map: String,
    /// Key; empty for a queue or a stack.
    pub key: Vec<u8>,
    /// The new value; absent, if the key is deleted.
    pub value: Option<Vec<u8>>,
}

/// `bpftool map update|delete MAP key DATA [value DATA [any]]`, behind that verb. `MAP` is `name NAME` or
/// `pinned PATH`; `DATA` are bytes, decimal or with `0x`, or in hex behind the word `hex`.
pub(super) fn parse(mut args: Args<'_>, update: bool) -> Result<Command, ParseError> {
    let map = match args.expect("name NAME or pinned PATH")? {
        "name" => args.expect("the name of a map")?.to_owned(),
        "pinned" => {
            let path = args.expect("the path of a pinned map")?;
            program_of(path).ok_or_else(|| args.unexpected("the path of a pinned map"))?
        }
        "id" => return Ok(not_covered("id")),
        _ => return Err(args.unexpected("name NAME or pinned PATH")),
    };
    let key = if args.take("key") {
        bytes(&mut args)?
    } else {
        Vec::new()
    };
    let mut value = None;
    if update {
        args.value("key or value, with its bytes", |word| {
            (word == "value").then_some(())
        })?;
        if let Some(word @ ("id" | "name" | "pinned")) = args.peek() {
            return Ok(not_covered(&format!("value {word}")));
        }
        value = Some(bytes(&mut args)?);
        if let Some(word @ ("exist" | "noexist")) = args.peek() {
            return Ok(not_covered(word));
        }
        args.take("any");
    }
    args.end()?;
    Ok(Command::Map(MapChange { map, key, value }))
}

fn not_covered(what: &str) -> Command {
    Command::NotCovered {
        what: format!("bpftool map … {what}"),
    }
}

/// One byte at least, up to a word that bpftool takes for something else.
fn bytes(args: &mut Args<'_>) -> Result<Vec<u8>, ParseError> {
    let hex = args.take("hex");
    let mut out = Vec::new();
    while args
        .peek()
        .is_some_and(|word| !matches!(word, "value" | "any" | "exist" | "noexist"))
    {
        out.push(if hex {
            args.value("a byte in hex, 00 to ff", |word| {
                u8::from_str_radix(word.strip_prefix("0x").unwrap_or(word), 16).ok()
            })?
        } else {
            args.value(
                "a byte, 0 to 255; behind the word hex in hex",
                |word| match word.strip_prefix("0x") {
                    Some(digits) => u8::from_str_radix(digits, 16).ok(),
                    None => word.parse().ok(),
                },
            )?
        });
    }
    if out.is_empty() {
        return Err(args.missing("bytes, such as hex 2a 00 00 00"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn one(text: &str) -> Command {
        parse(text).expect(text).lines.remove(0).command
    }

    fn refused(text: &str) -> (usize, String) {
        let error = parse(text).expect_err(text);
        (error.column, error.problem.to_string())
    }

    #[test]
    fn as_bpftool_reads_it() {
        let change = |key: &[u8], value: Option<&[u8]>| {
            Command::Map(MapChange {
                map: "tags".into(),
                key: key.into(),
                value: value.map(Into::into),
            })
        };
        assert_eq!(
            one("bpftool map update name tags key hex 01 00 00 00 value hex 2a 0 0 0"),
            change(&[1, 0, 0, 0], Some(&[42, 0, 0, 0]))
        );
        assert_eq!(
            one("bpftool map update pinned /sys/fs/bpf/tags key 1 0 0 0 value 42 0x10 255 0 any"),
            change(&[1, 0, 0, 0], Some(&[42, 16, 255, 0]))
        );
        assert_eq!(
            one("bpftool map update name tags value hex ff"),
            change(&[], Some(&[255]))
        );
        assert_eq!(
            one("bpftool map delete name tags key 7"),
            change(&[7], None)
        );
        assert!(matches!(
            one("bpftool map update id 3 key 1 value 1"),
            Command::NotCovered { .. }
        ));
        assert!(matches!(
            one("bpftool map dump name tags"),
            Command::NoEffect { .. }
        ));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let (column, said) = refused("bpftool map update name tags key hex 1g value hex 00");
        assert_eq!(column, 38);
        assert!(said.contains("a byte in hex"), "{said}");
        let (column, said) = refused("bpftool map update name tags key 256 value 0");
        assert_eq!(column, 34);
        assert!(said.contains("0 to 255"), "{said}");
        for text in [
            "bpftool map update name tags key 1",
            "bpftool map update name tags key value 1",
            "bpftool map update name",
            "bpftool map update tags",
            "bpftool map delete name tags key 1 value 2",
        ] {
            refused(text);
        }
    }
}
