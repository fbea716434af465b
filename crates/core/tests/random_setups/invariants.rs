//! What holds of every trace.

use headroom_core::trace::{
    BufferNo, ByteWrite, Cursor, Edge, OriginId, PacketFields, SkbFields, StepKind, Trace,
    XdpFields,
};
use std::collections::BTreeMap;

/// What does not hold, one line each.
pub fn broken(trace: &Trace, whole: bool) -> Vec<String> {
    let mut out = Vec::new();
    for (at, step) in trace.steps.iter().enumerate() {
        let fields = step.fields.map(|index| &trace.fields[index]);
        let wrong = match fields {
            Some(PacketFields::Skb(skb)) => skb_wrong(skb),
            Some(PacketFields::Xdp(xdp)) => xdp_wrong(xdp),
            None => None,
        };
        out.extend(wrong.map(|what| format!("step {at} ({:?}): {what}: {fields:?}", step.kind)));
    }
    out.extend(functions_nest(trace, whole));
    out.extend(moves_conserve(&trace.writes));
    out.extend(replays(trace));
    out
}

/// 0 ≤ head ≤ data ≤ tail ≤ end, and headers are in the buffer or not set.
fn skb_wrong(skb: &SkbFields) -> Option<String> {
    let ordered = skb.data <= skb.tail && skb.tail <= skb.end;
    if !ordered {
        return Some("data, tail and end are not in order".into());
    }
    if skb.len.checked_sub(skb.data_len) != Some(skb.tail - skb.data) {
        return Some("len is not what lies between data and tail".into());
    }
    let headers = [
        ("mac_header", skb.mac_header),
        ("network_header", skb.network_header),
        ("transport_header", skb.transport_header),
        ("inner_mac_header", skb.inner_mac_header),
        ("inner_network_header", skb.inner_network_header),
    ];
    for (name, offset) in headers {
        if offset.is_some_and(|offset| offset > skb.end) {
            return Some(format!("{name} is behind the end"));
        }
    }
    match (skb.meta.start, skb.meta.end) {
        (Some(start), Some(end)) if start + skb.meta.len != end => Some("metadata length".into()),
        _ => None,
    }
}

fn xdp_wrong(xdp: &XdpFields) -> Option<String> {
    let ordered = xdp.data_meta <= xdp.data && xdp.data <= xdp.data_end;
    (!ordered || xdp.data_end > xdp.frame_sz).then(|| "XDP pointers are not in order".into())
}

/// Each exit is that of the function entered last.
fn functions_nest(trace: &Trace, whole: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut open: Vec<(String, u16)> = Vec::new();
    for (at, step) in trace.steps.iter().enumerate() {
        let (name, edge) = match &step.kind {
            StepKind::Function { name, edge, .. } => ((*name).to_owned(), *edge),
            StepKind::Program { run, edge } => (trace.runs[*run].program.clone(), *edge),
            _ => continue,
        };
        if edge == Edge::Entry {
            open.push((name, step.depth));
        } else if open.pop() != Some((name.clone(), step.depth)) {
            out.push(format!(
                "step {at}: {name} ends and was not the last to begin"
            ));
        }
    }
    if whole && !open.is_empty() {
        out.push(format!("never left: {open:?}"));
    }
    out
}

type Cells = Vec<(u8, OriginId)>;

/// A move or copy leaves at its target what was at its source, origins included; and what a write says was there before,
/// was there.
fn moves_conserve(writes: &[ByteWrite]) -> Vec<String> {
    let mut out = Vec::new();
    let mut buffers: BTreeMap<BufferNo, Cells> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        let start = write.offset as usize;
        let source = match (write.moved_from, write.copied_from) {
            (Some(from), _) => Some((write.buffer, from)),
            (None, from) => from,
        };
        if let Some((buffer, from)) = source {
            let from = from as usize;
            let before = buffers
                .get(&buffer)
                .and_then(|cells| cells.get(from..from + write.new.len()));
            if before != Some(&write.new[..]) {
                out.push(format!(
                    "write {at}: what was moved is not what was there: {write:?}"
                ));
            }
        }
        if write.old.is_empty() {
            buffers.insert(write.buffer, write.new.clone());
            continue;
        }
        let Some(place) = buffers
            .get_mut(&write.buffer)
            .and_then(|cells| cells.get_mut(start..start + write.new.len()))
        else {
            out.push(format!("write {at} is outside of its buffer"));
            continue;
        };
        if place != &write.old[..] {
            out.push(format!("write {at}: not what was there before"));
        }
        place.copy_from_slice(&write.new);
    }
    out
}

/// Buffers at a step are the same from the front, from the back, and from the nearest snapshot.
fn replays(trace: &Trace) -> Vec<String> {
    let mut out = Vec::new();
    let Some(mut forward) = Cursor::new(trace) else {
        return out;
    };
    let last = trace.steps.len() - 1;
    let mut kept = Vec::new();
    for at in (0..=last).step_by(1 + last / 8) {
        forward.go(at);
        kept.push((at, forward.memory().clone()));
    }
    forward.go(last);
    for (at, memory) in kept.iter().rev() {
        forward.go(*at);
        if forward.memory() != memory {
            out.push(format!("step {at} differs when one comes from behind"));
        }
        let mut fresh = Cursor::new(trace).expect("steps");
        fresh.go(*at);
        if fresh.memory() != memory {
            out.push(format!("step {at} differs when one goes there at once"));
        }
    }
    out
}
