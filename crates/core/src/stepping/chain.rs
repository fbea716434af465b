//! What a register's value came from: the instructions that made it, found backwards through registers, stack, map values
//! and packet bytes, and through what helpers read behind their arguments. Branches are not in it: they decide whether an
//! instruction runs, not what it makes.

use std::collections::BTreeSet;

use super::Stepper;
use crate::bpf::{Behind, Effects, MapDef, effects, map_at};
use crate::stack::address_of;

/// Bytes that are followed at once.
const BYTES: usize = 4096;
/// r1 to r5: arguments, gone after a call.
const ARGUMENTS: u16 = 0b11_1110;
/// r10, which no instruction writes.
const FRAME_POINTER: u16 = 1 << 10;

/// What is still looked for, further back.
struct Wanted {
    /// Registers, a bit each, of the functions at work.
    registers: Vec<u16>,
    /// Bytes of memory by their addresses.
    bytes: BTreeSet<u64>,
}

impl Wanted {
    fn of(&mut self, depth: usize) -> &mut u16 {
        if self.registers.len() <= depth {
            self.registers.resize(depth + 1, 0);
        }
        &mut self.registers[depth]
    }

    fn nothing(&self) -> bool {
        self.bytes.is_empty() && self.registers.iter().all(|registers| *registers == 0)
    }

    /// Takes away the bytes that were written; whether there were any.
    fn written(&mut self, start: u64, len: usize) -> bool {
        let end = start.wrapping_add(len as u64);
        let found: Vec<u64> = self.bytes.range(start..end.max(start)).copied().collect();
        for byte in &found {
            self.bytes.remove(byte);
        }
        !found.is_empty()
    }

    fn read(&mut self, address: u64, len: u64) {
        let room = BYTES.saturating_sub(self.bytes.len()) as u64;
        let all = 0..len.min(room);
        self.bytes.extend(all.map(|at| address.wrapping_add(at)));
    }
}

impl Stepper<'_> {
    /// Positions in the run of the instructions that made what register `register` holds after this one, in order: the last
    /// `most` of them. Nothing for r10 and for what the run began with. `maps` are those of the program's object: they say how
    /// long a key is that a helper takes.
    #[must_use]
    pub fn chain(&self, register: usize, most: usize, maps: &[MapDef]) -> Vec<usize> {
        let mut wanted = Wanted {
            registers: Vec::new(),
            bytes: BTreeSet::new(),
        };
        let mut inner = self.depth_after();
        *wanted.of(inner) = 1u16.checked_shl(register as u32).unwrap_or(0) & 0x3ff;
        let lines = &self.run.listing.lines;
        let mut known: Vec<Option<Effects>> = vec![None; lines.len()];
        let (mut walker, mut out) = (self.clone(), Vec::new());
        for at in (0..=self.at).rev() {
            if out.len() >= most || wanted.nothing() {
                break;
            }
            walker.at = at;
            let (depth, insn) = (self.depth_of(at), self.kind_of(at).0);
            let Some(line) = lines.get(insn) else {
                continue;
            };
            let does = known[insn].get_or_insert_with(|| effects(&line.text));
            if walker.made(does, depth, inner, &mut wanted, maps) {
                out.push(at);
            }
            inner = depth;
        }
        out.reverse();
        out
    }

    /// Whether this instruction made something that is wanted; what it made it from is wanted then. `inner` is how deep the
    /// calls are after it.
    fn made(
        &self,
        does: &Effects,
        depth: usize,
        inner: usize,
        wanted: &mut Wanted,
        maps: &[MapDef],
    ) -> bool {
        match *does {
            // Into a function: it finds its arguments where the caller left them, and r6 to r9 untouched.
            Effects::Enters if inner > depth => {
                let taken = std::mem::take(wanted.of(inner)) & !FRAME_POINTER;
                *wanted.of(depth) |= taken;
                return taken != 0;
            }
            // Back out of one: r0 is its own, r6 to r9 are as the caller had them.
            Effects::Leaves if inner < depth => {
                let taken = *wanted.of(inner) & 1;
                *wanted.of(inner) &= !(ARGUMENTS | 1);
                *wanted.of(depth) = taken;
                return taken != 0;
            }
            _ => {}
        }
        let Effects::Does {
            reads,
            writes,
            calls,
            behind,
            atomic,
        } = *does
        else {
            return false;
        };
        let mut made = *wanted.of(depth) & writes != 0;
        for store in self.stores() {
            made |= wanted.written(store.address, store.bytes.len());
        }
        for write in self.packet_writes() {
            let start = address_of(write.buffer).wrapping_add(u64::from(write.offset));
            made |= wanted.written(start, write.new.len());
        }
        if made {
            *wanted.of(depth) &= !writes;
        }
        if calls {
            *wanted.of(depth) &= !ARGUMENTS;
            // What a helper gave a function that it called back comes from itself.
            *wanted.of(depth + 1) = 0;
        }
        if made {
            *wanted.of(depth) |= reads & !FRAME_POINTER;
            if let Some(touched) = self.touched().filter(|t| !t.writes || atomic) {
                wanted.read(touched.address, u64::from(touched.size));
            }
            self.behind(behind, wanted, maps);
        }
        made
    }

    /// What a helper reads through its arguments is wanted.
    fn behind(&self, behind: [Behind; 5], wanted: &mut Wanted, maps: &[MapDef]) {
        let before = self.before();
        let map = |register: usize| maps.get(map_at(*before.get(register)?)?.0);
        for (address, what) in before.iter().skip(1).zip(behind) {
            let len = match what {
                Behind::Nothing => None,
                Behind::Key(of) => map(of).map(|map| u64::from(map.key_size)),
                Behind::Value(of) => map(of).map(|map| u64::from(map.value_size)),
                Behind::Sized(register) => before.get(register).copied(),
                Behind::Bytes(len) => Some(len),
            };
            wanted.read(*address, len.unwrap_or(0));
        }
    }
}
