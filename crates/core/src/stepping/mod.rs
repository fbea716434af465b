//! Stepping through one run of a program: instruction by instruction, over calls, out of them, to a
//! line of C, and back. The site and the command line show what this says.
//!
//! A [`Stepper`] is a position in a finished trace, so going back is as cheap as going on, and a
//! trace of a million instructions is stepped through without running anything again.

mod place;

pub use place::{Place, place};

use crate::bpf::{CTX_ADDRESS, ListingLine, STACK_TOP};
use crate::trace::{ByteWrite, Run, Step, StepKind, Trace, stores::Store};

/// Bytes of one stack frame.
const FRAME: u64 = 512;

/// A position in a run.
#[derive(Debug, Clone)]
pub struct Stepper<'t> {
    trace: &'t Trace,
    run: &'t Run,
    /// Steps of the run's instructions.
    steps: Vec<u32>,
    at: usize,
}

/// What went into a branch and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The jump was taken.
    pub taken: bool,
    /// What the first operand was.
    pub left: Place,
    /// The condition, such as `>` or `s<=`.
    pub cond: &'static str,
    /// What the second operand was.
    pub right: Place,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            left, cond, right, ..
        } = self;
        let (is, goes) = match self.taken {
            true => ("holds", "jumps"),
            false => ("does not hold", "goes on"),
        };
        write!(f, "{left} {cond} {right} {is}: {goes}")
    }
}

impl<'t> Stepper<'t> {
    /// At the first instruction of a run (index into `Trace::runs`). `None` if none was traced.
    #[must_use]
    pub fn new(trace: &'t Trace, run: usize) -> Option<Self> {
        let own = |step: &Step| matches!(step.kind, StepKind::Insn { run: of, .. } if of == run);
        let numbered = (0u32..).zip(&trace.steps);
        let steps: Vec<u32> = numbered
            .filter(|(_, step)| own(step))
            .map(|(index, _)| index)
            .collect();
        let run = trace.runs.get(run)?;
        (!steps.is_empty()).then_some(Self {
            trace,
            run,
            steps,
            at: 0,
        })
    }

    /// Instructions carried out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Never: a stepper has an instruction to stand at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Which of them it stands at, from 0.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes to an instruction carried out (clamped to the last).
    pub fn go(&mut self, to: usize) {
        self.at = to.min(self.steps.len() - 1);
    }

    /// Index of the step in the trace.
    #[must_use]
    pub fn step(&self) -> usize {
        self.step_of(self.at)
    }

    fn step_of(&self, at: usize) -> usize {
        self.steps.get(at).map_or(0, |step| *step as usize)
    }

    /// Index of an instruction in the listing, and of its register file.
    fn kind_of(&self, at: usize) -> (usize, usize) {
        match self.trace.steps.get(self.step_of(at)).map(|s| &s.kind) {
            Some(StepKind::Insn {
                insn, registers, ..
            }) => (*insn, *registers),
            _ => (0, 0),
        }
    }

