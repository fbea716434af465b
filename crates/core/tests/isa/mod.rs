//! RFC 9669, instruction by instruction: tables with results worked out by hand, and a reference
//! interpreter written from the text of the RFC. Shared by the tests on the host and in WebAssembly.

#![allow(dead_code)] // each test file uses a part

pub mod alu_table;
pub mod conformance;
pub mod jump_table;
pub mod kernel;
pub mod lists;
pub mod memory_table;
pub mod reference;

use headroom_core::bpf::Budget;
use headroom_core::bpf::vm::{Outcome, Pace, Plain};

/// One slot (RFC 9669 §3.1).
pub fn insn(op: u8, dst: u8, src: u8, off: i16, imm: i32) -> [u8; 8] {
    let (o, i) = (off.to_le_bytes(), imm.to_le_bytes());
    [op, src << 4 | dst, o[0], o[1], i[0], i[1], i[2], i[3]]
}

/// A wide load: two slots (RFC 9669 §3.2).
pub fn lddw(dst: u8, value: u64) -> [[u8; 8]; 2] {
    let (low, high) = (value as u32 as i32, (value >> 32) as u32 as i32);
    [insn(0x18, dst, 0, 0, low), insn(0, 0, 0, 0, high)]
}

pub const EXIT: [u8; 8] = [0x95, 0, 0, 0, 0, 0, 0, 0];

/// r0 and the memory after a run by the engine; the same at both paces.
pub fn engine(code: &[[u8; 8]], memory: &[u8]) -> Result<(u64, Vec<u8>), String> {
    let run = |pace| at_pace(code, memory, Budget::default(), pace);
    let (full, steps) = (run(Pace::Full), run(Pace::Steps));
    assert_eq!(
        full, steps,
        "full speed and single steps differ: {code:02x?}"
    );
    full.map(|outcome| (outcome.r0, outcome.memory))
}

/// What the engine leaves, at a pace.
pub fn at_pace(
    code: &[[u8; 8]],
    memory: &[u8],
    budget: Budget,
    pace: Pace,
) -> Result<Outcome, String> {
    Plain::from_bytes(&code.concat())
        .and_then(|program| program.run_at(memory.to_vec(), budget, pace))
        .map_err(|error| error.to_string())
}

/// r0 and the memory after a run by the reference.
pub fn reference(code: &[[u8; 8]], memory: &[u8]) -> Result<(u64, Vec<u8>), String> {
    reference::Machine::new(code, memory).run()
}

type Runner = fn(&[[u8; 8]], &[u8]) -> Result<(u64, Vec<u8>), String>;

/// Both engines, by name.
pub const RUNNERS: [(&str, Runner); 2] = [("engine", engine), ("reference", reference)];

/// Every row of every table, on both engines; what differs, one line a row.
pub fn differences() -> Vec<String> {
    let mut out = Vec::new();
    for (who, runner) in RUNNERS {
        let tables = [
            alu_table::differences(runner),
            jump_table::differences(runner),
            memory_table::differences(runner),
        ];
        for line in tables.concat() {
            out.push(format!("{who}: {line}"));
        }
    }
    out
}
