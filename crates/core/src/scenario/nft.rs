//! `nft add table|chain|rule`: base chains of type `filter`, with a policy and rules that accept or drop.

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::{Args, Word};
use super::netfilter::{NfChain, NfChange, NfFamily, NfHook, NfMatch, NfRule, NfVerdict};
use super::value;

/// What a rule may say.
const RULE: &str = "iifname DEV, oifname DEV, meta l4proto P, ip protocol P, ip saddr A, ip daddr A, ip6 nexthdr P, ip6 saddr A, ip6 daddr A, counter, accept or drop";

/// `nft add|create table|chain|rule …`. The chain's braces and semicolons may be words of their own, part of words, or
/// one quoted word.
pub(super) fn parse(words: &[Word], line: usize, netns: &Netns) -> Result<Command, ParseError> {
    let words = pieces(words);
    let mut args = Args::new(&words, line);
    args.expect("nft")?;
    match args.expect("add, create, list or flush")? {
        "add" | "create" => {}
        "list" => {
            return Ok(Command::NoEffect {
                why: "it only shows",
            });
        }
        "flush" | "delete" | "insert" | "replace" | "-f" => {
            return Ok(Command::NotCovered { what: args.name(3) });
        }
        _ => return Err(args.unexpected("add, create, list or flush")),
    }
    let change = match args.expect("table, chain or rule")? {
        "table" => {
            let family = family(&mut args);
            let name = args.expect("the name of a table")?.to_owned();
            args.end()?;
            NfChange::Table(family, name)
        }
        "chain" => chain(&mut args)?,
        "rule" => rule(&mut args)?,
        "set" | "map" | "element" | "flowtable" | "counter" | "quota" | "limit" | "ct" => {
            return Ok(Command::NotCovered { what: args.name(3) });
        }
        _ => return Err(args.unexpected("table, chain or rule")),
    };
    if let NfChange::Chain { family, hook, .. } = &change
        && let Some(what) = kind_not_here(&words, *family, *hook)
    {
        return Ok(Command::NotCovered { what });
    }
    Ok(Command::Netfilter {
        netns: netns.clone(),
        change,
    })
}

/// `type nat` and `type route` change packets; no rule here does.
fn kind_not_here(words: &[Word], family: NfFamily, hook: NfHook) -> Option<String> {
    let kind = words.iter().position(|word| word.text == "type")?;
    let kind = words.get(kind + 1)?.text.as_str();
    (kind != "filter").then(|| {
        format!(
            "nft chain of type {kind} ({} {})",
            family.word(),
            hook.word()
        )
    })
}

/// Cuts `{`, `}` and `;` off, which a shell wants quoted or behind a backslash.
fn pieces(words: &[Word]) -> Vec<Word> {
    let mut out = Vec::new();
    let mut piece = |text: &mut String, column: usize| {
        if !text.is_empty() {
            let text = std::mem::take(text);
            out.push(Word { text, column });
        }
    };
    for word in words {
        let (mut text, mut start) = (String::new(), word.column);
        // a quoted word holds blanks; its text starts one column later
        let quoted = word.text.contains(char::is_whitespace);
        for (i, c) in word.text.chars().enumerate() {
            let column = word.column + i + usize::from(quoted);
            match c {
                '{' | '}' | ';' => {
                    piece(&mut text, start);
                    piece(&mut c.to_string(), column);
                }
                '\\' => {}
                c if c.is_whitespace() => piece(&mut text, start),
                c => {
                    if text.is_empty() {
                        start = column;
                    }
                    text.push(c);
                }
            }
        }
        piece(&mut text, start);
    }
    out
}

/// `ip` when there is none.
fn family(args: &mut Args<'_>) -> NfFamily {
    match args.peek().and_then(NfFamily::of) {
        Some(family) => {
            args.next();
            family
        }
        None => NfFamily::Ipv4,
    }
}

