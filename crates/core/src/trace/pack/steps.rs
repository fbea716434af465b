//! Steps: most continue the one before.

use super::super::step::{Outcome, Step, StepKind};
use super::{In, Out, Pack};

/// What the step before had.
#[derive(Default)]
struct Last {
    fields: usize,
    end: usize,
    insn: usize,
    registers: usize,
}

fn distance(out: &mut Out, from: usize, to: usize) {
    out.signed(to as i64 - from as i64);
}

fn gone(from: &mut In<'_>, start: usize) -> usize {
    let at = (start as i64).saturating_add(from.signed());
    usize::try_from(at).unwrap_or_else(|_| {
        from.fail();
        0
    })
}

/// Writes steps.
pub(super) fn put(steps: &[Step], out: &mut Out) {
    let mut last = Last::default();
    out.number(steps.len() as u64);
    for step in steps {
        put_kind(&step.kind, &mut last, out);
        step.depth.put(out);
        step.dev.put(out);
        step.skb.put(out);
        step.buffer.put(out);
        step.fields.is_some().put(out);
        if let Some(fields) = step.fields {
            distance(out, last.fields, fields);
            last.fields = fields;
        }
        distance(out, last.end, step.writes.start);
        distance(out, step.writes.start, step.writes.end);
        last.end = step.writes.end;
        step.outcome.put(out);
        step.freed.put(out);
    }
}

fn put_kind(kind: &StepKind, last: &mut Last, out: &mut Out) {
    match kind {
        StepKind::Function { name, file, edge } => {
            out.number(0);
            name.put(out);
            file.put(out);
            edge.put(out);
        }
        StepKind::Program { run, edge } => {
            out.number(1);
            run.put(out);
            edge.put(out);
        }
        StepKind::Insn {
            run,
            insn,
            registers,
        } => {
            out.number(2);
            run.put(out);
            distance(out, last.insn + 1, *insn);
            distance(out, last.registers + 1, *registers);
            (last.insn, last.registers) = (*insn, *registers);
        }
        StepKind::EndOfLife { name, drop_reason } => {
            out.number(3);
            name.put(out);
            drop_reason.put(out);
        }
    }
}

/// Reads steps.
pub(super) fn take(from: &mut In<'_>) -> Vec<Step> {
    let mut last = Last::default();
    let mut out = Vec::new();
    for _ in 0..from.len() {
        if from.wrong.is_some() {
            break;
        }
        out.push(one(from, &mut last));
    }
    out
}

fn one(from: &mut In<'_>, last: &mut Last) -> Step {
    let kind = take_kind(from, last);
    let (depth, dev, skb, buffer) = (
        Pack::take(from),
        Pack::take(from),
        Pack::take(from),
        Pack::take(from),
    );
    let fields = bool::take(from).then(|| {
        last.fields = gone(from, last.fields);
        last.fields
    });
    let start = gone(from, last.end);
    let end = gone(from, start);
    if end < start {
        from.fail();
    }
    last.end = end;
    Step {
        kind,
        depth,
        dev,
        skb,
        buffer,
        fields,
        writes: start..end,
        outcome: Pack::take(from),
        freed: Pack::take(from),
    }
}

fn take_kind(from: &mut In<'_>, last: &mut Last) -> StepKind {
    match from.up_to(3) {
        0 => StepKind::Function {
            name: Pack::take(from),
            file: Pack::take(from),
            edge: Pack::take(from),
        },
        1 => StepKind::Program {
            run: Pack::take(from),
            edge: Pack::take(from),
        },
        2 => {
            let run = Pack::take(from);
            last.insn = gone(from, last.insn + 1);
            last.registers = gone(from, last.registers + 1);
            StepKind::Insn {
                run,
                insn: last.insn,
                registers: last.registers,
            }
        }
        _ => StepKind::EndOfLife {
            name: Pack::take(from),
            drop_reason: Pack::take(from),
        },
    }
}

impl Pack for Outcome {
    fn put(&self, out: &mut Out) {
        match self {
            Self::None => out.number(0),
            Self::Ret(value) => {
                out.number(1);
                value.put(out);
            }
            Self::RetSkb(skb) => {
                out.number(2);
                skb.put(out);
            }
        }
    }

    fn take(from: &mut In<'_>) -> Self {
        match from.up_to(2) {
            0 => Self::None,
            1 => Self::Ret(Pack::take(from)),
            _ => Self::RetSkb(Pack::take(from)),
        }
    }
}
