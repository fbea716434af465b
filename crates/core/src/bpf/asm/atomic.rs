//! Atomic operations in the kernel's style and clang's.

use super::error::AsmError;
use super::kernel::same;
use super::lex::Cursor;
use crate::bpf::insn::{AtomicOp, Insn, Reg, Size, Width};

type Parsed<T> = Result<T, AsmError>;

/// `(u64 *)(r1 +0)`
pub(super) fn pointer(c: &mut Cursor<'_>) -> Parsed<(Size, Reg, i16)> {
    let (signed, size) = c.cast()?;
    if signed {
        return Err(c.fail_before("an unsigned type"));
    }
    c.expect("(")?;
    let (base, off) = c.place(")")?;
    Ok((size, base, off))
}

/// `*(u64 *)(r1 +0) += r2` after `lock`.
pub(super) fn lock(c: &mut Cursor<'_>) -> Parsed<Insn> {
    c.expect("*")?;
    let (size, base, off) = pointer(c)?;
    let fetch = false;
    let op = match c.peek() {
        Some("+=") => AtomicOp::Add { fetch },
        Some("|=") => AtomicOp::Or { fetch },
        Some("&=") => AtomicOp::And { fetch },
        Some("^=") => AtomicOp::Xor { fetch },
        _ => return Err(c.fail("+=, |=, &= or ^=")),
    };
    c.skip(1);
    let (_, src) = c.any_register()?;
    atomic(c, size, op, base, off, src)
}

fn atomic(c: &Cursor<'_>, size: Size, op: AtomicOp, base: Reg, off: i16, src: Reg) -> Parsed<Insn> {
    if !matches!(size, Size::W | Size::Dw) {
        return Err(c.fail_before("an atomic operation on u32 or u64"));
    }
    Ok(Insn::Atomic {
        size,
        op,
        base,
        off,
        src,
    })
}

/// `((u64 *)(r1 +0))` after `load_acquire`.
pub(super) fn acquire(c: &mut Cursor<'_>, dst: Reg) -> Parsed<Insn> {
    c.expect("(")?;
    let (size, base, off) = pointer(c)?;
    c.expect(")")?;
    Ok(Insn::LoadAcquire {
        size,
        dst,
        base,
        off,
    })
}

/// `((u64 *)(r1 +0), r2)` after `store_release`.
pub(super) fn release(c: &mut Cursor<'_>) -> Parsed<Insn> {
    c.expect("(")?;
    let (size, base, off) = pointer(c)?;
    c.expect(",")?;
    let (_, src) = c.any_register()?;
    c.expect(")")?;
    Ok(Insn::StoreRelease {
        size,
        base,
        off,
        src,
    })
}

/// Atomic operations that give the old value: the kernel's `atomic64_fetch_add((u64 *)(r1 +0), r2)`,
/// clang's `xchg_64(r1 + 0x0, r2)`.
pub(super) fn fetching(c: &mut Cursor<'_>, word: &str, dst: Reg) -> Parsed<Insn> {
    let fetch = true;
    let name = word
        .strip_prefix("atomic64_")
        .or(word.strip_prefix("atomic_"))
        .unwrap_or(word);
    let (op, size) = match name {
        "fetch_add" => (AtomicOp::Add { fetch }, None),
        "fetch_or" => (AtomicOp::Or { fetch }, None),
        "fetch_and" => (AtomicOp::And { fetch }, None),
        "fetch_xor" => (AtomicOp::Xor { fetch }, None),
        "xchg" => (AtomicOp::Xchg, None),
        "cmpxchg" => (AtomicOp::Cmpxchg, None),
        "xchg_64" => (AtomicOp::Xchg, Some(Size::Dw)),
        "xchg32_32" => (AtomicOp::Xchg, Some(Size::W)),
        "cmpxchg_64" => (AtomicOp::Cmpxchg, Some(Size::Dw)),
        "cmpxchg32_32" => (AtomicOp::Cmpxchg, Some(Size::W)),
        _ => return Err(c.fail("a register, a number, a load or an atomic operation")),
    };
    c.skip(1);
    c.expect("(")?;
    let (size, base, off) = match size {
        None => pointer(c)?,
        Some(size) => {
            let base = c.register(Width::W64)?;
            let off = if c.peek() == Some(",") { 0 } else { c.off()? };
            (size, base, off)
        }
    };
    c.expect(",")?;
    if op == AtomicOp::Cmpxchg {
        same(c, Reg::R0)?;
        c.expect(",")?;
    }
    let (_, src) = c.any_register()?;
    let into = if op == AtomicOp::Cmpxchg {
        Reg::R0
    } else {
        src
    };
    if into != dst {
        let what = format!("r{} as the destination", into.number());
        return Err(c.fail_before(what));
    }
    c.expect(")")?;
    atomic(c, size, op, base, off, src)
}
