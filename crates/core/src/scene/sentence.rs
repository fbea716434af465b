//! One sentence a step: what happened, with old and new values.

use super::changes::{FieldChange, changes};
use super::explain::{count_bytes, explain_read, reads_at, span};
use super::formula::formula_words;
use super::instruction::instruction;
use super::loss::loss_words;
use super::marks::writes_since;
use super::name::{device, what};
use crate::trace::{Edge, Outcome, Step, StepKind, Trace};

/// The entry of the function or program whose exit a step is.
#[must_use]
pub fn own_entry(trace: &Trace, step: usize) -> Option<usize> {
    let now = trace.steps.get(step)?;
    let before = trace.steps.get(..step)?;
    match &now.kind {
        StepKind::Function { name, edge: Edge::Exit, .. } => before.iter().rposition(|s| {
            s.depth == now.depth
                && matches!(&s.kind, StepKind::Function { name: n, edge: Edge::Entry, .. } if n == name)
        }),
        StepKind::Program { run, edge: Edge::Exit } => {
            before.iter().rposition(|s| matches!(&s.kind, StepKind::Program { run: r, edge: Edge::Entry } if r == run))
        }
        _ => None,
    }
}

/// A function with so much inside that its exit is no news: each thing was told when it happened.
pub(crate) fn is_wide(entry: usize, exit: usize) -> bool {
    const MOST: usize = 40;
    exit - entry > MOST
}

/// The step that a step is compared with: its own entry for the exit of a small function; the one
/// before it in the same packet for anything else.
#[must_use]
pub fn baseline(trace: &Trace, step: usize) -> Option<usize> {
    match own_entry(trace, step) {
        Some(entry) if !is_wide(entry, step) => Some(entry),
        _ => trace.before(step),
    }
}

/// What changed in the fields since the baseline.
#[must_use]
pub fn changes_at(trace: &Trace, step: usize) -> Vec<FieldChange> {
    let fields = |index: usize| {
        trace
            .steps
            .get(index)
            .and_then(|s| s.fields)
            .and_then(|i| trace.fields.get(i))
    };
    match (baseline(trace, step).and_then(fields), fields(step)) {
        (Some(before), Some(now)) => changes(before, now),
        _ => Vec::new(),
    }
}

/// Joins what a function or program did itself.
const ITSELF: &str = ". It changed ";

/// The sentence of a step; two or three where there is a reason.
#[must_use]
pub fn sentence(trace: &Trace, step: usize) -> String {
    let Some(now) = trace.steps.get(step) else {
        return String::new();
    };
    let name = what(trace, now);
    let on = device(trace, now)
        .map(|dev| format!(" on {}", dev.name))
        .unwrap_or_default();
    match &now.kind {
        StepKind::Function {
            edge: Edge::Entry, ..
        } => finish(trace, step, format!("{name} starts{on}"), ": "),
        StepKind::Function {
            edge: Edge::Exit, ..
        } => {
            let returned = returned(now);
            // What happened in calls inside is not the function's own doing.
            let inside = own_entry(trace, step).is_some_and(|entry| {
                trace.steps[entry + 1..step]
                    .iter()
                    .any(|s| !matches!(s.kind, StepKind::Insn { .. }))
            });
            let joint = if inside {
                ". Since its start: "
            } else {
                ITSELF
            };
            let gone = if now.freed {
                "; the packet it was given is gone"
            } else {
                ""
            };
            finish(
                trace,
                step,
                format!("{name} returns{returned}{on}{gone}"),
                joint,
            )
        }
        StepKind::Program {
            run,
            edge: Edge::Entry,
        } => {
            let hook = trace.runs.get(*run).map_or("", |run| hook_words(run.hook));
            finish(trace, step, format!("{name} ({hook}) starts{on}"), ": ")
        }
        StepKind::Program {
            run,
            edge: Edge::Exit,
        } => program_exit(trace, step, *run, name, &on),
        StepKind::Insn {
            run,
            insn,
            registers,
        } => instruction(trace, step, (*run, *insn, *registers)),
        StepKind::EndOfLife { drop_reason, .. } => match drop_reason {
            Some(reason) => format!("{name}{on}: the packet is dropped, reason {reason}."),
            None => format!("{name}{on}: the packet is used up and released."),
        },
    }
}

