//! The fix-up: what Linux makes of a program between the verifier and the first run
//! (`convert_ctx_accesses()`, kernel/bpf/verifier.c; `tc_cls_act_prologue()`, net/core/filter.c).

use std::sync::Arc;

use super::chunk::Chunks;
use super::error::LoadError;
use super::facts::Followed;
use super::host::CtxField;
use super::insn::{AluOp, Callee, Cond, Insn, Operand, Reg, Size, Wide, Width};
use super::layout::{self, CLONED_MASK, CtxLoad, Fixed, KernelValue, Member, offsets};
use super::lazy_chunks::LazyChunks;
use super::listing::{Listing, make_listing};
use super::maps::{map_address, values_address};
use super::memory::FUNCTION_ADDRESS;
use super::piece::{Piece, PieceCode};
use super::program::{ProgType, Program};

/// Which prologue to put in front of a TC program. XDP programs never have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Prologue {
    /// Call `bpf_skb_meta_realign()` (v3, patch 16): 3 instructions.
    pub realign: bool,
    /// Make the packet writable if it is a clone (`bpf_unclone_prologue()`): 10 instructions.
    pub unclone: bool,
}

/// One instruction in the form the machine carries out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `dst` = result of the piece.
    Piece { dst: Reg, piece: usize },
    /// Jump if the piece says so.
    Branch { piece: usize, target: usize },
    /// Jump.
    Jump(usize),
    /// A load of a kernel structure at `base`.
    Kernel {
        dst: Reg,
        base: Reg,
        size: Size,
        value: KernelValue,
        of: u64,
    },
    /// A store to the structure behind the context.
    KernelStore {
        base: Reg,
        size: Size,
        field: CtxField,
        src: Operand,
    },
    /// Memory, calls, exit.
    Core(Insn),
}

/// A program as the kernel runs it, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    listing: Arc<Listing>,
    prologue_len: usize,
    pub(super) steps: Vec<Step>,
    pub(super) pieces: PieceCode,
    chunks: LazyChunks,
    pub(super) prog_type: ProgType,
}

impl Prepared {
    /// The program line by line, prologue included.
    pub fn listing(&self) -> Arc<Listing> {
        Arc::clone(&self.listing)
    }

    /// Instructions of the prologue: 0, 3, 10 or 13.
    pub fn prologue_len(&self) -> usize {
        self.prologue_len
    }

    /// The program for running at full speed.
    pub(super) fn chunks(&self) -> &Chunks {
        self.chunks.get(|insn| match insn {
            Insn::LoadImm { value, .. } => wide_number(*value),
            _ => 0,
        })
    }

    /// XDP or TC.
    pub fn prog_type(&self) -> &ProgType {
        &self.prog_type
    }
}

/// One line of the program to be: the instruction and where it comes from.
pub(super) struct Line {
    pub fixed: Fixed,
    pub written: Option<usize>,
    pub note: Option<String>,
}

/// Turns a program into the one the kernel runs: context loads become loads of the real structures,
/// the prologue comes first, jumps are adjusted.
///
/// Not done here although Linux does it: inlining of `bpf_map_lookup_elem()` and
/// `bpf_get_smp_processor_id()`, removal of dead branches, numbers of kernel functions in calls.
pub fn fix_up(program: &Program, prologue: Prologue) -> Result<Prepared, LoadError> {
    check_type(program)?;
    program.judge().fix_up(prologue)
}

/// Somebody must have said as what a program of an unknown section is to run.
pub(super) fn check_type(program: &Program) -> Result<(), LoadError> {
    match &program.prog_type {
        ProgType::Unknown(section) => Err(LoadError::ProgramType {
            file: program.file.clone(),
            program: program.name.clone(),
            section: section.clone(),
        }),
        _ => Ok(()),
    }
}

/// The same for a program that the verifier refuses, with the context accesses that it saw until then: to see what
/// guards a run besides the verifier.
pub fn fix_up_unverified(program: &Program, prologue: Prologue) -> Result<Prepared, LoadError> {
    program.judge().fix_up_unverified(prologue)
}

