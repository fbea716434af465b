//! A trace laid over a recording.

use std::collections::{BTreeMap, BTreeSet};

use super::align::{Alignment, align};
use super::compare_reports::compare_reports;
use super::drawn_ids;
use super::event::{ByteRun, Event, Packet, Value};
use super::event_fields::own_fields;
use super::events::{TracedEvent, traced_events};
use super::model::Recording;
use super::normalise::{Heads, is_recorded, may_differ};
use super::report::{Difference, Report};
use super::scope::Scope;
use crate::trace::{BufferNo, OriginId, Trace};

/// Compares all of a recording.
#[must_use]
pub fn compare(recording: &Recording, trace: &Trace) -> Report {
    compare_within(recording, trace, &Scope::All)
}

/// Compares the part of a recording that is in the scope. Reads, printk and warnings are compared under
/// [`Scope::All`] only.
#[must_use]
pub fn compare_within(recording: &Recording, trace: &Trace, scope: &Scope) -> Report {
    let mut simulated = traced_events(trace);
    drawn_ids::number(&mut simulated, &trace.sources, recording.head.sight());
    compare_events(recording, trace, &simulated, scope)
}

/// As [`compare_within`], with the trace's events given.
pub(super) fn compare_events(
    recording: &Recording,
    trace: &Trace,
    simulated: &[TracedEvent],
    scope: &Scope,
) -> Report {
    let head = &recording.head;
    let mut report = Report {
        name: format!("{}.{}", head.id, head.design),
        ..Report::default()
    };
    if head.design != trace.design {
        report.differ(whole(
            "design",
            "design",
            head.design.clone(),
            trace.design.clone(),
        ));
    }
    let marks = scope.mark(recording.events.iter());
    let expected: Vec<&Event> = recording
        .events
        .iter()
        .zip(marks)
        .filter_map(|(event, inside)| inside.then_some(event))
        .collect();
    let marks = scope.mark(simulated.iter().map(|traced| &traced.event));
    let inside = simulated
        .iter()
        .zip(marks)
        .filter_map(|(traced, inside)| inside.then_some(traced));
    let got: Vec<&TracedEvent> = inside
        .filter(|traced| is_recorded(head.sight(), traced))
        .collect();
    let got_events: Vec<&Event> = got.iter().map(|traced| &traced.event).collect();
    let alignment = align(&expected, &got_events);

    report.events = expected.len();
    report.events_covered = alignment.pairs.len() + alignment.moved.len();
    coverage(&alignment, &expected, &got_events, &mut report);
    let mut pairs = Pairs {
        trace,
        skbs: alignment.skbs.clone(),
        heads: Default::default(),
        unwritten: BTreeSet::new(),
    };
    for (e, g) in &alignment.pairs {
        pairs.event(expected[*e], got[*g], &mut report);
    }
    report.unwritten_differences = pairs.unwritten.len();
    report.unwritten_read = unwritten_read(trace, &pairs.unwritten);
    xdp_places(&alignment, &expected, &got_events, &mut report);
    if *scope == Scope::All {
        let complete = alignment.missing.is_empty();
        let visible: Vec<bool> = simulated
            .iter()
            .map(|traced| is_recorded(head.sight(), traced))
            .collect();
        compare_reports(head, trace, complete.then_some(&visible[..]), &mut report);
    }
    report
}

/// A difference that belongs to no event of the recording.
pub(super) fn whole(stage: &str, field: &str, expected: String, got: String) -> Difference {
    Difference {
        seq: 0,
        stage: stage.into(),
        field: field.into(),
        expected,
        got,
        origin: None,
    }
}

fn coverage(alignment: &Alignment, expected: &[&Event], got: &[&Event], report: &mut Report) {
    for missing in &alignment.missing {
        *report
            .not_covered
            .entry(expected[*missing].stage.name.clone())
            .or_default() += 1;
    }
    for (e, g) in &alignment.moved {
        let (event, place) = (
            expected[*e],
            format!("at place {} of the trace", got[*g].seq),
        );
        let expected = format!("at place {}", event.seq);
        report.differ(Difference {
            seq: event.seq,
            ..whole(&event.stage.to_string(), "order", expected, place)
        });
    }
    for extra in &alignment.extra {
        let event = got[*extra];
        let place = format!(
            "event {} of the trace, on {}",
            event.seq,
            event.dev.as_deref().unwrap_or("no device")
        );
        report.differ(whole(
            &event.stage.to_string(),
            "event",
            "no such event".into(),
            place,
        ));
    }
}

