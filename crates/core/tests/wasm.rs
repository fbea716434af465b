//! The core in WebAssembly: what a visitor's browser runs gives what the host gives.
//!
//! `cargo xtask test` runs this file under Node.js with wasm-bindgen's test runner; on the host it
//! is empty.
#![cfg(target_arch = "wasm32")]

use headroom_core::net::checksum;
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
