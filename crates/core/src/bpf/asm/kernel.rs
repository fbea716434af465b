//! Instructions in the kernel's style (`print_bpf_insn()`, kernel/bpf/disasm.c) and clang's.

use super::atomic::{acquire, fetching, lock, pointer, release};
use super::call;
use super::error::AsmError;
use super::lex::Cursor;
use super::mnemonic;
use super::operand::register;
use super::{Context, Draft, Target};
use crate::bpf::insn::{AluOp, Cond, Insn, Operand, Reg, Size, Wide, Width};

type Parsed<T> = Result<T, AsmError>;

/// One instruction of either style.
pub(super) fn statement<'t>(c: &mut Cursor<'t>, context: Context<'_>) -> Parsed<Draft<'t>> {
    let is_register = c.peek().is_some_and(|word| register(word).is_some());
    let insn = match c.peek() {
        Some("exit") => {
            c.skip(1);
            Insn::Exit
        }
        Some(word @ ("goto" | "gotol")) => {
            c.skip(1);
            return jump(c, word == "gotol");
        }
        Some("may_goto") => {
            c.skip(1);
            let (target, place) = call::target(c)?;
            return Ok(Draft {
                insn: Insn::MayGoto { target: 0 },
                target: Some(target),
                place,
            });
        }
        Some("if") => {
            c.skip(1);
            return branch(c);
        }
        Some("call") => {
            c.skip(1);
            return call::call(c, context);
        }
        Some("callx") => {
            c.skip(1);
            let reg = c.register(Width::W64)?;
            Insn::Call(crate::bpf::insn::Callee::Register(reg))
        }
        Some("lock") if c.look(1) == Some("*") => {
            c.skip(1);
            lock(c)?
        }
        Some("*") => store(c)?,
        Some("store_release") => {
            c.skip(1);
            release(c)?
        }
        _ if is_register && c.look(2) == Some("subprog") => return function(c),
        _ if is_register => assignment(c, context)?,
        _ => return mnemonic::statement(c, context),
    };
    Ok(Draft::plain(insn, c))
}

/// After `goto` or `gotol`.
pub(super) fn jump<'t>(c: &mut Cursor<'t>, long: bool) -> Parsed<Draft<'t>> {
    let (target, place) = call::target(c)?;
    Ok(Draft {
        insn: Insn::Jump { target: 0, long },
        target: Some(target),
        place,
    })
}

/// `r2 = subprog[+5]`: the address of a function, as bpftool prints it. The distance counts from the
/// first of the two slots.
fn function<'t>(c: &mut Cursor<'t>) -> Parsed<Draft<'t>> {
    let dst = c.writable()?.1;
    c.expect("=")?;
    c.skip(1);
    c.expect("[")?;
    let (target, place) = call::target(c)?;
    c.expect("]")?;
    let target = match target {
        Target::Distance(distance) => Target::Distance(distance.saturating_sub(1)),
        label @ Target::Label(_) => label,
    };
    let value = Wide::Func(0);
    Ok(Draft {
        insn: Insn::LoadImm { dst, value },
        target: Some(target),
        place,
    })
}

fn branch<'t>(c: &mut Cursor<'t>) -> Parsed<Draft<'t>> {
    let (width, dst) = c.any_register()?;
    let cond = match c.peek() {
        Some("==") => Cond::Eq,
        Some(">") => Cond::Gt,
        Some(">=") => Cond::Ge,
        Some("&") => Cond::Set,
        Some("!=") => Cond::Ne,
        Some("s>") => Cond::SGt,
        Some("s>=") => Cond::SGe,
        Some("<") => Cond::Lt,
        Some("<=") => Cond::Le,
        Some("s<") => Cond::SLt,
        Some("s<=") => Cond::SLe,
        _ => return Err(c.fail("a comparison: ==, !=, >, >=, <, <=, s>, s>=, s<, s<= or &")),
    };
    c.skip(1);
    let src = c.operand(width)?;
    c.expect("goto")?;
    let (target, place) = call::target(c)?;
    Ok(Draft {
        insn: Insn::Branch {
            width,
            cond,
            dst,
            src,
            target: 0,
        },
        target: Some(target),
        place,
    })
}

fn store(c: &mut Cursor<'_>) -> Parsed<Insn> {
    c.expect("*")?;
    let (size, base, off) = pointer(c)?;
    c.expect("=")?;
    let src = if c.at_number() {
        Operand::Imm(c.imm()?)
    } else {
        Operand::Reg(c.any_register()?.1)
    };
    Ok(Insn::Store {
        size,
        base,
        off,
        src,
    })
}

fn assignment(c: &mut Cursor<'_>, context: Context<'_>) -> Parsed<Insn> {
    let (width, dst) = c.writable()?;
    let op = match c.peek() {
        Some("=") => {
            c.skip(1);
            return value(c, context, width, dst);
        }
        Some("+=") => AluOp::Add,
        Some("-=") => AluOp::Sub,
        Some("*=") => AluOp::Mul,
        Some("/=") => AluOp::Div,
        Some("s/=") => AluOp::SDiv,
        Some("|=") => AluOp::Or,
        Some("&=") => AluOp::And,
        Some("<<=") => AluOp::Lsh,
        Some(">>=") => AluOp::Rsh,
        Some("%=") => AluOp::Mod,
        Some("s%=") => AluOp::SMod,
        Some("^=") => AluOp::Xor,
        Some("s>>=") => AluOp::Arsh,
        _ => return Err(c.fail("`=` or an operation such as `+=`")),
    };
    c.skip(1);
    let src = c.operand(width)?;
    Ok(Insn::Alu {
        width,
        op,
        dst,
        src,
    })
}

