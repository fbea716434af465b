//! Why a program read what it read, from the origins of the bytes. One wording for site and command line.

use std::ops::Range;

use super::family::layer_words;
use crate::trace::{Cursor, Layer, MetadataRead, OriginId, StepKind, Trace, Verdict};

/// `290–293`: a byte range as people write it, both ends included. An empty one is its start.
#[must_use]
pub fn span(start: u32, end: u32) -> String {
    match end.saturating_sub(start) {
        0 | 1 => start.to_string(),
        _ => format!("{start}–{}", end - 1),
    }
}

/// `four bytes`, `1 byte`, `32 bytes`.
#[must_use]
pub fn count_bytes(count: usize) -> String {
    const WORDS: [&str; 9] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight",
    ];
    match (count, WORDS.get(count)) {
        (1, _) => "one byte".into(),
        (_, Some(word)) => format!("{word} bytes"),
        _ => format!("{count} bytes"),
    }
}

/// The reads to show at a step: those that have happened in the program run the step belongs to.
#[must_use]
pub fn reads_at(trace: &Trace, step: usize) -> Vec<&MetadataRead> {
    let run = match trace.steps.get(step).map(|s| &s.kind) {
        Some(StepKind::Program { run, .. } | StepKind::Insn { run, .. }) => *run,
        _ => return Vec::new(),
    };
    trace
        .reads
        .iter()
        .filter(|read| read.run == run && read.step <= step)
        .collect()
}

/// One paragraph on a read: what came out, whose bytes they are, and where the metadata are.
#[must_use]
pub fn explain_read(trace: &Trace, read: &MetadataRead) -> String {
    let who = format!("{} on {}", read.program, read.dev.name);
    let mut sentences = Vec::new();
    match (read.value(), read.bytes.len()) {
        (Some(value), 4) => sentences.push(format!("{who} read {value}.")),
        (_, 0) => {}
        (_, n) => sentences.push(format!("{who} read {} of metadata.", count_bytes(n))),
    }
    match read.verdict {
        Verdict::None => sentences.push(format!(
            "{who} found no metadata, and none had been written."
        )),
        Verdict::Lost => {
            sentences.push(format!("{who} found no metadata."));
            sentences.extend(whereabouts(trace, read.step, read.offset));
        }
        Verdict::Ok => sentences.extend(faithful(trace, read)),
        Verdict::Garbage | Verdict::Overwritten => {
            sentences.extend(owners(trace, read));
            sentences.extend(whereabouts(trace, read.step, read.offset));
        }
    }
    sentences.join(" ")
}

fn faithful(trace: &Trace, read: &MetadataRead) -> Vec<String> {
    let Some(at) = read.offset else {
        return Vec::new();
    };
    let Some(first) = read.origins.first() else {
        return Vec::new();
    };
    let source = trace.sources.source(*first);
    let on = source
        .dev
        .as_ref()
        .map(|dev| format!(" on {}", dev.name))
        .unwrap_or_default();
    let place = span(at, at + read.bytes.len() as u32);
    let (count, writer) = (count_bytes(read.bytes.len()), &source.writer);
    if outside(trace, read) {
        return vec![format!(
            "The {count} are the ones {writer} wrote{on}. They are kept outside of the packet's buffer, \
             at {place} of buffer {}.",
            read.buffer.0
        )];
    }
    let mut out = vec![format!(
        "The {count} at {place} are the ones {writer} wrote{on}."
    )];
    if let Some((from, step)) = last_move(trace, read, at) {
        let by = super::name::what(trace, &trace.steps[step]);
        let end = from + read.bytes.len() as u32;
        out.push(format!(
            "{by} moved them there from {}, {} {}.",
            span(from, end),
            distance(from, at),
            if from < at { "up" } else { "down" }
        ));
    }
    out
}

/// Whether a design keeps the metadata in memory of their own (an skb extension, a map's entry): an offset in it is none
/// in the packet's buffer.
#[must_use]
pub fn outside(trace: &Trace, read: &MetadataRead) -> bool {
    let step = trace.steps.get(read.step);
    step.and_then(|step| step.buffer)
        .is_some_and(|packet| packet != read.buffer)
}

fn distance(from: u32, to: u32) -> String {
    let bytes = from.abs_diff(to);
    format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" })
}

/// The latest move inside the buffer that put the read bytes in their place.
fn last_move(trace: &Trace, read: &MetadataRead, at: u32) -> Option<(u32, usize)> {
    let buffer = trace.steps.get(read.step)?.buffer?;
    // Nobody moved the byte before it was written.
    let written = read
        .origins
        .first()
        .map(|origin| trace.sources.source(*origin).step);
    let first = written.unwrap_or(0).min(read.step);
    let steps = trace.steps.get(first..=read.step)?;
    steps.iter().enumerate().rev().find_map(|(index, step)| {
        trace
            .writes
            .get(step.writes.clone())?
            .iter()
            .rev()
            .find_map(|write| {
                let from = write.moved_from?;
                let inside = write.buffer == buffer
                    && (write.offset..write.offset + write.new.len() as u32).contains(&at);
                inside.then(|| (from + (at - write.offset), first + index))
            })
    })
}

