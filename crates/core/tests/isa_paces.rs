//! Full speed and single steps: the same registers, memory, number of instructions, and the same
//! end at any budget. Random arithmetic on all registers, with loops.

mod isa;

use headroom_core::bpf::Budget;
use headroom_core::bpf::vm::{Outcome, Pace};
use isa::lists::{BINARY, CONDITIONS, IMMEDIATES};
use isa::{EXIT, at_pace, insn, lddw};
use proptest::collection::vec;
use proptest::prelude::*;

/// Of which registers a body is made: all, or few, so that some are left for the engine.
fn registers() -> impl Strategy<Value = u8> {
    prop_oneof![Just(10u8), Just(4)]
}

fn imm() -> impl Strategy<Value = i32> {
    prop_oneof![prop::sample::select(IMMEDIATES.to_vec()), any::<i32>(),]
}

/// One instruction; a jump holds how far it goes, in instructions, before it is cut to the body.
fn instruction(registers: u8) -> impl Strategy<Value = [u8; 8]> {
    let reg = move || 0..registers;
    // r10 may be read
    let any_reg = move || prop_oneof![9 => 0..registers, 1 => Just(10u8)];
    let binary = prop::sample::select(BINARY.to_vec());
    let class = || prop::sample::select(vec![0x04u8, 0x07]);
    let conds = prop::sample::select(CONDITIONS.to_vec());
    let jump_class = prop::sample::select(vec![0x05u8, 0x06]);
    prop_oneof![
        4 => (class(), binary.clone(), reg(), imm())
            .prop_map(|(class, (op, off), dst, imm)| insn(op | class, dst, 0, off, imm)),
        4 => (class(), binary, reg(), any_reg())
            .prop_map(|(class, (op, off), dst, src)| insn(op | 8 | class, dst, src, off, 0)),
        1 => (class(), reg()).prop_map(|(class, dst)| insn(0x80 | class, dst, 0, 0, 0)),
        1 => (reg(), any_reg(), prop::sample::select(vec![8i16, 16, 32]))
            .prop_map(|(dst, src, bits)| insn(0xbf, dst, src, bits, 0)),
        1 => (reg(), prop::sample::select(vec![16, 32, 64]))
            .prop_map(|(dst, bits)| insn(0xd7, dst, 0, 0, bits)),
        2 => (conds.clone(), jump_class.clone(), any_reg(), imm(), -12..12i16)
            .prop_map(|(cond, class, dst, imm, off)| insn(cond | class, dst, 0, off, imm)),
        2 => (conds, jump_class, any_reg(), any_reg(), -12..12i16)
            .prop_map(|(cond, class, dst, src, off)| insn(cond | 8 | class, dst, src, off, 0)),
        // something that rbpf does not carry out: a store and a load of the stack
        1 => reg().prop_map(|reg| insn(0x7b, 10, reg, -8, 0)),
        1 => reg().prop_map(|reg| insn(0x79, reg, 10, -8, 0)),
    ]
}

fn is_jump(one: &[u8; 8]) -> bool {
    matches!(one[0] & 7, 5 | 6)
}

/// The program: all registers set, the body, all registers added into r0.
fn program(start: &[u64], body: &[[u8; 8]]) -> Vec<[u8; 8]> {
    let mut code = vec![insn(0x7a, 10, 0, -8, 7)];
    for (reg, value) in (0..10).zip(start) {
        code.extend(lddw(reg, *value));
    }
    for (at, one) in body.iter().enumerate() {
        let mut one = *one;
        if is_jump(&one) {
            let wanted = at as i64 + 1 + i64::from(i16::from_le_bytes([one[2], one[3]]));
            let target = wanted.clamp(0, body.len() as i64);
            let off = (target - at as i64 - 1) as i16;
            one[2..4].copy_from_slice(&off.to_le_bytes());
        }
        code.push(one);
    }
    for reg in 1..10 {
        code.push(insn(0x27, 0, 0, 0, 31));
        code.push(insn(0x0f, 0, reg, 0, 0));
    }
    code.push(EXIT);
    code
}

fn both(code: &[[u8; 8]], budget: u64) -> [Result<Outcome, String>; 2] {
    [Pace::Full, Pace::Steps].map(|pace| at_pace(code, &[], Budget(budget), pace))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Everything is the same, also which instruction a budget ends at.
    #[test]
    fn full_speed_is_single_steps(
        start in vec(prop_oneof![any::<u64>(), 0..4u64], 10),
        body in registers().prop_flat_map(|registers| vec(instruction(registers), 0..60)),
        budget in prop_oneof![0..120u64, Just(2000)],
    ) {
        let code = program(&start, &body);
        let [full, steps] = both(&code, budget);
        prop_assert_eq!(&full, &steps);
        if let Ok(outcome) = full {
            prop_assert!(outcome.instructions <= budget);
            // and what the reference says
            let reference = isa::reference(&code, &[]);
            prop_assert_eq!(reference.map(|(r0, _)| r0), Ok(outcome.r0));
        }
    }
}

