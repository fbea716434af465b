//! Instructions as mnemonics: the style of `rbpf`'s assembler (`mov r0, 1`, `ldxw r0, [r1+4]`),
//! with uBPF's names for what `rbpf` lacks (`movsx864`, `lock fetch add [r1+0], r2`).

use super::call;
use super::error::AsmError;
use super::kernel::swap;
use super::lex::Cursor;
use super::{Context, Draft};
use crate::bpf::insn::{AluOp, AtomicOp, Cond, Insn, Operand, Reg, Size, Wide, Width};

type Parsed<T> = Result<T, AsmError>;

/// One instruction that starts with a mnemonic.
pub(super) fn statement<'t>(c: &mut Cursor<'t>, _: Context<'_>) -> Parsed<Draft<'t>> {
    let Some(word) = c.peek() else {
        return Err(c.fail("an instruction"));
    };
    if word == "lock" {
        c.skip(1);
        let insn = lock(c)?;
        return Ok(Draft::plain(insn, c));
    }
    if let Some(insn) = lddw(c, word)
        .or_else(|| memory(c, word))
        .or_else(|| packet(c, word))
        .or_else(|| alu(c, word))
    {
        return Ok(Draft::plain(insn?, c));
    }
    if matches!(word, "ja" | "ja32") {
        c.skip(1);
        return super::kernel::jump(c, word == "ja32");
    }
    match branch(c, word) {
        Some(draft) => draft,
        None => Err(c.fail("an instruction")),
    }
}

/// A name with `32` or `64` behind it, or with nothing, which is 64.
fn width_of(word: &str) -> (&str, Width) {
    match (word.strip_suffix("32"), word.strip_suffix("64")) {
        (Some(name), _) => (name, Width::W32),
        (_, Some(name)) => (name, Width::W64),
        _ => (word, Width::W64),
    }
}

/// A register behind which a comma stands.
fn first(c: &mut Cursor<'_>) -> Parsed<Reg> {
    let (_, reg) = c.writable()?;
    c.expect(",")?;
    Ok(reg)
}

fn operand(c: &mut Cursor<'_>) -> Parsed<Operand> {
    if c.at_number() {
        return Ok(Operand::Imm(c.imm()?));
    }
    match c.peek().and_then(super::operand::register) {
        Some((_, reg)) => {
            c.skip(1);
            Ok(Operand::Reg(reg))
        }
        None => Err(c.fail("a register or a number")),
    }
}

fn bracket(c: &mut Cursor<'_>) -> Parsed<(Reg, i16)> {
    c.expect("[")?;
    c.place("]")
}

fn lddw(c: &mut Cursor<'_>, word: &str) -> Option<Parsed<Insn>> {
    if word != "lddw" {
        return None;
    }
    let mut parse = || {
        c.skip(1);
        let dst = first(c)?;
        let value = c.number()?;
        let value = u64::try_from(value)
            .or_else(|_| i64::try_from(value).map(|negative| negative as u64))
            .map_err(|_| c.fail_before("a number of 64 bits"))?;
        let value = Wide::Number(value);
        Ok(Insn::LoadImm { dst, value })
    };
    Some(parse())
}

fn size_of(name: &str) -> Option<Size> {
    Some(match name {
        "b" => Size::B,
        "h" => Size::H,
        "w" => Size::W,
        "dw" => Size::Dw,
        _ => return None,
    })
}

fn memory(c: &mut Cursor<'_>, word: &str) -> Option<Parsed<Insn>> {
    let load = |signed, size| (Some(signed), size);
    let (kind, size) = if let Some(size) = word.strip_prefix("ldxs").and_then(size_of) {
        if size == Size::Dw {
            return None;
        }
        load(true, size)
    } else if let Some(size) = word.strip_prefix("ldx").and_then(size_of) {
        load(false, size)
    } else if let Some(size) = word.strip_prefix("stx").and_then(size_of) {
        (None, size)
    } else {
        (None, word.strip_prefix("st").and_then(size_of)?)
    };
    let by_register = word.starts_with("stx");
    let mut parse = || {
        c.skip(1);
        if let Some(signed) = kind {
            let dst = first(c)?;
            let (base, off) = bracket(c)?;
            return Ok(Insn::Load {
                size,
                signed,
                dst,
                base,
                off,
            });
        }
        let (base, off) = bracket(c)?;
        c.expect(",")?;
        let src = if by_register {
            Operand::Reg(c.any_register()?.1)
        } else {
            Operand::Imm(c.imm()?)
        };
        Ok(Insn::Store {
            size,
            base,
            off,
            src,
        })
    };
    Some(parse())
}

