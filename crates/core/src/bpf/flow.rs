//! What of a chunk `rbpf` can carry out in one go: straight runs, the branches between them, loops.
//!
//! Arithmetic, wide loads, jumps and branches are *pure*: they touch registers only. Pure
//! instructions that reach each other form a component; it knows which registers it uses.

use super::insn::{AluOp, Insn, Operand};

/// Registers of one component, bit n is r<n>, and where it lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Component {
    pub used: u16,
    pub written: u16,
    /// Read as they were when the component was entered, perhaps.
    pub live: u16,
    /// It is one block, entered at its start and left at its end.
    pub straight: bool,
    /// First and last instruction.
    pub first: usize,
    pub last: usize,
}

/// A chunk, instruction by instruction; indexes count from the chunk's first.
#[derive(Debug)]
pub(super) struct Flow {
    /// The component of a pure instruction.
    pub component: Vec<Option<usize>>,
    /// A block begins here.
    pub leader: Vec<bool>,
    /// Control may come here from outside.
    pub entry: Vec<bool>,
    pub components: Vec<Component>,
}

/// Whether an instruction touches registers only and goes to places that are there.
fn is_pure(insn: &Insn, len: usize) -> bool {
    match insn {
        Insn::Alu { .. } | Insn::LoadImm { .. } => true,
        Insn::Jump { target, .. } | Insn::Branch { target, .. } => *target < len,
        _ => false,
    }
}

fn bit(reg: super::insn::Reg) -> u16 {
    1 << reg.number()
}

fn operand(src: Operand) -> u16 {
    match src {
        Operand::Reg(reg) => bit(reg),
        Operand::Imm(_) => 0,
    }
}

/// Registers an instruction reads, and those it writes; r10 is never written and always there.
pub(super) fn registers(insn: &Insn) -> (u16, u16) {
    let (read, written) = match *insn {
        Insn::Alu { op, dst, src, .. } => {
            let src = match op {
                AluOp::Neg | AluOp::ToLe(_) | AluOp::ToBe(_) | AluOp::Bswap(_) => 0,
                _ => operand(src),
            };
            let old = match op {
                AluOp::Mov | AluOp::MovSx(_) => 0,
                _ => bit(dst),
            };
            (old | src, bit(dst))
        }
        Insn::LoadImm { dst, .. } => (0, bit(dst)),
        Insn::Branch { dst, src, .. } => (bit(dst) | operand(src), 0),
        _ => (0, 0),
    };
    let frame_pointer = 1 << 10;
    (read & !frame_pointer, written)
}

impl Flow {
    /// Looks at `insns[first..end]`; `entries` are the instructions that control comes to from
    /// elsewhere ([`entries`]).
    pub fn of(insns: &[&Insn], first: usize, end: usize, entries: &[bool]) -> Flow {
        let chunk = insns.get(first..end).unwrap_or_default();
        let pure: Vec<bool> = chunk.iter().map(|i| is_pure(i, insns.len())).collect();
        let is = |at: usize| pure.get(at).copied().unwrap_or(false);
        let mut parents: Vec<usize> = (0..chunk.len()).collect();
        let mut leader = vec![false; chunk.len()];
        let mut entry = vec![false; chunk.len()];
        for (at, insn) in chunk.iter().enumerate().filter(|(at, _)| is(*at)) {
            let outside = entries.get(first + at).copied().unwrap_or(false);
            entry[at] = outside || at == 0 || !is(at - 1);
            leader[at] |= entry[at];
            if let Some(target) = insn.target().and_then(|t| t.checked_sub(first))
                && is(target)
            {
                leader[target] = true;
                join(&mut parents, at, target);
            }
            let ends_block = insn.target().is_some();
            if is(at + 1) {
                leader[at + 1] |= ends_block;
                if !matches!(insn, Insn::Jump { .. }) {
                    join(&mut parents, at, at + 1);
                }
            }
        }
        let mut number = vec![None; chunk.len()];
        let mut components: Vec<Component> = Vec::new();
        let mut component = vec![None; chunk.len()];
        for (at, insn) in chunk.iter().enumerate().filter(|(at, _)| is(*at)) {
            let root = find(&mut parents, at);
            let index = *number[root].get_or_insert_with(|| {
                components.push(Component {
                    first: at,
                    straight: true,
                    ..Component::default()
                });
                components.len() - 1
            });
            let (read, written) = registers(insn);
            let own = &mut components[index];
            let follows = at == own.first || own.last + 1 == at;
            own.straight &= follows && leader[at] == (at == own.first);
            own.straight &= insn.target() != Some(first + own.first);
            own.live |= read & !own.written;
            own.used |= read | written;
            own.written |= written;
            own.last = at;
            component[at] = Some(index);
        }
        for own in components.iter_mut().filter(|own| !own.straight) {
            own.live = own.used;
        }
        Flow {
            component,
            leader,
            entry,
            components,
        }
    }

    /// Instructions of a component, in order.
    pub fn members(&self, component: usize) -> impl Iterator<Item = usize> {
        let Component { first, last, .. } = self.components[component];
        (first..=last).filter(move |at| self.component[*at] == Some(component))
    }

    /// Instructions of the block that begins at `at`.
    pub fn block_len(&self, at: usize) -> usize {
        let rest = self.component.iter().zip(&self.leader).skip(at + 1);
        1 + rest
            .take_while(|(component, leader)| component.is_some() && !**leader)
            .count()
    }
}

/// Which instructions control comes to other than from the one before or by a jump of the same
/// chunk: functions, and targets of jumps from another chunk. `chunk_of` gives an instruction's.
pub(super) fn entries(insns: &[&Insn], chunk_of: impl Fn(usize) -> usize) -> Vec<bool> {
    let mut entries = vec![false; insns.len()];
    for (at, insn) in insns.iter().enumerate() {
        // a `may_goto` is carried out by the core
        let own = matches!(insn, Insn::MayGoto { .. });
        let jump = insn
            .target()
            .filter(|t| own || chunk_of(*t) != chunk_of(at));
        let target = insn.function().or(jump);
        if let Some(entry) = target.and_then(|target| entries.get_mut(target)) {
            *entry = true;
        }
    }
    entries
}

fn find(parents: &mut [usize], mut at: usize) -> usize {
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parents, a), find(parents, b));
    parents[a.max(b)] = a.min(b);
}
