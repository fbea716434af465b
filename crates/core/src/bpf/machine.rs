//! The machine: one instruction after another, arithmetic and branches in `rbpf`, the rest here.

use std::sync::Arc;

use super::access::truncate;
use super::callbacks::{self, Each};
use super::chunk_run::Running;
use super::dynptr::Dynptrs;
use super::fixup::{Prepared, Step};
use super::helpers;
use super::host::{Budget, Fault, Host};
use super::insn::{Callee, Operand, Reg};
use super::layout::KernelValue;
use super::maps::Maps;
use super::memory::{CTX_ADDRESS, FRAME, MAX_FRAMES, Memory, STACK_TOP};
use super::piece::Pieces;
use super::registers::{self, Registers};

/// What a run cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RunStats {
    /// Instructions carried out, prologue included.
    pub instructions: u64,
    /// Of these, instructions of the prologue.
    pub prologue: u64,
}

/// Runs a program; gives r0 at its exit. The maps keep what it stored.
///
/// The run ends with a [`Fault`] at the first access outside the program's memory, at a helper that
/// is not covered, and when the budget is used up. The host sees everything that happened before.
pub fn run(
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
) -> Result<u64, Fault> {
    run_counted(prepared, maps, host, budget).0
}

/// As [`run`], with the number of instructions carried out, also when the run ends with a fault.
pub fn run_counted(
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
) -> (Result<u64, Fault>, RunStats) {
    run_from(prepared, maps, host, budget, [CTX_ADDRESS, 0])
}

/// As [`run_counted`], with r1 and r2 at the start.
pub(super) fn run_from(
    prepared: &Prepared,
    maps: &mut Maps,
    host: &mut dyn Host,
    budget: Budget,
    [r1, r2]: [u64; 2],
) -> (Result<u64, Fault>, RunStats) {
    let file = registers::file();
    let registers = Registers::new(&file);
    let stepping = host.steps();
    let mut memory = Memory::new(host, maps);
    let mut carried = Carried {
        dynptrs: Dynptrs::default(),
        stats: RunStats::default(),
        tail_calls: 0,
    };
    // The program that a tail call went to.
    let mut tail: Option<Arc<Prepared>> = None;
    loop {
        let prepared = tail.as_deref().unwrap_or(prepared);
        registers.set(Reg::R1, r1);
        registers.set(Reg::R2, r2);
        registers.set(Reg::FP, STACK_TOP);
        let mut machine = Machine {
            prepared,
            registers,
            pieces: Pieces::new(&prepared.pieces),
            chunks: (!stepping).then(|| Running::new(prepared.chunks())),
            memory: &mut memory,
            carried: &mut carried,
            frames: Vec::new(),
        };
        match machine.run(budget) {
            Ok(Ended::Exit(r0)) => return (Ok(r0), carried.stats),
            Ok(Ended::TailCall(next)) => {
                memory.host.tail_call(&next);
                tail = Some(next);
            }
            Err(fault) => return (Err(fault), carried.stats),
        }
    }
}

/// What lives on when a tail call puts another program in place of the running one.
pub(super) struct Carried {
    pub dynptrs: Dynptrs,
    pub stats: RunStats,
    pub tail_calls: u32,
}

/// How a program ended.
enum Ended {
    Exit(u64),
    TailCall(Arc<Prepared>),
}

/// Where a call came from.
pub(super) struct Frame {
    pub back: usize,
    pub saved: [u64; 4],
    /// The helper that called the function back, if one did.
    pub each: Option<Each>,
}

pub(super) struct Machine<'p, 'm> {
    pub prepared: &'p Prepared,
    pub registers: Registers<'p>,
    pieces: Pieces<'p>,
    /// At full speed only.
    chunks: Option<Running<'p>>,
    pub memory: &'p mut Memory<'m>,
    pub carried: &'p mut Carried,
    pub frames: Vec<Frame>,
}

/// Where to go on.
pub(super) enum Next {
    Following,
    At(usize),
    End,
    TailCall(Arc<Prepared>),
}

pub(super) fn saved_registers() -> impl Iterator<Item = Reg> {
    (6..=9).filter_map(Reg::new)
}

impl Machine<'_, '_> {
    fn run(&mut self, budget: Budget) -> Result<Ended, Fault> {
        let mut at = 0;
        loop {
            self.memory.insn = at;
            if self.carried.stats.instructions >= budget.0 {
                return Err(Fault::Endless {
                    insn: at,
                    limit: budget.0,
                });
            }
            if let Some(next) = self.chunk(at, budget.0 - self.carried.stats.instructions)? {
                at = next;
                continue;
            }
            let prepared = self.prepared;
            let Some(step) = prepared.steps.get(at) else {
                return Err(self.wrong("the program ran past its end"));
            };
            let next = self.step(step)?;
            self.carried.stats.instructions += 1;
            self.carried.stats.prologue += u64::from(at < prepared.prologue_len());
            if self.chunks.is_none() {
                self.memory.host.instruction(at, &self.registers.all());
            }
            match next {
                Next::Following => at += 1,
                Next::At(target) => at = target,
                Next::End => return Ok(Ended::Exit(self.registers.get(Reg::R0))),
                Next::TailCall(next) => return Ok(Ended::TailCall(next)),
            }
        }
    }

