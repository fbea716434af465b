//! Classifiers and actions of `tc filter`, as typed.

use super::bpftool::program_of;
use super::command::{Mac, MirredAction, TcHook};
use super::error::ParseError;
use super::lex::Args;
use super::meant::meant;
use super::value::{device, label, mac, number};
use crate::net::{ethernet, mpls, vlan};

/// Verdicts that an action can end with (`include/uapi/linux/pkt_cls.h`).
pub mod control {
    /// `continue`: the next filter is asked (`TC_ACT_UNSPEC`).
    pub const CONTINUE: i64 = -1;
    /// `pass`, `ok`.
    pub const OK: i64 = 0;
    /// `drop`, `shot`.
    pub const SHOT: i64 = 2;
    /// `pipe`: the next action follows.
    pub const PIPE: i64 = 3;
    /// What a redirect ends with.
    pub const STOLEN: i64 = 4;
    /// `trap`.
    pub const TRAP: i64 = 8;
}

/// What decides about a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcClassifier {
    /// `matchall`: takes every packet; its actions decide.
    Matchall,
    /// `bpf direct-action`: a program decides.
    Bpf(TcProgram),
}

/// How a program is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcProgram {
    /// `pinned PATH`, `name NAME`: by its name.
    Name(String),
    /// `obj FILE sec SECTION`.
    Section(String),
}

/// An action with what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcAction {
    /// What it does.
    pub kind: TcActionKind,
    /// Verdict when it is done.
    pub control: i64,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcActionKind {
    /// `action drop|pass|…`, `action gact …`: only the verdict.
    Gact,
    /// `action mirred egress|ingress mirror|redirect dev DEV`.
    Mirred(MirredAction, String),
    /// `action vlan …`.
    Vlan(VlanAction),
    /// `action mpls …`.
    Mpls(MplsAction),
}

/// `action vlan` (`net/sched/act_vlan.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VlanAction {
    /// `pop`.
    Pop,
    /// `push [protocol P] id N [priority N]`: protocol and TCI.
    Push(u16, u16),
    /// `modify [protocol P] id N [priority N]`: protocol, id and priority.
    Modify(u16, u16, Option<u16>),
    /// `pop_eth`.
    PopEth,
    /// `push_eth dst_mac MAC src_mac MAC`.
    PushEth(Mac, Mac),
}

/// `action mpls` (`net/sched/act_mpls.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MplsAction {
    /// `pop protocol P`.
    Pop(u16),
    /// `push [protocol P] label N [tc N] [ttl N] [bos 0|1]`.
    Push(u16, MplsFields),
    /// `mac_push [protocol P] label N [tc N] [ttl N] [bos 0|1]`: in front of the Ethernet header.
    MacPush(u16, MplsFields),
    /// `modify [label N] [tc N] [ttl N] [bos 0|1]`.
    Modify(MplsFields),
    /// `dec_ttl`.
    DecTtl,
}

/// Parts of a label stack entry that an action sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MplsFields {
    /// Label.
    pub label: Option<u32>,
    /// Traffic class.
    pub tc: Option<u8>,
    /// Time to live.
    pub ttl: Option<u8>,
    /// Bottom of stack.
    pub bos: Option<bool>,
}

/// What is not simulated, by name.
pub(super) type Known<T> = Result<Result<T, String>, ParseError>;

/// What stands behind `bpf`: `direct-action`, then a program.
pub(super) fn classifier_bpf(args: &mut Args<'_>) -> Known<TcClassifier> {
    let (mut direct, mut program) = (false, None);
    while let Some(word) = args.peek() {
        if word == "action" {
            return Ok(Err("bpf … action".into()));
        }
        args.next();
        match word {
            "da" | "direct-action" => direct = true,
            "pinned" | "object-pinned" | "fd" => {
                program = Some(TcProgram::Name(
                    args.value("the path of a pinned program", program_of)?,
                ));
            }
            "name" => program = Some(TcProgram::Name(args.expect("a program")?.to_owned())),
            "obj" | "object" | "object-file" => drop(args.expect("an object file")?),
            "sec" | "section" => {
                program = Some(TcProgram::Section(args.expect("a section")?.to_owned()));
            }
            "verbose" | "verb" => {}
            _ => return Err(args.unexpected("direct-action, pinned PATH, obj FILE or sec SECTION")),
        }
    }
    let Some(program) = program else {
        return Err(args.missing("pinned PATH or sec SECTION"));
    };
    if !direct {
        return Ok(Err("bpf without direct-action".into()));
    }
    Ok(Ok(TcClassifier::Bpf(program)))
}

