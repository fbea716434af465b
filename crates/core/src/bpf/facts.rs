//! What the verifier finds out about a program for the fix-up: which loads are loads of the context and
//! whether the program writes the packet.

use std::sync::{Arc, OnceLock};

use super::error::LoadError;
use super::fixup::{self, Prepared, Prologue};
use super::layout::CtxLoad;
use super::program::Program;
use super::verifier::{self, Held, Rules, Verified, Warning};
use crate::limits::Limits;

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

/// What the verifier says of a program: one walk through it, asked as often as wanted.
#[derive(Debug, Clone)]
pub struct Judgement<'p> {
    program: &'p Program,
    verified: Verified,
    refused: Option<LoadError>,
    fixed: Fixed,
}

/// What the fix-up makes of the program, by its prologue, once it was asked for.
type Fixed = [OnceLock<Result<Arc<Prepared>, LoadError>>; 4];

impl<'p> Judgement<'p> {
    /// The program.
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// Why Linux refuses the program, in the verifier's words.
    pub fn refused(&self) -> Option<&LoadError> {
        self.refused.as_ref()
    }

    /// What the registers held where the walk was refused; empty for a program that is accepted, or refused before it was walked.
    pub fn held(&self) -> &[Held] {
        &self.verified.held
    }

    /// What the program does with metadata and packet; an error if it is refused.
    pub fn facts(&self) -> Result<Facts, LoadError> {
        Ok(self.accepted()?.followed.facts)
    }

    /// Where Linux may refuse the program although the simulator runs it, in the order of the walk; nothing of one
    /// that is refused in any case.
    pub fn leniency(&self) -> &[Warning] {
        self.accepted().map_or(&[], |verified| &verified.warnings)
    }

    /// Instructions that were looked at, on all ways together (`processed … insns` of the log), also of a program
    /// that is refused.
    pub fn walked(&self) -> u32 {
        self.verified.processed
    }

    fn accepted(&self) -> Result<&Verified, LoadError> {
        match &self.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(&self.verified),
        }
    }

    /// As [`fixup::fix_up`], without a walk of its own.
    pub fn fix_up(&self, prologue: Prologue) -> Result<Prepared, LoadError> {
        fixup::check_type(self.program)?;
        fixup::fix_up_with(self.program, prologue, &self.accepted()?.followed)
    }

    /// As [`Judgement::fix_up`], made once for each prologue: designs with the same one share it.
    pub fn fixed_up(&self, prologue: Prologue) -> Result<Arc<Prepared>, LoadError> {
        let [plain, realign, unclone, both] = &self.fixed;
        let place = match (prologue.realign, prologue.unclone) {
            (false, false) => plain,
            (true, false) => realign,
            (false, true) => unclone,
            (true, true) => both,
        };
        let fixed = place.get_or_init(|| self.fix_up(prologue).map(Arc::new));
        fixed.clone()
    }

    /// For a listing of the program as it is written, whatever the verifier says of it and whether its section names a
    /// type or not. Context loads are rewritten only where the program is accepted.
    pub fn as_written(&self) -> Result<Prepared, LoadError> {
        let nothing = Followed::new(self.program.insns.len());
        let judged = fixup::check_type(self.program).and_then(|()| self.accepted());
        let followed = judged.map_or(&nothing, |verified| &verified.followed);
        fixup::fix_up_with(self.program, Prologue::default(), followed)
    }

    /// What stands in the way of a run: a section that names no type, or the verifier's refusal.
    pub fn objection(&self) -> Option<LoadError> {
        fixup::check_type(self.program)
            .err()
            .or_else(|| self.refused.clone())
    }

    /// As [`fixup::fix_up_unverified`], without a walk of its own.
    pub fn fix_up_unverified(&self, prologue: Prologue) -> Result<Prepared, LoadError> {
        fixup::fix_up_with(self.program, prologue, &self.verified.followed)
    }
}

impl Program {
    /// Walks the program once, with the limits of Linux.
    pub fn judge(&self) -> Judgement<'_> {
        self.judge_within(Limits::default())
    }

    /// As [`Program::judge`]; the walk takes at most `limits`.
    pub fn judge_within(&self, limits: Limits) -> Judgement<'_> {
        self.judge_by(limits, Rules::default())
    }

    /// As [`Program::judge_within`], by other rules.
    pub fn judge_by(&self, limits: Limits, rules: Rules) -> Judgement<'_> {
        let (verified, refused) = verifier::walk(self, limits, rules);
        Judgement {
            program: self,
            verified,
            refused,
            fixed: Fixed::default(),
        }
    }

    /// [`Judgement::facts`] of a walk for this question alone.
    pub fn facts(&self) -> Result<Facts, LoadError> {
        self.judge().facts()
    }

    /// [`Judgement::leniency`] of a walk for this question alone; an error if Linux refuses the program in any case.
    pub fn leniency(&self) -> Result<Vec<Warning>, LoadError> {
        let judged = self.judge();
        judged.facts()?;
        Ok(judged.leniency().to_vec())
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
