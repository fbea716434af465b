//! Each object, loaded by us and by `aya-obj`: the same programs, instructions and maps. And each program's
//! text, assembled again, is the program.

mod encode;
#[path = "object_files/listing.rs"]
mod listing;
mod object_files;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aya_obj::generated::bpf_insn;
use encode::{fields, number};
use headroom_core::bpf::insn::{Callee, Insn, Wide};
use headroom_core::bpf::{LoadError, MapKind, Object, Program, assemble, load_object, texts};
use object_files::{built, recorded};

/// Objects that must not load: the place and what the message must say.
const REFUSED: [(&str, &str, &str); 3] = [
    (
        "arena.o",
        "section .maps, offset 0x0: ",
        "map `arena` is an arena: the simulator lacks casts between its address spaces",
    ),
    (
        "kconfig_missing.o",
        "section tc, offset 0x",
        "kconfig value CONFIG_HZ",
    ),
    (
        "ksym_missing.o",
        "section tc, offset 0x",
        "kernel symbol no_such_variable",
    ),
];
/// Objects that `aya-obj` 0.3 does not take: it has no kernel functions, no `.kconfig`, not
/// all sections, no first programs or maps of a map, and for CO-RE it wants the BTF of a whole kernel.
const NOT_FOR_AYA: [&str; 8] = [
    "core",
    "dynptrs",
    "iterators",
    "kconfig",
    "ksyms",
    "map_in_map",
    "sections",
    "tail_calls",
];

fn ours(name: &str, bytes: &[u8]) -> Result<Object, LoadError> {
    load_object(name, bytes)
}

/// Two listings of the same functions, in any order behind the first.
struct Twins<'a> {
    name: String,
    program: &'a Program,
    slots: Vec<usize>,
    functions: BTreeSet<usize>,
    theirs: &'a [bpf_insn],
    /// Functions compared: ours → theirs.
    seen: BTreeMap<usize, usize>,
    compared: usize,
}

impl<'a> Twins<'a> {
    fn new(name: String, program: &'a Program, theirs: &'a [bpf_insn]) -> Twins<'a> {
        let mut slots = vec![0];
        for insn in &program.insns {
            slots.push(slots[slots.len() - 1] + insn.slots());
        }
        let functions = program.insns.iter().filter_map(Insn::function);
        let functions = functions.chain([0, program.insns.len()]).collect();
        Twins {
            name,
            program,
            slots,
            functions,
            theirs,
            seen: BTreeMap::new(),
            compared: 0,
        }
    }

    /// The function that begins at `start` here and at slot `their_start` there.
    fn function(&mut self, start: usize, their_start: usize) {
        if let Some(known) = self.seen.insert(start, their_start) {
            assert_eq!(known, their_start, "{}", self.name);
            return;
        }
        let end = *self.functions.range(start + 1..).next().unwrap();
        for at in start..end {
            let slot = their_start + self.slots[at] - self.slots[start];
            self.insn(at, slot);
            self.compared += 1;
        }
    }

    fn insn(&mut self, at: usize, slot: usize) {
        let insn = &self.program.insns[at];
        let raw = |slot: usize| {
            let i = &self.theirs[slot];
            (i.code, i.dst_reg(), i.src_reg(), i.off, i.imm)
        };
        let place = format!("{}: instruction {at}, {insn:?}", self.name);
        let theirs = raw(slot);
        let target = || (slot as i64 + 1 + i64::from(theirs.4)) as usize;
        match *insn {
            Insn::Call(Callee::Local(function)) => {
                assert_eq!((theirs.0, theirs.2), (0x85, 1), "{place}");
                self.function(function, target());
            }
            Insn::LoadImm { dst, value } => {
                let second = raw(slot + 1).4;
                assert_eq!((theirs.0, theirs.1), (0x18, number(dst)), "{place}");
                match value {
                    Wide::Number(n) => {
                        let halves = (theirs.2, theirs.4 as u32, second as u32);
                        assert_eq!(halves, (0, n as u32, (n >> 32) as u32), "{place}");
                    }
                    Wide::Map(map) => assert_eq!((theirs.2, theirs.4), (1, map as i32), "{place}"),
                    Wide::MapValue { map, off } => {
                        let found = (theirs.2, theirs.4, second as u32);
                        assert_eq!(found, (2, map as i32, off), "{place}");
                    }
                    Wide::Func(function) => {
                        assert_eq!(theirs.2, 4, "{place}");
                        self.function(function, target());
                    }
                }
            }
            _ => {
                let jump = insn.target().map_or(0, |target| {
                    self.slots[target] as i64 - self.slots[at + 1] as i64
                });
                assert_eq!(fields(insn, jump), theirs, "{place}");
            }
        }
    }
}

