//! Random valid programs: the engine (lowered to `rbpf`) and the reference interpreter must leave
//! the same registers and the same memory.
//!
//! A program sets r0 to r8 and 64 bytes of stack, keeps the memory's address in r9, runs a body in
//! which jumps go forward, may call a function, and stores all registers at its end.

mod isa;

use isa::lists::{BINARY, CONDITIONS, EDGES, IMMEDIATES, MOVSX};
use isa::{EXIT, insn, lddw};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes of memory that the body uses; the registers are stored behind.
const MEMORY: i16 = 64;
const REGISTERS: i16 = MEMORY + 80;

fn edge() -> impl Strategy<Value = u64> {
    prop_oneof![prop::sample::select(EDGES.to_vec()), any::<u64>(),]
}

fn imm() -> impl Strategy<Value = i32> {
    prop_oneof![prop::sample::select(IMMEDIATES.to_vec()), any::<i32>(),]
}

/// r0 to r8.
fn reg() -> impl Strategy<Value = u8> {
    0..9u8
}

fn alu() -> impl Strategy<Value = [u8; 8]> {
    let class = || prop::sample::select(vec![0x04u8, 0x07]);
    let binary = prop::sample::select(BINARY.to_vec());
    let with_imm = (class(), binary.clone(), reg(), imm())
        .prop_map(|(class, (op, off), dst, imm)| insn(op | class, dst, 0, off, imm));
    let with_reg = (class(), binary, reg(), reg())
        .prop_map(|(class, (op, off), dst, src)| insn(op | 8 | class, dst, src, off, 0));
    let neg = (class(), reg()).prop_map(|(class, dst)| insn(0x80 | class, dst, 0, 0, 0));
    let sign = prop::sample::select(MOVSX.to_vec());
    let movsx = (sign, reg(), reg()).prop_map(|((op, off), dst, src)| insn(op, dst, src, off, 0));
    let op = prop::sample::select(vec![0xd4u8, 0xdc, 0xd7]);
    let swap = (op, reg(), prop::sample::select(vec![16, 32, 64]))
        .prop_map(|(op, dst, bits)| insn(op, dst, 0, 0, bits));
    prop_oneof![4 => with_imm, 4 => with_reg, 1 => neg, 1 => movsx, 1 => swap]
}

/// An access of the memory (by r9) or of the stack (by r10).
fn memory() -> impl Strategy<Value = [u8; 8]> {
    let size = prop::sample::select(vec![(0x00u8, 4i16), (0x08, 2), (0x10, 1), (0x18, 8)]);
    let place = (size, any::<bool>(), 0..MEMORY).prop_map(|((code, size), stack, at)| {
        let at = at.min(MEMORY - size);
        if stack {
            (code, 10u8, at - MEMORY)
        } else {
            (code, 9, at)
        }
    });
    (place, reg(), imm(), 0..4u8).prop_map(|((code, base, off), reg, imm, what)| match what {
        0 => insn(0x61 | code, reg, base, off, 0),
        1 if code != 0x18 => insn(0x81 | code, reg, base, off, 0),
        1 | 2 => insn(0x63 | code, base, reg, off, 0),
        _ => insn(0x62 | code, base, 0, off, imm),
    })
}

fn atomic() -> impl Strategy<Value = [u8; 8]> {
    let op = prop::sample::select(vec![
        0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
    ]);
    (op, any::<bool>(), any::<bool>(), 0..8i16, reg()).prop_map(|(op, wide, stack, at, reg)| {
        let code = if wide { 0xdb } else { 0xc3 };
        let (base, off) = if stack {
            (10, at * 8 - MEMORY)
        } else {
            (9, at * 8)
        };
        match op {
            0x100 => insn(code, reg, base, off, op),
            _ => insn(code, base, reg, off, op),
        }
    })
}

/// One entry of a body: an instruction, a wide load, or a jump over that many entries.
#[derive(Debug, Clone)]
enum Entry {
    One([u8; 8]),
    Wide(u8, u64),
    Jump {
        op: u8,
        dst: u8,
        src: u8,
        imm: i32,
        over: usize,
    },
    Call,
}

