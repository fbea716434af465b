//! The stack of a running program: 512 bytes for each function that is being called.
//!
//! An index counts from the lowest byte of [`Stack::frames`] frames, at least [`MAX_FRAMES`] of them, so that it is the same
//! however deep a program's own calls are. Most programs call nothing, so frames come into being when they are entered.

use std::ops::Range;

/// Bytes of one stack frame (`MAX_BPF_STACK`).
pub(super) const FRAME: u64 = 512;
/// Frames of nested calls in a program (`MAX_CALL_FRAMES`, include/linux/bpf_verifier.h).
pub(super) const MAX_FRAMES: usize = 16;

/// How often a function goes on at its `may_goto`s, all together. Linux 7.2 counts `BPF_MAX_TIMED_LOOPS` (0xffff) down on x86-64,
/// looks at the clock, and counts again until 250 ms have passed since it first looked (`bpf_check_timed_may_goto()`,
/// kernel/bpf/core.c). Here the time has passed at the second look: the fewest rounds that Linux can take.
const MAY_GOTO_ROUNDS: u32 = 2 * 0xffff;

const FRAME_LEN: usize = FRAME as usize;

/// The frames; each byte knows whether it was written.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// The frames that were entered so far, the deepest first.
    bytes: Vec<u8>,
    written: Vec<bool>,
    /// How often each frame's function may go round by `may_goto`, the outermost first.
    rounds: Vec<u32>,
}

impl Stack {
    /// The outermost function's frame.
    pub fn new() -> Stack {
        Stack {
            bytes: vec![0; FRAME_LEN],
            written: vec![false; FRAME_LEN],
            rounds: vec![MAY_GOTO_ROUNDS],
        }
    }

    /// As a new one, for another run.
    pub fn clear(&mut self) {
        let deeper = self.bytes.len() - FRAME_LEN;
        self.bytes.drain(..deeper);
        self.written.drain(..deeper);
        self.rounds.truncate(1);
        self.forget(0);
    }

    /// Frames that indexes count over; more than [`MAX_FRAMES`] only behind tail calls out of functions.
    pub fn frames(&self) -> usize {
        (self.bytes.len() / FRAME_LEN).max(MAX_FRAMES)
    }

    /// A new function starts with nothing written. `depth` 0 is the outermost. The stack grows downwards.
    pub fn forget(&mut self, depth: usize) {
        let wanted = (depth + 1) * FRAME_LEN;
        let more = wanted.saturating_sub(self.bytes.len());
        if more > 0 {
            self.bytes.splice(0..0, std::iter::repeat_n(0, more));
            self.written.splice(0..0, std::iter::repeat_n(false, more));
        }
        let start = self.bytes.len() - wanted;
        if let Some(frame) = self.written.get_mut(start..start + FRAME_LEN) {
            frame.fill(false);
        }
        let frames = self.rounds.len().max(depth + 1);
        self.rounds.resize(frames, MAY_GOTO_ROUNDS);
        self.rounds[depth] = MAY_GOTO_ROUNDS;
    }

    /// Whether the function of that frame goes on at a `may_goto`.
    pub fn may_go_round(&mut self, depth: usize) -> bool {
        let Some(rounds) = self.rounds.get_mut(depth).filter(|left| **left > 0) else {
            return false;
        };
        *rounds -= 1;
        true
    }

    /// Where indexes are in the frames that are there.
    fn range(&self, index: Range<usize>) -> Range<usize> {
        let below = self.frames() * FRAME_LEN - self.bytes.len();
        index.start.saturating_sub(below)..index.end.saturating_sub(below)
    }

    /// The bytes, if all of them were written.
    pub fn load(&self, index: Range<usize>) -> Option<&[u8]> {
        let range = self.range(index);
        let written = self.written.get(range.clone())?;
        written
            .iter()
            .all(|written| *written)
            .then(|| self.bytes.get(range))?
    }

    /// Writes bytes at an index.
    pub fn store(&mut self, index: Range<usize>, bytes: &[u8]) {
        let range = self.range(index);
        if let (Some(to), Some(written)) = (
            self.bytes.get_mut(range.clone()),
            self.written.get_mut(range),
        ) && to.len() == bytes.len()
        {
            to.copy_from_slice(bytes);
            written.fill(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_bytes_when_others_are_entered() {
        let mut stack = Stack::new();
        let end = |stack: &Stack| stack.frames() * FRAME_LEN;
        let last = |stack: &Stack| end(stack) - 4..end(stack);
        assert_eq!(stack.load(last(&stack)), None, "not written");
        stack.store(last(&stack), &[1, 2, 3, 4]);
        // two more than a program's own calls can make: behind a tail call
        for depth in 1..MAX_FRAMES + 2 {
            stack.forget(depth);
            let top = end(&stack) - depth * FRAME_LEN;
            assert_eq!(stack.load(top - 1..top), None, "depth {depth}");
            stack.store(top - 1..top, &[depth as u8]);
        }
        assert_eq!(stack.frames(), MAX_FRAMES + 2);
        assert_eq!(stack.load(last(&stack)), Some(&[1, 2, 3, 4][..]));
        let second = end(&stack) - FRAME_LEN;
        assert_eq!(stack.load(second - 1..second), Some(&[1][..]));
        stack.forget(1);
        assert_eq!(stack.load(second - 1..second), None, "entered anew");
        let third = second - FRAME_LEN;
        assert_eq!(stack.load(third - 1..third), Some(&[2][..]));
        stack.clear();
        assert_eq!(stack.frames(), MAX_FRAMES);
        assert_eq!(stack.load(last(&stack)), None, "another run");
        assert!(!stack.may_go_round(1), "no function was entered");
    }
}
