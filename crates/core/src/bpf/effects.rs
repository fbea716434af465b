//! Which registers an instruction reads and writes, from its text in a listing.

use super::asm::assemble;
use super::flow::registers;
use super::insn::{AtomicOp, Callee, Insn, Operand, Reg};
use super::verifier::{Behind, helper_arguments, helper_reads};

/// Of an instruction that is no call.
const NOTHING: [Behind; 5] = [Behind::Nothing; 5];

/// What an instruction does with registers, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effects {
    /// It reads and writes registers.
    Does {
        /// Those it reads.
        reads: u16,
        /// Those it writes.
        writes: u16,
        /// It calls a helper: r1 to r5 are gone.
        calls: bool,
        /// What a helper reads through r1 to r5.
        behind: [Behind; 5],
        /// It makes bytes of memory of what was there.
        atomic: bool,
    },
    /// It calls a function of the program, or calls a register.
    Enters,
    /// It ends a function.
    Leaves,
    /// It decides where to go on.
    Goes,
}

/// What the instruction of a listing's line does. A text that is none does nothing.
#[must_use]
pub fn effects(text: &str) -> Effects {
    let text = text.trim();
    match text.split(' ').next().unwrap_or_default() {
        "exit" => return Effects::Leaves,
        "if" | "goto" | "gotol" | "may_goto" => return Effects::Goes,
        "callx" => return Effects::Enters,
        _ if text.starts_with("call pc") => return Effects::Enters,
        _ => {}
    }
    // The names of maps stand in the text itself; a function's address stands alone.
    let map = text
        .split_once("map[")
        .and_then(|(_, rest)| rest.split_once(']'));
    let maps: Vec<String> = map.map(|(name, _)| name.to_owned()).into_iter().collect();
    let first = assemble(&format!("{text}\nexit"), &maps).ok();
    let first = first.and_then(|insns| insns.into_iter().next());
    match first {
        Some(insn) => of(&insn),
        None => Effects::Does {
            reads: 0,
            writes: destination(text),
            calls: false,
            behind: NOTHING,
            atomic: false,
        },
    }
}

/// `r1 = subprog[+5]`: what stands in front of the sign.
fn destination(text: &str) -> u16 {
    let number = text
        .strip_prefix(['r', 'w'])
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse::<u32>().ok());
    number.and_then(|n| 1u16.checked_shl(n)).unwrap_or(0)
}

fn bit(reg: Reg) -> u16 {
    1 << reg.number()
}