fn chain(args: &mut Args<'_>) -> Result<NfChange, ParseError> {
    let family = family(args);
    let table = args.expect("the name of a table")?.to_owned();
    let name = args.expect("the name of a chain")?.to_owned();
    word(args, "{")?;
    word(args, "type")?;
    args.value("filter, nat or route", |word| {
        matches!(word, "filter" | "nat" | "route").then_some(())
    })?;
    word(args, "hook")?;
    let hooks = "prerouting, input, forward, output or postrouting";
    let hook = args.value(hooks, NfHook::of)?;
    word(args, "priority")?;
    let priority = priority(args, family)?;
    word(args, ";")?;
    let mut policy = NfVerdict::Accept;
    if !args.take("}") {
        args.value("policy accept, policy drop or }", |word| {
            (word == "policy").then_some(())
        })?;
        policy = args.value("accept or drop", verdict)?;
        word(args, ";")?;
        word(args, "}")?;
    }
    args.end()?;
    Ok(NfChange::Chain {
        family,
        hook,
        priority,
        chain: NfChain {
            table,
            name,
            policy,
            rules: Vec::new(),
        },
    })
}

fn word(args: &mut Args<'_>, wanted: &str) -> Result<(), ParseError> {
    args.value(wanted, |word| (word == wanted).then_some(()))
}

fn verdict(word: &str) -> Option<NfVerdict> {
    match word {
        "accept" => Some(NfVerdict::Accept),
        "drop" => Some(NfVerdict::Drop),
        _ => None,
    }
}

/// A number, or a name with a number added or taken off (`enum nf_ip_hook_priorities`, `enum nf_br_hook_priorities`,
/// as nft names them).
fn priority(args: &mut Args<'_>, family: NfFamily) -> Result<i32, ParseError> {
    let names: [(&str, i32); 6] = [
        ("raw", -300),
        ("mangle", -150),
        ("dstnat", -100),
        ("filter", 0),
        ("security", 50),
        ("srcnat", 100),
    ];
    let bridge: [(&str, i32); 4] = [
        ("dstnat", -300),
        ("filter", -200),
        ("out", 100),
        ("srcnat", 300),
    ];
    let expected = "a number, raw, mangle, dstnat, filter, security or srcnat";
    let names: &[(&str, i32)] = match family {
        NfFamily::Bridge => &bridge,
        _ => &names,
    };
    let base = args.value(expected, |word| {
        let named = names.iter().find(|(name, _)| *name == word);
        named.map_or_else(|| word.parse().ok(), |(_, value)| Some(*value))
    })?;
    let sign = match args.peek() {
        Some("+") => 1,
        Some("-") => -1,
        _ => return Ok(base),
    };
    args.next();
    let more: i32 = args.value("a number", |word| word.parse().ok())?;
    let sum = more
        .checked_mul(sign)
        .and_then(|more| base.checked_add(more));
    sum.ok_or_else(|| args.unexpected("a number that fits into 32 bits"))
}

fn rule(args: &mut Args<'_>) -> Result<NfChange, ParseError> {
    let family = family(args);
    let table = args.expect("the name of a table")?.to_owned();
    let chain = args.expect("the name of a chain")?.to_owned();
    let mut rule = NfRule {
        matches: Vec::new(),
        verdict: None,
    };
    args.peek().ok_or_else(|| args.missing(RULE))?;
    while let Some(word) = args.next() {
        match word {
            "counter" => {}
            "accept" | "drop" => {
                rule.verdict = verdict(word);
                args.end()?;
            }
            "iifname" => rule
                .matches
                .push(NfMatch::Iif(args.value("a device", value::device)?)),
            "oifname" => rule
                .matches
                .push(NfMatch::Oif(args.value("a device", value::device)?)),
            "meta" => {
                args.value("l4proto", |word| (word == "l4proto").then_some(()))?;
                rule.matches.push(l4proto(args).map(NfMatch::L4Proto)?);
            }
            "ip" | "ip6" => rule.matches.push(header(args, word == "ip6")?),
            _ => return Err(args.unexpected(RULE)),
        }
    }
    Ok(NfChange::Rule {
        family,
        table,
        chain,
        rule,
    })
}