/// XDP events have no skb, so the alignment says nothing about their place between the skb events:
/// the skb event before each must be the same.
fn xdp_places(alignment: &Alignment, expected: &[&Event], got: &[&Event], report: &mut Report) {
    let is_xdp = |event: &Event| matches!(event.packet, Packet::Xdp(_));
    let before = |at: usize, skbs: &BTreeMap<usize, usize>| {
        skbs.range(..at).next_back().map(|(_, pair)| *pair)
    };
    let numbered = || {
        alignment
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, (e, _))| !is_xdp(expected[*e]))
    };
    let left: BTreeMap<usize, usize> = numbered().map(|(pair, (e, _))| (*e, pair)).collect();
    let right: BTreeMap<usize, usize> = numbered().map(|(pair, (_, g))| (*g, pair)).collect();
    let name = |pair: Option<usize>| match pair.and_then(|pair| alignment.pairs.get(pair)) {
        Some((e, _)) => format!("after event {} {}", expected[*e].seq, expected[*e].stage),
        None => "before all others".into(),
    };
    for (e, g) in alignment
        .pairs
        .iter()
        .filter(|(e, g)| is_xdp(expected[*e]) && is_xdp(got[*g]))
    {
        let (wanted, found) = (before(*e, &left), before(*g, &right));
        let event = expected[*e];
        report.field(wanted == found, || Difference {
            seq: event.seq,
            ..whole(&event.stage.to_string(), "order", name(wanted), name(found))
        });
    }
}

/// Comparison of aligned pairs, in the recording's order.
struct Pairs<'a> {
    trace: &'a Trace,
    /// Simulated skb → recorded skb.
    skbs: BTreeMap<u32, u32>,
    /// Recorded and simulated.
    heads: (Heads, Heads),
    /// Unwritten bytes that differ: simulated buffer, offset.
    unwritten: BTreeSet<(u32, u32)>,
}

