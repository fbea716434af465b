//! Following types through a program, far enough to know which loads are loads of the context and
//! whether the program writes the packet.
//!
//! One state per instruction, joined over all ways to reach it: for each register and each stack
//! slot the set of things it may hold. Linux's verifier walks every path with known constants, so it
//! can leave out a branch that never happens; this walk cannot, and may see a fact on such a branch.

use super::error::LoadError;
use super::helpers;
use super::insn::{AluOp, Callee, Insn, Operand, Reg, Size, Wide, Width};
use super::layout::{self, CtxLoad, Member, PacketPointer};
use super::program::Program;
use super::ranges::learn;
use super::refuse::{check_alu, check_ordered, packet_load};
use super::value::{
    CTX, END, FUNCTION, META, NOTHING, OTHER, PACKET, POINTERS, SCALAR, STACK, State, Value,
};
use super::verify::{check_cfg, check_states};

/// What v3 wants to know of a program before it chooses a prologue (patches 11 to 14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Facts {
    /// It loads `data_meta` from the context: `PA_F_DATA_META_LOAD`, patch 14.
    pub loads_data_meta: bool,
    /// It stores through a packet or metadata pointer, or calls `bpf_dynptr_slice_rdwr()`:
    /// `seen_direct_write` up to 7.2, `PA_F_DIRECT_WRITE` in patch 12.
    pub writes_packet: bool,
}

/// The result of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    pub facts: Facts,
    /// For each instruction: the context load it is.
    pub ctx_loads: Vec<Option<CtxLoad>>,
    /// For each instruction: the context store it is.
    pub ctx_stores: Vec<Option<CtxLoad>>,
}

impl Followed {
    /// `prog->tstamp_type_access`: then `tstamp` is shown and written as it is.
    pub fn reads_tstamp_type(&self) -> bool {
        let is = |load: &CtxLoad| load.name == "tstamp_type";
        self.ctx_loads.iter().flatten().any(is)
    }
}

impl Program {
    /// What the program does with metadata and packet; an error if Linux would refuse a context
    /// access, in the verifier's words.
    pub fn facts(&self) -> Result<Facts, LoadError> {
        Ok(follow(self)?.facts)
    }

    pub(super) fn refused(&self, insn: usize, why: impl Into<String>) -> LoadError {
        LoadError::Refused {
            file: self.file.clone(),
            program: self.name.clone(),
            insn,
            why: why.into(),
        }
    }
}

/// Walks the program.
pub(super) fn follow(program: &Program) -> Result<Followed, LoadError> {
    check_cfg(program)?;
    let count = program.insns.len();
    let mut states: Vec<Option<Box<State>>> = vec![None; count];
    let mut out = Followed {
        facts: Facts::default(),
        ctx_loads: vec![None; count],
        ctx_stores: vec![None; count],
    };
    let mut work = Vec::new();
    let start = State::entry([Value::at(CTX, 0), NOTHING, NOTHING, NOTHING, NOTHING]);
    enter(&mut states, &mut work, 0, &start);
    while let Some(at) = work.pop() {
        let (Some(insn), Some(state)) = (
            program.insns.get(at),
            states.get(at).and_then(Option::as_deref),
        ) else {
            return Err(program.refused(at, "fell off the end of the program"));
        };
        let mut next = state.clone();
        step(program, at, insn, &mut next, &mut out)?;
        match insn {
            Insn::Exit => continue,
            Insn::Jump { target, .. } => {
                enter(&mut states, &mut work, *target, &next);
                continue;
            }
            Insn::Branch { target, .. } => {
                let mut taken = next.clone();
                learn(insn, &mut taken, &mut next);
                enter(&mut states, &mut work, *target, &taken);
            }
            Insn::Call(Callee::Helper(id)) => {
                if let Some((target, callee)) = callback(*id, state, &next) {
                    enter(&mut states, &mut work, target, &callee);
                }
            }
            Insn::Call(Callee::Local(target)) => {
                let args = state.regs[1..6].try_into().unwrap_or([NOTHING; 5]);
                let callee = State::entry(args.map(outer_stack)).with_ranges_of(&next);
                enter(&mut states, &mut work, *target, &callee);
            }
            _ => {}
        }
        enter(&mut states, &mut work, at + 1, &next);
    }
    check_states(program, &states)?;
    Ok(out)
}

