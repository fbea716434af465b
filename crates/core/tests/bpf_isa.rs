//! Arithmetic and jumps against RFC 9669: by hand for the places where engines go wrong, and
//! against a plain reference for random operands.

mod isa;

use headroom_core::bpf::{Budget, vm};
use isa::lists::{BINARY, CONDITIONS};
use isa::{insn, lddw};
use proptest::prelude::*;

fn run_bytes(code: &[[u8; 8]]) -> u64 {
    vm::run(&code.concat(), Vec::new(), Budget(1000))
        .unwrap()
        .r0
}

/// r1 = a, r2 = b, then one instruction on r1 (and r2); gives r1.
fn alu(op: u8, off: i16, imm: i32, a: u64, b: u64) -> u64 {
    let src = if op & 8 != 0 && op & 0xf0 != 0xd0 {
        2
    } else {
        0
    };
    let mut code = [lddw(1, a), lddw(2, b)].concat();
    code.push(insn(op, 1, src, off, imm));
    code.extend([insn(0xbf, 0, 1, 0, 0), insn(0x95, 0, 0, 0, 0)]);
    run_bytes(&code)
}

/// Whether the branch `r1 op (r2 or imm)` is taken.
fn branch(op: u8, imm: i32, a: u64, b: u64) -> bool {
    let src = if op & 8 != 0 { 2 } else { 0 };
    let mut code = [lddw(1, a), lddw(2, b)].concat();
    code.push(insn(0xb7, 0, 0, 0, 1));
    code.push(insn(op, 1, src, 1, imm));
    code.push(insn(0xb7, 0, 0, 0, 0));
    code.push(insn(0x95, 0, 0, 0, 0));
    run_bytes(&code) == 1
}

const MIN64: u64 = 1 << 63;

#[test]
fn where_rbpf_by_itself_is_wrong() {
    // if r1 == -22: the immediate is sign-extended.
    assert!(branch(0x15, -22, -22i64 as u64, 0));
    assert!(!branch(0x55, -22, -22i64 as u64, 0));
    assert!(branch(0xa5, -1, 0xffff_ffff, 0)); // 0xffffffff < 0xffffffffffffffff
    assert!(!branch(0x25, -1, 0xffff_ffff_ffff, 0));
    // w1 %= w2 with w2 = 0: w1 stays, upper half cleared.
    assert_eq!(alu(0x9c, 0, 0, 0xdead_beef_1234_5678, 1 << 32), 0x1234_5678);
    assert_eq!(
        alu(0x9f, 0, 0, 0xdead_beef_1234_5678, 0),
        0xdead_beef_1234_5678
    );
    assert_eq!(alu(0x3f, 0, 0, 77, 0), 0);
    // movsx
    assert_eq!(alu(0xbf, 8, 0, 1, 0x80), 0xffff_ffff_ffff_ff80);
    assert_eq!(alu(0xbf, 16, 0, 1, 0xffff_7fff), 0x7fff);
    assert_eq!(alu(0xbf, 32, 0, 1, 0x8000_0000), 0xffff_ffff_8000_0000);
    assert_eq!(alu(0xbc, 8, 0, 1, 0x80), 0xffff_ff80);
    // sdiv, smod (RFC 9669, section 4.1: -13 s/ 3 = -4, -13 s% 3 = -1)
    assert_eq!(alu(0x3f, 1, 0, -13i64 as u64, 3), -4i64 as u64);
    assert_eq!(alu(0x9f, 1, 0, -13i64 as u64, 3), -1i64 as u64);
    assert_eq!(alu(0x37, 1, -3, -13i64 as u64, 0), 4);
    assert_eq!(alu(0x9f, 1, 0, 13, -3i64 as u64), 1);
    assert_eq!(alu(0x3f, 1, 0, MIN64, u64::MAX), MIN64);
    assert_eq!(alu(0x9f, 1, 0, MIN64, u64::MAX), 0);
    assert_eq!(alu(0x3c, 1, 0, 0x8000_0000, 0xffff_ffff), 0x8000_0000);
    assert_eq!(alu(0x3f, 1, 0, -5i64 as u64, 0), 0);
    assert_eq!(alu(0x9f, 1, 0, -5i64 as u64, 0), -5i64 as u64);
    assert_eq!(alu(0x9c, 1, 0, 0xaaaa_aaaa_ffff_fffb, 0), 0xffff_fffb);
    // neg of the smallest value
    assert_eq!(alu(0x87, 0, 0, MIN64, 0), MIN64);
    assert_eq!(alu(0x84, 0, 0, 1, 0), 0xffff_ffff);
    // byte order
    let v = 0x0102_0304_0506_0708;
    assert_eq!(alu(0xd7, 0, 16, v, 0), 0x0807);
    assert_eq!(alu(0xd7, 0, 32, v, 0), 0x0807_0605);
    assert_eq!(alu(0xd7, 0, 64, v, 0), 0x0807_0605_0403_0201);
    assert_eq!(alu(0xdc, 0, 16, v, 0), 0x0807);
    assert_eq!(alu(0xd4, 0, 16, v, 0), 0x0708);
    assert_eq!(alu(0xd4, 0, 32, v, 0), 0x0506_0708);
}

