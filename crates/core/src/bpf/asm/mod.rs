//! Assembler text into instructions: the kernel's style, as `bpftool prog dump xlated` and
//! `llvm-objdump -d` print it, and the style of `rbpf`'s assembler, also mixed.
//!
//! ```text
//! r1 = *(u32 *)(r1 +76)          ldxw r1, [r1+76]
//! if r2 > r1 goto +3             jgt r2, r1, +3
//! call bpf_xdp_adjust_meta       call 54
//! ```
//!
//! Left out are line numbers, opcodes and raw bytes in front of an instruction, C lines and other
//! comments (`; …`, `// …`), `<label+0x10>` and headings. Labels (`name:`) may be jumped to.
//!
//! `r1 = 0x2a` is a wide load where the kernel prints it and a `mov` where clang prints it. The
//! opcode or the bytes in front decide; without them it is a `mov` in a text that shows clang's
//! hand (`ll`, `goto +1`, `(r1 + 0x4)`, labels), else a wide load, as in our own listings.

mod atomic;
mod call;
mod error;
mod heading;
mod kernel;
mod lex;
mod mnemonic;
mod operand;

use std::collections::BTreeMap;

use super::insn::Insn;
use super::program::{ProgType, Program};
use error::AsmError as Error;
use lex::Cursor;

pub use error::AsmError;

/// Where a jump or call goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// Slots from the next instruction.
    Distance(i64),
    Label(String),
}

/// An instruction whose target is not known yet.
#[derive(Debug)]
struct Draft<'t> {
    insn: Insn,
    target: Option<Target>,
    /// At the target's word.
    place: Cursor<'t>,
}

impl<'t> Draft<'t> {
    fn plain(insn: Insn, cursor: &Cursor<'t>) -> Draft<'t> {
        let (target, place) = (None, cursor.clone());
        Draft {
            insn,
            target,
            place,
        }
    }
}

/// What one needs to know besides the line.
#[derive(Debug, Clone, Copy)]
struct Context<'c> {
    maps: &'c [String],
    labels: &'c BTreeMap<&'c str, usize>,
    /// `r1 = 0x2a` is a wide load.
    hex_is_wide: bool,
    /// First bytes of the instruction, if the line has them: opcode, and registers.
    opcode: Option<u8>,
    registers: Option<u8>,
}

/// First bytes and words of each instruction.
type Statements<'t> = Vec<(Vec<u8>, Cursor<'t>)>;

/// Labels, and what is an instruction.
fn statements(text: &str) -> Result<(BTreeMap<&str, usize>, Statements<'_>), AsmError> {
    let mut labels = BTreeMap::new();
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let cursor = Cursor::new(number + 1, line);
        if heading::is_heading(line) {
            continue;
        }
        let (label, prefix, cursor) = heading::prefix(cursor)?;
        if let Some((label, place)) = label
            && labels.insert(label, lines.len()).is_some()
        {
            return Err(place.fail("a label that is not there yet"));
        }
        if !cursor.is_empty() {
            lines.push((prefix, cursor));
        }
    }
    Ok((labels, lines))
}

/// The line of each instruction of a text, 1-based: where a verifier's word about it belongs.
///
/// # Errors
/// As [`assemble`], as far as labels are concerned.
pub fn lines(text: &str) -> Result<Vec<usize>, AsmError> {
    let (_, lines) = statements(text)?;
    Ok(lines.iter().map(|(_, cursor)| cursor.line).collect())
}

/// Instructions of a text. `maps` are the names that `r1 = map[name]` may use.
pub fn assemble(text: &str, maps: &[String]) -> Result<Vec<Insn>, AsmError> {
    let (labels, lines) = statements(text)?;
    let clang = !labels.is_empty() || text.lines().any(heading::shows_clang);
    let mut drafts = Vec::with_capacity(lines.len());
    for (prefix, mut cursor) in lines {
        let context = Context {
            maps,
            labels: &labels,
            hex_is_wide: !clang,
            opcode: prefix.first().copied(),
            registers: prefix.get(1).copied(),
        };
        let draft = kernel::statement(&mut cursor, context)?;
        cursor.end()?;
        drafts.push(draft);
    }
    resolve(drafts, &labels, text)
}

/// Puts indexes in place of distances and labels.
fn resolve(
    drafts: Vec<Draft<'_>>,
    labels: &BTreeMap<&str, usize>,
    text: &str,
) -> Result<Vec<Insn>, Error> {
    let mut entry_of_slot = BTreeMap::new();
    let mut slots = Vec::with_capacity(drafts.len());
    let mut slot = 0i64;
    for (entry, draft) in drafts.iter().enumerate() {
        entry_of_slot.insert(slot, entry);
        slot += draft.insn.slots() as i64;
        slots.push(slot);
    }
    let count = drafts.len();
    match drafts.last().map(|draft| &draft.insn) {
        Some(Insn::Exit | Insn::Jump { .. }) => {}
        Some(_) | None => {
            return Err(Error {
                line: text.lines().count().max(1),
                column: 1,
                found: "the end of the program".to_owned(),
                expected: "`exit` or `goto` as the last instruction".to_owned(),
            });
        }
    }
    let mut out = Vec::with_capacity(count);
    for (draft, next) in drafts.into_iter().zip(slots) {
        let entry = match &draft.target {
            None => {
                out.push(draft.insn);
                continue;
            }
            Some(Target::Distance(distance)) => next
                .checked_add(*distance)
                .and_then(|slot| entry_of_slot.get(&slot).copied()),
            Some(Target::Label(label)) => labels.get(label.as_str()).copied(),
        };
        let Some(entry) = entry.filter(|entry| *entry < count) else {
            let what = "a distance or label that leads to an instruction of the program";
            return Err(draft.place.fail(what));
        };
        out.push(draft.insn.retarget(|_| entry).refunction(|_| entry));
    }
    Ok(out)
}

impl Program {
    /// A program from assembler text; `section` gives its type.
    pub fn from_asm(name: &str, section: &str, text: &str) -> Result<Program, AsmError> {
        let insns = assemble(text, &[])?;
        Ok(Program {
            name: name.to_owned(),
            section: section.to_owned(),
            prog_type: ProgType::from_section(section),
            file: name.to_owned(),
            lines: vec![None; insns.len()],
            insns,
            map_names: std::sync::Arc::from([]),
            maps: std::sync::Arc::from([]),
            globals: std::sync::Arc::from([]),
            gpl: true,
        })
    }
}
