//! `ping`.

use std::net::IpAddr;

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::number;

/// What `ping` is told of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingParms {
    /// `-c`: requests; 1 when absent.
    pub count: u32,
    /// `-s`: bytes behind the ICMP header; 56 when absent.
    pub size: u16,
    /// `-t`: TTL or hop limit; the host's, 64, when absent.
    pub ttl: Option<u8>,
    /// `-Q`: type of service or traffic class.
    pub tos: u8,
    /// `-M`.
    pub pmtudisc: Pmtudisc,
}

impl Default for PingParms {
    fn default() -> Self {
        Self {
            count: 1,
            size: 56,
            ttl: None,
            tos: 0,
            pmtudisc: Pmtudisc::Want,
        }
    }
}

/// `ping -M`: path MTU discovery (`IP_MTU_DISCOVER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pmtudisc {
    /// Don't fragment what fits; fragment here what does not. The host's default.
    Want,
    /// Don't fragment, and don't send what is longer than the MTU.
    Do,
    /// Let anybody fragment.
    Dont,
}

impl Pmtudisc {
    /// Whether a packet of `len` bytes says *don't fragment* (`__ip_make_skb()`); `None` if it is not sent at all
    /// (`-EMSGSIZE` of `__ip_append_data()`).
    #[must_use]
    pub fn df(self, len: usize, mtu: u32) -> Option<bool> {
        let fits = len <= mtu as usize;
        match self {
            Self::Want => Some(fits),
            Self::Do => fits.then_some(true),
            Self::Dont => Some(false),
        }
    }
}

/// The most that `-s` takes: 65,535 bytes less the IPv4 and the ICMP header.
const MAX_SIZE: u16 = 65_507;

/// `ping [-c COUNT] [-s SIZE] [-t TTL] [-Q TOS] [-M do|want|dont] ADDR`. Options that only change when or what it prints
/// are taken; others that change the packets are *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let mut parms = PingParms::default();
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
            Some('c') => {
                parms.count = value(&mut args, rest, "-c and a number of pings", positive)?
            }
            Some('s') => {
                parms.size = value(&mut args, rest, "-s and a size of 0 to 65507 bytes", size)?
            }
            Some('t') => parms.ttl = Some(value(&mut args, rest, "-t and a TTL of 1 to 255", ttl)?),
            Some('Q') => parms.tos = value(&mut args, rest, "-Q and a number of 0 to 255", byte)?,
            Some('M') => {
                parms.pmtudisc = value(&mut args, rest, "-M and do, want or dont", pmtudisc)?
            }
            Some('W' | 'w' | 'i' | 'l') if rest.is_empty() => drop(args.expect("a number")?),
            Some('W' | 'w' | 'i' | 'l') => {}
            Some('q' | 'n' | 'v' | 'A' | 'f' | 'D' | 'U' | '4' | '6') => {}
            Some('p' | 'I' | 'T' | 'm' | 'R' | 'r' | 'b' | 'F') => {
                return Ok(Command::NotCovered {
                    what: format!("ping -{}", letter.unwrap_or_default()),
                });
            }
            _ => return Err(args.unexpected("-c COUNT or an IP address")),
        }
    }
    let netns = netns.clone();
    match destination {
        Some(IpAddr::V4(addr)) => Ok(Command::Ping { netns, addr, parms }),
        Some(IpAddr::V6(addr)) => Ok(Command::Ping6 { netns, addr, parms }),
        None => Err(args.missing("an IP address")),
    }
}

/// An option's value: behind its letter, or the next word.
fn value<T>(
    args: &mut Args<'_>,
    rest: &str,
    what: &'static str,
    read: fn(&str) -> Option<T>,
) -> Result<T, ParseError> {
    match rest {
        "" => args.value(what, read),
        rest => read(rest).ok_or_else(|| args.unexpected(what)),
    }
}

fn positive(text: &str) -> Option<u32> {
    number(text).filter(|n| *n > 0)
}

fn size(text: &str) -> Option<u16> {
    let size = u16::try_from(number(text)?).ok()?;
    (size <= MAX_SIZE).then_some(size)
}

fn byte(text: &str) -> Option<u8> {
    u8::try_from(number(text)?).ok()
}

fn ttl(text: &str) -> Option<u8> {
    byte(text).filter(|ttl| *ttl > 0)
}

fn pmtudisc(text: &str) -> Option<Pmtudisc> {
    match text {
        "want" => Some(Pmtudisc::Want),
        "do" => Some(Pmtudisc::Do),
        "dont" => Some(Pmtudisc::Dont),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ip(7)`, `IP_MTU_DISCOVER`: with an MTU of 1,500 bytes.
    #[test]
    fn what_says_dont_fragment() {
        let at = |discovery: Pmtudisc| [1500, 1501].map(|len| discovery.df(len, 1500));
        assert_eq!(at(Pmtudisc::Want), [Some(true), Some(false)]);
        assert_eq!(at(Pmtudisc::Do), [Some(true), None]);
        assert_eq!(at(Pmtudisc::Dont), [Some(false), Some(false)]);
    }
}
