//! What `headroom exec` prints.

use std::fmt::Write;

use headroom_core::recording::{maps_json, reads_json};
use headroom_core::scene::explain::explain_read;
use headroom_core::stack::Executed;
use headroom_core::stepping::{Place, Stepper, Why};
use headroom_core::trace::Verdict;
use serde_json::json;

use crate::colour::Paint;

/// Bytes shown in one line.
const BYTES_A_LINE: usize = 16;

/// One executed instruction.
struct Line {
    /// Index in the listing.
    insn: usize,
    text: String,
    /// Line of C, if the object has line info and it is another one than before.
    c_line: Option<(u32, String)>,
    /// Registers that changed: number, value, what it is.
    changed: Vec<(usize, u64, Place)>,
    /// What it stored on the stack or in a map value: place, bytes.
    stores: Vec<(Place, String)>,
    /// Why a branch went where it went.
    why: Option<Why>,
}

/// All runs, the first one and those that it caused, instruction by instruction.
fn lines(done: &Executed) -> Vec<Line> {
    let trace = &done.trace;
    let mut out = Vec::new();
    for run in 0..trace.runs.len() {
        let Some(mut stepper) = Stepper::new(trace, run) else {
            continue;
        };
        let mut c_line = None;
        loop {
            out.push(line(&stepper, &mut c_line));
            if !stepper.step_into() {
                break;
            }
        }
    }
    out
}

fn line(stepper: &Stepper<'_>, c_line: &mut Option<u32>) -> Line {
    let after = stepper.after();
    let place = |number: usize| (number, after[number], stepper.place(after[number]));
    let here = stepper.c_line();
    let new = here.filter(|(number, _)| *c_line != Some(*number));
    *c_line = here.map(|(number, _)| number).or(*c_line);
    let stores = stepper.stores();
    Line {
        insn: stepper.insn(),
        text: stepper.line().map(|l| l.text.clone()).unwrap_or_default(),
        c_line: new.map(|(number, text)| (number, text.trim().to_owned())),
        changed: stepper.changed().into_iter().map(place).collect(),
        stores: stores
            .map(|store| (stepper.place(store.address), hex(store.bytes)))
            .collect(),
        why: stepper.why(),
    }
}

impl Line {
    /// What it did, in words.
    fn did(&self) -> String {
        let changed = self.changed.iter();
        let changed = changed.map(|(n, _, place)| format!("r{n} = {place}"));
        let stores = self.stores.iter();
        let stores = stores.map(|(place, bytes)| format!("[{place}] = {bytes}"));
        let why = self.why.iter().map(ToString::to_string);
        changed
            .chain(stores)
            .chain(why)
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn json(&self) -> serde_json::Value {
        let changed = self.changed.iter();
        let values: serde_json::Map<_, _> = changed
            .clone()
            .map(|(n, value, _)| (format!("r{n}"), format!("{value:x}").into()))
            .collect();
        let places: serde_json::Map<_, _> = changed
            .map(|(n, _, place)| (format!("r{n}"), place.to_string().into()))
            .collect();
        let stores: Vec<_> = self
            .stores
            .iter()
            .map(|(place, bytes)| json!({ "at": place.to_string(), "bytes": bytes }))
            .collect();
        json!({
            "insn": self.insn,
            "text": self.text,
            "c_line": self.c_line.as_ref().map(|(number, _)| number),
            "changed": values,
            "places": places,
            "stores": stores,
            "taken": self.why.as_ref().map(|why| why.taken),
            "why": self.why.as_ref().map(ToString::to_string),
        })
    }
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
pub(crate) fn text(done: &Executed, steps: bool, paint: Paint) -> String {
    let mut out = String::new();
    let trace = &done.trace;
    let executed = lines(done);
    if steps {
        for line in &executed {
            if let Some((number, text)) = &line.c_line {
                let _ = writeln!(out, "{}", paint.aside(format!("       ; {number}: {text}")));
            }
            let did = line.did();
            let number = paint.aside(format!("{:>5}:", line.insn));
            let _ = match did.is_empty() {
                true => writeln!(out, "{number} {}", line.text),
                false => writeln!(out, "{number} {:<44} {}", line.text, paint.effect(did)),
            };
        }
        out.push('\n');
    }
    if let Ok(verdict) = &done.result {
        let _ = writeln!(
            out,
            "verdict   {}",
            paint.head(verdict_name(done, *verdict))
        );
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
            paint.verdict(read.verdict, word(read.verdict)),
            hex(&read.bytes)
        );
        let _ = writeln!(out, "          {}", explain_read(trace, read));
    }
    for line in &trace.printk {
        let _ = writeln!(out, "printk    {line}");
    }
    for warning in &trace.warnings {
        let _ = writeln!(out, "{}   {warning}", paint.warning("WARNING"));
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
        let steps: Vec<_> = executed.iter().map(Line::json).collect();
        object.insert("steps".into(), steps.into());
    }
    out
}
