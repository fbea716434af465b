//! Programs from text over one packet.

use std::sync::Arc;

use headroom_core::bpf::{MapDef, MapKind, Object, ProgType, Program, assemble};
use headroom_core::design::DesignName;
use headroom_core::stack::{Executed, Hook, exec};

/// Ethernet, IPv4 10.0.0.1 → 10.0.0.2, UDP 1000 → 2000 with four bytes; the header's checksum is right.
pub fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([
        0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x66, 0xca, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame.extend([0x03, 0xe8, 0x07, 0xd0, 0, 12, 0, 0, 1, 2, 3, 4]);
    frame
}

/// A program of a section.
pub fn program(name: &str, section: &str, text: &str, maps: &[MapDef]) -> Program {
    let names: Vec<String> = maps.iter().map(|m| m.name.clone()).collect();
    let insns = assemble(text, &names).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Program {
        name: name.to_owned(),
        section: section.to_owned(),
        prog_type: ProgType::from_section(section),
        file: "test".to_owned(),
        lines: vec![None; insns.len()],
        insns,
        map_names: Arc::from(names),
        maps: Arc::from(maps.to_vec()),
        globals: Default::default(),
        gpl: true,
    }
}

pub fn object(programs: Vec<Program>, maps: Vec<MapDef>) -> Object {
    Object {
        name: "test".to_owned(),
        programs,
        maps,
        license: "GPL".to_owned(),
    }
}

/// Runs the first of the programs.
pub fn run_with(hook: Hook, programs: &[(&str, &str)], maps: Vec<MapDef>) -> Executed {
    let make = |(name, text): &(&str, &str)| program(name, hook.section(), text, &maps);
    let programs: Vec<Program> = programs.iter().map(make).collect();
    let first = programs[0].name.clone();
    let object = object(programs, maps);
    exec(&object, &first, hook, &frame(), &[], DesignName::MacHeader).unwrap()
}

/// Runs one program that uses maps.
pub fn run_maps(hook: Hook, text: &str, maps: &[MapDef]) -> Executed {
    run_with(hook, &[("main", text)], maps.to_vec())
}

pub fn run(hook: Hook, text: &str) -> Executed {
    run_with(hook, &[("main", text)], Vec::new())
}

/// r0 of a program that runs to its end.
pub fn r0(hook: Hook, text: &str) -> i64 {
    ended(&run(hook, text))
}

/// r0 of a run that came to its end.
pub fn ended(done: &Executed) -> i64 {
    assert!(done.result.is_ok(), "{:?}", done.result);
    done.r0 as i64
}

/// Why a run did not come to its end.
pub fn refusal(done: &Executed) -> String {
    match &done.result {
        Ok(verdict) => panic!("it ended with {verdict}"),
        Err(stop) => stop.to_string(),
    }
}

/// A map: key size, value size, entries.
pub fn map(name: &str, kind: MapKind, sizes: [u32; 3]) -> MapDef {
    MapDef {
        details: Default::default(),
        name: name.to_owned(),
        kind,
        key_size: sizes[0],
        value_size: sizes[1],
        max_entries: sizes[2],
        flags: 0,
        initial: Vec::new(),
        programs: Vec::new(),
        entries: Vec::new(),
    }
}

/// Text in a read-only section.
pub fn rodata(name: &str, bytes: &[u8]) -> MapDef {
    MapDef {
        details: Default::default(),
        initial: bytes.to_vec(),
        ..map(
            name,
            MapKind::Data { read_only: true },
            [4, bytes.len() as u32, 1],
        )
    }
}

pub const EPERM: i64 = -1;
pub const E2BIG: i64 = -7;
pub const EAGAIN: i64 = -11;
pub const EFAULT: i64 = -14;
pub const EINVAL: i64 = -22;
pub const ERANGE: i64 = -34;
