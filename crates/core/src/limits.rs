//! What one run may take; each ends it with an error that says so.

use crate::bpf::Budget;

/// `BPF_COMPLEXITY_LIMIT_INSNS`, include/linux/bpf.h.
pub const WALKED: u32 = 1_000_000;

/// Limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of each run of a BPF program.
    pub instructions: Budget,
    /// Bytes that the trace may take: steps, fields, writes, registers, stores. Maps have limits of their own
    /// (16 MiB each, 64 MiB an object), and a packet buffer is at most 64 KiB.
    pub memory: usize,
    /// Instructions that the verifier looks at for each program, on all ways together. What it remembers of them may take
    /// 512 MiB.
    pub walked: u32,
}

impl Default for Limits {
    /// A million instructions for each run and each walk of the verifier, and 512 MiB: a trace of a million
    /// instructions takes less than 200 MB.
    fn default() -> Self {
        Self {
            instructions: Budget::default(),
            memory: 512 << 20,
            walked: WALKED,
        }
    }
}
