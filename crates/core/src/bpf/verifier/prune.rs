//! Cutting off ways whose state was walked before, and loops that do not end
//! (`bpf_is_state_visited()`, kernel/bpf/states.c).

use super::cfg::Info;
use super::equal::{Compare, Exact};
use super::objects::is_active;
use super::precise::{Node, Nodes};
use super::refusal::{Checked, Refusal};
use super::reg::{ADD, Reg};
use super::state::State;
use super::walk::Walk;

/// A state that was remembered (`struct bpf_verifier_state_list`).
#[derive(Debug)]
pub(super) struct Saved {
    pub state: State,
    /// Ways from here that are not walked to their end.
    pub branches: u32,
    misses: u32,
    hits: u32,
}

impl Walk<'_> {
    /// Whether the state at this instruction was walked before; if not it may be remembered.
    pub(super) fn is_visited(&mut self) -> Checked<bool> {
        let at = self.insn;
        let info = self.cfg.info[at];
        let (jumps, processed) = (
            self.jumps - self.at_saved.1,
            self.processed - self.at_saved.0,
        );
        let mut add = info.checkpoint || jumps >= 2 && processed >= 8;
        self.clean();
        let states = std::mem::take(&mut self.explored[at]);
        let mut kept = Vec::with_capacity(states.len() + 1);
        let mut hit = Ok(None);
        for &index in states.iter().rev() {
            if !matches!(hit, Ok(None)) {
                kept.push(index);
                continue;
            }
            hit = self.compare_with(index, info);
            if !matches!(hit, Ok(None)) {
                kept.push(index);
                continue;
            }
            let saved = &mut self.saved[index];
            // In a loop not every turn is worth remembering.
            if saved.branches > 0 && !info.checkpoint && jumps < 20 && processed < 100 {
                add = false;
            }
            saved.misses += u32::from(add);
            let patience = if info.checkpoint && saved.branches > 0 {
                64
            } else {
                3
            };
            if saved.misses > saved.hits * patience + patience {
                self.held = self.held.saturating_sub(saved.state.bytes());
                saved.state.frames = Vec::new();
            } else {
                kept.push(index);
            }
        }
        kept.reverse();
        self.explored[at] = kept;
        if let Some((index, looped)) = hit? {
            self.saved[index].hits += 1;
            if looped {
                self.loops.push(index);
            }
            self.inherit(index);
            return Ok(true);
        }
        if add {
            self.remember()?;
        }
        Ok(false)
    }

    /// `Some` if the way may be cut off; `true` with it if it is a loop that is still being walked.
    fn compare_with(&self, index: usize, info: Info) -> Checked<Option<(usize, bool)>> {
        let saved = &self.saved[index];
        let equal = |exact| {
            Compare::new(&self.nodes, &self.cfg.info, exact).states(&saved.state, &self.state)
        };
        if saved.branches == 0 {
            let open = info.in_loop && !self.loops.is_empty();
            let exact = if open { Exact::Within } else { Exact::No };
            return Ok(equal(exact).then_some((index, open)));
        }
        let later = |state: &State| state.frames.last().map_or(0, |frame| frame.later);
        if later(&saved.state) > 0 && later(&saved.state) != later(&self.state) {
            return Ok(None);
        }
        if info.iter_next {
            let hit = equal(Exact::Within) && self.iterates();
            return Ok(hit.then_some((index, true)));
        }
        if info.calls_callback {
            return Ok(equal(Exact::Within).then_some((index, true)));
        }
        let again = self.state.went_round != saved.state.went_round;
        if info.may_goto && again && equal(Exact::Within) {
            return Ok(Some((index, true)));
        }
        if self.state.unrolled == saved.state.unrolled
            && !again
            && equal(Exact::Yes)
            && !depths_differ(&saved.state, &self.state)
        {
            let slot = self.cfg.slots.get(self.insn).copied().unwrap_or_default();
            return Err(Refusal::InfiniteLoop(slot));
        }
        Ok(None)
    }

    /// Whether r1 points to an iterator that can still give numbers.
    fn iterates(&self) -> bool {
        let base = self.state.reg(1);
        let Some(off) = base.off().filter(|off| *off < 0) else {
            return false;
        };
        let (at, _) = super::state::slot_of(off);
        let frame = self.state.frames.get(base.aux as usize);
        frame.and_then(|f| f.stack.get(at)).is_some_and(is_active)
    }

    /// Registers that nobody reads any more hold nothing (`clean_verifier_state()`).
    fn clean(&mut self) {
        for number in 0..self.state.frames.len() {
            let at = self.state.insn_of(number);
            let live = self.cfg.info.get(at).map_or(u16::MAX, |info| info.live);
            for (reg, value) in self.state.frames[number]
                .regs
                .iter_mut()
                .enumerate()
                .take(10)
            {
                if live & (1 << reg) == 0 {
                    *value = Reg::NOT_INIT;
                }
            }
        }
    }

    /// What the walk from the equal state asked for, it asks for here too.
    fn inherit(&mut self, index: usize) {
        let old = &self.saved[index].state;
        let nodes = &mut self.nodes;
        for (old, cur) in old.frames.iter().zip(&self.state.frames) {
            for (old, cur) in old.regs.iter().zip(&cur.regs) {
                link(nodes, old, cur);
            }
            for (old, cur) in old.stack.iter().zip(&cur.stack) {
                if old.is_spill() && cur.is_spill() {
                    link(nodes, &old.reg, &cur.reg);
                }
            }
        }
    }

    fn remember(&mut self) -> Checked {
        self.at_saved = (self.processed, self.jumps);
        let nodes = &mut self.nodes;
        // Only what is asked for from here on counts.
        self.state.for_each(|reg| {
            if reg.is_scalar() {
                reg.node = nodes.make([reg.node, Node::NONE]);
            }
        });
        clear_single_ids(&mut self.state);
        let index = self.saved.len();
        self.saved.push(Saved {
            state: self.state.clone(),
            branches: 1,
            misses: 0,
            hits: 0,
        });
        self.state.parent = Some(index);
        self.state.depth += 1;
        self.explored[self.insn].push(index);
        self.hold(self.state.bytes() + size_of::<Saved>())
    }

    /// The end of a way (`bpf_update_branch_counts()`).
    pub(super) fn close(&mut self) {
        let mut next = self.state.parent;
        while let Some(index) = next {
            let saved = &mut self.saved[index];
            saved.branches = saved.branches.saturating_sub(1);
            if saved.branches > 0 {
                return;
            }
            next = saved.state.parent;
            if !self.loops.is_empty() {
                self.loops.retain(|open| *open != index);
            }
        }
    }

    /// `find_prev_entry()`: the same place one turn of the loop before.
    fn previous(&self, state: &State, at: usize) -> Option<usize> {
        let same = |index: &&usize| {
            let saved = &self.saved[**index];
            saved.branches > 0
                && saved.state.depth < state.depth
                && saved.state.same_callsites(state)
        };
        self.explored.get(at)?.iter().rev().find(same).copied()
    }

    /// After a callback: `at` is the call of the helper.
    pub(super) fn widen_loop(&mut self, at: usize) {
        if let Some(index) = self.previous(&self.state, at) {
            let old = &self.saved[index].state;
            widen(old, &mut self.state, &mut self.nodes);
        }
    }

    /// Before another number of an iterator.
    pub(super) fn widen_iter(&mut self, more: &mut State) {
        let parent = self.state.parent.and_then(|p| self.saved.get(p));
        if let Some(index) = parent.and_then(|p| self.previous(&p.state, self.insn)) {
            let old = &self.saved[index].state;
            widen(old, more, &mut self.nodes);
        }
    }
}

