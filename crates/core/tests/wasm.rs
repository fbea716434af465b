//! The core in WebAssembly: what a visitor's browser runs gives what the host gives.
//!
//! `cargo xtask test` runs this file under Node.js with wasm-bindgen's test runner; on the host it
//! is empty.
#![cfg(target_arch = "wasm32")]

mod isa;
mod random_setups;

use headroom_core::design::DesignName;
use headroom_core::net::checksum;
use headroom_core::recording::{Recording, compare};
use headroom_core::scenario::{Parsed, ScenarioFile, parse_setup};
use headroom_core::simulate::{Input, simulate};
use object::{Object, ObjectSection, ObjectSymbol};
use wasm_bindgen_test::wasm_bindgen_test;

/// The object that the site carries for the seed experiment.
const PROGS: &[u8] = include_bytes!("../../../content/programs/seed/progs.bpf.o");

/// RFC 1071, section 3.
#[wasm_bindgen_test]
fn checksums_are_those_of_the_host() {
    let words = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
    assert_eq!(checksum::internet(&words), 0x220d);
}

/// RFC 9669, row by row, as on the host (`isa_tables.rs`).
#[wasm_bindgen_test]
fn the_standard_row_by_row() {
    let differences = isa::differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The suite `bpf_conformance`, as on the host (`isa_tables.rs`).
#[wasm_bindgen_test]
fn the_conformance_suite_case_by_case() {
    assert_eq!(isa::conformance::count(), 313);
    let differences = isa::conformance::differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Random programs, as a real kernel ran them (`isa_kernel.rs`).
#[wasm_bindgen_test]
fn random_programs_are_as_in_the_kernel() {
    let differences = isa::kernel::differences(isa::engine);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Traces of random set-ups; the stage `traces, host and wasm32` of `cargo xtask test` compares this line with what
/// `random_topologies.rs` prints.
#[wasm_bindgen_test]
fn same_traces() {
    wasm_bindgen_test::console_log!("{}", random_setups::mark(random_setups::FOR_BOTH));
}

/// The object is read in 32-bit memory as on a 64-bit host: both programs, and the line info that
/// the C lines on the page come from.
#[wasm_bindgen_test]
fn the_seed_object_has_both_programs() {
    let file = object::File::parse(PROGS).expect("an ELF file");
    let mut programs: Vec<(&str, u64)> = file
        .symbols()
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.is_global())
        .map(|symbol| (symbol.name().expect("a name"), symbol.size() / 8))
        .collect();
    programs.sort_unstable();
    assert_eq!(programs, [("get_tag", 13), ("set_tag", 15)]);
    for name in ["xdp", "tcx/ingress", "license", ".BTF", ".BTF.ext"] {
        let section = file.section_by_name(name).expect(name);
        assert!(section.size() > 0, "{name} is empty");
    }
}

/// The seed experiment: what the seed mail saw, and what series v3 makes of it.
#[wasm_bindgen_test]
fn the_seed_experiment_reads_524288_and_42() {
    let text = include_str!("../../../content/scenarios/seed.json");
    let scenario = ScenarioFile::read("seed.json", text).expect("the seed scenario");
    let objects = [("progs.bpf.o".to_owned(), PROGS.to_vec())];
    let parsed = scenario.parse().expect("commands");
    let input = Input::new("seed", parsed, &objects).expect("an input");
    let printed = |design| simulate(&input, design).expect("a trace").printk;
    assert_eq!(printed(DesignName::MacHeader), ["42", "42", "524288"]);
    assert_eq!(printed(DesignName::MetaEnd), ["42", "42", "42"]);
}

/// The mail's commands as a real kernel ran them: every event, field and byte, in WebAssembly too.
#[wasm_bindgen_test]
fn recordings_are_equal_in_wasm() {
    let set_tag = include_bytes!("../../../tests/recordings/programs/set_tag.bpf.o").to_vec();
    let get_tag = include_bytes!("../../../tests/recordings/programs/get_tag.bpf.o").to_vec();
    let objects = [
        ("set_tag".to_owned(), set_tag),
        ("get_tag".to_owned(), get_tag),
    ];
    for (design, text) in [
        (
            DesignName::MacHeader,
            include_str!("../../../tests/recordings/E2-gre-veth-full.mac_header.json"),
        ),
        (
            DesignName::MetaEnd,
            include_str!("../../../tests/recordings/E2-gre-veth-full.meta_end.json"),
        ),
    ] {
        let recording = Recording::read("recording", text).expect("a recording");
        let lines = parse_setup(&recording.head.setup).expect("commands");
        let parsed = Parsed {
            lines,
            skipped: Vec::new(),
        };
        let input = Input::new(&recording.head.id, parsed, &objects).expect("an input");
        let report = compare(&recording, &simulate(&input, design).expect("a trace"));
        assert!(report.passed(), "{report}");
    }
}