/// `The four bytes at 290–293 are the GRE header (flags and version 0x0000, protocol 0x0800).`
fn owners(trace: &Trace, read: &MetadataRead) -> Vec<String> {
    let Some(at) = read.offset else {
        let below = !read.bytes.is_empty();
        let said = "The bytes lie below head, in memory that is not the packet's.";
        return below.then(|| said.to_owned()).into_iter().collect();
    };
    let runs = owner_runs(&read.origins);
    let said = |run: &Range<usize>| describe_run(trace, read, run);
    if let [run] = runs.as_slice() {
        let place = span(at, at + read.bytes.len() as u32);
        return vec![format!(
            "The {} at {place} are {}.",
            count_bytes(read.bytes.len()),
            said(run)
        )];
    }
    let parts: Vec<String> = runs
        .iter()
        .map(|run| {
            format!(
                "{} {}",
                span(at + run.start as u32, at + run.end as u32),
                said(run)
            )
        })
        .collect();
    vec![format!(
        "Of the {} read, {}.",
        count_bytes(read.bytes.len()),
        join_and(&parts)
    )]
}

fn owner_runs(origins: &[OriginId]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (i, origin) in origins.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if origins[run.start].source == origin.source => run.end = i + 1,
            _ => runs.push(i..i + 1),
        }
    }
    runs
}

/// `the GRE header (protocol 0x0800)`, `the last two bytes of the IPv4 header (…)`.
fn describe_run(trace: &Trace, read: &MetadataRead, run: &Range<usize>) -> String {
    let first = read.origins[run.start];
    let source = trace.sources.source(first);
    let whole = first.byte == 0 && usize::from(source.len) == run.len();
    let words = layer_words(source.layer);
    match source.layer {
        Layer::Unwritten => return words.into(),
        Layer::Metadata | Layer::ProgramStore => {
            return format!(
                "{words} of {} (bytes {})",
                source.writer,
                span(
                    u32::from(first.byte),
                    u32::from(first.byte) + run.len() as u32
                )
            );
        }
        _ => {}
    }
    let ends = usize::from(first.byte) + run.len() == usize::from(source.len);
    let part = match (whole, first.byte == 0, ends) {
        (true, ..) => format!("the {words}"),
        (_, true, _) => format!("the first {} of the {words}", count_bytes(run.len())),
        (_, _, true) => format!("the last {} of the {words}", count_bytes(run.len())),
        _ => format!("{} from inside the {words}", count_bytes(run.len())),
    };
    let fields = field_values(trace, read, run);
    if fields.is_empty() {
        part
    } else {
        format!("{part} ({})", fields.join(", "))
    }
}

/// Name and hex value of each header field the bytes hold, whole or in part.
fn field_values(trace: &Trace, read: &MetadataRead, run: &Range<usize>) -> Vec<String> {
    let mut out: Vec<(&'static str, String)> = Vec::new();
    for i in run.clone() {
        let (Some((name, byte)), Some(value)) =
            (trace.sources.field(read.origins[i]), read.bytes.get(i))
        else {
            continue;
        };
        match out.last_mut() {
            Some((last, hex)) if *last == name && byte > 0 => hex.push_str(&format!("{value:02x}")),
            _ => out.push((name, format!("{value:02x}"))),
        }
    }
    out.into_iter()
        .map(|(name, hex)| format!("{name} 0x{hex}"))
        .collect()
}

fn join_and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// Where the metadata that a program wrote are at a step, and how far that is from where they are looked for.
pub(super) fn whereabouts(trace: &Trace, step: usize, looked: Option<u32>) -> Option<String> {
    let (start, bytes) = find_metadata(trace, step)?;
    let end = start + bytes.len() as u32;
    let tag = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => format!("The tag {} is", u32::from_le_bytes(four)),
        Err(_) => "The metadata are".into(),
    };
    let far = match looked {
        Some(at) if at > start => format!(", {} below", distance(start, at)),
        Some(at) if at < start => format!(", {} above", distance(start, at)),
        _ => String::new(),
    };
    Some(format!("{tag} still at {}{far}.", span(start, end)))
}

