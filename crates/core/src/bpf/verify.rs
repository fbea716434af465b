//! What Linux's verifier refuses at load, as far as following types tells it for certain
//! (`check_subprogs()`, `check_cfg()`, `do_check()`, kernel/bpf/verifier.c). See `docs/verifier.md`.

use super::error::LoadError;
use super::insn::{AluOp, AtomicOp, Insn, Operand, Reg};
use super::memory::FRAME;
use super::program::Program;
use super::value::{END, META, PACKET, STACK, State};

/// Functions, jumps inside them, and that everything can be reached.
pub(super) fn check_cfg(program: &Program) -> Result<(), LoadError> {
    let insns = &program.insns;
    let mut starts: Vec<usize> = insns
        .iter()
        .filter_map(Insn::function)
        .chain([0, insns.len()])
        .collect();
    starts.sort_unstable();
    starts.dedup();
    for function in starts.windows(2) {
        let (start, end) = (function[0], function[1]);
        for (at, insn) in insns.iter().enumerate().take(end).skip(start) {
            if let Some(target) = insn.target().filter(|t| !(start..end).contains(t)) {
                let why = format!("jump out of range from insn {at} to {target}");
                return Err(program.refused(at, why));
            }
        }
        let last = end.saturating_sub(1);
        if !matches!(insns.get(last), Some(Insn::Exit | Insn::Jump { .. })) {
            return Err(program.refused(last, "last insn is not an exit or jmp"));
        }
    }
    let reached = reached(insns, 0, true);
    match reached.iter().position(|reached| !reached) {
        Some(at) => Err(program.refused(at, format!("unreachable insn {at}"))),
        None => Ok(()),
    }
}

/// Which instructions can be reached; through calls too, or only inside the function.
fn reached(insns: &[Insn], start: usize, calls: bool) -> Vec<bool> {
    let mut reached = vec![false; insns.len()];
    let mut work = vec![start];
    while let Some(at) = work.pop() {
        let Some(seen) = reached.get_mut(at).filter(|seen| !**seen) else {
            continue;
        };
        *seen = true;
        match &insns[at] {
            Insn::Exit => {}
            Insn::Jump { target, .. } => work.push(*target),
            Insn::Branch { target, .. } => work.extend([*target, at + 1]),
            insn => {
                work.extend(insn.function().filter(|_| calls));
                work.push(at + 1);
            }
        }
    }
    reached
}

/// Registers read before anything was put there, accesses outside the stack frame, accesses of the
/// packet that no comparison with its end allows. `states` are those in front of each instruction.
pub(super) fn check_states(
    program: &Program,
    states: &[Option<Box<State>>],
) -> Result<(), LoadError> {
    let main = reached(&program.insns, 0, false);
    for (at, (insn, state)) in program.insns.iter().zip(states).enumerate() {
        let Some(state) = state else {
            continue;
        };
        let in_main = main.get(at).copied().unwrap_or(false);
        for reg in reads(insn, in_main) {
            if state.regs[reg.number()].kinds == 0 {
                return Err(program.refused(at, format!("R{} !read_ok", reg.number())));
            }
        }
        check_access(insn, state).map_err(|why| program.refused(at, why))?;
    }
    Ok(())
}

/// Registers that an instruction reads. What a helper reads is not known here.
fn reads(insn: &Insn, in_main: bool) -> Vec<Reg> {
    let register = |operand: &Operand| match operand {
        Operand::Reg(reg) => Some(*reg),
        Operand::Imm(_) => None,
    };
    match insn {
        Insn::Alu { op, dst, src, .. } => {
            let moves = matches!(op, AluOp::Mov | AluOp::MovSx(_));
            register(src)
                .into_iter()
                .chain((!moves).then_some(*dst))
                .collect()
        }
        Insn::Branch { dst, src, .. } => register(src).into_iter().chain([*dst]).collect(),
        Insn::Load { base, .. } | Insn::LoadAcquire { base, .. } => vec![*base],
        Insn::Store { base, src, .. } => register(src).into_iter().chain([*base]).collect(),
        Insn::StoreRelease { base, src, .. } => vec![*src, *base],
        Insn::Atomic { op, base, src, .. } => {
            let compares = (*op == AtomicOp::Cmpxchg).then_some(Reg::R0);
            [*src, *base].into_iter().chain(compares).collect()
        }
        Insn::PacketLoad { index, .. } => index.iter().copied().collect(),
        Insn::Exit if in_main => vec![Reg::R0],
        Insn::Exit | Insn::LoadImm { .. } | Insn::Jump { .. } | Insn::Call(_) => Vec::new(),
    }
}

/// `check_mem_access()`, for places that are known.
fn check_access(insn: &Insn, state: &State) -> Result<(), String> {
    let (base, off, size, extra) = match *insn {
        Insn::Load {
            base, off, size, ..
        } => (base, off, size, "read from"),
        Insn::Store {
            base, off, size, ..
        }
        | Insn::Atomic {
            base, off, size, ..
        } => (base, off, size, "write to"),
        _ => return Ok(()),
    };
    let (number, size) = (base.number(), i64::from(size.bytes()));
    let value = state.regs[number];
    if value.kinds == END {
        return Err(format!("R{number} invalid mem access 'pkt_end'"));
    }
    let Some(at) = value.off else {
        return Ok(());
    };
    let place = at + i64::from(off);
    match value.kinds {
        STACK if place < -(FRAME as i64) || place + size > 0 => Err(format!(
            "invalid {extra} stack R{number} off={place} size={size}"
        )),
        PACKET | META => {
            let range = state.range(value.kinds);
            if place >= 0 && place + size <= range {
                return Ok(());
            }
            Err(format!(
                "invalid access to packet, off={place} size={size}, \
                 R{number}(id=0,off={place},r={range}): R{number} offset is outside of the packet"
            ))
        }
        _ => Ok(()),
    }
}
