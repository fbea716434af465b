//! Whether a way that was walked tells that another one is safe
//! (`states_equal()`, `regsafe()`, `stacksafe()`, kernel/bpf/states.c).

use super::cfg::Info;
use super::precise::Nodes;
use super::reg::{ADD, Kind, Reg};
use super::state::{Byte, Frame, Slot, State};

/// `enum exact_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exact {
    /// Numbers that nobody asked for may differ.
    No,
    /// All numbers must lie within the old ones.
    Within,
    /// All must be the same.
    Yes,
}

pub(super) struct Compare<'c> {
    nodes: &'c Nodes,
    info: &'c [Info],
    exact: Exact,
    /// Old and new ids that mean the same.
    ids: Vec<(u32, u32)>,
    next: u32,
}

impl<'c> Compare<'c> {
    pub fn new(nodes: &'c Nodes, info: &'c [Info], exact: Exact) -> Compare<'c> {
        Compare {
            nodes,
            info,
            exact,
            ids: Vec::new(),
            // ids that no register has
            next: 1 << 29,
        }
    }

    pub fn states(mut self, old: &State, cur: &State) -> bool {
        if old.frames.len() != cur.frames.len() || !self.refs(old, cur) || !old.same_callsites(cur)
        {
            return false;
        }
        let frames = old.frames.iter().zip(&cur.frames).enumerate();
        for (number, (a, b)) in frames {
            let live = self
                .info
                .get(old.insn_of(number))
                .map_or(u16::MAX, |i| i.live);
            if a.callback_depth > b.callback_depth
                || a.callback != b.callback
                || !self.registers(a, b, live | 1 << 10)
                || !self.stack(a, b)
            {
                return false;
            }
        }
        true
    }

    fn refs(&mut self, old: &State, cur: &State) -> bool {
        let locks = match (old.lock, cur.lock) {
            (None, None) => true,
            (Some(a), Some(b)) => a.1 == b.1 && self.ids(a.0, b.0),
            _ => false,
        };
        locks
            && (old.rcu, old.preempt) == (cur.rcu, cur.preempt)
            && old.refs.len() == cur.refs.len()
            && old
                .refs
                .iter()
                .zip(&cur.refs)
                .all(|(a, b)| self.ids(a.id, b.id) && self.ids(a.parent, b.parent))
    }

    /// `check_ids()`.
    fn ids(&mut self, old: u32, cur: u32) -> bool {
        if (old == 0) != (cur == 0) {
            return false;
        }
        if old == 0 {
            return true;
        }
        for (a, b) in &self.ids {
            if *a == old {
                return *b == cur;
            }
            if *b == cur {
                return false;
            }
        }
        self.ids.push((old, cur));
        true
    }

    /// `check_scalar_ids()`.
    fn scalar_ids(&mut self, old: u32, mut cur: u32) -> bool {
        if old == 0 {
            return true;
        }
        if cur == 0 {
            self.next += 1;
            cur = self.next;
        }
        self.ids(old, cur) && (old & ADD == 0 || self.ids(old & !ADD, cur & !ADD))
    }

    fn registers(&mut self, old: &Frame, cur: &Frame, live: u16) -> bool {
        (0..11).all(|reg| live & (1 << reg) == 0 || self.reg(&old.regs[reg], &cur.regs[reg]))
    }

    fn same(&mut self, old: &Reg, cur: &Reg) -> bool {
        old.kind == cur.kind
            && old.flags == cur.flags
            && old.aux == cur.aux
            && old.range == cur.range
            && old.delta == cur.delta
            && old.var == cur.var
            && self.ids(old.id, cur.id)
            && self.ids(old.parent, cur.parent)
    }

    /// Whether what holds for `old` holds for `cur`.
    fn reg(&mut self, old: &Reg, cur: &Reg) -> bool {
        if self.exact == Exact::Yes {
            return self.same(old, cur);
        }
        if old.kind == Kind::NotInit {
            return true;
        }
        if (old.kind, old.flags) != (cur.kind, cur.flags) {
            return false;
        }
        match old.kind {
            Kind::Scalar => {
                if self.exact == Exact::No && !self.nodes.is_precise(old.node) {
                    return true;
                }
                if old.id != 0 && old.id & ADD != cur.id & ADD
                    || old.id & ADD != 0 && old.delta != cur.delta
                {
                    return false;
                }
                self.scalar_ids(old.id, cur.id) && old.var.holds(&cur.var)
            }
            Kind::MapKey | Kind::MapValue | Kind::Mem => {
                old.aux == cur.aux
                    && old.var.holds(&cur.var)
                    && self.ids(old.id, cur.id)
                    && self.ids(old.parent, cur.parent)
            }
            Kind::Packet | Kind::Meta => {
                let range = if old.range < 0 || cur.range < 0 {
                    old.range == cur.range
                } else {
                    old.range <= cur.range
                };
                range
                    && self.ids(old.id, cur.id)
                    && (old.id == 0 || old.var.r64.base == cur.var.r64.base)
                    && old.var.holds(&cur.var)
            }
            _ => self.same(old, cur),
        }
    }

    fn stack(&mut self, old: &Frame, cur: &Frame) -> bool {
        let empty = Slot::EMPTY;
        old.stack
            .iter()
            .enumerate()
            .all(|(at, slot)| self.slot(slot, cur.stack.get(at).unwrap_or(&empty)))
    }

    fn slot(&mut self, old: &Slot, cur: &Slot) -> bool {
        let mut i = 0;
        while i < 8 {
            let (a, b) = (old.bytes[i], cur.bytes[i]);
            if self.exact == Exact::Yes && a != b {
                return false;
            }
            if matches!(a, Byte::Invalid | Byte::Misc) {
                i += 1;
                continue;
            }
            // numbers, and bytes of which nothing is known
            if (i == 0 || i == 4)
                && let (Some(a), Some(b)) = (as_scalar(old, i), as_scalar(cur, i))
            {
                if !self.reg(&a, &b) {
                    return false;
                }
                i = 8;
                continue;
            }
            if a != b {
                return false;
            }
            if i == 7 {
                let fits = match a {
                    Byte::Spill => self.reg(&old.reg, &cur.reg),
                    Byte::Dynptr => {
                        old.reg.aux == cur.reg.aux
                            && old.reg.range == cur.reg.range
                            && self.ids(old.reg.id, cur.reg.id)
                            && self.ids(old.reg.parent, cur.reg.parent)
                    }
                    Byte::Iter => old.reg.aux == cur.reg.aux && self.ids(old.reg.id, cur.reg.id),
                    _ => true,
                };
                if !fits {
                    return false;
                }
            }
            i += 1;
        }
        true
    }
}

/// `scalar_reg_for_stack()`.
fn as_scalar(slot: &Slot, from: usize) -> Option<Reg> {
    if slot.bytes[from] == Byte::Spill && slot.reg.is_scalar() {
        return Some(slot.reg);
    }
    let unknown = |byte: &Byte| matches!(byte, Byte::Misc | Byte::Invalid);
    slot.bytes[from..]
        .iter()
        .all(unknown)
        .then_some(Reg::UNKNOWN)
}