/// The longest run, from its first byte on, of what the latest metadata source wrote.
fn find_metadata(trace: &Trace, step: usize) -> Option<(u32, Vec<u8>)> {
    let mut cursor = Cursor::new(trace)?;
    cursor.go(step);
    let buffer = cursor.packet().buffer?;
    let run = |at: usize| {
        let first = buffer.origins[at];
        if trace.sources.source(first).layer != Layer::Metadata || first.byte != 0 {
            return None;
        }
        let follows =
            |(i, o): &(usize, &OriginId)| o.source == first.source && usize::from(o.byte) == *i;
        let len = buffer.origins[at..]
            .iter()
            .enumerate()
            .take_while(follows)
            .count();
        Some((first.source, len, at))
    };
    let (_, len, start) = (0..buffer.origins.len()).filter_map(run).max()?;
    let bytes = buffer.bytes.get(start..start + len)?;
    Some((start as u32, bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    #[test]
    fn garbage_names_the_gre_header_and_the_place_of_the_tag() {
        let trace = decap("mac_header");
        assert_eq!(
            explain_read(&trace, &trace.reads[0]),
            "get_tag on decap read 524288. The four bytes at 290–293 are the GRE header (flags and version 0x0000, \
             protocol 0x0800). The tag 42 is still at 252–255, 38 bytes below."
        );
    }

    #[test]
    fn a_faithful_read_names_writer_and_move() {
        let trace = decap("meta_end");
        assert_eq!(
            explain_read(&trace, &trace.reads[0]),
            "get_tag on decap read 42. The four bytes at 290–293 are the ones set_tag wrote on rx. \
             bpf_skb_meta_realign moved them there from 252–255, 38 bytes up."
        );
    }

    #[test]
    fn bytes_of_two_owners_are_told_apart() {
        let mut trace = decap("mac_header");
        let read = &mut trace.reads[0];
        read.offset = Some(288);
        read.bytes = vec![0x0a, 0x01, 0, 0];
        read.origins = [(2, 18), (2, 19), (3, 0), (3, 1)]
            .map(|(source, byte)| OriginId { source, byte })
            .to_vec();
        let text = explain_read(&trace, &trace.reads[0]);
        assert!(
            text.contains(
                "Of the four bytes read, 288–289 the last two bytes of the IPv4 header (daddr 0x0a01) and \
                 290–291 the first two bytes of the GRE header (flags and version 0x0000)."
            ),
            "{text}"
        );
    }

    #[test]
    fn a_move_towards_head_is_one_down() {
        let mut trace = decap("meta_end");
        let moved = trace.writes.iter_mut().find(|w| w.moved_from.is_some());
        moved.expect("the realignment").moved_from = Some(300);
        let said = explain_read(&trace, &trace.reads[0]);
        assert!(
            said.ends_with("moved them there from 300–303, 10 bytes down."),
            "{said}"
        );
    }

    /// As an skb extension or a map's entry: offset 0 there is not `head`.
    #[test]
    fn metadata_outside_of_the_packet_are_said_to_be() {
        let mut trace = decap("meta_end");
        (trace.reads[0].buffer, trace.reads[0].offset) = (crate::trace::BufferNo(3), Some(0));
        assert_eq!(
            explain_read(&trace, &trace.reads[0]),
            "get_tag on decap read 42. The four bytes are the ones set_tag wrote on rx. They are kept outside of the \
             packet's buffer, at 0–3 of buffer 3."
        );
        let marks = crate::scene::marks::read_marks(&trace, trace.reads[0].step, &f64::from);
        assert_eq!((marks[0].start, marks[0].end), (0, 0));
        assert_eq!(marks[0].width.to_bits(), 0f64.to_bits());
    }

    #[test]
    fn a_lost_tag_is_said_to_be_where_it_is() {
        let mut trace = decap("mac_header");
        let read = &mut trace.reads[0];
        (read.offset, read.bytes, read.origins, read.verdict) =
            (None, Vec::new(), Vec::new(), Verdict::Lost);
        assert_eq!(
            explain_read(&trace, &trace.reads[0]),
            "get_tag on decap found no metadata. The tag 42 is still at 252–255."
        );
    }

    /// As get_tag_dynptr reads 216 bytes of metadata that end at 206: it begins ten bytes below `head`.
    #[test]
    fn bytes_below_head_are_nobodys() {
        let mut trace = decap("mac_header");
        let read = &mut trace.reads[0];
        (read.offset, read.origins) = (None, vec![OriginId::default(); read.bytes.len()]);
        let text = explain_read(&trace, &trace.reads[0]);
        assert!(text.contains("The bytes lie below head"), "{text}");
        assert!(text.contains("The tag 42 is still at 252–255."), "{text}");
    }

    #[test]
    fn reads_belong_to_their_run() {
        let trace = decap("mac_header");
        assert_eq!(reads_at(&trace, trace.reads[0].step - 1).len(), 0);
        assert_eq!(reads_at(&trace, trace.reads[0].step).len(), 1);
        assert_eq!(reads_at(&trace, trace.steps.len() - 1).len(), 1);
        assert_eq!(reads_at(&trace, 0).len(), 0);
    }
}
