//! RFC 9669 §4.3: jumps, calls and exit. r1 is the first operand, r2 the second.

use super::{EXIT, Runner, insn, lddw};

const MIN64: u64 = 0x8000_0000_0000_0000;
const MAX64: u64 = 0xffff_ffff_ffff_ffff;
const HIGH: u64 = 0x1_0000_0000;

/// What it shows; opcode; immediate; first and second operand; whether the jump is taken.
type Row = (&'static str, u8, i32, u64, u64, bool);

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("jeq64 imm: sign-extended", 0x15, -22, (-22i64) as u64, 0, true),
    ("jeq64 imm: not zero-extended", 0x15, -22, 0xffff_ffea, 0, false),
    ("jeq64 reg: all 64 bits", 0x1d, 0, HIGH, 0, false),
    ("jeq32 imm", 0x16, -22, 0xffff_ffea, 0, true),
    ("jeq32 reg: low halves", 0x1e, 0, HIGH | 7, 7, true),
    ("jgt64 imm: -1 is the largest", 0x25, -1, MAX64 - 1, 0, false),
    ("jgt64 imm", 0x25, 7, 8, 0, true),
    ("jgt64 reg: unsigned", 0x2d, 0, MAX64, 1, true),
    ("jgt64 reg: equal", 0x2d, 0, 1, 1, false),
    ("jgt32 imm: unsigned", 0x26, 1, 0xffff_ffff, 0, true),
    ("jgt32 reg: low halves", 0x2e, 0, HIGH, 1, false),
    ("jge64 imm: equal", 0x35, -1, MAX64, 0, true),
    ("jge64 reg: below", 0x3d, 0, 1, 2, false),
    ("jge32 imm: equal", 0x36, -1, 0xffff_ffff, 0, true),
    ("jge32 reg: low halves", 0x3e, 0, HIGH, 1, false),
    ("jset64 imm: sign-extended", 0x45, i32::MIN, MIN64, 0, true),
    ("jset64 imm: no bit", 0x45, 6, 9, 0, false),
    ("jset64 reg", 0x4d, 0, HIGH, HIGH, true),
    ("jset32 imm: low half", 0x46, -1, HIGH, 0, false),
    ("jset32 reg: low halves", 0x4e, 0, HIGH, HIGH, false),
    ("jne64 imm: sign-extended", 0x55, -1, MAX64, 0, false),
    ("jne64 reg: upper half", 0x5d, 0, HIGH, 0, true),
    ("jne32 imm", 0x56, -1, 0xffff_ffff, 0, false),
    ("jne32 reg: low halves", 0x5e, 0, HIGH, 0, false),
    ("jsgt64 imm: -1 against -2", 0x65, -2, MAX64, 0, true),
    ("jsgt64 reg: smallest", 0x6d, 0, MIN64, 0, false),
    ("jsgt32 imm: -1 of 32 bits against 0", 0x66, 0, 0xffff_ffff, 0, false),
    ("jsgt32 reg: signs of low halves", 0x6e, 0, 1, 0xffff_ffff, true),
    ("jsge64 imm: equal", 0x75, -2, MAX64 - 1, 0, true),
    ("jsge64 reg: smallest", 0x7d, 0, MIN64, MAX64, false),
    ("jsge32 imm: equal", 0x76, i32::MIN, 0x8000_0000, 0, true),
    ("jsge32 reg", 0x7e, 0, 0x8000_0000, 0, false),
    ("jlt64 imm: -1 is the largest", 0xa5, -1, 5, 0, true),
    ("jlt64 reg: equal", 0xad, 0, 5, 5, false),
    ("jlt32 imm", 0xa6, 1, HIGH, 0, true),
    ("jlt32 reg: unsigned", 0xae, 0, 0xffff_ffff, 1, false),
    ("jle64 imm: equal", 0xb5, -1, MAX64, 0, true),
    ("jle64 reg: above", 0xbd, 0, MAX64, 1, false),
    ("jle32 imm: low half", 0xb6, 0, HIGH, 0, true),
    ("jle32 reg: unsigned", 0xbe, 0, 0x8000_0000, 1, false),
    ("jslt64 imm: smallest", 0xc5, -1, MIN64, 0, true),
    ("jslt64 reg: equal", 0xcd, 0, MIN64, MIN64, false),
    ("jslt32 imm: -1 against 0", 0xc6, 0, 0xffff_ffff, 0, true),
    ("jslt32 reg: 2^32 - 1 is -1", 0xce, 0, 0, 0xffff_ffff, false),
    ("jsle64 imm: equal", 0xd5, -1, MAX64, 0, true),
    ("jsle64 reg: above", 0xdd, 0, 0, MIN64, false),
    ("jsle32 imm: -1 against -1", 0xd6, -1, 0xffff_ffff, 0, true),
    ("jsle32 reg", 0xde, 0, 0, 0x8000_0000, false),
];

