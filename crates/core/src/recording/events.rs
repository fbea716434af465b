//! Steps of a trace as events in the recordings' shape.

use super::bytes::part;
use super::event::{ByteRun, Event, Packet, Ret, SkbEvent, Stage, XdpEvent};
use crate::trace::{
    Cursor, Edge, OriginId, Outcome, PacketFields, PacketView, SkbFields, StepKind, Trace,
    XdpFields,
};

/// Recordings show this many bytes in front of the lowest mark.
const BEFORE: u32 = 64;
/// Recordings end a packet's bytes at this offset.
const LAST: u32 = 2048;

/// An event of a trace, and what its JSON does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedEvent {
    /// The event.
    pub event: Event,
    /// Index of the step it was made of.
    pub step: usize,
    /// The function or program it was called from, if that is in the trace.
    pub caller: Option<String>,
    /// Origin of each byte of the event's bytes; same length.
    pub origins: Vec<OriginId>,
    /// Origin of each byte of `meta.bytes`; same length.
    pub meta_origins: Vec<OriginId>,
}

/// The steps of functions, programs and ends of life as events, numbered from 1; instructions are left out,
/// and so are steps that have no packet.
#[must_use]
pub fn events(trace: &Trace) -> Vec<Event> {
    traced_events(trace)
        .into_iter()
        .map(|traced| traced.event)
        .collect()
}

/// As [`events`], with origins.
#[must_use]
pub fn traced_events(trace: &Trace) -> Vec<TracedEvent> {
    let Some(mut cursor) = Cursor::new(trace) else {
        return Vec::new();
    };
    let mut events: Vec<TracedEvent> = Vec::new();
    let mut entries = Entries::default();
    let mut open: Vec<String> = Vec::new();
    for index in 0..trace.steps.len() {
        let Some(label) = label(trace, index) else {
            continue;
        };
        cursor.go(index);
        let seq = u32::try_from(events.len() + 1).unwrap_or(u32::MAX);
        let mut traced = traced(seq, index, label, cursor.packet());
        entries.follow(&mut traced.event);
        // depth says how many functions are open around this step
        open.truncate(usize::from(trace.steps[index].depth));
        traced.caller = open.last().cloned();
        open.push(traced.event.stage.name.clone());
        events.push(traced);
    }
    events
}

/// Functions that have not returned yet. A packet that is gone has no device any more: recordings show the
/// device it had at the function's entry, and never a namespace.
#[derive(Default)]
struct Entries {
    open: Vec<(String, Option<u32>, Option<String>)>,
}

impl Entries {
    fn follow(&mut self, event: &mut Event) {
        if event.end_of_life {
            return;
        }
        if event.stage.edge == Edge::Entry {
            self.open
                .push((event.stage.name.clone(), event.skb, event.dev.clone()));
            return;
        }
        let is_its = |(name, skb, _): &(String, Option<u32>, Option<String>)| {
            *name == event.stage.name && *skb == event.skb
        };
        let entry = self
            .open
            .iter()
            .rposition(is_its)
            .map(|at| self.open.remove(at));
        if event.packet == Packet::Result {
            event.netns = None;
            if let Some((_, _, dev)) = entry {
                event.dev = dev;
            }
        }
    }
}

/// What a step is called.
struct Label {
    stage: Stage,
    prog: bool,
    end_of_life: bool,
    drop_reason: Option<u32>,
}

fn label(trace: &Trace, index: usize) -> Option<Label> {
    let step = trace.steps.get(index)?;
    let is_xdp = step
        .fields
        .is_some_and(|fields| matches!(trace.fields.get(fields), Some(PacketFields::Xdp(_))));
    if step.skb.is_none() && !is_xdp {
        return None;
    }
    let plain = |name: &str, edge| Label {
        stage: Stage {
            name: name.to_owned(),
            edge,
        },
        prog: false,
        end_of_life: false,
        drop_reason: None,
    };
    match &step.kind {
        StepKind::Function { name, edge, .. } => Some(plain(name, *edge)),
        StepKind::Program { run, edge } => {
            let program = &trace.runs.get(*run)?.program;
            Some(Label {
                prog: true,
                ..plain(program, *edge)
            })
        }
        StepKind::EndOfLife { name, drop_reason } => Some(Label {
            end_of_life: true,
            drop_reason: *drop_reason,
            ..plain(name, Edge::Entry)
        }),
        StepKind::Insn { .. } => None,
    }
}

