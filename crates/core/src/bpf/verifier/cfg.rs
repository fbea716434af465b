//! Functions, jumps inside them, and where the walk may be cut off
//! (`check_subprogs()`, kernel/bpf/verifier.c; `bpf_check_cfg()`, kernel/bpf/cfg.c; `bpf_compute_live_registers()`,
//! kernel/bpf/liveness.c).

use crate::bpf::insn::{AluOp, AtomicOp, Callee, Insn, Operand};
use crate::bpf::program::Program;

use super::protos;
use super::refusal::Refusal;

/// What is known of an instruction before the walk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Info {
    /// States are compared here.
    pub prune_point: bool,
    /// A state is remembered here in any case.
    pub checkpoint: bool,
    /// It calls a helper that calls a function of the program.
    pub calls_callback: bool,
    /// `bpf_iter_num_next()`.
    pub iter_next: bool,
    /// It is a `may_goto`.
    pub may_goto: bool,
    /// It lies between a jump back and its target.
    pub in_loop: bool,
    /// Registers that are read later, as bits.
    pub live: u16,
}

/// The program's shape.
#[derive(Debug)]
pub(super) struct Cfg {
    pub info: Vec<Info>,
    /// Slot of each instruction; messages of Linux count slots.
    pub slots: Vec<usize>,
    /// First instructions of functions, in order, and the number of instructions.
    pub starts: Vec<usize>,
}

impl Cfg {
    /// Number of the function that an instruction belongs to.
    pub fn function(&self, at: usize) -> usize {
        let behind = self.starts.partition_point(|start| *start <= at);
        behind.saturating_sub(1)
    }
}

/// No way through the calls may need more stack than one function has (`check_max_stack_depth()`).
/// `own`: bytes of each function; `later`: functions that timers call, which need a stack of their own.
pub(super) fn check_depth(
    insns: &[Insn],
    cfg: &Cfg,
    own: &[u32],
    later: &[usize],
) -> Result<(), Failed> {
    let round = |function: usize| {
        own.get(function)
            .map_or(0, |bytes| bytes.next_multiple_of(16))
    };
    let calls: Vec<(usize, usize, usize)> = insns
        .iter()
        .enumerate()
        .filter(|(_, insn)| {
            let named = insn.function().is_some_and(|entry| later.contains(&entry));
            !named || matches!(insn, Insn::Call(_))
        })
        .filter_map(|(at, insn)| Some((at, cfg.function(at), cfg.function(insn.function()?))))
        .filter(|(_, caller, callee)| caller != callee)
        .collect();
    let mut deepest: Vec<u32> = (0..cfg.starts.len()).map(round).collect();
    // no function calls itself, so as many rounds as functions are enough
    for _ in 0..cfg.starts.len() {
        let before = deepest.clone();
        for (_, caller, callee) in &calls {
            deepest[*caller] = deepest[*caller].max(round(*caller) + deepest[*callee]);
        }
        if deepest == before {
            break;
        }
    }
    let (mut function, mut depth, mut count, mut place) = (0, round(0), 1, 0);
    while depth <= MAX_STACK {
        let next = calls.iter().find(|(_, caller, callee)| {
            *caller == function && depth + deepest[*callee] > MAX_STACK
        });
        let Some((at, _, callee)) = next else {
            return Ok(());
        };
        (function, place) = (*callee, *at);
        depth += round(function);
        count += 1;
    }
    Err((place, Refusal::StackDepth(count, depth)))
}

type Failed = (usize, Refusal);

/// `MAX_BPF_STACK`.
const MAX_STACK: u32 = 512;

