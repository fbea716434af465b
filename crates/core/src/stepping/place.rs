//! What a register's value is: a place the program can reach, or a number.
//!
//! The kind is read off the value. The core gives out addresses that are far from each other and from
//! numbers that programs compute, and they are the same in every run.

use std::fmt;

use crate::bpf::{CTX_ADDRESS, STACK_TOP, map_at};
use crate::stack::address_of;
use crate::trace::{BufferNo, PacketFields, Step, Trace};

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

/// What is known where a value is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Around<'t> {
    /// The trace.
    pub trace: &'t Trace,
    /// The step.
    pub step: &'t Step,
    /// r10 of the function at work.
    pub frame: u64,
    /// Names of the program's maps.
    pub maps: &'t [String],
    /// Highest number of a packet buffer in the trace.
    pub buffers: u32,
}

/// The packet buffer that an address may point into, and the offset from its `head`.
#[must_use]
pub fn in_buffer(value: u64, buffers: u32) -> Option<(BufferNo, i64)> {
    let first = address_of(BufferNo(0));
    let number = value.checked_sub(first)? / BUFFER_STEP;
    let number = u32::try_from(number).ok()?;
    let known = (1..=buffers).contains(&number);
    known.then(|| {
        let no = BufferNo(number);
        (no, value.wrapping_sub(address_of(no)) as i64)
    })
}

/// What `value` is at a step.
#[must_use]
pub fn place(around: Around<'_>, value: u64) -> Place {
    let Around { frame, maps, .. } = around;
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
    packet(around, value).unwrap_or(Place::Number(value))
}

fn packet(around: Around<'_>, value: u64) -> Option<Place> {
    let (no, at) = in_buffer(value, around.buffers)?;
    let own = around.step.buffer == Some(no);
    let fields = around.step.fields;
    let fields = fields.and_then(|index| around.trace.fields.get(index));
    let Some(fields) = fields.filter(|_| own) else {
        return Some(Place::OtherBuffer(at));
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