fn link(nodes: &mut Nodes, old: &Reg, cur: &Reg) {
    if old.is_scalar() && cur.is_scalar() {
        nodes.imply(old.node, cur.node);
    }
}

/// Numbers that changed since the last turn and were not needed exactly are forgotten, so that the loop comes
/// to an end (`widen_imprecise_scalars()`).
fn widen(old: &State, cur: &mut State, nodes: &mut Nodes) {
    let mut one = |old: &Reg, cur: &mut Reg| {
        let needed = nodes.is_precise(old.node) || nodes.is_precise(cur.node);
        let same = old.var == cur.var && old.delta == cur.delta;
        if old.is_scalar() && cur.is_scalar() && !needed && !same {
            *cur = Reg::UNKNOWN;
            cur.node = nodes.make([Node::NONE; 2]);
        }
    };
    for (old, cur) in old.frames.iter().zip(&mut cur.frames) {
        for (old, cur) in old.regs.iter().zip(&mut cur.regs) {
            one(old, cur);
        }
        for (old, cur) in old.stack.iter().zip(&mut cur.stack) {
            if old.is_spill() && cur.is_spill() {
                one(&old.reg, &mut cur.reg);
            }
        }
    }
}

/// `iter_active_depths_differ()`.
fn depths_differ(old: &State, cur: &State) -> bool {
    old.frames.iter().zip(&cur.frames).any(|(old, cur)| {
        old.stack
            .iter()
            .zip(&cur.stack)
            .any(|(old, cur)| is_active(old) && old.reg.range != cur.reg.range)
    })
}

/// `bpf_clear_singular_ids()`: an id that only one number has links nothing.
fn clear_single_ids(state: &mut State) {
    let mut ids: Vec<u32> = Vec::new();
    state.for_each(|reg| {
        if reg.is_scalar() && reg.id != 0 {
            ids.push(reg.id & !ADD);
        }
    });
    if ids.is_empty() {
        return;
    }
    ids.sort_unstable();
    state.for_each(|reg| {
        let id = reg.id & !ADD;
        if reg.is_scalar() && reg.id != 0 {
            let from = ids.partition_point(|other| *other < id);
            if ids.get(from + 1) != Some(&id) {
                reg.clear_id();
            }
        }
    });
}
