//! The way of the packet: the few steps one would name when telling the story.

use std::ops::Range;

use super::changes::changes;
use super::name::{device, what};
use crate::trace::{DevRef, Edge, StepKind, Trace};

/// Why a step is a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StationKind {
    /// The packet arrives on a device.
    Device,
    /// A program runs.
    Program,
    /// `mac_header` or the place of the metadata changed.
    Change,
    /// The last function that gets the packet.
    End,
}

/// One station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Index of the step.
    pub step: usize,
    /// Why it is here.
    pub kind: StationKind,
    /// Function or program.
    pub name: String,
    /// Hook of a program, `mac_header 256 → 294` of a change; else empty.
    pub note: String,
    /// Device.
    pub dev: String,
    /// Namespace; empty for the one in which the commands start.
    pub netns: String,
}

/// The stations of a trace, in order. Each outermost call (a packet that is sent) begins anew and
/// ends with the last function that got the packet.
#[must_use]
pub fn stations(trace: &Trace) -> Vec<Station> {
    stations_in(trace, 0..trace.steps.len())
}

/// The stations of some steps of it, of which the first is an outermost call.
#[must_use]
pub fn stations_in(trace: &Trace, steps: Range<usize>) -> Vec<Station> {
    let mut out: Vec<Station> = Vec::new();
    let mut last_dev: Option<&DevRef> = None;
    let mut last_entry = None;
    let shown = trace.steps.get(steps.clone()).unwrap_or_default();
    for (index, step) in steps.zip(shown) {
        let dev = device(trace, step);
        let station = |kind, name: &str, note: String| Station {
            step: index,
            kind,
            name: name.into(),
            note,
            dev: dev.map(|dev| dev.name.clone()).unwrap_or_default(),
            netns: dev.and_then(|dev| dev.netns.clone()).unwrap_or_default(),
        };
        match &step.kind {
            StepKind::Program {
                run,
                edge: Edge::Entry,
            } => {
                let hook = trace.runs.get(*run).map_or("", |run| run.hook);
                out.push(station(
                    StationKind::Program,
                    what(trace, step),
                    hook.into(),
                ));
                last_dev = dev;
            }
            StepKind::Function { edge, .. } => {
                let entry = *edge == Edge::Entry;
                if entry && step.depth == 0 {
                    end(&mut out, last_entry.take());
                    last_dev = None;
                }
                if let Some(note) = formula_change(trace, index) {
                    out.push(station(
                        StationKind::Change,
                        &who_changed(trace, index, *edge),
                        note,
                    ));
                    last_dev = dev;
                } else if entry && dev.is_some() && dev != last_dev {
                    out.push(station(
                        StationKind::Device,
                        what(trace, step),
                        String::new(),
                    ));
                    last_dev = dev;
                }
                if entry {
                    last_entry = Some(station(StationKind::End, what(trace, step), String::new()));
                }
            }
            _ => {}
        }
    }
    end(&mut out, last_entry);
    out
}

fn end(out: &mut Vec<Station>, last: Option<Station>) {
    out.extend(last.filter(|end| out.last().is_none_or(|last| last.step < end.step)));
}

/// How far back the same packet is looked for, in steps.
const FAR: usize = 20_000;

/// `mac_header 256 → 294` when it moved between two steps of a packet that has metadata.
fn formula_change(trace: &Trace, index: usize) -> Option<String> {
    let now = trace.steps.get(index)?;
    let before = trace
        .steps
        .get(index.saturating_sub(FAR)..index)?
        .iter()
        .rev()
        .find(|s| s.skb == now.skb && s.buffer == now.buffer && s.fields.is_some())?;
    let fields = |i: Option<usize>| i.and_then(|i| trace.fields.get(i));
    let (old, new) = (fields(before.fields)?, fields(now.fields)?);
    super::zones::metadata_range(old)?;
    let change = changes(old, new)
        .into_iter()
        .find(|c| matches!(c.name, "mac_header" | "meta_end"))?;
    Some(format!("{} {} → {}", change.name, change.old, change.new))
}

/// At an exit it was that function; at an entry, the one around it.
pub(crate) fn who_changed(trace: &Trace, index: usize, edge: Edge) -> String {
    let step = &trace.steps[index];
    let around = |depth: u16| {
        trace.steps[..index].iter().rev().find(|s| {
            s.depth < depth
                && matches!(
                    s.kind,
                    StepKind::Function {
                        edge: Edge::Entry,
                        ..
                    }
                )
        })
    };
    let who = if edge == Edge::Entry {
        around(step.depth).unwrap_or(step)
    } else {
        step
    };
    what(trace, who).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::decap;

    #[test]
    fn the_story_in_four_stations() {
        let brief: Vec<_> = stations(&decap("mac_header"))
            .into_iter()
            .map(|s| format!("{:?} {} {} {}", s.kind, s.name, s.dev, s.note))
            .collect();
        assert_eq!(
            brief,
            [
                "Device veth_xdp_rcv_skb rx ",
                "Program set_tag rx xdp",
                "Change ip_tunnel_rcv decap mac_header 256 → 294",
                "Program get_tag decap ingress",
            ]
        );
    }
}
