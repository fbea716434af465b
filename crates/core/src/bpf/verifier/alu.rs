//! Arithmetic instructions (`check_alu_op()`, `adjust_ptr_min_max_vals()`, kernel/bpf/verifier.c).

use crate::bpf::insn::{AluOp, Operand, Reg as Register, Width};

use super::arith;
use super::cnum::{Cnum, W32, W64};
use super::precise::Node;
use super::refusal::{Checked, Refusal};
use super::reg::{ADD, ADD_32, ADD_64, Kind, Reg};
use super::scalar::Scalar;
use super::walk::Walk;

/// `BPF_MAX_VAR_OFF`.
pub(super) const MAX_VAR_OFF: i64 = 1 << 29;

/// `bpf_alu_string`, kernel/bpf/disasm.c.
fn sign(op: AluOp) -> &'static str {
    match op {
        AluOp::Add => "+=",
        AluOp::Sub => "-=",
        AluOp::Mul => "*=",
        AluOp::Div | AluOp::SDiv => "/=",
        AluOp::Or => "|=",
        AluOp::And => "&=",
        AluOp::Lsh => "<<=",
        AluOp::Rsh => ">>=",
        AluOp::Neg => "neg",
        AluOp::Mod | AluOp::SMod => "%=",
        AluOp::Xor => "^=",
        AluOp::Mov | AluOp::MovSx(_) => "=",
        AluOp::Arsh => "s>>=",
        AluOp::ToLe(_) | AluOp::ToBe(_) | AluOp::Bswap(_) => "endian",
    }
}