/// Programs: what it shows, the slots, r0.
pub fn programs() -> Vec<(&'static str, Vec<[u8; 8]>, u64)> {
    let mov = |dst, imm| insn(0xb7, dst, 0, 0, imm);
    let add = |dst, imm| insn(0x07, dst, 0, 0, imm);
    let call = |distance| insn(0x85, 0, 1, 0, distance);
    let mut deep = vec![mov(0, 0), call(1), EXIT];
    // Seven functions, each stores its number on its own stack, calls the next and adds what it finds.
    for n in 1..=7 {
        deep.push(insn(0x7a, 10, 0, -8, n));
        if n < 7 {
            deep.push(call(3));
        } else {
            deep.push(insn(0x05, 0, 0, 0, 0));
        }
        deep.extend([insn(0x79, 1, 10, -8, 0), insn(0x0f, 0, 1, 0, 0), EXIT]);
    }
    vec![
        (
            "ja skips",
            vec![mov(0, 1), insn(0x05, 0, 0, 1, 0), mov(0, 2), EXIT],
            1,
        ),
        (
            "gotol skips",
            vec![mov(0, 1), insn(0x06, 0, 0, 0, 1), mov(0, 2), EXIT],
            1,
        ),
        (
            "a jump back: 5 + 4 + 3 + 2 + 1",
            vec![
                mov(0, 0),
                mov(1, 5),
                insn(0x0f, 0, 1, 0, 0),
                add(1, -1),
                insn(0x55, 1, 0, -3, 0),
                EXIT,
            ],
            15,
        ),
        (
            "a jump counts both slots of a wide load",
            [
                vec![mov(0, 1), insn(0x05, 0, 0, 2, 0)],
                lddw(0, 9).to_vec(),
                vec![EXIT],
            ]
            .concat(),
            1,
        ),
        (
            "a call keeps r6 to r9 and gives r0",
            vec![
                mov(6, 6),
                mov(9, 9),
                mov(1, 3),
                call(3),
                insn(0x0f, 0, 6, 0, 0),
                insn(0x0f, 0, 9, 0, 0),
                EXIT,
                insn(0xbf, 0, 1, 0, 0),
                mov(6, 100),
                mov(9, 100),
                EXIT,
            ],
            18,
        ),
        ("eight frames, each with its own stack", deep, 28),
    ]
}

/// Rows and programs that come out otherwise.
pub fn differences(runner: Runner) -> Vec<String> {
    let mut out = Vec::new();
    for &(what, op, imm, first, second, taken) in ROWS {
        let mut code = [lddw(1, first), lddw(2, second)].concat();
        let src = if op & 8 != 0 { 2 } else { 0 };
        code.extend([insn(0xb7, 0, 0, 0, 1), insn(op, 1, src, 1, imm)]);
        code.extend([insn(0xb7, 0, 0, 0, 0), EXIT]);
        let got = runner(&code, &[]).map(|(r0, _)| r0 == 1);
        if got != Ok(taken) {
            out.push(format!("{what}: taken {got:?}, not {taken}"));
        }
    }
    for (what, code, want) in programs() {
        let got = runner(&code, &[]).map(|(r0, _)| r0);
        if got != Ok(want) {
            out.push(format!("{what}: {got:x?}, not {want:#x}"));
        }
    }
    out
}
