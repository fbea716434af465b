//! The verifier: which programs Linux 7.2 loads, and what it finds out about them on the way
//! (`bpf_check()`, kernel/bpf/verifier.c), for a loader with all capabilities, as `root` is.
//!
//! ```text
//! cfg ─► walk ─► alu, branch, access, stack, call, kfunc …   one instruction, one state
//!          │      args, frames, objects, region              what they need
//!          └───► prune ─ equal, precise                      ways that need not be walked
//! reg ─ scalar ─ arith ─ tnum, cnum                          what is known of a register
//! protos, context                                            tables of the program types
//! ```
//!
//! See `docs/verifier.md` for what is equal to Linux and what is not.

mod access;
mod alu;
mod args;
mod arith;
mod branch;
mod call;
mod cfg;
mod cnum;
mod context;
mod equal;
mod frames;
mod held;
mod kfunc;
mod nf;
mod objects;
mod precise;
mod protos;
mod prune;
mod refine;
mod refusal;
mod reg;
mod region;
mod scalar;
mod stack;
mod state;
mod tnum;
mod walk;
mod warning;

use super::error::LoadError;
use super::facts::Followed;
use super::program::Program;
use super::proposed::Proposed;
use crate::limits::Limits;

pub use held::Held;
pub use protos::Behind;
pub(super) use protos::{arguments as helper_arguments, reads as helper_reads};
pub use warning::Warning;

/// What a walk gives: facts for the fix-up, and where Linux may judge otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub followed: Followed,
    pub warnings: Vec<Warning>,
    /// What the registers held where the walk was refused.
    pub held: Vec<Held>,
    /// Instructions that were looked at, on all ways together.
    pub processed: u32,
}

/// Where a design's kernel, or one that is only assumed, judges otherwise than Linux 7.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// `bpf_dynptr_from_skb_meta()` is there in every program with an skb, not for TC only.
    pub meta_everywhere: bool,
    /// Kernel functions that only the design has.
    pub proposed: Proposed,
    /// Whether the program is loaded for one device (`bpf_prog_is_dev_bound()`). `None`: that is not known, and a warning
    /// says so.
    pub device_bound: Option<bool>,
}

/// Walks a program; what was found out until it was refused, and the refusal if there is one: Linux would refuse
/// it, the simulator lacks something, or the walk would take more than `limits`.
pub(super) fn walk(
    program: &Program,
    limits: Limits,
    rules: Rules,
) -> (Verified, Option<LoadError>) {
    let class = protos::class(&program.prog_type);
    let nothing = Verified {
        followed: Followed::new(program.insns.len()),
        warnings: Vec::new(),
        held: Vec::new(),
        processed: 0,
    };
    if class == 0 {
        // no hook of the simulator runs such a program
        return (nothing, None);
    }
    let refuse = |(at, why): (usize, refusal::Refusal)| program.refused(at, why.to_string());
    // add_subprog_and_kfunc() is first
    if rules.device_bound == Some(false)
        && let Some(at) = kfunc::needs_device(&program.insns)
    {
        return (nothing, Some(refuse((at, refusal::Refusal::DeviceBound))));
    }
    let cfg = match cfg::analyze(program) {
        Ok(cfg) => cfg,
        Err(failed) => return (nothing, Some(refuse(failed))),
    };
    let mut walk = walk::Walk::new(program, class, cfg, limits.walked);
    walk.rules = rules;
    let mut registers = Vec::new();
    let refused = match walk.run() {
        Err(why) => {
            registers = held::held(program, &walk.state);
            Some((walk.insn, why))
        }
        Ok(()) => cfg::check_depth(&program.insns, &walk.cfg, &walk.depths, &walk.timers).err(),
    };
    let verified = Verified {
        processed: walk.processed,
        followed: walk.out,
        warnings: walk.warnings,
        held: registers,
    };
    (verified, refused.map(refuse))
}

/// Helpers that call a function of the program (`is_sync_callback_calling_function()`).
fn calls_callback(id: u32) -> bool {
    matches!(id, 164 | 180 | 181 | 209)
}