#[test]
fn long_jump_and_loops() {
    // gotol +1 over `r0 = 1`
    let code = [
        insn(0xb7, 0, 0, 0, 5),
        insn(0x06, 0, 0, 0, 1),
        insn(0xb7, 0, 0, 0, 1),
        insn(0x95, 0, 0, 0, 0),
    ];
    assert_eq!(run_bytes(&code), 5);
    // r0 = 10 + 9 + … + 1
    let code = [
        insn(0xb7, 0, 0, 0, 0),
        insn(0xb7, 1, 0, 0, 10),
        insn(0x0f, 0, 1, 0, 0),
        insn(0x07, 1, 0, 0, -1),
        insn(0x55, 1, 0, -3, 0),
        insn(0x95, 0, 0, 0, 0),
    ];
    assert_eq!(run_bytes(&code), 55);
}

#[test]
fn memory_forms() {
    // *(u64 *)(r10 - 8) = -2; r0 = *(s16 *)(r10 - 8)
    let tail = insn(0x95, 0, 0, 0, 0);
    let load = |op: u8| run_bytes(&[insn(0x7a, 10, 0, -8, -2), insn(op, 0, 10, -8, 0), tail]);
    assert_eq!(load(0x79), -2i64 as u64);
    assert_eq!(load(0x61), 0xffff_fffe);
    assert_eq!(load(0x69), 0xfffe);
    assert_eq!(load(0x71), 0xfe);
    assert_eq!(load(0x91), -2i64 as u64);
    assert_eq!(load(0x89), -2i64 as u64);
    assert_eq!(load(0x81), -2i64 as u64);
    // atomics on *(u64 *)(r10 - 8) = 5 with r1 = 3: (register that gets the old value, memory)
    let atomic = |imm: i32, r0: i32, out: u8| {
        let show = if out == 99 {
            insn(0x79, 0, 10, -8, 0)
        } else {
            insn(0xbf, 0, out, 0, 0)
        };
        run_bytes(&[
            insn(0x7a, 10, 0, -8, 5),
            insn(0xb7, 1, 0, 0, 3),
            insn(0xb7, 0, 0, 0, r0),
            insn(0xdb, 10, 1, -8, imm),
            show,
            tail,
        ])
    };
    assert_eq!((atomic(0x00, 0, 99), atomic(0x00, 0, 1)), (8, 3));
    assert_eq!((atomic(0x01, 0, 99), atomic(0x01, 0, 1)), (8, 5));
    assert_eq!(atomic(0x40, 0, 99), 7);
    assert_eq!(atomic(0x50, 0, 99), 1);
    assert_eq!(atomic(0xa0, 0, 99), 6);
    assert_eq!((atomic(0xe1, 0, 99), atomic(0xe1, 0, 1)), (3, 5));
    assert_eq!((atomic(0xf1, 5, 99), atomic(0xf1, 5, 0)), (3, 5));
    assert_eq!((atomic(0xf1, 4, 99), atomic(0xf1, 4, 0)), (5, 5));
}