fn compare_maps(name: &str, ours: &Object, theirs: &aya_obj::Object) {
    let data = |map: &str| map.starts_with('.');
    let names: BTreeSet<&str> = ours.maps.iter().map(|m| m.name.as_str()).collect();
    let defined = theirs.maps.keys().map(String::as_str);
    for other in defined.filter(|map| !data(map)) {
        assert!(names.contains(other), "{name}: no map {other}");
    }
    for map in &ours.maps {
        let other = &theirs.maps[&map.name];
        let sizes = (map.key_size, map.value_size, map.max_entries);
        let place = format!("{name}: map {}", map.name);
        if let MapKind::Data { .. } = map.kind {
            assert_eq!(map.value_size, other.value_size(), "{place}");
            let zeros = vec![0; map.value_size as usize];
            let content = if map.initial.is_empty() {
                &zeros
            } else {
                &map.initial
            };
            assert_eq!(content, other.data(), "{place}");
            continue;
        }
        let others = (other.key_size(), other.value_size(), other.max_entries());
        assert_eq!(
            (map.kind.number(), sizes),
            (other.map_type(), others),
            "{place}"
        );
        assert_eq!(map.flags, other.map_flags(), "{place}");
    }
}

/// Names of sections that `aya-obj` 0.3 does not know become some that it does; types are not compared.
fn for_aya(bytes: &[u8]) -> Vec<u8> {
    const NAMES: [(&[u8], &[u8]); 3] = [
        (b"lwt_xmit\0", b"xdp\0\0\0\0\0\0"),
        (b"tcx/ingress\0", b"classifier\0\0"),
        (b"tcx/egress\0", b"classifier\0"),
    ];
    let mut bytes = bytes.to_vec();
    for (from, to) in NAMES {
        for at in 0..bytes.len().saturating_sub(from.len()) {
            if bytes[at..].starts_with(from) {
                bytes[at..at + to.len()].copy_from_slice(to);
            }
        }
    }
    bytes
}

/// How many instructions were compared.
fn compare(name: &str, bytes: &[u8]) -> usize {
    let object = ours(name, bytes).unwrap();
    let theirs = aya_obj::Object::parse(&for_aya(bytes));
    let mut theirs = theirs.unwrap_or_else(|e| panic!("{name}: {e}"));
    compare_maps(name, &object, &theirs);
    let text: HashSet<usize> = theirs
        .functions
        .keys()
        .map(|(section, _)| *section)
        .collect();
    // A map's file descriptor is its index here.
    let maps: Vec<_> = object
        .maps
        .iter()
        .enumerate()
        .map(|(i, map)| (map.name.clone(), i as i32, theirs.maps[&map.name].clone()))
        .collect();
    let maps = maps.iter().map(|(name, fd, map)| (name.as_str(), *fd, map));
    theirs
        .relocate_maps(maps, &text)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    theirs
        .relocate_calls(&text)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    // aya takes GPL where no license is written.
    let license = theirs.license.to_str().unwrap();
    let none = object.license.is_empty() && license == "GPL";
    assert!(none || license == object.license, "{name}: {license}");
    assert_eq!(theirs.programs.len(), object.programs.len(), "{name}");
    let mut compared = 0;
    for program in &object.programs {
        let other = &theirs.programs[&program.name];
        let function = &theirs.functions[&other.function_key()];
        let place = format!("{name}, program {}", program.name);
        let mut twins = Twins::new(place, program, &function.instructions);
        twins.function(0, 0);
        assert_eq!(twins.compared, program.insns.len(), "{}", twins.name);
        compared += twins.compared;
    }
    compared
}

