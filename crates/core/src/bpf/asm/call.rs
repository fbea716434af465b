//! Calls and the targets of jumps.

use super::error::AsmError;
use super::lex::Cursor;
use super::{Context, Draft, Target};
use crate::bpf::helpers;
use crate::bpf::insn::{Callee, Insn, Width};

/// `pc+3`, `+3`, `-0x2`, `label`.
pub(super) fn target<'t>(cursor: &mut Cursor<'t>) -> Result<(Target, Cursor<'t>), AsmError> {
    let place = cursor.clone();
    if cursor.peek() == Some("pc") && matches!(cursor.look(1), Some("+" | "-")) {
        cursor.skip(1);
    }
    let target = if cursor.at_number() {
        let distance = cursor.number()?;
        let distance = i64::try_from(distance).map_err(|_| place.fail("a distance"))?;
        Target::Distance(distance)
    } else {
        match cursor.peek().filter(|word| is_name(word)) {
            Some(label) => {
                cursor.skip(1);
                Target::Label(label.to_owned())
            }
            None => return Err(cursor.fail("a distance such as `+3`, or a label")),
        }
    };
    Ok((target, place))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '.' | '$'))
}

/// What follows `call`.
pub(super) fn call<'t>(
    cursor: &mut Cursor<'t>,
    context: Context<'_>,
) -> Result<Draft<'t>, AsmError> {
    const BPF_PSEUDO_CALL: u8 = 1;
    let local = |target, place| Draft {
        insn: Insn::Call(Callee::Local(0)),
        target: Some(target),
        place,
    };
    let is_local = context.registers.is_some_and(|r| r >> 4 == BPF_PSEUDO_CALL);
    let known_label = |word: &&str| context.labels.contains_key(word);
    if cursor.eat("local")
        || is_local
        || cursor.peek() == Some("pc")
        || matches!(cursor.peek(), Some("+"))
        || cursor.peek().filter(known_label).is_some()
    {
        let (target, place) = target(cursor)?;
        // bpftool: `call pc+2#bpf_prog_0123_name`
        if cursor.eat("#") {
            cursor.skip(1);
        }
        return Ok(local(target, place));
    }
    cursor.eat("helper");
    if cursor.peek().is_some_and(|word| word.starts_with('%')) {
        let reg = cursor.register(Width::W64)?;
        return Ok(Draft::plain(Insn::Call(Callee::Register(reg)), cursor));
    }
    if cursor.at_number() {
        let number = cursor.imm()?;
        let id = u32::try_from(number)
            .map_err(|_| cursor.fail_before("the number or name of a helper"))?;
        return Ok(Draft::plain(Insn::Call(Callee::Helper(id)), cursor));
    }
    let Some(name) = cursor.peek().filter(|word| is_name(word)) else {
        return Err(cursor.fail("a helper, a kernel function or a label"));
    };
    cursor.skip(1);
    let number = if cursor.eat("#") {
        Some(cursor.number()?)
    } else {
        None
    };
    let callee = match (helpers::number(name), number) {
        // In a dump of a loaded program the number is an address; the name counts.
        (Some(id), _) => Callee::Helper(id),
        (None, Some(id)) if name == "unknown" => match u32::try_from(id) {
            Ok(id) => Callee::Helper(id),
            Err(_) => return Err(cursor.fail_before("the number of a helper")),
        },
        (None, _) => Callee::Kfunc(name.to_owned()),
    };
    Ok(Draft::plain(Insn::Call(callee), cursor))
}
