//! What is refused at load, in the verifier's words (kernel/bpf/verifier.c), and what must not be.

mod bpf_host;

use bpf_host::Packet;
use headroom_core::bpf::{Budget, Maps, Program, Prologue, fix_up, run};
use proptest::collection::vec;
use proptest::prelude::*;

/// The verdict on a program in assembler text, for XDP.
fn load(text: &str) -> Result<(), String> {
    let program = Program::from_asm("p", "xdp", text).map_err(|e| e.to_string())?;
    program.facts().map(|_| ()).map_err(|e| e.to_string())
}

/// 14 bytes are compared with the end, the 24th is read. What is known of each register there follows from the lines above it.
#[test]
fn what_the_registers_hold_where_a_program_is_refused() {
    let text = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nif r4 > r3 goto out\nr5 = *(u8 *)(r2 +12)\n\
                r6 = r10\nr6 += -8\nr7 = -1\nr9 = r5\nr9 += -100\nr8 = *(u32 *)(r2 +20)\nout: r0 = 2\nexit";
    let program = Program::from_asm("p", "xdp", text).expect("a program");
    let judged = program.judge();
    assert!(judged.refused().is_some());
    let held: Vec<(u8, &str)> = { judged.held().iter() }
        .map(|held| (held.register, held.what.as_str()))
        .collect();
    // Behind the branch nobody reads r1: the walk has forgotten it there.
    let wanted = [
        (2, "pkt, 14 bytes shown to lie there"),
        (3, "pkt_end"),
        (4, "pkt + 14, 14 bytes shown to lie there"),
        (5, "0 to 255"),
        (6, "fp - 8"),
        (7, "-1"),
        (9, "-100 to 155"),
        (10, "fp"),
    ];
    assert_eq!(held, wanted);
    // Nothing is kept of one that is accepted, or refused before it is walked.
    for text in ["r0 = 2\nexit", "r0 = 0\nexit\nr0 = 1\nexit"] {
        let program = Program::from_asm("p", "xdp", text).expect("a program");
        assert_eq!(program.judge().held(), []);
    }
}

#[test]
fn refused_in_the_kernels_words() {
    let data = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr0 = 0\n";
    let cases = [
        (
            "r0 = 0\nexit\nr0 = 1\nexit",
            "instruction 2: unreachable insn 2",
        ),
        (
            "r0 = 0\ngoto +0\ncall local f\nexit\nf: r0 = r6\nexit",
            "instruction 4: R6 !read_ok",
        ),
        (
            "goto f\ncall local f\nexit\nf: r0 = 0\nexit",
            "instruction 0: jump out of range from insn 0 to 3",
        ),
        (
            "call local f\nr0 = 1\nf: r0 = 0\nexit",
            "instruction 1: last insn is not an exit or jmp",
        ),
        ("exit", "instruction 0: R0 !read_ok"),
        ("r0 = r7\nexit", "instruction 0: R7 !read_ok"),
        ("r0 = 0\nr0 += r2\nexit", "instruction 1: R2 !read_ok"),
        (
            "r0 = 0\nif r5 > 1 goto +0\nexit",
            "instruction 1: R5 !read_ok",
        ),
        (
            "*(u64 *)(r10 -8) = r4\nr0 = 0\nexit",
            "instruction 0: R4 !read_ok",
        ),
        ("call 5\nr0 += r1\nexit", "instruction 1: R1 !read_ok"),
        (
            "*(u64 *)(r10 -520) = 1\nr0 = 0\nexit",
            "instruction 0: invalid write to stack R10 off=-520 size=8",
        ),
        (
            "r0 = *(u32 *)(r10 -2)\nexit",
            "instruction 0: misaligned stack access off 0+-2 size 4",
        ),
        (
            "r2 = r10\nr2 += 8\n*(u8 *)(r2 +0) = 1\nr0 = 0\nexit",
            "instruction 2: invalid write to stack R2 off=8 size=1",
        ),
    ];
    for (text, want) in cases {
        let got = load(text).unwrap_err();
        assert!(got.ends_with(want), "{text}: {got}");
    }
    let packet = [
        (
            "r0 = *(u8 *)(r2 +0)\nexit",
            "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0); R2 min value is outside of the allowed memory range",
        ),
        (
            "r0 = *(u8 *)(r3 -1)\nexit",
            "R3 invalid mem access 'pkt_end'",
        ),
        // one byte too far
        (
            "r4 = r2\nr4 += 14\nif r4 > r3 goto +1\nr0 = *(u8 *)(r2 +14)\nexit",
            "invalid access to packet, off=14 size=1, R2(id=0,off=14,r=14); R2 min value is outside of the allowed memory range",
        ),
        // the wrong way round
        (
            "r4 = r2\nr4 += 14\nif r4 < r3 goto +1\nr0 = *(u8 *)(r2 +0)\nexit",
            "off=0 size=1, R2(id=0,off=0,r=0); R2 min value is outside of the allowed memory range",
        ),
        // before the packet
        (
            "r4 = r2\nr4 += 14\nif r4 > r3 goto +1\nr0 = *(u8 *)(r2 -1)\nexit",
            "off=-1 size=1, R2(id=0,off=-1,r=14); R2 min value is outside of the allowed memory range",
        ),
        // both ways come together
        (
            "r4 = r2\nr4 += 14\nif r4 > r3 goto +0\nr0 = *(u8 *)(r2 +0)\nexit",
            "R2(id=0,off=0,r=0); R2 min value is outside of the allowed memory range",
        ),
        // metadata have another end
        (
            "r5 = *(u32 *)(r1 +8)\nr4 = r5\nr4 += 4\nif r4 > r3 goto +1\nr0 = *(u32 *)(r5 +0)\nexit",
            "off=0 size=4, R5(id=0,off=0,r=0); R5 min value is outside of the allowed memory range",
        ),
    ];
    for (text, want) in packet {
        let got = load(&format!("{data}{text}")).unwrap_err();
        assert!(got.ends_with(want), "{text}: {got}");
    }
}

