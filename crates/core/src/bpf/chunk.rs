//! Chunks: each component of up to [`MOST`] instructions of a program as one `rbpf` program, for running at full speed.
//!
//! Registers r0 to r9 of the program are r0 to r9 of `rbpf`; r10 of `rbpf` holds the address of the
//! register file. A chunk is entered at an *entry*: the registers that the component uses are loaded
//! from the file, and the code runs on, loops included, until it comes to something that `rbpf` does
//! not carry out (memory, calls, exit), leaves the component, or the budget is used up. Then the
//! registers that the component writes are stored, and r0 says which instruction is next.
//!
//! Each block first takes its instructions from the budget. If they are not there, nothing of the
//! block is done: the machine goes on instruction by instruction and stops at the right one. A straight
//! chunk, one block, leaves that to the machine, and loads only what it reads before it writes it.
//!
//! The only addresses that `rbpf` follows are those of the register file: no instruction that reads
//! or writes memory is ever put into a chunk for the program itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::code::{Arg, Code, MOV, SUB, alu_temps, branch_needs_temp};
use super::flow::{Component, Flow, entries};
use super::insn::{Insn, Operand};
use super::registers::{BUDGET, ENTRY, SPILL};

/// The most instructions of one chunk: `rbpf` counts its own in 16 bits with a sign, and one
/// instruction may become 50.
const MOST: usize = 512;
/// Where the file's address is, in a chunk.
const FILE: u8 = 10;

/// A part of a program as one `rbpf` program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub code: Arc<[u8]>,
    /// Of a straight chunk, its instructions, which it does not count.
    pub straight: Option<u64>,
}

/// All chunks of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    pub chunks: Vec<Chunk>,
    /// For each instruction at which a chunk can be entered: which chunk, and its how manieth entry.
    pub entries: Vec<Option<(u32, u32)>>,
}

/// Offset of a place in the register file.
fn at(place: usize) -> i16 {
    place as i16 * 8
}

/// The registers of a set, r0 first.
fn each(set: u16) -> impl Iterator<Item = u8> {
    (0..10u8).filter(move |n| set & 1 << n != 0)
}

impl Chunks {
    /// Writes the chunks of a program. `border` is an instruction at which a new chunk begins (the
    /// end of the prologue, whose instructions are counted by themselves).
    pub fn of(insns: &[&Insn], border: usize, wide: impl Fn(&Insn) -> u64) -> Chunks {
        let after = border.min(insns.len());
        let mut firsts: Vec<usize> = (0..after).step_by(MOST).collect();
        firsts.extend((after..insns.len()).step_by(MOST));
        let chunk_of = |at: usize| firsts.partition_point(|first| *first <= at);
        let from_elsewhere = entries(insns, chunk_of);
        let ends = firsts.iter().skip(1).copied().chain([insns.len()]);
        let mut out = Chunks {
            chunks: Vec::new(),
            entries: vec![None; insns.len()],
        };
        for (first, end) in firsts.iter().copied().zip(ends) {
            let flow = Flow::of(insns, first, end, &from_elsewhere);
            for component in 0..flow.components.len() {
                let points = flow.members(component).filter(|at| flow.entry[*at]);
                let points: Vec<usize> = points.collect();
                let builder = Builder::new(insns, first, &flow, component);
                let Some(code) = builder.build(&points, &wide) else {
                    continue;
                };
                let chunk = out.chunks.len() as u32;
                for (entry, point) in (0..).zip(&points) {
                    out.entries[first + point] = Some((chunk, entry));
                }
                let straight = flow.components[component].straight;
                out.chunks.push(Chunk {
                    code: code.into(),
                    straight: straight.then_some(flow.block_len(points[0]) as u64),
                });
            }
        }
        out
    }
}

/// A place in the code that jumps go to, known or not yet.
type Label = usize;

struct Builder<'i> {
    insns: &'i [&'i Insn],
    first: usize,
    flow: &'i Flow,
    component: usize,
    code: Code,
    labels: Vec<Option<usize>>,
    jumps: Vec<(usize, Label)>,
    /// The label of each block.
    blocks: BTreeMap<usize, Label>,
    /// The way out of a component to an instruction of the program.
    exits: BTreeMap<(usize, usize), Label>,
}

impl<'i> Builder<'i> {
    fn new(insns: &'i [&'i Insn], first: usize, flow: &'i Flow, component: usize) -> Builder<'i> {
        Builder {
            insns,
            first,
            flow,
            component,
            code: Code::default(),
            labels: Vec::new(),
            jumps: Vec::new(),
            blocks: BTreeMap::new(),
            exits: BTreeMap::new(),
        }
    }

