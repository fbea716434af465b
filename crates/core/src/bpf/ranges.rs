//! How far a comparison with its end has shown the packet to reach
//! (`find_good_pkt_pointers()`, kernel/bpf/verifier.c).

use super::insn::{Cond, Insn, Operand, Width};
use super::value::{END, META, PACKET, State, Value};

/// What a branch tells: it changes the state where it is taken, or the one where it is not.
pub(super) fn learn(insn: &Insn, taken: &mut State, falls: &mut State) {
    let Insn::Branch {
        width: Width::W64,
        cond,
        dst,
        src: Operand::Reg(src),
        ..
    } = *insn
    else {
        return;
    };
    let (a, b) = (falls.regs[dst.number()], falls.regs[src.number()]);
    let (pointer, cond) = if is_limit_of(b, a) {
        (a, cond)
    } else if is_limit_of(a, b) {
        (b, mirrored(cond))
    } else {
        return;
    };
    let Some(off) = pointer.off else {
        return;
    };
    match cond {
        Cond::Gt => falls.reaches(pointer.kinds, off),
        Cond::Ge => falls.reaches(pointer.kinds, off + 1),
        Cond::Lt => taken.reaches(pointer.kinds, off + 1),
        Cond::Le => taken.reaches(pointer.kinds, off),
        _ => {}
    }
}

/// `data_end` ends the packet, `data` the metadata.
fn is_limit_of(limit: Value, pointer: Value) -> bool {
    match pointer.kinds {
        PACKET => limit.kinds == END,
        META => limit == Value::at(PACKET, 0),
        _ => false,
    }
}

fn mirrored(cond: Cond) -> Cond {
    match cond {
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        Cond::Lt => Cond::Gt,
        Cond::Le => Cond::Ge,
        other => other,
    }
}
