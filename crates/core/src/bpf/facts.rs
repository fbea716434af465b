//! What the verifier finds out about a program for the fix-up: which loads are loads of the context and
//! whether the program writes the packet.

use super::error::LoadError;
use super::layout::CtxLoad;
use super::program::Program;
use super::verifier::{self, Rules, Warning};

/// What v3 wants to know of a program before it chooses a prologue (patches 11 to 14). What only happens on
/// ways that are never taken does not count: the verifier does not walk them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Facts {
    /// It loads `data_meta` from the context: `PA_F_DATA_META_LOAD`, patch 14.
    pub loads_data_meta: bool,
    /// It stores through a packet or metadata pointer, or calls `bpf_dynptr_slice_rdwr()`:
    /// `seen_direct_write` up to 7.2, `PA_F_DIRECT_WRITE` in patch 12.
    pub writes_packet: bool,
}

/// The result of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    pub facts: Facts,
    /// For each instruction: the context load it is.
    pub ctx_loads: Vec<Option<CtxLoad>>,
    /// For each instruction: the context store it is.
    pub ctx_stores: Vec<Option<CtxLoad>>,
}

impl Followed {
    /// Nothing seen yet, of so many instructions.
    pub fn new(count: usize) -> Followed {
        Followed {
            facts: Facts::default(),
            ctx_loads: vec![None; count],
            ctx_stores: vec![None; count],
        }
    }

    /// `prog->tstamp_type_access`: then `tstamp` is shown and written as it is.
    pub fn reads_tstamp_type(&self) -> bool {
        let is = |load: &CtxLoad| load.name == "tstamp_type";
        self.ctx_loads.iter().flatten().any(is)
    }
}

impl Program {
    /// What the program does with metadata and packet; an error if Linux would refuse the program, in the
    /// verifier's words.
    pub fn facts(&self) -> Result<Facts, LoadError> {
        self.facts_by(Rules::default())
    }

    /// As [`Program::facts`], by other rules.
    pub fn facts_by(&self, rules: Rules) -> Result<Facts, LoadError> {
        Ok(follow(self, rules)?.facts)
    }

    /// Where Linux may refuse the program although the simulator runs it, in the order of the walk; an error
    /// if Linux would refuse it in any case.
    pub fn leniency(&self) -> Result<Vec<Warning>, LoadError> {
        Ok(verifier::verify(self)?.warnings)
    }

    /// Instructions that the verifier looks at, on all ways together (`processed … insns` of its log).
    pub fn walked(&self) -> Result<u32, LoadError> {
        Ok(verifier::verify(self)?.processed)
    }

    pub(super) fn refused(&self, insn: usize, why: impl Into<String>) -> LoadError {
        LoadError::Refused {
            file: self.file.clone(),
            program: self.name.clone(),
            insn,
            why: why.into(),
        }
    }
}

/// Walks the program.
pub(super) fn follow(program: &Program, rules: Rules) -> Result<Followed, LoadError> {
    Ok(verifier::verify_by(program, rules)?.followed)
}
