//! One event, in full, and its JSON.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::hex;
use crate::trace::{Edge, Fragment, SkbFields, XdpFields};

/// Function or program and edge; `ip_rcv:entry` in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stage {
    /// Kernel function, program, or `consume_skb`, `kfree_skb` for the end of a packet.
    pub name: String,
    /// Entry or exit.
    pub edge: Edge,
}

impl Stage {
    /// Reads `name:entry` or `name:exit`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, edge) = text.rsplit_once(':')?;
        let edge = match edge {
            "entry" => Edge::Entry,
            "exit" => Edge::Exit,
            _ => return None,
        };
        (!name.is_empty()).then(|| Self {
            name: name.into(),
            edge,
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edge = match self.edge {
            Edge::Entry => "entry",
            Edge::Exit => "exit",
        };
        write!(f, "{}:{edge}", self.name)
    }
}

/// What a function returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ret {
    /// An integer.
    Number(i64),
    /// A pointer other than an skb.
    Pointer,
}

/// A part of a packet's linear buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByteRun {
    /// Offset of the first byte from `head` (XDP: `data_hard_start`).
    pub offset: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The tail lies above offset 2048 and the bytes end there.
    pub truncated: bool,
}

/// An skb and its buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkbEvent {
    /// Number of the buffer.
    pub head: u32,
    /// All fields of the skb.
    pub fields: SkbFields,
    /// The metadata's bytes by the design's own formula; empty when there are none.
    pub meta_bytes: Vec<u8>,
    /// The buffer's bytes.
    pub bytes: ByteRun,
}

/// An `xdp_buff` and its buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XdpEvent {
    /// All fields.
    pub fields: XdpFields,
    /// The buffer's bytes.
    pub bytes: ByteRun,
}

/// The packet of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// `kind: skb`.
    Skb(Box<SkbEvent>),
    /// `kind: xdp`.
    Xdp(XdpEvent),
    /// `kind: result`: the packet the function was given is gone, or is another one.
    Result,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// From 1.
    pub seq: u32,
    /// Function or program, and edge.
    pub stage: Stage,
    /// A BPF program.
    pub prog: bool,
    /// `skb->dev` (XDP: the device of the receive queue).
    pub dev: Option<String>,
    /// Namespace of `dev`; `None` is the experiment's own.
    pub netns: Option<String>,
    /// Number of the skb; none for XDP.
    pub skb: Option<u32>,
    /// Return value.
    pub ret: Option<Ret>,
    /// The skb it returned; `Some(None)` is NULL.
    pub ret_skb: Option<Option<u32>>,
    /// The packet is released.
    pub end_of_life: bool,
    /// `enum skb_drop_reason`, of `kfree_skb`.
    pub drop_reason: Option<u32>,
    /// The packet the function was given is gone.
    pub freed: bool,
    /// The packet.
    pub packet: Packet,
}

/// A field's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A flag.
    Flag(bool),
    /// A name.
    Text(String),
    /// `null`: not set.
    Unset,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => f.write_str(text),
            Self::Unset => f.write_str("null"),
        }
    }
}

impl<T: Into<i64>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unset, |n| Self::Number(n.into()))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Self::Number(n.into())
    }
}

