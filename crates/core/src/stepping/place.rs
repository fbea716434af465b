//! What a register's value is: a place the program can reach, or a number.
//!
//! The kind is read off the value. The core gives out addresses that are far from each other and from
//! numbers that programs compute, and they are the same in every run.

use std::fmt;

use crate::bpf::{CTX_ADDRESS, STACK_TOP, map_at};
use crate::stack::address_of;
use crate::trace::{PacketFields, Step, Trace};

/// Bytes of one stack frame (`MAX_BPF_STACK`).
const FRAME: u64 = 512;
/// Frames of nested calls (`MAX_CALL_FRAMES`).
const FRAMES: u64 = 8;
/// Bytes between the addresses of two packet buffers.
const BUFFER_STEP: u64 = 0x4_0000;

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A number.
    Number(u64),
    /// The context, and how far into it.
    Ctx(i64),
    /// The packet; offset from `data`.
    Packet(i64),
    /// Metadata in front of the packet; offset from `data_meta`.
    Meta(i64),
    /// The end of the packet: `data_end`.
    PacketEnd,
    /// The buffer of another packet than the step's; offset from its `head`.
    OtherBuffer(i64),
    /// The stack; offset from r10 of the function at work.
    Stack(i64),
    /// A map itself (`struct bpf_map *`); its name.
    Map(String),
    /// A value of a map: name, bytes from its first value.
    MapValue(String, u64),
}

impl Place {
    /// The kind in one word: `number`, `ctx`, `packet`, `meta`, `packet_end`, `buffer`, `stack`, `map`, `map_value`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "number",
            Self::Ctx(_) => "ctx",
            Self::Packet(_) => "packet",
            Self::Meta(_) => "meta",
            Self::PacketEnd => "packet_end",
            Self::OtherBuffer(_) => "buffer",
            Self::Stack(_) => "stack",
            Self::Map(_) => "map",
            Self::MapValue(..) => "map_value",
        }
    }
}

/// `pkt +14`, `fp -8`, `ctx`, `map cfg`, `cfg +4`, or the number.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, what: &str, off: i64| match off {
            0 => f.write_str(what),
            off => write!(f, "{what} {off:+}"),
        };
        match self {
            Self::Number(value) if *value < 10 => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value:#x}"),
            Self::Ctx(off) => with(f, "ctx", *off),
            Self::Packet(off) => with(f, "pkt", *off),
            Self::Meta(off) => with(f, "meta", *off),
            Self::PacketEnd => f.write_str("pkt_end"),
            Self::OtherBuffer(off) => with(f, "another packet's head", *off),
            Self::Stack(off) => with(f, "fp", *off),
            Self::Map(name) => write!(f, "map {name}"),
            Self::MapValue(name, off) => with(f, name, *off as i64),
        }
    }
}

/// What `value` is at a step. `frame` is r10 of the function at work, `maps` the names of the
/// program's maps.
#[must_use]
pub fn place(trace: &Trace, step: &Step, frame: u64, maps: &[String], value: u64) -> Place {
    let off = |base: u64| value.wrapping_sub(base) as i64;
    if (CTX_ADDRESS..CTX_ADDRESS + FRAME).contains(&value) {
        return Place::Ctx(off(CTX_ADDRESS));
    }
    if (STACK_TOP - FRAMES * FRAME..=STACK_TOP).contains(&value) {
        return Place::Stack(off(frame));
    }
    if let Some((map, inside)) = map_at(value)
        && let Some(name) = maps.get(map)
    {
        return match inside {
            None => Place::Map(name.clone()),
            Some(at) => Place::MapValue(name.clone(), at),
        };
    }
    packet(trace, step, value).unwrap_or(Place::Number(value))
}

fn packet(trace: &Trace, step: &Step, value: u64) -> Option<Place> {
    let first = address_of(crate::trace::BufferNo(0));
    let number = value.checked_sub(first)? / BUFFER_STEP;
    let number = u32::try_from(number).ok().filter(|number| *number > 0)?;
    let head = address_of(crate::trace::BufferNo(number));
    let at = (value - head) as i64;
    let own = step.buffer.map(address_of) == Some(head);
    let fields = step.fields.and_then(|index| trace.fields.get(index));
    let Some(fields) = fields.filter(|_| own) else {
        let known = trace
            .steps
            .iter()
            .any(|s| s.buffer.map(address_of) == Some(head));
        return known.then_some(Place::OtherBuffer(at));
    };
    let (meta, data, end) = match fields {
        PacketFields::Xdp(xdp) => (xdp.data_meta, xdp.data, xdp.data_end),
        PacketFields::Skb(skb) => {
            let start = skb.meta.start.filter(|_| skb.meta.len > 0);
            let linear = skb.len - skb.data_len.min(skb.len);
            (start.unwrap_or(skb.data), skb.data, skb.data + linear)
        }
    };
    let (meta, data, end) = (i64::from(meta), i64::from(data), i64::from(end));
    Some(if at == end {
        Place::PacketEnd
    } else if at < data && at >= meta {
        Place::Meta(at - meta)
    } else {
        Place::Packet(at - data)
    })
}
