//! `tc`: the clsact qdisc, and filters with their actions.

use super::command::{Command, Netns, TcClassifier, TcHook};
use super::error::ParseError;
use super::ip::need;
use super::lex::Args;
use super::tc_action::{self, protocol_of};
use super::value::device;

/// `tc qdisc add …`, `tc filter add …`, `tc … show`; what else `tc` can do is *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let mut netns = netns.clone();
    while args.peek().is_some_and(|word| word.starts_with('-')) {
        match args.next().unwrap_or_default() {
            "-n" | "-net" | "-netns" => netns = Some(args.expect("a namespace")?.to_owned()),
            "-s" | "-stats" | "-statistics" | "-d" | "-details" | "-j" | "-json" | "-p"
            | "-pretty" => {}
            _ => return Err(args.unexpected("qdisc or filter")),
        }
    }
    let object = args.expect("qdisc or filter")?;
    if !matches!(object, "qdisc" | "filter") {
        let what = args.name(3);
        return args.not_covered(what, "qdisc or filter");
    }
    let verb = args.next().unwrap_or("show");
    match (object, verb) {
        (_, "show" | "list" | "ls") => Ok(Command::NoEffect {
            why: "it only shows something",
        }),
        ("qdisc", "add" | "replace") => qdisc(args, netns),
        ("filter", "add") => filter(args, netns),
        _ => args.not_covered(format!("tc {object} {verb}"), "add"),
    }
}

fn not_covered(what: &str) -> Result<Command, ParseError> {
    Ok(Command::NotCovered {
        what: what.trim_end().to_owned(),
    })
}

/// `dev DEV clsact`, in any order; a handle or parent is clsact's own.
fn qdisc(mut args: Args<'_>, netns: Netns) -> Result<Command, ParseError> {
    let (mut dev, mut clsact) = (None, false);
    while let Some(word) = args.next() {
        match word {
            "dev" => dev = Some(args.value("a device", device)?),
            "handle" | "parent" => {
                args.expect("a handle")?;
            }
            "clsact" => clsact = true,
            other if clsact => return Err(args.unexpected(&format!("dev DEV, not {other}"))),
            other => {
                return args.not_covered(format!("tc qdisc add … {other}"), "dev DEV or clsact");
            }
        }
    }
    let dev = need(&mut args, dev, "dev and a device")?;
    if !clsact {
        return Err(args.missing("clsact"));
    }
    Ok(Command::ClsactAdd { netns, dev })
}

/// `dev DEV ingress|egress [protocol P] [pref N] matchall action …`, or `bpf da …` in its place.
fn filter(mut args: Args<'_>, netns: Netns) -> Result<Command, ParseError> {
    let (mut dev, mut hook, mut pref, mut protocol) = (None, None, None, None);
    let classifier = loop {
        match args.expect("matchall or bpf")? {
            "dev" => dev = Some(args.value("a device", device)?),
            "ingress" => hook = Some(TcHook::Ingress),
            "egress" => hook = Some(TcHook::Egress),
            "protocol" | "proto" => {
                protocol = args.value("a protocol", |word| match word {
                    "all" => Some(None),
                    word => protocol_of(word).map(Some),
                })?;
            }
            "pref" | "prio" | "preference" | "priority" => {
                pref = Some(args.value("a preference", |word| word.parse().ok())?);
            }
            "matchall" => break Ok(TcClassifier::Matchall),
            "bpf" => break tc_action::classifier_bpf(&mut args)?,
            other => {
                let known = "dev DEV, ingress, egress, protocol P, pref N, matchall or bpf";
                return args.not_covered(format!("tc filter add … {other}"), known);
            }
        }
    };
    let actions = match &classifier {
        Ok(TcClassifier::Matchall) => tc_action::actions(&mut args)?,
        _ => Ok(Vec::new()),
    };
    let (classifier, actions) = match (classifier, actions) {
        (Ok(classifier), Ok(actions)) => (classifier, actions),
        (Ok(_), Err(what)) => return not_covered(&format!("tc filter add … matchall {what}")),
        (Err(what), _) => return not_covered(&format!("tc filter add … {what}")),
    };
    Ok(Command::FilterAdd {
        netns,
        dev: need(&mut args, dev, "dev and a device")?,
        hook: need(&mut args, hook, "ingress or egress")?,
        pref,
        protocol,
        classifier,
        actions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::command::{MirredAction, TcAction, TcActionKind};
    use crate::scenario::parse;

    fn one(text: &str) -> Command {
        let mut parsed = parse(text).unwrap();
        assert_eq!(parsed.lines.len(), 1);
        parsed.lines.remove(0).command
    }

    #[test]
    fn clsact_and_mirred_as_they_are_typed() {
        assert_eq!(
            one("tc qdisc add dev rx clsact"),
            Command::ClsactAdd {
                netns: None,
                dev: "rx".into()
            }
        );
        assert_eq!(
            one(
                "tc -n far filter add dev rx ingress protocol all pref 1 matchall action mirred egress redirect dev out"
            ),
            Command::FilterAdd {
                netns: Some("far".into()),
                dev: "rx".into(),
                hook: TcHook::Ingress,
                pref: Some(1),
                protocol: None,
                classifier: TcClassifier::Matchall,
                actions: vec![TcAction {
                    kind: TcActionKind::Mirred(
                        MirredAction {
                            to: TcHook::Egress,
                            redirect: true
                        },
                        "out".into()
                    ),
                    control: 4,
                }],
            }
        );
    }

    #[test]
    fn what_is_not_simulated_is_named() {
        let what = |text| match one(text) {
            Command::NotCovered { what } => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what("tc qdisc add dev rx root htb"), "tc qdisc add … root");
        assert_eq!(
            what("tc filter add dev rx ingress matchall action police"),
            "tc filter add … matchall action police"
        );
        assert_eq!(what("tc class add dev rx"), "tc class add");
    }

    #[test]
    fn mistakes_are_told_by_their_place() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("tc filter add dev rx ingress matchall action mirred sideways"),
            "Line 1, column 53: `sideways` does not fit here, expected ingress or egress."
        );
    }
}
