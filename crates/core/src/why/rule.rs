//! Which function and which operation stands behind a change of fields or bytes at a step.
//!
//! A step shows the packet at the entry or exit of a function. What differs from the step before was done by the
//! code that ran in between: at an exit the function that ends, at an entry its caller.

use std::collections::BTreeMap;
use std::fmt;

use super::chain::place_of;
use crate::scene::changes::{FieldChange, changes};
use crate::scene::explain::span;
use crate::trace::{Edge, PacketFields, SkbFields, StepKind, Trace};

/// Whose code did something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// Kernel function or program.
    pub function: String,
    /// Source file below the kernel tree; empty for a program, or when the caller is not traced.
    pub file: &'static str,
    /// Device of the packet.
    pub dev: String,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.function.is_empty() {
            return f.write_str("the kernel");
        }
        f.write_str(&self.function)?;
        if !self.file.is_empty() {
            write!(f, " ({})", self.file)?;
        }
        if !self.dev.is_empty() {
            write!(f, " on {}", self.dev)?;
        }
        Ok(())
    }
}

/// A changed field, with the rule behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// Name, old and new value.
    pub change: FieldChange,
    /// The operation, such as `skb_reset_mac_header: mac_header = data`.
    pub rule: String,
    /// Who carried it out.
    pub actor: Actor,
}

/// For each step of a trace: whose code runs behind it, until the next step.
#[must_use]
pub fn actors(trace: &Trace) -> Vec<Actor> {
    let mut open: Vec<Actor> = Vec::new();
    let mut out = Vec::with_capacity(trace.steps.len());
    for (index, step) in trace.steps.iter().enumerate() {
        let depth = usize::from(step.depth);
        open.truncate(depth);
        let entry = matches!(
            step.kind,
            StepKind::Function {
                edge: Edge::Entry,
                ..
            } | StepKind::Program {
                edge: Edge::Entry,
                ..
            }
        );
        if entry {
            let (function, dev) = place_of(trace, index);
            let file = match step.kind {
                StepKind::Function { file, .. } => file,
                _ => "",
            };
            open.resize(depth, Actor::default());
            open.push(Actor {
                function,
                file,
                dev,
            });
        }
        out.push(open.last().cloned().unwrap_or_default());
    }
    out
}

/// Who did what is new at `step`, if `before` is the last step that still showed the old state.
fn doer(actors: &[Actor], before: usize) -> Actor {
    actors.get(before).cloned().unwrap_or_default()
}

/// The fields that are new at a step, each with its rule. Compared with the last step that showed the same packet.
#[must_use]
pub fn changes_at(trace: &Trace, step: usize) -> Vec<Ruled> {
    let Some(now) = fields_of(trace, step) else {
        return Vec::new();
    };
    let Some((at, before)) = before(trace, step) else {
        return Vec::new();
    };
    ruled(before, now, &doer(&actors(trace), at))
}

/// As [`changes_at`], for every step that changes a field: step → changes.
#[must_use]
pub fn all_changes(trace: &Trace) -> BTreeMap<usize, Vec<Ruled>> {
    let actors = actors(trace);
    let mut out = BTreeMap::new();
    for index in 0..trace.steps.len() {
        let Some(now) = fields_of(trace, index) else {
            continue;
        };
        if let Some((at, before)) = before(trace, index)
            && before != now
        {
            let changes = ruled(before, now, &doer(&actors, at));
            if !changes.is_empty() {
                out.insert(index, changes);
            }
        }
    }
    out
}

fn fields_of(trace: &Trace, step: usize) -> Option<&PacketFields> {
    trace.fields.get(trace.steps.get(step)?.fields?)
}

/// The step before in the same packet, and its fields.
fn before(trace: &Trace, step: usize) -> Option<(usize, &PacketFields)> {
    let at = trace.before(step)?;
    Some((at, fields_of(trace, at)?))
}

fn ruled(before: &PacketFields, now: &PacketFields, actor: &Actor) -> Vec<Ruled> {
    let one = |change: FieldChange| Ruled {
        rule: rule_of(before, now, &change),
        change,
        actor: actor.clone(),
    };
    changes(before, now).into_iter().map(one).collect()
}

/// The byte writes of a step in words: whose bytes went where.
#[must_use]
pub fn writes_at(trace: &Trace, step: usize) -> Vec<String> {
    let Some(step) = trace.steps.get(step) else {
        return Vec::new();
    };
    let writes = trace.writes.get(step.writes.clone()).unwrap_or_default();
    let line = |write: &crate::trace::ByteWrite| {
        let len = write.new.len() as u32;
        let to = span(write.offset, write.offset + len);
        let buffer = write.buffer.0;
        if write.old.is_empty() {
            return format!("buffer {buffer}: allocated, {len} bytes");
        }
        match (write.moved_from, write.copied_from, write.new.first()) {
            (Some(from), ..) => {
                format!(
                    "buffer {buffer}: {to} memmove from {}",
                    span(from, from + len)
                )
            }
            (_, Some((other, from)), _) => format!(
                "buffer {buffer}: {to} memcpy from {} of buffer {}",
                span(from, from + len),
                other.0
            ),
            (_, _, Some((_, origin))) => {
                let source = trace.sources.source(*origin);
                format!(
                    "buffer {buffer}: {to} {}, written by {}",
                    source.label, source.writer
                )
            }
            _ => format!("buffer {buffer}: {to}"),
        }
    };
    writes.iter().map(line).collect()
}