/// RFC 9669, section 4.1, in plain Rust.
fn reference(code: u8, off: i16, wide: bool, a: u64, b: u64) -> u64 {
    let (a32, b32) = (a as u32, b as u32);
    if wide {
        match (code, off) {
            (0x00, _) => a.wrapping_add(b),
            (0x10, _) => a.wrapping_sub(b),
            (0x20, _) => a.wrapping_mul(b),
            (0x30, 0) => a.checked_div(b).unwrap_or(0),
            (0x30, _) if b == 0 => 0,
            (0x30, _) => (a as i64).wrapping_div(b as i64) as u64,
            (0x40, _) => a | b,
            (0x50, _) => a & b,
            (0x60, _) => a << (b & 63),
            (0x70, _) => a >> (b & 63),
            (0x90, _) if b == 0 => a,
            (0x90, 0) => a % b,
            (0x90, _) => (a as i64).wrapping_rem(b as i64) as u64,
            (0xa0, _) => a ^ b,
            (0xb0, 0) => b,
            (0xb0, 8) => b as i8 as u64,
            (0xb0, 16) => b as i16 as u64,
            (0xb0, _) => b as i32 as u64,
            _ => (a as i64 >> (b & 63)) as u64,
        }
    } else {
        u64::from(match (code, off) {
            (0x00, _) => a32.wrapping_add(b32),
            (0x10, _) => a32.wrapping_sub(b32),
            (0x20, _) => a32.wrapping_mul(b32),
            (0x30, 0) => a32.checked_div(b32).unwrap_or(0),
            (0x30, _) if b32 == 0 => 0,
            (0x30, _) => (a32 as i32).wrapping_div(b32 as i32) as u32,
            (0x40, _) => a32 | b32,
            (0x50, _) => a32 & b32,
            (0x60, _) => a32 << (b32 & 31),
            (0x70, _) => a32 >> (b32 & 31),
            (0x90, _) if b32 == 0 => a32,
            (0x90, 0) => a32 % b32,
            (0x90, _) => (a32 as i32).wrapping_rem(b32 as i32) as u32,
            (0xa0, _) => a32 ^ b32,
            (0xb0, 0) => b32,
            (0xb0, 8) => b as i8 as u32,
            (0xb0, _) => b as i16 as u32,
            _ => (a32 as i32 >> (b32 & 31)) as u32,
        })
    }
}

fn reference_branch(code: u8, wide: bool, a: u64, b: u64) -> bool {
    let (a, b, sa, sb) = if wide {
        (a, b, a as i64, b as i64)
    } else {
        let (a, b) = (a as u32, b as u32);
        (
            u64::from(a),
            u64::from(b),
            i64::from(a as i32),
            i64::from(b as i32),
        )
    };
    match code {
        0x10 => a == b,
        0x20 => a > b,
        0x30 => a >= b,
        0x40 => a & b != 0,
        0x50 => a != b,
        0x60 => sa > sb,
        0x70 => sa >= sb,
        0xa0 => a < b,
        0xb0 => a <= b,
        0xc0 => sa < sb,
        _ => sa <= sb,
    }
}

/// Numbers near the places where widths and signs change, and any others.
fn operand() -> impl Strategy<Value = u64> {
    let near = [
        0,
        1,
        31,
        32,
        63,
        64,
        0x7f,
        0x8000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
    ];
    prop_oneof![
        any::<u64>(),
        (prop::sample::select(near.to_vec()), -2i64..=2)
            .prop_map(|(n, d): (u64, _)| n.wrapping_add_signed(d)),
        (prop::sample::select(vec![MIN64, u64::MAX]), -2i64..=2)
            .prop_map(|(n, d)| n.wrapping_add_signed(d)),
    ]
}

proptest! {
    #[test]
    fn alu_equals_the_reference(a in operand(), b in operand(), imm in any::<i32>()) {
        for (code, off) in BINARY.into_iter().chain([(0xb0, 8), (0xb0, 16)]) {
            for (class, wide) in [(0x07, true), (0x04, false)] {
                let got = alu(code | class | 8, off, 0, a, b);
                prop_assert_eq!(got, reference(code, off, wide, a, b), "{:#x} {} reg", code | class, off);
                // The verifier refuses these immediates; movsx has no immediate form.
                let refused = match code {
                    0x30 | 0x90 => imm == 0,
                    0x60 | 0x70 | 0xc0 => !(0..32).contains(&imm),
                    0xb0 => off != 0,
                    _ => false,
                };
                if !refused {
                    let got = alu(code | class, off, imm, a, 0);
                    let want = reference(code, off, wide, a, i64::from(imm) as u64);
                    prop_assert_eq!(got, want, "{:#x} {} imm", code | class, off);
                }
            }
        }
    }

    #[test]
    fn branches_equal_the_reference(a in operand(), b in operand()) {
        for code in CONDITIONS {
            for (class, wide) in [(0x05, true), (0x06, false)] {
                prop_assert_eq!(branch(code | class | 8, 0, a, b), reference_branch(code, wide, a, b));
                let imm = b as i32;
                let want = reference_branch(code, wide, a, i64::from(imm) as u64);
                prop_assert_eq!(branch(code | class, imm, a, 0), want, "{:#x} {}", code | class, imm);
                prop_assert_eq!(branch(code | class | 8, 0, a, a), reference_branch(code, wide, a, a));
            }
        }
    }
}