#[test]
fn allowed() {
    let data = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr0 = 0\n";
    let cases = [
        "r4 = r2\nr4 += 14\nif r4 > r3 goto +1\nr0 = *(u16 *)(r2 +12)\nexit",
        "r4 = r2\nr4 += 14\nif r3 < r4 goto +1\nr0 = *(u8 *)(r4 -1)\nexit",
        // r4 < end shows one byte more
        "r4 = r2\nr4 += 13\nif r4 >= r3 goto +1\nr0 = *(u8 *)(r2 +13)\nexit",
        "r4 = r2\nr4 += 14\nif r4 <= r3 goto +1\nexit\nr0 = *(u8 *)(r2 +13)\nexit",
        "r5 = *(u32 *)(r1 +8)\nr4 = r5\nr4 += 4\nif r4 > r2 goto +1\nr0 = *(u32 *)(r5 +0)\nexit",
        // the pointer goes over the stack
        "*(u64 *)(r10 -8) = r2\nr4 = r2\nr4 += 14\nif r4 > r3 goto +2\nr5 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r5 +0)\nexit",
        // a function is told what the caller knows
        "r4 = r2\nr4 += 14\nif r4 > r3 goto +2\nr1 = r2\ncall local f\nexit\nf: r0 = *(u8 *)(r1 +13)\nexit",
        // a loop
        "r4 = 3\nl: r0 += r4\nr4 += -1\nif r4 != 0 goto l\nexit",
    ];
    for text in cases {
        assert_eq!(load(&format!("{data}{text}")), Ok(()), "{text}");
    }
}

/// A slot that is likely to be an instruction.
fn slot() -> impl Strategy<Value = [u8; 8]> {
    let op = prop_oneof![
        prop::sample::select(vec![
            0x61u8, 0x69, 0x71, 0x79, 0x63, 0x73, 0x7b, 0x72, 0x7a, 0x07, 0x0f, 0xb7, 0xbf, 0x05,
            0x15, 0x2d, 0xad, 0xbd, 0x3d, 0x85, 0x95, 0xdb, 0x20, 0x50,
        ]),
        any::<u8>(),
    ];
    (op, 0..11u8, 0..11u8, -6..6i16, -20..60i32).prop_map(|(op, dst, src, off, imm)| {
        let by_register = matches!(op & 7, 1 | 3) || op & 8 != 0 && matches!(op & 7, 4..=7);
        let src = if by_register { src } else { 0 };
        let imm = if by_register { 0 } else { imm };
        let off = if matches!(op & 7, 4 | 7) { 0 } else { off };
        let (o, i) = (off.to_le_bytes(), imm.to_le_bytes());
        [op, src << 4 | dst, o[0], o[1], i[0], i[1], i[2], i[3]]
    })
}

proptest! {
    /// Any program is refused or runs to an end; nothing panics.
    #[test]
    fn any_program_is_judged(slots in vec(slot(), 1..12), tc in any::<bool>()) {
        let mut bytes = slots.concat();
        bytes.extend([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
        if let Ok(program) = Program::from_bytes("p", if tc { "tc" } else { "xdp" }, &bytes)
            && let Ok(prepared) = fix_up(&program, Prologue::default())
        {
            let _ = run(&prepared, &mut Maps::default(), &mut Packet::new(), Budget(1000));
        }
    }
}
