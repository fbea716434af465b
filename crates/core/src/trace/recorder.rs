//! Builds a [`Trace`]. The stack hands it steps; it stores deltas.

use std::sync::Arc;

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
    pub dev: Option<Arc<DevRef>>,
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

type Cell = (u8, super::OriginId);

/// A step itself, and what an instruction of a program adds to registers and stores.
const A_STEP: usize = size_of::<Step>() + 64;

/// Collects what happens.
#[derive(Debug)]
pub struct Recorder {
    /// The trace so far.
    pub trace: Trace,
    /// Functions and programs that were entered and not left; each [`Recorder::enter`] has its [`Recorder::leave`].
    depth: usize,
    steps: usize,
    /// Of these, instructions.
    insns: usize,
    /// Function-level steps that were forgotten.
    past: usize,
    looks: usize,
    bytes: usize,
    /// Steps are counted and not kept.
    pub quiet: bool,
    /// Up to this number a step of a function is only counted; 0 unless it is quiet.
    passing: usize,
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
            registers: Default::default(),
            writes: Vec::new(),
            stores: Default::default(),
            checkpoints: Vec::new(),
            returns: Vec::new(),
            sources: Default::default(),
            runs: Vec::new(),
            run_objects: Vec::new(),
            map_calls: Vec::new(),
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
            steps: 0,
            insns: 0,
            past: 0,
            looks: 0,
            bytes: 0,
            quiet: false,
            passing: 0,
        }
    }

    /// From now on steps are counted and not kept, `most` of them between one [`Recorder::forget`] and the next.
    pub fn be_quiet(&mut self, most: usize) {
        (self.quiet, self.passing) = (true, most);
    }

    /// The step of a function that is only counted; `false`: it is to be looked at.
    #[inline]
    pub fn passes(&mut self) -> bool {
        let passes = self.steps < self.passing;
        self.steps += usize::from(passes);
        passes
    }

    /// One level deeper: the steps that follow happen inside a function.
    #[inline]
    pub fn enter(&mut self) {
        self.depth += 1;
    }

    /// One level back.
    #[inline]
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Function-level steps so far: all but instructions.
    #[must_use]
    pub fn events(&self) -> usize {
        self.past + self.steps - self.insns
    }

    /// Index the next step will have.
    #[inline]
    #[must_use]
    pub fn next_step(&self) -> usize {
        self.steps
    }

    /// The virtual clock of programs, in nanoseconds: one for each function-level step and each look
    /// at the clock. Instructions do not count, so that a run without a trace sees the same times.
    pub fn clock(&mut self) -> u64 {
        self.looks += 1;
        (self.events() + self.looks) as u64
    }

    /// Bytes of memory behind the trace so far, about: what [`crate::limits::Limits`] bounds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// A step that is counted and not kept.
    #[inline]
    pub fn pass(&mut self, kind: &StepKind) {
        self.insns += usize::from(matches!(kind, StepKind::Insn { .. }));
        self.steps += 1;
    }

    /// Forgets what a quiet run has left: runs, reads, reports, lines, sources.
    pub fn forget(&mut self) {
        let trace = &mut self.trace;
        trace.runs.clear();
        trace.run_objects.clear();
        trace.map_calls.clear();
        trace.reads.clear();
        trace.reports.clear();
        trace.printk.clear();
        trace.taps.clear();
        trace.sources.clear();
        self.past = self.events();
        (self.steps, self.insns) = (0, 0);
    }

    /// Stores a step and the writes made since the one before; `writes` is empty afterwards.
    pub fn step(&mut self, moment: Moment, writes: &mut Vec<ByteWrite>) {
        self.pass(&moment.kind);
        let first = self.trace.writes.len();
        let cells = |write: &ByteWrite| (write.old.len() + write.new.len()) * size_of::<Cell>();
        let written = |write: &ByteWrite| size_of::<ByteWrite>() + cells(write);
        self.bytes += A_STEP + writes.iter().map(written).sum::<usize>();
        self.trace.writes.append(writes);
        let fields = moment.fields.map(|fields| self.intern(fields));
        self.trace.steps.push(Step {
            kind: moment.kind,
            depth: u16::try_from(self.depth).unwrap_or(u16::MAX),
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
            self.bytes += size_of::<PacketFields>();
            self.trace.fields.push(fields);
        }
        self.trace.fields.len() - 1
    }
}
