//! Arithmetic on what is known of two numbers (`adjust_scalar_min_max_vals()`, kernel/bpf/verifier.c).

use crate::bpf::insn::AluOp;

use super::cnum::{Cnum, W32, W64};
use super::scalar::Scalar;
use super::tnum::Tnum;

/// The result of an instruction other than a move.
pub(super) fn result(op: AluOp, wide: bool, dst: Scalar, src: Scalar) -> Scalar {
    let bits = if wide { 64 } else { 32 };
    let constant = if wide {
        src.is_const() && src.r64.is_const()
    } else {
        src.bits.low().is_const() && src.r32.is_const()
    };
    let computable = match op {
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => constant,
        AluOp::Lsh | AluOp::Rsh | AluOp::Arsh => constant && src.umax() < bits,
        _ => true,
    };
    if !computable {
        // The kernel forgets the upper half too, although a 32-bit result has none.
        return Scalar::UNKNOWN;
    }
    let mut out = dst;
    match op {
        AluOp::Add => {
            out.r32 = dst.r32.add(src.r32, W32);
            out.r64 = dst.r64.add(src.r64, W64);
            out.bits = dst.bits.add(src.bits);
        }
        AluOp::Sub => {
            out.r32 = dst.r32.add(src.r32.negate(W32), W32);
            out.r64 = dst.r64.add(src.r64.negate(W64), W64);
            out.bits = dst.bits.sub(src.bits);
        }
        AluOp::Neg => return result(AluOp::Sub, wide, Scalar::known(0), dst),
        AluOp::Mul => {
            out.bits = dst.bits.mul(src.bits);
            out.r32 = mul_range(dst.r32, src.r32, W32);
            out.r64 = mul_range(dst.r64, src.r64, W64);
        }
        AluOp::Div | AluOp::SDiv | AluOp::Mod | AluOp::SMod => divide(op, wide, &mut out, &src),
        AluOp::And | AluOp::Or | AluOp::Xor => bitwise(op, &mut out, &src),
        AluOp::Lsh => shift_left(wide, &mut out, src.umin() as u32),
        AluOp::Rsh => shift_right(wide, &mut out, src.umin() as u32),
        AluOp::Arsh => shift_signed(wide, &mut out, src.umin() as u32),
        AluOp::ToLe(bits) => out.truncate(u32::from(bits) / 8),
        AluOp::ToBe(bits) | AluOp::Bswap(bits) => {
            out.bits = out.bits.bswap(bits);
            out.forget_ranges();
            out.truncate(u32::from(bits) / 8);
        }
        AluOp::Mov | AluOp::MovSx(_) => out = src,
    }
    let swaps = matches!(op, AluOp::ToLe(_) | AluOp::ToBe(_) | AluOp::Bswap(_));
    if !wide && !swaps {
        out.zero_extend();
    }
    out.sync();
    out
}

fn mul_range(a: Cnum, b: Cnum, m: u64) -> Cnum {
    let fits = |product: u128| u64::try_from(product).ok().filter(|p| *p <= m);
    let product = |x: u64, y: u64| fits(u128::from(x) * u128::from(y));
    let unsigned = match (product(a.umin(m), b.umin(m)), product(a.umax(m), b.umax(m))) {
        (Some(min), Some(max)) => Cnum::unsigned(min, max, m),
        _ => Cnum::full(m),
    };
    let limit = i128::from(m >> 1);
    let (mut min, mut max) = (i128::MAX, i128::MIN);
    for x in [a.smin(m), a.smax(m)] {
        for y in [b.smin(m), b.smax(m)] {
            let product = i128::from(x) * i128::from(y);
            (min, max) = (min.min(product), max.max(product));
        }
    }
    let signed = if min >= -limit - 1 && max <= limit {
        Cnum::signed(min as i64, max as i64, m)
    } else {
        Cnum::full(m)
    };
    unsigned.intersect(signed, m)
}

