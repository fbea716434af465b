//! The JSON of `headroom run`: `headroom-trace/1`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::compare_reports::{events_until, reads_of};
use super::event::Event;
use super::events::events;
use super::hex;
use super::model::{Frame, Read};
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
    maps: BTreeMap<String, serde_json::Value>,
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
    /// Takes what the trace has; `maps` are the programs' maps after the run, by name.
    #[must_use]
    pub fn new(trace: &Trace, maps: BTreeMap<String, serde_json::Value>) -> Self {
        Self {
            schema: "headroom-trace/1",
            scenario: trace.scenario.clone(),
            design: trace.design.clone(),
            events: events(trace),
            reads: trace.reads.iter().map(|read| judged(trace, read)).collect(),
            reported: reads_of(trace),
            maps,
            printk: trace.printk.clone(),
            verdict: verdict(trace),
            cost: trace.cost,
            warnings: trace.warnings.clone(),
            taps: trace.taps.iter().map(frame).collect(),
            skipped: trace.skipped.clone(),
        }
    }
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
