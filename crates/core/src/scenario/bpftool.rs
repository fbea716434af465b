//! `bpftool prog load`, `bpftool net attach`, `bpftool map`; what only shows has no effect.

use super::bpf_map;
use super::command::{CgroupAttach, Command, Netns, TcHook, XdpMode};
use super::error::ParseError;
use super::lex::Args;
use super::prog_load;
use super::value::device;

/// Objects `bpftool` knows, in the order in which it matches prefixes.
const OBJECTS: [&str; 14] = [
    "prog",
    "map",
    "link",
    "cgroup",
    "perf",
    "net",
    "feature",
    "btf",
    "gen",
    "struct_ops",
    "iter",
    "token",
    "batch",
    "version",
];

/// `bpftool [OPTIONS] OBJECT …`.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    while args.peek().is_some_and(|word| word.starts_with('-')) {
        args.next();
    }
    let expected = "prog load, prog loadall, prog tracelog, map update, map delete, net attach or cgroup attach";
    let object = args.expect(expected)?;
    let Some(object) = OBJECTS.into_iter().find(|known| known.starts_with(object)) else {
        return Err(args.unexpected(expected));
    };
    match (object, args.next()) {
        ("prog", Some(verb @ ("load" | "loadall"))) => {
            prog_load::parse(args, netns, verb == "loadall")
        }
        ("prog", Some("tracelog")) => Ok(Command::NoEffect {
            why: "what bpf_printk() wrote is always shown",
        }),
        ("net", Some(verb)) if "attach".starts_with(verb) => attach(args, netns),
        ("net", Some(verb)) if "detach".starts_with(verb) => detach(args, netns),
        ("cgroup", Some(verb)) if "attach".starts_with(verb) => cgroup(args),
        ("map", Some(verb)) if verb.len() > 1 && "update".starts_with(verb) => {
            bpf_map::parse(args, true)
        }
        ("map", Some(verb)) if verb.len() > 1 && "delete".starts_with(verb) => {
            bpf_map::parse(args, false)
        }
        (_, None | Some("show" | "list" | "dump" | "help")) => Ok(Command::NoEffect {
            why: "it only shows",
        }),
        (object, Some(verb)) => {
            let known = match object {
                "prog" => "load, loadall or tracelog",
                "map" => "update or delete",
                "net" => "attach or detach",
                "cgroup" => "attach",
                _ => "show, list or dump",
            };
            args.not_covered(format!("bpftool {object} {verb}"), known)
        }
    }
}

/// Where `bpftool net attach` puts a program.
enum Place {
    Xdp(Option<XdpMode>),
    Tcx(TcHook),
    NotCovered,
}

fn place(word: &str) -> Option<Place> {
    Some(match word {
        "xdp" => Place::Xdp(None),
        "xdpdrv" => Place::Xdp(Some(XdpMode::Native)),
        "xdpgeneric" => Place::Xdp(Some(XdpMode::Generic)),
        "xdpoffload" => Place::NotCovered,
        "tcx_ingress" => Place::Tcx(TcHook::Ingress),
        "tcx_egress" => Place::Tcx(TcHook::Egress),
        _ => return None,
    })
}

fn attach(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let place = args.value("xdp, xdpgeneric, xdpdrv, tcx_ingress or tcx_egress", place)?;
    let program = match args.expect("pinned PATH or name NAME")? {
        "pinned" => program_of(args.expect("the path of a pinned program")?),
        "name" => Some(args.expect("a program name")?.to_owned()),
        word @ ("id" | "tag") => {
            return Ok(Command::NotCovered {
                what: format!("bpftool net attach … {word}"),
            });
        }
        _ => return Err(args.unexpected("pinned PATH or name NAME")),
    };
    let program = program.ok_or_else(|| args.unexpected("the path of a pinned program"))?;
    args.value("dev DEV", |word| (word == "dev").then_some(()))?;
    let dev = args.value("a device", device)?;
    let force = match (args.next(), &place) {
        (None, _) => false,
        (Some("overwrite"), Place::Xdp(_)) => true,
        (Some(option @ ("overwrite" | "prepend")), _) => {
            return Ok(Command::NotCovered {
                what: format!("bpftool net attach … {option}"),
            });
        }
        _ => return Err(args.unexpected("the end of the command")),
    };
    let netns = netns.clone();
    Ok(match place {
        Place::Xdp(mode) => Command::AttachXdp {
            netns,
            program,
            dev,
            mode,
            force,
        },
        Place::Tcx(hook) => Command::AttachTcx {
            netns,
            program,
            dev,
            hook,
        },
        Place::NotCovered => Command::NotCovered {
            what: "bpftool net attach xdpoffload".into(),
        },
    })
}

/// `bpftool net detach xdp… dev DEV`.
fn detach(mut args: Args<'_>, netns: &Netns) -> Result<Command, ParseError> {
    let place = args.value("xdp, xdpgeneric or xdpdrv", place)?;
    let Place::Xdp(mode) = place else {
        return Ok(Command::NotCovered {
            what: format!("bpftool net detach {}", args.latest()),
        });
    };
    args.value("dev DEV", |word| (word == "dev").then_some(()))?;
    let dev = args.value("a device", device)?;
    args.end()?;
    let netns = netns.clone();
    Ok(Command::DetachXdp { netns, dev, mode })
}

/// `bpftool cgroup attach CGROUP ATTACH_TYPE PROG [multi|override]`.
fn cgroup(mut args: Args<'_>) -> Result<Command, ParseError> {
    args.expect("the path of a cgroup")?;
    let egress = match args.expect("cgroup_inet_ingress or cgroup_inet_egress")? {
        "cgroup_inet_ingress" | "ingress" => false,
        "cgroup_inet_egress" | "egress" => true,
        known if known.starts_with("cgroup_") => {
            let known = known.to_owned();
            let closest = super::meant::meant(&known, "cgroup_inet_ingress, cgroup_inet_egress");
            if closest.is_some() {
                return Err(args.unexpected("cgroup_inet_ingress or cgroup_inet_egress"));
            }
            return Ok(Command::NotCovered {
                what: format!("bpftool cgroup attach … {known}"),
            });
        }
        _ => return Err(args.unexpected("cgroup_inet_ingress or cgroup_inet_egress")),
    };
    let program = match args.expect("pinned PATH or name NAME")? {
        "pinned" => program_of(args.expect("the path of a pinned program")?),
        "name" => Some(args.expect("a program name")?.to_owned()),
        _ => return Err(args.unexpected("pinned PATH or name NAME")),
    };
    let program = program.ok_or_else(|| args.unexpected("the path of a pinned program"))?;
    let multi = match args.next() {
        None | Some("override") => false,
        Some("multi") => true,
        Some(_) => return Err(args.unexpected("multi, override or the end of the command")),
    };
    args.end()?;
    Ok(Command::CgroupAttach(CgroupAttach {
        program,
        egress,
        multi,
    }))
}

/// The program's name: the last part of its pin path.
pub(super) fn program_of(path: &str) -> Option<String> {
    path.rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}
