//! Random programs against what a real kernel made of them (`tests/kernel-isa/README.md`). `wasm.rs` runs the same
//! ones in WebAssembly.

mod isa;

use isa::kernel::{self, Case, PROGRAMS};

/// The engine at both paces leaves the registers, the memory and the stack that Linux 7.2.13 left.
#[test]
fn the_engine_is_as_the_kernel() {
    let differences = kernel::differences(isa::engine);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// So does the reference interpreter of these tests.
#[test]
fn the_reference_is_as_the_kernel() {
    let differences = kernel::differences(isa::reference);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Not a check: writes the programs for `tools/recorder/isa.sh` to the file that `ISA_PROGRAMS` names, and with
/// `ISA_RESULTS`, what that script wrote, the table.
#[test]
#[ignore = "makes the table"]
fn make_the_table() {
    let name = |key| std::env::var(key).ok();
    let cases = (0..PROGRAMS).map(Case::new);
    if let Some(file) = name("ISA_PROGRAMS") {
        let lines: Vec<String> = cases.map(|case| case.line() + "\n").collect();
        std::fs::write(file, lines.concat()).expect("the programs");
        return;
    }
    let results = std::fs::read_to_string(name("ISA_RESULTS").expect("a file")).expect("results");
    assert_eq!(results.lines().count(), PROGRAMS as usize);
    let table: String = cases
        .zip(results.lines())
        .map(|(case, line)| {
            let memory = line.strip_prefix("ok ").expect("a program that ran");
            kernel::result(&case, &bytes(memory)) + "\n"
        })
        .collect();
    let table_file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/kernel-isa/results.txt"
    );
    std::fs::write(table_file, table).expect("the table");
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}