    /// At full speed: carries out all that `rbpf` can from here on; gives where to go on, or
    /// nothing if this instruction must be carried out by itself.
    fn chunk(&mut self, at: usize, budget: u64) -> Result<Option<usize>, Fault> {
        let Some(result) = self
            .chunks
            .as_mut()
            .and_then(|chunks| chunks.run(at, budget, self.registers))
        else {
            return Ok(None);
        };
        let progress = result.map_err(|what| self.wrong(what))?;
        self.carried.stats.instructions += progress.done;
        if at < self.prepared.prologue_len() {
            self.carried.stats.prologue += progress.done;
        }
        Ok((progress.done > 0).then_some(progress.next))
    }

    pub fn wrong(&self, what: impl Into<String>) -> Fault {
        Fault::Instruction {
            insn: self.memory.insn,
            what: what.into(),
        }
    }

    fn piece(&mut self, piece: usize) -> Result<u64, Fault> {
        let insn = self.memory.insn;
        let fault = |what| Fault::Instruction { insn, what };
        self.pieces.run(piece, &self.registers).map_err(fault)
    }

    fn step(&mut self, step: &Step) -> Result<Next, Fault> {
        match *step {
            Step::Piece { dst, piece } => {
                let value = self.piece(piece)?;
                self.registers.set(dst, value);
            }
            Step::Branch { piece, target } => {
                if self.piece(piece)? != 0 {
                    return Ok(Next::At(target));
                }
            }
            Step::Jump(target) => return Ok(Next::At(target)),
            Step::Kernel {
                dst,
                base,
                size,
                value,
                of,
            } => {
                if self.registers.get(base) != of {
                    return Err(self.wrong("load of a kernel structure through another pointer"));
                }
                let value = match value {
                    KernelValue::Pointer(address) => address,
                    KernelValue::Field(field) => self.memory.host.ctx_load(field),
                };
                self.registers.set(dst, truncate(value, size));
            }
            Step::KernelStore {
                base,
                size,
                field,
                src,
            } => {
                if self.registers.get(base) != CTX_ADDRESS {
                    return Err(self.wrong("store to a kernel structure through another pointer"));
                }
                let value = match src {
                    Operand::Reg(src) => self.registers.get(src),
                    Operand::Imm(imm) => i64::from(imm) as u64,
                };
                let value = truncate(value, size);
                self.memory.host.ctx_store(field, size.bytes(), value);
            }
            Step::Core(ref insn) => return self.core(insn),
        }
        Ok(Next::Following)
    }

    /// Goes to a function of the program, with a stack frame of its own.
    pub fn enter(&mut self, target: usize, back: usize, each: Option<Each>) -> Result<Next, Fault> {
        if self.memory.depth + 1 >= MAX_FRAMES {
            return Err(self.wrong("the call stack of 8 frames is exceeded"));
        }
        let mut saved = [0; 4];
        for (place, reg) in saved.iter_mut().zip(saved_registers()) {
            *place = self.registers.get(reg);
        }
        self.frames.push(Frame { back, saved, each });
        self.memory.depth += 1;
        self.memory.stack.enter(self.memory.depth);
        self.registers
            .set(Reg::FP, STACK_TOP - FRAME * self.memory.depth as u64);
        Ok(Next::At(target))
    }

    pub(super) fn call(&mut self, callee: &Callee) -> Result<Next, Fault> {
        let arg = |n: u8| Reg::new(n).map_or(0, |reg| self.registers.get(reg));
        let args = [arg(1), arg(2), arg(3), arg(4), arg(5)];
        let prog_type = self.prepared.prog_type();
        let r0 = match callee {
            Callee::Local(target) => {
                let back = self.memory.insn + 1;
                return self.enter(*target, back, None);
            }
            Callee::Helper(id) if callbacks::is_one(*id) => {
                return self.call_with_function(*id, args);
            }
            Callee::Helper(id) => {
                helpers::call(*id, args, prog_type, self.memory, &mut self.carried.dynptrs)?
            }
            Callee::Register(reg) => {
                let id = u32::try_from(self.registers.get(*reg)).unwrap_or(u32::MAX);
                helpers::call(id, args, prog_type, self.memory, &mut self.carried.dynptrs)?
            }
            Callee::Kfunc(name) => helpers::call_kfunc(
                name,
                args,
                prog_type,
                self.memory,
                &mut self.carried.dynptrs,
            )?,
            Callee::MetaRealign => {
                self.memory.host.skb_meta_realign();
                0
            }
            Callee::ProloguePullData => self.memory.host.skb_pull_data(args[1] as u32) as u64,
        };
        self.registers.set(Reg::R0, r0);
        Ok(Next::Following)
    }
}
