//! Snapshots of all buffers now and then, so that going to any step costs little however long the
//! trace is.

use super::Trace;
use super::replay::Memory;
use super::step::ByteWrite;

/// All buffers after so many writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many of `Trace::writes` are in it.
    pub writes: usize,
    /// The buffers.
    pub memory: Memory,
}

/// A snapshot is worth it once replaying costs several times what copying it does; so all snapshots
/// together are a part of the trace's size, and replaying from one is bounded by the size of the buffers.
const TIMES: usize = 4;
/// Not below this much work, in bytes.
const LEAST: usize = 256 * 1024;

/// What applying a write costs, in bytes.
fn work(write: &ByteWrite) -> usize {
    16 + write.new.len()
}

impl Trace {
    /// Takes the snapshots, and notes where packets come back; called once when the trace is whole.
    pub fn take_checkpoints(&mut self) {
        self.note_returns();
        self.checkpoints.clear();
        let total: usize = self.writes.iter().map(work).sum();
        if total < LEAST {
            return;
        }
        let mut memory = Memory::default();
        let (mut since, mut size) = (0, 0);
        for (index, write) in self.writes.iter().enumerate() {
            size += memory.apply(write);
            since += work(write);
            if since >= LEAST && since >= TIMES * size {
                let writes = index + 1;
                let memory = memory.clone();
                self.checkpoints.push(Checkpoint { writes, memory });
                since = 0;
            }
        }
    }

    /// The last snapshot with at most so many writes in it.
    pub(super) fn checkpoint_before(&self, writes: usize) -> Option<&Checkpoint> {
        let after = self.checkpoints.partition_point(|c| c.writes <= writes);
        self.checkpoints.get(after.checked_sub(1)?)
    }

    /// Bytes of memory that steps, writes, registers and snapshots take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let pairs = |pairs: &Vec<(u8, super::OriginId)>| pairs.capacity() * 6;
        let writes = self.writes.iter();
        let written: usize = writes.map(|w| pairs(&w.old) + pairs(&w.new)).sum();
        let snapshots: usize = self.checkpoints.iter().map(|c| c.memory.bytes()).sum();
        self.steps.capacity() * size_of::<super::Step>()
            + self.fields.capacity() * size_of::<super::PacketFields>()
            + self.writes.capacity() * size_of::<ByteWrite>()
            + written
            + self.registers.bytes()
            + self.stores.weight()
            + snapshots
    }
}
