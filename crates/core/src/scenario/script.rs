//! A scenario as a shell script that does the same on a real kernel.
//!
//! The script carries its programs, starts itself again in namespaces of its own (network and mount), refuses to go on
//! anywhere else, and leaves nothing behind: namespaces, pins and devices go with the last process. It is POSIX shell and
//! passes `shellcheck`.

use std::fmt::Write as _;

use thiserror::Error;

use super::command::{Command, Line, LinkKind, Netns, NfChange, TcHook, XdpMode};
use super::file::ScenarioFile;

/// Why a scenario can't be a script.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{text}` can't be in a script: {why}")]
pub struct ScriptError {
    /// 1-based line of the scenario's commands.
    pub line: usize,
    /// The command.
    pub text: String,
    /// Why.
    pub why: String,
}

const HEAD: &str = include_str!("script_head.sh");
const TAIL: &str = include_str!("script_tail.sh");

/// The script. `objects` are the object files by the name that the commands use.
///
/// # Errors
/// A command that only the simulator understands.
pub fn script(
    scenario: &ScenarioFile,
    lines: &[Line],
    objects: &[(String, Vec<u8>)],
) -> Result<String, ScriptError> {
    let mut out = String::from("#!/bin/sh\n");
    let _ = writeln!(out, "# {}", one_line(&scenario.title));
    let _ = writeln!(
        out,
        "# Written by `headroom script {}`. Root is needed; all happens in namespaces of its own.",
        scenario.id
    );
    let pings = |line: &Line| matches!(line.command, Command::Ping { .. } | Command::Ping6 { .. });
    let needs = if lines.iter().any(pings) { "ping" } else { "" };
    let _ = writeln!(out, "set -eu\nscenario='{}'\nneeds='{needs}'", scenario.id);
    out.push_str(HEAD);
    for (name, bytes) in objects {
        let _ = writeln!(out, "unpack {name} <<'OBJECT'");
        for part in bytes.chunks(40) {
            let line: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(out, "{line}");
        }
        out.push_str("OBJECT\n");
    }
    let quiet = Quiet::of(lines);
    let recorded = record_lines(lines, &quiet);
    let _ = write!(
        out,
        "if [ \"$record\" = yes ]; then\n\tcat > list <<'LIST'\n@{}\n{}LIST\n",
        scenario.id, recorded
    );
    out.push_str("\trecord\n\texit 0\nfi\n\n");
    out.push_str(
        "listen\n\n# what the kernel says by itself over IPv6 is no part of the scenario\n",
    );
    let _ = writeln!(out, "{}", quiet.command(&None));
    out.push_str("\n# the scenario\n");
    let mut done = 0;
    for line in lines {
        // one line of text may be several commands
        if line.number != done {
            done = line.number;
            let _ = writeln!(out, "{}", command(line)?);
        }
        if let Command::NetnsAdd { name } = &line.command {
            let _ = writeln!(out, "{}", quiet.command(&Some(name.clone())));
        }
    }
    out.push_str(TAIL);
    Ok(out)
}

/// Which namespaces speak IPv6. The simulator has it off where no command says anything about it (`ipv6_enabled()`), and sends
/// no neighbour discovery, router solicitations and multicast reports of its own; a real kernel has it on, and would resolve
/// neighbours and run programs before the first packet of the scenario.
struct Quiet {
    speaking: Vec<Netns>,
}

impl Quiet {
    fn of(lines: &[Line]) -> Self {
        let speaks = |line: &Line| match &line.command {
            Command::Addr6Add { netns, .. }
            | Command::Route6Add { netns, .. }
            | Command::Neigh6Add { netns, .. }
            | Command::Ping6 { netns, .. } => Some(netns.clone()),
            _ => None,
        };
        Self {
            speaking: lines.iter().filter_map(speaks).collect(),
        }
    }

