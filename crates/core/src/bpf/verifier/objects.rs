//! Dynptrs and iterators on the stack, and what must be given back
//! (`process_dynptr_func()`, `process_iter_arg()`, `release_reference()`, kernel/bpf/verifier.c).

use super::access::{Access, Place};
use super::precise::Node;
use super::refusal::{Checked, Refusal};
use super::reg::{Kind, OF_PACKET, Reg};
use super::scalar::Scalar;
use super::state::{Byte, Ref, Slot, slot_of};
use super::walk::Walk;

/// `enum bpf_dynptr_type`, in [`Reg::aux`] of a dynptr's slots.
pub(super) const LOCAL: u32 = 1;
pub(super) const RINGBUF: u32 = 2;
pub(super) const SKB: u32 = 3;
pub(super) const XDP: u32 = 4;
pub(super) const SKB_META: u32 = 5;

/// `dynptr_type_str()`, kernel/bpf/log.c.
fn type_name(of: u32) -> &'static str {
    match of {
        LOCAL => "local",
        RINGBUF => "ringbuf",
        SKB => "skb",
        XDP => "xdp",
        SKB_META => "skb_meta",
        _ => "<invalid>",
    }
}

/// A dynptr that a call was given (`struct bpf_dynptr_desc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dynptr {
    pub of: u32,
    pub id: u32,
    pub parent: u32,
}

impl Dynptr {
    /// Flag of a slice of it (`get_dynptr_type_flag()`).
    pub fn slice_flag(self) -> u8 {
        if matches!(self.of, SKB | XDP | SKB_META) {
            OF_PACKET
        } else {
            0
        }
    }
}

/// What is expected of a dynptr argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Any,
    /// To be given back, of that type.
    Release(u32),
}

const ITER_ACTIVE: u32 = 0;
const ITER_DRAINED: u32 = 1;

