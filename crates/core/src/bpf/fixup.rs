//! The fix-up: what Linux makes of a program between the verifier and the first run
//! (`convert_ctx_accesses()`, kernel/bpf/verifier.c; `tc_cls_act_prologue()`, net/core/filter.c).

use std::sync::Arc;

use super::chunk::Chunks;
use super::error::LoadError;
use super::facts::{Followed, follow};
use super::host::CtxField;
use super::insn::{AluOp, Callee, Cond, Insn, Operand, Reg, Size, Wide, Width};
use super::layout::{self, CLONED_MASK, Fixed, KernelValue, Member, offsets};
use super::listing::{Listing, make_listing};
use super::maps::{map_address, values_address};
use super::piece::Piece;
use super::program::{ProgType, Program};
use super::verifier;

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
    /// Memory, calls, exit.
    Core(Insn),
}

/// A program as the kernel runs it, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    listing: Arc<Listing>,
    prologue_len: usize,
    pub(super) steps: Vec<Step>,
    pub(super) pieces: Vec<Piece>,
    pub(super) chunks: Chunks,
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
    if let ProgType::Unknown(section) = &program.prog_type {
        return Err(LoadError::ProgramType {
            file: program.file.clone(),
            program: program.name.clone(),
            section: section.clone(),
        });
    }
    fix_up_with(program, prologue, &follow(program)?)
}

/// The same for a program that the verifier refuses, with the context accesses that it saw until then: to see what
/// guards a run besides the verifier.
pub fn fix_up_unverified(program: &Program, prologue: Prologue) -> Result<Prepared, LoadError> {
    fix_up_with(program, prologue, &verifier::walk(program).0.followed)
}

fn fix_up_with(
    program: &Program,
    prologue: Prologue,
    followed: &Followed,
) -> Result<Prepared, LoadError> {
    let mut lines = match program.prog_type {
        ProgType::SchedCls | ProgType::LwtXmit => prologue_lines(prologue),
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
        let replaced = match (insn, followed.ctx_loads[at]) {
            (
                Insn::Load {
                    size,
                    signed,
                    dst,
                    base,
                    ..
                },
                Some(load),
            ) => {
                let fixed = layout::convert(&program.prog_type, load, *size, *signed, *dst, *base)
                    .map_err(|name| {
                        let why = format!("context field {name} is not covered by the simulator");
                        program.refused(at, why)
                    })?;
                Some((
                    fixed,
                    format!("ctx->{}, rewritten", member_name(program, load.member)),
                ))
            }
            _ => None,
        };
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
            let insn = line.fixed.insn.clone().retarget(start);
            line.fixed.insn = match insn {
                Insn::Call(Callee::Local(target)) => Insn::Call(Callee::Local(start(target))),
                other => other,
            };
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
        pieces,
        chunks: chunks(&lines, prologue_len),
        prog_type: program.prog_type.clone(),
    })
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
        pieces,
        chunks: chunks(&lines, 0),
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

fn member_name(program: &Program, member: Member) -> &'static str {
    use super::layout::PacketPointer as P;
    let xdp = program.prog_type == ProgType::Xdp;
    match member {
        Member::Pointer(P::Data) => "data",
        Member::Pointer(P::DataMeta) => "data_meta",
        Member::Pointer(P::DataEnd) => "data_end",
        Member::NotCovered(name) => name,
        Member::Number(field) => match field {
            CtxField::Len => "len",
            CtxField::PktType => "pkt_type",
            CtxField::Protocol => "protocol",
            CtxField::Ifindex if xdp => "ingress_ifindex",
            CtxField::Ifindex => "ifindex",
            CtxField::IngressIfindex => "ingress_ifindex",
            CtxField::Mark => "mark",
            CtxField::Priority => "priority",
            CtxField::Hash => "hash",
            CtxField::QueueIndex if xdp => "rx_queue_index",
            CtxField::QueueIndex => "queue_mapping",
            CtxField::VlanTci => "vlan_tci",
            CtxField::VlanPresent => "vlan_present",
            CtxField::VlanProto => "vlan_proto",
            CtxField::Data | CtxField::DataEnd | CtxField::DataMeta | CtxField::ClonedByte => "?",
        },
    }
}

/// What a wide load puts into its register.
fn wide_number(value: Wide) -> u64 {
    match value {
        Wide::Number(number) => number,
        Wide::Map(map) => map_address(map),
        Wide::MapValue { map, off } => values_address(map) + u64::from(off),
    }
}

/// The program for running at full speed.
fn chunks(lines: &[Line], prologue_len: usize) -> Chunks {
    let insns: Vec<&Insn> = lines.iter().map(|line| &line.fixed.insn).collect();
    Chunks::of(&insns, prologue_len, |insn| match insn {
        Insn::LoadImm { value, .. } => wide_number(*value),
        _ => 0,
    })
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
        Insn::Store { .. }
        | Insn::Atomic { .. }
        | Insn::LoadAcquire { .. }
        | Insn::StoreRelease { .. }
        | Insn::PacketLoad { .. }
        | Insn::Call(_)
        | Insn::Exit => Step::Core(fixed.insn.clone()),
    }
}

/// Address of the structure that a kernel load reads from.
fn structure(value: KernelValue, off: i16) -> u64 {
    use super::memory::{CTX_ADDRESS, DEV_ADDRESS, RXQ_ADDRESS};
    match value {
        KernelValue::Field(CtxField::Ifindex) => DEV_ADDRESS,
        KernelValue::Field(CtxField::QueueIndex) if off == offsets::RXQ_QUEUE_INDEX => RXQ_ADDRESS,
        KernelValue::Pointer(DEV_ADDRESS) if off == offsets::RXQ_DEV => RXQ_ADDRESS,
        _ => CTX_ADDRESS,
    }
}
