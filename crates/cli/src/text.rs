//! A trace as text: the path, the buffer before and after each change, and what was read.

use std::fmt::Write;

use headroom_core::scene::explain::{explain_read, span};
use headroom_core::scene::regions::regions;
use headroom_core::scene::sentence::sentence;
use headroom_core::scene::zones::zones;
use headroom_core::simulate::Input;
use headroom_core::trace::{Cursor, DevRef, MetadataRead, StepKind, Trace};
use headroom_core::why::{Ruled, all_changes, writes_at};

use crate::colour::Paint;

/// Bytes shown in one line.
const BYTES_A_LINE: usize = 16;

/// One run from its first step to its last.
pub(crate) fn story(
    input: &Input,
    trace: &Trace,
    instructions: bool,
    why: bool,
    paint: Paint,
) -> String {
    let mut out = String::new();
    let title = format!("{} · design {}", trace.scenario, trace.design);
    let _ = writeln!(out, "{}\n", paint.head(title));
    for (number, line) in &input.skipped {
        let _ = writeln!(out, "line {number} is no command, skipped: {line}");
    }
    let Some(mut cursor) = Cursor::new(trace) else {
        let _ = writeln!(out, "no packet was sent");
        return out;
    };
    let mut buffer = String::new();
    let rules = if why {
        all_changes(trace)
    } else {
        Default::default()
    };
    for index in 0..trace.steps.len() {
        if matches!(trace.steps[index].kind, StepKind::Insn { .. }) && !instructions {
            continue;
        }
        cursor.go(index);
        let indent = "  ".repeat(usize::from(trace.steps[index].depth));
        let number = paint.aside(format!("{index:>5}"));
        let _ = writeln!(out, "{number} {indent}{}", sentence(trace, index));
        if why {
            for line in why_lines(trace, rules.get(&index), index) {
                let _ = writeln!(out, "      {indent}  {}", paint.aside(format!("· {line}")));
            }
        }
        let now = picture(trace, &cursor);
        // what was the buffer after the last change is the buffer before this one
        if !now.is_empty() && now != buffer {
            for line in now.lines() {
                let _ = writeln!(out, "      {indent}  {}", paint.aside(line));
            }
            buffer = now;
        }
    }
    out.push('\n');
    out
}

/// What is new at a step: fields with the rule behind them, and byte writes.
fn why_lines(trace: &Trace, rules: Option<&Vec<Ruled>>, step: usize) -> Vec<String> {
    let field = |ruled: &Ruled| {
        let change = &ruled.change;
        format!(
            "{} {} → {}: {}; {}",
            change.name, change.old, change.new, ruled.rule, ruled.actor
        )
    };
    let mut lines: Vec<String> = rules.into_iter().flatten().map(field).collect();
    lines.extend(writes_at(trace, step));
    lines
}

/// The buffer in lines: zones by the fields, then each run of bytes with its origin.
fn picture(trace: &Trace, cursor: &Cursor<'_>) -> String {
    let view = cursor.packet();
    let (Some(fields), Some(buffer)) = (view.fields, view.buffer) else {
        return String::new();
    };
    let mut out = String::new();
    let parts: Vec<_> = zones(fields)
        .iter()
        .map(|zone| format!("{} {}", zone.kind.word(), span(zone.start, zone.end)))
        .collect();
    let _ = writeln!(out, "| {} |", parts.join(" | "));
    for region in regions(trace, &view) {
        let bytes = buffer
            .bytes
            .get(region.start as usize..region.end as usize)
            .unwrap_or_default();
        if bytes.iter().all(|byte| *byte == 0) && bytes.len() > BYTES_A_LINE {
            continue;
        }
        let place = span(region.start, region.end);
        let shown: Vec<String> = bytes.chunks(BYTES_A_LINE).map(hex).collect();
        let mut rest = shown.iter();
        let first = rest.next().map_or("", String::as_str);
        let _ = writeln!(out, "{place:>9}  {first:<48} {}", region.label);
        for more in rest {
            let _ = writeln!(out, "{:>9}  {more}", "");
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02x} "))
        .collect::<String>()
        .trim_end()
        .into()
}

/// What was read, design by design: the value of each reader, and the sentence behind it.
pub(crate) fn summary(traces: &[Trace], paint: Paint) -> String {
    let mut out = String::new();
    for trace in traces {
        let _ = writeln!(out, "{}", paint.head(&trace.design));
        for read in &trace.reads {
            let _ = writeln!(
                out,
                "  {}: {}",
                place(&read.dev),
                paint.verdict(read.verdict, value(read))
            );
            let _ = writeln!(out, "    {}", explain_read(trace, read));
            for (byte, origin) in (read.offset.unwrap_or(0)..).zip(&read.origins) {
                let source = trace.sources.source(*origin);
                let on = source
                    .dev
                    .as_ref()
                    .map(|dev| format!(" on {}", place(dev)))
                    .unwrap_or_default();
                let what = trace.sources.describe(*origin);
                let hex = read
                    .bytes
                    .get((byte - read.offset.unwrap_or(0)) as usize)
                    .copied()
                    .unwrap_or(0);
                let _ = writeln!(
                    out,
                    "    {byte:>5}  {hex:02x}  {what}; written by {}{on}",
                    source.writer
                );
            }
        }
        for line in &trace.printk {
            let _ = writeln!(out, "  bpf_trace_printk: {line}");
        }
        for warning in &trace.warnings {
            let _ = writeln!(out, "  {}: {warning}", paint.warning("WARNING"));
        }
    }
    out
}

fn place(dev: &DevRef) -> String {
    match &dev.netns {
        Some(netns) => format!("{} (netns {netns})", dev.name),
        None => dev.name.clone(),
    }
}

fn value(read: &MetadataRead) -> String {
    match (read.value(), read.bytes.len()) {
        (Some(value), 4) => value.to_string(),
        (_, 0) => "no metadata".into(),
        _ => hex(&read.bytes),
    }
}
