//! Reads, helper results, printk and warnings, in order.

use super::compare::whole;
use super::event::{Field, Value};
use super::hex;
use super::model::{Head, HelperResult, Read};
use super::normalise::printed_as_drawn;
use super::report::Report;
use crate::trace::read::{Report as Said, ReportWhat};
use crate::trace::{ReadHow, StepKind, Trace};

/// Compares what programs and kernel said. `visible` says which of the trace's events a recording has;
/// it is there when all recorded events are covered, and then places are compared too.
pub(super) fn compare_reports(
    head: &Head,
    trace: &Trace,
    visible: Option<&[bool]>,
    report: &mut Report,
) {
    let place = |said: &Said| visible.map(|visible| recorded_before(visible, said.after_step));
    let is_read = |said: &&Said| matches!(said.what, ReportWhat::Read { .. });
    let reads: Vec<Vec<Field>> = head
        .reads
        .iter()
        .map(|read| read_fields(read, visible.is_some()))
        .collect();
    let got: Vec<Vec<Field>> = trace
        .reports
        .iter()
        .filter(is_read)
        .map(|said| said_fields(said, place(said)))
        .collect();
    lists("reads", &reads, &got, report);
    let results: Vec<Vec<Field>> = head
        .helper_results
        .iter()
        .map(|result| result_fields(result, visible.is_some()))
        .collect();
    let said = trace.reports.iter().filter(|said| !is_read(said));
    let got: Vec<Vec<Field>> = said.map(|said| said_fields(said, place(said))).collect();
    lists("helper_results", &results, &got, report);
    let drawn = |recorded: &String, simulated: &String| {
        // what the recorder replaced in the bytes is printed as the kernel drew it
        match printed_as_drawn(trace, recorded, simulated) {
            true => recorded.clone(),
            false => simulated.clone(),
        }
    };
    let mut printed: Vec<String> = head
        .printk
        .iter()
        .zip(&trace.printk)
        .map(|(l, r)| drawn(l, r))
        .collect();
    printed.extend(trace.printk.iter().skip(printed.len()).cloned());
    lists("printk", &lines(&head.printk), &lines(&printed), report);
    lists(
        "warnings",
        &lines(&head.warnings),
        &lines(&trace.warnings),
        report,
    );
    let held: Vec<Vec<Field>> = head
        .taps
        .iter()
        .map(|frame| tap_fields(&frame.dev, frame.netns.as_ref(), &frame.bytes))
        .collect();
    let got: Vec<Vec<Field>> = trace
        .taps
        .iter()
        .map(|tap| tap_fields(&tap.dev.name, tap.dev.netns.as_ref(), &tap.bytes))
        .collect();
    lists("taps", &held, &got, report);
}

/// How many of the first `events` events are in a recording.
fn recorded_before(visible: &[bool], events: usize) -> usize {
    visible
        .iter()
        .take(events)
        .filter(|visible| **visible)
        .count()
}

fn lines(lines: &[String]) -> Vec<Vec<Field>> {
    lines
        .iter()
        .map(|line| vec![("line", Value::Text(line.clone()))])
        .collect()
}

fn lists(stage: &str, expected: &[Vec<Field>], got: &[Vec<Field>], report: &mut Report) {
    for i in 0..expected.len().max(got.len()) {
        let (wanted, found) = (
            expected.get(i).map_or(&[][..], Vec::as_slice),
            got.get(i).map_or(&[][..], Vec::as_slice),
        );
        let value = |fields: &[Field], name| {
            fields
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| value.clone())
        };
        let mut names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        names.extend(
            found
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| !wanted.iter().any(|(other, _)| other == name)),
        );
        for name in names {
            let (left, right) = (value(wanted, name), value(found, name));
            let show = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map_or_else(|| "nothing".to_owned(), Value::to_string)
            };
            report.field(left == right, || {
                whole(stage, &format!("[{i}].{name}"), show(&left), show(&right))
            });
        }
    }
}

