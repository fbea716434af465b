//! Instructions that the core carries out itself: loads, stores, atomics, legacy packet loads, calls and exit.

use super::host::Fault;
use super::insn::{AtomicOp, Insn, Operand, Reg, Size};
use super::machine::{Machine, Next, saved_registers};
use super::memory::{FRAME, STACK_TOP};

impl Machine<'_, '_> {
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

    pub(super) fn core(&mut self, insn: &Insn) -> Result<Next, Fault> {
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
            Insn::Call(ref callee) => return self.call(callee),
            Insn::Exit => {
                let Some(frame) = self.frames.pop() else {
                    return Ok(Next::End);
                };
                for (reg, value) in saved_registers().zip(frame.saved) {
                    self.registers.set(reg, value);
                }
                self.memory.depth -= 1;
                self.registers
                    .set(Reg::FP, STACK_TOP - FRAME * self.memory.depth as u64);
                if let Some(each) = frame.each {
                    return self.call_back(each, frame.back);
                }
                return Ok(Next::At(frame.back));
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
        let (new, old_into) = match op {
            AtomicOp::Add { fetch } => (old.wrapping_add(arg), fetch.then_some(src)),
            AtomicOp::Or { fetch } => (old | arg, fetch.then_some(src)),
            AtomicOp::And { fetch } => (old & arg, fetch.then_some(src)),
            AtomicOp::Xor { fetch } => (old ^ arg, fetch.then_some(src)),
            AtomicOp::Xchg => (arg, Some(src)),
            AtomicOp::Cmpxchg => {
                let same = truncate(self.registers.get(Reg::R0), size) == old;
                (if same { arg } else { old }, Some(Reg::R0))
            }
        };
        self.store(address, size, new)?;
        if let Some(reg) = old_into {
            self.registers.set(reg, old);
        }
        Ok(())
    }
}

/// The bits of an access of that size.
pub(super) fn truncate(value: u64, size: Size) -> u64 {
    match size {
        Size::B => value & 0xff,
        Size::H => value & 0xffff,
        Size::W => value & 0xffff_ffff,
        Size::Dw => value,
    }
}