/// The function that a helper calls back, and what it is called with (`set_loop_callback_state()`,
/// `set_map_elem_callback_state()`, kernel/bpf/verifier.c).
fn callback(id: u32, before: &State, after: &State) -> Option<(usize, State)> {
    let ctx = outer_stack(before.regs[3]);
    let args = match id {
        helpers::LOOP => [Value::of(SCALAR), ctx, NOTHING, NOTHING, NOTHING],
        helpers::FOR_EACH_MAP_ELEM => {
            let other = Value::of(OTHER);
            [other, other, other, ctx, NOTHING]
        }
        _ => return None,
    };
    let function = before.regs[2];
    let target = function.off.filter(|_| function.kinds == FUNCTION)?;
    let callee = State::entry(args).with_ranges_of(after);
    Some((usize::try_from(target).ok()?, callee))
}

/// A pointer to the caller's stack has no known place in the callee's.
fn outer_stack(value: Value) -> Value {
    if value.kinds & STACK != 0 {
        Value::of(value.kinds)
    } else {
        value
    }
}

fn enter(states: &mut [Option<Box<State>>], work: &mut Vec<usize>, at: usize, new: &State) {
    let changed = match states.get_mut(at) {
        Some(Some(state)) => state.join(new),
        Some(empty) => {
            *empty = Some(Box::new(new.clone()));
            true
        }
        None => true,
    };
    if changed {
        work.push(at);
    }
}

fn step(
    program: &Program,
    at: usize,
    insn: &Insn,
    state: &mut State,
    out: &mut Followed,
) -> Result<(), LoadError> {
    let value = |state: &State, reg: Reg| state.regs[reg.number()];
    match insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => {
            check_alu(*width, *op, *src).map_err(|why| program.refused(at, why))?;
            let other = match src {
                Operand::Reg(src) => value(state, *src),
                Operand::Imm(_) => Value::of(SCALAR),
            };
            let imm = if let Operand::Imm(imm) = src {
                Some(i64::from(*imm))
            } else {
                None
            };
            state.regs[dst.number()] = alu(*width, *op, value(state, *dst), other, imm);
        }
        Insn::LoadImm { dst, value } => {
            state.regs[dst.number()] = match value {
                Wide::Number(_) => Value::of(SCALAR),
                Wide::Map(_) | Wide::MapValue { .. } => Value::of(OTHER),
                Wide::Func(target) => Value::at(FUNCTION, *target as i64),
            };
        }
        Insn::Load {
            size,
            signed,
            dst,
            base,
            off,
        } => {
            let base = value(state, *base).moved(Some(i64::from(*off)));
            state.regs[dst.number()] = if base.kinds & CTX != 0 {
                let load = load_ctx(program, at, base, *size, *signed, *off)?;
                out.ctx_loads[at] = Some(load);
                match load.member {
                    Member::Pointer(PacketPointer::Data) => Value::at(PACKET, 0),
                    Member::Pointer(PacketPointer::DataEnd) => Value::of(END),
                    Member::Pointer(PacketPointer::DataMeta) => {
                        out.facts.loads_data_meta = true;
                        Value::at(META, 0)
                    }
                    _ => Value::of(SCALAR),
                }
            } else if base.kinds == STACK && *size == Size::Dw && base.off.is_some() {
                // a helper may have written it
                let written = |slot: usize| Some(state.stack[slot]).filter(|v| v.kinds != 0);
                let value = State::slot(base.off).and_then(written);
                value.unwrap_or(Value::of(SCALAR))
            } else {
                Value::of(SCALAR)
            };
        }
        Insn::Store {
            size,
            base,
            off,
            src,
        } => {
            let base = value(state, *base).moved(Some(i64::from(*off)));
            let src = match src {
                Operand::Reg(src) => value(state, *src),
                Operand::Imm(_) => Value::of(SCALAR),
            };
            store(program, at, state, out, base, size.bytes())?;
            if base.kinds == STACK
                && *size == Size::Dw
                && let Some(slot) = State::slot(base.off)
            {
                state.stack[slot] = src;
            }
        }
        Insn::Atomic {
            size,
            op: _,
            base,
            off,
            src,
        } => {
            let place = value(state, *base).moved(Some(i64::from(*off)));
            check_ordered(program, at, place, *base, "stores into")?;
            store(program, at, state, out, place, size.bytes())?;
            // Fetching forms write the source register or r0: a number, or what it held.
            for reg in [*src, Reg::R0] {
                let old = value(state, reg);
                state.regs[reg.number()] = old.join(Value::of(SCALAR));
            }
        }
        Insn::LoadAcquire {
            size: _,
            dst,
            base,
            off,
        } => {
            let place = value(state, *base).moved(Some(i64::from(*off)));
            check_ordered(program, at, place, *base, "loads from")?;
            state.regs[dst.number()] = Value::of(SCALAR);
        }
        Insn::StoreRelease {
            size, base, off, ..
        } => {
            let place = value(state, *base).moved(Some(i64::from(*off)));
            check_ordered(program, at, place, *base, "stores into")?;
            store(program, at, state, out, place, size.bytes())?;
        }
        Insn::PacketLoad { .. } => {
            packet_load(program, at, value(state, Reg::R6))?;
            state.regs[0] = Value::of(SCALAR);
            state.regs[1..6].fill(NOTHING);
        }
        Insn::Call(Callee::Register(_)) => return Err(program.refused(at, "unknown opcode 8d")),
        Insn::Call(callee) => call(state, out, callee),
        Insn::Branch { .. } | Insn::Jump { .. } | Insn::Exit => {}
    }
    Ok(())
}