    /// The bytecode; `None` if nobody comes there, or if a jump of it would be too far, which [`MOST`] rules out.
    fn build(mut self, points: &[usize], wide: impl Fn(&Insn) -> u64) -> Option<Vec<u8>> {
        points.first()?;
        let flow = self.flow;
        for at in flow.members(self.component).filter(|at| flow.leader[*at]) {
            let label = self.label();
            self.blocks.insert(at, label);
        }
        self.code.load(FILE, 1, 0);
        if points.len() > 1 {
            self.code.load(1, FILE, at(ENTRY));
        }
        self.dispatch(points, 0);
        for at in flow.members(self.component) {
            self.instruction(at, self.component, &wide);
        }
        for ((component, target), label) in std::mem::take(&mut self.exits) {
            self.here(label);
            self.leave(self.flow.components[component], target);
        }
        for (slot, label) in std::mem::take(&mut self.jumps) {
            let to = self.labels.get(label).copied().flatten()?;
            let distance = to as i64 - slot as i64 - 1;
            self.code.patch(slot, i16::try_from(distance).ok()?);
        }
        let fits = i16::try_from(self.code.slots()).is_ok();
        fits.then(|| self.code.into_bytes())
    }

    fn label(&mut self) -> Label {
        self.labels.push(None);
        self.labels.len() - 1
    }

    fn here(&mut self, label: Label) {
        let slot = self.code.slots();
        if let Some(place) = self.labels.get_mut(label) {
            *place = Some(slot);
        }
    }

    fn jump(&mut self, label: Label) {
        self.jumps.push((self.code.slots(), label));
        self.code.emit(0x05, 0, 0, 0, 0);
    }

    /// The jump just written goes there.
    fn goes_to(&mut self, label: Label) {
        self.jumps.push((self.code.slots() - 1, label));
    }

    /// The way out to an instruction of the program.
    fn exit(&mut self, component: usize, target: usize) -> Label {
        if let Some(label) = self.exits.get(&(component, target)) {
            return *label;
        }
        let label = self.label();
        self.exits.insert((component, target), label);
        label
    }

    /// Where a jump of a component goes: to a block of the chunk, or out of it.
    fn to(&mut self, component: usize, target: usize) -> Label {
        let inside = target
            .checked_sub(self.first)
            .filter(|at| self.flow.component.get(*at).copied().flatten().is_some())
            .and_then(|at| self.blocks.get(&at).copied());
        inside.unwrap_or_else(|| self.exit(component, target))
    }

    /// Goes to the entry whose number is in r1: `points`, the first of which has the number `low`.
    fn dispatch(&mut self, points: &[usize], low: i32) {
        if let [point] = points {
            let of = self.flow.components[self.component];
            for reg in each(of.live) {
                self.code.load(reg, FILE, at(usize::from(reg)));
            }
            if of.straight {
                return;
            }
            if let Some(counter) = counter(of.used) {
                self.code.load(counter, FILE, at(BUDGET));
            }
            let label = self.to(self.component, self.first + point);
            return self.jump(label);
        }
        let (left, right) = points.split_at(points.len() / 2);
        let middle = low + left.len() as i32;
        let label = self.label();
        self.code.emit(0x35, 1, 0, 0, middle); // if r1 >= middle
        self.goes_to(label);
        self.dispatch(left, low);
        self.here(label);
        self.dispatch(right, middle);
    }

    /// Stores what the component has written; the next instruction is `target`.
    fn leave(&mut self, component: Component, target: usize) {
        for reg in each(component.written) {
            self.code.store(FILE, at(usize::from(reg)), reg);
        }
        if let Some(counter) = counter(component.used).filter(|_| !component.straight) {
            self.code.store(FILE, at(BUDGET), counter);
        }
        self.code.alu64_imm(MOV, 0, target as i32);
        self.code.exit();
    }

    /// Takes a block's instructions from the budget, or leaves.
    fn count(&mut self, at_insn: usize, component: usize) {
        let len = self.flow.block_len(at_insn) as i32;
        let out = self.exit(component, self.first + at_insn);
        let less = 0xa5; // if dst < imm
        if let Some(counter) = counter(self.flow.components[component].used) {
            self.code.emit(less, counter, 0, 0, len);
            self.goes_to(out);
            return self.code.alu64_imm(SUB, counter, len);
        }
        let label = self.label();
        self.code.store(FILE, at(SPILL), 0);
        self.code.load(0, FILE, at(BUDGET));
        self.code.emit(less, 0, 0, 4, len);
        self.code.alu64_imm(SUB, 0, len);
        self.code.store(FILE, at(BUDGET), 0);
        self.code.load(0, FILE, at(SPILL));
        self.jump(label);
        self.code.load(0, FILE, at(SPILL));
        self.jump(out);
        self.here(label);
    }

