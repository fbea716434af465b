//! The walk over all ways through a program (`do_check()`, kernel/bpf/verifier.c).

use crate::bpf::facts::Followed;
use crate::bpf::insn::{Callee, Insn, Wide};
use crate::bpf::program::{MapDef, Program};

use super::Warning;
use super::cfg::Cfg;
use super::precise::{Node, Nodes};
use super::prune::Saved;
use super::refusal::{Checked, Refusal};
use super::reg::{INNER, Kind, Reg};
use super::scalar::Scalar;
use super::state::State;

/// `BPF_COMPLEXITY_LIMIT_JMP_SEQ`, kernel/bpf/verifier.c.
const LIMIT_JUMPS: usize = 8192;

/// Bytes that a walk may remember: states, and what numbers were made of. Linux has no such limit.
const MEMORY: usize = 512 << 20;

/// Where the way goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Fall,
    To(usize),
    End,
}

pub(super) struct Walk<'p> {
    pub program: &'p Program,
    /// Bit of the program type.
    pub class: u16,
    pub rules: super::Rules,
    pub cfg: Cfg,
    /// Instructions that it may look at.
    limit: u32,
    /// Bytes of the states that are remembered or put aside.
    pub held: usize,
    pub state: State,
    /// Ways that were not walked yet, and where they begin.
    pub pending: Vec<(State, usize)>,
    pub saved: Vec<Saved>,
    /// For each instruction, the states remembered there; the latest last.
    pub explored: Vec<Vec<usize>>,
    pub nodes: Nodes,
    ids: u32,
    /// The instruction being looked at.
    pub insn: usize,
    pub processed: u32,
    pub jumps: u32,
    /// Both counters when a state was last remembered.
    pub at_saved: (u32, u32),
    /// States that loops were cut off at (`num_backedges`).
    pub loops: Vec<usize>,
    /// Type of pointer that an instruction used, to refuse another.
    pub pointer_types: Vec<Option<(Kind, u8)>>,
    pub out: Followed,
    pub warnings: Vec<Warning>,
    /// Bytes of stack that each function uses.
    pub depths: Vec<u32>,
    /// Functions that timers call.
    pub timers: Vec<usize>,
}