fn entry() -> impl Strategy<Value = Entry> {
    let jump = (
        prop::sample::select(CONDITIONS.to_vec()),
        0..5u8,
        reg(),
        reg(),
        imm(),
        0..5usize,
    )
        .prop_map(|(cond, form, dst, src, imm, over)| match form {
            0 => Entry::Jump {
                op: cond | 0x05,
                dst,
                src: 0,
                imm,
                over,
            },
            1 => Entry::Jump {
                op: cond | 0x06,
                dst,
                src: 0,
                imm,
                over,
            },
            2 => Entry::Jump {
                op: cond | 0x0d,
                dst,
                src,
                imm: 0,
                over,
            },
            3 => Entry::Jump {
                op: cond | 0x0e,
                dst,
                src,
                imm: 0,
                over,
            },
            _ => Entry::Jump {
                op: 0x05 + (dst & 1),
                dst: 0,
                src: 0,
                imm: 0,
                over,
            },
        });
    prop_oneof![
        6 => alu().prop_map(Entry::One),
        3 => memory().prop_map(Entry::One),
        2 => atomic().prop_map(Entry::One),
        1 => (reg(), edge()).prop_map(|(dst, value)| Entry::Wide(dst, value)),
        3 => jump,
        1 => Just(Entry::Call),
    ]
}

/// The slots of a program; the function that calls go to is behind its exit.
fn assemble(start: &[u64], body: &[Entry], function: &[[u8; 8]]) -> Vec<[u8; 8]> {
    let mut code: Vec<[u8; 8]> = Vec::new();
    code.push(insn(0xbf, 9, 1, 0, 0));
    for at in 0..8 {
        code.push(insn(0x7a, 10, 0, at * 8 - MEMORY, i32::from(at) - 4));
    }
    for (reg, value) in (0..9).zip(start) {
        code.extend(lddw(reg, *value));
    }
    // Where each entry starts, and behind them the end.
    let mut starts = Vec::new();
    let mut slot = code.len();
    for entry in body {
        starts.push(slot);
        slot += if matches!(entry, Entry::Wide(..)) {
            2
        } else {
            1
        };
    }
    starts.push(slot);
    let end = slot + 9 + 1;
    for (at, entry) in body.iter().enumerate() {
        match *entry {
            Entry::One(one) => code.push(one),
            Entry::Wide(dst, value) => code.extend(lddw(dst, value)),
            Entry::Jump {
                op,
                dst,
                src,
                imm,
                over,
            } => {
                let target = starts[(at + 1 + over).min(body.len())];
                let distance = (target - starts[at] - 1) as i16;
                code.push(match op {
                    0x06 => insn(op, 0, 0, 0, i32::from(distance)),
                    _ => insn(op, dst, src, distance, imm),
                });
            }
            Entry::Call => code.push(insn(0x85, 0, 1, 0, (end - starts[at] - 1) as i32)),
        }
    }
    for reg in 0..9 {
        code.push(insn(0x7b, 9, reg, MEMORY + i16::from(reg) * 8, 0));
    }
    code.push(EXIT);
    // Its own stack is not the caller's: it stores before it loads.
    code.push(insn(0x7b, 10, 6, -8, 0));
    code.extend(function);
    code.push(insn(0x79, 7, 10, -8, 0));
    code.push(insn(0x0f, 0, 7, 0, 0));
    code.push(EXIT);
    code
}

proptest! {
    /// Registers and memory are equal at the end.
    #[test]
    fn engine_and_reference_agree(
        start in vec(edge(), 9),
        body in vec(entry(), 1..40),
        function in vec(alu(), 0..6),
        memory in vec(any::<u8>(), MEMORY as usize),
    ) {
        let mut memory = memory;
        memory.resize(REGISTERS as usize, 0);
        let code = assemble(&start, &body, &function);
        let engine = isa::engine(&code, &memory);
        let reference = isa::reference(&code, &memory);
        prop_assert!(reference.is_ok(), "{reference:?}");
        prop_assert_eq!(engine, reference);
    }

    /// Any bytes: a result or an error, within the budget; and both agree on what a result is.
    #[test]
    fn any_bytes_end(bytes in vec(any::<[u8; 8]>(), 1..20)) {
        let mut code = bytes;
        code.push(EXIT);
        if let Ok(result) = isa::engine(&code, &[0; 64])
            && let Ok(reference) = isa::reference(&code, &[0; 64])
        {
            prop_assert_eq!(result, reference);
        }
    }
}
