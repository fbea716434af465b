//! Ranges on the circle of 64-bit or 32-bit numbers (`struct cnum64`, `struct cnum32`, kernel/bpf/cnum.c):
//! one arc holds what Linux used to keep as a signed and an unsigned range.

/// `size` + 1 numbers from `base` on, around the end of the circle if need be.
/// The width is given to each operation as the mask of its bits: [`W64`] or [`W32`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cnum {
    pub base: u64,
    pub size: u64,
}

pub(super) const W64: u64 = u64::MAX;
pub(super) const W32: u64 = u32::MAX as u64;

/// Largest signed number.
fn top(m: u64) -> u64 {
    m >> 1
}

/// As a signed number.
fn signed(v: u64, m: u64) -> i64 {
    if m == W32 {
        i64::from(v as i32)
    } else {
        v as i64
    }
}

impl Cnum {
    pub const fn full(m: u64) -> Cnum {
        Cnum { base: 0, size: m }
    }

    pub const fn empty(m: u64) -> Cnum {
        Cnum { base: m, size: m }
    }

    pub fn unsigned(min: u64, max: u64, m: u64) -> Cnum {
        Cnum {
            base: min & m,
            size: max.wrapping_sub(min) & m,
        }
    }

    pub fn signed(min: i64, max: i64, m: u64) -> Cnum {
        let size = (max as u64).wrapping_sub(min as u64) & m;
        let base = if size == m { 0 } else { min as u64 & m };
        Cnum { base, size }
    }

    pub fn is_empty(self, m: u64) -> bool {
        self == Cnum::empty(m)
    }

    pub fn is_const(self) -> bool {
        self.size == 0
    }

    /// Goes around the end of the unsigned numbers.
    fn wraps(self, m: u64) -> bool {
        self.size > m - self.base
    }

    fn last(self, m: u64) -> u64 {
        self.base.wrapping_add(self.size) & m
    }

    fn holds_number(self, v: u64, m: u64) -> bool {
        !self.is_empty(m) && v.wrapping_sub(self.base) & m <= self.size
    }

    pub fn umin(self, m: u64) -> u64 {
        if self.wraps(m) { 0 } else { self.base }
    }

    pub fn umax(self, m: u64) -> u64 {
        if self.wraps(m) { m } else { self.last(m) }
    }

    /// Goes around the end of the signed numbers.
    fn wraps_signed(self, m: u64) -> bool {
        self.holds_number(top(m), m) && self.holds_number(top(m) + 1, m)
    }

    pub fn smin(self, m: u64) -> i64 {
        if self.wraps_signed(m) {
            return signed(top(m) + 1, m);
        }
        signed(self.base, m).min(signed(self.last(m), m))
    }

    pub fn smax(self, m: u64) -> i64 {
        if self.wraps_signed(m) {
            return signed(top(m), m);
        }
        signed(self.base, m).max(signed(self.last(m), m))
    }

    /// What is in both; if that is two arcs, the smaller of the two operands.
    pub fn intersect(self, other: Cnum, m: u64) -> Cnum {
        if self.is_empty(m) || other.is_empty(m) {
            return Cnum::empty(m);
        }
        let (a, b) = if self.base > other.base {
            (other, self)
        } else {
            (self, other)
        };
        // seen from the start of a
        let b1 = Cnum {
            base: b.base - a.base,
            size: b.size,
        };
        if b1.wraps(m) {
            if b1.base <= a.size {
                return if a.size <= b.size { a } else { b };
            }
            return Cnum {
                base: a.base,
                size: a.size.min(b1.last(m)),
            };
        }
        if a.size < b1.base {
            return Cnum::empty(m);
        }
        Cnum {
            base: b.base,
            size: b.size.min(a.size - b1.base),
        }
    }

    fn normal(self, m: u64) -> Cnum {
        if self.size == m && self.base != 0 && self.base != top(m) {
            return Cnum::full(m);
        }
        self
    }

    pub fn add(self, b: Cnum, m: u64) -> Cnum {
        if self.is_empty(m) || b.is_empty(m) {
            return Cnum::empty(m);
        }
        if self.size > m - b.size {
            return Cnum::full(m);
        }
        let base = self.base.wrapping_add(b.base) & m;
        let size = self.size + b.size;
        Cnum { base, size }.normal(m)
    }

    pub fn negate(self, m: u64) -> Cnum {
        if self.is_empty(m) {
            return self;
        }
        let base = self.last(m).wrapping_neg() & m;
        Cnum { base, ..self }.normal(m)
    }

    /// Whether all of `smaller` lies in it.
    pub fn holds(self, smaller: Cnum, m: u64) -> bool {
        if smaller.is_empty(m) {
            return true;
        }
        if self.is_empty(m) {
            return false;
        }
        let smaller = Cnum {
            base: smaller.base.wrapping_sub(self.base) & m,
            ..smaller
        };
        if smaller.wraps(m) && self.size < m {
            return false;
        }
        smaller.last(m) <= self.size
    }

    /// The lower halves of 64-bit numbers.
    pub fn low(self) -> Cnum {
        if self.is_empty(W64) {
            Cnum::empty(W32)
        } else if self.size >= W32 {
            Cnum::full(W32)
        } else {
            Cnum {
                base: self.base & W32,
                size: self.size,
            }
        }
    }

    /// 64-bit numbers of the arc whose lower half lies in `low`: the ends move inward
    /// (`cnum64_cnum32_intersect()`).
    pub fn with_low(self, low: Cnum) -> Cnum {
        if self.is_empty(W64) || low.is_empty(W32) {
            return Cnum::empty(W64);
        }
        // `low` seen from the start of the arc
        let base = low.base.wrapping_sub(self.base) & W32;
        let last = base.wrapping_add(low.size) & W32;
        // where the arc ends in its last turn of 2^32
        let end = self.size & W32;
        let mut out = self;
        if low.size > W32 - base {
            if end > last && end < base {
                out.size -= end - last;
            }
            return out;
        }
        if out.size < base {
            return Cnum::empty(W64);
        }
        out.base = out.base.wrapping_add(base);
        out.size -= base;
        let cut = if end < base {
            end + (W32 + 1 - last)
        } else {
            end.saturating_sub(last)
        };
        match out.size.checked_sub(cut) {
            Some(size) => Cnum { size, ..out },
            None => Cnum::empty(W64),
        }
    }
}
