//! `orc`, the recorder's own tool, and `send`.

use super::command::{CfgValue, Command, Netns, TcHook, XdpMode};
use super::error::ParseError;
use super::lex::Args;
use super::value::{device, hex};

/// `orc xdp|tcx|send|tap|cfg …`; what else `orc` can do is *not covered*.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    match args.expect("xdp, tcx, send, burst, tap or cfg")? {
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
        "send" => send(args, netns),
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
        other => Ok(Command::NotCovered {
            what: format!("orc {other}"),
        }),
    }
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
