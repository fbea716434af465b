//! RFC 9669 §5: loads, stores and atomic operations. r1 is the address of eight bytes.

use super::{EXIT, Runner, insn, lddw};

const MEMORY: [u8; 8] = [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
const WORD: u64 = 0xffee_ddcc_bbaa_9988;

/// What it shows; opcode; offset; r0 after `r0 = *(r1 + offset)`.
#[rustfmt::skip]
pub const LOADS: &[(&str, u8, i16, u64)] = &[
    ("ldxb", 0x71, 1, 0x99),
    ("ldxh: little endian", 0x69, 0, 0x9988),
    ("ldxw", 0x61, 4, 0xffee_ddcc),
    ("ldxdw", 0x79, 0, WORD),
    ("ldxh: not aligned", 0x69, 3, 0xccbb),
    ("ldxsb", 0x91, 0, 0xffff_ffff_ffff_ff88),
    ("ldxsh", 0x89, 0, 0xffff_ffff_ffff_9988),
    ("ldxsw", 0x81, 0, 0xffff_ffff_bbaa_9988),
];

/// What it shows; opcode; offset; immediate or r2; the eight bytes afterwards, as a number.
#[rustfmt::skip]
pub const STORES: &[(&str, u8, i16, u64, u64)] = &[
    ("stb", 0x72, 0, 0x1_02, 0xffee_ddcc_bbaa_9902),
    ("sth", 0x6a, 2, 0x1234, 0xffee_ddcc_1234_9988),
    ("stw: negative", 0x62, 4, 0xffff_fffe, 0xffff_fffe_bbaa_9988),
    ("stdw: sign-extended", 0x7a, 0, 0xffff_fffe, 0xffff_ffff_ffff_fffe),
    ("stxb: cuts", 0x73, 7, 0x1122, 0x22ee_ddcc_bbaa_9988),
    ("stxh: cuts", 0x6b, 0, 0x11_2233, 0xffee_ddcc_bbaa_2233),
    ("stxw: cuts", 0x63, 0, 0x11_2233_4455, 0xffee_ddcc_2233_4455),
    ("stxdw", 0x7b, 0, 0x1122_3344_5566_7788, 0x1122_3344_5566_7788),
];

/// What it shows; opcode; operation; offset; r0 and r2 before; memory, r0 and r2 after.
type Atomic = (&'static str, u8, i32, i16, [u64; 2], [u64; 3]);

#[rustfmt::skip]
pub const ATOMICS: &[Atomic] = &[
    ("add64", 0xdb, 0x00, 0, [5, 1], [0xffee_ddcc_bbaa_9989, 5, 1]),
    ("add64 fetch", 0xdb, 0x01, 0, [5, 1], [0xffee_ddcc_bbaa_9989, 5, WORD]),
    ("add32 fetch: r2 zero-extended", 0xc3, 0x01, 0, [5, u64::MAX], [0xffee_ddcc_bbaa_9987, 5, 0xbbaa_9988]),
    ("add32: no carry into the next word", 0xc3, 0x00, 0, [5, 0x8000_0000], [0xffee_ddcc_3baa_9988, 5, 0x8000_0000]),
    ("or64", 0xdb, 0x40, 0, [5, 0x77], [0xffee_ddcc_bbaa_99ff, 5, 0x77]),
    ("or32 fetch at 4", 0xc3, 0x41, 4, [5, 0x11], [0xffee_dddd_bbaa_9988, 5, 0xffee_ddcc]),
    ("and64 fetch", 0xdb, 0x51, 0, [5, 0xff00], [0x9900, 5, WORD]),
    ("and32", 0xc3, 0x50, 0, [5, 0xff], [0xffee_ddcc_0000_0088, 5, 0xff]),
    ("xor64", 0xdb, 0xa0, 0, [5, u64::MAX], [0x0011_2233_4455_6677, 5, u64::MAX]),
    ("xor32 fetch", 0xc3, 0xa1, 0, [5, u64::MAX], [0xffee_ddcc_4455_6677, 5, 0xbbaa_9988]),
    ("xchg64", 0xdb, 0xe1, 0, [5, 7], [7, 5, WORD]),
    ("xchg32", 0xc3, 0xe1, 4, [5, 0x1_0000_0007], [0x0000_0007_bbaa_9988, 5, 0xffee_ddcc]),
    ("cmpxchg64: equal", 0xdb, 0xf1, 0, [WORD, 7], [7, WORD, 7]),
    ("cmpxchg64: not equal", 0xdb, 0xf1, 0, [5, 7], [WORD, WORD, 7]),
    ("cmpxchg32: low halves compared", 0xc3, 0xf1, 0, [0x1_bbaa_9988, 7], [0xffee_ddcc_0000_0007, 0xbbaa_9988, 7]),
    ("cmpxchg32: not equal, r0 zero-extended", 0xc3, 0xf1, 0, [u64::MAX, 7], [WORD, 0xbbaa_9988, 7]),
    ("store-release 8 bits", 0xd3, 0x110, 1, [5, 0x1ff], [0xffee_ddcc_bbaa_ff88, 5, 0x1ff]),
    ("store-release 64 bits", 0xdb, 0x110, 0, [5, 9], [9, 5, 9]),
];

/// Programs that reach outside: each must be refused.
#[rustfmt::skip]
pub const OUTSIDE: &[(&str, [u8; 8])] = &[
    ("load behind the end", [0x71, 0x10, 8, 0, 0, 0, 0, 0]),
    ("load across the end", [0x79, 0x10, 1, 0, 0, 0, 0, 0]),
    ("load before the start", [0x71, 0x10, 0xff, 0xff, 0, 0, 0, 0]),
    ("store across the end", [0x7b, 0x11, 4, 0, 0, 0, 0, 0]),
    ("load above the stack", [0x71, 0xa0, 0, 0, 0, 0, 0, 0]),
    ("store below the stack", [0x72, 0x0a, 0xff, 0xfd, 0, 0, 0, 0]),
    ("store at a number", [0x72, 0x03, 0, 0, 0, 0, 0, 0]),
    ("atomic that is not aligned", [0xc3, 0x11, 1, 0, 0, 0, 0, 0]),
];

/// Rows that come out otherwise.
pub fn differences(runner: Runner) -> Vec<String> {
    let mut out = Vec::new();
    for &(what, op, off, want) in LOADS {
        let got = runner(&[insn(op, 0, 1, off, 0), EXIT], &MEMORY).map(|(r0, _)| r0);
        if got != Ok(want) {
            out.push(format!("{what}: {got:x?}, not {want:#x}"));
        }
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
    for &(what, op, off, value, want) in STORES {
        let (src, imm) = if op & 7 == 3 {
            (2, 0)
        } else {
            (0, value as u32 as i32)
        };
        let mut code = lddw(2, value).to_vec();
        code.extend([insn(op, 1, src, off, imm), insn(0xb7, 0, 0, 0, 0), EXIT]);
        let got = runner(&code, &MEMORY).map(|(_, memory)| number(&memory));
        if got != Ok(want) {
            out.push(format!("{what}: {got:x?}, not {want:#x}"));
        }
    }
    for &(what, op, imm, off, [r0, r2], [memory, r0_after, r2_after]) in ATOMICS {
        let code = [lddw(0, r0), lddw(2, r2), [insn(op, 1, 2, off, imm), EXIT]].concat();
        let got = runner(&code, &MEMORY).map(|(r0, memory)| [number(&memory), r0]);
        if got != Ok([memory, r0_after]) {
            out.push(format!("{what}: {got:x?}, not {memory:#x}, {r0_after:#x}"));
        }
        let code = [
            lddw(0, r0).to_vec(),
            lddw(2, r2).to_vec(),
            vec![insn(op, 1, 2, off, imm), insn(0xbf, 0, 2, 0, 0), EXIT],
        ]
        .concat();
        let got = runner(&code, &MEMORY).map(|(r2, _)| r2);
        if got != Ok(r2_after) {
            out.push(format!("{what}: r2 is {got:x?}, not {r2_after:#x}"));
        }
    }
    let acquire = [insn(0xc3, 0, 1, 4, 0x100), EXIT];
    let got = runner(&acquire, &MEMORY).map(|(r0, _)| r0);
    if got != Ok(0xffee_ddcc) {
        out.push(format!("load-acquire: {got:x?}"));
    }
    for &(what, slot) in OUTSIDE {
        let code = [
            insn(0xb7, 0, 0, 0, 0),
            insn(0xb7, 3, 0, 0, 4096),
            slot,
            EXIT,
        ];
        if let Ok((r0, _)) = runner(&code, &MEMORY) {
            out.push(format!("{what}: allowed, r0 {r0:#x}"));
        }
    }
    out
}