pub(super) fn analyze(program: &Program) -> Result<Cfg, Failed> {
    let insns = &program.insns;
    let mut slots = Vec::with_capacity(insns.len() + 1);
    let mut slot = 0;
    for insn in insns {
        slots.push(slot);
        slot += insn.slots();
    }
    slots.push(slot);
    let mut starts: Vec<usize> = insns
        .iter()
        .filter_map(Insn::function)
        .chain([0, insns.len()])
        .collect();
    starts.sort_unstable();
    starts.dedup();
    check_functions(insns, &slots, &starts)?;
    let mut info = vec![Info::default(); insns.len()];
    check_reached(insns, &slots, &mut info)?;
    check_calls(insns, &starts)?;
    live_registers(insns, protos::class(&program.prog_type), &mut info);
    Ok(Cfg {
        info,
        slots,
        starts,
    })
}

fn check_functions(insns: &[Insn], slots: &[usize], starts: &[usize]) -> Result<(), Failed> {
    for function in starts.windows(2) {
        let (start, end) = (function[0], function[1]);
        for (at, insn) in insns.iter().enumerate().take(end).skip(start) {
            if let Some(target) = insn.target().filter(|t| !(start..end).contains(t)) {
                let to = slots.get(target).copied().unwrap_or(target);
                return Err((at, Refusal::JumpOutOfRange(slots[at], to)));
            }
        }
        let last = end.saturating_sub(1);
        if !matches!(insns.get(last), Some(Insn::Exit | Insn::Jump { .. })) {
            return Err((last, Refusal::LastInsn));
        }
    }
    Ok(())
}

/// Marks what can be reached, and where ways part or come together.
fn check_reached(insns: &[Insn], slots: &[usize], info: &mut [Info]) -> Result<(), Failed> {
    let mut reached = vec![false; insns.len()];
    let mut work = vec![0];
    while let Some(at) = work.pop() {
        let Some(seen) = reached.get_mut(at).filter(|seen| !**seen) else {
            continue;
        };
        *seen = true;
        let mut prune = |at: usize| {
            if let Some(info) = info.get_mut(at) {
                info.prune_point = true;
            }
        };
        match &insns[at] {
            Insn::Exit => continue,
            Insn::Jump { target, .. } => {
                prune(*target);
                work.push(*target);
                continue;
            }
            Insn::Branch { target, .. } => {
                prune(at);
                prune(*target);
                work.push(*target);
            }
            Insn::MayGoto { target } => {
                prune(at);
                prune(*target);
                work.push(*target);
                info[at].may_goto = true;
                info[at].checkpoint = true;
            }
            Insn::Call(callee) => {
                prune(at + 1);
                match callee {
                    Callee::Local(target) => {
                        prune(at);
                        prune(*target);
                        work.push(*target);
                    }
                    Callee::Helper(id) if super::calls_callback(*id) => {
                        info[at].calls_callback = true;
                        info[at].checkpoint = true;
                        info[at].prune_point = true;
                    }
                    // bpf_timer_set_callback()
                    Callee::Helper(170) => info[at].prune_point = true,
                    Callee::Kfunc(name) if name == "bpf_iter_num_next" => {
                        info[at].iter_next = true;
                        info[at].checkpoint = true;
                        info[at].prune_point = true;
                    }
                    _ => {}
                }
            }
            insn => {
                if let Some(target) = insn.function() {
                    prune(at);
                    prune(at + 1);
                    prune(target);
                    work.push(target);
                }
            }
        }
        work.push(at + 1);
    }
    for (at, insn) in insns.iter().enumerate() {
        if let Some(target) = insn.target().filter(|target| *target <= at) {
            for info in info.iter_mut().take(at + 1).skip(target) {
                info.in_loop = true;
            }
        }
        // a callback is walked again and again
        if info[at].calls_callback {
            info[at].in_loop = true;
        }
    }
    match reached.iter().position(|reached| !reached) {
        Some(at) => Err((at, Refusal::Unreachable(slots[at]))),
        None => Ok(()),
    }
}

