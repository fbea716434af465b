//! Branches: which ways there are, and what each tells (`check_cond_jmp_op()`, kernel/bpf/verifier.c).

use crate::bpf::insn::{Cond, Operand, Reg as Register, Width};

use super::precise::Node;
use super::refine::{self, Taken};
use super::refusal::Checked;
use super::reg::{ADD, ADD_32, INNER, Kind, Reg};
use super::scalar::Scalar;
use super::state::State;
use super::walk::{Next, Walk, map_of};
use crate::bpf::insn::AluOp;

/// `reg_not_null()`.
fn is_not_null(reg: &Reg) -> bool {
    let limit = super::alu::MAX_VAR_OFF;
    if reg.may_be_null() || reg.var.smin() <= -limit || reg.var.smax() >= limit {
        return false;
    }
    match reg.kind {
        Kind::Sock
        | Kind::TcpSock
        | Kind::XdpSock
        | Kind::SockCommon
        | Kind::MapValue
        | Kind::MapKey
        | Kind::Mem
        | Kind::MapPtr => true,
        Kind::Btf => reg.flags & super::reg::TRUSTED != 0,
        _ => false,
    }
}

/// `is_branch_taken()`.
fn decide(a: &Reg, b: &Reg, same: bool, cond: Cond, wide: bool) -> Option<bool> {
    if a.is_packet_any() && b.is_packet_any() && wide {
        return refine::decide_packet(a, b, cond);
    }
    if a.is_scalar() && b.is_scalar() {
        return refine::decide(&a.var, &b.var, same, cond, wide);
    }
    if !wide {
        return None;
    }
    let (pointer, number) = if b.is_scalar() && b.var.is_const() {
        (a, b)
    } else {
        (b, a)
    };
    if !number.is_null() || !is_not_null(pointer) {
        return None;
    }
    match cond {
        Cond::Eq => Some(false),
        Cond::Ne => Some(true),
        _ => None,
    }
}

impl Walk<'_> {
    pub(super) fn check_branch(
        &mut self,
        width: Width,
        cond: Cond,
        dst: Register,
        src: Operand,
        target: usize,
    ) -> Checked<Next> {
        let (wide, dst) = (width == Width::W64, dst.number());
        self.read(dst)?;
        let src = match src {
            Operand::Reg(src) => {
                self.read(src.number())?;
                Ok(src.number())
            }
            Operand::Imm(imm) => Err(Reg::number(i64::from(imm) as u64)),
        };
        let a = *self.state.reg(dst);
        let b = src.map_or_else(|number| number, |src| *self.state.reg(src));
        let same = src == Ok(dst);
        let mut decided = decide(&a, &b, same, cond, wide);
        if decided.is_none() && a.is_scalar() && b.is_scalar() {
            let learn = |taken| refine::learn(&a.var, &b.var, cond, wide, taken);
            match (learn(Taken::No), learn(Taken::Yes)) {
                (Some(no), Some(yes)) => {
                    self.split([a, b], dst, src.ok(), [yes, no], target)?;
                    return Ok(Next::Fall);
                }
                (None, _) => decided = Some(true),
                (_, None) => decided = Some(false),
            }
        }
        if let Some(taken) = decided {
            for value in [&a, &b] {
                if value.is_scalar() {
                    self.nodes.ask(value.node);
                }
            }
            return Ok(if taken { Next::To(target) } else { Next::Fall });
        }
        let mut other = self.state.clone();
        self.learn_pointers(&mut other, dst, src, cond, wide);
        self.push_state(other, target)?;
        Ok(Next::Fall)
    }

    /// `may_goto`: the end of the loop first, then another turn, with what changed since the last one forgotten.
    pub(super) fn check_may_goto(&mut self, target: usize) -> Checked<Next> {
        let mut more = self.state.clone();
        more.went_round += 1;
        self.widen_iter(&mut more);
        self.push_state(more, self.insn + 1)?;
        Ok(Next::To(target))
    }

    /// Both ways with what the comparison of two numbers tells: where it holds, and where not.
    fn split(
        &mut self,
        [a, b]: [Reg; 2],
        dst: usize,
        src: Option<usize>,
        learned: [(Scalar, Scalar); 2],
        target: usize,
    ) -> Checked {
        let [yes, no] = learned.map(|(x, y)| {
            let (mut x, mut y) = (Reg { var: x, ..a }, Reg { var: y, ..b });
            if src.is_some() {
                x.node = self.nodes.make([a.node, b.node]);
                y.node = self.nodes.make([a.node, b.node]);
            }
            (x, y)
        });
        let mut other = self.state.clone();
        let this = &mut self.state;
        for (state, (x, y)) in [(&mut other, yes), (&mut *this, no)] {
            state.set(dst, x);
            if let Some(src) = src.filter(|src| *src != dst) {
                state.set(src, y);
                sync_linked(state, y, &mut self.nodes);
            }
            // the first may be linked to the second, and know more by now
            let x = *state.reg(dst);
            sync_linked(state, x, &mut self.nodes);
        }
        self.push_state(other, target)
    }

    /// What the comparison of a pointer tells.
    fn learn_pointers(
        &mut self,
        other: &mut State,
        dst: usize,
        src: Result<usize, Reg>,
        cond: Cond,
        wide: bool,
    ) {
        let a = *self.state.reg(dst);
        let b = src.map_or_else(|number| number, |src| *self.state.reg(src));
        let equal = matches!(cond, Cond::Eq | Cond::Ne);
        if let (true, true, Ok(src)) = (wide && equal, !a.is_scalar() && !b.is_scalar(), src)
            && a.kind != Kind::Btf
            && b.kind != Kind::Btf
        {
            // the way on which both are the same pointer
            let same = if cond == Cond::Eq {
                &mut *other
            } else {
                &mut self.state
            };
            if is_not_null(&a) && b.may_be_null() {
                not_null(&mut same.frame_mut().regs[src], self.program);
            }
            if is_not_null(&b) && a.may_be_null() {
                not_null(&mut same.frame_mut().regs[dst], self.program);
            }
        }
        if wide && equal && a.may_be_null() && b.is_null() {
            if src.is_ok() {
                self.nodes.ask(b.node);
            }
            let (null, not) = if cond == Cond::Eq {
                (other, &mut self.state)
            } else {
                (&mut self.state, other)
            };
            null_known(null, a.id, true, self.program, &mut self.nodes);
            null_known(not, a.id, false, self.program, &mut self.nodes);
            return;
        }
        let matched = match src {
            Ok(src) if wide => refine::packet_pointers(cond, dst, src, &mut self.state, other),
            _ => false,
        };
        if !matched && !a.is_scalar() {
            self.leak(dst);
        }
    }
}

