//! One design at one moment: everything a component needs to draw.

use std::sync::Arc;

use headroom_core::scene::Row;
use headroom_core::scene::diff::{Moment, own_writes, writes_made};
use headroom_core::scene::reach::{Reach, Reaches};
use headroom_core::trace::replay::{BufferState, Memory};
use headroom_core::trace::{BufferNo, Cursor, PacketFields, PacketView, Step, Trace};

/// What one design shows at one row.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Index into [`crate::designs::DESIGNS`].
    pub design: usize,
    /// The design's trace.
    pub trace: Arc<Trace>,
    /// The step shown.
    pub step: usize,
    /// After which of its writes, from 1; 0 is after all of it.
    pub write: u32,
    /// The moment of the row before, if this design has one.
    pub before: Option<Moment>,
    /// The step whose packet is drawn: an earlier one when the packet is gone.
    pub drawn: usize,
    /// The design has this step. If not, `step` is the latest one before it.
    pub present: bool,
    /// Number of the packet's buffer.
    pub buffer_no: Option<BufferNo>,
    /// Its bytes and origins at `step`.
    pub buffer: BufferState,
    /// Where in the trace each buffer is.
    pub reaches: Arc<Reaches>,
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace)
            && self.step == other.step
            && self.write == other.write
            && self.before == other.before
            && self.present == other.present
    }
}

/// Where each design's buffers were drawn last. A step costs the writes between two steps, not
/// those since the start of the run.
#[derive(Debug, Default)]
pub struct Kept {
    all: Vec<Last>,
}

/// What is kept of a design.
#[derive(Debug)]
struct Last {
    design: usize,
    trace: Arc<Trace>,
    step: usize,
    /// The buffers after that step.
    memory: Memory,
    reaches: Arc<Reaches>,
}

impl Kept {
    fn buffer(
        &mut self,
        design: usize,
        trace: &Arc<Trace>,
        step: usize,
        buffer: Option<BufferNo>,
    ) -> Option<(BufferState, Arc<Reaches>)> {
        let known = self.all.iter().position(|known| known.design == design);
        let known = known.map(|index| self.all.swap_remove(index));
        let same = known.filter(|known| Arc::ptr_eq(&known.trace, trace));
        let (mut cursor, reaches) = match same {
            Some(last) => {
                let cursor = Cursor::resume(trace, last.step, last.memory)?;
                (cursor, last.reaches)
            }
            None => (Cursor::new(trace)?, Arc::new(Reaches::of(trace))),
        };
        cursor.go(step);
        let at = cursor.at();
        let memory = cursor.into_memory();
        let state = buffer.and_then(|no| memory.buffers.get(&no)).cloned();
        self.all.push(Last {
            design,
            trace: trace.clone(),
            step: at,
            memory,
            reaches: reaches.clone(),
        });
        Some((state.unwrap_or_default(), reaches))
    }
}

impl Frame {
    /// The frame of one column of the rows.
    #[must_use]
    pub fn new(
        design: usize,
        trace: &Arc<Trace>,
        rows: &[Row],
        row: usize,
        column: usize,
        kept: &mut Kept,
    ) -> Option<Self> {
        let of = |row: &Row| {
            let step = row.steps.get(column).copied().flatten()?;
            let write = row.name.write;
            Some(Moment { step, write })
        };
        let here = rows.get(row).and_then(of);
        let before = rows
            .get(..row)
            .and_then(|rows| rows.iter().rev().find_map(of));
        let now = here.or(before).or_else(|| rows.iter().find_map(of))?;
        let Moment { step, write } = now;
        let shown = |s: &Step| s.fields.is_some() && s.buffer.is_some();
        let drawn = trace
            .steps
            .get(..=step)?
            .iter()
            .rposition(shown)
            .unwrap_or(step);
        let buffer_no = trace.steps.get(drawn)?.buffer;
        let (mut buffer, reaches) = kept.buffer(design, trace, step, buffer_no)?;
        if write > 0 {
            take_back(&mut buffer, trace, now);
        }
        Some(Self {
            design,
            trace: trace.clone(),
            step,
            write,
            before,
            drawn,
            present: here.is_some(),
            buffer_no,
            buffer,
            reaches,
        })
    }

    /// The packet as the scene wants it.
    #[must_use]
    pub fn view(&self) -> Option<PacketView<'_>> {
        let step = self.trace.steps.get(self.drawn)?;
        Some(PacketView {
            step,
            fields: self.fields(),
            buffer: Some(&self.buffer),
        })
    }

    /// The packet's fields.
    #[must_use]
    pub fn fields(&self) -> Option<&PacketFields> {
        let index = self.trace.steps.get(self.drawn)?.fields?;
        self.trace.fields.get(index)
    }

    /// Where in the trace its buffer is.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let buffer = self.buffer_no.map(|no| self.reaches.get(no));
        buffer.unwrap_or_default()
    }

    /// The moment shown.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment {
            step: self.step,
            write: self.write,
        }
    }

    /// The bytes that the one write wrote that is shown; nothing where a whole step is.
    #[must_use]
    pub fn written(&self) -> Option<(std::ops::Range<u32>, Option<u32>)> {
        let index = self.write.checked_sub(1)? as usize;
        let (_, write) = own_writes(&self.trace, self.step).nth(index)?;
        let end = write.offset + write.new.len() as u32;
        Some((write.offset..end, write.moved_from))
    }

    /// The packet was released before this step.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.drawn != self.step
    }
}

/// Takes back what a step writes after a moment of it.
fn take_back(buffer: &mut BufferState, trace: &Trace, at: Moment) {
    let made = writes_made(trace, at);
    let later: Vec<_> = own_writes(trace, at.step)
        .filter(|(index, _)| *index >= made)
        .collect();
    for (_, write) in later.into_iter().rev() {
        let start = write.offset as usize;
        let bytes = buffer.bytes.iter_mut().skip(start);
        let origins = buffer.origins.iter_mut().skip(start);
        for ((byte, origin), old) in bytes.zip(origins).zip(&write.old) {
            (*byte, *origin) = *old;
        }
    }
}
