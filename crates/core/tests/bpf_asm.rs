//! Assembler text: what the kernel, bpftool, llvm-objdump and rbpf write, and errors with their place.

use headroom_core::bpf::insn::{Callee, Insn, Reg, Wide};
use headroom_core::bpf::{Program, assemble};

/// Instructions of the text of one instruction, followed by `exit`.
fn one(text: &str) -> Insn {
    let insns = assemble(&format!("{text}\nexit"), &[]).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(insns.len(), 2, "{text}");
    insns[0].clone()
}

fn bytes(bytes: [u8; 8]) -> Insn {
    let exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
    Program::from_bytes("t", "xdp", &[bytes, exit].concat())
        .unwrap()
        .insns[0]
        .clone()
}

/// Each text and the bytes it stands for (RFC 9669; the texts from bpftool, llvm-objdump and rbpf).
#[test]
fn styles_mean_the_same_bytes() {
    let cases: &[([u8; 8], &[&str])] = &[
        (
            [0xbf, 0x16, 0, 0, 0, 0, 0, 0],
            &["r6 = r1", "0: (bf) r6 = r1", "mov r6, r1", "mov64 r6, r1"],
        ),
        (
            [0xb7, 0, 0, 0, 42, 0, 0, 0],
            &["r0 = 42", "(b7) r0 = 0x2a", "mov r0, 42", "mov r0, 0x2a"],
        ),
        (
            [0xb4, 2, 0, 0, 0xfc, 0xff, 0xff, 0xff],
            &["w2 = -4", "w2 = -0x4", "w2 = 0xfffffffc", "mov32 r2, -4"],
        ),
        (
            [0x61, 0x11, 76, 0, 0, 0, 0, 0],
            &[
                "r1 = *(u32 *)(r1 +76)",
                "w1 = *(u32 *)(r1 + 0x4c)",
                "ldxw r1, [r1+76]",
                "3: 61 11 4c 00 00 00 00 00\tr1 = *(u32 *)(r1 + 0x4c)",
            ],
        ),
        (
            [0x79, 0x12, 0, 0, 0, 0, 0, 0],
            &[
                "r2 = *(u64 *)(r1 +0)",
                "r2 = *(u64*)(r1+0)",
                "ldxdw r2, [r1]",
            ],
        ),
        (
            [0x81, 0x12, 0xfc, 0xff, 0, 0, 0, 0],
            &["r2 = *(s32 *)(r1 -4)", "ldxsw r2, [r1-4]"],
        ),
        (
            [0x63, 0x2a, 0xf8, 0xff, 0, 0, 0, 0],
            &[
                "*(u32 *)(r10 -8) = r2",
                "*(u32 *)(r10 - 0x8) = w2",
                "stxw [r10-8], r2",
            ],
        ),
        (
            [0x72, 0x0a, 0xff, 0xff, 5, 0, 0, 0],
            &[
                "*(u8 *)(r10 -1) = 5",
                "*(u8 *)(r10 - 0x1) = 0x5",
                "stb [r10-1], 5",
            ],
        ),
        (
            [0x2d, 0x12, 0, 0, 0, 0, 0, 0],
            &[
                "if r2 > r1 goto +0",
                "if r2 > r1 goto pc+0",
                "if r2 > r1 goto +0x0 <LBB0_2>",
                "jgt r2, r1, +0",
            ],
        ),
        (
            [0x55, 1, 0, 0, 0xff, 0xff, 0xff, 0xff],
            &[
                "if r1 != 0xffffffff goto pc+0",
                "if r1 != -1 goto pc+0",
                "jne r1, -1, +0",
            ],
        ),
        (
            [0x6e, 0x21, 0, 0, 0, 0, 0, 0],
            &["if w1 s> w2 goto pc+0", "jsgt32 r1, r2, +0"],
        ),
        (
            [0x45, 1, 0, 0, 16, 0, 0, 0],
            &["if r1 & 0x10 goto pc+0", "jset r1, 16, +0"],
        ),
        (
            [0x05, 0, 0, 0, 0, 0, 0, 0],
            &["goto pc+0", "goto +0x0", "ja +0"],
        ),
        (
            [0x06, 0, 0, 0, 0, 0, 0, 0],
            &["gotol pc+0", "gotol +0x0 <x>", "ja32 +0"],
        ),
        (
            [0x85, 0, 0, 0, 54, 0, 0, 0],
            &[
                "call bpf_xdp_adjust_meta",
                "call bpf_xdp_adjust_meta#54",
                "call 54",
                "call 0x36",
                "call bpf_xdp_adjust_meta#227856",
                "call unknown#54",
            ],
        ),
        (
            [0x85, 0x10, 0, 0, 0, 0, 0, 0],
            &[
                "call pc+0",
                "call pc+0#bpf_prog_1234_f",
                "call local +0",
                "9: 85 10 00 00 00 00 00 00 call 0x0",
            ],
        ),
        (
            [0xc7, 1, 0, 0, 32, 0, 0, 0],
            &["r1 s>>= 32", "r1 s>>= 0x20", "arsh r1, 32"],
        ),
        (
            [0x3f, 0x21, 1, 0, 0, 0, 0, 0],
            &["r1 s/= r2", "sdiv r1, r2"],
        ),
        ([0xaf, 0x22, 0, 0, 0, 0, 0, 0], &["r2 ^= r2", "xor r2, r2"]),
        ([0x97, 1, 0, 0, 3, 0, 0, 0], &["r1 %= 3", "mod r1, 3"]),
        (
            [0x87, 1, 0, 0, 0, 0, 0, 0],
            &["r1 = -r1", "neg r1", "neg64 r1"],
        ),
        ([0xdc, 1, 0, 0, 16, 0, 0, 0], &["r1 = be16 r1", "be16 r1"]),
        (
            [0xd7, 1, 0, 0, 64, 0, 0, 0],
            &["r1 = bswap64 r1", "swap64 r1"],
        ),
        (
            [0xbf, 0x21, 8, 0, 0, 0, 0, 0],
            &["r1 = (s8)r2", "r1 = (s8) r2", "movsx864 r1, r2"],
        ),
        (
            [0xdb, 0x21, 0, 0, 0, 0, 0, 0],
            &[
                "lock *(u64 *)(r1 +0) += r2",
                "lock *(u64 *)(r1 + 0x0) += r2",
                "lock add [r1+0], r2",
            ],
        ),
        (
            [0xc3, 0x21, 4, 0, 1, 0, 0, 0],
            &[
                "r2 = atomic_fetch_add((u32 *)(r1 +4), r2)",
                "w2 = atomic_fetch_add((u32 *)(r1 + 0x4), w2)",
                "lock fetch add32 [r1+4], r2",
            ],
        ),
        (
            [0xdb, 0x21, 0, 0, 0xe1, 0, 0, 0],
            &[
                "r2 = atomic64_xchg((u64 *)(r1 +0), r2)",
                "r2 = xchg_64(r1 + 0x0, r2)",
                "lock xchg [r1], r2",
            ],
        ),
        (
            [0xc3, 0x21, 0, 0, 0xf1, 0, 0, 0],
            &[
                "r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)",
                "w0 = cmpxchg32_32(r1 + 0x0, w0, w2)",
                "lock cmpxchg32 [r1], r2",
            ],
        ),
        (
            [0xdb, 0x12, 8, 0, 0, 1, 0, 0],
            &[
                "r2 = load_acquire((u64 *)(r1 +8))",
                "r2 = load_acquire((u64 *)(r1 + 0x8))",
            ],
        ),
        (
            [0xc3, 0x21, 8, 0, 0x10, 1, 0, 0],
            &[
                "store_release((u32 *)(r1 +8), r2)",
                "store_release((u32 *)(r1 + 0x8), w2)",
            ],
        ),
        (
            [0x28, 0, 0, 0, 12, 0, 0, 0],
            &["r0 = *(u16 *)skb[12]", "r0 = *(u16 *)skb[0xc]", "ldabsh 12"],
        ),
        (
            [0x50, 0x20, 0, 0, 14, 0, 0, 0],
            &["r0 = *(u8 *)skb[r2 + 14]", "ldindb r2, 14"],
        ),
        ([0x8d, 2, 0, 0, 0, 0, 0, 0], &["callx r2"]),
        (
            [0x95, 0, 0, 0, 0, 0, 0, 0],
            &["exit", "7: (95) exit", "EXIT: exit"],
        ),
    ];
    for (raw, styles) in cases {
        for style in *styles {
            assert_eq!(one(style), bytes(*raw), "{style}");
        }
    }
}