/// `r0 = 3 + 3 + … (n times)`, by hand: 2 + 3 n + 1 instructions.
#[test]
fn a_loop_is_counted_to_the_instruction() {
    let code = [
        insn(0xb7, 0, 0, 0, 0),
        insn(0xb7, 1, 0, 0, 100),
        insn(0x07, 0, 0, 0, 3),
        insn(0x07, 1, 0, 0, -1),
        insn(0x55, 1, 0, -3, 0),
        EXIT,
    ];
    for result in both(&code, 303) {
        let outcome = result.unwrap();
        assert_eq!((outcome.r0, outcome.instructions), (300, 303));
    }
    for result in both(&code, 302) {
        let error = result.unwrap_err();
        assert_eq!(
            error,
            "instruction 5: the program did not end within 302 instructions"
        );
    }
}

/// An endless loop without a register to spare ends at its budget.
#[test]
fn a_loop_that_uses_all_registers_ends() {
    let mut code: Vec<[u8; 8]> = (0..10).map(|reg| insn(0xb7, reg, 0, 0, 1)).collect();
    code.extend((0..10).map(|reg| insn(0x0f, reg, (reg + 1) % 10, 0, 0)));
    code.push(insn(0x05, 0, 0, -11, 0));
    code.push(EXIT);
    for result in both(&code, 1_000_000) {
        let error = result.unwrap_err();
        // 10 before the loop, 11 in it: 999,990 = 90,908 × 11 + 2
        assert_eq!(
            error,
            "instruction 12: the program did not end within 1000000 instructions"
        );
    }
}

/// A straight program longer than one chunk; jumps go from chunk to chunk, forwards and backwards.
#[test]
fn long_programs_go_from_chunk_to_chunk() {
    let mut code = vec![insn(0xb7, 0, 0, 0, 0), insn(0xb7, 1, 0, 0, 3)];
    code.extend((0..3000).map(|_| insn(0x07, 0, 0, 0, 1)));
    code.push(insn(0x07, 1, 0, 0, -1));
    code.push(insn(0x55, 1, 0, -3002, 0));
    code.push(EXIT);
    for result in both(&code, 100_000) {
        let outcome = result.unwrap();
        assert_eq!((outcome.r0, outcome.instructions), (9000, 2 + 3 * 3002 + 1));
    }
}

/// `BPF_JCOND`, `BPF_MAY_GOTO`.
fn may_goto(off: i16) -> [u8; 8] {
    insn(0xe5, 0, 0, off, 0)
}

/// `bpf_check_timed_may_goto()` refills a count of 0xffff once at least, so the loop goes round 2 × 65,535 times
/// (docs/decisions/0009-what-is-made-up.md); each turn is three instructions.
#[test]
fn a_loop_that_only_may_goto_ends() {
    let code = [
        insn(0xb7, 0, 0, 0, 0),
        may_goto(2),
        insn(0x07, 0, 0, 0, 1),
        insn(0x05, 0, 0, -3, 0),
        EXIT,
    ];
    for result in both(&code, 1_000_000) {
        let outcome = result.unwrap();
        assert_eq!(
            (outcome.r0, outcome.instructions),
            (131_070, 1 + 131_070 * 3 + 2)
        );
    }
}

/// The count lies in the function's own stack frame (`bpf_do_misc_fixups()`, kernel/bpf/fixups.c): each call has a new one,
/// and the loops of a function share it.
#[test]
fn each_call_has_its_own_rounds() {
    // r0 = 0; call f; call f; exit; f: two loops, the second finds nothing left
    let code = [
        insn(0xb7, 6, 0, 0, 0),
        insn(0x85, 0, 1, 0, 4),
        insn(0x0f, 6, 0, 0, 0),
        insn(0x85, 0, 1, 0, 2),
        insn(0x0f, 0, 6, 0, 0),
        EXIT,
        insn(0xb7, 0, 0, 0, 0),
        may_goto(2),
        insn(0x07, 0, 0, 0, 1),
        insn(0x05, 0, 0, -3, 0),
        may_goto(1),
        insn(0x07, 0, 0, 0, 7),
        EXIT,
    ];
    for result in both(&code, 1_000_000) {
        assert_eq!(result.unwrap().r0, 2 * 131_070);
    }
}
