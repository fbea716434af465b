//! What is known of a number: bits, and ranges of all of it and of its lower half
//! (`var_off`, `r64`, `r32` of `struct bpf_reg_state`).

use super::cnum::{Cnum, W32, W64};
use super::tnum::{self, Tnum};

/// A number, or the offset of a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scalar {
    pub bits: Tnum,
    pub r64: Cnum,
    pub r32: Cnum,
}

const S32_SIGN: u64 = 1 << 31;
const S64_SIGN: u64 = 1 << 63;

/// The range that known bits give (`cnum64_from_tnum()`).
fn range_of(t: Tnum, sign: u64, m: u64) -> Cnum {
    if (t.mask | t.value) & sign != 0 {
        let min = t.value | t.mask & sign;
        let max = t.value | t.mask & (sign - 1);
        let (min, max) = if m == W32 {
            (i64::from(min as i32), i64::from(max as i32))
        } else {
            (min as i64, max as i64)
        };
        Cnum::signed(min, max, m)
    } else {
        Cnum::unsigned(t.value, t.max(), m)
    }
}

impl Scalar {
    pub const UNKNOWN: Scalar = Scalar {
        bits: tnum::UNKNOWN,
        r64: Cnum::full(W64),
        r32: Cnum::full(W32),
    };

    pub const fn known(value: u64) -> Scalar {
        Scalar {
            bits: Tnum::known(value),
            r64: Cnum {
                base: value,
                size: 0,
            },
            r32: Cnum {
                base: value & W32,
                size: 0,
            },
        }
    }

    pub fn umin(&self) -> u64 {
        self.r64.umin(W64)
    }
    pub fn umax(&self) -> u64 {
        self.r64.umax(W64)
    }
    pub fn smin(&self) -> i64 {
        self.r64.smin(W64)
    }
    pub fn smax(&self) -> i64 {
        self.r64.smax(W64)
    }
    pub fn u32_min(&self) -> u64 {
        self.r32.umin(W32)
    }
    pub fn u32_max(&self) -> u64 {
        self.r32.umax(W32)
    }
    pub fn s32_min(&self) -> i64 {
        self.r32.smin(W32)
    }
    pub fn s32_max(&self) -> i64 {
        self.r32.smax(W32)
    }

    /// Its value, if that is known; of the lower half only if not `wide`.
    pub fn constant(&self, wide: bool) -> Option<u64> {
        let bits = if wide { self.bits } else { self.bits.low() };
        bits.is_const().then_some(bits.value)
    }

    pub fn is_const(&self) -> bool {
        self.bits.is_const()
    }

    /// Bits that it needs.
    pub fn width(&self) -> u32 {
        64 - self.umax().leading_zeros()
    }

    pub fn set_u64(&mut self, min: u64, max: u64) {
        self.r64 = Cnum::unsigned(min, max, W64);
    }
    pub fn set_u32(&mut self, min: u64, max: u64) {
        self.r32 = Cnum::unsigned(min, max, W32);
    }
    pub fn set_s64(&mut self, min: i64, max: i64) {
        self.r64 = Cnum::signed(min, max, W64);
    }
    pub fn set_s32(&mut self, min: i64, max: i64) {
        self.r32 = Cnum::signed(min, max, W32);
    }

    pub fn forget_ranges(&mut self) {
        self.r64 = Cnum::full(W64);
        self.r32 = Cnum::full(W32);
    }

    /// No number can be so: the way here is dead.
    pub fn is_impossible(&self) -> bool {
        self.r64.is_empty(W64) || self.r32.is_empty(W32)
    }

    fn become_known(&mut self, value: u64) {
        self.bits = Tnum::known(value);
        self.r64 = Cnum::unsigned(value, value, W64);
        self.r32 = Cnum::unsigned(value & W32, value & W32, W32);
    }

    /// `__update_reg32_bounds()`.
    pub fn update_r32(&mut self) {
        let range = range_of(self.bits.low(), S32_SIGN, W32);
        self.r32 = self.r32.intersect(range, W32);
    }

