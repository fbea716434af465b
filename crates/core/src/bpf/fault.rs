//! Why a program's run ends before its exit.

use thiserror::Error;

/// A program did what Linux's verifier or the machine forbids; the run ends.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// A memory access outside everything the program may touch.
    #[error("instruction {insn}: invalid access to {what}, off={off} size={size}")]
    Access {
        /// Index into the listing the kernel runs.
        insn: usize,
        /// `packet`, `metadata`, `stack`, `map value`, `ctx`, or `memory`.
        what: &'static str,
        /// Offset from the start of that region, bytes.
        off: i64,
        /// Bytes.
        size: u32,
    },
    /// A helper or kfunc that the core does not know.
    #[error(
        "instruction {insn}: {name} is not covered by the simulator{}",
        has(types)
    )]
    NotCovered {
        /// Index into the listing.
        insn: usize,
        /// Name or number.
        name: String,
        /// Program types in which Linux has it, as in `xdp, sched_cls`; empty when that is not known.
        types: String,
    },
    /// Linux has no such helper or kernel function in a program of that type.
    #[error("instruction {insn}: {refusal}")]
    NotForType {
        /// Index into the listing.
        insn: usize,
        /// Which, and who has it.
        refusal: Box<NotForType>,
    },
    /// An instruction the engine cannot carry out.
    #[error("instruction {insn}: {what}")]
    Instruction {
        /// Index into the listing.
        insn: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The budget is used up.
    #[error("instruction {insn}: the program did not end within {limit} instructions")]
    Endless {
        /// Index into the listing.
        insn: usize,
        /// The budget.
        limit: u64,
    },
}

/// What a program of a type asked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("program of type {prog_type} cannot use {name}; types that have it: {types}")]
pub struct NotForType {
    /// Name and number.
    pub name: String,
    /// Type of the program, as bpftool names it.
    pub prog_type: String,
    /// Program types in which Linux has it.
    pub types: String,
}

fn has(types: &str) -> String {
    match types {
        "" => String::new(),
        types => format!(" (program types that have it in Linux: {types})"),
    }
}