/// `bpftool prog dump xlated` of the seed mail's program, pasted as it is.
#[test]
fn a_dump_of_bpftool() {
    let text = "\
int set_tag(struct xdp_md * ctx):
; void *data = (void *)(long)ctx->data;
   0: (bf) r6 = r1
   1: (18) r1 = 0x2a
   3: (79) r7 = *(u64 *)(r6 +0)
; if (bpf_xdp_adjust_meta(ctx, -4))
   4: (85) call bpf_xdp_adjust_meta#229344
   5: (55) if r0 != 0x0 goto pc+1
   6: (b4) w0 = 2
   7: (95) exit
";
    let insns = assemble(text, &[]).unwrap();
    assert_eq!(insns.len(), 7);
    assert_eq!(
        insns[1],
        Insn::LoadImm {
            dst: Reg::R1,
            value: Wide::Number(42)
        }
    );
    assert_eq!(insns[4].target(), Some(6));
}

/// `llvm-objdump -d` with bytes, headings, labels and a relocation-free program.
#[test]
fn a_dump_of_llvm() {
    let text = "
prog.o:\tfile format elf64-bpf

Disassembly of section xdp:

0000000000000000 <prog>:
       0:\t18 01 00 00 88 77 66 55 00 00 00 00 44 33 22 11\tr1 = 0x1122334455667788 ll
       2:\tb7 00 00 00 02 00 00 00\tr0 = 0x2
       3:\t15 01 01 00 00 00 00 00\tif r1 == 0x0 goto +0x1 <LBB0_2>
       4:\tb7 00 00 00 01 00 00 00\tr0 = 0x1

0000000000000028 <LBB0_2>:
       5:\t95 00 00 00 00 00 00 00\texit
";
    let insns = assemble(text, &[]).unwrap();
    assert_eq!(
        insns[0],
        Insn::LoadImm {
            dst: Reg::R1,
            value: Wide::Number(0x1122_3344_5566_7788)
        }
    );
    assert_eq!(insns[1], one("r0 = 2"));
    assert_eq!(insns[2].target(), Some(4));
    assert_eq!(insns.len(), 5);
}