fn l4proto(args: &mut Args<'_>) -> Result<u8, ParseError> {
    args.value("icmp, tcp, udp, gre, ipv6-icmp or a number", |word| {
        Some(match word {
            "icmp" => 1,
            "ipip" => 4,
            "tcp" => 6,
            "udp" => 17,
            "ipv6" => 41,
            "gre" => 47,
            "ipv6-icmp" | "icmpv6" => 58,
            word => word.parse().ok()?,
        })
    })
}

/// `ip saddr A` and its like.
fn header(args: &mut Args<'_>, v6: bool) -> Result<NfMatch, ParseError> {
    let fields = if v6 {
        "saddr, daddr or nexthdr"
    } else {
        "saddr, daddr or protocol"
    };
    let field = args.expect(fields)?;
    match (field, v6) {
        ("protocol", false) => l4proto(args).map(NfMatch::IpProtocol),
        ("nexthdr", true) => l4proto(args).map(NfMatch::Ip6Nexthdr),
        ("saddr" | "daddr", _) => {
            let addr = args.value("an address", |word| match v6 {
                true => value::ipv6(word).map(Into::into),
                false => value::ipv4(word).map(Into::into),
            })?;
            Ok(match field {
                "saddr" => NfMatch::Saddr(addr),
                _ => NfMatch::Daddr(addr),
            })
        }
        _ => Err(args.unexpected(fields)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn change(text: &str) -> NfChange {
        match parse(text).unwrap().lines.remove(0).command {
            Command::Netfilter { change, .. } => change,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_chain_in_the_ways_a_shell_takes_it() {
        let texts = [
            "nft add chain inet t in { type filter hook input priority 0 ; policy drop ; }",
            "nft add chain inet t in '{ type filter hook input priority 0; policy drop; }'",
            "nft add chain inet t in { type filter hook input priority filter\\; policy drop\\; }",
            "nft 'add chain inet t in { type filter hook input priority filter; policy drop; }'",
        ];
        for text in texts {
            let NfChange::Chain {
                family,
                hook,
                priority,
                chain,
            } = change(text)
            else {
                panic!("{text}")
            };
            assert_eq!(
                (family, hook, priority),
                (NfFamily::Inet, NfHook::LocalIn, 0)
            );
            assert_eq!((chain.name.as_str(), chain.policy), ("in", NfVerdict::Drop));
        }
    }

    #[test]
    fn names_of_priorities_are_those_of_the_family() {
        let priority = |family: &str, word: &str| {
            let text = format!(
                "nft add chain {family} t c {{ type filter hook prerouting priority {word}; }}"
            );
            match change(&text) {
                NfChange::Chain { priority, .. } => priority,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            (priority("ip", "raw"), priority("ip", "mangle + 5")),
            (-300, -145)
        );
        assert_eq!(
            (priority("bridge", "filter"), priority("ip6", "-7")),
            (-200, -7)
        );
    }

    #[test]
    fn a_rule_and_mistakes_in_one() {
        let NfChange::Rule { rule, .. } =
            change("nft add rule ip t in iifname rx ip protocol icmp counter drop")
        else {
            panic!()
        };
        assert_eq!(rule.verdict, Some(NfVerdict::Drop));
        assert_eq!(
            rule.matches,
            [NfMatch::Iif("rx".into()), NfMatch::IpProtocol(1)]
        );
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("nft add chain ip t c '{ type filter hook inptu priority 0; }'"),
            "Line 1, column 42: `inptu` does not fit here (did you mean `input`?), expected prerouting, input, forward, output or postrouting."
        );
        assert_eq!(
            error("nft add rule ip t c ip saddr ::1 drop"),
            "Line 1, column 30: `::1` does not fit here, expected an address."
        );
        assert_eq!(
            error("nft add tabel ip t"),
            "Line 1, column 9: `tabel` does not fit here (did you mean `table`?), expected table, chain or rule."
        );
    }
}
