//! What a comparison tells of its operands (`is_scalar_branch_taken()`, `regs_refine_cond_op()`,
//! `find_good_pkt_pointers()`, kernel/bpf/verifier.c).

use crate::bpf::insn::Cond;

use super::cnum::{Cnum, W32, W64};
use super::reg::{AT_END, BEYOND_END, Kind, Reg};
use super::scalar::Scalar;
use super::state::State;
use super::tnum::Tnum;

/// Which of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
}

/// The largest offset into a packet that is followed (`MAX_PACKET_OFF`).
const MAX_PACKET_OFF: u64 = 0xffff;

/// `a cond b` as `b cond a`.
fn flipped(cond: Cond) -> Cond {
    match cond {
        Cond::Gt => Cond::Lt,
        Cond::Ge => Cond::Le,
        Cond::Lt => Cond::Gt,
        Cond::Le => Cond::Ge,
        Cond::SGt => Cond::SLt,
        Cond::SGe => Cond::SLe,
        Cond::SLt => Cond::SGt,
        Cond::SLe => Cond::SGe,
        Cond::Eq | Cond::Ne | Cond::Set => cond,
    }
}

/// The condition that holds where this one does not; `None` for `&`.
fn reversed(cond: Cond) -> Option<Cond> {
    Some(match cond {
        Cond::Eq => Cond::Ne,
        Cond::Ne => Cond::Eq,
        Cond::Gt => Cond::Le,
        Cond::Ge => Cond::Lt,
        Cond::Lt => Cond::Ge,
        Cond::Le => Cond::Gt,
        Cond::SGt => Cond::SLe,
        Cond::SGe => Cond::SLt,
        Cond::SLt => Cond::SGe,
        Cond::SLe => Cond::SGt,
        Cond::Set => return None,
    })
}

/// Whether the branch is taken, if ranges and bits tell. `same`: both are one register.
pub(super) fn decide(a: &Scalar, b: &Scalar, same: bool, cond: Cond, wide: bool) -> Option<bool> {
    let (m, x, y) = if wide {
        (W64, a.r64, b.r64)
    } else {
        (W32, a.r32, b.r32)
    };
    let bits = |s: &Scalar| if wide { s.bits } else { s.bits.low() };
    let (t1, t2) = (bits(a), bits(b));
    if same {
        return match cond {
            Cond::Ge | Cond::Le | Cond::SGe | Cond::SLe | Cond::Eq => Some(true),
            Cond::Gt | Cond::Lt | Cond::SGt | Cond::SLt | Cond::Ne => Some(false),
            Cond::Set if t1.is_const() => Some(t1.value != 0),
            Cond::Set => (x.smin(m) > 0 || x.smax(m) < 0).then_some(true),
        };
    }
    let (umin1, umax1, umin2, umax2) = (x.umin(m), x.umax(m), y.umin(m), y.umax(m));
    let (smin1, smax1, smin2, smax2) = (x.smin(m), x.smax(m), y.smin(m), y.smax(m));
    let order = |yes: bool, no: bool| yes.then_some(true).or(no.then_some(false));
    match cond {
        Cond::Eq | Cond::Ne => {
            let differ = umin1 > umax2
                || umax1 < umin2
                || smin1 > smax2
                || smax1 < smin2
                || !t1.overlaps(t2)
                || wide
                    && (a.u32_min() > b.u32_max()
                        || a.u32_max() < b.u32_min()
                        || a.s32_min() > b.s32_max()
                        || a.s32_max() < b.s32_min());
            let equal = if t1.is_const() && t2.is_const() {
                Some(t1.value == t2.value)
            } else {
                differ.then_some(false)
            };
            equal.map(|equal| equal == (cond == Cond::Eq))
        }
        Cond::Set => {
            let (t, constant) = if t2.is_const() { (t1, t2) } else { (t2, t1) };
            if !constant.is_const() {
                return None;
            }
            order(t.value & constant.value != 0, t.max() & constant.value == 0)
        }
        Cond::Gt => order(umin1 > umax2, umax1 <= umin2),
        Cond::Lt => order(umax1 < umin2, umin1 >= umax2),
        Cond::Ge => order(umin1 >= umax2, umax1 < umin2),
        Cond::Le => order(umax1 <= umin2, umin1 > umax2),
        Cond::SGt => order(smin1 > smax2, smax1 <= smin2),
        Cond::SLt => order(smax1 < smin2, smin1 >= smax2),
        Cond::SGe => order(smin1 >= smax2, smax1 < smin2),
        Cond::SLe => order(smax1 <= smin2, smin1 > smax2),
    }
}

/// What is known of both operands on one of the ways; `None` if the way leaves no number, so that it is dead
/// (`simulate_both_branches_taken()`).
pub(super) fn learn(
    a: &Scalar,
    b: &Scalar,
    cond: Cond,
    wide: bool,
    taken: Taken,
) -> Option<(Scalar, Scalar)> {
    let (mut a, mut b) = (*a, *b);
    match (taken, reversed(cond)) {
        (Taken::Yes, _) => refine(&mut a, &mut b, cond, wide),
        (Taken::No, Some(cond)) => refine(&mut a, &mut b, cond, wide),
        (Taken::No, None) => no_bits(&mut a, &mut b, wide),
    }
    a.sync();
    b.sync();
    (!a.is_impossible() && !b.is_impossible()).then_some((a, b))
}

/// The operand that is not constant, and the constant.
fn with_constant<'a>(
    a: &'a mut Scalar,
    b: &'a mut Scalar,
    wide: bool,
) -> Option<(&'a mut Scalar, u64)> {
    if let Some(value) = b.constant(wide) {
        return Some((a, value));
    }
    a.constant(wide).map(|value| (b, value))
}

