//! A program by itself: no hook, no context. r1 is the address of some memory and r2 its length,
//! as suites for conformance with RFC 9669 want it.
//!
//! Nothing of Linux's verifier applies: what RFC 9669 defines (a division by an immediate 0, say)
//! runs even where Linux would refuse to load it. Helpers that need no packet work.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::decode::{Calls, decode};
use super::fault::Fault;
use super::fixup::{Prepared, prepare_plain};
use super::host::{Budget, CtxField, Host};
use super::maps::Maps;
use super::program::{ProgType, Program};
use super::run::{Workshop, run_from};

/// Address of the memory in the program's eyes.
pub const MEMORY_ADDRESS: u64 = 0xffff_8881_0123_4000;
/// The most bytes a memory may have.
pub const MAX_MEMORY: usize = 0x1_0000;

/// Linux's "operation not supported", what packet helpers answer here.
const EOPNOTSUPP: i64 = 95;

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VmError {
    /// The bytes are no program.
    #[error("program, byte {offset}: {why}")]
    Program {
        /// Bytes from the start of the program.
        offset: usize,
        /// What is wrong there.
        why: String,
    },
    /// The memory is too large.
    #[error("memory of {len} bytes; there may be {MAX_MEMORY}")]
    Memory {
        /// Bytes.
        len: usize,
    },
    /// The program ended with a fault.
    #[error("{fault}")]
    Fault {
        /// What happened.
        fault: Fault,
    },
}

/// What a run leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// r0 at the exit.
    pub r0: u64,
    /// The memory afterwards.
    pub memory: Vec<u8>,
    /// Instructions carried out.
    pub instructions: u64,
}

/// How a program runs. The results are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As much as possible in `rbpf` at once.
    #[default]
    Full,
    /// One instruction at a time, as for a trace.
    Steps,
}

/// A program without a hook, ready to run; made once, run as often as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    prepared: Prepared,
}

impl Plain {
    /// Decodes a program.
    pub fn from_bytes(bytes: &[u8]) -> Result<Plain, VmError> {
        let decoded =
            decode(bytes, &BTreeMap::new(), Calls::Inside).map_err(|e| VmError::Program {
                offset: e.slot * 8,
                why: e.why,
            })?;
        let insns: Vec<_> = decoded.into_iter().map(|one| one.insn).collect();
        let program = Program {
            name: "program".to_owned(),
            section: String::new(),
            prog_type: ProgType::Plain,
            file: String::new(),
            lines: vec![None; insns.len()],
            insns,
            map_names: Arc::from([]),
            maps: Arc::from([]),
            globals: Arc::from([]),
            gpl: true,
        };
        Ok(Plain {
            prepared: prepare_plain(&program),
        })
    }

    /// Runs it at full speed. Without memory r1 and r2 are 0.
    pub fn run(&self, memory: Vec<u8>, budget: Budget) -> Result<Outcome, VmError> {
        self.run_at(memory, budget, Pace::Full)
    }

    /// As [`Plain::run`], at that pace.
    pub fn run_at(&self, memory: Vec<u8>, budget: Budget, pace: Pace) -> Result<Outcome, VmError> {
        let len = memory.len();
        if len > MAX_MEMORY {
            return Err(VmError::Memory { len });
        }
        let entry = match len {
            0 => [0, 0],
            len => [MEMORY_ADDRESS, len as u64],
        };
        let mut host = Bytes {
            memory,
            clock: 0,
            steps: pace == Pace::Steps,
        };
        let mut maps = Maps::default();
        let mut workshop = Workshop::default();
        let (result, stats) = run_from(
            &mut workshop,
            &self.prepared,
            &mut maps,
            &mut host,
            budget,
            entry,
        );
        match result {
            Ok(r0) => Ok(Outcome {
                r0,
                memory: host.memory,
                instructions: stats.instructions,
            }),
            Err(fault) => Err(VmError::Fault { fault }),
        }
    }
}

/// Decodes and runs a program over some memory.
pub fn run(program: &[u8], memory: Vec<u8>, budget: Budget) -> Result<Outcome, VmError> {
    Plain::from_bytes(program)?.run(memory, budget)
}

/// The host of a program that has no packet.
struct Bytes {
    memory: Vec<u8>,
    clock: u64,
    steps: bool,
}

impl Host for Bytes {
    fn packet_address(&self) -> u64 {
        MEMORY_ADDRESS
    }
    fn ctx_load(&mut self, _: CtxField) -> u64 {
        0
    }
    fn packet_bounds(&self) -> (i32, u32) {
        (0, self.memory.len() as u32)
    }
    fn packet_load(&mut self, offset: i32, into: &mut [u8]) {
        let start = offset as usize;
        if let Some(bytes) = self.memory.get(start..start + into.len()) {
            into.copy_from_slice(bytes);
        }
    }
    fn packet_store(&mut self, offset: i32, bytes: &[u8]) {
        let start = offset as usize;
        if let Some(place) = self.memory.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
    fn xdp_adjust_meta(&mut self, _: i32) -> i64 {
        -EOPNOTSUPP
    }
    fn xdp_adjust_head(&mut self, _: i32) -> i64 {
        -EOPNOTSUPP
    }
    fn load_bytes(&mut self, _: u32, _: &mut [u8]) -> i64 {
        -EOPNOTSUPP
    }
    fn skb_meta_realign(&mut self) {}
    fn skb_pull_data(&mut self, _: u32) -> i64 {
        -EOPNOTSUPP
    }
    fn dynptr_from_skb_meta(&mut self, _: u64) -> Result<u32, i64> {
        Err(-EOPNOTSUPP)
    }
    fn skb_meta_load(&mut self, _: u32, _: &mut [u8]) -> i64 {
        -EOPNOTSUPP
    }
    fn skb_meta_store(&mut self, _: u32, _: &[u8]) -> i64 {
        -EOPNOTSUPP
    }
    fn printk(&mut self, _: String) {}
    fn ringbuf_output(&mut self, _: &str, _: &[u8]) {}
    fn ktime_ns(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
    fn steps(&self) -> bool {
        self.steps
    }
    fn instruction(&mut self, _: usize, _: &[u64; 11]) {}
}
