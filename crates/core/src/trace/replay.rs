//! Going to any step: buffers as they were, from deltas that are applied forwards or backwards.

use super::Trace;
use super::fields::PacketFields;
use super::origin::OriginId;
use super::step::{BufferNo, ByteWrite, Step};

/// Bytes and origins of one buffer, offset 0 = `head`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BufferState {
    /// Bytes.
    pub bytes: Vec<u8>,
    /// Origin of each byte; same length.
    pub origins: Vec<OriginId>,
}

/// All buffers at one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// By buffer number.
    pub buffers: Buffers,
}

/// Buffers by their numbers: a few, so a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buffers(Vec<(BufferNo, BufferState)>);

impl Buffers {
    fn place(&self, no: BufferNo) -> Result<usize, usize> {
        self.0.binary_search_by_key(&no, |(known, _)| *known)
    }

    /// A buffer.
    #[must_use]
    pub fn get(&self, no: &BufferNo) -> Option<&BufferState> {
        let (_, state) = self.0.get(self.place(*no).ok()?)?;
        Some(state)
    }

    fn or_default(&mut self, no: BufferNo) -> &mut BufferState {
        let at = self.place(no).unwrap_or_else(|at| {
            self.0.insert(at, (no, BufferState::default()));
            at
        });
        &mut self.0[at].1
    }

    fn get_mut(&mut self, no: BufferNo) -> Option<&mut BufferState> {
        let at = self.place(no).ok()?;
        self.0.get_mut(at).map(|(_, state)| state)
    }

    fn remove(&mut self, no: BufferNo) {
        if let Ok(at) = self.place(no) {
            self.0.remove(at);
        }
    }
}

/// Bytes of memory behind one byte of a buffer: itself and its origin.
const BYTE: usize = 5;

/// A position in a trace. Moving costs the writes between the two positions, or those since the
/// nearest snapshot before the new one.
#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    trace: &'t Trace,
    at: usize,
    memory: Memory,
}

/// The packet of one step.
#[derive(Debug, Clone, Copy)]
pub struct PacketView<'c> {
    /// The step.
    pub step: &'c Step,
    /// Its fields, if the packet is still there.
    pub fields: Option<&'c PacketFields>,
    /// The buffer the packet is in.
    pub buffer: Option<&'c BufferState>,
}

impl<'t> Cursor<'t> {
    /// A cursor after the first step. `None` for an empty trace.
    #[must_use]
    pub fn new(trace: &'t Trace) -> Option<Self> {
        let first = trace.steps.first()?;
        let mut memory = Memory::default();
        for write in &trace.writes[..first.writes.end] {
            memory.apply(write);
        }
        Some(Self {
            trace,
            at: 0,
            memory,
        })
    }

    /// Goes on where [`Cursor::into_memory`] left off: buffers as they were after step `at` of this
    /// trace. `None` when the trace has no such step.
    #[must_use]
    pub fn resume(trace: &'t Trace, at: usize, memory: Memory) -> Option<Self> {
        trace.steps.get(at)?;
        Some(Self { trace, at, memory })
    }

    /// The buffers, for [`Cursor::resume`].
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory
    }

    /// Index of the step.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes to a step (clamped to the last one), forwards or backwards.
    pub fn go(&mut self, to: usize) {
        let to = to.min(self.trace.steps.len().saturating_sub(1));
        let (from_end, to_end) = (
            self.trace.steps[self.at].writes.end,
            self.trace.steps[to].writes.end,
        );
        if let Some(checkpoint) = self.trace.checkpoint_before(to_end)
            && to_end - checkpoint.writes < from_end.abs_diff(to_end) / 2
        {
            self.memory.clone_from(&checkpoint.memory);
            for write in &self.trace.writes[checkpoint.writes..to_end] {
                self.memory.apply(write);
            }
        } else if to_end >= from_end {
            for write in &self.trace.writes[from_end..to_end] {
                self.memory.apply(write);
            }
        } else {
            for write in self.trace.writes[to_end..from_end].iter().rev() {
                self.memory.undo(write);
            }
        }
        self.at = to;
    }

    /// The packet at this position.
    #[must_use]
    pub fn packet(&self) -> PacketView<'_> {
        let step = &self.trace.steps[self.at];
        PacketView {
            step,
            fields: step.fields.map(|index| &self.trace.fields[index]),
            buffer: step.buffer.and_then(|no| self.memory.buffers.get(&no)),
        }
    }

    /// All buffers at this position.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Memory {
    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.buffers
            .0
            .iter()
            .map(|(_, b)| b.bytes.len() * BYTE)
            .sum()
    }

    /// Applies a write; gives how many bytes of memory came to what [`Memory::bytes`] counts.
    pub(super) fn apply(&mut self, write: &ByteWrite) -> usize {
        let buffer = self.buffers.or_default(write.buffer);
        let start = write.offset as usize;
        let end = start + write.new.len();
        let grown = end.saturating_sub(buffer.bytes.len());
        if grown > 0 {
            buffer.bytes.resize(end, 0);
            buffer.origins.resize(end, OriginId::default());
        }
        for (i, (byte, origin)) in write.new.iter().enumerate() {
            buffer.bytes[start + i] = *byte;
            buffer.origins[start + i] = *origin;
        }
        grown * BYTE
    }

    fn undo(&mut self, write: &ByteWrite) {
        if write.old.is_empty() {
            self.buffers.remove(write.buffer);
            return;
        }
        let Some(buffer) = self.buffers.get_mut(write.buffer) else {
            return;
        };
        let start = write.offset as usize;
        for (i, (byte, origin)) in write.old.iter().enumerate() {
            buffer.bytes[start + i] = *byte;
            buffer.origins[start + i] = *origin;
        }
    }
}
