//! Opens a file that holds events, a recording or the JSON of `headroom run`, as a trace that the
//! stepper shows like one of its own.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::expand::expand;
use super::hex;
use super::model::{MAX_FILE, ReadError, Recording, SCHEMA};
use super::replayed::{Judgement, SeenRead, replay};
use crate::scenario::FileError;
use crate::trace::{ReadHow, Trace, Verdict};

/// Schema of the JSON that `headroom run` prints.
pub const TRACE_SCHEMA: &str = "headroom-trace/1";

/// An opened file.
#[derive(Debug, Clone)]
pub struct OpenedFile {
    /// Id of the recording or of the scenario that was run.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// Where the events come from: the kernel's version, or the simulator.
    pub source: String,
    /// A kernel did this, not a simulator.
    pub recorded: bool,
    /// The commands that made it, when the file has them.
    pub setup: Vec<String>,
    /// The events.
    pub trace: Trace,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with a field `schema`")]
struct Peek {
    schema: Option<String>,
}

#[derive(Deserialize)]
struct TraceFile {
    scenario: String,
    design: String,
    events: Vec<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    reads: Vec<TraceRead>,
    #[serde(default)]
    printk: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

/// The rest of a read follows from the events.
#[derive(Deserialize)]
struct TraceRead {
    program: String,
    hook: String,
    after_seq: usize,
    how: ReadHow,
    #[serde(with = "hex")]
    value: Vec<u8>,
    verdict: Verdict,
    offset: Option<u32>,
}

/// Opens a file that may hold several traces, one behind the other: `headroom run` prints one for each design.
///
/// # Errors
/// As [`open`]; the place is in the part of the file that the message names.
pub fn open_all(file: &str, text: &str) -> Result<Vec<OpenedFile>, ReadError> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let (mut parts, mut from) = (Vec::new(), 0);
    while let Some(value) = values.next() {
        // Whatever is no JSON is said of the whole text, with its place.
        if value.is_err() || text.len() > MAX_FILE {
            return Ok(vec![open(file, text)?]);
        }
        parts.extend(text.get(from..values.byte_offset()));
        from = values.byte_offset();
    }
    if parts.len() < 2 {
        return Ok(vec![open(file, text)?]);
    }
    let one = |(number, part): (usize, &&str)| open(&format!("{file}, run {}", number + 1), part);
    parts.iter().enumerate().map(one).collect()
}

/// Opens a file's text; `file` is only used in errors.
///
/// # Errors
/// A text that is neither, or a broken one: the place is in the message.
pub fn open(file: &str, text: &str) -> Result<OpenedFile, ReadError> {
    let refuse = |what: String| FileError {
        file: file.into(),
        line: 0,
        column: 0,
        what,
    };
    if text.len() > MAX_FILE {
        let what = format!("the file has {} bytes, the limit is {MAX_FILE}", text.len());
        return Err(refuse(what).into());
    }
    let json = |error| FileError::from_json(file, &error);
    let peek: Peek = serde_json::from_str(text).map_err(|error| {
        let mut said = json(error);
        said.what.push_str("; recordings and traces are JSON");
        said
    })?;
    let Some(schema) = peek.schema else {
        let what = format!("it has no field `schema`, expected `{SCHEMA}` or `{TRACE_SCHEMA}`");
        return Err(refuse(what).into());
    };
    match schema.as_str() {
        SCHEMA => Ok(of_recording(&Recording::read(file, text)?)),
        TRACE_SCHEMA => {
            let read: TraceFile = serde_json::from_str(text).map_err(json)?;
            of_trace(file, read)
        }
        other => Err(refuse(format!(
            "schema is `{other}`, expected `{SCHEMA}` or `{TRACE_SCHEMA}`"
        ))
        .into()),
    }
}

/// A recording as a trace.
#[must_use]
pub fn of_recording(recording: &Recording) -> OpenedFile {
    let head = &recording.head;
    let reads = head.reads.iter().map(|read| SeenRead {
        program: read.program.clone(),
        hook: read.hook.clone(),
        after_seq: read.after_seq,
        how: read.how,
        len: read.len as usize,
        bytes: read.value.clone(),
        judged: Judgement::Compare,
    });
    let mut trace = replay(
        &head.id,
        &head.design,
        &recording.events,
        &reads.collect::<Vec<_>>(),
    );
    trace.printk.clone_from(&head.printk);
    trace.warnings.clone_from(&head.warnings);
    OpenedFile {
        id: head.id.clone(),
        title: head.title.clone(),
        source: format!("Linux {}", head.kernel),
        recorded: true,
        setup: head.setup.clone(),
        trace,
    }
}

fn of_trace(file: &str, read: TraceFile) -> Result<OpenedFile, ReadError> {
    let events = expand(&read.events).map_err(|error| ReadError::Event {
        file: file.into(),
        error,
    })?;
    let reads = read.reads.into_iter().map(|read| SeenRead {
        program: read.program,
        hook: read.hook,
        after_seq: read.after_seq,
        how: read.how,
        len: read.value.len(),
        bytes: read.value,
        judged: Judgement::Known(read.verdict, read.offset),
    });
    let mut trace = replay(
        &read.scenario,
        &read.design,
        &events,
        &reads.collect::<Vec<_>>(),
    );
    trace.printk = read.printk;
    trace.warnings = read.warnings;
    Ok(OpenedFile {
        id: read.scenario.clone(),
        title: format!("A run of {} under {}", read.scenario, read.design),
        source: "headroom run".into(),
        recorded: false,
        setup: Vec::new(),
        trace,
    })
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
