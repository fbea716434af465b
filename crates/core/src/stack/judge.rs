//! Whether what a program reads as metadata is what the writer put there.
//!
//! Beside each buffer the judge keeps the *truth*: the origins of the metadata bytes when they were
//! handed over, and where they lie. A read is compared with it, origin by origin.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::trace::{BufferNo, DevRef, Expected, OriginId, SkbNo, Verdict};

/// The metadata an XDP program left, as the judge knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    /// Where they lie, offset from `head`, bytes; negative below it.
    pub offset: i32,
    /// Origin of each byte.
    pub origins: Vec<OriginId>,
}

/// Knows the truth of each buffer.
#[derive(Debug, Default)]
pub(super) struct Judge {
    /// Nobody asks: nothing is kept.
    pub quiet: bool,
    truths: BTreeMap<BufferNo, Truth>,
    freed: BTreeMap<SkbNo, Option<Arc<DevRef>>>,
    /// In designs that keep metadata outside of the buffer: what each packet carries.
    carried: BTreeMap<SkbNo, Vec<OriginId>>,
    /// The step at which such a packet lost them.
    lost: BTreeMap<SkbNo, usize>,
}

impl Judge {
    /// What there is to read in a buffer.
    pub fn expected(&self, buffer: BufferNo) -> Option<Expected> {
        self.truths.get(&buffer).map(|truth| Expected {
            offset: truth.offset.max(0).unsigned_abs(),
            origins: truth.origins.clone(),
            lost_at: None,
        })
    }

    /// Metadata were handed over.
    pub fn handed_over(&mut self, buffer: BufferNo, offset: i32, origins: &[OriginId]) {
        if self.quiet {
            return;
        }
        self.truths.insert(
            buffer,
            Truth {
                offset,
                origins: origins.to_vec(),
            },
        );
    }

    /// The content of a buffer went to another one, `by` bytes further from `head`.
    pub fn moved_buffer(&mut self, old: BufferNo, new: BufferNo, by: u32) {
        if let Some(mut truth) = self.truths.get(&old).cloned() {
            truth.offset += by as i32;
            self.truths.insert(new, truth);
        }
    }

    /// The new buffer's packet is made of the old one's without what was left for it: a reader there has lost it.
    pub fn left_behind(&mut self, old: BufferNo, new: BufferNo) {
        if let Some(truth) = self.truths.get(&old) {
            let origins = truth.origins.clone();
            self.truths.insert(new, Truth { offset: 0, origins });
        }
    }

    /// A packet carries metadata outside of its buffer.
    pub fn carried_by(&mut self, skb: SkbNo, origins: &[OriginId]) {
        if self.quiet {
            return;
        }
        self.carried.insert(skb, origins.to_vec());
        self.lost.remove(&skb);
    }

    /// Another packet is made of it, and should carry the same; it may be lost already.
    pub fn carried_on(&mut self, from: SkbNo, to: SkbNo) {
        if let Some(origins) = self.carried.get(&from).cloned() {
            self.carried.insert(to, origins);
        }
        if let Some(step) = self.lost.get(&from) {
            self.lost.insert(to, *step);
        }
    }

    /// A buffer is used for another packet: what was left for the one before is not this one's.
    pub fn reused(&mut self, buffer: BufferNo, skb: SkbNo) {
        self.truths.remove(&buffer);
        self.born(skb);
    }

    /// A packet of that number begins, with nothing.
    pub fn born(&mut self, skb: SkbNo) {
        self.carried.remove(&skb);
        self.lost.remove(&skb);
    }

    /// What a packet carried outside of its buffer is gone; `step` is the first that can show it.
    pub fn lost_at(&mut self, skb: SkbNo, step: usize) {
        if !self.quiet {
            self.lost.insert(skb, step);
        }
    }

