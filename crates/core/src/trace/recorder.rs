//! Builds a [`Trace`]. The stack hands it steps; it stores deltas.

use super::Trace;
use super::fields::PacketFields;
use super::origin::Source;
use super::step::{BufferNo, ByteWrite, DevRef, Outcome, SkbNo, Step, StepKind};

/// A step as the stack sees it, before it is stored.
#[derive(Debug, Clone)]
pub struct Moment {
    /// What happened.
    pub kind: StepKind,
    /// Device at that moment.
    pub dev: Option<DevRef>,
    /// The packet.
    pub skb: Option<SkbNo>,
    /// Its buffer.
    pub buffer: Option<BufferNo>,
    /// Its fields, if it is still there.
    pub fields: Option<PacketFields>,
    /// Return value.
    pub outcome: Outcome,
    /// The packet is gone.
    pub freed: bool,
}

/// Collects what happens.
#[derive(Debug)]
pub struct Recorder {
    /// The trace so far.
    pub trace: Trace,
    depth: u16,
    events: usize,
}

impl Recorder {
    /// An empty recorder.
    #[must_use]
    pub fn new(scenario: &str, design: &str) -> Self {
        let trace = Trace {
            scenario: scenario.into(),
            design: design.into(),
            steps: Vec::new(),
            fields: Vec::new(),
            registers: Vec::new(),
            writes: Vec::new(),
            sources: Default::default(),
            runs: Vec::new(),
            reads: Vec::new(),
            reports: Vec::new(),
            printk: Vec::new(),
            warnings: Vec::new(),
            taps: Vec::new(),
            skipped: Vec::new(),
            maps: Vec::new(),
            cost: Default::default(),
        };
        Self {
            trace,
            depth: 0,
            events: 0,
        }
    }

    /// One level deeper: the steps that follow happen inside a function.
    pub fn enter(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// One level back.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Function-level steps so far: all but instructions.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events
    }

    /// Index the next step will have.
    #[must_use]
    pub fn next_step(&self) -> usize {
        self.trace.steps.len()
    }

    /// Stores a step and the writes made since the one before; `writes` is empty afterwards.
    pub fn step(&mut self, moment: Moment, writes: &mut Vec<ByteWrite>) {
        self.events += usize::from(!matches!(moment.kind, StepKind::Insn { .. }));
        let first = self.trace.writes.len();
        self.trace.writes.append(writes);
        let fields = moment.fields.map(|fields| self.intern(fields));
        self.trace.steps.push(Step {
            kind: moment.kind,
            depth: self.depth,
            dev: moment.dev,
            skb: moment.skb,
            buffer: moment.buffer,
            fields,
            writes: first..self.trace.writes.len(),
            outcome: moment.outcome,
            freed: moment.freed,
        });
    }

    /// Adds a source of bytes; its step is the next one.
    pub fn source(&mut self, mut source: Source) -> u16 {
        source.step = self.next_step();
        self.trace.sources.add(source)
    }

    /// Index of a field set; one that equals the latest is not stored again.
    fn intern(&mut self, fields: PacketFields) -> usize {
        if self.trace.fields.last() != Some(&fields) {
            self.trace.fields.push(fields);
        }
        self.trace.fields.len() - 1
    }
}