fn traced(seq: u32, index: usize, label: Label, view: PacketView<'_>) -> TracedEvent {
    let step = view.step;
    let (packet, origins, meta_origins) = match view.fields {
        Some(PacketFields::Skb(fields)) if !step.freed => skb(fields, &view),
        Some(PacketFields::Xdp(fields)) if !step.freed => xdp(fields, &view),
        _ => (Packet::Result, Vec::new(), Vec::new()),
    };
    let (ret, ret_skb) = match step.outcome {
        Outcome::None => (None, None),
        Outcome::Ret(value) => (Some(Ret::Number(value)), None),
        Outcome::RetSkb(skb) => (None, Some(skb.map(|skb| skb.0))),
    };
    // Of a packet that is gone the recorder still knows the device, but not the namespace; an
    // xdp_buff is no skb.
    let dev = step.dev.as_deref();
    let netns = dev
        .and_then(|dev| dev.netns.clone())
        .filter(|_| packet != Packet::Result);
    let skb = step
        .skb
        .filter(|_| !matches!(packet, Packet::Xdp(_)))
        .map(|skb| skb.0);
    let event = Event {
        seq,
        stage: label.stage,
        prog: label.prog,
        dev: dev.map(|dev| dev.name.clone()),
        netns,
        skb,
        ret,
        ret_skb,
        end_of_life: label.end_of_life,
        drop_reason: label.drop_reason,
        freed: step.freed,
        packet,
    };
    TracedEvent {
        event,
        step: index,
        caller: None,
        origins,
        meta_origins,
    }
}

type WithOrigins = (Packet, Vec<OriginId>, Vec<OriginId>);

fn skb(fields: &SkbFields, view: &PacketView<'_>) -> WithOrigins {
    let meta = match (fields.meta.start, fields.meta.end) {
        (Some(start), Some(end)) if fields.meta.len > 0 => {
            part(view.buffer, start, end.min(start.saturating_add(LAST)))
        }
        _ => Default::default(),
    };
    let start = bytes_off(fields);
    let (bytes, origins) = part(view.buffer, start, fields.tail.min(LAST));
    let event = SkbEvent {
        head: view.step.buffer.map_or(0, |buffer| buffer.0),
        fields: fields.clone(),
        meta_bytes: meta.0,
        bytes: ByteRun {
            offset: start,
            bytes,
            truncated: fields.tail > LAST,
        },
    };
    (Packet::Skb(Box::new(event)), origins, meta.1)
}

fn xdp(fields: &XdpFields, view: &PacketView<'_>) -> WithOrigins {
    let start = fields.data_meta.saturating_sub(BEFORE);
    let (bytes, origins) = part(view.buffer, start, fields.data_end.min(LAST));
    let bytes = ByteRun {
        offset: start,
        bytes,
        truncated: fields.data_end > LAST,
    };
    (
        Packet::Xdp(XdpEvent {
            fields: fields.clone(),
            bytes,
        }),
        origins,
        Vec::new(),
    )
}

/// Offset of the first byte a recording shows: 64 in front of the lowest of `data`, `mac_header` and the
/// metadata's start. The start counts only while there are metadata; the README does not say so, all
/// 17,691 skb events of the recordings do.
#[must_use]
pub fn bytes_off(fields: &SkbFields) -> u32 {
    let meta = match (fields.meta.start, fields.meta.end) {
        _ if fields.meta.len == 0 => None,
        // they would begin below `head`
        (None, Some(_)) => Some(0),
        (start, _) => start,
    };
    let lowest = [fields.mac_header, meta]
        .into_iter()
        .flatten()
        .fold(fields.data, u32::min);
    lowest.saturating_sub(BEFORE)
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