impl Walk<'_> {
    pub(super) fn check_alu(
        &mut self,
        width: Width,
        op: AluOp,
        dst: Register,
        src: Operand,
    ) -> Checked {
        let (wide, dst) = (width == Width::W64, dst.number());
        match op {
            AluOp::Mov | AluOp::MovSx(_) => self.check_mov(wide, op, dst, src),
            AluOp::Neg | AluOp::ToLe(_) | AluOp::ToBe(_) | AluOp::Bswap(_) => {
                let old = self.read(dst)?;
                if !old.is_scalar() {
                    // a pointer leaks here; Linux lets a privileged program do it
                    self.leak(dst);
                    self.set_unknown(dst);
                    return Ok(());
                }
                let mut new = old;
                new.var = arith::result(op, wide, old.var, old.var);
                if !matches!(op, AluOp::ToLe(64)) {
                    new.clear_id();
                }
                self.put(dst, new, [old.node, Node::NONE]);
                Ok(())
            }
            _ => self.check_binary(wide, op, dst, src),
        }
    }

    fn check_mov(&mut self, wide: bool, op: AluOp, dst: usize, src: Operand) -> Checked {
        let src = match src {
            Operand::Imm(imm) => {
                let value = if wide {
                    i64::from(imm) as u64
                } else {
                    u64::from(imm as u32)
                };
                self.put(dst, Reg::number(value), [Node::NONE; 2]);
                return Ok(());
            }
            Operand::Reg(src) => src.number(),
        };
        let old = self.read(src)?;
        if !old.is_scalar() {
            if wide && op == AluOp::Mov {
                self.state.set(dst, old);
                return Ok(());
            }
            self.leak(src);
            let mut new = Reg::UNKNOWN;
            if !wide {
                new.var.zero_extend();
                new.var.sync();
            }
            self.put(dst, new, [Node::NONE; 2]);
            return Ok(());
        }
        // The copy stays linked to the original if it holds the same number.
        let same = match op {
            AluOp::MovSx(bits) => old.var.umax() < 1 << (bits - 1),
            _ => wide || old.var.width() <= 32,
        };
        if same {
            self.link(src);
        }
        let old = *self.state.reg(src);
        let mut new = old;
        if !same {
            new.clear_id();
        }
        match op {
            AluOp::MovSx(bits) if wide => new.var.sign_extend(u32::from(bits) / 8),
            AluOp::MovSx(bits) => new.var.sign_extend_low(u32::from(bits) / 8),
            _ => {}
        }
        if !wide {
            new.var.zero_extend();
            new.var.sync();
        }
        self.state.set(dst, new);
        Ok(())
    }

    /// `assign_scalar_id_before_mov()`: gives a number that is about to be copied an id.
    pub(super) fn link(&mut self, reg: usize) {
        let mut value = *self.state.reg(reg);
        self.link_value(&mut value);
        self.state.set(reg, value);
    }

    pub(super) fn link_value(&mut self, value: &mut Reg) {
        if !value.is_scalar() {
            return;
        }
        if value.id & ADD != 0 {
            value.clear_id();
        }
        if value.id == 0 && !value.var.is_const() {
            value.id = self.new_id();
        }
    }

    fn check_binary(&mut self, wide: bool, op: AluOp, dst: usize, src: Operand) -> Checked {
        if let Operand::Reg(src) = src {
            self.read(src.number())?;
        }
        self.read(dst)?;
        if let Operand::Imm(imm) = src {
            let bits = if wide { 64 } else { 32 };
            match op {
                AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod if imm == 0 => {
                    return Err(Refusal::DivByZero);
                }
                AluOp::Lsh | AluOp::Rsh | AluOp::Arsh if !(0..bits).contains(&imm) => {
                    return Err(Refusal::Shift(imm));
                }
                _ => {}
            }
        }
        let own = *self.state.reg(dst);
        let other = match src {
            Operand::Reg(src) => *self.state.reg(src.number()),
            Operand::Imm(imm) => Reg::number(i64::from(imm) as u64),
        };
        match (own.is_scalar(), other.is_scalar()) {
            (true, true) => {
                let same = matches!(src, Operand::Reg(src) if src.number() == dst);
                self.scalars(wide, op, dst, other, same)
            }
            (false, false) if op == AluOp::Sub => {
                self.leak(dst);
                self.set_unknown(dst);
                Ok(())
            }
            (false, false) => Err(Refusal::TwoPointers(dst, sign(op))),
            (true, false) => {
                self.nodes.ask(own.node);
                self.pointer(wide, op, dst, other, own, false)
            }
            (false, true) => {
                self.nodes.ask(other.node);
                self.pointer(wide, op, dst, own, other, true)
            }
        }
    }

    /// `maybe_fork_scalars()`: a number that is 0 or -1 is often a condition; both are walked apart.
    fn fork(&mut self, dst: usize) -> Checked {
        let old = *self.state.reg(dst);
        let both = |wide: bool| {
            if wide {
                old.var.smin() == -1 && old.var.smax() == 0
            } else {
                old.var.s32_min() == -1 && old.var.s32_max() == 0
            }
        };
        let wide = both(true);
        if !wide && !both(false) {
            return Ok(());
        }
        let taken = |walk: &mut Self, value: u64| {
            let mut new = old;
            if wide {
                new.var = Scalar::known(value);
            } else {
                new.var.bits = new.var.bits.with_low(super::tnum::Tnum::known(value & W32));
                new.var.r32 = Cnum::unsigned(value & W32, value & W32, W32);
            }
            walk.put(dst, new, [old.node, Node::NONE]);
        };
        taken(self, 0);
        self.push(self.insn)?;
        taken(self, u64::MAX);
        Ok(())
    }

    fn scalars(&mut self, wide: bool, op: AluOp, dst: usize, other: Reg, same: bool) -> Checked {
        if matches!(op, AluOp::And | AluOp::Or) && other.var.is_const() {
            self.fork(dst)?;
        }
        let own = *self.state.reg(dst);
        let mut new = own;
        new.var = arith::result(op, wide, own.var, other.var);
        let constant = other.var.constant(wide);
        match (op, constant) {
            (AluOp::Add | AluOp::Sub, Some(by)) if own.id != 0 && !same => {
                let by = if wide {
                    i32::try_from(by as i64).ok()
                } else {
                    Some(by as i32).filter(|_| own.var.umax() <= W32)
                };
                let by = by.and_then(|by| {
                    if op == AluOp::Sub {
                        by.checked_neg()
                    } else {
                        Some(by)
                    }
                });
                match by {
                    Some(by) if own.id & ADD == 0 => {
                        new.id |= if wide { ADD_64 } else { ADD_32 };
                        new.delta = by;
                    }
                    _ => new.clear_id(),
                }
            }
            _ => new.clear_id(),
        }
        self.put(dst, new, [own.node, other.node]);
        Ok(())
    }

    /// A pointer and a number. `first`: the pointer is the destination.
    fn pointer(
        &mut self,
        wide: bool,
        op: AluOp,
        dst: usize,
        pointer: Reg,
        number: Reg,
        first: bool,
    ) -> Checked {
        if !wide {
            if op == AluOp::Sub {
                self.leak(dst);
                self.set_unknown(dst);
                return Ok(());
            }
            return Err(Refusal::PointerAlu32(dst));
        }
        if pointer.may_be_null() {
            return Err(Refusal::PointerMaybeNull(dst, pointer.type_name()));
        }
        let constant = number.var.constant(true);
        match pointer.kind {
            Kind::MapPtr if constant == Some(0) && op == AluOp::Add => {}
            Kind::MapPtr
            | Kind::PacketEnd
            | Kind::Sock
            | Kind::SockCommon
            | Kind::TcpSock
            | Kind::XdpSock
            | Kind::NotInit
            | Kind::Scalar => return Err(Refusal::PointerKind(dst, pointer.type_name())),
            _ => {}
        }
        sane_number(&number.var, &pointer)?;
        sane_offset(&pointer)?;
        let mut new = pointer;
        let known = constant.is_some();
        let negative = match op {
            AluOp::Add => {
                new.var.r64 = pointer.var.r64.add(number.var.r64, W64);
                new.var.bits = pointer.var.bits.add(number.var.bits);
                !known
            }
            AluOp::Sub if !first => return Err(Refusal::SubPointer(dst)),
            AluOp::Sub if pointer.kind == Kind::Stack => return Err(Refusal::SubStack(dst)),
            AluOp::Sub => {
                new.var.r64 = pointer.var.r64.add(number.var.r64.negate(W64), W64);
                new.var.bits = pointer.var.bits.sub(number.var.bits);
                !known && number.var.smin() < 0
            }
            AluOp::And | AluOp::Or | AluOp::Xor => {
                return Err(Refusal::PointerBits(dst, sign(op)));
            }
            _ => return Err(Refusal::PointerOp(dst, sign(op))),
        };
        new.var.r32 = Cnum::full(W32);
        if pointer.is_packet() {
            if !known {
                new.id = self.new_id();
            }
            // What was shown of the packet holds for the old place only.
            if negative || new.range < 0 {
                new.range = 0;
            }
        }
        sane_offset(&new)?;
        new.var.sync();
        self.state.set(dst, new);
        Ok(())
    }
}

/// `check_reg_sane_offset_scalar()`.
fn sane_number(number: &Scalar, pointer: &Reg) -> Checked {
    let (smin, name) = (number.smin(), || pointer.type_name());
    if let Some(value) = number.constant(true).map(|v| v as i64)
        && (value >= MAX_VAR_OFF || value <= -MAX_VAR_OFF)
    {
        return Err(Refusal::MathKnown(name(), value));
    }
    if smin == i64::MIN {
        return Err(Refusal::MathUnbounded(name()));
    }
    if smin >= MAX_VAR_OFF || smin <= -MAX_VAR_OFF {
        return Err(Refusal::MathOut(smin, name()));
    }
    Ok(())
}

/// `check_reg_sane_offset_ptr()`.
fn sane_offset(pointer: &Reg) -> Checked {
    let smin = pointer.var.smin();
    let value = pointer.off().unwrap_or(smin);
    for off in [value, smin] {
        if off >= MAX_VAR_OFF || off <= -MAX_VAR_OFF {
            return Err(Refusal::OffsetOut(pointer.type_name(), off));
        }
    }
    Ok(())
}
