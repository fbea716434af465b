//! The tables of `isa/` on the host. `wasm.rs` runs the same ones in WebAssembly.

mod isa;

/// RFC 9669, sections 4 and 5; the reference interpreter has to agree with the tables too.
#[test]
fn the_standard_row_by_row() {
    let differences = isa::differences();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