    fn instruction(&mut self, at: usize, component: usize, wide: impl Fn(&Insn) -> u64) {
        if let Some(label) = self.blocks.get(&at).copied() {
            self.here(label);
            if !self.flow.components[component].straight {
                self.count(at, component);
            }
        }
        let next = self.first + at + 1;
        let Some(insn) = self.insns.get(self.first + at).copied() else {
            return;
        };
        match *insn {
            Insn::Jump { target, .. } => return self.go(component, target),
            Insn::Branch { target, .. } => {
                let label = self.to(component, target);
                self.branch(insn, component, label);
            }
            Insn::LoadImm { dst, .. } => self.code.wide(dst.number() as u8, wide(insn)),
            _ => self.alu(insn, component),
        }
        let falls_through = self.flow.component.get(at + 1).copied().flatten();
        if falls_through != Some(component) {
            self.go(component, next);
        }
    }

    /// Goes on at an instruction of the program.
    fn go(&mut self, component: usize, target: usize) {
        if self.flow.components[component].straight {
            return self.leave(self.flow.components[component], target);
        }
        let label = self.to(component, target);
        self.jump(label);
    }

    fn alu(&mut self, insn: &Insn, component: usize) {
        let Insn::Alu {
            width,
            op,
            dst,
            src,
        } = *insn
        else {
            return;
        };
        let dst = dst.number() as u8;
        let (arg, frame) = argument(src);
        let wanted = alu_temps(op) + usize::from(frame);
        let temps = self.take(wanted, component, keep(dst, arg));
        let [first, rest @ ..] = temps;
        let temp = if wanted == 4 { first } else { rest[2] };
        let arg = self.frame_pointer(arg, frame, temp);
        self.code.alu(width, op, dst, arg, rest);
        self.give_back(wanted, component, keep(dst, argument(src).0));
    }

    fn branch(&mut self, insn: &Insn, component: usize, label: Label) {
        let Insn::Branch {
            width,
            cond,
            dst,
            src,
            ..
        } = *insn
        else {
            return;
        };
        let dst = dst.number() as u8;
        let (arg, frame) = argument(src);
        if !(frame || branch_needs_temp(width, arg) || dst == FILE) {
            self.code.branch(width, cond, dst, arg, 0, 0);
            return self.goes_to(label);
        }
        let wanted = 2;
        let kept = keep(dst, arg);
        let temps = self.take(wanted, component, kept);
        let second = self.frame_pointer(arg, frame, temps[3]);
        let first = match dst {
            FILE => {
                self.code.load(temps[2], FILE, at(10));
                temps[2]
            }
            other => other,
        };
        let taken = self.label();
        let out = self.label();
        self.code.branch(width, cond, first, second, temps[3], 0);
        self.goes_to(taken);
        self.give_back(wanted, component, kept);
        self.jump(out);
        self.here(taken);
        self.give_back(wanted, component, kept);
        self.jump(label);
        self.here(out);
    }

    /// The frame pointer of the program as an operand: it is in the file only.
    fn frame_pointer(&mut self, arg: Arg, frame: bool, temp: u8) -> Arg {
        if !frame {
            return arg;
        }
        self.code.load(temp, FILE, at(10));
        Arg::Reg(temp)
    }

    /// `wanted` registers to overwrite, the last ones of four; those in use are put aside.
    fn take(&mut self, wanted: usize, component: usize, kept: u16) -> [u8; 4] {
        let (temps, aside) = self.temps(wanted, component, kept);
        for (place, reg) in aside.iter().enumerate() {
            self.code.store(FILE, at(SPILL + place), *reg);
        }
        temps
    }

    /// Undoes [`Builder::take`].
    fn give_back(&mut self, wanted: usize, component: usize, kept: u16) {
        let (_, aside) = self.temps(wanted, component, kept);
        for (place, reg) in aside.iter().enumerate() {
            self.code.load(*reg, FILE, at(SPILL + place));
        }
    }

    /// Registers to overwrite, and which of them the component uses.
    fn temps(&self, wanted: usize, component: usize, kept: u16) -> ([u8; 4], Vec<u8>) {
        let used = self.flow.components[component].used;
        let counter = counter(used).map_or(0, |reg| 1 << reg);
        let free = each(!used & !counter & !kept);
        let others = each(used & !kept);
        let chosen: Vec<u8> = free.chain(others).take(wanted).collect();
        let mut temps = [0; 4];
        for (place, reg) in temps.iter_mut().rev().zip(&chosen) {
            *place = *reg;
        }
        let aside = chosen.into_iter().filter(|reg| used & 1 << reg != 0);
        (temps, aside.collect())
    }
}

/// The register that counts the budget: one that the component does not use, if there is one.
fn counter(used: u16) -> Option<u8> {
    each(!used).last()
}

/// An operand, and whether it is the frame pointer.
fn argument(src: Operand) -> (Arg, bool) {
    match src {
        Operand::Imm(imm) => (Arg::Imm(imm), false),
        Operand::Reg(reg) => {
            let reg = reg.number() as u8;
            (Arg::Reg(reg), reg == FILE)
        }
    }
}

/// Registers that an instruction itself uses.
fn keep(dst: u8, arg: Arg) -> u16 {
    let arg = match arg {
        Arg::Reg(reg) => 1 << reg,
        Arg::Imm(_) => 0,
    };
    1 << dst | arg
}
