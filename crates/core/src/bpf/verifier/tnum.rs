//! Numbers of which single bits are known (`struct tnum`, kernel/bpf/tnum.c).

/// `value` holds the known bits, `mask` has a one where a bit is not known; they share no bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tnum {
    pub value: u64,
    pub mask: u64,
}

/// Nothing is known.
pub(super) const UNKNOWN: Tnum = Tnum {
    value: 0,
    mask: u64::MAX,
};

const LOW: u64 = u32::MAX as u64;

/// All bits below the highest one of `bits`, and that one.
fn filled(bits: u64) -> u64 {
    u64::MAX.checked_shr(bits.leading_zeros()).unwrap_or(0)
}

impl Tnum {
    pub const fn known(value: u64) -> Tnum {
        Tnum { value, mask: 0 }
    }

    /// Value with the unknown bits cut out.
    fn of(value: u64, mask: u64) -> Tnum {
        Tnum {
            value: value & !mask,
            mask,
        }
    }

    /// The best that holds all numbers from `min` to `max`.
    pub fn range(min: u64, max: u64) -> Tnum {
        Tnum::of(min, filled(min ^ max))
    }

    pub fn is_const(self) -> bool {
        self.mask == 0
    }

    /// Largest number.
    pub fn max(self) -> u64 {
        self.value | self.mask
    }

    pub fn add(self, b: Tnum) -> Tnum {
        let value = self.value.wrapping_add(b.value);
        let sum = value.wrapping_add(self.mask.wrapping_add(b.mask));
        Tnum::of(value, (sum ^ value) | self.mask | b.mask)
    }

    pub fn sub(self, b: Tnum) -> Tnum {
        let value = self.value.wrapping_sub(b.value);
        let (high, low) = (value.wrapping_add(self.mask), value.wrapping_sub(b.mask));
        Tnum::of(value, (high ^ low) | self.mask | b.mask)
    }

    pub fn and(self, b: Tnum) -> Tnum {
        let value = self.value & b.value;
        Tnum::of(value, self.max() & b.max() & !value)
    }

    pub fn or(self, b: Tnum) -> Tnum {
        let value = self.value | b.value;
        Tnum {
            value,
            mask: (self.mask | b.mask) & !value,
        }
    }

    pub fn xor(self, b: Tnum) -> Tnum {
        Tnum::of(self.value ^ b.value, self.mask | b.mask)
    }

    /// Long multiplication; an unknown bit adds or does not add.
    pub fn mul(self, mut b: Tnum) -> Tnum {
        let (mut a, mut sum) = (self, Tnum::known(0));
        while a.max() != 0 {
            if a.value & 1 != 0 {
                sum = sum.add(b);
            } else if a.mask & 1 != 0 {
                sum = sum.union(sum.add(b));
            }
            a = a.shr(1);
            b = b.shl(1);
        }
        sum
    }

    pub fn shl(self, by: u32) -> Tnum {
        Tnum {
            value: self.value.wrapping_shl(by),
            mask: self.mask.wrapping_shl(by),
        }
    }

    pub fn shr(self, by: u32) -> Tnum {
        Tnum {
            value: self.value.wrapping_shr(by),
            mask: self.mask.wrapping_shr(by),
        }
    }

    /// Arithmetic shift of all 64 bits, or of the lower 32.
    pub fn sar(self, by: u32, wide: bool) -> Tnum {
        let shift = |bits: u64| {
            if wide {
                (bits as i64).wrapping_shr(by) as u64
            } else {
                u64::from((bits as i32).wrapping_shr(by) as u32)
            }
        };
        Tnum {
            value: shift(self.value),
            mask: shift(self.mask),
        }
    }

    pub fn bswap(self, bits: u8) -> Tnum {
        let swap = |v: u64| v.swap_bytes().wrapping_shr(64 - u32::from(bits));
        Tnum {
            value: swap(self.value),
            mask: swap(self.mask),
        }
    }

    /// What both allow; they must not contradict each other.
    pub fn intersect(self, b: Tnum) -> Tnum {
        Tnum::of(self.value | b.value, self.mask & b.mask)
    }

    pub fn union(self, b: Tnum) -> Tnum {
        Tnum::of(
            self.value & b.value,
            (self.value ^ b.value) | self.mask | b.mask,
        )
    }

    /// Whether some number is in both.
    pub fn overlaps(self, b: Tnum) -> bool {
        let known = !self.mask & !b.mask;
        self.value & known == b.value & known
    }

    /// Whether every number of `b` is in it.
    pub fn holds(self, b: Tnum) -> bool {
        b.mask & !self.mask == 0 && self.value == b.value & !self.mask
    }

    /// The lower `bytes`, the rest zero.
    pub fn cast(self, bytes: u32) -> Tnum {
        let keep = u64::MAX.checked_shr(64 - bytes * 8).unwrap_or(0);
        Tnum {
            value: self.value & keep,
            mask: self.mask & keep,
        }
    }

    /// The lower 32 bits.
    pub fn low(self) -> Tnum {
        self.cast(4)
    }

    /// The lower 32 bits put in place of its own.
    pub fn with_low(self, low: Tnum) -> Tnum {
        Tnum {
            value: self.value & !LOW | low.value & LOW,
            mask: self.mask & !LOW | low.mask & LOW,
        }
    }

    pub fn is_aligned(self, size: u64) -> bool {
        self.max() & size.wrapping_sub(1) == 0
    }

    /// Its smallest number above `z`, or its largest if there is none (`tnum_step()`).
    pub fn step(self, z: u64) -> u64 {
        if z >= self.max() {
            return self.max();
        }
        if z < self.value {
            return self.value;
        }
        let above = z - self.value;
        let full = above | filled(above & !self.mask) | !self.mask;
        self.value | (full.wrapping_add(1) & self.mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tnum() -> impl Strategy<Value = (Tnum, u64)> {
        // numbers near the edges more often
        let word = || prop_oneof![any::<u64>(), 0..4u64, Just(u64::MAX), Just(1 << 31)];
        (word(), word(), word()).prop_map(|(value, mask, bits)| {
            let t = Tnum::of(value, mask);
            (t, t.value | bits & mask)
        })
    }

    proptest! {
        /// What holds for each pair of numbers holds for the tnums that contain them.
        #[test]
        fn operations_contain_the_result((a, x) in tnum(), (b, y) in tnum(), by in 0..64u32) {
            let has = |t: Tnum, v: u64| v & !t.mask == t.value;
            prop_assert!(has(a.add(b), x.wrapping_add(y)));
            prop_assert!(has(a.sub(b), x.wrapping_sub(y)));
            prop_assert!(has(a.mul(b), x.wrapping_mul(y)));
            prop_assert!(has(a.and(b), x & y));
            prop_assert!(has(a.or(b), x | y));
            prop_assert!(has(a.xor(b), x ^ y));
            prop_assert!(has(a.shl(by), x << by));
            prop_assert!(has(a.shr(by), x >> by));
            prop_assert!(has(a.sar(by, true), ((x as i64) >> by) as u64));
            prop_assert!(has(a.bswap(32), u64::from((x as u32).swap_bytes())));
            prop_assert!(has(a.union(b), x) && has(a.union(b), y));
            prop_assert!(has(Tnum::range(x.min(y), x.max(y)), x));
            prop_assert!(a.union(b).holds(a));
            let next = a.step(y);
            prop_assert!(has(a, next));
            prop_assert!(next > y || next == a.max());
        }
    }
}
