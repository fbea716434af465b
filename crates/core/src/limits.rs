//! What one run may take; each ends it with an error that says so.

use crate::bpf::Budget;

/// Limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Instructions of each run of a BPF program.
    pub instructions: Budget,
    /// Bytes that the trace may take: steps, fields, writes, registers, stores. Maps have limits of their own
    /// (16 MiB each, 64 MiB an object), and a packet buffer is at most 64 KiB.
    pub memory: usize,
}

impl Default for Limits {
    /// A million instructions and 512 MiB: a trace of a million instructions takes less than 200 MB.
    fn default() -> Self {
        Self {
            instructions: Budget::default(),
            memory: 512 << 20,
        }
    }
}
