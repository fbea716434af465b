//! A program as written and as the kernel runs it, line by line.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::disasm;
use super::fixup::Line;
use super::insn::{Insn, Operand, Width};
use super::program::Program;

/// One instruction of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingLine {
    /// Kernel-style text, such as `r2 = *(u64 *)(r1 +200)`.
    pub text: String,
    /// Index of the instruction as written; `None` for an instruction of the prologue.
    pub written: Option<usize>,
    /// The text as written, when the fix-up changed it.
    pub written_text: Option<String>,
    /// A remark: `prologue`, `ctx->data_meta, rewritten`.
    pub note: Option<String>,
    /// 1-based line in the C source, if the object has line info.
    pub c_line: Option<u32>,
    /// What a conditional jump compares.
    pub branch: Option<Branch>,
    /// The memory that a load, store or atomic operation touches.
    pub access: Option<Access>,
}

/// A load or store through a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Number of the register.
    pub base: u8,
    /// What is added to it.
    pub off: i16,
    /// Bytes.
    pub size: u8,
    /// It writes.
    pub writes: bool,
}

impl Access {
    fn of(insn: &Insn) -> Option<Access> {
        let (base, off, size, writes) = match *insn {
            Insn::Load {
                base, off, size, ..
            }
            | Insn::LoadAcquire {
                base, off, size, ..
            } => (base, off, size, false),
            Insn::Store {
                base, off, size, ..
            }
            | Insn::StoreRelease {
                base, off, size, ..
            }
            | Insn::Atomic {
                base, off, size, ..
            } => (base, off, size, true),
            _ => return None,
        };
        Some(Access {
            base: base.number() as u8,
            off,
            size: size.bytes() as u8,
            writes,
        })
    }
}

/// A conditional jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Line of the listing that it may go to.
    pub target: usize,
    /// The condition as the kernel writes it, such as `s>=`.
    #[serde(with = "crate::trace::wire::name")]
    pub cond: crate::trace::wire::Name,
    /// Only the lower halves are compared.
    pub short: bool,
    /// Number of the first register.
    pub left: u8,
    /// Number of the second register; `None` when it compares with `imm`.
    pub right: Option<u8>,
    /// The number it compares with.
    pub imm: i32,
}

impl Branch {
    fn of(insn: &Insn) -> Option<Branch> {
        let Insn::Branch {
            width,
            cond,
            dst,
            src,
            target,
        } = *insn
        else {
            return None;
        };
        let (right, imm) = match src {
            Operand::Reg(reg) => (Some(reg.number() as u8), 0),
            Operand::Imm(imm) => (None, imm),
        };
        Some(Branch {
            target,
            cond: disasm::condition(cond),
            short: width == Width::W32,
            left: dst.number() as u8,
            right,
            imm,
        })
    }
}

/// A program as the kernel runs it under one design.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Program name, such as `get_tag`.
    pub program: String,
    /// Section name, such as `tcx/ingress`.
    pub section: String,
    /// One line an instruction; `lddw` takes one line, and two slots of jump distance.
    pub lines: Vec<ListingLine>,
    /// C source as far as the object's line info holds it: (1-based line number, text).
    pub source: Vec<(u32, String)>,
    /// Name of the source file.
    pub source_file: Option<String>,
    /// Names of the object's maps, by number.
    pub map_names: Vec<String>,
}

/// The listing of a program that was fixed up.
pub(super) fn make_listing(program: &Program, lines: &[Line]) -> Listing {
    let insns: Vec<Insn> = lines.iter().map(|l| l.fixed.insn.clone()).collect();
    let texts = disasm::texts(&insns, &program.map_names);
    let slots = disasm::slots(&program.insns);
    // Without a distance in it, an instruction that was not changed reads as it was written.
    let is_same = |written: &Insn, fixed: &Insn| {
        written == fixed && written.target().is_none() && written.function().is_none()
    };
    // The file of the first line; other files' lines were inlined from headers.
    let main = program
        .lines
        .iter()
        .flatten()
        .next()
        .map(|l| Arc::clone(&l.file));
    let lines = lines
        .iter()
        .zip(texts)
        .map(|(line, text)| {
            let source = line.written.and_then(|at| program.lines.get(at)?.as_ref());
            let in_main = source.filter(|s| Some(&s.file) == main.as_ref());
            let inlined = source.filter(|s| Some(&s.file) != main.as_ref());
            let written = line
                .written
                .and_then(|at| Some((at, program.insns.get(at)?)));
            let written_text = written
                .filter(|(_, written)| !is_same(written, &line.fixed.insn))
                .map(|(at, written)| disasm::text(written, at, &slots, &program.map_names))
                .filter(|written| *written != text);
            let from_header = inlined.map(|s| {
                let name = s.file.rsplit('/').next().unwrap_or(&s.file);
                format!("{name}:{}", s.line)
            });
            ListingLine {
                text,
                written: line.written,
                written_text,
                note: line.note.clone().or(from_header),
                c_line: in_main.map(|s| s.line),
                branch: Branch::of(&line.fixed.insn),
                access: Access::of(&line.fixed.insn),
            }
        })
        .collect();
    let mut source: Vec<(u32, String)> = program
        .lines
        .iter()
        .flatten()
        .filter(|l| Some(&l.file) == main.as_ref())
        .map(|l| (l.line, l.text.to_string()))
        .collect();
    source.sort();
    source.dedup_by_key(|(line, _)| *line);
    Listing {
        program: program.name.clone(),
        section: program.section.clone(),
        lines,
        source,
        map_names: program.map_names.to_vec(),
        source_file: main.map(|f| f.to_string()),
    }
}