fn returned(step: &Step) -> String {
    match step.outcome {
        Outcome::None => String::new(),
        Outcome::Ret(value) => format!(" {value}"),
        Outcome::RetSkb(Some(skb)) => format!(" packet {}", skb.0),
        Outcome::RetSkb(None) => " NULL".into(),
    }
}

fn hook_words(hook: &str) -> &str {
    match hook {
        "xdp" => "XDP",
        "ingress" => "TC ingress",
        "egress" => "TC egress",
        "prerouting" => "netfilter PRE_ROUTING",
        "input" => "netfilter LOCAL_IN",
        "forward" => "netfilter FORWARD",
        "output" => "netfilter LOCAL_OUT",
        "postrouting" => "netfilter POST_ROUTING",
        "cgroup_ingress" => "cgroup ingress",
        "cgroup_egress" => "cgroup egress",
        "socket" => "socket filter",
        "lwt_in" => "LWT in",
        "lwt_out" => "LWT out",
        "lwt_xmit" => "LWT xmit",
        other => other,
    }
}

/// Name of a verdict, such as `XDP_PASS`.
#[must_use]
pub fn verdict_name(hook: &str, value: i64) -> String {
    let name = match (hook, value) {
        ("xdp", 0) => "XDP_ABORTED",
        ("xdp", 1) => "XDP_DROP",
        ("xdp", 2) => "XDP_PASS",
        ("xdp", 3) => "XDP_TX",
        ("xdp", 4) => "XDP_REDIRECT",
        ("prerouting" | "input" | "forward" | "output" | "postrouting", 0) => "NF_DROP",
        ("prerouting" | "input" | "forward" | "output" | "postrouting", 1) => "NF_ACCEPT",
        ("lwt_in" | "lwt_out" | "lwt_xmit", 0) => "BPF_OK",
        ("lwt_in" | "lwt_out" | "lwt_xmit", 2) => "BPF_DROP",
        ("lwt_in" | "lwt_out" | "lwt_xmit", 7) => "BPF_REDIRECT",
        ("lwt_in" | "lwt_out", 128) => "BPF_LWT_REROUTE",
        // numbers: bytes that are kept, bits that are set
        ("socket" | "cgroup_ingress" | "cgroup_egress", value) => return value.to_string(),
        (_, -1) => "TCX_NEXT",
        (_, 0) => "TCX_PASS",
        (_, 2) => "TCX_DROP",
        (_, 7) => "TCX_REDIRECT",
        _ => return value.to_string(),
    };
    name.into()
}

fn program_exit(trace: &Trace, step: usize, run: usize, name: &str, on: &str) -> String {
    let reads: Vec<String> = reads_at(trace, step)
        .into_iter()
        .map(|read| explain_read(trace, read))
        .collect();
    if !reads.is_empty() {
        return reads.join(" ");
    }
    let verdict = match (
        trace.runs.get(run),
        trace.steps.get(step).map(|s| s.outcome),
    ) {
        (Some(run), Some(Outcome::Ret(value))) => {
            format!(" returns {}", verdict_name(run.hook, value))
        }
        _ => " ends".into(),
    };
    finish(trace, step, format!("{name}{on}{verdict}"), ITSELF)
}

/// Adds what changed to the front of a sentence.
fn finish(trace: &Trace, step: usize, front: String, joint: &str) -> String {
    let changed = changes_at(trace, step);
    let bytes = byte_words(trace, step, joint == ITSELF);
    let mut text = front;
    let fields: Vec<String> = changed
        .iter()
        .filter(|c| c.name != "metadata")
        .map(|c| format!("{} {} → {}", c.name, c.old, c.new))
        .collect();
    if !fields.is_empty() {
        text.push_str(joint);
        text.push_str(&list(&fields));
    }
    text.push('.');
    text.push_str(&bytes);
    let formula = changed.iter().find(|c| c.name == "metadata");
    text.push_str(&formula_words(trace, step, formula, bytes.is_empty()));
    text.push_str(&loss_words(trace, step));
    text
}