    fn line_of(&self, at: usize) -> Option<&'t ListingLine> {
        self.run.listing.lines.get(self.kind_of(at).0)
    }

    /// Index in the listing (the pc, in instructions).
    #[must_use]
    pub fn insn(&self) -> usize {
        self.kind_of(self.at).0
    }

    /// The listing's line.
    #[must_use]
    pub fn line(&self) -> Option<&'t ListingLine> {
        self.line_of(self.at)
    }

    /// Line of C: number and text, if the object has line info.
    #[must_use]
    pub fn c_line(&self) -> Option<(u32, &'t str)> {
        let number = self.line()?.c_line?;
        let mut source = self.run.listing.source.iter();
        let text = source.find(|(line, _)| *line == number);
        Some((number, text.map_or("", |(_, text)| text)))
    }

    /// r0 to r10 after the instruction.
    #[must_use]
    pub fn after(&self) -> [u64; 11] {
        self.after_of(self.at)
    }

    fn after_of(&self, at: usize) -> [u64; 11] {
        let file = self.trace.registers.get(self.kind_of(at).1);
        file.unwrap_or_default()
    }

    /// r0 to r10 before the instruction. In front of the first one r1 is the context and r10 the stack.
    #[must_use]
    pub fn before(&self) -> [u64; 11] {
        self.before_of(self.at)
    }

    fn before_of(&self, at: usize) -> [u64; 11] {
        match at.checked_sub(1) {
            Some(before) => self.after_of(before),
            None => {
                let mut file = [0; 11];
                (file[1], file[10]) = (CTX_ADDRESS, STACK_TOP);
                file
            }
        }
    }

    /// Numbers of the registers that the instruction changed.
    #[must_use]
    pub fn changed(&self) -> Vec<usize> {
        let (before, after) = (self.before(), self.after());
        (0..11).filter(|n| before[*n] != after[*n]).collect()
    }

    /// Nested calls of the function at work: 0 for the program itself.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth_of(self.at)
    }

    fn depth_of(&self, at: usize) -> usize {
        ((STACK_TOP.wrapping_sub(self.before_of(at)[10])) / FRAME) as usize
    }

    /// What a value is, after this instruction.
    #[must_use]
    pub fn place(&self, value: u64) -> Place {
        self.place_in(self.after()[10], value)
    }

    fn place_in(&self, frame: u64, value: u64) -> Place {
        let maps = &self.run.listing.map_names;
        match self.trace.steps.get(self.step()) {
            Some(step) => place(self.trace, step, frame, maps, value),
            None => Place::Number(value),
        }
    }

    /// Packet bytes that the instruction wrote, by itself or through a helper.
    #[must_use]
    pub fn packet_writes(&self) -> &'t [ByteWrite] {
        let range = self.trace.steps.get(self.step()).map(|s| s.writes.clone());
        let writes = range.and_then(|range| self.trace.writes.get(range));
        writes.unwrap_or_default()
    }

    /// Stack bytes and map values that it wrote.
    pub fn stores(&self) -> impl Iterator<Item = Store<'t>> {
        let step = self.step();
        self.trace.stores.between(step, step + 1)
    }

    /// The stack frame of the function at work, after the instruction: 512 bytes up to r10, `None`
    /// where the run has written nothing.
    #[must_use]
    pub fn frame(&self) -> Vec<Option<u8>> {
        let mut bytes = vec![None; FRAME as usize];
        let bottom = self.after()[10].wrapping_sub(FRAME);
        for store in self.trace.stores.between(self.step_of(0), self.step() + 1) {
            for (byte, address) in store.bytes.iter().zip(store.address..) {
                let at = address.wrapping_sub(bottom);
                if let Some(place) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)) {
                    *place = Some(*byte);
                }
            }
        }
        bytes
    }

    /// Why a branch went where it went; `None` for other instructions, and for a branch after which
    /// the run ended.
    #[must_use]
    pub fn why(&self) -> Option<Why> {
        let branch = self.line()?.branch?;
        if self.at + 1 >= self.len() {
            return None;
        }
        let before = self.before();
        let cut = |value: u64| match branch.short {
            true => Place::Number(value & 0xffff_ffff),
            false => self.place_in(before[10], value),
        };
        let of = |reg: u8| cut(before.get(usize::from(reg)).copied().unwrap_or(0));
        let right = match branch.right {
            Some(reg) => of(reg),
            None => cut(i64::from(branch.imm) as u64),
        };
        Some(Why {
            taken: self.kind_of(self.at + 1).0 == branch.target,
            left: of(branch.left),
            cond: branch.cond,
            right,
        })
    }

    /// The next instruction, into a function that is called. `false` at the end.
    pub fn step_into(&mut self) -> bool {
        self.find(|_, _| true)
    }

    /// The next instruction of this function or of its callers.
    pub fn step_over(&mut self) -> bool {
        let depth = self.depth();
        self.find(|stepper, at| stepper.depth_of(at) <= depth)
    }

    /// The next instruction of a caller.
    pub fn step_out(&mut self) -> bool {
        let depth = self.depth();
        self.find(|stepper, at| stepper.depth_of(at) < depth)
    }

    /// The next instruction at which a line of C begins.
    pub fn to_line(&mut self, line: u32) -> bool {
        let of = |stepper: &Self, at| stepper.line_of(at).and_then(|l| l.c_line);
        self.find(|stepper, at| {
            of(stepper, at) == Some(line) && of(stepper, at.wrapping_sub(1)) != Some(line)
        })
    }

    /// The instruction before. `false` at the beginning.
    pub fn back(&mut self) -> bool {
        self.find_back(|_, _| true)
    }

    /// The instruction before of this function or of its callers.
    pub fn back_over(&mut self) -> bool {
        let depth = self.depth();
        self.find_back(|stepper, at| stepper.depth_of(at) <= depth)
    }

    fn find(&mut self, is: impl Fn(&Self, usize) -> bool) -> bool {
        let found = (self.at + 1..self.len()).find(|at| is(self, *at));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    fn find_back(&mut self, is: impl Fn(&Self, usize) -> bool) -> bool {
        let found = (0..self.at).rev().find(|at| is(self, *at));
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }
}
