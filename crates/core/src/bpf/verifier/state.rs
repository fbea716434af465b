//! The state of a walk at one instruction (`struct bpf_verifier_state`, include/linux/bpf_verifier.h).

use super::reg::{Kind, Reg};

/// What a byte of the stack holds (`enum bpf_stack_slot_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Byte {
    /// Never written. A privileged program may read it.
    Invalid,
    /// A part of a register that was spilled there.
    Spill,
    Misc,
    Zero,
    Dynptr,
    Iter,
}

/// Eight bytes of a stack; index 0 is the byte with the highest address.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slot {
    pub bytes: [Byte; 8],
    pub reg: Reg,
}

impl Slot {
    pub const EMPTY: Slot = Slot {
        bytes: [Byte::Invalid; 8],
        reg: Reg::NOT_INIT,
    };

    /// `bpf_is_spilled_reg()`.
    pub fn is_spill(&self) -> bool {
        self.bytes[7] == Byte::Spill
    }

    pub fn is_scalar_spill(&self) -> bool {
        self.is_spill() && self.reg.is_scalar()
    }

    /// Before data are written over it (`scrub_special_slot()`).
    pub fn scrub(&mut self) {
        self.reg = Reg::NOT_INIT;
        if matches!(self.bytes[7], Byte::Spill | Byte::Dynptr | Byte::Iter) {
            for byte in &mut self.bytes {
                if *byte != Byte::Invalid {
                    *byte = Byte::Misc;
                }
            }
        }
    }
}

/// Slot of a byte of the stack, and its index there; `off` is negative.
pub(super) fn slot_of(off: i64) -> (usize, usize) {
    let slot = (-off - 1).max(0) as usize;
    (slot / 8, slot % 8)
}

/// A function that was entered (`struct bpf_func_state`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub regs: [Reg; 11],
    /// From r10 downwards, as far as something was accessed.
    pub stack: Vec<Slot>,
    /// The call; for a callback the call of the helper. Not used in the outermost function.
    pub callsite: usize,
    /// First instruction of the function.
    pub entry: usize,
    /// It was called by a helper.
    pub callback: bool,
    /// It is called by a timer when the run is over: how many such calls led to it (`async_entry_cnt`).
    pub later: u32,
    /// How often a callback of this frame was walked (`callback_depth`).
    pub callback_depth: u64,
}

impl Frame {
    pub fn new(number: usize, entry: usize, callsite: usize) -> Frame {
        let mut regs = [Reg::NOT_INIT; 11];
        regs[10] = Reg::pointer(Kind::Stack, number as u32);
        Frame {
            regs,
            stack: Vec::new(),
            callsite,
            entry,
            callback: false,
            later: 0,
            callback_depth: 0,
        }
    }

    /// `grow_stack_state()`; `off` is the lowest byte that is accessed.
    pub fn grow(&mut self, off: i64) {
        let slots = (-off).clamp(0, 512) as usize;
        let slots = slots.div_ceil(8);
        if self.stack.len() < slots {
            self.stack.resize(slots, Slot::EMPTY);
        }
    }
}

/// Something that must be given back (`struct bpf_reference_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ref {
    pub id: u32,
    pub parent: u32,
    /// The call that took it.
    pub insn: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub frames: Vec<Frame>,
    pub refs: Vec<Ref>,
    /// Id and map of the value that is locked.
    pub lock: Option<(u32, u32)>,
    /// `bpf_rcu_read_lock()`, `bpf_preempt_disable()` that are open.
    pub rcu: u32,
    pub preempt: u32,
    /// The checkpoint before it on its way.
    pub parent: Option<usize>,
    pub insn: usize,
    pub depth: u32,
    /// `callback_unroll_depth`.
    pub unrolled: u32,
    /// `may_goto_depth`.
    pub went_round: u32,
}

impl State {
    pub fn new() -> State {
        State {
            frames: vec![Frame::new(0, 0, 0)],
            refs: Vec::new(),
            lock: None,
            rcu: 0,
            preempt: 0,
            parent: None,
            insn: 0,
            depth: 0,
            unrolled: 0,
            went_round: 0,
        }
    }

    /// Memory that a copy takes, bytes.
    pub fn bytes(&self) -> usize {
        let slots: usize = self.frames.iter().map(|frame| frame.stack.len()).sum();
        size_of::<State>()
            + self.frames.len() * size_of::<Frame>()
            + slots * size_of::<Slot>()
            + self.refs.len() * size_of::<Ref>()
    }

    /// Number of the running function's frame.
    pub fn top(&self) -> usize {
        self.frames.len().saturating_sub(1)
    }

    pub fn frame(&self) -> &Frame {
        &self.frames[self.frames.len() - 1]
    }

    pub fn frame_mut(&mut self) -> &mut Frame {
        let top = self.frames.len() - 1;
        &mut self.frames[top]
    }

    pub fn reg(&self, reg: usize) -> &Reg {
        &self.frame().regs[reg]
    }

    pub fn set(&mut self, reg: usize, value: Reg) {
        self.frame_mut().regs[reg] = value;
    }

    /// The instruction that a frame is at (`bpf_frame_insn_idx()`).
    pub fn insn_of(&self, frame: usize) -> usize {
        self.frames
            .get(frame + 1)
            .map_or(self.insn, |inner| inner.callsite)
    }

    /// All registers and spilled registers (`bpf_for_each_reg_in_vstate()`).
    pub fn for_each(&mut self, mut change: impl FnMut(&mut Reg)) {
        for frame in &mut self.frames {
            frame.regs.iter_mut().for_each(&mut change);
            for slot in frame.stack.iter_mut().filter(|slot| slot.is_spill()) {
                change(&mut slot.reg);
            }
        }
    }

    /// `same_callsites()`.
    pub fn same_callsites(&self, other: &State) -> bool {
        self.frames.len() == other.frames.len()
            && self
                .frames
                .iter()
                .zip(&other.frames)
                .all(|(a, b)| a.callsite == b.callsite)
    }

    pub fn has_ref(&self, id: u32) -> bool {
        id != 0 && self.refs.iter().any(|r| r.id == id)
    }
}
