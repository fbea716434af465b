//! The sentence of one BPF instruction, and what it did to registers.

use super::explain::{explain_read, reads_at};
use super::sentence::byte_words;
use crate::trace::{StepKind, Trace};

pub(super) fn instruction(
    trace: &Trace,
    step: usize,
    (run, insn, registers): (usize, usize, usize),
) -> String {
    let Some(line) = trace
        .runs
        .get(run)
        .and_then(|run| run.listing.lines.get(insn))
    else {
        return String::new();
    };
    let prologue = if line.written.is_none() {
        "prologue: "
    } else {
        ""
    };
    let mut text = format!("{prologue}{}", line.text);
    if let Some(reads) = reads_at(trace, step)
        .into_iter()
        .find(|read| read.step == step)
    {
        return format!("{text}. {}", explain_read(trace, reads));
    }
    let set = changed_registers(trace, step, run, registers);
    if set.is_empty() {
        text.push('.');
    } else {
        let set: Vec<String> = set
            .into_iter()
            .map(|(r, _, new)| format!("r{r} = {}", register(new)))
            .collect();
        text.push_str(&format!(" sets {}.", set.join(", ")));
    }
    text + &byte_words(trace, step, true)
}

/// Registers that an instruction changed: number, before, after.
#[must_use]
pub fn changed_registers(
    trace: &Trace,
    step: usize,
    run: usize,
    registers: usize,
) -> Vec<(usize, u64, u64)> {
    let before = trace
        .steps
        .get(..step)
        .into_iter()
        .flatten()
        .rev()
        .find_map(|s| match &s.kind {
            StepKind::Insn {
                run: r, registers, ..
            } if *r == run => Some(Some(*registers)),
            // In front of its first instruction it has none.
            StepKind::Program { run: r, .. } if *r == run => Some(None),
            _ => None,
        })
        .flatten();
    let Some(now) = trace.registers.get(registers) else {
        return Vec::new();
    };
    let before = before
        .and_then(|index| trace.registers.get(index))
        .unwrap_or_default();
    (0..11)
        .filter(|r| before[*r] != now[*r])
        .map(|r| (r, before[r], now[r]))
        .collect()
}

/// A register's value as people read it: addresses and negative numbers in hex.
#[must_use]
pub fn register(value: u64) -> String {
    if value < 0x1_0000_0000 {
        value.to_string()
    } else {
        format!("0x{value:x}")
    }
}
