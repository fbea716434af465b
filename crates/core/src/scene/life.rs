//! The life of one byte: who wrote it, how it came to where it is, who read it.

use super::name::{device, what};
use super::zones::packet_range;
use crate::trace::{BufferNo, Layer, OriginId, StepKind, Trace};

/// What happened to the byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LifeKind {
    /// It was written.
    Written,
    /// It was moved or copied.
    Moved,
    /// `data` went past it.
    Passed,
    /// A program read it as metadata.
    Read,
}

/// One event in the life of a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeEvent {
    /// What kind.
    pub kind: LifeKind,
    /// In words: `written as protocol, byte 0, of GRE`.
    pub text: String,
    /// Where: `gre_build_header`, `set_tag on rx`.
    pub who: String,
    /// The step, when it is in the trace.
    pub step: Option<usize>,
}

/// The life of the byte at `offset` of a buffer, up to a step. `origin` is its origin at that step.
#[must_use]
pub fn life(
    trace: &Trace,
    buffer: BufferNo,
    offset: u32,
    origin: OriginId,
    step: usize,
) -> Vec<LifeEvent> {
    let source = trace.sources.source(origin);
    if source.layer == Layer::Unwritten {
        return Vec::new();
    }
    let who = |index: usize| match trace.steps.get(index) {
        Some(step) => match device(trace, step) {
            Some(dev) => format!("{} on {}", what(trace, step), dev.name),
            None => what(trace, step).to_owned(),
        },
        None => String::new(),
    };
    let on = source
        .dev
        .as_ref()
        .map(|dev| format!(" on {}", dev.name))
        .unwrap_or_default();
    let mut out = vec![LifeEvent {
        kind: LifeKind::Written,
        text: format!("written as {}", trace.sources.describe(origin)),
        who: format!("{}{on}", source.writer),
        step: Some(source.step),
    }];
    let (arrived, moves) = moves(trace, buffer, offset, step);
    for (from, to, at) in moves {
        out.push(LifeEvent {
            kind: LifeKind::Moved,
            text: format!("moved from {from} to {to}"),
            who: who(at),
            step: Some(at),
        });
    }
    if let Some(at) = passed(trace, buffer, offset, arrived, step) {
        out.push(LifeEvent {
            kind: LifeKind::Passed,
            text: "left in front of data".into(),
            who: puller(trace, at),
            step: Some(at),
        });
    }
    // Reads are in the order of their steps, and none was before the byte was written.
    let first = trace.reads.partition_point(|read| read.step < source.step);
    let reads = trace.reads.iter().skip(first);
    for read in reads
        .take_while(|read| read.step <= step)
        .filter(|read| read.origins.contains(&origin))
    {
        let Some(start) = read.offset else { continue };
        let Some(nth) = read.origins.iter().position(|o| *o == origin) else {
            continue;
        };
        if read.buffer == buffer {
            let text = format!(
                "read at {} as byte {nth} of the metadata",
                start + nth as u32
            );
            let who = format!("{} on {}", read.program, read.dev.name);
            out.push(LifeEvent {
                kind: LifeKind::Read,
                text,
                who,
                step: Some(read.step),
            });
        }
    }
    super::order::by_key(&mut out, |event| event.step);
    out
}

/// The function that pulled: at an entry it is the one around it, which had already done so.
fn puller(trace: &Trace, step: usize) -> String {
    let Some(now) = trace.steps.get(step) else {
        return String::new();
    };
    let StepKind::Function { edge, .. } = now.kind else {
        return what(trace, now).to_owned();
    };
    let name = super::path::who_changed(trace, step, edge);
    match device(trace, now) {
        Some(dev) => format!("{name} on {}", dev.name),
        None => name,
    }
}

/// Moves that brought the byte to `offset`, in order, and the step since which it has been there.
fn moves(
    trace: &Trace,
    buffer: BufferNo,
    offset: u32,
    step: usize,
) -> (usize, Vec<(u32, u32, usize)>) {
    let mut at = offset;
    let mut since = None;
    let mut out = Vec::new();
    for (index, one) in trace.steps.iter().enumerate().take(step + 1).rev() {
        for write in trace.writes[one.writes.clone()].iter().rev() {
            let covers = write.buffer == buffer
                && (write.offset..write.offset + write.new.len() as u32).contains(&at);
            if !covers {
                continue;
            }
            since.get_or_insert(index);
            match write.moved_from {
                Some(from) => {
                    let before = from + (at - write.offset);
                    out.push((before, at, index));
                    at = before;
                }
                None => {
                    out.reverse();
                    return (since.unwrap_or(0), out);
                }
            }
        }
    }
    out.reverse();
    (since.unwrap_or(0), out)
}

/// The first step at which `data` had gone past the byte and stayed beyond it.
fn passed(
    trace: &Trace,
    buffer: BufferNo,
    offset: u32,
    since: usize,
    step: usize,
) -> Option<usize> {
    let mut before = None;
    let mut found = None;
    for (index, one) in trace.steps.iter().enumerate().take(step + 1).skip(since) {
        let Some(fields) = one.fields.and_then(|i| trace.fields.get(i)) else {
            continue;
        };
        if one.buffer != Some(buffer) {
            continue;
        }
        let (data, _, _) = packet_range(fields);
        let beyond = data > offset;
        match (before, beyond) {
            (Some(false), true) => found = Some(index),
            (_, false) => found = None,
            _ => {}
        }
        before = Some(beyond);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    fn told(design: &str, offset: u32, origin: OriginId) -> Vec<String> {
        let trace = decap(design);
        let last = trace.steps.len() - 1;
        life(&trace, BufferNo(1), offset, origin, last)
            .into_iter()
            .map(|e| format!("{} · {}", e.text, e.who))
            .collect()
    }

    #[test]
    fn a_byte_of_the_gre_header_that_was_read_as_a_tag() {
        assert_eq!(
            told("mac_header", 292, OriginId { source: 3, byte: 2 }),
            [
                "written as GRE, protocol, byte 0 · gre_build_header on rx",
                "left in front of data · __iptunnel_pull_header on rx",
                "read at 292 as byte 2 of the metadata · get_tag on decap",
            ]
        );
    }

    #[test]
    fn a_byte_of_the_tag_that_was_moved() {
        assert_eq!(
            told("meta_end", 290, OriginId { source: 7, byte: 0 }),
            [
                "written as tag, byte 0 · set_tag on rx",
                "moved from 252 to 290 · bpf_skb_meta_realign on decap",
                "read at 290 as byte 0 of the metadata · get_tag on decap",
            ]
        );
    }

    #[test]
    fn headroom_has_no_life() {
        assert!(told("mac_header", 10, OriginId::default()).is_empty());
    }
}