/// `action KIND …`, several in a row.
pub(super) fn actions(args: &mut Args<'_>) -> Known<Vec<TcAction>> {
    let mut actions = Vec::new();
    loop {
        args.value("action", |word| (word == "action").then_some(()))?;
        match action(args)? {
            Ok(action) => actions.push(action),
            Err(what) => return Ok(Err(what)),
        }
        if args.peek().is_none() {
            return Ok(Ok(actions));
        }
    }
}

fn action(args: &mut Args<'_>) -> Known<TcAction> {
    let word = args.expect("mirred, vlan, mpls, drop or pass")?;
    let (kind, default) = match word {
        "mirred" => mirred(args)?,
        "vlan" => (TcActionKind::Vlan(vlan_action(args)?), control::PIPE),
        "mpls" => match mpls_action(args)? {
            Ok(mpls) => (TcActionKind::Mpls(mpls), control::PIPE),
            Err(what) => return Ok(Err(what)),
        },
        "gact" => (
            TcActionKind::Gact,
            args.value("drop, pass, pipe or continue", verdict)?,
        ),
        other => match verdict(other) {
            Some(verdict) => (TcActionKind::Gact, verdict),
            None => {
                let known = "mirred, vlan, mpls, gact, drop, pass, pipe or continue";
                if meant(other, known).is_some() {
                    return Err(args.unexpected(known));
                }
                return Ok(Err(format!("action {other}")));
            }
        },
    };
    let own = args.peek().and_then(verdict);
    if own.is_some() {
        args.next();
    }
    while args.take("index") || args.take("random") {
        args.expect("a number")?;
    }
    Ok(Ok(TcAction {
        kind,
        control: own.unwrap_or(default),
    }))
}

/// The verdict's name; `reclassify` is not simulated.
fn verdict(word: &str) -> Option<i64> {
    match word {
        "continue" => Some(control::CONTINUE),
        "ok" | "pass" => Some(control::OK),
        "drop" | "shot" => Some(control::SHOT),
        "pipe" => Some(control::PIPE),
        "stolen" => Some(control::STOLEN),
        "trap" => Some(control::TRAP),
        _ => None,
    }
}

fn mirred(args: &mut Args<'_>) -> Result<(TcActionKind, i64), ParseError> {
    let to = args.value("ingress or egress", |word| match word {
        "ingress" => Some(TcHook::Ingress),
        "egress" => Some(TcHook::Egress),
        _ => None,
    })?;
    let redirect = args.value("redirect or mirror", |word| match word {
        "redirect" => Some(true),
        "mirror" => Some(false),
        _ => None,
    })?;
    args.value("dev", |word| (word == "dev").then_some(()))?;
    let dev = args.value("a device", device)?;
    let default = if redirect {
        control::STOLEN
    } else {
        control::PIPE
    };
    Ok((
        TcActionKind::Mirred(MirredAction { to, redirect }, dev),
        default,
    ))
}

