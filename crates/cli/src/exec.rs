//! `headroom exec`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use headroom_core::bpf::{MapError, Object, ProgType, Program, load_object, parse_hex};
use headroom_core::design::DesignName;
use headroom_core::net::pcap;
use headroom_core::stack::{Executed, Hook, Ready, rules};

use crate::colour::Paint;
use crate::error::CliError;
use crate::{Format, LimitArgs, exec_text, leniency, parse_design};

/// What `headroom exec` takes.
#[derive(Args)]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    source: Source,
    /// The program of the object; needed when it has several.
    #[arg(long, value_name = "NAME", requires = "object")]
    program: Option<String>,
    /// Where the program runs; an object's section says it.
    #[arg(long, value_enum, required_unless_present = "object")]
    hook: Option<HookArg>,
    /// The packet from its Ethernet header on: hex, or a pcap file.
    #[arg(long, value_name = "HEX|F.pcap")]
    packet: String,
    /// Which packet of the pcap file, from 1; the first one unless it is given.
    #[arg(long, value_name = "N")]
    nth: Option<usize>,
    /// Metadata in front of the packet.
    #[arg(long, value_name = "HEX")]
    meta: Option<String>,
    /// A value that a map of the object begins with; may be given again and again.
    #[arg(long = "map", value_name = "NAME=KEY:VALUE", requires = "object")]
    maps: Vec<String>,
    /// The design that a TC program runs under.
    #[arg(long, value_name = "NAME", value_parser = parse_design, default_value = "mac_header")]
    design: DesignName,
    #[command(flatten)]
    limits: LimitArgs,
    /// Show every instruction with the registers it changed.
    #[arg(long)]
    trace: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Where the program comes from: one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// An object file of clang or aya.
    #[arg(long, value_name = "F.o")]
    object: Option<PathBuf>,
    /// A file of assembler text, `-` for standard input: the kernel's, clang's or rbpf's style.
    #[arg(long, value_name = "F")]
    asm: Option<PathBuf>,
    /// The program's bytes.
    #[arg(long, value_name = "HEX")]
    hex: Option<String>,
}

/// A hook's name.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HookArg {
    Xdp,
    Tc,
}

impl From<HookArg> for Hook {
    fn from(hook: HookArg) -> Hook {
        match hook {
            HookArg::Xdp => Hook::Xdp,
            HookArg::Tc => Hook::Tc,
        }
    }
}

/// Runs one program over one packet. A fault of the program is exit code 1.
pub(crate) fn exec(args: &ExecArgs, paint: Paint) -> Result<ExitCode, CliError> {
    let (object, program, hook) = program(args)?;
    let packet = packet(&args.packet, args.nth)?;
    let meta = hex("--meta", args.meta.as_deref().unwrap_or_default())?;
    let (limits, rules) = (args.limits.limits(), rules(args.design));
    let programs = object.programs.iter();
    let judged: Vec<_> = programs.map(|p| p.judge_by(limits, rules)).collect();
    let done = Ready::judged(&object, &judged, &program, hook, args.design)
        .and_then(|ready| ready.with_limits(limits).run(&packet, &meta))
        .map_err(|error| CliError::Exec(Box::new(error)))?;
    let may_refuse = leniency::of_run(&object, &judged, &program);
    let mut out = std::io::stdout().lock();
    match args.format {
        Format::Text => {
            out.write_all(exec_text::text(&done, args.trace, paint).as_bytes())?;
            leniency::print(&may_refuse);
        }
        Format::Json => {
            let mut json = exec_text::json(&done, args.trace);
            json["verifier_warnings"] = serde_json::to_value(&may_refuse)?;
            writeln!(out, "{json}")?;
        }
    }
    Ok(finish(&done))
}

fn finish(done: &Executed) -> ExitCode {
    match &done.result {
        Ok(_) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("headroom: {stop}");
            ExitCode::FAILURE
        }
    }
}

fn hex(what: &'static str, text: &str) -> Result<Vec<u8>, CliError> {
    parse_hex(text).map_err(|error| CliError::Hex { what, error })
}