impl<'p> Walk<'p> {
    pub fn new(program: &'p Program, class: u16, cfg: Cfg, limit: u32) -> Walk<'p> {
        let count = program.insns.len();
        let depths = vec![0; cfg.starts.len()];
        let mut state = State::new();
        state.set(1, Reg::pointer(Kind::Ctx, 0));
        Walk {
            program,
            class,
            rules: super::Rules::default(),
            cfg,
            limit,
            held: 0,
            state,
            pending: Vec::new(),
            saved: Vec::new(),
            explored: vec![Vec::new(); count],
            nodes: Nodes::new(),
            ids: 0,
            insn: 0,
            processed: 0,
            jumps: 0,
            at_saved: (0, 0),
            loops: Vec::new(),
            pointer_types: vec![None; count],
            out: Followed::new(count),
            warnings: Vec::new(),
            depths,
            timers: Vec::new(),
        }
    }

    /// Walks all ways.
    pub fn run(&mut self) -> Checked {
        loop {
            self.processed += 1;
            if self.processed > self.limit {
                return Err(Refusal::TooLarge(self.processed));
            }
            self.state.insn = self.insn;
            let info = self.cfg.info.get(self.insn).copied().unwrap_or_default();
            let next = if info.prune_point && self.is_visited()? {
                Next::End
            } else {
                self.step()?
            };
            match next {
                Next::Fall => self.insn += 1,
                Next::To(target) => self.insn = target,
                Next::End => {
                    self.close();
                    let Some((state, insn)) = self.pending.pop() else {
                        return Ok(());
                    };
                    self.held = self.held.saturating_sub(state.bytes());
                    self.state = state;
                    self.insn = insn;
                }
            }
        }
    }

    /// Puts a way aside that begins at `insn` with the state as it is (`push_stack()`).
    pub fn push(&mut self, insn: usize) -> Checked {
        let state = self.state.clone();
        self.push_state(state, insn)
    }

    pub fn push_state(&mut self, state: State, insn: usize) -> Checked {
        if let Some(parent) = state.parent.and_then(|p| self.saved.get_mut(p)) {
            parent.branches += 1;
        }
        self.hold(state.bytes())?;
        self.pending.push((state, insn));
        if self.pending.len() > LIMIT_JUMPS {
            return Err(Refusal::TooComplex(self.pending.len()));
        }
        Ok(())
    }

    /// A state of so many bytes is kept.
    pub fn hold(&mut self, bytes: usize) -> Checked {
        self.held += bytes;
        if self.held + self.nodes.bytes() > MEMORY {
            return Err(Refusal::Memory(MEMORY >> 20));
        }
        Ok(())
    }

    fn step(&mut self) -> Checked<Next> {
        let program = self.program;
        let Some(insn) = program.insns.get(self.insn) else {
            // check_subprogs() makes sure that functions do not run out of their end
            return Err(Refusal::LastInsn);
        };
        if matches!(
            insn,
            Insn::Branch { .. }
                | Insn::MayGoto { .. }
                | Insn::Jump { .. }
                | Insn::Call(_)
                | Insn::Exit
        ) {
            self.jumps += 1;
        }
        match insn {
            Insn::Alu {
                width,
                op,
                dst,
                src,
            } => self.check_alu(*width, *op, *dst, *src)?,
            Insn::LoadImm { dst, value } => self.load_imm(dst.number(), *value),
            Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Atomic { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. } => self.check_memory(insn)?,
            Insn::PacketLoad { index, .. } => return self.check_packet_load(*index),
            Insn::Jump { target, .. } => return Ok(Next::To(*target)),
            Insn::Branch {
                width,
                cond,
                dst,
                src,
                target,
            } => return self.check_branch(*width, *cond, *dst, *src, *target),
            Insn::MayGoto { target } => return self.check_may_goto(*target),
            Insn::Call(callee) => return self.check_call(callee),
            Insn::Exit => return self.check_exit(),
        }
        Ok(Next::Fall)
    }

    fn check_call(&mut self, callee: &Callee) -> Checked<Next> {
        if self.state.lock.is_some()
            && !matches!(callee, Callee::Helper(94 | 194) | Callee::Local(_))
        {
            return Err(Refusal::CallInLock);
        }
        match callee {
            Callee::Local(target) => self.call_function(*target),
            Callee::Helper(id) => self.call_helper(*id),
            Callee::Kfunc(name) => self.call_kfunc(name),
            Callee::Register(_) => Err(Refusal::UnknownOpcode(0x8d)),
            Callee::MetaRealign | Callee::ProloguePullData => Ok(Next::Fall),
        }
    }

    fn load_imm(&mut self, dst: usize, value: Wide) {
        let new = match value {
            Wide::Number(value) => Reg::number(value),
            Wide::Map(map) => Reg::pointer(Kind::MapPtr, map as u32),
            Wide::MapValue { map, off } => {
                let mut value = Reg::pointer(Kind::MapValue, map as u32);
                value.var = Scalar::known(u64::from(off));
                value
            }
            Wide::Func(entry) => Reg::pointer(Kind::Func, entry as u32),
        };
        self.put(dst, new, [Node::NONE; 2]);
    }

    pub fn map(&self, index: u32) -> Option<&'p MapDef> {
        map_of(self.program, index)
    }

    pub fn new_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    /// A register that is read must hold something (`check_reg_arg()`).
    pub fn read(&self, reg: usize) -> Checked<Reg> {
        let value = *self.state.reg(reg);
        if value.kind == Kind::NotInit {
            return Err(Refusal::NotRead(reg));
        }
        Ok(value)
    }

    /// Writes a register; a number is a new one, made of others.
    pub fn put(&mut self, reg: usize, mut value: Reg, of: [Node; 2]) {
        if value.is_scalar() {
            value.node = self.nodes.make(of);
        }
        self.state.set(reg, value);
    }

    pub fn set_unknown(&mut self, reg: usize) {
        self.put(reg, Reg::UNKNOWN, [Node::NONE; 2]);
    }

    /// Linux lets only a loader with `CAP_PERFMON` do this with a pointer.
    pub fn leak(&mut self, reg: usize) {
        self.warn(Warning::PointerLeak {
            insn: self.insn,
            reg: reg as u8,
        });
    }

    pub fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// `mark_reg_invalid()` for a privileged program: pointers become numbers.
    pub fn invalidate(&mut self, which: impl Fn(&Reg) -> bool) {
        let nodes = &mut self.nodes;
        self.state.for_each(|reg| {
            if which(reg) {
                *reg = Reg::UNKNOWN;
                reg.node = nodes.make([Node::NONE; 2]);
            }
        });
    }

    /// `clear_all_pkt_pointers()`.
    pub fn packet_changed(&mut self) {
        self.invalidate(|reg| reg.is_packet_any() || reg.is_packet_slice());
    }
}

/// The map that a pointer's [`Reg::aux`] names: one of the object, or what a map of maps holds.
pub(super) fn map_of(program: &Program, index: u32) -> Option<&MapDef> {
    let def = program.maps.get((index & !INNER) as usize)?;
    match index & INNER {
        0 => Some(def),
        _ => def.details.inner.as_deref(),
    }
}
