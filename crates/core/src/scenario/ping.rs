//! `ping`.

use std::net::IpAddr;

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::number;

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
            let addr = word.parse::<IpAddr>().ok();
            destination = Some(addr.ok_or_else(|| args.unexpected("an IP address"))?);
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
            Some('q' | 'n' | 'v' | 'A' | 'f' | 'D' | 'U' | '4' | '6') => {}
            Some('s' | 'p' | 'Q' | 'I' | 't' | 'T' | 'm' | 'M' | 'R' | 'r' | 'b' | 'F') => {
                return Ok(Command::NotCovered {
                    what: format!("ping -{}", letter.unwrap_or_default()),
                });
            }
            _ => return Err(args.unexpected("-c COUNT or an IP address")),
        }
    }
    let netns = netns.clone();
    match destination {
        Some(IpAddr::V4(addr)) => Ok(Command::Ping { netns, addr, count }),
        Some(IpAddr::V6(addr)) => Ok(Command::Ping6 { netns, addr, count }),
        None => Err(args.missing("an IP address")),
    }
}

fn positive(text: &str) -> Option<u32> {
    number(text).filter(|n| *n > 0)
}
