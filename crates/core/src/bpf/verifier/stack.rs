//! The stack: what was written where, and what a read finds
//! (`check_stack_write_fixed_off()`, `check_stack_read_fixed_off()` and neighbours, kernel/bpf/verifier.c).

use super::access::{Access, Place};
use super::precise::Node;
use super::refusal::{Checked, Refusal, bits};
use super::reg::{Kind, Reg};
use super::state::{Byte, slot_of};
use super::walk::Walk;

/// `MAX_BPF_STACK`.
pub(super) const MAX_STACK: i64 = 512;

impl Walk<'_> {
    pub(super) fn check_stack(&mut self, place: Place, access: Access) -> Checked {
        let Place {
            reg,
            base,
            off,
            size,
        } = place;
        let writes = matches!(
            access,
            Access::Write(_) | Access::WriteImm(_) | Access::WriteAny
        );
        self.check_stack_bounds(&base, reg, off, i64::from(size), writes)?;
        let frame = base.aux as usize;
        match (base.off(), writes) {
            (Some(at), true) => self.write_fixed(frame, at + off, size, access),
            (Some(at), false) => self.read_fixed(frame, at + off, size, access),
            (None, true) => self.write_variable(frame, &base, off, size, access),
            (None, false) => self.read_variable(frame, &base, reg, off, size, access),
        }
    }

    /// `check_stack_access_within_bounds()`.
    pub(super) fn check_stack_bounds(
        &mut self,
        base: &Reg,
        reg: usize,
        off: i64,
        size: i64,
        writes: bool,
    ) -> Checked {
        let access = if writes { " write to" } else { " read from" };
        let (min, max) = match base.off() {
            Some(at) => (at.wrapping_add(off), at.wrapping_add(off)),
            None => {
                let limit = super::alu::MAX_VAR_OFF;
                let (smin, smax) = (base.var.smin(), base.var.smax());
                if smax >= limit || smin <= -limit {
                    return Err(Refusal::StackUnbounded(access, reg));
                }
                (smin + off, smax + off)
            }
        };
        let inside =
            (-MAX_STACK..0).contains(&min) && max.checked_add(size).is_some_and(|end| end <= 0);
        if !inside {
            return Err(match base.off() {
                Some(_) => Refusal::Stack {
                    access,
                    reg,
                    off: min,
                    size,
                },
                None => Refusal::StackVar {
                    access,
                    reg,
                    var: bits(base.var.bits),
                    off,
                    size,
                },
            });
        }
        if let Some(frame) = self.state.frames.get_mut(base.aux as usize) {
            frame.grow(min);
            let bytes = frame.stack.len() as u32 * 8;
            let function = self.cfg.function(frame.entry);
            if let Some(depth) = self.depths.get_mut(function) {
                *depth = bytes.max(*depth);
            }
        }
        Ok(())
    }

    fn write_fixed(&mut self, frame: usize, off: i64, size: u32, access: Access) -> Checked {
        let (at, byte) = slot_of(off);
        self.destroy_dynptr(frame, at)?;
        let value = match access {
            Access::Write(src) => {
                let mut value = *self.state.reg(src);
                let fits = value.var.width() <= size * 8;
                if value.is_scalar() && off % 8 == 0 {
                    if fits {
                        self.link(src);
                        value = *self.state.reg(src);
                    } else {
                        value.clear_id();
                    }
                }
                Some(value)
            }
            Access::WriteImm(imm) => {
                let mut value = Reg::number(i64::from(imm) as u64);
                value.node = self.nodes.make([Node::NONE; 2]);
                Some(value)
            }
            _ => None,
        };
        let own = self.state.top();
        let Some(slot) = self
            .state
            .frames
            .get_mut(frame)
            .and_then(|f| f.stack.get_mut(at))
        else {
            return Ok(());
        };
        match value {
            Some(value) if !value.is_scalar() && value.kind != Kind::NotInit => {
                if size != 8 {
                    return Err(Refusal::SpillSize);
                }
                if frame != own && value.kind == Kind::Stack {
                    return Err(Refusal::SpillToCaller);
                }
                slot.reg = value;
                slot.bytes = [Byte::Spill; 8];
            }
            Some(value) if off % 8 == 0 => {
                slot.reg = value;
                for (i, byte) in slot.bytes.iter_mut().enumerate() {
                    if i + size as usize >= 8 {
                        *byte = Byte::Spill;
                    } else if !matches!(byte, Byte::Zero | Byte::Invalid) {
                        *byte = Byte::Misc;
                    }
                }
            }
            value => {
                slot.scrub();
                let zero = value.filter(Reg::is_null);
                let new = if zero.is_some() {
                    Byte::Zero
                } else {
                    Byte::Misc
                };
                for i in 0..size as usize {
                    if let Some(byte) = byte.checked_sub(i).and_then(|b| slot.bytes.get_mut(b)) {
                        *byte = new;
                    }
                }
                if let Some(zero) = zero {
                    self.nodes.ask(zero.node);
                }
            }
        }
        Ok(())
    }

    fn write_variable(
        &mut self,
        frame: usize,
        base: &Reg,
        off: i64,
        size: u32,
        access: Access,
    ) -> Checked {
        let (min, max) = (
            base.var.smin() + off,
            base.var.smax() + off + i64::from(size),
        );
        let zero = match access {
            Access::Write(src) => Some(*self.state.reg(src)).filter(Reg::is_null),
            Access::WriteImm(0) => Some(Reg::number(0)),
            _ => None,
        };
        for at in min..max {
            self.destroy_dynptr(frame, slot_of(at).0)?;
        }
        let mut used = false;
        for at in min..max {
            let (at, byte) = slot_of(at);
            let Some(slot) = self
                .state
                .frames
                .get_mut(frame)
                .and_then(|f| f.stack.get_mut(at))
            else {
                continue;
            };
            if zero.is_some() && slot.bytes[byte] == Byte::Spill && slot.reg.is_null() {
                used = true;
                continue;
            }
            slot.scrub();
            let stays_zero = zero.is_some() && slot.bytes[byte] == Byte::Zero;
            used |= stays_zero;
            if !stays_zero {
                slot.bytes[byte] = Byte::Misc;
            }
        }
        if let Some(zero) = zero.filter(|_| used) {
            self.nodes.ask(zero.node);
        }
        Ok(())
    }

    fn read_fixed(&mut self, frame: usize, off: i64, size: u32, access: Access) -> Checked {
        let (at, byte) = slot_of(off);
        let Some(slot) = self
            .state
            .frames
            .get(frame)
            .and_then(|f| f.stack.get(at))
            .copied()
        else {
            self.loaded(access, size);
            return Ok(());
        };
        let bytes = || (0..size as usize).map(|i| slot.bytes[byte.saturating_sub(i)]);
        let dst = match access {
            Access::Read { dst, .. } => Some(dst),
            _ => None,
        };
        if !slot.is_spill() {
            self.check_bytes(bytes(), off, size)?;
            if bytes().all(|b| b == Byte::Zero) {
                if let Some(dst) = dst {
                    self.put(dst, Reg::number(0), [Node::NONE; 2]);
                }
            } else {
                self.loaded(access, size);
            }
            return Ok(());
        }
        let spilled = slot
            .bytes
            .iter()
            .rev()
            .take_while(|b| **b == Byte::Spill)
            .count() as u32;
        if size == 8 && spilled == 8 {
            if let Some(dst) = dst {
                let mut value = slot.reg;
                self.link_value(&mut value);
                self.state.frames[frame].stack[at].reg = value;
                self.state.set(dst, value);
            }
            return Ok(());
        }
        if !slot.reg.is_scalar() {
            return Err(Refusal::FillSize);
        }
        let Some(dst) = dst else {
            return Ok(());
        };
        // the lower part of the number
        if size <= spilled && off % 8 == 0 {
            let mut value = slot.reg;
            if size == 4 && spilled == 4 && value.var.width() <= 32 {
                self.link_value(&mut value);
                self.state.frames[frame].stack[at].reg = value;
            }
            let signed = matches!(access, Access::Read { signed: true, .. });
            let keeps = if signed {
                value.var.umax() < 1 << (size * 8 - 1)
            } else {
                value.var.width() <= size * 8
            };
            if !keeps {
                value.clear_id();
            }
            if signed {
                value.var.sign_extend(size);
            } else {
                value.var.truncate(size);
            }
            self.state.set(dst, value);
            return Ok(());
        }
        self.check_bytes(bytes(), off, size)?;
        let spill_zero = bytes().all(|b| b == Byte::Spill) && slot.reg.is_null();
        if spill_zero {
            self.put(dst, Reg::number(0), [slot.reg.node, Node::NONE]);
        } else if bytes().all(|b| b == Byte::Zero) {
            self.put(dst, Reg::number(0), [Node::NONE; 2]);
        } else {
            self.loaded(access, size);
        }
        Ok(())
    }

    /// Dynptrs and iterators cannot be read.
    fn check_bytes(&self, bytes: impl Iterator<Item = Byte>, off: i64, size: u32) -> Checked {
        for (i, byte) in bytes.enumerate() {
            if matches!(byte, Byte::Dynptr | Byte::Iter) {
                return Err(Refusal::StackRead(off, i as i64, i64::from(size)));
            }
        }
        Ok(())
    }

    fn read_variable(
        &mut self,
        frame: usize,
        base: &Reg,
        reg: usize,
        off: i64,
        size: u32,
        access: Access,
    ) -> Checked {
        self.check_stack_range(base, reg, off, i64::from(size), false, false)?;
        let (min, max) = (
            base.var.smin() + off,
            base.var.smax() + off + i64::from(size),
        );
        let zero = (min..max).all(|at| {
            let (at, byte) = slot_of(at);
            let slot = self.state.frames.get(frame).and_then(|f| f.stack.get(at));
            slot.is_some_and(|slot| slot.bytes[byte] == Byte::Zero)
        });
        match access {
            Access::Read { dst, .. } if zero => {
                self.put(dst, Reg::number(0), [Node::NONE; 2]);
            }
            _ => self.loaded(access, size),
        }
        Ok(())
    }

    /// Bytes that a helper reads or writes (`check_stack_range_initialized()`); a privileged program may hand
    /// over bytes that were never written.
    pub(super) fn check_stack_range(
        &mut self,
        base: &Reg,
        reg: usize,
        off: i64,
        size: i64,
        zero: bool,
        writes: bool,
    ) -> Checked {
        if size == 0 && !zero {
            return Err(Refusal::ZeroRead);
        }
        self.check_stack_bounds(base, reg, off, size, writes)?;
        let fixed = base.off();
        let min = fixed.unwrap_or(base.var.smin()) + off;
        let max = fixed.unwrap_or(base.var.smax()) + off + size;
        for place in min..max {
            let (at, byte) = slot_of(place);
            let Some(slot) = self
                .state
                .frames
                .get_mut(base.aux as usize)
                .and_then(|f| f.stack.get_mut(at))
            else {
                continue;
            };
            match slot.bytes[byte] {
                Byte::Misc => {}
                Byte::Zero | Byte::Invalid => {
                    if writes {
                        slot.bytes[byte] = Byte::Misc;
                    }
                }
                _ if slot.is_spill() => {
                    if writes {
                        slot.scrub();
                    }
                }
                _ => {
                    let (start, size) = (min, size);
                    return Err(Refusal::StackReadBy(reg, start, place - start, size));
                }
            }
        }
        Ok(())
    }
}