/// `mark_ptr_not_null_reg()`.
pub(super) fn not_null(reg: &mut Reg, program: &crate::bpf::program::Program) {
    if reg.kind == Kind::MapValue {
        let kind = map_of(program, reg.aux).map_or(0, |def| def.kind.number());
        match kind {
            // BPF_MAP_TYPE_ARRAY_OF_MAPS, _HASH_OF_MAPS
            12 | 13 => {
                reg.kind = Kind::MapPtr;
                reg.aux |= INNER;
            }
            // BPF_MAP_TYPE_XSKMAP, _SOCKMAP, _SOCKHASH
            17 => reg.kind = Kind::XdpSock,
            15 | 18 => reg.kind = Kind::Sock,
            _ => {}
        }
    }
    reg.flags &= !super::reg::MAYBE_NULL;
}

/// `mark_ptr_or_null_regs()`.
fn null_known(
    state: &mut State,
    id: u32,
    null: bool,
    program: &crate::bpf::program::Program,
    nodes: &mut super::precise::Nodes,
) {
    if null {
        state.refs.retain(|r| r.id != id);
    }
    state.for_each(|reg| {
        if !reg.may_be_null() || reg.id != id {
            return;
        }
        if null {
            *reg = Reg::number(0);
            reg.node = nodes.make([Node::NONE; 2]);
        } else {
            not_null(reg, program);
        }
    });
}

/// `sync_linked_regs()`: registers linked to one that was compared learn the same.
fn sync_linked(state: &mut State, known: Reg, nodes: &mut super::precise::Nodes) {
    if known.id == 0 || !known.is_scalar() {
        return;
    }
    state.for_each(|reg| {
        if !reg.is_scalar() || reg.id & !ADD != known.id & !ADD {
            return;
        }
        if reg.node == known.node {
            reg.var = known.var;
            return;
        }
        // numbers linked in 32 and in 64 bits do not differ by a constant
        if (reg.id ^ known.id) & ADD == ADD {
            return;
        }
        let node = nodes.make([reg.node, known.node]);
        if reg.id & ADD == 0 && known.id & ADD == 0 || reg.delta == known.delta {
            *reg = Reg { node, ..known };
            return;
        }
        let by = i64::from(reg.delta) - i64::from(known.delta);
        let narrow = (reg.id | known.id) & ADD_32 != 0;
        let mut var = super::arith::result(AluOp::Add, true, known.var, Scalar::known(by as u64));
        if narrow {
            var.zero_extend();
            var.sync();
        }
        reg.var = var;
        reg.node = node;
    });
}