fn common_fields(
    program: &str,
    dev: &str,
    netns: Option<&String>,
    hook: &str,
    after: Option<usize>,
) -> Vec<Field> {
    let mut fields = vec![
        ("program", Value::Text(program.into())),
        ("dev", Value::Text(dev.into())),
        (
            "netns",
            netns.map_or(Value::Unset, |netns| Value::Text(netns.clone())),
        ),
        ("hook", Value::Text(hook.into())),
    ];
    fields.extend(after.map(|after| {
        (
            "after_seq",
            Value::Number(i64::try_from(after).unwrap_or(i64::MAX)),
        )
    }));
    fields
}

fn tap_fields(dev: &str, netns: Option<&String>, bytes: &[u8]) -> Vec<Field> {
    let netns = netns.map_or(Value::Unset, |netns| Value::Text(netns.clone()));
    vec![
        ("dev", Value::Text(dev.into())),
        ("netns", netns),
        ("hex", Value::Text(hex::encode(bytes))),
    ]
}

fn read_what(how: ReadHow, len: u32, value: &[u8], ret: i64) -> [Field; 4] {
    let how = match how {
        ReadHow::DataMeta => "data_meta",
        ReadHow::Dynptr => "dynptr",
    };
    let value = Value::Text(hex::encode(value));
    [
        ("how", Value::Text(how.into())),
        ("len", len.into()),
        ("value", value),
        ("ret", Value::Number(ret)),
    ]
}

fn read_fields(read: &Read, place: bool) -> Vec<Field> {
    let after = place.then_some(read.after_seq);
    let mut fields = common_fields(
        &read.program,
        &read.dev,
        read.netns.as_ref(),
        &read.hook,
        after,
    );
    fields.extend(read_what(read.how, read.len, &read.value, read.ret));
    fields
}

fn result_fields(result: &HelperResult, place: bool) -> Vec<Field> {
    let after = place.then_some(result.after_seq);
    let mut fields = common_fields(
        &result.program,
        &result.dev,
        result.netns.as_ref(),
        &result.hook,
        after,
    );
    fields.extend([
        ("helper", Value::Text(result.helper.clone())),
        ("ret", Value::Number(result.ret)),
    ]);
    fields
}

fn said_fields(said: &Said, after: Option<usize>) -> Vec<Field> {
    let mut fields = common_fields(
        &said.program,
        &said.dev.name,
        said.dev.netns.as_ref(),
        said.hook,
        after,
    );
    match &said.what {
        ReportWhat::Read {
            how,
            len,
            value,
            ret,
        } => fields.extend(read_what(*how, *len, value, *ret)),
        ReportWhat::HelperResult { helper, ret } => {
            fields.extend([
                ("helper", Value::Text(helper.clone())),
                ("ret", Value::Number(*ret)),
            ]);
        }
    }
    fields
}

/// The trace's reports as the recordings' `reads`.
pub(super) fn reads_of(trace: &Trace) -> Vec<Read> {
    trace.reports.iter().filter_map(read_of).collect()
}

fn read_of(said: &Said) -> Option<Read> {
    let ReportWhat::Read {
        how,
        len,
        value,
        ret,
    } = &said.what
    else {
        return None;
    };
    let shown = u32::try_from(value.len()).ok().filter(|shown| shown != len);
    Some(Read {
        program: said.program.clone(),
        dev: said.dev.name.clone(),
        netns: said.dev.netns.clone(),
        hook: said.hook.into(),
        after_seq: said.after_step,
        how: *how,
        len: *len,
        value: value.clone(),
        ret: *ret,
        shown,
    })
}

/// Number of function-level events up to and including a step, which is how places in a trace are told.
pub(super) fn events_until(trace: &Trace, step: usize) -> usize {
    let is_event = |kind: &StepKind| !matches!(kind, StepKind::Insn { .. });
    trace
        .steps
        .iter()
        .take(step.saturating_add(1))
        .filter(|step| is_event(&step.kind))
        .count()
}
