//! What is looked up in a run all the time, reckoned once: its steps, how deep its calls are, its stack.

use crate::bpf::STACK_TOP;
use crate::trace::{ByteWrite, StepKind, Trace, stores::Store};

/// Bytes of one stack frame (`MAX_BPF_STACK`).
pub(super) const FRAME: u64 = 512;
/// Bytes of all frames.
const STACK: usize = FRAME as usize * 8;
/// After so many stores the stack is kept whole.
const STORES: usize = 4096;

/// The stack of all frames: `None` where nothing was written. The first byte is the lowest.
type Stack = Vec<Option<u8>>;

/// A run, prepared for stepping. It belongs to the trace it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunIndex {
    /// Number of the run.
    pub run: usize,
    /// Steps of its instructions.
    pub(super) steps: Vec<u32>,
    /// Nested calls at each of them.
    pub(super) depths: Vec<u8>,
    /// Highest number of a packet buffer in the trace.
    pub(super) buffers: u32,
    /// The stack after a step of the trace, in order.
    stacks: Vec<(usize, Stack)>,
}

impl RunIndex {
    /// `None` if no instruction of the run was traced.
    #[must_use]
    pub fn new(trace: &Trace, run: usize) -> Option<Self> {
        let frames = trace.registers.column(10);
        let (mut steps, mut depths) = (Vec::new(), Vec::new());
        let mut depth = 0;
        for (index, step) in (0u32..).zip(&trace.steps) {
            let StepKind::Insn {
                run: of, registers, ..
            } = step.kind
            else {
                continue;
            };
            if of == run {
                steps.push(index);
                depths.push(depth);
                let frame = frames.get(registers).copied().unwrap_or(STACK_TOP);
                depth = (STACK_TOP.wrapping_sub(frame) / FRAME).min(8) as u8;
            }
        }
        let numbered = trace.writes.iter().map(|write: &ByteWrite| write.buffer.0);
        let mut index = Self {
            run,
            buffers: numbered.max().unwrap_or(0),
            stacks: Vec::new(),
            depths,
            steps,
        };
        let (first, last) = (*index.steps.first()?, *index.steps.last()?);
        let mut stack = vec![None; STACK];
        let stores = trace.stores.between(first as usize, last as usize + 1);
        for (count, store) in stores.enumerate() {
            put(&mut stack, &store);
            if count % STORES == STORES - 1 {
                index.stacks.push((store.step, stack.clone()));
            }
        }
        Some(index)
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.steps.capacity() * 4
            + self.depths.capacity()
            + self.stacks.len() * STACK * size_of::<Option<u8>>()
    }

    /// The frame that ends at `top` (r10), after a step of the trace.
    pub(super) fn frame(&self, trace: &Trace, top: u64, step: usize) -> Stack {
        let first = self.steps.first().copied().unwrap_or(0) as usize;
        // One with this step in it may hold a store too many: only those before are whole.
        let before = self.stacks.partition_point(|(at, _)| *at < step);
        let (mut stack, from) = match before.checked_sub(1).and_then(|at| self.stacks.get(at)) {
            Some((at, stack)) => (stack.clone(), *at),
            None => (vec![None; STACK], first),
        };
        for store in trace.stores.between(from, step + 1) {
            put(&mut stack, &store);
        }
        let end = STACK.saturating_sub(STACK_TOP.wrapping_sub(top) as usize);
        let start = end.saturating_sub(FRAME as usize);
        stack
            .get(start..end)
            .map_or_else(|| vec![None; FRAME as usize], <[_]>::to_vec)
    }
}

fn put(stack: &mut [Option<u8>], store: &Store<'_>) {
    let bottom = STACK_TOP.wrapping_sub(STACK as u64);
    for (byte, address) in store.bytes.iter().zip(store.address..) {
        let at = usize::try_from(address.wrapping_sub(bottom)).ok();
        if let Some(place) = at.and_then(|at| stack.get_mut(at)) {
            *place = Some(*byte);
        }
    }
}
