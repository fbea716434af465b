//! What a register or a stack slot may hold, joined over all ways to an instruction.

/// A set of things a register may hold; none of them if nothing was ever put there (such a value
/// cannot be used in a program the verifier accepts, so it does not count in a join).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    pub kinds: u8,
    /// Distance from the pointer's origin, when it holds one thing at a known distance.
    pub off: Option<i64>,
}

pub(super) const NOTHING: Value = Value::of(0);
pub(super) const SCALAR: u8 = 1;
pub(super) const CTX: u8 = 2;
pub(super) const PACKET: u8 = 4;
pub(super) const META: u8 = 8;
pub(super) const END: u8 = 16;
pub(super) const STACK: u8 = 32;
pub(super) const OTHER: u8 = 64; // map, map value, dynptr slice
/// A function of the program; its place is the index of the first instruction.
pub(super) const FUNCTION: u8 = 128;
pub(super) const POINTERS: u8 = CTX | PACKET | META | END | STACK | OTHER | FUNCTION;

impl Value {
    pub const fn of(kinds: u8) -> Value {
        Value { kinds, off: None }
    }

    pub const fn at(kinds: u8, off: i64) -> Value {
        Value {
            kinds,
            off: Some(off),
        }
    }

    pub fn join(self, other: Value) -> Value {
        if self.kinds == 0 {
            return other;
        }
        if other.kinds == 0 {
            return self;
        }
        let off = if self.off == other.off {
            self.off
        } else {
            None
        };
        Value {
            kinds: self.kinds | other.kinds,
            off,
        }
    }

    pub fn moved(self, by: Option<i64>) -> Value {
        let off = self.off.zip(by).and_then(|(off, by)| off.checked_add(by));
        Value {
            kinds: self.kinds,
            off,
        }
    }
}

pub(super) const SLOTS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub regs: [Value; 11],
    /// Eight bytes each, slot 0 at r10 - 8.
    pub stack: [Value; SLOTS],
    /// Bytes from `data` and from `data_meta` that a comparison has shown to be there.
    ranges: [i64; 2],
}

impl State {
    /// How far the packet or the metadata reach, for a pointer of that kind.
    pub fn range(&self, kind: u8) -> i64 {
        self.ranges[usize::from(kind == META)]
    }

    /// They reach at least so far.
    pub fn reaches(&mut self, kind: u8, bytes: i64) {
        let range = &mut self.ranges[usize::from(kind == META)];
        *range = bytes.max(*range);
    }

    /// The packet may have changed: nothing is known.
    pub fn forget_ranges(&mut self) {
        self.ranges = [0; 2];
    }

    /// A function called from here knows it too.
    pub fn with_ranges_of(mut self, caller: &State) -> State {
        self.ranges = caller.ranges;
        self
    }

    pub fn entry(args: [Value; 5]) -> State {
        let mut regs = [NOTHING; 11];
        regs[1..6].copy_from_slice(&args);
        regs[10] = Value::at(STACK, 0);
        State {
            regs,
            stack: [NOTHING; SLOTS],
            ranges: [0; 2],
        }
    }

    pub fn join(&mut self, other: &State) -> bool {
        let mut changed = false;
        let mine = self.regs.iter_mut().chain(&mut self.stack);
        for (mine, other) in mine.zip(other.regs.iter().chain(&other.stack)) {
            let joined = mine.join(*other);
            changed |= joined != *mine;
            *mine = joined;
        }
        for (mine, other) in self.ranges.iter_mut().zip(other.ranges) {
            changed |= other < *mine;
            *mine = other.min(*mine);
        }
        changed
    }

    /// The slot of an aligned eight-byte access.
    pub fn slot(off: Option<i64>) -> Option<usize> {
        let off = off?;
        let slot = usize::try_from(-off / 8).ok()?.checked_sub(1)?;
        (off % 8 == 0 && slot < SLOTS).then_some(slot)
    }

    /// Forgets what a store of `size` bytes may overwrite.
    pub fn forget(&mut self, off: Option<i64>, size: i64) {
        for (slot, value) in self.stack.iter_mut().enumerate() {
            let start = -8 * (slot as i64 + 1);
            if off.is_none_or(|off| off < start + 8 && start < off + size) {
                // With an unknown place the old value may also still be there.
                *value = if off.is_some() {
                    Value::of(SCALAR)
                } else {
                    value.join(Value::of(SCALAR))
                };
            }
        }
    }
}