    /// What there is to read of a packet that carries metadata outside of its buffer.
    pub fn expected_of(&self, skb: SkbNo, buffer: BufferNo) -> Option<Expected> {
        let origins = self.carried.get(&skb)?.clone();
        Some(Expected {
            offset: self
                .truths
                .get(&buffer)
                .map_or(0, |truth| truth.offset.max(0).unsigned_abs()),
            origins,
            lost_at: self.lost.get(&skb).copied(),
        })
    }

    /// The verdict on bytes that were read outside of the packet's buffer.
    pub fn verdict_of(&self, skb: SkbNo, first: u32, origins: &[OriginId]) -> Verdict {
        let carried = self.carried.get(&skb);
        match (carried, origins) {
            (None, []) => Verdict::None,
            (Some(carried), []) if carried.is_empty() => Verdict::None,
            (Some(_), []) => Verdict::Lost,
            (None, _) => Verdict::Garbage,
            (Some(carried), origins) => {
                match carried.get(first as usize..first as usize + origins.len()) {
                    Some(expected) if expected == origins => Verdict::Ok,
                    _ => Verdict::Garbage,
                }
            }
        }
    }

    /// The kernel moved the bytes at `start` as metadata. Only if they are: what it takes for metadata may be others.
    pub fn moved_metadata(&mut self, buffer: BufferNo, start: u32, by: i32) {
        let truth = self.truths.get_mut(&buffer);
        if let Some(truth) = truth.filter(|truth| truth.offset == start as i32) {
            truth.offset = truth.offset.saturating_add(by).max(0);
        }
    }

    /// A packet was released; its last device is kept for the exits of the functions it was given to.
    pub fn forget(&mut self, skb: SkbNo, dev: Option<Arc<DevRef>>) {
        if !self.quiet {
            self.freed.insert(skb, dev);
        }
    }

    /// Device of a packet that is gone.
    pub fn last_dev(&self, skb: SkbNo) -> Option<Arc<DevRef>> {
        self.freed.get(&skb).cloned().flatten()
    }

    /// The verdict on bytes read at `offset`, which the program takes for metadata from `first` on.
    pub fn verdict(
        &self,
        buffer: BufferNo,
        offset: i32,
        first: u32,
        origins: &[OriginId],
    ) -> Verdict {
        let Some(truth) = self.truths.get(&buffer) else {
            return if origins.is_empty() {
                Verdict::None
            } else {
                Verdict::Garbage
            };
        };
        if origins.is_empty() {
            return if truth.origins.is_empty() {
                Verdict::None
            } else {
                Verdict::Lost
            };
        }
        let expected = truth
            .origins
            .get(first as usize..first as usize + origins.len());
        if expected == Some(origins) {
            Verdict::Ok
        } else if offset == truth.offset + first as i32 {
            Verdict::Overwritten
        } else {
            Verdict::Garbage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: BufferNo = BufferNo(1);

    fn bytes_of(source: u16) -> Vec<OriginId> {
        (0..4).map(|byte| OriginId { source, byte }).collect()
    }

    fn judge() -> Judge {
        let mut judge = Judge::default();
        judge.handed_over(HEAD, 252, &bytes_of(5));
        judge
    }

    #[test]
    fn the_writers_bytes_are_ok_wherever_they_lie() {
        assert_eq!(judge().verdict(HEAD, 252, 0, &bytes_of(5)), Verdict::Ok);
        assert_eq!(judge().verdict(HEAD, 290, 0, &bytes_of(5)), Verdict::Ok);
    }

    #[test]
    fn other_bytes_elsewhere_are_garbage_and_in_place_overwritten() {
        assert_eq!(
            judge().verdict(HEAD, 290, 0, &bytes_of(3)),
            Verdict::Garbage
        );
        assert_eq!(
            judge().verdict(HEAD, 252, 0, &bytes_of(3)),
            Verdict::Overwritten
        );
    }

    #[test]
    fn nothing_seen_is_lost_only_if_something_was_there() {
        assert_eq!(judge().verdict(HEAD, 0, 0, &[]), Verdict::Lost);
        assert_eq!(Judge::default().verdict(HEAD, 0, 0, &[]), Verdict::None);
    }
}
