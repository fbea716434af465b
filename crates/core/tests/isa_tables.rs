//! The tables of `isa/` and the conformance suite on the host. `wasm.rs` runs the same ones in WebAssembly.

mod isa;

/// RFC 9669, sections 4 and 5; the reference interpreter has to agree with the tables too.
#[test]
fn the_standard_row_by_row() {
    let differences = isa::differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The suite `bpf_conformance`, which others wrote: r0 of every program, at both paces.
#[test]
fn the_conformance_suite_case_by_case() {
    assert_eq!(isa::conformance::count(), 313);
    let differences = isa::conformance::differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
