//! The machine: one instruction after another, arithmetic and branches in `rbpf`, the rest here.

use std::sync::Arc;

use super::callbacks::{self, Each};
use super::chunk_run::Running;
use super::fault::Fault;
use super::fixup::{Prepared, Step};
use super::helpers;
use super::host::{Budget, CtxField};
use super::insn::{AtomicOp, Callee, Insn, Operand, Reg, Size};
use super::layout::KernelValue;
use super::memory::{
    CTX_ADDRESS, MAX_FRAMES, Memory, NF_IN_ADDRESS, NF_OUT_ADDRESS, NF_STATE_ADDRESS,
};
use super::piece::Pieces;
use super::registers::Registers;
use super::run::{Carried, back_from};

/// How a program ended.
pub(super) enum Ended {
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
    pub pieces: Pieces<'p>,
    /// At full speed only.
    pub chunks: Option<Running<'p>>,
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
    pub fn run(&mut self, mut at: usize, budget: Budget) -> Result<Ended, Fault> {
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
                let at = self.registers.get(base);
                // PROBE_MEM: what is not there reads as 0
                let absent = at == 0 && (of == NF_IN_ADDRESS || of == NF_OUT_ADDRESS);
                if absent {
                    self.registers.set(dst, 0);
                    return Ok(Next::Following);
                }
                if at != of {
                    return Err(self.wrong("load of a kernel structure through another pointer"));
                }
                let value = match value {
                    KernelValue::Pointer(address) => address,
                    KernelValue::Field(field) => self.kernel_field(field),
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

    /// A field of the structure behind the context; pointers of a netfilter program's are the machine's own.
    fn kernel_field(&mut self, field: CtxField) -> u64 {
        let there = |address, there: u64| if there == 0 { 0 } else { address };
        match field {
            CtxField::NfState => NF_STATE_ADDRESS,
            CtxField::NfSkb => CTX_ADDRESS,
            CtxField::NfIn => there(NF_IN_ADDRESS, self.memory.host.ctx_load(field)),
            CtxField::NfOut => there(NF_OUT_ADDRESS, self.memory.host.ctx_load(field)),
            field => self.memory.host.ctx_load(field),
        }
    }

    fn address(&self, base: Reg, off: i16) -> u64 {
        self.registers.get(base).wrapping_add_signed(i64::from(off))
    }

    fn load(&mut self, address: u64, size: Size) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        self.memory
            .load(address, &mut bytes[..size.bytes() as usize])?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn store(&mut self, address: u64, size: Size, value: u64) -> Result<(), Fault> {
        self.memory
            .store(address, &value.to_le_bytes()[..size.bytes() as usize])
    }

    fn core(&mut self, insn: &Insn) -> Result<Next, Fault> {
        match *insn {
            Insn::Load {
                size,
                signed,
                dst,
                base,
                off,
            } => {
                let address = self.address(base, off);
                let mut value = self.load(address, size)?;
                if signed {
                    let unused = 64 - size.bytes() * 8;
                    value = ((value << unused) as i64 >> unused) as u64;
                }
                self.registers.set(dst, value);
            }
            Insn::Store {
                size,
                base,
                off,
                src,
            } => {
                let value = match src {
                    Operand::Reg(src) => self.registers.get(src),
                    Operand::Imm(imm) => i64::from(imm) as u64,
                };
                let address = self.address(base, off);
                self.store(address, size, value)?;
            }
            Insn::Atomic {
                size,
                op,
                base,
                off,
                src,
            } => self.atomic(size, op, base, off, src)?,
            Insn::LoadAcquire {
                size,
                dst,
                base,
                off,
            } => {
                let address = self.aligned(base, off, size)?;
                let value = self.load(address, size)?;
                self.registers.set(dst, value);
            }
            Insn::StoreRelease {
                size,
                base,
                off,
                src,
            } => {
                let address = self.aligned(base, off, size)?;
                self.store(address, size, self.registers.get(src))?;
            }
            Insn::PacketLoad { size, index, off } => return self.packet_load(size, index, off),
            Insn::MayGoto { target } => {
                if !self.memory.stack.may_go_round(self.memory.depth) {
                    return Ok(Next::At(target));
                }
            }
            Insn::Call(ref callee) => return self.call(callee),
            Insn::Exit => {
                let each = self.frames.last_mut().and_then(|frame| frame.each.take());
                let back = back_from(&mut self.frames, self.registers, self.memory);
                return match (back, each) {
                    (None, _) => Ok(Next::End),
                    (Some(back), Some(each)) => self.call_back(each, back),
                    (Some(back), None) => Ok(Next::At(back)),
                };
            }
            Insn::Alu { .. } | Insn::LoadImm { .. } | Insn::Jump { .. } | Insn::Branch { .. } => {
                return Err(self.wrong("an instruction of rbpf came to the core"));
            }
        }
        Ok(Next::Following)
    }

    /// Address of an atomic access.
    fn aligned(&self, base: Reg, off: i16, size: Size) -> Result<u64, Fault> {
        let address = self.address(base, off);
        if address.is_multiple_of(u64::from(size.bytes())) {
            Ok(address)
        } else {
            Err(self.wrong("misaligned atomic access"))
        }
    }

    /// What `bpf_gen_ld_abs()` (net/core/filter.c) makes of a legacy packet access: a call of
    /// `bpf_skb_load_helper_*()`, which leaves r1 to r5 as a call does, and an exit when it fails.
    fn packet_load(&mut self, size: Size, index: Option<Reg>, off: i32) -> Result<Next, Fault> {
        let index = index.map_or(0, |reg| self.registers.get(reg) as i32);
        let offset = index.wrapping_add(off);
        let Ok(offset) = u32::try_from(offset) else {
            return Err(self.wrong(
                "legacy packet access at a negative offset is not covered by the simulator",
            ));
        };
        let mut bytes = [0; 8];
        let wanted = &mut bytes[8 - size.bytes() as usize..];
        let found = self.memory.host.load_bytes(offset, wanted) >= 0;
        let value = if found { u64::from_be_bytes(bytes) } else { 0 };
        self.registers.set(Reg::R0, value);
        Ok(if found { Next::Following } else { Next::End })
    }

    fn atomic(
        &mut self,
        size: Size,
        op: AtomicOp,
        base: Reg,
        off: i16,
        src: Reg,
    ) -> Result<(), Fault> {
        let address = self.aligned(base, off, size)?;
        let old = self.load(address, size)?;
        let arg = self.registers.get(src);
        let new = match op {
            AtomicOp::Add { .. } => old.wrapping_add(arg),
            AtomicOp::Or { .. } => old | arg,
            AtomicOp::And { .. } => old & arg,
            AtomicOp::Xor { .. } => old ^ arg,
            AtomicOp::Xchg => arg,
            AtomicOp::Cmpxchg if truncate(self.registers.get(Reg::R0), size) == old => arg,
            AtomicOp::Cmpxchg => old,
        };
        self.store(address, size, new)?;
        if let Some(reg) = op.old_into(src) {
            self.registers.set(reg, old);
        }
        Ok(())
    }

    /// Goes to a function of the program, with a stack frame of its own.
    pub fn enter(&mut self, target: usize, back: usize, each: Option<Each>) -> Result<Next, Fault> {
        if self.frames.len() + 1 >= MAX_FRAMES || !self.memory.has_frame() {
            let what = format!("the call stack of {MAX_FRAMES} frames is exceeded");
            return Err(self.wrong(what));
        }
        let mut saved = [0; 4];
        for (place, reg) in saved.iter_mut().zip(saved_registers()) {
            *place = self.registers.get(reg);
        }
        self.frames.push(Frame { back, saved, each });
        self.memory.depth += 1;
        self.memory.stack.forget(self.memory.depth);
        self.registers.set(Reg::FP, self.memory.frame_pointer());
        Ok(Next::At(target))
    }

    fn call(&mut self, callee: &Callee) -> Result<Next, Fault> {
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

fn truncate(value: u64, size: Size) -> u64 {
    match size {
        Size::B => value & 0xff,
        Size::H => value & 0xffff,
        Size::W => value & 0xffff_ffff,
        Size::Dw => value,
    }
}
