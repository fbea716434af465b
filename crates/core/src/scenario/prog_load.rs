//! `bpftool prog load`, and `bpftool prog loadall` with options: which programs of an object are loaded, as what, and for
//! which device (`load_with_options()`, tools/bpf/bpftool/prog.c).

use super::command::{Command, Netns};
use super::error::ParseError;
use super::lex::Args;
use super::value::device;
use crate::bpf::ProgType;

/// `bpftool prog load OBJECT PATH [type TYPE] [xdpmeta_dev DEV]`, `bpftool prog loadall OBJECT DIR …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgLoad {
    /// Namespace in which the device's name is looked up.
    pub netns: Netns,
    /// Object file as written, such as `progs.bpf.o`.
    pub object: String,
    /// Where the first program is pinned; with [`ProgLoad::all`], the directory for all of them.
    pub pin: String,
    /// `loadall`.
    pub all: bool,
    /// What every program of the object is, whatever its section says.
    pub prog_type: Option<ProgType>,
    /// Device for which its XDP programs are loaded (`BPF_F_XDP_DEV_BOUND_ONLY`).
    pub xdpmeta_dev: Option<String>,
}

/// Keywords, in the order in which bpftool matches what they begin with.
const OPTIONS: [&str; 8] = [
    "type",
    "map",
    "dev",
    "offload_dev",
    "xdpmeta_dev",
    "pinmaps",
    "autoattach",
    "kernel_btf",
];

/// What follows `bpftool prog load` or `loadall`.
pub(super) fn parse(mut args: Args<'_>, netns: &Netns, all: bool) -> Result<Command, ParseError> {
    let object = args.expect("an object file")?.to_owned();
    let pin = args.expect(match all {
        true => "a directory of a BPF file system",
        false => "a path in a BPF file system",
    })?;
    let mut load = ProgLoad {
        netns: netns.clone(),
        object,
        pin: pin.to_owned(),
        all,
        prog_type: None,
        xdpmeta_dev: None,
    };
    while let Some(word) = args.next() {
        let known = OPTIONS.into_iter().find(|known| known.starts_with(word));
        match known {
            Some("type") if load.prog_type.is_none() => {
                load.prog_type = Some(args.value("a program type, such as xdp", prog_type)?);
            }
            Some("xdpmeta_dev") if load.xdpmeta_dev.is_none() => {
                load.xdpmeta_dev = Some(args.value("a device", device)?);
            }
            // given twice
            Some("type" | "xdpmeta_dev") | None => {
                return Err(args.unexpected("type TYPE, xdpmeta_dev DEV or the end of the command"));
            }
            Some(option) => {
                let verb = if all { "loadall" } else { "load" };
                return Ok(Command::NotCovered {
                    what: format!("bpftool prog {verb} … {option}"),
                });
            }
        }
    }
    let plain = all && load.prog_type.is_none() && load.xdpmeta_dev.is_none();
    Ok(match plain {
        true => Command::ProgLoadAll {
            object: load.object,
            dir: load.pin,
        },
        false => Command::ProgLoad(load),
    })
}

/// Types are named as sections are (`libbpf_prog_type_by_name()`).
fn prog_type(word: &str) -> Option<ProgType> {
    match ProgType::from_section(word) {
        ProgType::Unknown(_) => None,
        known => Some(known),
    }
}
