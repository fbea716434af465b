//! One design at one moment: everything a component needs to draw.

use std::sync::Arc;

use headroom_core::scene::Row;
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
    /// The step whose packet is drawn: an earlier one when the packet is gone.
    pub drawn: usize,
    /// The design has this step. If not, `step` is the latest one before it.
    pub present: bool,
    /// Number of the packet's buffer.
    pub buffer_no: Option<BufferNo>,
    /// Its bytes and origins at `step`.
    pub buffer: BufferState,
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace)
            && self.step == other.step
            && self.present == other.present
    }
}

/// Where each design's buffers were drawn last. A step costs the writes between two steps, not
/// those since the start of the run.
#[derive(Debug, Default)]
pub struct Kept {
    /// Design, trace, step, buffers after it.
    all: Vec<(usize, Arc<Trace>, usize, Memory)>,
}

impl Kept {
    fn buffer(
        &mut self,
        design: usize,
        trace: &Arc<Trace>,
        step: usize,
        buffer: Option<BufferNo>,
    ) -> Option<BufferState> {
        let known = self.all.iter().position(|(known, ..)| *known == design);
        let known = known.map(|index| self.all.swap_remove(index));
        let same = known.filter(|(_, known, ..)| Arc::ptr_eq(known, trace));
        let mut cursor = match same {
            Some((_, _, at, memory)) => Cursor::resume(trace, at, memory)?,
            None => Cursor::new(trace)?,
        };
        cursor.go(step);
        let at = cursor.at();
        let memory = cursor.into_memory();
        let state = buffer.and_then(|no| memory.buffers.get(&no)).cloned();
        self.all.push((design, trace.clone(), at, memory));
        Some(state.unwrap_or_default())
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
        let of = |row: &Row| row.steps.get(column).copied().flatten();
        let here = rows.get(row).and_then(of);
        let before = || rows.get(..row)?.iter().rev().find_map(of);
        let step = here.or_else(before).or_else(|| rows.iter().find_map(of))?;
        let shown = |s: &Step| s.fields.is_some() && s.buffer.is_some();
        let drawn = trace
            .steps
            .get(..=step)?
            .iter()
            .rposition(shown)
            .unwrap_or(step);
        let buffer_no = trace.steps.get(drawn)?.buffer;
        let buffer = kept.buffer(design, trace, step, buffer_no)?;
        Some(Self {
            design,
            trace: trace.clone(),
            step,
            drawn,
            present: here.is_some(),
            buffer_no,
            buffer,
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

    /// The packet was released before this step.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.drawn != self.step
    }
}