/// No function may call itself, directly or not (`sort_subprogs_topo()`).
fn check_calls(insns: &[Insn], starts: &[usize]) -> Result<(), Failed> {
    let function = |at: usize| {
        starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    };
    let calls: Vec<(usize, usize)> = insns
        .iter()
        .enumerate()
        .filter_map(|(at, insn)| Some((at, insn.function()?)))
        .collect();
    // 0 not seen, 1 on the way, 2 done
    let mut state = vec![0u8; starts.len()];
    let mut work = vec![(0, 0)];
    state[0] = 1;
    while let Some((own, next)) = work.pop() {
        let Some((step, (at, target))) = calls
            .iter()
            .enumerate()
            .skip(next)
            .find(|(_, (at, _))| function(*at) == own)
        else {
            state[own] = 2;
            continue;
        };
        work.push((own, step + 1));
        let callee = function(*target);
        match state[callee] {
            0 => {
                state[callee] = 1;
                work.push((callee, 0));
            }
            // a callback may name itself
            1 if matches!(insns[*at], Insn::Call(_)) => return Err((*at, Refusal::Recursive)),
            _ => {}
        }
    }
    Ok(())
}

/// Bits of the registers that an instruction reads, and of those it writes.
fn uses(insn: &Insn, class: u16) -> (u16, u16) {
    let bit = |reg: &crate::bpf::insn::Reg| 1u16 << reg.number();
    let operand = |operand: &Operand| match operand {
        Operand::Reg(reg) => bit(reg),
        Operand::Imm(_) => 0,
    };
    const ARGS: u16 = 0b11_1110;
    const SCRATCHED: u16 = 0b11_1111;
    match insn {
        Insn::Alu { op, dst, src, .. } => {
            let moves = matches!(op, AluOp::Mov | AluOp::MovSx(_));
            let own = if moves { 0 } else { bit(dst) };
            (own | operand(src), bit(dst))
        }
        Insn::LoadImm { dst, .. } => (0, bit(dst)),
        Insn::Load { dst, base, .. } | Insn::LoadAcquire { dst, base, .. } => (bit(base), bit(dst)),
        Insn::Store { base, src, .. } => (bit(base) | operand(src), 0),
        Insn::StoreRelease { base, src, .. } => (bit(base) | bit(src), 0),
        Insn::Atomic { op, base, src, .. } => {
            let old = op.old_into(*src).as_ref().map_or(0, bit);
            let compared = u16::from(*op == AtomicOp::Cmpxchg);
            (bit(base) | bit(src) | compared, old)
        }
        Insn::PacketLoad { index, .. } => {
            let r6 = 1 << 6;
            (r6 | index.as_ref().map_or(0, bit), SCRATCHED)
        }
        Insn::Branch { dst, src, .. } => (bit(dst) | operand(src), 0),
        Insn::Call(Callee::Helper(id)) => {
            let args = protos::proto(*id, class).map_or(5, |p| {
                p.args.iter().rposition(|a| *a != b'.').map_or(0, |n| n + 1)
            });
            (ARGS & ((1 << (args + 1)) - 1), SCRATCHED)
        }
        Insn::Call(_) => (ARGS, SCRATCHED),
        Insn::Exit => (1, 0),
        Insn::Jump { .. } | Insn::MayGoto { .. } => (0, 0),
    }
}

fn live_registers(insns: &[Insn], class: u16, info: &mut [Info]) {
    loop {
        let mut changed = false;
        for at in (0..insns.len()).rev() {
            let insn = &insns[at];
            let (reads, writes) = uses(insn, class);
            let live = |at: usize| info.get(at).map_or(0, |info| info.live);
            let after = match insn {
                Insn::Exit => 0,
                Insn::Jump { target, .. } => live(*target),
                Insn::Branch { target, .. } | Insn::MayGoto { target } => {
                    live(*target) | live(at + 1)
                }
                _ => live(at + 1),
            };
            let before = after & !writes | reads;
            changed |= info[at].live != before;
            info[at].live = before;
        }
        if !changed {
            return;
        }
    }
}