pub(super) fn fix_up_with(
    program: &Program,
    prologue: Prologue,
    followed: &Followed,
) -> Result<Prepared, LoadError> {
    let mut lines = match program.prog_type {
        ProgType::SchedCls | ProgType::LwtXmit => prologue_lines(prologue),
        // The others have no prologue (`lwt_in_verifier_ops` and its like).
        _ => Vec::new(),
    };
    let prologue_len = lines.len();
    // Where each written instruction starts; a jump to a rewritten one goes to its first part, and
    // one to the first instruction goes behind the prologue.
    let mut starts = Vec::with_capacity(program.insns.len());
    // Lines whose jump target still counts written instructions.
    let mut written_target = vec![false; prologue_len];
    for (at, insn) in program.insns.iter().enumerate() {
        starts.push(lines.len());
        let replaced = replacement(program, at, insn, followed)?;
        match replaced {
            Some((fixed, note)) => {
                let base = lines.len();
                for (part, fixed) in fixed.into_iter().enumerate() {
                    let fixed = Fixed {
                        insn: fixed.insn.retarget(|t| base + t),
                        ..fixed
                    };
                    let note = (part == 0).then(|| note.clone());
                    lines.push(Line {
                        fixed,
                        written: Some(at),
                        note,
                    });
                    written_target.push(false);
                }
            }
            None => {
                let fixed = Fixed {
                    insn: insn.clone(),
                    kernel: None,
                };
                lines.push(Line {
                    fixed,
                    written: Some(at),
                    note: None,
                });
                written_target.push(true);
            }
        }
    }
    for (line, written) in lines.iter_mut().zip(written_target) {
        if written {
            let start = |target: usize| starts.get(target).copied().unwrap_or(usize::MAX);
            let insn = line.fixed.insn.clone();
            line.fixed.insn = insn.retarget(start).refunction(start);
        }
    }
    let mut pieces = Vec::new();
    let steps = lines
        .iter()
        .map(|line| lower(&line.fixed, &mut pieces))
        .collect();
    Ok(Prepared {
        listing: Arc::new(make_listing(program, &lines)),
        prologue_len,
        steps,
        pieces: PieceCode::of(&pieces),
        chunks: LazyChunks::new(insns(lines), prologue_len),
        prog_type: program.prog_type.clone(),
    })
}

/// What takes the place of an access of the context, and a remark.
fn replacement(
    program: &Program,
    at: usize,
    insn: &Insn,
    followed: &Followed,
) -> Result<Option<(Vec<Fixed>, String)>, LoadError> {
    let tstamp = |access: CtxLoad| match access.member {
        Member::Number(CtxField::Tstamp) if followed.reads_tstamp_type() => CtxLoad {
            member: Member::Number(CtxField::TstampAsIs),
            ..access
        },
        _ => access,
    };
    let note = |name: &str| format!("ctx->{name}, rewritten");
    let (load, store) = (followed.ctx_loads[at], followed.ctx_stores[at]);
    match (insn, load.map(tstamp), store.map(tstamp)) {
        (
            Insn::Load {
                size,
                signed,
                dst,
                base,
                ..
            },
            Some(load),
            _,
        ) => {
            let fixed = layout::convert(&program.prog_type, load, *size, *signed, *dst, *base);
            let name = load.name;
            let fixed = fixed.ok_or_else(|| {
                let why = format!("context field {name} is not covered by the simulator");
                program.refused(at, why)
            })?;
            Ok(Some((fixed, note(name))))
        }
        (
            Insn::Store {
                size, base, src, ..
            },
            _,
            Some(store),
        ) => {
            let fixed = layout::convert_store(store, *size, *base, *src);
            Ok(Some((fixed, note(store.name))))
        }
        _ => Ok(None),
    }
}

/// A program that no hook runs ([`ProgType::Plain`]): as it stands, nothing rewritten or followed.
pub(super) fn prepare_plain(program: &Program) -> Prepared {
    let line = |(at, insn): (usize, &Insn)| Line {
        fixed: Fixed {
            insn: insn.clone(),
            kernel: None,
        },
        written: Some(at),
        note: None,
    };
    let lines: Vec<Line> = program.insns.iter().enumerate().map(line).collect();
    let mut pieces = Vec::new();
    let steps = lines
        .iter()
        .map(|line| lower(&line.fixed, &mut pieces))
        .collect();
    Prepared {
        listing: Arc::new(make_listing(program, &lines)),
        prologue_len: 0,
        steps,
        pieces: PieceCode::of(&pieces),
        chunks: LazyChunks::new(insns(lines), 0),
        prog_type: ProgType::Plain,
    }
}