/// By a constant. Division by 0 gives 0, the rest of it the dividend (RFC 9669, section 4.1).
fn divide(op: AluOp, wide: bool, out: &mut Scalar, src: &Scalar) {
    let m = if wide { W64 } else { W32 };
    let (range, by) = if wide {
        (out.r64, src.r64)
    } else {
        (out.r32, src.r32)
    };
    let (by, sby) = (by.umin(m), by.smin(m));
    let remainder = matches!(op, AluOp::Mod | AluOp::SMod);
    if by == 0 {
        if !remainder {
            *out = Scalar::known(0);
        }
        return;
    }
    let (smin, smax) = (range.smin(m), range.smax(m));
    let lowest = -((m >> 1) as i64) - 1;
    let new = match op {
        AluOp::Div => Cnum::unsigned(range.umin(m) / by, range.umax(m) / by, m),
        AluOp::SDiv if smin == lowest && sby == -1 => {
            if smax == lowest {
                Cnum::signed(smin, smax, m)
            } else {
                Cnum::full(m)
            }
        }
        AluOp::SDiv => {
            let (a, b) = (smin.wrapping_div(sby), smax.wrapping_div(sby));
            Cnum::signed(a.min(b), a.max(b), m)
        }
        AluOp::Mod => {
            if range.umax(m) < by {
                return;
            }
            Cnum::unsigned(0, by - 1, m)
        }
        _ => {
            let most = (sby.unsigned_abs() - 1) as i64;
            if smin >= -most && smax <= most {
                return;
            }
            if smin >= 0 {
                Cnum::signed(0, smax.min(most), m)
            } else if smax <= 0 {
                Cnum::signed(smin.max(-most), 0, m)
            } else {
                Cnum::signed(-most, most, m)
            }
        }
    };
    *out = Scalar::UNKNOWN;
    if wide {
        out.r64 = new;
    } else {
        out.r32 = new;
    }
}

fn bitwise(op: AluOp, out: &mut Scalar, src: &Scalar) {
    let old = *out;
    out.bits = match op {
        AluOp::And => old.bits.and(src.bits),
        AluOp::Or => old.bits.or(src.bits),
        _ => old.bits.xor(src.bits),
    };
    let range = |bits: Tnum, known: bool, own: Cnum, other: Cnum, m: u64| {
        if known {
            return Cnum::unsigned(bits.value, bits.value, m);
        }
        match op {
            AluOp::And => Cnum::unsigned(bits.value, own.umax(m).min(other.umax(m)), m),
            AluOp::Or => Cnum::unsigned(own.umin(m).max(other.umin(m)), bits.max(), m),
            _ => Cnum::unsigned(bits.value, bits.max(), m),
        }
    };
    let low = out.bits.low();
    let known = old.bits.low().is_const() && src.bits.low().is_const();
    out.r32 = range(low, known, old.r32, src.r32, W32);
    let known = old.is_const() && src.is_const();
    out.r64 = range(out.bits, known, old.r64, src.r64, W64);
    if !known {
        out.update_ranges();
    }
}

fn shift_left_low(out: &mut Scalar, by: u32) {
    if by > 31 || out.u32_max() > 1 << (31 - by) {
        out.r32 = Cnum::full(W32);
    } else {
        out.set_u32(out.u32_min() << by, out.u32_max() << by);
    }
}

fn shift_left(wide: bool, out: &mut Scalar, by: u32) {
    if !wide {
        shift_left_low(out, by);
        out.bits = out.bits.low().shl(by).low();
        out.r64 = Cnum::full(W64);
        out.update_r32();
        return;
    }
    // `<< 32` in front of `s>> 32` extends the sign of the lower half.
    let signed = if by == 32 {
        Cnum::signed(out.s32_min() << 32, out.s32_max() << 32, W64)
    } else {
        Cnum::full(W64)
    };
    let unsigned = if out.umax() > 1 << (63 - by) {
        Cnum::full(W64)
    } else {
        Cnum::unsigned(out.umin() << by, out.umax() << by, W64)
    };
    out.r64 = unsigned.intersect(signed, W64);
    shift_left_low(out, by);
    out.bits = out.bits.shl(by);
    out.update_ranges();
}

