//! `ping`.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::{ipv4, is_ipv6, number};

/// `ping [-c COUNT] ADDR`. Options that only change when or what it prints are taken;
/// those that change the packets are *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let mut count = 1;
    let mut destination = None;
    while let Some(word) = args.next() {
        let Some(option) = word.strip_prefix('-') else {
            if destination.is_some() {
                return Err(args.unexpected("one address only"));
            }
            if is_ipv6(word) {
                return Ok(Command::NotCovered {
                    what: "ping to an IPv6 address".into(),
                });
            }
            destination = Some(ipv4(word).ok_or_else(|| args.unexpected("an IPv4 address"))?);
            continue;
        };
        let mut chars = option.chars();
        let (letter, rest) = (chars.next(), chars.as_str());
        match letter {
            Some('c') if rest.is_empty() => count = args.value("a number of pings", positive)?,
            Some('c') => {
                count = positive(rest).ok_or_else(|| args.unexpected("-c and a number of pings"))?
            }
            Some('W' | 'w' | 'i' | 'l') if rest.is_empty() => drop(args.expect("a number")?),
            Some('W' | 'w' | 'i' | 'l') => {}
            Some('q' | 'n' | 'v' | 'A' | 'f' | 'D' | 'U' | '4') => {}
            Some('s' | 'p' | 'Q' | 'I' | 't' | 'T' | 'm' | 'M' | 'R' | 'r' | '6' | 'b' | 'F') => {
                return Ok(Command::NotCovered {
                    what: format!("ping -{}", letter.unwrap_or_default()),
                });
            }
            _ => return Err(args.unexpected("-c COUNT or an IPv4 address")),
        }
    }
    match destination {
        Some(addr) => Ok(Command::Ping {
            netns: netns.clone(),
            addr,
            count,
        }),
        None => Err(args.missing("an IPv4 address")),
    }
}

fn positive(text: &str) -> Option<u32> {
    number(text).filter(|n| *n > 0)
}
