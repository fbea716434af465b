//! RFC 9669 §4.1 and §4.2: arithmetic and byte swaps. r1 is the destination, r2 the source.

use super::{EXIT, Runner, insn, lddw};

const MIN64: u64 = 0x8000_0000_0000_0000;
const MAX64: u64 = 0xffff_ffff_ffff_ffff;
const MIN32: u64 = 0x8000_0000;
const MAX32: u64 = 0xffff_ffff;
const BYTES: u64 = 0x1122_3344_5566_7788;

/// What it shows; opcode, offset, immediate; destination and source before; destination after.
type Row = (&'static str, u8, i16, i32, u64, u64, u64);

#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    ("add64 imm: sign-extended", 0x07, 0, -1, 0, 0, MAX64),
    ("add64 imm: smallest", 0x07, 0, i32::MIN, MIN32, 0, 0),
    ("add64 reg: wraps", 0x0f, 0, 0, MAX64, 1, 0),
    ("add32 imm: upper half cleared", 0x04, 0, 1, MAX64, 0, 0),
    ("add32 reg: upper halves ignored", 0x0c, 0, 0, 0x1_0000_0001, 0x2_0000_0002, 3),
    ("sub64 imm: minus minus one", 0x17, 0, -1, 0, 0, 1),
    ("sub64 reg: wraps", 0x1f, 0, 0, 0, 1, MAX64),
    ("sub32 imm: wraps in 32 bits", 0x14, 0, 1, 0, 0, MAX32),
    ("sub32 reg: upper half ignored", 0x1c, 0, 0, 0x1_0000_0000, 1, MAX32),
    ("mul64 imm: smallest times -1", 0x27, 0, -1, MIN64, 0, MIN64),
    ("mul64 reg: -1 times -1", 0x2f, 0, 0, MAX64, MAX64, 1),
    ("mul64 reg: 2^32 squared", 0x2f, 0, 0, 0x1_0000_0000, 0x1_0000_0000, 0),
    ("mul32 imm: smallest times -1", 0x24, 0, -1, MIN32, 0, MIN32),
    ("mul32 reg: low halves", 0x2c, 0, 0, 0x1_0000_0003, 0x1_0000_0005, 15),
    ("div64 imm", 0x37, 0, 2, MAX64, 0, 0x7fff_ffff_ffff_ffff),
    ("div64 imm: -1 is the largest", 0x37, 0, -1, MAX64, 0, 1),
    ("div64 imm: 5 by the largest", 0x37, 0, -1, 5, 0, 0),
    ("div64 imm 0 gives 0", 0x37, 0, 0, 5, 0, 0),
    ("div64 reg 0 gives 0", 0x3f, 0, 0, MAX64, 0, 0),
    ("div32 imm: low half", 0x34, 0, 2, 0xffff_ffff_0000_0009, 0, 4),
    ("div32 imm: -1 is the largest of 32 bits", 0x34, 0, -1, MAX32, 0, 1),
    ("div32 imm 0 gives 0", 0x34, 0, 0, MAX64, 0, 0),
    ("div32 reg: low half 0 gives 0", 0x3c, 0, 0, 9, 0x1_0000_0000, 0),
    ("sdiv64 imm: towards zero", 0x37, 1, 2, (-7i64) as u64, 0, (-3i64) as u64),
    ("sdiv64 imm: negative divisor", 0x37, 1, -2, 7, 0, (-3i64) as u64),
    ("sdiv64 imm: two negatives", 0x37, 1, -2, (-7i64) as u64, 0, 3),
    ("sdiv64 imm 0 gives 0", 0x37, 1, 0, (-7i64) as u64, 0, 0),
    ("sdiv64 reg: smallest by -1", 0x3f, 1, 0, MIN64, MAX64, MIN64),
    ("sdiv64 reg 0 gives 0", 0x3f, 1, 0, MIN64, 0, 0),
    ("sdiv32 imm: towards zero", 0x34, 1, 2, 0xffff_fff9, 0, 0xffff_fffd),
    ("sdiv32 imm: smallest by -1", 0x34, 1, -1, MIN32, 0, MIN32),
    ("sdiv32 reg: signs of the low halves", 0x3c, 1, 0, 0x1_0000_0007, 0xffff_fffe, 0xffff_fffd),
    ("sdiv32 reg 0 gives 0", 0x3c, 1, 0, MAX64, 0x5_0000_0000, 0),
    ("or64 imm: sign-extended", 0x47, 0, -1, 0, 0, MAX64),
    ("or64 reg", 0x4f, 0, 0, 0xf0f0_0000_0000_0000, 0x0f0f, 0xf0f0_0000_0000_0f0f),
    ("or32 imm", 0x44, 0, -1, 0, 0, MAX32),
    ("or32 reg: upper halves cleared", 0x4c, 0, 0, 0xff_0000_0001, 0xff_0000_0002, 3),
    ("and64 imm: sign-extended", 0x57, 0, -16, MAX64, 0, 0xffff_ffff_ffff_fff0),
    ("and64 reg", 0x5f, 0, 0, 0xff00_ff00, 0x0ff0_0ff0, 0x0f00_0f00),
    ("and32 imm", 0x54, 0, -16, MAX64, 0, 0xffff_fff0),
    ("and32 reg: upper halves cleared", 0x5c, 0, 0, MAX64, MAX64, MAX32),
    ("lsh64 imm", 0x67, 0, 63, 1, 0, MIN64),
    ("lsh64 reg: 64 is masked to 0", 0x6f, 0, 0, 3, 64, 3),
    ("lsh64 reg: 65 is masked to 1", 0x6f, 0, 0, 3, 65, 6),
    ("lsh64 reg: only the low 6 bits count", 0x6f, 0, 0, 3, 0x100, 3),
    ("lsh32 imm", 0x64, 0, 31, 1, 0, MIN32),
    ("lsh32 imm: bits fall off", 0x64, 0, 1, 0x8000_0001, 0, 2),
    ("lsh32 reg: 32 is masked to 0", 0x6c, 0, 0, 0xf_0000_0003, 32, 3),
    ("lsh32 reg: 33 is masked to 1", 0x6c, 0, 0, 3, 33, 6),
    ("rsh64 imm: zeros come in", 0x77, 0, 63, MIN64, 0, 1),
    ("rsh64 reg: 64 is masked to 0", 0x7f, 0, 0, MIN64, 64, MIN64),
    ("rsh32 imm: of the low half", 0x74, 0, 31, 0xffff_ffff_8000_0000, 0, 1),
    ("rsh32 reg: 36 is masked to 4", 0x7c, 0, 0, 0xff_0000_00f0, 36, 0xf),
    ("arsh64 imm: sign comes in", 0xc7, 0, 63, MIN64, 0, MAX64),
    ("arsh64 imm: positive", 0xc7, 0, 1, 0x7fff_ffff_ffff_ffff, 0, 0x3fff_ffff_ffff_ffff),
    ("arsh64 reg: 127 is masked to 63", 0xcf, 0, 0, MIN64, 127, MAX64),
    ("arsh32 imm: sign of bit 31", 0xc4, 0, 31, MIN32, 0, MAX32),
    ("arsh32 imm: upper half ignored", 0xc4, 0, 1, 0xffff_ffff_7fff_ffff, 0, 0x3fff_ffff),
    ("arsh32 reg: 32 is masked to 0", 0xcc, 0, 0, 0xf_8000_0000, 32, MIN32),
    ("neg64: zero", 0x87, 0, 0, 0, 0, 0),
    ("neg64: one", 0x87, 0, 0, 1, 0, MAX64),
    ("neg64: smallest stays", 0x87, 0, 0, MIN64, 0, MIN64),
    ("neg32: one", 0x84, 0, 0, 1, 0, MAX32),
    ("neg32: smallest stays", 0x84, 0, 0, MIN32, 0, MIN32),
    ("neg32: upper half cleared", 0x84, 0, 0, 0xffff_ffff_0000_0000, 0, 0),
    ("mod64 imm", 0x97, 0, 7, 16, 0, 2),
    ("mod64 imm: -1 is the largest", 0x97, 0, -1, MAX64, 0, 0),
    ("mod64 imm: 5 by the largest", 0x97, 0, -1, 5, 0, 5),
    ("mod64 imm 0 leaves it", 0x97, 0, 0, MAX64, 0, MAX64),
    ("mod64 reg 0 leaves it", 0x9f, 0, 0, BYTES, 0, BYTES),
    ("mod32 imm: low half", 0x94, 0, 7, 0xf_0000_0010, 0, 2),
    ("mod32 imm 0 leaves the low half", 0x94, 0, 0, BYTES, 0, 0x5566_7788),
    ("mod32 reg: low half 0 leaves the low half", 0x9c, 0, 0, BYTES, 0x1_0000_0000, 0x5566_7788),
    ("smod64 imm: sign of the dividend", 0x97, 1, 3, (-13i64) as u64, 0, MAX64),
    ("smod64 imm: not of the divisor", 0x97, 1, -3, 13, 0, 1),
    ("smod64 imm 0 leaves it", 0x97, 1, 0, MAX64, 0, MAX64),
    ("smod64 reg: smallest by -1", 0x9f, 1, 0, MIN64, MAX64, 0),
    ("smod64 reg 0 leaves it", 0x9f, 1, 0, MIN64, 0, MIN64),
    ("smod32 imm: sign of the dividend", 0x94, 1, 3, 0xffff_fff3, 0, MAX32),
    ("smod32 imm: smallest by -1", 0x94, 1, -1, MIN32, 0, 0),
    ("smod32 reg: low halves", 0x9c, 1, 0, 0xf_0000_000d, 0xffff_fffd, 1),
    ("smod32 reg 0 leaves the low half", 0x9c, 1, 0, MAX64, 0x1_0000_0000, MAX32),
    ("xor64 imm: sign-extended", 0xa7, 0, -1, 0, 0, MAX64),
    ("xor64 reg: with its equal", 0xaf, 0, 0, BYTES, BYTES, 0),
    ("xor32 imm", 0xa4, 0, -1, 0xffff_ffff_0000_0000, 0, MAX32),
    ("xor32 reg: upper halves cleared", 0xac, 0, 0, 0x1_0000_0001, 0x2_0000_0003, 2),
    ("mov64 imm: sign-extended", 0xb7, 0, -1, 0, 0, MAX64),
    ("mov64 reg", 0xbf, 0, 0, 0, BYTES, BYTES),
    ("mov32 imm: not sign-extended", 0xb4, 0, -1, 0, 0, MAX32),
    ("mov32 reg: upper half cleared", 0xbc, 0, 0, MAX64, BYTES, 0x5566_7788),
    ("movsx64 from 8: negative", 0xbf, 8, 0, 0, 0x80, 0xffff_ffff_ffff_ff80),
    ("movsx64 from 8: rest ignored", 0xbf, 8, 0, 0, 0x17f, 0x7f),
    ("movsx64 from 16", 0xbf, 16, 0, 0, 0x8000, 0xffff_ffff_ffff_8000),
    ("movsx64 from 32", 0xbf, 32, 0, 0, 0x1_8000_0000, 0xffff_ffff_8000_0000),
    ("movsx32 from 8", 0xbc, 8, 0, MAX64, 0x80, 0xffff_ff80),
    ("movsx32 from 16", 0xbc, 16, 0, MAX64, 0x1_8000, 0xffff_8000),
    ("movsx32 from 16: positive", 0xbc, 16, 0, MAX64, 0xffff_7fff, 0x7fff),
    ("le16: cuts", 0xd4, 0, 16, BYTES, 0, 0x7788),
    ("le32: cuts", 0xd4, 0, 32, BYTES, 0, 0x5566_7788),
    ("le64: nothing", 0xd4, 0, 64, BYTES, 0, BYTES),
    ("be16", 0xdc, 0, 16, BYTES, 0, 0x8877),
    ("be32", 0xdc, 0, 32, BYTES, 0, 0x8877_6655),
    ("be64", 0xdc, 0, 64, BYTES, 0, 0x8877_6655_4433_2211),
    ("bswap16", 0xd7, 0, 16, BYTES, 0, 0x8877),
    ("bswap32", 0xd7, 0, 32, BYTES, 0, 0x8877_6655),
    ("bswap64", 0xd7, 0, 64, BYTES, 0, 0x8877_6655_4433_2211),
];

/// Rows that come out otherwise.
pub fn differences(runner: Runner) -> Vec<String> {
    let mut out = Vec::new();
    for &(what, op, off, imm, dst, src, want) in ROWS {
        let from_register = op & 8 != 0 && op & 0xf0 != 0xd0;
        let mut code = [lddw(1, dst), lddw(2, src)].concat();
        code.push(insn(op, 1, if from_register { 2 } else { 0 }, off, imm));
        code.extend([insn(0xbf, 0, 1, 0, 0), EXIT]);
        let got = runner(&code, &[]).map(|(r0, _)| r0);
        if got != Ok(want) {
            out.push(format!("{what}: {got:x?}, not {want:#x}"));
        }
    }
    out
}
