//! The JSON of `headroom run`: `headroom-trace/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::compare_reports::{events_until, reads_of};
use super::event::Event;
use super::events::events;
use super::hex;
use super::model::{Frame, Read};
use crate::bpf::MapState;
use crate::trace::{Cost, MetadataRead, ReadHow, TapFrame, Trace, Verdict};

/// A trace as JSON. Events, reads and printk have the recordings' shape.
#[derive(Debug, Clone, Serialize)]
pub struct RunJson {
    schema: &'static str,
    scenario: String,
    design: String,
    events: Vec<Event>,
    reads: Vec<Judged>,
    /// What programs reported through their ring buffer; `reads` of a recording.
    reported: Vec<Read>,
    maps: BTreeMap<String, MapJson>,
    printk: Vec<String>,
    verdict: Option<Verdict>,
    cost: Cost,
    warnings: Vec<String>,
    /// What packet sockets held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taps: Vec<Frame>,
    /// Input lines that were no command: [line, text].
    skipped: Vec<(usize, String)>,
}

/// A read in the recordings' shape, and what is known about it beyond that.
#[derive(Debug, Clone, Serialize)]
struct Judged {
    program: String,
    dev: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<String>,
    hook: &'static str,
    after_seq: usize,
    how: ReadHow,
    len: usize,
    value: String,
    verdict: Verdict,
    /// Offset from `head`.
    offset: Option<u32>,
    /// What each byte is, in words.
    origins: Vec<String>,
}

impl RunJson {
    /// Takes what the trace has.
    #[must_use]
    pub fn new(trace: &Trace) -> Self {
        Self {
            schema: "headroom-trace/1",
            scenario: trace.scenario.clone(),
            design: trace.design.clone(),
            events: events(trace),
            reads: trace.reads.iter().map(|read| judged(trace, read)).collect(),
            reported: reads_of(trace),
            maps: maps_json(&trace.maps),
            printk: trace.printk.clone(),
            verdict: verdict(trace),
            cost: trace.cost,
            warnings: trace.warnings.clone(),
            taps: trace.taps.iter().map(frame).collect(),
            skipped: trace.skipped.clone(),
        }
    }
}

/// A map after the run. Bytes are hex; the keys and values that were never set are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapJson {
    r#type: String,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    entries: Vec<EntryJson>,
    /// What programs sent through a ring or a perf event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    records: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct EntryJson {
    key: String,
    value: String,
}

/// Maps by name; where two objects have one of the same name, the later one's name gets `#2`, then `#3`.
#[must_use]
pub fn maps_json(maps: &[MapState]) -> BTreeMap<String, MapJson> {
    let mut out = BTreeMap::new();
    for map in maps {
        let entry = |(key, value): &(Vec<u8>, Vec<u8>)| EntryJson {
            key: hex::encode(key),
            value: hex::encode(value),
        };
        let json = MapJson {
            r#type: map.def.kind.name(),
            key_size: map.def.key_size,
            value_size: map.def.value_size,
            max_entries: map.def.max_entries,
            entries: map.entries.iter().map(entry).collect(),
            records: map.records.iter().map(|r| hex::encode(r)).collect(),
        };
        let mut name = map.def.name.clone();
        let mut count = 1;
        while out.contains_key(&name) {
            count += 1;
            name = format!("{}#{count}", map.def.name);
        }
        out.insert(name, json);
    }
    out
}

fn frame(tap: &TapFrame) -> Frame {
    Frame {
        dev: tap.dev.name.clone(),
        netns: tap.dev.netns.clone(),
        bytes: tap.bytes.clone(),
    }
}

/// The reads of a trace, as in the JSON of a run.
#[must_use]
pub fn reads_json(trace: &Trace) -> serde_json::Value {
    let reads: Vec<Judged> = trace.reads.iter().map(|read| judged(trace, read)).collect();
    serde_json::to_value(reads).unwrap_or_default()
}

/// The worst verdict of all reads: garbage, lost, overwritten, ok, none. `None` without reads.
#[must_use]
pub fn verdict(trace: &Trace) -> Option<Verdict> {
    trace
        .reads
        .iter()
        .map(|read| read.verdict)
        .max_by_key(|verdict| verdict.badness())
}

fn judged(trace: &Trace, read: &MetadataRead) -> Judged {
    Judged {
        program: read.program.clone(),
        dev: read.dev.name.clone(),
        netns: read.dev.netns.clone(),
        hook: read.hook,
        after_seq: events_until(trace, read.step),
        how: read.how,
        len: read.bytes.len(),
        value: hex::encode(&read.bytes),
        verdict: read.verdict,
        offset: read.offset,
        origins: read
            .origins
            .iter()
            .map(|origin| trace.sources.describe(*origin))
            .collect(),
    }
}