/// What follows `r1 =`.
fn value(c: &mut Cursor<'_>, context: Context<'_>, width: Width, dst: Reg) -> Parsed<Insn> {
    let alu = |width, op, src| Insn::Alu {
        width,
        op,
        dst,
        src,
    };
    let Some(word) = c.peek() else {
        return Err(c.fail("a value"));
    };
    match word {
        "*" => {
            c.skip(1);
            return load(c, dst);
        }
        "(" => {
            c.skip(1);
            let bits = match c.peek() {
                Some("s8") => 8,
                Some("s16") => 16,
                Some("s32") if width == Width::W64 => 32,
                _ => return Err(c.fail("s8, s16, or in 64 bits s32")),
            };
            c.skip(1);
            c.expect(")")?;
            let src = Operand::Reg(c.register(width)?);
            return Ok(alu(width, AluOp::MovSx(bits), src));
        }
        "-" if !c.at_number() => {
            c.skip(1);
            same(c, dst)?;
            return Ok(alu(width, AluOp::Neg, Operand::Imm(0)));
        }
        "map" if c.look(1) == Some("[") => {
            c.skip(2);
            let value = map(c, context)?;
            return Ok(Insn::LoadImm { dst, value });
        }
        _ => {}
    }
    if let Some((op, bits)) = swap(word) {
        c.skip(1);
        same(c, dst)?;
        let width = if matches!(op, AluOp::Bswap(_)) {
            Width::W64
        } else {
            Width::W32
        };
        // As the decoder has it: the number of bits is the immediate.
        return Ok(alu(width, op, Operand::Imm(i32::from(bits))));
    }
    if register(word).is_some() {
        let src = Operand::Reg(c.register(width)?);
        return Ok(alu(width, AluOp::Mov, src));
    }
    if c.at_number() {
        return number(c, context, width, dst);
    }
    if word == "load_acquire" {
        c.skip(1);
        return acquire(c, dst);
    }
    fetching(c, word, dst)
}

/// The register that the destination is, once more.
pub(super) fn same(c: &mut Cursor<'_>, dst: Reg) -> Parsed<()> {
    let (_, again) = c.any_register()?;
    if again == dst {
        Ok(())
    } else {
        let number = dst.number();
        Err(c.fail_before(format!("the destination again, r{number} or w{number}")))
    }
}

/// `le16`, `be32`, `bswap64`.
pub(super) fn swap(word: &str) -> Option<(AluOp, u8)> {
    let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let bits = match &word[name.len()..] {
        "16" => 16,
        "32" => 32,
        "64" => 64,
        _ => return None,
    };
    let op = match name {
        "le" => AluOp::ToLe(bits),
        "be" => AluOp::ToBe(bits),
        "bswap" | "swap" => AluOp::Bswap(bits),
        _ => return None,
    };
    Some((op, bits))
}

fn number(c: &mut Cursor<'_>, context: Context<'_>, width: Width, dst: Reg) -> Parsed<Insn> {
    const LDDW: u8 = 0x18;
    let hex = c.peek().is_some_and(|word| word.starts_with("0x"));
    let start = c.clone();
    let value = c.number()?;
    let fits = i32::try_from(value).is_ok() || hex && u32::try_from(value).is_ok();
    let wide = c.eat("ll")
        || width == Width::W64
            && match context.opcode {
                Some(opcode) => opcode == LDDW,
                None => !fits || hex && context.hex_is_wide,
            };
    if wide {
        let value = u64::try_from(value).ok().or_else(|| {
            let negative = i64::try_from(value).ok()?;
            Some(negative as u64)
        });
        let value = value.ok_or_else(|| start.fail("a number of 64 bits"))?;
        let value = Wide::Number(value);
        return Ok(Insn::LoadImm { dst, value });
    }
    *c = start;
    let src = Operand::Imm(c.imm()?);
    let op = AluOp::Mov;
    Ok(Insn::Alu {
        width,
        op,
        dst,
        src,
    })
}

/// `name]` or `name][0]+8`, after `map[`.
fn map(c: &mut Cursor<'_>, context: Context<'_>) -> Parsed<Wide> {
    let known = c
        .peek()
        .and_then(|word| context.maps.iter().position(|name| name == word));
    let map = known.ok_or_else(|| c.fail("the name of a map of the object"))?;
    c.skip(1);
    c.expect("]")?;
    if !c.eat("[") {
        return Ok(Wide::Map(map));
    }
    c.expect("0")?;
    c.expect("]")?;
    c.expect("+")?;
    let off = c.number()?;
    let off = u32::try_from(off).map_err(|_| c.fail_before("an offset of 32 bits"))?;
    Ok(Wide::MapValue { map, off })
}

/// `(u32 *)(r1 +76)` or `(u8 *)skb[r2 + 14]`, after `*`.
fn load(c: &mut Cursor<'_>, dst: Reg) -> Parsed<Insn> {
    let before = c.clone();
    let (signed, size) = c.cast()?;
    if c.eat("skb") {
        if signed || size == Size::Dw || dst != Reg::R0 {
            return Err(before.fail("r0 and u8, u16 or u32 for a legacy packet access"));
        }
        c.expect("[")?;
        let index = match c.peek().and_then(register) {
            Some(_) => Some(c.register(Width::W64)?),
            None => None,
        };
        let off = if index.is_some() && c.peek() == Some("]") {
            0
        } else {
            // The kernel prints `skb[r2 + -4]`.
            let plus_minus = c.peek() == Some("+") && c.look(1) == Some("-");
            c.skip(usize::from(plus_minus));
            c.imm()?
        };
        c.expect("]")?;
        return Ok(Insn::PacketLoad { size, index, off });
    }
    c.expect("(")?;
    let (base, off) = c.place(")")?;
    Ok(Insn::Load {
        size,
        signed,
        dst,
        base,
        off,
    })
}
