//! `headroom run --why`: the chain behind each read, and the rule behind each change.

use std::fmt::Write;

use headroom_core::scene::explain::explain_read;
use headroom_core::scene::names;
use headroom_core::trace::Trace;
use headroom_core::why::{all_changes, lines, writes_at};

/// The chain behind each wrong read, design by design.
pub(crate) fn chains(traces: &[Trace]) -> String {
    let mut out = String::new();
    for trace in traces {
        let names = names(trace);
        for read in trace.reads.iter().filter(|read| read.verdict.is_wrong()) {
            let _ = writeln!(
                out,
                "\nwhy · {} · {}",
                trace.design,
                explain_read(trace, read)
            );
            for line in lines(trace, &names, read) {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    out
}

/// `why` of the JSON: the chain of every read, and the rule behind every change, by step name.
pub(crate) fn json(trace: &Trace) -> serde_json::Value {
    let names = names(trace);
    let reads: Vec<_> = trace
        .reads
        .iter()
        .map(|read| lines(trace, &names, read))
        .collect();
    let rules = all_changes(trace);
    let changes: Vec<_> = (0..trace.steps.len())
        .filter_map(|step| {
            let fields: Vec<_> = rules
                .get(&step)
                .into_iter()
                .flatten()
                .map(|ruled| {
                    let change = &ruled.change;
                    serde_json::json!({
                        "field": change.name, "old": change.old, "new": change.new,
                        "rule": ruled.rule, "by": ruled.actor.to_string(),
                    })
                })
                .collect();
            let writes = writes_at(trace, step);
            let step = names.get(step)?.to_string();
            let any = !fields.is_empty() || !writes.is_empty();
            any.then(|| serde_json::json!({"step": step, "fields": fields, "writes": writes}))
        })
        .collect();
    serde_json::json!({"reads": reads, "changes": changes})
}
