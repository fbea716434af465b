//! What `headroom exec` prints.

use std::fmt::Write;

use headroom_core::recording::{maps_json, reads_json};
use headroom_core::scene::explain::explain_read;
use headroom_core::stack::Executed;
use headroom_core::trace::{StepKind, Verdict};
use serde_json::json;

/// Bytes shown in one line.
const BYTES_A_LINE: usize = 16;

/// One executed instruction.
struct Line {
    /// Index in the listing.
    insn: usize,
    text: String,
    /// Registers that changed: number, value.
    changed: Vec<(usize, u64)>,
}

fn lines(done: &Executed) -> Vec<Line> {
    let trace = &done.trace;
    let mut before: Option<[u64; 11]> = None;
    let mut out = Vec::new();
    for step in &trace.steps {
        let StepKind::Insn {
            run,
            insn,
            registers,
        } = step.kind
        else {
            continue;
        };
        let (Some(run), Some(now)) = (trace.runs.get(run), trace.registers.get(registers)) else {
            continue;
        };
        let listed = run.listing.lines.get(insn);
        let old = before.unwrap_or([0; 11]);
        let changed = (0..10).filter(|n| now[*n] != old[*n]);
        // r1 is the context before the first instruction already
        let first = |n: &usize| before.is_some() || *n != 1;
        out.push(Line {
            insn,
            text: listed.map(|line| line.text.clone()).unwrap_or_default(),
            changed: changed.filter(first).map(|n| (n, now[n])).collect(),
        });
        before = Some(now);
    }
    out
}

fn verdict_name(done: &Executed, verdict: i64) -> String {
    match done.hook.verdict_name(verdict) {
        Some(name) => format!("{name} ({verdict})"),
        None => verdict.to_string(),
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Garbage => "garbage",
        Verdict::Lost => "lost",
        Verdict::Overwritten => "overwritten",
        Verdict::None => "none",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// For people.
pub(crate) fn text(done: &Executed, steps: bool) -> String {
    let mut out = String::new();
    let trace = &done.trace;
    let executed = lines(done);
    if steps {
        for line in &executed {
            let changed: Vec<String> = line
                .changed
                .iter()
                .map(|(n, value)| format!("r{n} = {}", done.value_text(*value)))
                .collect();
            let shown = format!("{:>5}: {:<44} {}", line.insn, line.text, changed.join(", "));
            let _ = writeln!(out, "{}", shown.trim_end());
        }
        out.push('\n');
    }
    if let Ok(verdict) = &done.result {
        let _ = writeln!(out, "verdict   {}", verdict_name(done, *verdict));
    }
    let _ = writeln!(out, "r0        {:#x}", done.r0);
    let _ = writeln!(
        out,
        "executed  {} instructions, {} of the prologue",
        executed.len(),
        trace.cost.prologue_instructions
    );
    dump(&mut out, "packet", &done.packet);
    dump(&mut out, "metadata", &done.metadata);
    for read in &trace.reads {
        let _ = writeln!(
            out,
            "read      {}: {}",
            word(read.verdict),
            hex(&read.bytes)
        );
        let _ = writeln!(out, "          {}", explain_read(trace, read));
    }
    for line in &trace.printk {
        let _ = writeln!(out, "printk    {line}");
    }
    for warning in &trace.warnings {
        let _ = writeln!(out, "WARNING   {warning}");
    }
    out
}

fn dump(out: &mut String, what: &str, bytes: &[u8]) {
    let _ = writeln!(out, "{what:<9} {} bytes", bytes.len());
    for (row, line) in bytes.chunks(BYTES_A_LINE).enumerate() {
        let spaced: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(out, "  {:04x}    {}", row * BYTES_A_LINE, spaced.join(" "));
    }
}

/// For programs: `headroom-exec/1`.
pub(crate) fn json(done: &Executed, steps: bool) -> serde_json::Value {
    let trace = &done.trace;
    let executed = lines(done);
    let mut out = json!({
        "schema": "headroom-exec/1",
        "program": trace.runs.first().map(|run| run.program.clone()),
        "hook": trace.runs.first().map(|run| run.hook),
        "design": trace.design,
        "verdict": done.result.as_ref().ok(),
        "verdict_name": done.result.as_ref().ok().and_then(|v| done.hook.verdict_name(*v)),
        "error": done.result.as_ref().err().map(ToString::to_string),
        "r0": format!("{:x}", done.r0),
        "instructions": executed.len(),
        "prologue_instructions": trace.cost.prologue_instructions,
        "packet": hex(&done.packet),
        "metadata": hex(&done.metadata),
        "reads": reads_json(trace),
        "printk": trace.printk,
        "maps": maps_json(&trace.maps),
        "warnings": trace.warnings,
    });
    if steps && let Some(object) = out.as_object_mut() {
        let steps: Vec<serde_json::Value> = executed
            .iter()
            .map(|line| {
                let changed: serde_json::Map<_, _> = line
                    .changed
                    .iter()
                    .map(|(n, value)| (format!("r{n}"), format!("{value:x}").into()))
                    .collect();
                json!({ "insn": line.insn, "text": line.text, "changed": changed })
            })
            .collect();
        object.insert("steps".into(), steps.into());
    }
    out
}