/// The source of an object: `maps` for `maps.clang22.o`.
fn source(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

fn all() -> Vec<(String, Vec<u8>)> {
    built().into_iter().chain(recorded()).collect()
}

#[test]
fn aya_reads_the_same_programs_and_maps() {
    let refused = |name: &str| REFUSED.iter().any(|(refused, ..)| *refused == name);
    let (mut objects, mut insns) = (0, 0);
    for (name, bytes) in all() {
        let kfuncs = ours(&name, &bytes).is_ok_and(|object| {
            let calls = |insn: &Insn| matches!(insn, Insn::Call(Callee::Kfunc(_)));
            object.programs.iter().any(|p| p.insns.iter().any(calls))
        });
        if refused(&name) || NOT_FOR_AYA.contains(&source(&name)) || kfuncs {
            continue;
        }
        insns += compare(&name, &bytes);
        objects += 1;
    }
    assert!(
        objects >= 95 && insns >= 8000,
        "{objects} objects, {insns} instructions"
    );
}

#[test]
fn there_are_enough_objects_and_each_loads_or_says_why_not() {
    let built = built();
    assert!(built.len() >= 130, "{}", built.len());
    for (name, bytes) in all() {
        let loaded = ours(&name, &bytes);
        match REFUSED.iter().find(|(refused, ..)| *refused == name) {
            None => assert!(loaded.is_ok_and(|o| !o.programs.is_empty()), "{name}"),
            Some((_, place, why)) => {
                let message = loaded.unwrap_err().to_string();
                assert!(
                    message.contains(*why) && message.contains(*place),
                    "{message}"
                );
            }
        }
    }
}

#[test]
fn text_of_every_program_assembles_to_the_program() {
    for (name, bytes) in all() {
        let Ok(object) = ours(&name, &bytes) else {
            continue;
        };
        for program in &object.programs {
            let text = texts(&program.insns, &program.map_names).join("\n");
            let again = assemble(&text, &program.map_names)
                .unwrap_or_else(|e| panic!("{name}, {}: {e}", program.name));
            assert_eq!(again, program.insns, "{name}, {}", program.name);
        }
    }
}

/// Cut off at any length, an object is an error that names a section and an offset, or what is left of it is whole.
#[test]
fn objects_that_are_cut_off_are_errors() {
    const EVERY_LENGTH: [&str; 6] = [
        "globals.clang22.o",
        "core.clang16.o",
        "ksyms.clang21.o",
        "legacy_maps.clang14.o",
        "tail_calls.clang20.o",
        "count.aya.o",
    ];
    let mut errors = 0;
    for (name, bytes) in built() {
        let step = if EVERY_LENGTH.contains(&name.as_str()) {
            1
        } else {
            97
        };
        for len in (0..bytes.len()).step_by(step) {
            if let Err(error) = ours("cut.o", &bytes[..len]) {
                let text = error.to_string();
                assert!(text.starts_with("cut.o: "), "{name} cut to {len}: {text}");
                assert!(!text.contains('\n'), "{text}");
                let place = text.contains("section ") || text.contains("header");
                assert!(
                    place && text.contains("offset 0x"),
                    "{name} cut to {len}: {text}"
                );
                assert!(
                    len < 64 || !text.contains("offset 0x0:"),
                    "{name} cut to {len}: {text}"
                );
                errors += 1;
            }
        }
    }
    assert!(errors > 20_000, "{errors}");
}

/// Our listing of each function against `llvm-objdump`'s, where both write the same in the same way.
#[test]
fn llvm_prints_the_same_instructions() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/objects/listings.txt"
    );
    let listings = listing::read(&std::fs::read_to_string(path).expect("listings.txt"));
    let (mut objects, mut compared, mut left_out) = (0, 0, 0);
    for (file, functions) in &listings {
        let object = ours(file, &object_files::one(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        objects += 1;
        for program in &object.programs {
            // what it calls comes behind it
            let theirs = &functions[&program.name];
            let texts = texts(&program.insns, &program.map_names);
            assert!(texts.len() >= theirs.len(), "{file}: {}", program.name);
            for (at, (ours, theirs)) in texts.iter().zip(theirs).enumerate() {
                if listing::is_left_out(ours, theirs) {
                    left_out += 1;
                    continue;
                }
                let place = format!(
                    "{file}: {}, instruction {at}: {ours} | {theirs}",
                    program.name
                );
                assert_eq!(listing::form(ours), listing::form(theirs), "{place}");
                compared += 1;
            }
        }
    }
    assert!(
        objects >= 40 && compared > 2000 && left_out < compared,
        "{objects} objects, {compared} instructions, {left_out} left out"
    );
}
