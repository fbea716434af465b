//! `bpf_get_prandom_u32()`: `prandom_u32_state()` (lib/random32.c), four Tausworthe generators, begun from a
//! fixed seed, so that every run sees the same numbers.

/// `struct rnd_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Random {
    s: [u32; 4],
}

impl Default for Random {
    fn default() -> Random {
        Random::seeded(1)
    }
}

impl Random {
    /// `prandom_seed_early()` and `prandom_warmup()`, as the kernel's own test of this generator does.
    pub fn seeded(seed: u32) -> Random {
        const LEAST: [u32; 4] = [2, 8, 16, 128];
        let mut s = [0; 4];
        let mut x = seed;
        for (s, least) in s.iter_mut().zip(LEAST) {
            x = x.wrapping_mul(69069);
            x = if x < least { x.wrapping_add(least) } else { x };
            *s = x;
        }
        let mut random = Random { s };
        for _ in 0..10 {
            random.next();
        }
        random
    }

    /// `prandom_u32_state()`.
    pub fn next(&mut self) -> u32 {
        // TAUSWORTHE(s, a, b, c, d)
        const STEPS: [(u32, u32, u32, u32); 4] = [
            (6, 13, !1, 18),
            (2, 27, !7, 2),
            (13, 21, !15, 7),
            (3, 12, !127, 13),
        ];
        for (s, (a, b, c, d)) in self.s.iter_mut().zip(STEPS) {
            *s = ((*s & c) << d) ^ (((*s << a) ^ *s) >> b);
        }
        self.s.iter().fold(0, |all, s| all ^ s)
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// `test1` of lib/random32.c: seed and first result.
    #[test]
    fn numbers_are_those_of_the_kernel() {
        for (seed, first) in [
            (1, 3_484_351_685),
            (2, 2_623_130_059),
            (3, 3_125_133_893),
            (4, 984_847_254),
        ] {
            assert_eq!(Random::seeded(seed).next(), first, "{seed}");
        }
    }
}