/// `NAME=KEY:VALUE`, key and value as hex; a queue has no key. The first object with a map of that name gets it.
pub(crate) fn set_map(objects: &mut [Object], entry: &str) -> Result<(), CliError> {
    let shape = || CliError::MapEntry {
        entry: entry.to_owned(),
    };
    let (name, rest) = entry.split_once('=').ok_or_else(shape)?;
    let (key, value) = rest.split_once(':').ok_or_else(shape)?;
    let (key, value) = (hex("--map, key", key)?, hex("--map, value", value)?);
    let has = |object: &&mut Object| object.maps.iter().any(|map| map.name == name);
    let missing = || {
        let map = name.to_owned();
        CliError::Map(MapError::NoMap { map })
    };
    let object = objects.iter_mut().find(has).ok_or_else(missing)?;
    object
        .set_map_entry(name, &key, &value)
        .map_err(CliError::Map)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|error| CliError::Read {
        path: path.into(),
        error,
    })
}

/// The object, the program's name and its hook.
fn program(args: &ExecArgs) -> Result<(Object, String, Hook), CliError> {
    if let Some(path) = &args.source.object {
        let mut object = load_object(&path.display().to_string(), &read(path)?)?;
        some_program(&object)?;
        for entry in &args.maps {
            set_map(std::slice::from_mut(&mut object), entry)?;
        }
        let program = pick(&object, args.program.as_deref())?;
        let hook = match (args.hook, Hook::of(program)) {
            (Some(hook), _) => hook.into(),
            (None, Some(hook)) => hook,
            (None, None) => {
                return Err(CliError::NoHook {
                    program: program.name.clone(),
                    section: program.section.clone(),
                });
            }
        };
        let name = program.name.clone();
        // a program whose section names no type gets the hook's
        let unknown =
            |p: &&mut Program| p.name == name && matches!(p.prog_type, ProgType::Unknown(_));
        if let Some(program) = object.programs.iter_mut().find(unknown) {
            *program = program.as_type(hook.prog_type());
        }
        return Ok((object, name, hook));
    }
    let hook = args.hook.map_or(Hook::Xdp, Hook::from);
    let program = match (&args.source.asm, &args.source.hex) {
        (Some(path), _) => {
            let (file, text) = if path.as_os_str() == "-" {
                ("<stdin>".to_owned(), crate::input::stdin()?)
            } else {
                (path.display().to_string(), crate::input::read_text(path)?)
            };
            Program::from_asm(&file, hook.section(), &text)
                .map_err(|error| CliError::Asm { file, error })?
        }
        (None, Some(text)) => Program::from_bytes("--hex", hook.section(), &hex("--hex", text)?)?,
        // clap wants one of the three
        (None, None) => return Err(CliError::NoProgram),
    };
    let name = program.name.clone();
    let object = Object {
        name: name.clone(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    };
    Ok((object, name, hook))
}

/// An object without programs is worth a message of its own.
pub(crate) fn some_program(object: &Object) -> Result<(), CliError> {
    if object.programs.is_empty() {
        let file = object.name.clone();
        return Err(CliError::NoPrograms { file });
    }
    Ok(())
}

/// The program that was asked for, or the only one.
fn pick<'o>(object: &'o Object, name: Option<&str>) -> Result<&'o Program, CliError> {
    let found = match (name, object.programs.as_slice()) {
        (Some(name), _) => object.program(name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = object.programs.iter().map(|p| p.name.as_str()).collect();
        let file = object.name.clone();
        let known = names.join(", ");
        match name {
            Some(name) => CliError::NoSuchProgram {
                file,
                program: name.into(),
                known,
            },
            None => CliError::WhichProgram { file, known },
        }
    })
}

/// Hex if it looks like hex, else the name of a pcap file.
fn packet(text: &str, nth: Option<usize>) -> Result<Vec<u8>, CliError> {
    let path = Path::new(text);
    let like_hex = text
        .chars()
        .all(|c| c.is_ascii_hexdigit() || c.is_whitespace());
    if like_hex || !(path.exists() || text.ends_with(".pcap")) {
        return match nth {
            None => hex("--packet", text),
            Some(_) => Err(CliError::NthOfHex),
        };
    }
    let nth = nth.unwrap_or(1);
    pcap::packet(&read(path)?, nth).map_err(|error| CliError::Pcap {
        file: path.into(),
        error,
    })
}
