//! What the verifier refuses in single instructions that the standard defines.

use super::error::LoadError;
use super::insn::{AluOp, Operand, Reg, Width};
use super::program::{ProgType, Program};
use super::value::{CTX, META, PACKET, Value};

/// What the verifier refuses in an instruction that the standard defines (`check_alu_op()`).
pub(super) fn check_alu(width: Width, op: AluOp, src: Operand) -> Result<(), String> {
    let Operand::Imm(imm) = src else {
        return Ok(());
    };
    match op {
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod if imm == 0 => {
            Err("div by zero".to_owned())
        }
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => {
            let bits = if width == Width::W64 { 64 } else { 32 };
            if (0..bits).contains(&imm) {
                Ok(())
            } else {
                Err(format!("invalid shift {imm}"))
            }
        }
        _ => Ok(()),
    }
}

/// Atomic accesses of context and packet are refused (`atomic_ptr_type_ok()`, kernel/bpf/verifier.c).
pub(super) fn check_ordered(
    program: &Program,
    at: usize,
    place: Value,
    base: Reg,
    what: &str,
) -> Result<(), LoadError> {
    if place.kinds & (CTX | PACKET | META) == 0 {
        return Ok(());
    }
    let kind = if place.kinds & CTX != 0 { "ctx" } else { "pkt" };
    let base = base.number();
    Err(program.refused(
        at,
        format!("BPF_ATOMIC {what} R{base} {kind} is not allowed"),
    ))
}

/// A legacy packet access wants an skb in r6 (`may_access_skb()`, `check_ld_abs()`).
pub(super) fn packet_load(program: &Program, at: usize, r6: Value) -> Result<(), LoadError> {
    let why = if program.prog_type != ProgType::SchedCls {
        "BPF_LD_[ABS|IND] instructions not allowed for this program type"
    } else if r6 != Value::at(CTX, 0) {
        "at the time of BPF_LD_ABS|IND R6 != pointer to skb"
    } else {
        return Ok(());
    };
    Err(program.refused(at, why))
}