fn vlan_action(args: &mut Args<'_>) -> Result<VlanAction, ParseError> {
    let verb = args.expect("pop, push, modify, pop_eth or push_eth")?;
    match verb {
        "pop" => return Ok(VlanAction::Pop),
        "pop_eth" => return Ok(VlanAction::PopEth),
        "push" | "modify" => {}
        "push_eth" => {
            let (mut dst, mut src) = (None, None);
            while dst.is_none() || src.is_none() {
                match args.expect("dst_mac MAC and src_mac MAC")? {
                    "dst_mac" => dst = Some(args.value("a MAC address", mac)?),
                    "src_mac" => src = Some(args.value("a MAC address", mac)?),
                    _ => return Err(args.unexpected("dst_mac MAC or src_mac MAC")),
                }
            }
            return Ok(VlanAction::PushEth(
                dst.unwrap_or_default(),
                src.unwrap_or_default(),
            ));
        }
        _ => return Err(args.unexpected("pop, push, modify, pop_eth or push_eth")),
    }
    let (mut protocol, mut id, mut priority) = (vlan::P_8021Q, None, None);
    loop {
        if args.take("protocol") {
            protocol = args.value("802.1Q or 802.1ad", |word| {
                match word.to_ascii_lowercase().as_str() {
                    "802.1q" => Some(vlan::P_8021Q),
                    "802.1ad" => Some(vlan::P_8021AD),
                    _ => None,
                }
            })?;
        } else if args.take("id") {
            id = Some(args.value("a VLAN id from 0 to 4095", |word| {
                small(word).filter(|id| *id < 4096)
            })?);
        } else if args.take("priority") {
            priority = Some(args.value("a priority from 0 to 7", |word| {
                small(word).filter(|priority| *priority < 8)
            })?);
        } else {
            break;
        }
    }
    let Some(id) = id else {
        return Err(args.missing("id and a VLAN id"));
    };
    Ok(match verb {
        "push" => VlanAction::Push(protocol, id | priority.unwrap_or(0) << 13),
        _ => VlanAction::Modify(protocol, id, priority),
    })
}

fn small(word: &str) -> Option<u16> {
    number(word).and_then(|number| u16::try_from(number).ok())
}

fn mpls_action(args: &mut Args<'_>) -> Known<MplsAction> {
    let verb = args.expect("pop, push, mac_push, modify or dec_ttl")?;
    match verb {
        "dec_ttl" => return Ok(Ok(MplsAction::DecTtl)),
        "pop" | "push" | "mac_push" | "modify" | "mod" => {}
        _ => return Err(args.unexpected("pop, push, mac_push, modify or dec_ttl")),
    }
    let (mut protocol, mut fields) = (None, MplsFields::default());
    let byte = |word: &str| number(word).and_then(|number| u8::try_from(number).ok());
    loop {
        if args.take("protocol") {
            protocol = Some(args.value("a protocol such as ip", protocol_of)?);
        } else if args.take("label") {
            fields.label = Some(args.value("an MPLS label", label)?);
        } else if args.take("ttl") {
            fields.ttl = Some(args.value("a ttl from 1 to 255", |word| {
                byte(word).filter(|ttl| *ttl > 0)
            })?);
        } else if args.take("tc") {
            fields.tc = Some(args.value("a traffic class from 0 to 7", |word| {
                byte(word).filter(|tc| *tc < 8)
            })?);
        } else if args.take("bos") {
            fields.bos = Some(args.value("0 or 1", |word| byte(word).filter(|b| *b < 2))? == 1);
        } else {
            break;
        }
    }
    match (verb, protocol) {
        ("pop", Some(protocol)) => Ok(Ok(MplsAction::Pop(protocol))),
        ("pop", None) => Err(args.missing("protocol and what is behind the label")),
        ("push" | "mac_push", _) if fields.label.is_none() => {
            Err(args.missing("label and an MPLS label"))
        }
        ("push" | "mac_push", protocol) => {
            // tcf_mpls_init(): net.mpls.default_ttl
            fields.ttl = fields.ttl.or(Some(255));
            let protocol = protocol.unwrap_or(mpls::P_MPLS_UC);
            Ok(Ok(match verb {
                "push" => MplsAction::Push(protocol, fields),
                _ => MplsAction::MacPush(protocol, fields),
            }))
        }
        _ => Ok(Ok(MplsAction::Modify(fields))),
    }
}

/// A protocol's name, or its number as in an Ethernet header.
pub(super) fn protocol_of(word: &str) -> Option<u16> {
    match word {
        "ip" | "ipv4" => Some(ethernet::P_IP),
        "ipv6" => Some(ethernet::P_IPV6),
        "arp" => Some(ethernet::P_ARP),
        "802.1Q" | "802.1q" => Some(vlan::P_8021Q),
        "802.1ad" => Some(vlan::P_8021AD),
        "mpls_uc" => Some(mpls::P_MPLS_UC),
        "teb" => Some(ethernet::P_TEB),
        _ => {
            let digits = word.strip_prefix("0x")?;
            u16::from_str_radix(digits, 16).ok()
        }
    }
}