    /// The command for a namespace: no IPv6 at all, or as little of the kernel's own as possible.
    fn command(&self, netns: &Netns) -> String {
        let inside = match netns {
            Some(netns) => format!("ip netns exec {netns} "),
            None => String::new(),
        };
        let keys = match self.speaking.contains(netns) {
            false => "net.ipv6.conf.all.disable_ipv6=1",
            true => {
                "net.ipv6.conf.default.addr_gen_mode=1 net.ipv6.conf.default.accept_dad=0 \
                 net.ipv6.conf.default.router_solicitations=0 \
                 net.ipv6.conf.default.mldv2_unsolicited_report_interval=1000000 net.ipv6.auto_flowlabels=0"
            }
        };
        format!("{inside}sysctl -q -w {keys}")
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// `nsenter` keeps the mount namespace; `ip netns exec` would hide the pinned programs.
fn inside(netns: &Netns) -> String {
    match netns {
        Some(netns) => format!("nsenter --net=/run/netns/{netns} "),
        None => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn command(line: &Line) -> Result<String, ScriptError> {
    let text = line.text.trim();
    let error = |why: &str| ScriptError {
        line: line.number,
        text: text.into(),
        why: why.into(),
    };
    Ok(match &line.command {
        Command::AttachXdp {
            netns,
            program,
            dev,
            mode,
            force,
        } => {
            let kind = match mode {
                Some(XdpMode::Native) => "xdpdrv",
                Some(XdpMode::Generic) => "xdpgeneric",
                None => "xdp",
            };
            let over = if *force { " overwrite" } else { "" };
            attach(netns, kind, text, program, dev) + over
        }
        Command::AttachTcx {
            netns,
            program,
            dev,
            hook,
        } => {
            let kind = match hook {
                TcHook::Ingress => "tcx_ingress",
                TcHook::Egress => "tcx_egress",
            };
            attach(netns, kind, text, program, dev)
        }
        Command::Send { netns, dev, frame } => format!("{}{}", frames(netns, dev), hex(frame)),
        Command::Burst {
            netns,
            dev,
            frames: all,
        } => {
            let all: Vec<String> = all.iter().map(|frame| hex(frame)).collect();
            format!("{}{}", frames(netns, dev), all.join(" "))
        }
        Command::Tap { netns, dev } => format!("tap {} {dev}", netns.as_deref().unwrap_or("-")),
        Command::Ping { .. } => format!("{text} || true"),
        Command::NoEffect { .. } if text.starts_with("bpftool prog tracelog") => {
            "# what bpf_printk() writes is shown at the end".into()
        }
        Command::NotCovered { what } => return Err(error(what)),
        Command::NicReceive { .. }
        | Command::LinkAdd {
            kind: LinkKind::Nic(_),
            ..
        } => return Err(error("no command makes a network card")),
        Command::AttachNetkit { .. } => {
            return Err(error("bpftool does not attach programs to netkit devices"));
        }
        Command::TunWrite { .. } => {
            return Err(error("a process would have to hold the device open"));
        }
        Command::Cfg { .. } => return Err(error("it sets a knob of the recorder's programs")),
        Command::Netfilter {
            change: NfChange::Program { .. },
            ..
        } => return Err(error("bpftool does not attach programs to netfilter")),
        Command::Socket { .. } => return Err(error("a process would have to hold the socket")),
        Command::AssumeDynptrEverywhere => return Err(error("no kernel does this")),
        _ => text.replace("/nsys/", "/sys/"),
    })
}

/// `bpftool net attach`, of the pin that the command names; the recorder's commands name the program alone.
fn attach(netns: &Netns, kind: &str, text: &str, program: &str, dev: &str) -> String {
    let mut words = text.split_whitespace();
    let pin = match words.find(|word| *word == "pinned").and(words.next()) {
        Some(path) => path.to_owned(),
        None => format!("/sys/fs/bpf/{program}"),
    };
    format!(
        "{}bpftool net attach {kind} pinned {pin} dev {dev}",
        inside(netns)
    )
}

fn frames(netns: &Netns, dev: &str) -> String {
    format!("frames {} {dev} ", netns.as_deref().unwrap_or("-"))
}

/// The commands in the recorder's words.
fn record_lines(lines: &[Line], quiet: &Quiet) -> String {
    let mut out = quiet.command(&None);
    out.push('\n');
    let mut done = 0;
    for line in lines {
        if line.number == done {
            continue;
        }
        done = line.number;
        let of = |netns: &Netns| {
            netns
                .as_ref()
                .map(|netns| format!(" {netns}"))
                .unwrap_or_default()
        };
        let text = match &line.command {
            // the recorder loads the objects, none of them for one device
            Command::ProgLoadAll { .. } | Command::ProgLoad(_) | Command::NoEffect { .. } => {
                continue;
            }
            Command::AttachXdp {
                netns,
                program,
                dev,
                mode,
                ..
            } => {
                let mode = if *mode == Some(XdpMode::Generic) {
                    "generic"
                } else {
                    "native"
                };
                format!("orc xdp {program} {dev} {mode}{}", of(netns))
            }
            Command::AttachTcx {
                netns,
                program,
                dev,
                hook,
            } => {
                let hook = if *hook == TcHook::Ingress {
                    "ingress"
                } else {
                    "egress"
                };
                format!("orc tcx {program} {dev} {hook}{}", of(netns))
            }
            Command::Send { netns, dev, frame } => {
                format!("orc send {dev} {}{}", hex(frame), of(netns))
            }
            _ => line
                .text
                .trim()
                .replace("/sys/class/net/", "/nsys/class/net/"),
        };
        let _ = writeln!(out, "{text}");
        if let Command::NetnsAdd { name } = &line.command {
            let _ = writeln!(out, "{}", quiet.command(&Some(name.clone())));
        }
    }
    out
}