fn alu(width: Width, op: AluOp, dst: Value, src: Value, imm: Option<i64>) -> Value {
    match (width, op) {
        (Width::W64, AluOp::Mov) => src,
        (Width::W64, AluOp::Add) => match (dst.kinds & POINTERS, src.kinds & POINTERS) {
            (0, 0) => Value::of(SCALAR),
            // A number plus a pointer is the pointer, at an unknown place.
            (0, _) => src.moved(None),
            (_, 0) => dst.moved(imm),
            _ => Value::of((dst.kinds | src.kinds) & !CTX),
        },
        (Width::W64, AluOp::Sub) if dst.kinds & POINTERS != 0 => {
            if src.kinds & POINTERS == 0 {
                dst.moved(imm.and_then(i64::checked_neg))
            } else {
                Value::of(SCALAR)
            }
        }
        _ => Value::of(SCALAR),
    }
}

fn load_ctx(
    program: &Program,
    at: usize,
    base: Value,
    size: Size,
    signed: bool,
    off: i16,
) -> Result<CtxLoad, LoadError> {
    let place = ctx_place(program, at, base, off)?;
    layout::ctx_load(&program.prog_type, place, size.bytes(), signed).ok_or_else(|| {
        program.refused(
            at,
            format!(
                "invalid bpf_context access off={place} size={}",
                size.bytes()
            ),
        )
    })
}

/// Offset of a context access; the pointer must be the context and nothing else, unmodified.
fn ctx_place(program: &Program, at: usize, base: Value, off: i16) -> Result<i64, LoadError> {
    if base.kinds != CTX {
        return Err(program.refused(at, "same insn cannot be used with different pointers"));
    }
    match base.off {
        Some(place) if place == i64::from(off) => Ok(place),
        Some(place) => {
            let by = place - i64::from(off);
            let why = format!("dereference of modified ctx ptr off={by} disallowed");
            Err(program.refused(at, why))
        }
        None => Err(program.refused(at, "variable ctx access is disallowed")),
    }
}

fn store(
    program: &Program,
    at: usize,
    state: &mut State,
    out: &mut Followed,
    base: Value,
    size: u32,
) -> Result<(), LoadError> {
    if base.kinds & CTX != 0 {
        if base.kinds != CTX {
            return Err(program.refused(at, "same insn cannot be used with different pointers"));
        }
        let off = base.off.unwrap_or(-1);
        out.ctx_stores[at] = layout::ctx_store(&program.prog_type, off, size);
        let plain = matches!(program.insns.get(at), Some(Insn::Store { .. }));
        if out.ctx_stores[at].is_none() || !plain {
            let why = format!("invalid bpf_context access off={off} size={size}");
            return Err(program.refused(at, why));
        }
        return Ok(());
    }
    out.facts.writes_packet |= base.kinds & (PACKET | META) != 0;
    if base.kinds & STACK != 0 {
        state.forget(
            if base.kinds == STACK { base.off } else { None },
            i64::from(size),
        );
    }
    Ok(())
}

fn call(state: &mut State, out: &mut Followed, callee: &Callee) {
    // A helper may write where its arguments point; a spilled pointer is not among that.
    let result = match callee {
        Callee::Kfunc(name) if name == "bpf_dynptr_slice_rdwr" => {
            out.facts.writes_packet = true;
            OTHER | SCALAR
        }
        Callee::Kfunc(name) if name == "bpf_dynptr_slice" => OTHER | SCALAR,
        Callee::Helper(id) if helpers::returns_pointer(*id) => OTHER | SCALAR,
        // Such helpers may move the packet: pointers into it are numbers from now on
        // (`clear_all_pkt_pointers()`).
        Callee::Helper(id) if helpers::changes_packet(*id) => {
            state.forget_ranges();
            for value in state.regs.iter_mut().chain(&mut state.stack) {
                if value.kinds & (PACKET | META | END) != 0 {
                    value.kinds = value.kinds & !(PACKET | META | END) | SCALAR;
                }
            }
            SCALAR
        }
        _ => SCALAR,
    };
    state.regs[0] = Value::of(result);
    state.regs[1..6].fill(NOTHING);
}
