//! `orc`, the recorder's own tool, and `send`.

use super::command::{CfgValue, Command, Netns, TcHook, XdpMode};
use super::error::ParseError;
use super::lex::Args;
use super::netfilter::{NfChange, NfFamily, NfHook};
use super::socket::{SocketCommand, SocketKind};
use super::value::{device, hex};

/// What `orc` can do here.
const COMMANDS: &str = "xdp, tcx, netkit, nf, sock, send, tun, burst, tap or cfg";

/// `orc xdp|tcx|netkit|send|tun|tap|cfg …`; what else `orc` can do is *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    match args.expect(COMMANDS)? {
        "xdp" => {
            let (program, dev) = (
                args.expect("a program name")?.to_owned(),
                args.value("a device", device)?,
            );
            let mode = args.value("native or generic", |word| match word {
                "native" => Some(XdpMode::Native),
                "generic" => Some(XdpMode::Generic),
                _ => None,
            })?;
            Ok(Command::AttachXdp {
                netns: last_netns(args, netns)?,
                program,
                dev,
                mode: Some(mode),
                force: false,
            })
        }
        "tcx" => {
            let (program, dev) = (
                args.expect("a program name")?.to_owned(),
                args.value("a device", device)?,
            );
            let hook = args.value("ingress or egress", |word| match word {
                "ingress" => Some(TcHook::Ingress),
                "egress" => Some(TcHook::Egress),
                _ => None,
            })?;
            Ok(Command::AttachTcx {
                netns: last_netns(args, netns)?,
                program,
                dev,
                hook,
            })
        }
        "netkit" => {
            let (program, dev) = (
                args.expect("a program name")?.to_owned(),
                args.value("a device", device)?,
            );
            let peer = args.value("primary or peer", |word| match word {
                "primary" => Some(false),
                "peer" => Some(true),
                _ => None,
            })?;
            Ok(Command::AttachNetkit {
                netns: last_netns(args, netns)?,
                program,
                dev,
                peer,
            })
        }
        "tun" => {
            let Command::Send { netns, dev, frame } = send(args, netns)? else {
                unreachable!("send() makes no other command")
            };
            let packet = frame;
            Ok(Command::TunWrite { netns, dev, packet })
        }
        "nf" => netfilter(args, netns),
        "sock" => socket(args, netns),
        "send" => send(args, netns),
        "burst" => burst(args),
        "tap" => {
            let dev = args.value("a device", device)?;
            Ok(Command::Tap {
                netns: last_netns(args, netns)?,
                dev,
            })
        }
        "cfg" => {
            let key = args.value("the number of a knob", |word| word.parse().ok())?;
            let value = args.value("a number or a device", |word| match word.parse() {
                Ok(number) => Some(CfgValue::Number(number)),
                Err(_) => device(word).map(CfgValue::Device),
            })?;
            Ok(Command::Cfg {
                netns: last_netns(args, netns)?,
                key,
                value,
            })
        }
        other => args.not_covered(format!("orc {other}"), COMMANDS),
    }
}

/// `headroom assume dynptr-everywhere`.
pub(super) fn assume(mut args: Args<'_>) -> Result<Command, ParseError> {
    args.value("assume", |word| (word == "assume").then_some(()))?;
    args.value("dynptr-everywhere", |word| {
        (word == "dynptr-everywhere").then_some(())
    })?;
    args.end()?;
    Ok(Command::AssumeDynptrEverywhere)
}

/// `orc nf PROG ip|ip6 HOOK [PRIORITY] [NETNS]`: libbpf's `bpf_program__attach_netfilter()`, priority 0 when absent.
fn netfilter(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let program = args.expect("a program name")?.to_owned();
    let family = args.value("ip or ip6", |word| {
        NfFamily::of(word).filter(|family| matches!(family, NfFamily::Ipv4 | NfFamily::Ipv6))
    })?;
    let hooks = "prerouting, input, forward, output or postrouting";
    let hook = args.value(hooks, NfHook::of)?;
    let mut priority = 0;
    if let Some(number) = args.peek().and_then(|word| word.parse::<i32>().ok()) {
        args.next();
        // bpf_nf_check_pf_and_hooks(): NF_IP_PRI_FIRST and NF_IP_PRI_LAST are not for programs (-ERANGE)
        if number == i32::MIN || number == i32::MAX {
            return Err(args.unexpected("a priority other than the first and the last"));
        }
        priority = number;
    }
    Ok(Command::Netfilter {
        netns: last_netns(args, netns)?,
        change: NfChange::Program {
            family,
            hook,
            priority,
            program,
        },
    })
}

/// `orc sock udp PORT|raw PROTOCOL [filter PROG] [NETNS]`.
fn socket(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let kind = match args.expect("udp PORT or raw PROTOCOL")? {
        "udp" => SocketKind::Udp(args.value("a port from 1 to 65535", |word| {
            word.parse().ok().filter(|port| *port != 0)
        })?),
        "raw" => SocketKind::Raw(args.value("a protocol number from 1 to 254", |word| {
            // IPPROTO_RAW (255) only sends
            word.parse().ok().filter(|number| (1..255).contains(number))
        })?),
        _ => return Err(args.unexpected("udp PORT or raw PROTOCOL")),
    };
    let filter = match args.take("filter") {
        true => Some(args.expect("a program name")?.to_owned()),
        false => None,
    };
    Ok(Command::Socket {
        netns: last_netns(args, netns)?,
        socket: SocketCommand { kind, filter },
    })
}

/// `send DEV HEX [NETNS]`, behind the word `send`.
pub(super) fn send(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let dev = args.value("a device", device)?;
    let digits = args.expect("a frame in hex")?;
    let frame = hex(digits).map_err(|problem| args.error(problem))?;
    if frame.is_empty() {
        return Err(args.unexpected("a frame in hex"));
    }
    Ok(Command::Send {
        netns: last_netns(args, netns)?,
        dev,
        frame,
    })
}

/// An optional namespace as the last word.
fn last_netns(mut args: Args<'_>, netns: &Netns) -> Result<Netns, ParseError> {
    let found = args.next().map(str::to_owned).or_else(|| netns.clone());
    args.end()?;
    Ok(found)
}

/// `orc burst DEV NETNS|- HEX HEX…`.
fn burst(mut args: Args<'_>) -> Result<Command, ParseError> {
    let dev = args.value("a device", device)?;
    let netns = Some(args.expect("a namespace or -")?.to_owned()).filter(|name| name != "-");
    let mut frames = Vec::new();
    while args.peek().is_some() || frames.is_empty() {
        let frame = hex(args.expect("a frame in hex")?).map_err(|problem| args.error(problem))?;
        frames.push(frame);
    }
    Ok(Command::Burst { netns, dev, frames })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn one(text: &str) -> Command {
        parse(text).unwrap().lines.remove(0).command
    }

    #[test]
    fn a_tap_and_a_knob() {
        assert_eq!(
            one("orc tap decap far"),
            Command::Tap {
                netns: Some("far".into()),
                dev: "decap".into()
            }
        );
        let knob = |value| Command::Cfg {
            netns: None,
            key: 0,
            value,
        };
        assert_eq!(one("orc cfg 0 out"), knob(CfgValue::Device("out".into())));
        assert_eq!(one("orc cfg 0 43"), knob(CfgValue::Number(43)));
    }

    #[test]
    fn a_mistake_is_told_by_its_place() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("orc cfg out 0"),
            "Line 1, column 9: `out` does not fit here, expected the number of a knob."
        );
        assert_eq!(
            error("orc tap"),
            "Line 1, column 8: the command ends here, expected a device."
        );
    }
}