fn prologue_lines(prologue: Prologue) -> Vec<Line> {
    let mov = |dst, src| Insn::Alu {
        width: Width::W64,
        op: AluOp::Mov,
        dst,
        src: Operand::Reg(src),
    };
    let plain = |insn| Fixed { insn, kernel: None };
    let mut out = Vec::new();
    if prologue.realign {
        out.push(plain(mov(Reg::R6, Reg::R1)));
        out.push(plain(Insn::Call(Callee::MetaRealign)));
        out.push(plain(mov(Reg::R1, Reg::R6)));
    }
    if prologue.unclone {
        let base = out.len();
        let is_zero = |dst, target| Insn::Branch {
            width: Width::W64,
            cond: Cond::Eq,
            dst,
            src: Operand::Imm(0),
            target: base + target,
        };
        let w32 = |op, dst, imm| Insn::Alu {
            width: Width::W32,
            op,
            dst,
            src: Operand::Imm(imm),
        };
        let tc_act_shot = 2;
        out.push(Fixed {
            insn: Insn::Load {
                size: Size::B,
                signed: false,
                dst: Reg::R6,
                base: Reg::R1,
                off: offsets::SKB_CLONED,
            },
            kernel: Some(KernelValue::Field(CtxField::ClonedByte)),
        });
        out.push(plain(w32(AluOp::And, Reg::R6, CLONED_MASK)));
        out.push(plain(is_zero(Reg::R6, 10)));
        out.push(plain(mov(Reg::R6, Reg::R1)));
        out.push(plain(Insn::Alu {
            width: Width::W64,
            op: AluOp::Xor,
            dst: Reg::R2,
            src: Operand::Reg(Reg::R2),
        }));
        out.push(plain(Insn::Call(Callee::ProloguePullData)));
        out.push(plain(is_zero(Reg::R0, 9)));
        out.push(plain(w32(AluOp::Mov, Reg::R0, tc_act_shot)));
        out.push(plain(Insn::Exit));
        out.push(plain(mov(Reg::R1, Reg::R6)));
    }
    let line = |fixed| Line {
        fixed,
        written: None,
        note: Some("prologue".to_owned()),
    };
    out.into_iter().map(line).collect()
}

/// What a wide load puts into its register.
fn wide_number(value: Wide) -> u64 {
    match value {
        Wide::Number(number) => number,
        Wide::Map(map) => map_address(map),
        Wide::MapValue { map, off } => values_address(map) + u64::from(off),
        Wide::Func(target) => FUNCTION_ADDRESS + target as u64 * 8,
    }
}

fn insns(lines: Vec<Line>) -> Vec<Insn> {
    lines.into_iter().map(|line| line.fixed.insn).collect()
}

fn lower(fixed: &Fixed, pieces: &mut Vec<Piece>) -> Step {
    let mut add = |piece: Piece| {
        pieces.push(piece);
        pieces.len() - 1
    };
    match &fixed.insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => Step::Piece {
            dst: *dst,
            piece: add(Piece::alu(*width, *op, *dst, *src)),
        },
        Insn::LoadImm { dst, value } => Step::Piece {
            dst: *dst,
            piece: add(Piece::wide(wide_number(*value))),
        },
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            target,
        } => Step::Branch {
            piece: add(Piece::branch(*width, *cond, *dst, *src)),
            target: *target,
        },
        Insn::Jump { target, .. } => Step::Jump(*target),
        Insn::Load {
            size,
            dst,
            base,
            off,
            ..
        } => match fixed.kernel {
            Some(value) => Step::Kernel {
                dst: *dst,
                base: *base,
                size: *size,
                value,
                of: structure(value, *off),
            },
            None => Step::Core(fixed.insn.clone()),
        },
        Insn::Store {
            size, base, src, ..
        } => match fixed.kernel {
            Some(KernelValue::Field(field)) => Step::KernelStore {
                base: *base,
                size: *size,
                field,
                src: *src,
            },
            _ => Step::Core(fixed.insn.clone()),
        },
        Insn::Atomic { .. }
        | Insn::LoadAcquire { .. }
        | Insn::StoreRelease { .. }
        | Insn::PacketLoad { .. }
        | Insn::MayGoto { .. }
        | Insn::Call(_)
        | Insn::Exit => Step::Core(fixed.insn.clone()),
    }
}

/// Address of the structure that a kernel load reads from.
fn structure(value: KernelValue, off: i16) -> u64 {
    use super::memory::{
        CTX_ADDRESS, DEV_ADDRESS, NF_CTX_ADDRESS, NF_IN_ADDRESS, NF_OUT_ADDRESS, NF_STATE_ADDRESS,
        RXQ_ADDRESS, SHINFO_ADDRESS,
    };
    match value {
        KernelValue::Field(CtxField::GsoSize | CtxField::Hwtstamp) => SHINFO_ADDRESS,
        KernelValue::Field(CtxField::Ifindex) => DEV_ADDRESS,
        KernelValue::Field(CtxField::QueueIndex) if off == offsets::RXQ_QUEUE_INDEX => RXQ_ADDRESS,
        KernelValue::Field(CtxField::NfState | CtxField::NfSkb) => NF_CTX_ADDRESS,
        KernelValue::Field(
            CtxField::NfHook | CtxField::NfPf | CtxField::NfIn | CtxField::NfOut,
        ) => NF_STATE_ADDRESS,
        KernelValue::Field(CtxField::NfInIndex) => NF_IN_ADDRESS,
        KernelValue::Field(CtxField::NfOutIndex) => NF_OUT_ADDRESS,
        KernelValue::Pointer(DEV_ADDRESS) if off == offsets::RXQ_DEV => RXQ_ADDRESS,
        _ => CTX_ADDRESS,
    }
}