    /// `__update_reg_bounds()`.
    pub fn update_ranges(&mut self) {
        self.update_r32();
        self.r64 = self.r64.intersect(range_of(self.bits, S64_SIGN, W64), W64);
        let (min, max) = (self.umin(), self.umax());
        let next = self.bits.step(min);
        let min_fits = min & !self.bits.mask == self.bits.value;
        if min_fits && next > max {
            self.become_known(min);
        } else if !min_fits && next == self.bits.max() {
            self.become_known(self.bits.max());
        } else if !min_fits && next <= max && self.bits.step(next) > max {
            self.become_known(next);
        }
    }

    /// Lets bits and ranges learn from each other (`reg_bounds_sync()`).
    pub fn sync(&mut self) {
        if self.is_impossible() {
            return;
        }
        self.update_ranges();
        for _ in 0..2 {
            self.r32 = self.r32.intersect(self.r64.low(), W32);
            self.r64 = self.r64.with_low(self.r32);
        }
        let wide = self.bits.intersect(Tnum::range(self.umin(), self.umax()));
        let low = Tnum::range(self.u32_min(), self.u32_max());
        self.bits = wide.with_low(wide.low().intersect(low));
        self.update_ranges();
    }

    /// `zext_32_to_64()`.
    pub fn zero_extend(&mut self) {
        self.bits = self.bits.low();
        self.set_u64(self.u32_min(), self.u32_max());
    }

    /// Keeps the lower `bytes` (`coerce_reg_to_size()`).
    pub fn truncate(&mut self, bytes: u32) {
        if bytes >= 8 {
            return;
        }
        self.bits = self.bits.cast(bytes);
        let mask = (1u64 << (bytes * 8)) - 1;
        let (min, max) = (self.umin(), self.umax());
        if min & !mask == max & !mask {
            self.set_u64(min & mask, max & mask);
        } else {
            self.set_u64(0, mask);
        }
        if bytes < 4 {
            self.r32 = Cnum::full(W32);
        }
        self.sync();
    }

    /// Sign-extends the lower `bytes` to 64 bits (`coerce_reg_to_size_sx()`).
    pub fn sign_extend(&mut self, bytes: u32) {
        let bits = bytes * 8;
        let extend = |v: u64| ((v << (64 - bits)) as i64) >> (64 - bits);
        if self.is_const() {
            self.become_known(extend(self.bits.value) as u64);
            return;
        }
        let (min, max) = (self.smin() as u64, self.smax() as u64);
        let (a, b) = (extend(max), extend(min));
        if min >> bits == max >> bits && (a >= 0) == (b >= 0) {
            let (low, high) = (a.min(b), a.max(b));
            self.set_s64(low, high);
            self.set_s32(low, high);
            self.bits = Tnum::range(low as u64, high as u64);
            return;
        }
        let half = 1i64 << (bits - 1);
        self.set_s64(-half, half - 1);
        self.set_s32(-half, half - 1);
        self.bits = tnum::UNKNOWN;
    }

    /// Sign-extends the lower `bytes` (1 or 2) to 32 bits; the upper half is still to be cleared
    /// (`coerce_subreg_to_size_sx()`).
    pub fn sign_extend_low(&mut self, bytes: u32) {
        let bits = bytes * 8;
        let extend = |v: u64| i64::from(((v as u32) << (32 - bits)) as i32 >> (32 - bits));
        if self.is_const() {
            let value = extend(self.bits.value);
            self.bits = Tnum::known(value as u64);
            self.set_s32(value, value);
            return;
        }
        let (min, max) = (self.s32_min() as u32, self.s32_max() as u32);
        let (a, b) = (extend(u64::from(max)), extend(u64::from(min)));
        if min >> bits == max >> bits && (a >= 0) == (b >= 0) {
            let (low, high) = (a.min(b), a.max(b));
            self.set_s32(low, high);
            self.bits = Tnum::range(low as u64, high as u64).low();
            return;
        }
        let half = 1i64 << (bits - 1);
        self.set_s32(-half, half - 1);
        self.bits = tnum::UNKNOWN.low();
    }

    /// Whether each number of `other` is one of its own.
    pub fn holds(&self, other: &Scalar) -> bool {
        self.r64.holds(other.r64, W64)
            && self.r32.holds(other.r32, W32)
            && self.bits.holds(other.bits)
    }
}
