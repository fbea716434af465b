//! Instructions as text, the way Linux prints them (`print_bpf_insn()`, kernel/bpf/disasm.c),
//! without the opcode in front. Maps and kernel functions show by name where Linux shows numbers.

use super::helpers;
use super::insn::{AluOp, AtomicOp, Callee, Cond, Insn, Operand, Size, Wide, Width};

/// Text of every instruction of a program. `map_names` are the object's maps by index.
pub fn texts(insns: &[Insn], map_names: &[String]) -> Vec<String> {
    let slots = slots(insns);
    let all = insns.iter().enumerate();
    all.map(|(at, insn)| text(insn, at, &slots, map_names))
        .collect()
}

/// The first slot of each instruction, and of what is behind the last.
pub(super) fn slots(insns: &[Insn]) -> Vec<usize> {
    let mut slots = Vec::with_capacity(insns.len() + 1);
    let mut slot = 0usize;
    for insn in insns {
        slots.push(slot);
        slot += insn.slots();
    }
    slots.push(slot);
    slots
}

/// Text of instruction `at` of a program with these [`slots`].
pub(super) fn text(insn: &Insn, at: usize, slots: &[usize], map_names: &[String]) -> String {
    // Distances count slots from the next instruction.
    let distance = |target: usize| {
        let slot_of = |i: usize| slots.get(i).or(slots.last()).copied().unwrap_or(0) as i64;
        slot_of(target) - slot_of(at + 1)
    };
    let map_name = |map: usize| map_names.get(map).map_or("?", String::as_str);
    match insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => alu(*width, *op, dst.number(), *src),
        Insn::LoadImm { dst, value } => {
            let dst = dst.number();
            match *value {
                Wide::Number(n) => format!("r{dst} = {n:#x}"),
                Wide::Map(map) => format!("r{dst} = map[{}]", map_name(map)),
                Wide::MapValue { map, off } => format!("r{dst} = map[{}][0]+{off}", map_name(map)),
                // bpftool counts from the first of the two slots.
                Wide::Func(target) => format!("r{dst} = subprog[{:+}]", distance(target) + 1),
            }
        }
        Insn::Load {
            size,
            signed,
            dst,
            base,
            off,
        } => format!(
            "r{} = *({}{} *)(r{} {off:+})",
            dst.number(),
            if *signed { 's' } else { 'u' },
            size.bytes() * 8,
            base.number()
        ),
        Insn::Store {
            size,
            base,
            off,
            src,
        } => {
            let src = match src {
                Operand::Reg(reg) => format!("r{}", reg.number()),
                Operand::Imm(imm) => imm.to_string(),
            };
            format!(
                "*(u{} *)(r{} {off:+}) = {src}",
                size.bytes() * 8,
                base.number()
            )
        }
        Insn::Atomic {
            size,
            op,
            base,
            off,
            src,
        } => {
            let place = format!("(u{} *)(r{} {off:+})", size.bytes() * 8, base.number());
            atomic(*size, *op, &place, src.number())
        }
        Insn::LoadAcquire {
            size,
            dst,
            base,
            off,
        } => format!(
            "r{} = load_acquire((u{} *)(r{} {off:+}))",
            dst.number(),
            size.bytes() * 8,
            base.number()
        ),
        Insn::StoreRelease {
            size,
            base,
            off,
            src,
        } => format!(
            "store_release((u{} *)(r{} {off:+}), r{})",
            size.bytes() * 8,
            base.number(),
            src.number()
        ),
        Insn::PacketLoad { size, index, off } => {
            let bits = size.bytes() * 8;
            match index {
                None => format!("r0 = *(u{bits} *)skb[{off}]"),
                Some(index) => format!("r0 = *(u{bits} *)skb[r{} + {off}]", index.number()),
            }
        }
        Insn::Jump { target, long } => {
            format!(
                "{} pc{:+}",
                if *long { "gotol" } else { "goto" },
                distance(*target)
            )
        }
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            target,
        } => {
            let letter = letter(*width);
            let src = match src {
                Operand::Reg(reg) => format!("{letter}{}", reg.number()),
                Operand::Imm(imm) => format!("{imm:#x}"),
            };
            let (dst, cond) = (dst.number(), condition(*cond));
            format!(
                "if {letter}{dst} {cond} {src} goto pc{:+}",
                distance(*target)
            )
        }
        Insn::MayGoto { target } => format!("may_goto pc{:+}", distance(*target)),
        Insn::Call(Callee::Helper(id)) => match helpers::name(*id) {
            Some(name) => format!("call {name}#{id}"),
            None => format!("call unknown#{id}"),
        },
        Insn::Call(Callee::Kfunc(name)) => format!("call {name}"),
        Insn::Call(Callee::Local(target)) => format!("call pc{:+}", distance(*target)),
        Insn::Call(Callee::Register(reg)) => format!("callx r{}", reg.number()),
        Insn::Call(Callee::MetaRealign) => "call bpf_skb_meta_realign".to_owned(),
        Insn::Call(Callee::ProloguePullData) => "call bpf_skb_pull_data".to_owned(),
        Insn::Exit => "exit".to_owned(),
    }
}