/// None of the bits is set.
fn no_bits(a: &mut Scalar, b: &mut Scalar, wide: bool) {
    if let Some((s, value)) = with_constant(a, b, wide) {
        s.forget_ranges();
        let keep = Tnum::known(!value);
        s.bits = if wide {
            s.bits.and(keep)
        } else {
            s.bits.with_low(s.bits.low().and(keep))
        };
    }
}

fn refine(a: &mut Scalar, b: &mut Scalar, cond: Cond, wide: bool) {
    let m = if wide { W64 } else { W32 };
    fn range(s: &mut Scalar, wide: bool) -> &mut Cnum {
        if wide { &mut s.r64 } else { &mut s.r32 }
    }
    let narrow = |s: &mut Scalar, with: Cnum| {
        let r = range(s, wide);
        *r = r.intersect(with, m);
    };
    match cond {
        Cond::Gt | Cond::Ge | Cond::SGt | Cond::SGe => refine(b, a, flipped(cond), wide),
        Cond::Eq => {
            let both = range(a, wide).intersect(*range(b, wide), m);
            *range(a, wide) = both;
            *range(b, wide) = both;
            if wide {
                let bits = a.bits.intersect(b.bits);
                (a.bits, b.bits) = (bits, bits);
            } else {
                let bits = a.bits.low().intersect(b.bits.low());
                (a.bits, b.bits) = (a.bits.with_low(bits), b.bits.with_low(bits));
            }
        }
        Cond::Ne => {
            if let Some((s, value)) = with_constant(a, b, wide) {
                // all numbers but that one
                let base = value.wrapping_add(1) & m;
                narrow(s, Cnum { base, size: m - 1 });
            }
        }
        Cond::Set => {
            if let Some((s, value)) = with_constant(a, b, wide)
                && value.is_power_of_two()
            {
                s.bits = if wide {
                    s.bits.or(Tnum::known(value))
                } else {
                    s.bits.with_low(s.bits.low().or(Tnum::known(value)))
                };
            }
        }
        Cond::Le | Cond::Lt => {
            let strict = u64::from(cond == Cond::Lt);
            let max = range(b, wide).umax(m).wrapping_sub(strict) & m;
            narrow(a, Cnum::unsigned(0, max, m));
            let min = range(a, wide).umin(m).wrapping_add(strict) & m;
            narrow(b, Cnum::unsigned(min, m, m));
        }
        Cond::SLe | Cond::SLt => {
            let strict = i64::from(cond == Cond::SLt);
            let top = (m >> 1) as i64;
            let max = range(b, wide).smax(m).wrapping_sub(strict);
            narrow(a, Cnum::signed(-top - 1, max, m));
            let min = range(a, wide).smin(m).wrapping_add(strict);
            narrow(b, Cnum::signed(min, top, m));
        }
    }
}

/// `is_pkt_ptr_branch_taken()`: a pointer that is known to lie at or behind the end.
pub(super) fn decide_packet(a: &Reg, b: &Reg, cond: Cond) -> Option<bool> {
    let (packet, cond) = if b.kind == Kind::PacketEnd {
        (a, cond)
    } else if a.kind == Kind::PacketEnd {
        (b, flipped(cond))
    } else {
        return None;
    };
    match (cond, packet.range) {
        (Cond::Gt | Cond::Le, BEYOND_END) => Some(cond == Cond::Gt),
        (Cond::Lt | Cond::Ge, BEYOND_END | AT_END) => Some(cond == Cond::Ge),
        _ => None,
    }
}

/// `try_match_pkt_pointers()`: a comparison with the end shows how far the packet reaches, on one way, and on
/// the other that the pointer lies behind it. `this` is the way that falls through.
pub(super) fn packet_pointers(
    cond: Cond,
    dst: usize,
    src: usize,
    this: &mut State,
    other: &mut State,
) -> bool {
    let (a, b) = (*this.reg(dst), *this.reg(src));
    // `data_end` ends the packet, `data` the metadata
    let ends = |pointer: &Reg, end: &Reg| match pointer.kind {
        Kind::Packet => end.kind == Kind::PacketEnd,
        Kind::Meta => end.kind == Kind::Packet && end.id == 0 && end.off() == Some(0),
        _ => false,
    };
    let (reg, pointer, cond) = if ends(&a, &b) {
        (dst, a, cond)
    } else if ends(&b, &a) {
        (src, b, flipped(cond))
    } else {
        return false;
    };
    // the way on which all bytes before the pointer exist, whether one more does, and the other way
    let (inside, open, beyond) = match cond {
        Cond::Gt => (this, false, other),
        Cond::Ge => (this, true, other),
        Cond::Lt => (other, true, this),
        Cond::Le => (other, false, this),
        _ => return false,
    };
    reaches(inside, &pointer, open);
    let end = &mut beyond.frame_mut().regs[reg];
    if end.kind == Kind::Packet {
        end.range = if open { AT_END } else { BEYOND_END };
    }
    true
}

/// `find_good_pkt_pointers()`.
fn reaches(state: &mut State, pointer: &Reg, open: bool) {
    let max = pointer.var.umax();
    if max == 0 && open || max > MAX_PACKET_OFF {
        return;
    }
    let range = max as i32 + i32::from(open);
    state.for_each(|reg| {
        if reg.kind == pointer.kind && reg.id == pointer.id {
            reg.range = reg.range.max(range);
        }
    });
}