fn shift_right(wide: bool, out: &mut Scalar, by: u32) {
    if wide {
        out.bits = out.bits.shr(by);
        out.set_u64(out.umin() >> by, out.umax() >> by);
        out.r32 = Cnum::full(W32);
        out.update_ranges();
    } else {
        out.bits = out.bits.low().shr(by);
        out.set_u32(out.u32_min() >> by, out.u32_max() >> by);
        out.r64 = Cnum::full(W64);
        out.update_r32();
    }
}

fn shift_signed(wide: bool, out: &mut Scalar, by: u32) {
    if wide {
        out.set_s64(out.smin() >> by, out.smax() >> by);
        out.bits = out.bits.sar(by, true);
        out.r32 = Cnum::full(W32);
        out.update_ranges();
    } else {
        out.set_s32(out.s32_min() >> by, out.s32_max() >> by);
        out.bits = out.bits.low().sar(by, false);
        out.r64 = Cnum::full(W64);
        out.update_r32();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A set of numbers, and one of them.
    fn set() -> impl Strategy<Value = (Scalar, u64)> {
        let word = || {
            prop_oneof![
                any::<u64>(),
                0..70u64,
                (0..6u64).prop_map(|n| n.wrapping_neg()),
                (0..64u32).prop_map(|n| 1u64 << n),
            ]
        };
        (word(), 0..3u8, word(), word()).prop_map(|(value, kind, mask, other)| {
            let mut s = Scalar::UNKNOWN;
            match kind {
                0 => s = Scalar::known(value),
                1 => {
                    s.bits = Tnum {
                        value: value & !mask,
                        mask,
                    }
                }
                _ if value <= other => s.set_u64(value, other),
                _ => s.set_s64(
                    (value as i64).min(other as i64),
                    (value as i64).max(other as i64),
                ),
            }
            s.sync();
            (s, value)
        })
    }

    fn run(op: AluOp, wide: bool, a: u64, b: u64) -> u64 {
        let (m, bits) = if wide { (W64, 64) } else { (W32, 32) };
        let (x, y) = (a & m, b & m);
        let s = |v: u64| if wide { v as i64 } else { i64::from(v as i32) };
        let out = match op {
            AluOp::Add => x.wrapping_add(y),
            AluOp::Sub => x.wrapping_sub(y),
            AluOp::Mul => x.wrapping_mul(y),
            AluOp::Div => x.checked_div(y).unwrap_or(0),
            AluOp::Mod => x.checked_rem(y).unwrap_or(x),
            AluOp::SDiv if y == 0 => 0,
            AluOp::SDiv => s(x).wrapping_div(s(y)) as u64,
            AluOp::SMod if y == 0 => x,
            AluOp::SMod => s(x).wrapping_rem(s(y)) as u64,
            AluOp::Or => x | y,
            AluOp::And => x & y,
            AluOp::Xor => x ^ y,
            AluOp::Lsh => x << (y % bits),
            AluOp::Rsh => x >> (y % bits),
            AluOp::Arsh => (s(x) >> (y % bits)) as u64,
            AluOp::Neg => x.wrapping_neg(),
            _ => x,
        };
        out & m
    }

    fn holds(s: &Scalar, v: u64) -> bool {
        s.r64.holds(Cnum::unsigned(v, v, W64), W64)
            && s.r32.holds(Cnum::unsigned(v & W32, v & W32, W32), W32)
            && s.bits.holds(Tnum::known(v))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// Whatever is known of two numbers, the result of the numbers is in the result of the sets.
        #[test]
        fn results_are_contained((a, x) in set(), (b, y) in set(), wide in any::<bool>(), which in 0..14usize) {
            let op = [
                AluOp::Add, AluOp::Sub, AluOp::Mul, AluOp::Div, AluOp::Mod, AluOp::SDiv, AluOp::SMod,
                AluOp::Or, AluOp::And, AluOp::Xor, AluOp::Lsh, AluOp::Rsh, AluOp::Arsh, AluOp::Neg,
            ][which];
            prop_assume!(holds(&a, x) && holds(&b, y));
            let got = result(op, wide, a, b);
            prop_assert!(holds(&got, run(op, wide, x, y)), "{:?} {} {:x} {:x}: {:?}", op, wide, x, y, got);
        }
    }
}