/// `ldabsh 12`, `ldindb r1, 14`.
fn packet(c: &mut Cursor<'_>, word: &str) -> Option<Parsed<Insn>> {
    let (indirect, size) = match (word.strip_prefix("ldabs"), word.strip_prefix("ldind")) {
        (Some(size), _) => (false, size),
        (_, Some(size)) => (true, size),
        _ => return None,
    };
    let size = size_of(size).filter(|size| *size != Size::Dw)?;
    let mut parse = || {
        c.skip(1);
        let index = if indirect {
            let reg = c.register(Width::W64)?;
            c.expect(",")?;
            Some(reg)
        } else {
            None
        };
        let off = c.imm()?;
        Ok(Insn::PacketLoad { size, index, off })
    };
    Some(parse())
}

fn alu(c: &mut Cursor<'_>, word: &str) -> Option<Parsed<Insn>> {
    let unary = |op, width, src| {
        move |c: &mut Cursor<'_>| {
            c.skip(1);
            let (_, dst) = c.writable()?;
            Ok(Insn::Alu {
                width,
                op,
                dst,
                src,
            })
        }
    };
    if let Some((op, bits)) = swap(word) {
        let width = if matches!(op, AluOp::Bswap(_)) {
            Width::W64
        } else {
            Width::W32
        };
        return Some(unary(op, width, Operand::Imm(i32::from(bits)))(c));
    }
    let (name, width) = width_of(word);
    if name == "neg" {
        return Some(unary(AluOp::Neg, width, Operand::Imm(0))(c));
    }
    let op = match name {
        "add" => AluOp::Add,
        "sub" => AluOp::Sub,
        "mul" => AluOp::Mul,
        "div" => AluOp::Div,
        "sdiv" => AluOp::SDiv,
        "or" => AluOp::Or,
        "and" => AluOp::And,
        "lsh" => AluOp::Lsh,
        "rsh" => AluOp::Rsh,
        "mod" => AluOp::Mod,
        "smod" => AluOp::SMod,
        "xor" => AluOp::Xor,
        "mov" => AluOp::Mov,
        "arsh" => AluOp::Arsh,
        "movsx8" => AluOp::MovSx(8),
        "movsx16" => AluOp::MovSx(16),
        "movsx32" if width == Width::W64 => AluOp::MovSx(32),
        _ => return None,
    };
    let mut parse = || {
        c.skip(1);
        let dst = first(c)?;
        let src = if matches!(op, AluOp::MovSx(_)) {
            Operand::Reg(c.any_register()?.1)
        } else {
            operand(c)?
        };
        Ok(Insn::Alu {
            width,
            op,
            dst,
            src,
        })
    };
    Some(parse())
}

fn branch<'t>(c: &mut Cursor<'t>, word: &str) -> Option<Parsed<Draft<'t>>> {
    let (name, width) = width_of(word);
    let cond = match name {
        "jeq" => Cond::Eq,
        "jgt" => Cond::Gt,
        "jge" => Cond::Ge,
        "jset" => Cond::Set,
        "jne" => Cond::Ne,
        "jsgt" => Cond::SGt,
        "jsge" => Cond::SGe,
        "jlt" => Cond::Lt,
        "jle" => Cond::Le,
        "jslt" => Cond::SLt,
        "jsle" => Cond::SLe,
        _ => return None,
    };
    let mut parse = || {
        c.skip(1);
        let (_, dst) = c.any_register()?;
        c.expect(",")?;
        let src = operand(c)?;
        c.expect(",")?;
        let (target, place) = call::target(c)?;
        let insn = Insn::Branch {
            width,
            cond,
            dst,
            src,
            target: 0,
        };
        let target = Some(target);
        Ok(Draft {
            insn,
            target,
            place,
        })
    };
    Some(parse())
}

/// `fetch add32 [r1+0], r2`, after `lock`.
fn lock(c: &mut Cursor<'_>) -> Parsed<Insn> {
    let fetch = c.eat("fetch");
    let (name, width) = c.peek().map_or(("", Width::W64), width_of);
    let op = match name {
        "add" => AtomicOp::Add { fetch },
        "or" => AtomicOp::Or { fetch },
        "and" => AtomicOp::And { fetch },
        "xor" => AtomicOp::Xor { fetch },
        "xchg" => AtomicOp::Xchg,
        "cmpxchg" => AtomicOp::Cmpxchg,
        _ => return Err(c.fail("an atomic operation: add, or, and, xor, xchg or cmpxchg")),
    };
    c.skip(1);
    let (base, off) = bracket(c)?;
    c.expect(",")?;
    // The old value goes into the register; for cmpxchg into r0.
    let writes = fetch || op == AtomicOp::Xchg;
    let (_, src) = if writes && op != AtomicOp::Cmpxchg {
        c.writable()?
    } else {
        c.any_register()?
    };
    let size = if width == Width::W64 {
        Size::Dw
    } else {
        Size::W
    };
    Ok(Insn::Atomic {
        size,
        op,
        base,
        off,
        src,
    })
}