fn of(insn: &Insn) -> Effects {
    let (reads, writes, calls) = match insn {
        Insn::Load { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => {
            (bit(*base), bit(*dst), false)
        }
        Insn::Store { base, src, .. } => {
            let src = match src {
                Operand::Reg(reg) => bit(*reg),
                Operand::Imm(_) => 0,
            };
            (bit(*base) | src, 0, false)
        }
        Insn::StoreRelease { base, src, .. } => (bit(*base) | bit(*src), 0, false),
        Insn::Atomic { op, base, src, .. } => {
            let compared = match op {
                AtomicOp::Cmpxchg => bit(Reg::R0),
                _ => 0,
            };
            let old = op.old_into(*src).map_or(0, bit);
            (bit(*base) | bit(*src) | compared, old, false)
        }
        // The skb is in r6 (RFC 9669, 5.5, and Linux's converter).
        Insn::PacketLoad { index, .. } => (index.map_or(0, bit) | 1 << 6, 1, true),
        Insn::Call(Callee::Helper(id)) => (arguments(helper_arguments(*id)), 1, true),
        // What is left of r1 to r5 from before the call before is never looked for: a call ends them.
        Insn::Call(Callee::Kfunc(_) | Callee::MetaRealign | Callee::ProloguePullData) => {
            (arguments(5), 1, true)
        }
        Insn::Call(Callee::Local(_) | Callee::Register(_)) => return Effects::Enters,
        Insn::Exit => return Effects::Leaves,
        Insn::Jump { .. } | Insn::Branch { .. } | Insn::MayGoto { .. } => return Effects::Goes,
        Insn::Alu { .. } | Insn::LoadImm { .. } => {
            let (reads, writes) = registers(insn);
            (reads, writes, false)
        }
    };
    Effects::Does {
        reads,
        writes,
        calls,
        behind: match insn {
            Insn::Call(Callee::Helper(id)) => helper_reads(*id),
            _ => NOTHING,
        },
        atomic: matches!(insn, Insn::Atomic { .. }),
    }
}

/// r1 and the following.
fn arguments(count: usize) -> u16 {
    ((1u16 << count.min(5)) - 1) << 1
}

#[cfg(test)]
mod tests {
    use super::Behind::{Key, Nothing, Sized, Value};
    use super::*;

    /// By hand, from RFC 9669; the number of arguments from the helpers' prototypes in net/core/filter.c and kernel/bpf.
    #[test]
    fn reads_and_writes_are_those_of_the_instruction() {
        let r = |all: &[u32]| all.iter().fold(0u16, |bits, n| bits | 1 << n);
        for (text, reads, writes, calls) in [
            ("w0 = 2", r(&[]), r(&[0]), false),
            ("r3 = r1", r(&[1]), r(&[3]), false),
            ("r3 += r4", r(&[3, 4]), r(&[3]), false),
            ("r1 = be16 r1", r(&[1]), r(&[1]), false),
            ("r3 = *(u32 *)(r1 +0)", r(&[1]), r(&[3]), false),
            ("*(u64 *)(r10 -8) = r0", r(&[0, 10]), r(&[]), false),
            ("*(u8 *)(r7 +1) = 5", r(&[7]), r(&[]), false),
            ("r1 = map[.rodata][0]+0", r(&[]), r(&[1]), false),
            ("r1 = map[tags]", r(&[]), r(&[1]), false),
            ("r1 = subprog[+5]", r(&[]), r(&[1]), false),
            (
                "r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)",
                r(&[1, 2]),
                r(&[2]),
                false,
            ),
            // bpf_map_lookup_elem(map, key), bpf_xdp_adjust_meta(xdp, delta), bpf_ktime_get_ns(void)
            ("call bpf_map_lookup_elem#1", r(&[1, 2]), r(&[0]), true),
            ("call bpf_xdp_adjust_meta#54", r(&[1, 2]), r(&[0]), true),
            ("call bpf_ktime_get_ns#5", r(&[]), r(&[0]), true),
            (
                "call bpf_map_update_elem#2",
                r(&[1, 2, 3, 4]),
                r(&[0]),
                true,
            ),
            ("call bpf_csum_diff#28", r(&[1, 2, 3, 4, 5]), r(&[0]), true),
            (
                "call bpf_sk_redirect_hash#72",
                r(&[1, 2, 3, 4]),
                r(&[0]),
                true,
            ),
            (
                "call bpf_skb_meta_realign",
                r(&[1, 2, 3, 4, 5]),
                r(&[0]),
                true,
            ),
        ] {
            let atomic = text.contains("atomic");
            let wanted = Effects::Does {
                reads,
                writes,
                calls,
                behind: match text {
                    // bpf_map_lookup_elem(map, key), bpf_map_update_elem(map, key, value, flags)
                    "call bpf_map_lookup_elem#1" => [Nothing, Key(1), Nothing, Nothing, Nothing],
                    "call bpf_map_update_elem#2" => [Nothing, Key(1), Value(1), Nothing, Nothing],
                    // bpf_sk_redirect_hash(skb, map, key, flags): the map is not the first
                    "call bpf_sk_redirect_hash#72" => [Nothing, Nothing, Key(2), Nothing, Nothing],
                    // bpf_csum_diff(from, from_size, to, to_size, seed)
                    "call bpf_csum_diff#28" => [Sized(2), Nothing, Sized(4), Nothing, Nothing],
                    _ => NOTHING,
                },
                atomic,
            };
            assert_eq!(effects(text), wanted, "{text}");
        }
        assert_eq!(effects("call pc+3"), Effects::Enters);
        assert_eq!(effects("exit"), Effects::Leaves);
        assert_eq!(effects("if r3 > r2 goto pc+6"), Effects::Goes);
        assert_eq!(effects("goto pc-2"), Effects::Goes);
    }
}