impl Pairs<'_> {
    fn event(&mut self, expected: &Event, got: &TracedEvent, report: &mut Report) {
        let (stage, event) = (expected.stage.to_string(), &got.event);
        let differ = |field: &str, expected_value: String, got_value: String| Difference {
            seq: expected.seq,
            ..whole(&stage, field, expected_value, got_value)
        };
        self.learn(expected, event);
        let mapped = own_fields(event, |skb| self.skbs.get(&skb).copied());
        for (name, value) in own_fields(expected, Some) {
            let found = mapped
                .iter()
                .find(|(other, _)| *other == name)
                .map(|(_, value)| value);
            let shown = || found.map_or_else(|| "no such field".to_owned(), Value::to_string);
            report.field(found == Some(&value), || {
                differ(name, value.to_string(), shown())
            });
        }
        let extra = mapped
            .iter()
            .filter(|(name, _)| ["ret", "ret_skb", "drop_reason"].contains(name));
        let known: Vec<&str> = own_fields(expected, Some)
            .iter()
            .map(|(name, _)| *name)
            .collect();
        for (name, value) in extra.filter(|(name, _)| !known.contains(name)) {
            report.field(false, || {
                differ(name, "no such field".into(), value.to_string())
            });
        }
        match (&expected.packet, &event.packet) {
            (Packet::Skb(wanted), Packet::Skb(found)) => {
                self.head(
                    expected,
                    event,
                    (wanted.head, wanted.fields.dataref),
                    (found.head, found.fields.dataref),
                    report,
                );
                let start = |packet: &super::event::SkbEvent| packet.fields.meta.start.unwrap_or(0);
                let run = |bytes: &[u8], offset| ByteRun {
                    offset,
                    bytes: bytes.to_vec(),
                    truncated: false,
                };
                let meta = (
                    run(&wanted.meta_bytes, start(wanted)),
                    run(&found.meta_bytes, start(found)),
                );
                self.bytes(
                    expected,
                    "meta.bytes",
                    (&meta.0, &meta.1),
                    &got.meta_origins,
                    found.head,
                    report,
                );
                self.bytes(
                    expected,
                    "bytes",
                    (&wanted.bytes, &found.bytes),
                    &got.origins,
                    found.head,
                    report,
                );
            }
            (Packet::Xdp(wanted), Packet::Xdp(found)) => {
                let buffer = self
                    .trace
                    .steps
                    .get(got.step)
                    .and_then(|step| step.buffer)
                    .map_or(0, |buffer| buffer.0);
                self.bytes(
                    expected,
                    "bytes",
                    (&wanted.bytes, &found.bytes),
                    &got.origins,
                    buffer,
                    report,
                );
            }
            _ => {}
        }
        if let Some(skb) = expected
            .skb
            .filter(|_| expected.end_of_life || expected.freed)
        {
            self.heads.0.end(skb);
            self.heads.1.end(skb);
        }
    }

    /// An skb that is known by being returned only (a clone that no other event is about).
    fn learn(&mut self, expected: &Event, got: &Event) {
        let (Some(Some(wanted)), Some(Some(found))) = (expected.ret_skb, got.ret_skb) else {
            return;
        };
        if !self.skbs.contains_key(&found) && !self.skbs.values().any(|taken| *taken == wanted) {
            self.skbs.insert(found, wanted);
        }
    }

    fn head(
        &mut self,
        expected: &Event,
        got: &Event,
        wanted: (u32, u32),
        found: (u32, u32),
        report: &mut Report,
    ) {
        let Some(skb) = expected.skb else { return };
        let wanted = self.heads.0.identity(skb, wanted.0, wanted.1);
        let found = self.heads.1.identity(skb, found.0, found.1);
        report.field(wanted == found, || Difference {
            seq: expected.seq,
            ..whole(
                &got.stage.to_string(),
                "head",
                format!("{wanted:?}"),
                format!("{found:?}"),
            )
        });
    }

    /// One field, however many bytes; the first that differs is named.
    fn bytes(
        &mut self,
        event: &Event,
        field: &str,
        (wanted, found): (&ByteRun, &ByteRun),
        origins: &[OriginId],
        buffer: u32,
        report: &mut Report,
    ) {
        let end = |run: &ByteRun| u64::from(run.offset) + run.bytes.len() as u64;
        let byte = |run: &ByteRun, at: u64| {
            at.checked_sub(run.offset.into())
                .and_then(|i| run.bytes.get(i as usize).copied())
        };
        let mut first = None;
        for at in u64::from(wanted.offset.min(found.offset))..end(wanted).max(end(found)) {
            let (left, right) = (byte(wanted, at), byte(found, at));
            if left == right {
                continue;
            }
            let origin = at
                .checked_sub(found.offset.into())
                .and_then(|i| origins.get(i as usize).copied());
            if left.is_some() && right.is_some() && may_differ(origin) {
                self.unwritten.insert((buffer, at as u32));
            } else {
                first = first.or(Some((at, left, right, origin)));
            }
        }
        let hex = |byte: Option<u8>| {
            byte.map_or_else(|| "no byte".to_owned(), |byte| format!("{byte:02x}"))
        };
        let Some((at, left, right, origin)) = first else {
            return report.field(true, || whole("", "", String::new(), String::new()));
        };
        report.field(false, || Difference {
            seq: event.seq,
            stage: event.stage.to_string(),
            field: format!("{field}[{at}]"),
            expected: hex(left),
            got: hex(right),
            origin: origin.map(|origin| self.trace.sources.describe(origin)),
        });
    }
}

/// How many of the unwritten bytes that differ a program read as metadata.
fn unwritten_read(trace: &Trace, unwritten: &BTreeSet<(u32, u32)>) -> usize {
    let mut read = BTreeSet::new();
    for metadata in &trace.reads {
        let buffer = trace.steps.get(metadata.step).and_then(|step| step.buffer);
        if let (Some(BufferNo(buffer)), Some(start)) = (buffer, metadata.offset) {
            let end = start.saturating_add(u32::try_from(metadata.bytes.len()).unwrap_or(u32::MAX));
            read.extend(unwritten.range((buffer, start)..(buffer, end)).copied());
        }
    }
    read.len()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "align_tests.rs"]
mod align_tests;