/// A named field.
pub(super) type Field = (&'static str, Value);

/// The skb's fields as the recordings name them, without `head`, `meta` and bytes.
pub(super) fn skb_fields(f: &SkbFields) -> Vec<Field> {
    let mut fields: Vec<Field> = vec![
        ("data", f.data.into()),
        ("tail", f.tail.into()),
        ("end", f.end.into()),
        ("len", f.len.into()),
        ("data_len", f.data_len.into()),
        ("head_off", 0.into()),
        ("mac_header", f.mac_header.into()),
        ("network_header", f.network_header.into()),
        ("transport_header", f.transport_header.into()),
        ("inner_mac_header", f.inner_mac_header.into()),
        ("inner_network_header", f.inner_network_header.into()),
        ("mac_len", f.mac_len.into()),
        ("protocol", u32::from(f.protocol).into()),
        ("pkt_type", u32::from(f.pkt_type).into()),
        ("vlan_present", f.vlan_present.into()),
        ("vlan_tci", u32::from(f.vlan_tci).into()),
        ("vlan_proto", u32::from(f.vlan_proto).into()),
        ("encapsulation", f.encapsulation.into()),
        ("cloned", f.cloned.into()),
        ("ip_summed", u32::from(f.ip_summed).into()),
        ("gso_size", u32::from(f.gso_size).into()),
        ("nr_frags", u32::from(f.nr_frags).into()),
        ("dataref", f.dataref.into()),
        ("users", f.users.into()),
    ];
    fields.extend(f.meta_end.map(|end| ("meta_end", end.into())));
    fields
}

/// The `xdp_buff`'s fields as the recordings name them.
pub(super) fn xdp_fields(f: &XdpFields) -> Vec<Field> {
    vec![
        ("data_hard_start", 0.into()),
        ("data_meta", f.data_meta.into()),
        ("data", f.data.into()),
        ("data_end", f.data_end.into()),
        ("frame_sz", f.frame_sz.into()),
    ]
}

/// `meta` as JSON.
#[derive(Serialize)]
struct MetaJson {
    len: u32,
    start: Option<u32>,
    end: Option<u32>,
    bytes: String,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &self.seq)?;
        map.serialize_entry("stage", &self.stage.to_string())?;
        flag(&mut map, "prog", self.prog)?;
        map.serialize_entry("dev", &self.dev)?;
        optional(&mut map, "netns", self.netns.as_ref())?;
        map.serialize_entry("kind", self.kind())?;
        optional(&mut map, "skb", self.skb.as_ref())?;
        flag(&mut map, "end_of_life", self.end_of_life)?;
        optional(&mut map, "drop_reason", self.drop_reason.as_ref())?;
        match self.ret {
            None => {}
            Some(Ret::Number(n)) => map.serialize_entry("ret", &n)?,
            Some(Ret::Pointer) => map.serialize_entry("ret", "pointer")?,
        }
        optional(&mut map, "ret_skb", self.ret_skb.as_ref())?;
        flag(&mut map, "freed", self.freed)?;
        match &self.packet {
            Packet::Skb(skb) => skb.entries(&mut map)?,
            Packet::Xdp(xdp) => {
                entries(&mut map, &xdp_fields(&xdp.fields))?;
                xdp.bytes.entries(&mut map)?;
                pieces(&mut map, &xdp.fields.fragments)?;
            }
            Packet::Result => {}
        }
        map.end()
    }
}

impl Event {
    /// `skb`, `xdp` or `result`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.packet {
            Packet::Skb(_) => "skb",
            Packet::Xdp(_) => "xdp",
            Packet::Result => "result",
        }
    }
}

impl SkbEvent {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("head", &self.head)?;
        entries(map, &skb_fields(&self.fields))?;
        let meta = self.fields.meta;
        let bytes = hex::encode(&self.meta_bytes);
        map.serialize_entry(
            "meta",
            &MetaJson {
                len: meta.len,
                start: meta.start,
                end: meta.end,
                bytes,
            },
        )?;
        self.bytes.entries(map)?;
        pieces(map, &self.fields.fragments)
    }
}

impl ByteRun {
    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("bytes_off", &self.offset)?;
        map.serialize_entry("bytes", &hex::encode(&self.bytes))?;
        flag(map, "bytes_truncated", self.truncated)
    }
}

/// `fragments`: what lies outside of the linear buffer, if anything does.
fn pieces<M: SerializeMap>(map: &mut M, fragments: &[Fragment]) -> Result<(), M::Error> {
    match fragments {
        [] => Ok(()),
        fragments => map.serialize_entry("fragments", fragments),
    }
}

fn entries<M: SerializeMap>(map: &mut M, fields: &[Field]) -> Result<(), M::Error> {
    fields
        .iter()
        .try_for_each(|(name, value)| map.serialize_entry(name, value))
}

fn flag<M: SerializeMap>(map: &mut M, name: &str, set: bool) -> Result<(), M::Error> {
    if set {
        map.serialize_entry(name, &true)
    } else {
        Ok(())
    }
}

fn optional<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}
