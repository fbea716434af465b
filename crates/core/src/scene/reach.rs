//! Where in a trace each buffer is: so that what is drawn of one buffer costs what happened to it, and not
//! the whole of a long run.

use std::ops::Range;

use crate::trace::{BufferNo, ByteWrite, Step, Trace};

/// From the first to the last of a buffer's steps, and of the writes to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Indexes of steps.
    pub steps: Range<usize>,
    /// Indexes of writes.
    pub writes: Range<usize>,
}

/// The reach of each buffer of one trace.
#[derive(Debug, Clone, Default)]
pub struct Reaches {
    /// In the order of their numbers.
    buffers: Vec<(BufferNo, Reach)>,
    /// Some bytes are moved within a buffer.
    pub moves: bool,
}

fn widen(range: &mut Range<usize>, index: usize) {
    if range.start == range.end {
        *range = index..index + 1;
    } else {
        range.end = index + 1;
    }
}

impl Reaches {
    /// Looks through a trace once.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        let mut all = Self::default();
        for (index, step) in trace.steps.iter().enumerate() {
            if let Some(buffer) = step.buffer {
                widen(&mut all.entry(buffer).steps, index);
            }
        }
        for (index, write) in trace.writes.iter().enumerate() {
            widen(&mut all.entry(write.buffer).writes, index);
            all.moves |= write.moved_from.is_some();
        }
        all
    }

    fn place(&self, buffer: BufferNo) -> Result<usize, usize> {
        self.buffers.binary_search_by_key(&buffer.0, |(no, _)| no.0)
    }

    fn entry(&mut self, buffer: BufferNo) -> &mut Reach {
        let at = self.place(buffer).unwrap_or_else(|at| {
            self.buffers.insert(at, (buffer, Reach::default()));
            at
        });
        &mut self.buffers[at].1
    }

    /// Of one buffer; empty for one that the trace does not know.
    #[must_use]
    pub fn get(&self, buffer: BufferNo) -> Reach {
        let known = self.place(buffer).ok().map(|at| &self.buffers[at].1);
        known.cloned().unwrap_or_default()
    }
}

impl Reach {
    /// All of a trace.
    #[must_use]
    pub fn whole(trace: &Trace) -> Self {
        Self {
            steps: 0..trace.steps.len(),
            writes: 0..trace.writes.len(),
        }
    }

    /// The steps of a buffer.
    pub fn steps<'t>(
        &self,
        trace: &'t Trace,
        buffer: BufferNo,
    ) -> impl Iterator<Item = &'t Step> + use<'t> {
        let all = trace.steps.get(self.steps.clone()).unwrap_or_default();
        all.iter().filter(move |step| step.buffer == Some(buffer))
    }

    /// The writes to a buffer.
    pub fn writes<'t>(
        &self,
        trace: &'t Trace,
        buffer: BufferNo,
    ) -> impl Iterator<Item = &'t ByteWrite> + use<'t> {
        let all = trace.writes.get(self.writes.clone()).unwrap_or_default();
        all.iter().filter(move |write| write.buffer == buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    #[test]
    fn nothing_of_a_buffer_is_outside_of_its_reach() {
        let trace = decap("meta_end");
        let reaches = Reaches::of(&trace);
        assert!(reaches.moves, "realign moves the metadata");
        assert!(!Reaches::of(&decap("mac_header")).moves);
        let mut seen = 0;
        for no in 0..4 {
            let (buffer, whole) = (BufferNo(no), Reach::whole(&trace));
            let reach = reaches.get(buffer);
            let steps = |reach: &Reach| reach.steps(&trace, buffer).count();
            let writes = |reach: &Reach| reach.writes(&trace, buffer).count();
            assert_eq!(
                (steps(&reach), writes(&reach)),
                (steps(&whole), writes(&whole))
            );
            seen += steps(&reach);
        }
        let with_buffer = trace.steps.iter().filter(|step| step.buffer.is_some());
        assert_eq!(seen, with_buffer.count());
    }
}
