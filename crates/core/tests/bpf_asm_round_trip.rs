//! A listing assembles to the program that it lists; any text ends with a program or a place.

use headroom_core::bpf::insn::{
    AluOp, AtomicOp, Callee, Cond, Insn, Operand, Reg, Size, Wide, Width,
};
use headroom_core::bpf::{assemble, texts};
use proptest::collection::vec;
use proptest::prelude::*;

fn reg() -> impl Strategy<Value = Reg> {
    (0..10u8).prop_filter_map("a register", Reg::new)
}

fn base() -> impl Strategy<Value = Reg> {
    (0..=10u8).prop_filter_map("a register", Reg::new)
}

fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::W32), Just(Width::W64)]
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        base().prop_map(Operand::Reg),
        any::<i32>().prop_map(Operand::Imm)
    ]
}

fn size() -> impl Strategy<Value = Size> {
    prop::sample::select(vec![Size::B, Size::H, Size::W, Size::Dw])
}

fn alu() -> impl Strategy<Value = Insn> {
    use AluOp::*;
    let binary = prop::sample::select(vec![
        Add, Sub, Mul, Div, SDiv, Or, And, Lsh, Rsh, Mod, SMod, Xor, Mov, Arsh,
    ]);
    let binary = (width(), binary, reg(), operand()).prop_map(|(width, op, dst, src)| Insn::Alu {
        width,
        op,
        dst,
        src,
    });
    let neg = (width(), reg()).prop_map(|(width, dst)| {
        let (op, src) = (Neg, Operand::Imm(0));
        Insn::Alu {
            width,
            op,
            dst,
            src,
        }
    });
    let ways = vec![
        (Width::W32, 8),
        (Width::W32, 16),
        (Width::W64, 8),
        (Width::W64, 16),
        (Width::W64, 32),
    ];
    let movsx =
        (prop::sample::select(ways), reg(), base()).prop_map(|((width, bits), dst, src)| {
            let (op, src) = (MovSx(bits), Operand::Reg(src));
            Insn::Alu {
                width,
                op,
                dst,
                src,
            }
        });
    let swap =
        (0..3u8, prop::sample::select(vec![16u8, 32, 64]), reg()).prop_map(|(kind, bits, dst)| {
            let (width, op) = match kind {
                0 => (Width::W32, ToLe(bits)),
                1 => (Width::W32, ToBe(bits)),
                _ => (Width::W64, Bswap(bits)),
            };
            let src = Operand::Imm(i32::from(bits));
            Insn::Alu {
                width,
                op,
                dst,
                src,
            }
        });
    prop_oneof![4 => binary, 1 => neg, 1 => movsx, 1 => swap]
}

fn memory() -> impl Strategy<Value = Insn> {
    let load = (size(), any::<bool>(), reg(), base(), any::<i16>()).prop_map(
        |(size, signed, dst, base, off)| {
            let signed = signed && size != Size::Dw;
            Insn::Load {
                size,
                signed,
                dst,
                base,
                off,
            }
        },
    );
    let store =
        (size(), base(), any::<i16>(), operand()).prop_map(|(size, base, off, src)| Insn::Store {
            size,
            base,
            off,
            src,
        });
    let op = prop_oneof![
        any::<bool>().prop_map(|fetch| AtomicOp::Add { fetch }),
        any::<bool>().prop_map(|fetch| AtomicOp::Or { fetch }),
        any::<bool>().prop_map(|fetch| AtomicOp::And { fetch }),
        any::<bool>().prop_map(|fetch| AtomicOp::Xor { fetch }),
        Just(AtomicOp::Xchg),
        Just(AtomicOp::Cmpxchg),
    ];
    let wide = prop_oneof![Just(Size::W), Just(Size::Dw)];
    let atomic = (wide, op, base(), any::<i16>(), reg()).prop_map(|(size, op, base, off, src)| {
        Insn::Atomic {
            size,
            op,
            base,
            off,
            src,
        }
    });
    let acquire = (size(), reg(), base(), any::<i16>()).prop_map(|(size, dst, base, off)| {
        Insn::LoadAcquire {
            size,
            dst,
            base,
            off,
        }
    });
    let release = (size(), base(), any::<i16>(), base()).prop_map(|(size, base, off, src)| {
        Insn::StoreRelease {
            size,
            base,
            off,
            src,
        }
    });
    let narrow = prop::sample::select(vec![Size::B, Size::H, Size::W]);
    let packet = (narrow, prop::option::of(base()), any::<i32>())
        .prop_map(|(size, index, off)| Insn::PacketLoad { size, index, off });
    prop_oneof![4 => load, 4 => store, 2 => atomic, 1 => acquire, 1 => release, 1 => packet]
}

fn insn(len: usize) -> impl Strategy<Value = Insn> {
    use Cond::*;
    let conds = vec![Eq, Gt, Ge, Set, Ne, SGt, SGe, Lt, Le, SLt, SLe];
    let branch = (
        width(),
        prop::sample::select(conds),
        base(),
        operand(),
        0..=len,
    )
        .prop_map(|(width, cond, dst, src, target)| Insn::Branch {
            width,
            cond,
            dst,
            src,
            target,
        });
    let jump = (any::<bool>(), 0..=len).prop_map(|(long, target)| Insn::Jump { target, long });
    let may_goto = (0..=len).prop_map(|target| Insn::MayGoto { target });
    let value = prop_oneof![
        any::<u64>().prop_map(Wide::Number),
        (0..100u64).prop_map(Wide::Number),
        (0..2usize).prop_map(Wide::Map),
        (0..2usize, any::<u32>()).prop_map(|(map, off)| Wide::MapValue { map, off }),
    ];
    let wide = (reg(), value).prop_map(|(dst, value)| Insn::LoadImm { dst, value });
    let call = prop_oneof![
        (0..=len).prop_map(Callee::Local),
        (1..400u32).prop_map(Callee::Helper),
        base().prop_map(Callee::Register),
        Just(Callee::Kfunc("bpf_dynptr_from_skb_meta".to_owned())),
    ]
    .prop_map(Insn::Call);
    prop_oneof![4 => alu(), 4 => memory(), 2 => branch, 1 => jump, 1 => may_goto, 2 => wide, 1 => call, 1 => Just(Insn::Exit)]
}

fn program() -> impl Strategy<Value = Vec<Insn>> {
    (0..30usize).prop_flat_map(|len| {
        vec(insn(len), len).prop_map(|mut insns| {
            insns.push(Insn::Exit);
            insns
        })
    })
}

proptest! {
    /// A listing assembles to the program that it lists.
    #[test]
    fn assemble_undoes_disassemble(insns in program()) {
        let maps = ["counts".to_owned(), ".rodata".to_owned()];
        let text = texts(&insns, &maps).join("\n");
        prop_assert_eq!(assemble(&text, &maps), Ok(insns), "{}", text);
    }

    /// Any text: a program or an error whose place is in the text.
    #[test]
    fn any_text_ends(text in "([a-z0-9 *()=+<>\\[\\],:#-]|r[0-9]|goto|if|\n|é){0,80}") {
        if let Err(error) = assemble(&text, &[]) {
            let lines: Vec<&str> = text.lines().collect();
            prop_assert!(error.line >= 1 && error.line <= lines.len().max(1));
            let line = lines.get(error.line - 1).copied().unwrap_or("");
            prop_assert!(error.column >= 1 && error.column <= line.chars().count() + 1, "{}", error);
        }
    }
}