fn letter(width: Width) -> char {
    match width {
        Width::W32 => 'w',
        Width::W64 => 'r',
    }
}

fn alu(width: Width, op: AluOp, dst: usize, src: Operand) -> String {
    let l = letter(width);
    let sign = match op {
        AluOp::Add => "+=",
        AluOp::Sub => "-=",
        AluOp::Mul => "*=",
        AluOp::Div => "/=",
        AluOp::SDiv => "s/=",
        AluOp::Or => "|=",
        AluOp::And => "&=",
        AluOp::Lsh => "<<=",
        AluOp::Rsh => ">>=",
        AluOp::Mod => "%=",
        AluOp::SMod => "s%=",
        AluOp::Xor => "^=",
        AluOp::Mov | AluOp::MovSx(_) => "=",
        AluOp::Arsh => "s>>=",
        AluOp::Neg => return format!("{l}{dst} = -{l}{dst}"),
        AluOp::ToLe(bits) => return format!("r{dst} = le{bits} r{dst}"),
        AluOp::ToBe(bits) => return format!("r{dst} = be{bits} r{dst}"),
        AluOp::Bswap(bits) => return format!("r{dst} = bswap{bits} r{dst}"),
    };
    let cast = if let AluOp::MovSx(bits) = op {
        format!("(s{bits})")
    } else {
        String::new()
    };
    match src {
        Operand::Reg(src) => format!("{l}{dst} {sign} {cast}{l}{}", src.number()),
        Operand::Imm(imm) => format!("{l}{dst} {sign} {imm}"),
    }
}

fn atomic(size: Size, op: AtomicOp, place: &str, src: usize) -> String {
    let wide = if size == Size::Dw { "64" } else { "" };
    let (sign, name, fetch) = match op {
        AtomicOp::Add { fetch } => ("+=", "add", fetch),
        AtomicOp::Or { fetch } => ("|=", "or", fetch),
        AtomicOp::And { fetch } => ("&=", "and", fetch),
        AtomicOp::Xor { fetch } => ("^=", "xor", fetch),
        AtomicOp::Xchg => return format!("r{src} = atomic{wide}_xchg({place}, r{src})"),
        AtomicOp::Cmpxchg => return format!("r0 = atomic{wide}_cmpxchg({place}, r0, r{src})"),
    };
    if fetch {
        format!("r{src} = atomic{wide}_fetch_{name}({place}, r{src})")
    } else {
        format!("lock *{place} {sign} r{src}")
    }
}