/// The operation of `include/linux/skbuff.h` that makes the new value out of the old ones.
fn rule_of(before: &PacketFields, now: &PacketFields, change: &FieldChange) -> String {
    match (before, now) {
        (PacketFields::Skb(old), PacketFields::Skb(new)) => skb_rule(old, new, change.name),
        (PacketFields::Xdp(old), PacketFields::Xdp(new)) => match change.name {
            "data_meta" | "metadata" if old.data == new.data => {
                "bpf_xdp_adjust_meta: data_meta += delta".into()
            }
            "data_meta" | "metadata" | "data" => {
                "bpf_xdp_adjust_head: data and data_meta += delta, the metadata are carried along"
                    .into()
            }
            "data_end" => "bpf_xdp_adjust_tail: data_end += delta".into(),
            _ => "assigned".into(),
        },
        _ => "another kind of packet".into(),
    }
}

fn skb_rule(old: &SkbFields, new: &SkbFields, name: &str) -> String {
    let data = i64::from(new.data) - i64::from(old.data);
    let len = i64::from(new.len) - i64::from(old.len);
    let shift = |now: Option<u32>, before: Option<u32>| {
        Some(i64::from(now?) - i64::from(before?)).filter(|by| *by == data && data != 0)
    };
    let reset = |what: &str| format!("skb_reset_{what}: {what} = data");
    let header = |what: &'static str, now: Option<u32>, before: Option<u32>| match now {
        None => format!("skb_unset_{what}: {what} is not set"),
        Some(now) if now == new.data => reset(what),
        _ if shift(new.network_header, old.network_header).is_some()
            && shift(now, before).is_some() =>
        {
            format!("skb_headers_offset_update: all headers {data:+}")
        }
        Some(now) if Some(now) == new.network_header => format!("{what} = network_header"),
        Some(_) => format!("skb_set_{what}"),
    };
    match name {
        "metadata" | "meta_len" => metadata_rule(old, new),
        "meta_end" => {
            "meta_end: skb_metadata_set records the headroom; moves and expansion add to it".into()
        }
        "data" | "len" if data + len == 0 && data > 0 => {
            format!("skb_pull: data +{data}, len -{data}")
        }
        "data" | "len" if data + len == 0 && data < 0 => {
            format!("skb_push: data {data}, len +{}", -data)
        }
        "data" if len == 0 => format!("new head or reserve: data {data:+}, same length"),
        "tail" | "len" if data == 0 && len > 0 => format!("skb_put: tail and len +{len}"),
        "tail" | "len" if data == 0 && len < 0 => format!("skb_trim: tail and len {len}"),
        "data" | "len" => format!("several pulls and pushes: data {data:+}, len {len:+}"),
        "tail" => "the packet's content lies elsewhere in the buffer".into(),
        "mac_header" => header("mac_header", new.mac_header, old.mac_header),
        "network_header" => header("network_header", new.network_header, old.network_header),
        "transport_header" => header(
            "transport_header",
            new.transport_header,
            old.transport_header,
        ),
        "inner_mac_header" | "inner_network_header" => {
            "skb_reset_inner_headers, or headers_offset_update".into()
        }
        "mac_len" => "skb_reset_mac_len: mac_len = network_header - mac_header".into(),
        "protocol" => "skb->protocol: the next header's type".into(),
        "pkt_type" => {
            "skb->pkt_type: eth_type_trans compares the destination with the device".into()
        }
        "vlan_present" | "vlan_tci" | "vlan_proto" if new.vlan_present => {
            "__vlan_hwaccel_put_tag: the tag goes beside the packet".into()
        }
        "vlan_present" | "vlan_tci" | "vlan_proto" => "__vlan_hwaccel_clear_tag".into(),
        "cloned" | "dataref" if new.dataref > old.dataref => {
            "skb_clone: another packet shares the buffer".into()
        }
        "cloned" | "dataref" => {
            "a sharer of the buffer is gone, or the packet has one of its own".into()
        }
        "users" => "skb_get or skb_unref".into(),
        "end" => "pskb_expand_head or a copy: another buffer".into(),
        "encapsulation" => "skb->encapsulation: inner headers are valid or not".into(),
        "ip_summed" => "the checksum was verified, or is left to the device".into(),
        other => format!("{other} assigned"),
    }
}

/// Why the place of the metadata, by the design's formula, is another one.
fn metadata_rule(old: &SkbFields, new: &SkbFields) -> String {
    let by_field = new.meta_end.is_some();
    match (old.meta.len, new.meta.len) {
        (0, len) if len > 0 => format!("skb_metadata_set: {len} bytes"),
        (_, 0) => "skb_metadata_clear: length 0".into(),
        _ if by_field => "the end follows meta_end".into(),
        _ if new.meta.end == new.mac_header && old.mac_header != new.mac_header => {
            "the end follows mac_header, by the design's formula".into()
        }
        _ => "by the design's formula".into(),
    }
}