/// Written by hand: labels, comments, hex that is a `mov` in clang's manner.
#[test]
fn labels_and_comments() {
    let text = "
        r0 = 0x2           // XDP_PASS
        if r1 == 0 goto out ; leave
loop:   r1 += -1
        if r1 != 0 goto loop
        call f
out:
        exit
f:      r0 = 1
        exit";
    let insns = assemble(text, &[]).unwrap();
    assert_eq!(insns[0], one("r0 = 2"));
    assert_eq!(insns[1].target(), Some(5));
    assert_eq!(insns[3].target(), Some(2));
    assert_eq!(insns[4], Insn::Call(Callee::Local(6)));
}

/// Every error has line, column, the word there, and what was expected.
#[test]
fn errors_have_their_place() {
    let cases = [
        (
            "r0 = 1\nr11 = 2\nexit",
            "line 2, column 1: expected an instruction, found `r11`",
        ),
        (
            "r0 = r11\nexit",
            "line 1, column 6: expected a register, a number, a load or an atomic operation, found `r11`",
        ),
        (
            "r0 += w1\nexit",
            "line 1, column 7: expected a 64-bit register, r0 to r10, found `w1`",
        ),
        (
            "r10 = 1\nexit",
            "line 1, column 1: expected a register that may be written, r0 to r9, found `r10`",
        ),
        (
            "r1 = *(u31 *)(r2 +0)",
            "line 1, column 8: expected a type: u8, u16, u32, u64, s8, s16 or s32, found `u31`",
        ),
        (
            "r1 = *(u32 *)(r2 +40000)",
            "line 1, column 19: expected an offset of 16 bits, found `40000`",
        ),
        (
            "r1 += 0x1ffffffff\nexit",
            "line 1, column 7: expected a number of 32 bits, found `0x1ffffffff`",
        ),
        (
            "if r1 = 2 goto +1",
            "line 1, column 7: expected a comparison: ==, !=, >, >=, <, <=, s>, s>=, s<, s<= or &, found `=`",
        ),
        (
            "if r1 == 2 goto +7\nexit",
            "line 1, column 17: expected a distance or label that leads to an instruction of the program, found `+`",
        ),
        (
            "goto nowhere\nexit",
            "line 1, column 6: expected a distance or label that leads to an instruction of the program, found `nowhere`",
        ),
        (
            "r0 = 1 r1\nexit",
            "line 1, column 8: expected the end of the line, found `r1`",
        ),
        (
            "r0 =",
            "line 1, column 5: expected a value, found the end of the line",
        ),
        (
            "r1 = map[counts]\nexit",
            "line 1, column 10: expected the name of a map of the object, found `counts`",
        ),
        (
            "a: r0 = 1\na: exit",
            "line 2, column 1: expected a label that is not there yet, found `a`",
        ),
        (
            "r0 = 1",
            "line 1, column 1: expected `exit` or `goto` as the last instruction, found the end of the program",
        ),
        (
            "",
            "line 1, column 1: expected `exit` or `goto` as the last instruction, found the end of the program",
        ),
        (
            "r1 = be16 r2\nexit",
            "line 1, column 11: expected the destination again, r1 or w1, found `r2`",
        ),
        (
            "r2 = atomic_fetch_add((u8 *)(r1 +0), r2)\nexit",
            "line 1, column 40: expected an atomic operation on u32 or u64, found `)`",
        ),
        (
            "0000000000000008:  R_BPF_64_64 counts",
            "line 1, column 20: expected an instruction (R_BPF_64_64 needs the object file), found `R_BPF_64_64`",
        ),
        (
            "é = 1",
            "line 1, column 1: expected an instruction, found `é`",
        ),
    ];
    for (text, want) in cases {
        let got = assemble(text, &[]).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(got, Err(want.to_owned()), "{text}");
    }
}