/// A condition as the kernel's disassembler writes it (`bpf_jmp_string`, kernel/bpf/disasm.c).
pub(super) fn condition(cond: Cond) -> &'static str {
    match cond {
        Cond::Eq => "==",
        Cond::Gt => ">",
        Cond::Ge => ">=",
        Cond::Set => "&",
        Cond::Ne => "!=",
        Cond::SGt => "s>",
        Cond::SGe => "s>=",
        Cond::Lt => "<",
        Cond::Le => "<=",
        Cond::SLt => "s<",
        Cond::SLe => "s<=",
    }
}

#[cfg(test)]
mod tests {
    use crate::bpf::Program;

    /// What `bpftool prog dump xlated` shows for these bytes, opcode left out.
    #[test]
    fn texts_are_those_of_the_kernel() {
        let exit = [0x95, 0, 0, 0, 0, 0, 0, 0];
        let cases: [([u8; 8], &str); 23] = [
            ([0xbf, 0x16, 0, 0, 0, 0, 0, 0], "r6 = r1"),
            ([0xb4, 2, 0, 0, 0xfc, 0xff, 0xff, 0xff], "w2 = -4"),
            ([0x79, 0x12, 200, 0, 0, 0, 0, 0], "r2 = *(u64 *)(r1 +200)"),
            (
                [0x63, 0x2a, 0xf8, 0xff, 0, 0, 0, 0],
                "*(u32 *)(r10 -8) = r2",
            ),
            ([0x72, 0x0a, 0xff, 0xff, 5, 0, 0, 0], "*(u8 *)(r10 -1) = 5"),
            ([0x89, 0x12, 2, 0, 0, 0, 0, 0], "r2 = *(s16 *)(r1 +2)"),
            ([0x15, 1, 0, 0, 16, 0, 0, 0], "if r1 == 0x10 goto pc+0"),
            ([0x6e, 0x21, 0, 0, 0, 0, 0, 0], "if w1 s> w2 goto pc+0"),
            (
                [0x55, 1, 0, 0, 0xff, 0xff, 0xff, 0xff],
                "if r1 != 0xffffffff goto pc+0",
            ),
            ([0xc7, 1, 0, 0, 32, 0, 0, 0], "r1 s>>= 32"),
            ([0x87, 1, 0, 0, 0, 0, 0, 0], "r1 = -r1"),
            ([0xdc, 1, 0, 0, 16, 0, 0, 0], "r1 = be16 r1"),
            ([0xd7, 1, 0, 0, 64, 0, 0, 0], "r1 = bswap64 r1"),
            ([0xbf, 0x21, 8, 0, 0, 0, 0, 0], "r1 = (s8)r2"),
            ([0x3f, 0x21, 1, 0, 0, 0, 0, 0], "r1 s/= r2"),
            ([0xdb, 0x21, 0, 0, 0, 0, 0, 0], "lock *(u64 *)(r1 +0) += r2"),
            (
                [0xc3, 0x21, 4, 0, 1, 0, 0, 0],
                "r2 = atomic_fetch_add((u32 *)(r1 +4), r2)",
            ),
            (
                [0xdb, 0x21, 0, 0, 0xe1, 0, 0, 0],
                "r2 = atomic64_xchg((u64 *)(r1 +0), r2)",
            ),
            (
                [0xdb, 0x21, 0, 0, 0xf1, 0, 0, 0],
                "r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)",
            ),
            ([0x85, 0, 0, 0, 6, 0, 0, 0], "call bpf_trace_printk#6"),
            ([0x05, 0, 0, 0, 0, 0, 0, 0], "goto pc+0"),
            ([0xe5, 0, 0, 0, 0, 0, 0, 0], "may_goto pc+0"),
            (exit, "exit"),
        ];
        for (bytes, text) in cases {
            let program = Program::from_bytes("p", "xdp", &[bytes, exit].concat()).unwrap();
            assert_eq!(super::texts(&program.insns, &[])[0], text);
        }
    }
}
