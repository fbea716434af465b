//! Stepping through one run of a program: instruction by instruction, over calls, out of them, to a
//! line of C, and back. The site and the command line show what this says.
//!
//! A [`Stepper`] is a position in a finished trace, so going back is as cheap as going on, and a
//! trace of a million instructions is stepped through without running anything again.

mod chain;
mod index;
mod maps;
mod moves;
mod place;

pub use index::RunIndex;
pub use maps::MapsAt;
pub use place::{Around, Place, in_buffer, place};

use std::sync::Arc;

use crate::bpf::{Branch, CTX_ADDRESS, ListingLine, STACK_TOP};
use crate::trace::{BufferNo, ByteWrite, Run, StepKind, Trace, stores::Store};

/// A position in a run.
#[derive(Debug, Clone)]
pub struct Stepper<'t> {
    trace: &'t Trace,
    run: &'t Run,
    index: Arc<RunIndex>,
    at: usize,
}

/// What a load, a store or an atomic operation touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Where.
    pub place: Place,
    /// The address.
    pub address: u64,
    /// Bytes.
    pub size: u8,
    /// It wrote.
    pub writes: bool,
    /// The packet buffer it lies in, and the offset from `head`.
    pub buffer: Option<(BufferNo, i64)>,
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
        Self::resume(trace, Arc::new(RunIndex::new(trace, run)?), 0)
    }

    /// At an instruction of a run that was prepared before (clamped to the last). `None` if it is the run of
    /// another trace.
    #[must_use]
    pub fn resume(trace: &'t Trace, index: Arc<RunIndex>, at: usize) -> Option<Self> {
        let run = trace.runs.get(index.run)?;
        let at = at.min(index.steps.len().checked_sub(1)?);
        Some(Self {
            trace,
            run,
            index,
            at,
        })
    }

    /// Instructions carried out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.steps.len()
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
        self.at = to.min(self.index.steps.len() - 1);
    }

    /// Index of the step in the trace.
    #[must_use]
    pub fn step(&self) -> usize {
        self.step_of(self.at)
    }

    fn step_of(&self, at: usize) -> usize {
        self.index.steps.get(at).map_or(0, |step| *step as usize)
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

    /// The run.
    #[must_use]
    pub fn run(&self) -> &'t Run {
        self.run
    }

    /// Index in the listing of another instruction carried out.
    #[must_use]
    pub fn insn_at(&self, at: usize) -> usize {
        self.kind_of(at).0
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

    /// The same after the instruction; at the last one, as before it.
    #[must_use]
    pub fn depth_after(&self) -> usize {
        let next = self.at + 1;
        self.depth_of(if next < self.len() { next } else { self.at })
    }

    fn depth_of(&self, at: usize) -> usize {
        self.index.depths.get(at).copied().unwrap_or(0).into()
    }

    /// What a value is, after this instruction.
    #[must_use]
    pub fn place(&self, value: u64) -> Place {
        self.place_in(self.after()[10], value)
    }

    fn place_in(&self, frame: u64, value: u64) -> Place {
        let Some(step) = self.trace.steps.get(self.step()) else {
            return Place::Number(value);
        };
        let around = Around {
            trace: self.trace,
            step,
            frame,
            maps: &self.run.listing.map_names,
            buffers: self.index.buffers,
        };
        place(around, value)
    }

    /// What it loaded or stored through a register; helpers are not in it.
    #[must_use]
    pub fn touched(&self) -> Option<Touched> {
        let access = self.line()?.access?;
        let before = self.before();
        let base = before.get(usize::from(access.base))?;
        let address = base.wrapping_add_signed(i64::from(access.off));
        Some(Touched {
            place: self.place_in(before[10], address),
            address,
            size: access.size,
            writes: access.writes,
            buffer: in_buffer(address, self.index.buffers),
        })
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
        let top = self.after()[10];
        self.index.frame(self.trace, top, self.step())
    }

    /// Instructions that called the functions at work, outermost first: positions in the run.
    #[must_use]
    pub fn callers(&self) -> Vec<usize> {
        let mut calls = Vec::new();
        let mut at = self.at;
        for depth in (0..self.depth()).rev() {
            let here = |before: &usize| self.depth_of(*before) == depth;
            let Some(call) = (0..at).rev().find(here) else {
                break;
            };
            calls.push(call);
            at = call;
        }
        calls.reverse();
        calls
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
        let next = self.kind_of(self.at + 1).0;
        let number = |value: u64| match branch.short {
            true => value & 0xffff_ffff,
            false => value,
        };
        let raw = |reg: u8| number(before.get(usize::from(reg)).copied().unwrap_or(0));
        let with = branch
            .right
            .map_or(number(i64::from(branch.imm) as u64), raw);
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
            // A jump to the very next instruction goes there whether it is taken or not.
            taken: match branch.target == self.insn() + 1 {
                true => holds(branch, raw(branch.left), with),
                false => next == branch.target,
            },
            left: of(branch.left),
            cond: branch.cond,
            right,
        })
    }
}

/// Whether a condition holds (RFC 9669, 4.3).
fn holds(branch: Branch, left: u64, right: u64) -> bool {
    let signed = |value: u64| match branch.short {
        true => i64::from(value as u32 as i32),
        false => value as i64,
    };
    let (sleft, sright) = (signed(left), signed(right));
    match branch.cond {
        "==" => left == right,
        "!=" => left != right,
        "&" => left & right != 0,
        ">" => left > right,
        ">=" => left >= right,
        "<" => left < right,
        "<=" => left <= right,
        "s>" => sleft > sright,
        "s>=" => sleft >= sright,
        "s<" => sleft < sright,
        _ => sleft <= sright,
    }
}