impl Walk<'_> {
    /// Slot index of an object (`stack_slot_obj_get_spi()`), if it lies in the stack that is in use.
    fn object_slot(&self, base: &Reg, what: &'static str, slots: usize) -> Checked<Option<usize>> {
        let Some(off) = base.off() else {
            return Err(Refusal::ObjectVariable(what));
        };
        if off >= 0 || off % 8 != 0 {
            return Err(Refusal::ObjectOffset(what, off));
        }
        let (at, _) = slot_of(off);
        if at + 1 < slots {
            return Err(Refusal::ObjectOffset(what, off));
        }
        let used = self
            .state
            .frames
            .get(base.aux as usize)
            .map_or(0, |f| f.stack.len());
        Ok((at < used).then_some(at))
    }

    fn slot(&self, frame: u32, at: usize) -> Option<&Slot> {
        self.state.frames.get(frame as usize)?.stack.get(at)
    }

    fn slot_mut(&mut self, frame: u32, at: usize) -> Option<&mut Slot> {
        self.state.frames.get_mut(frame as usize)?.stack.get_mut(at)
    }

    /// A dynptr is to be made at `base`; `parent` is the object it is made of
    /// (`mark_stack_slots_dynptr()`).
    pub(super) fn make_dynptr(
        &mut self,
        base: &Reg,
        reg: usize,
        of: u32,
        parent: Option<u32>,
    ) -> Checked {
        if base.kind == Kind::Dynptr {
            return Err(Refusal::DynptrInitialized);
        }
        if base.kind != Kind::Stack {
            return Err(Refusal::DynptrPointer(reg));
        }
        self.object_slot(base, "dynptr", 2)
            .map_err(|e| e.then(Refusal::DynptrInitialized))?;
        for off in [0, 8] {
            let (base, size) = (*base, 8);
            let place = Place {
                reg,
                base,
                off,
                size,
            };
            self.check_access(place, Access::WriteAny, false)?;
        }
        let Some(at) = self.object_slot(base, "dynptr", 2)? else {
            return Ok(());
        };
        let frame = base.aux as usize;
        self.destroy_dynptr(frame, at)?;
        self.destroy_dynptr(frame, at - 1)?;
        let mut owner = parent.unwrap_or(0);
        if of == RINGBUF && parent.is_none() {
            owner = self.acquire(0);
        }
        let id = self.new_id();
        for (at, first) in [(at, 1), (at - 1, 0)] {
            let mut value = Reg::pointer(Kind::Dynptr, of);
            (value.id, value.parent, value.range) = (id, owner, first);
            if let Some(slot) = self.slot_mut(base.aux, at) {
                slot.bytes = [Byte::Dynptr; 8];
                slot.reg = value;
            }
        }
        Ok(())
    }

    /// The dynptr that an argument points to.
    pub(super) fn use_dynptr(&self, base: &Reg, reg: usize, wants: Wants) -> Checked<Dynptr> {
        let found = match base.kind {
            Kind::Dynptr => {
                if let Wants::Release(_) = wants {
                    return Err(Refusal::DynptrConst);
                }
                *base
            }
            Kind::Stack => {
                let at = self
                    .object_slot(base, "dynptr", 2)
                    .map_err(|e| e.then(Refusal::DynptrUninitialized(reg)))?;
                let whole = |at: usize| {
                    let slot = self.slot(base.aux, at)?;
                    slot.bytes
                        .iter()
                        .all(|b| *b == Byte::Dynptr)
                        .then_some(slot.reg)
                };
                let first = at.and_then(whole).filter(|first| first.range == 1);
                let second = at.and_then(|at| whole(at.checked_sub(1)?));
                match (first, second) {
                    (Some(first), Some(_)) => first,
                    _ => return Err(Refusal::DynptrUninitialized(reg)),
                }
            }
            _ => return Err(Refusal::DynptrPointer(reg)),
        };
        if let Wants::Release(of) = wants
            && found.aux != of
        {
            return Err(Refusal::DynptrType(type_name(of), reg));
        }
        Ok(Dynptr {
            of: found.aux,
            id: found.id,
            parent: found.parent,
        })
    }

    /// Before a slot is written over (`destroy_if_dynptr_stack_slot()`).
    pub(super) fn destroy_dynptr(&mut self, frame: usize, at: usize) -> Checked {
        let Some(slot) = self.slot(frame as u32, at) else {
            return Ok(());
        };
        if slot.bytes[0] != Byte::Dynptr {
            return Ok(());
        }
        let (of, id, owner) = (slot.reg.aux, slot.reg.id, slot.reg.parent);
        if of == RINGBUF {
            let slots = self.state.frames.iter().flat_map(|f| &f.stack);
            let shared = slots
                .filter(|s| s.bytes[0] == Byte::Dynptr && s.reg.range == 1)
                .filter(|s| s.reg.parent == owner)
                .count();
            if shared <= 1 {
                return Err(Refusal::DynptrOverwrite);
            }
        }
        self.release(id)
    }

    /// A new thing to be given back (`acquire_reference()`).
    pub(super) fn acquire(&mut self, parent: u32) -> u32 {
        let id = self.new_id();
        let insn = self.insn;
        self.state.refs.push(Ref { id, parent, insn });
        id
    }

    /// Gives it back; what came from it is void (`release_reference()`).
    pub(super) fn release(&mut self, id: u32) -> Checked {
        self.state.refs.retain(|r| r.id != id);
        let mut work = vec![id];
        while let Some(id) = work.pop() {
            if id == 0 {
                continue;
            }
            if let Some(child) = self.state.refs.iter().find(|r| r.parent == id) {
                let insn = self.cfg.slots.get(child.insn).copied().unwrap_or_default();
                return Err(Refusal::LeakedChild(child.id, insn));
            }
            let nodes = &mut self.nodes;
            let visit = |reg: &mut Reg, work: &mut Vec<u32>| {
                if reg.id != id && reg.parent != id || reg.is_scalar() {
                    return false;
                }
                if reg.parent == id && reg.id != id && reg.id != 0 {
                    work.push(reg.id);
                }
                true
            };
            for frame in &mut self.state.frames {
                for reg in &mut frame.regs {
                    if visit(reg, &mut work) {
                        *reg = Reg::UNKNOWN;
                        reg.node = nodes.make([Node::NONE; 2]);
                    }
                }
                for slot in &mut frame.stack {
                    match slot.bytes[7] {
                        Byte::Spill if visit(&mut slot.reg, &mut work) => {
                            slot.reg = Reg::UNKNOWN;
                            slot.reg.node = nodes.make([Node::NONE; 2]);
                        }
                        Byte::Dynptr if visit(&mut slot.reg, &mut work) => *slot = Slot::EMPTY,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// `bpf_iter_num_new()`.
    pub(super) fn make_iter(&mut self, base: &Reg, reg: usize) -> Checked {
        if base.kind != Kind::Stack {
            return Err(Refusal::IterPointer(reg));
        }
        let at = self
            .object_slot(base, "iter", 1)
            .map_err(|e| e.then(Refusal::IterInitialized("num", reg)))?;
        let used = at
            .and_then(|at| self.slot(base.aux, at))
            .is_some_and(|s| s.bytes.contains(&Byte::Iter));
        if used {
            return Err(Refusal::IterInitialized("num", reg));
        }
        let place = Place {
            reg,
            base: *base,
            off: 0,
            size: 8,
        };
        self.check_access(place, Access::WriteAny, false)?;
        let Some(at) = self.object_slot(base, "iter", 1)? else {
            return Ok(());
        };
        let id = self.acquire(0);
        let mut value = Reg::pointer(Kind::Stack, ITER_ACTIVE);
        value.id = id;
        if let Some(slot) = self.slot_mut(base.aux, at) {
            slot.bytes = [Byte::Iter; 8];
            slot.reg = value;
        }
        Ok(())
    }

    fn use_iter(&self, base: &Reg, reg: usize) -> Checked<(usize, Reg)> {
        if base.kind != Kind::Stack {
            return Err(Refusal::IterPointer(reg));
        }
        let at = self
            .object_slot(base, "iter", 1)
            .map_err(|e| e.then(Refusal::IterUninitialized("num", reg)))?;
        let slot = at.and_then(|at| Some((at, self.slot(base.aux, at)?)));
        match slot {
            Some((at, slot)) if slot.bytes == [Byte::Iter; 8] && slot.reg.id != 0 => {
                Ok((at, slot.reg))
            }
            _ => Err(Refusal::IterUninitialized("num", reg)),
        }
    }

    /// `bpf_iter_num_next()`: one way on which there is another number, walked later, and one on which the
    /// iterator has ended (`process_iter_next_call()`).
    pub(super) fn next_iter(&mut self, base: &Reg, reg: usize) -> Checked {
        let (at, iter) = self.use_iter(base, reg)?;
        self.scratch();
        if iter.aux == ITER_ACTIVE {
            let mut more = self.state.clone();
            let slot = more
                .frames
                .get_mut(base.aux as usize)
                .and_then(|f| f.stack.get_mut(at));
            if let Some(slot) = slot {
                slot.reg.range += 1;
            }
            let mut number = Reg::new(Kind::Mem, Scalar::known(0));
            number.flags = super::reg::RDONLY;
            number.aux = 4;
            number.parent = iter.id;
            more.set(0, number);
            self.widen_iter(&mut more);
            self.push_state(more, self.insn + 1)?;
        }
        if let Some(slot) = self.slot_mut(base.aux, at) {
            slot.reg.aux = ITER_DRAINED;
        }
        self.put(0, Reg::number(0), [Node::NONE; 2]);
        Ok(())
    }

    /// `bpf_iter_num_destroy()`.
    pub(super) fn destroy_iter(&mut self, base: &Reg, reg: usize) -> Checked {
        let (at, iter) = self.use_iter(base, reg)?;
        self.release(iter.id)?;
        if let Some(slot) = self.slot_mut(base.aux, at) {
            *slot = Slot::EMPTY;
        }
        Ok(())
    }
}

/// Whether an iterator's slot can still give numbers.
pub(super) fn is_active(slot: &Slot) -> bool {
    slot.bytes[0] == Byte::Iter && slot.reg.aux == ITER_ACTIVE
}