/// ` It wrote four bytes at 252–255: 2a 00 00 00.` Passive when it was not the function itself.
pub(super) fn byte_words(trace: &Trace, step: usize, itself: bool) -> String {
    let mut out = String::new();
    for write in writes_since(trace, step).take(4) {
        let len = write.new.len();
        let (place, count) = (
            span(write.offset, write.offset + len as u32),
            count_bytes(len),
        );
        let were = if len == 1 { "was" } else { "were" };
        let what = match (write.moved_from, itself) {
            (Some(from), true) => format!(
                "It moved {count} from {} to {place}",
                span(from, from + len as u32)
            ),
            (Some(from), false) => format!(
                "{} {were} moved from {} to {place}",
                capital(&count),
                span(from, from + len as u32)
            ),
            (None, true) => format!("It wrote {count} at {place}"),
            (None, false) => format!("{} {were} written at {place}", capital(&count)),
        };
        let hex: Vec<String> = write
            .new
            .iter()
            .map(|(byte, _)| format!("{byte:02x}"))
            .collect();
        let shown = write.moved_from.is_none() && len <= 8;
        let bytes = if shown {
            format!(": {}", hex.join(" "))
        } else {
            String::new()
        };
        out.push_str(&format!(" {what}{bytes}."));
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

fn list(parts: &[String]) -> String {
    const MOST: usize = 4;
    match parts.len() {
        0 => String::new(),
        1 => parts[0].clone(),
        n if n <= MOST => format!("{} and {}", parts[..n - 1].join(", "), parts[n - 1]),
        n => format!(
            "{} and {} more fields",
            parts[..MOST - 1].join(", "),
            n - MOST + 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{decap, step_at};

    fn said(design: &str, step: &str) -> String {
        let trace = decap(design);
        sentence(&trace, step_at(&trace, step))
    }

    #[test]
    fn a_program_that_writes() {
        assert_eq!(
            said("mac_header", "set_tag.exit@rx#1"),
            "set_tag on rx returns XDP_PASS. It changed data_meta 256 → 252. It wrote four bytes at 252–255: 2a 00 00 00. \
             The metadata are at 252–255."
        );
    }

    #[test]
    fn a_pull() {
        assert_eq!(
            said("mac_header", "__iptunnel_pull_header.exit@rx#1"),
            "__iptunnel_pull_header returns 0 on rx. It changed data 290 → 294 and len 40 → 36."
        );
    }

    #[test]
    fn the_moment_the_formula_leaves_the_tag() {
        assert_eq!(
            said("mac_header", "ip_tunnel_rcv.exit@decap#1"),
            "ip_tunnel_rcv returns 0 on decap. It changed mac_header 256 → 294. \
             The formula for the metadata now gives 290–293 and no longer 252–255; no byte moved."
        );
        assert_eq!(
            said("meta_end", "ip_tunnel_rcv.exit@decap#1"),
            "ip_tunnel_rcv returns 0 on decap. It changed mac_header 256 → 294. \
             The metadata stay at 252–255, with a gap of 38 bytes behind them."
        );
    }

    #[test]
    fn a_move() {
        assert_eq!(
            said("meta_end", "bpf_skb_meta_realign.exit@decap#1"),
            "bpf_skb_meta_realign returns 0 on decap. It changed meta_end 256 → 294. It moved four bytes from 252–255 to \
             290–293. The metadata are at 290–293 and no longer at 252–255."
        );
    }

    #[test]
    fn nothing_is_said_of_a_step_that_is_not_there() {
        assert_eq!(sentence(&decap("mac_header"), 10_000), "");
    }
}
