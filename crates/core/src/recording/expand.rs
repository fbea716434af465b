//! Compact events → full events: `as: N` inherits the snapshot of event N, `bytes_same_as: N` its bytes.

use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::event::{ByteRun, Event, Packet, Ret, SkbEvent, Stage, XdpEvent};
use super::hex;
use crate::trace::{MetaFields, SkbFields, XdpFields};

/// Most events that are read.
pub const MAX_EVENTS: usize = 100_000;
/// Most hex digits of all full events together.
pub const MAX_DIGITS: usize = 128 << 20;

/// Never inherited.
const OWN: [&str; 14] = [
    "seq",
    "stage",
    "prog",
    "dev",
    "netns",
    "kind",
    "skb",
    "ret",
    "ret_skb",
    "end_of_life",
    "drop_reason",
    "freed",
    "as",
    "bytes_same_as",
];

/// A compact event that cannot be made full.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Event {seq}, field `{field}`: {what}.")]
pub struct ExpandError {
    /// Number of the event, counted from 1 in the file.
    pub seq: usize,
    /// Its field.
    pub field: String,
    /// What is wrong.
    pub what: String,
}

/// Makes all events full.
///
/// # Errors
/// A missing or ill-typed field, a reference to an event that does not come before (so also a cycle),
/// more than [`MAX_EVENTS`] events or [`MAX_DIGITS`] hex digits.
pub fn expand(compact: &[Map<String, Json>]) -> Result<Vec<Event>, ExpandError> {
    if compact.len() > MAX_EVENTS {
        let what = format!(
            "the recording has {} events, the limit is {MAX_EVENTS}",
            compact.len()
        );
        return Err(ExpandError {
            seq: MAX_EVENTS + 1,
            field: "seq".into(),
            what,
        });
    }
    let mut full: Vec<Map<String, Json>> = Vec::with_capacity(compact.len());
    let mut events = Vec::with_capacity(compact.len());
    let mut digits = 0;
    for event in compact {
        let seq = full.len() + 1;
        let merged = merge(seq, event, &full)?;
        digits += merged
            .get("bytes")
            .and_then(Json::as_str)
            .map_or(0, str::len);
        let fields = Fields { seq, map: &merged };
        if digits > MAX_DIGITS {
            return Err(fields.error(
                "bytes",
                format!("the events together are too large, the limit is {MAX_DIGITS} hex digits"),
            ));
        }
        events.push(fields.event()?);
        full.push(merged);
    }
    super::normalise::tell_apart(&mut events);
    Ok(events)
}

fn merge(
    seq: usize,
    event: &Map<String, Json>,
    full: &[Map<String, Json>],
) -> Result<Map<String, Json>, ExpandError> {
    let own = |name: &String| OWN.contains(&name.as_str());
    let mut merged = Map::new();
    if let Some(base) = reference(seq, event, "as", full)? {
        merged.extend(
            base.iter()
                .filter(|(name, _)| !own(name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    merged.extend(
        event
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    if let Some(same) = reference(seq, event, "bytes_same_as", full)? {
        let what = || "the event it names has no bytes".to_owned();
        let bytes = same
            .get("bytes")
            .ok_or_else(|| Fields { seq, map: event }.error("bytes_same_as", what()))?;
        merged.insert("bytes".into(), bytes.clone());
    }
    Ok(merged)
}

fn reference<'f>(
    seq: usize,
    event: &Map<String, Json>,
    field: &str,
    full: &'f [Map<String, Json>],
) -> Result<Option<&'f Map<String, Json>>, ExpandError> {
    let Some(value) = event.get(field) else {
        return Ok(None);
    };
    let target = value
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .and_then(|n| full.get(n.checked_sub(1)?));
    let what = || format!("it names event {value}, which does not come before this one");
    target
        .map(Some)
        .ok_or_else(|| Fields { seq, map: event }.error(field, what()))
}

/// Typed access to a full event's fields.
struct Fields<'m> {
    seq: usize,
    map: &'m Map<String, Json>,
}

impl Fields<'_> {
    fn error(&self, field: &str, what: impl Into<String>) -> ExpandError {
        ExpandError {
            seq: self.seq,
            field: field.into(),
            what: what.into(),
        }
    }

    fn number<T: TryFrom<i64>>(&self, field: &str) -> Result<T, ExpandError> {
        self.nullable(field)?
            .ok_or_else(|| self.error(field, "it is missing or null, expected a number"))
    }

    /// `None` when null or missing.
    fn nullable<T: TryFrom<i64>>(&self, field: &str) -> Result<Option<T>, ExpandError> {
        match self.map.get(field) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => value
                .as_i64()
                .and_then(|n| T::try_from(n).ok())
                .map(Some)
                .ok_or_else(|| self.error(field, format!("{value} is no number in its range"))),
        }
    }

    fn flag(&self, field: &str) -> Result<bool, ExpandError> {
        match self.map.get(field) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(*flag),
            Some(value) => Err(self.error(field, format!("{value} is neither true nor false"))),
        }
    }

    /// A flag that every snapshot has.
    fn state(&self, field: &str) -> Result<bool, ExpandError> {
        if self.map.contains_key(field) {
            return self.flag(field);
        }
        Err(self.error(field, "it is missing, expected true or false"))
    }

    fn text(&self, field: &str) -> Result<Option<&str>, ExpandError> {
        match self.map.get(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(value) => Err(self.error(field, format!("{value} is no string"))),
        }
    }

    fn hex(&self, field: &str) -> Result<Vec<u8>, ExpandError> {
        let text = self
            .text(field)?
            .ok_or_else(|| self.error(field, "it is missing, expected hex"))?;
        hex::decode(text).map_err(|what| self.error(field, what))
    }

    fn event(&self) -> Result<Event, ExpandError> {
        let seq: u32 = self.number("seq")?;
        if usize::try_from(seq) != Ok(self.seq) {
            return Err(self.error("seq", format!("it is {seq}, events count 1, 2, 3 …")));
        }
        let stage = self.text("stage")?.and_then(Stage::parse);
        let kind = self.text("kind")?;
        let skb: Option<u32> = self.nullable("skb")?;
        if skb.is_none() && matches!(kind, Some("skb" | "result")) {
            let what = "it is missing or null, expected the number of the packet";
            return Err(self.error("skb", what));
        }
        let packet = match kind {
            Some("skb") => Packet::Skb(Box::new(self.skb()?)),
            Some("xdp") if self.text("dev")?.is_none() => {
                let what = "it is missing, expected the device of the receive queue";
                return Err(self.error("dev", what));
            }
            Some("xdp") => Packet::Xdp(self.xdp()?),
            Some("result") => Packet::Result,
            _ => return Err(self.error("kind", "expected skb, xdp or result")),
        };
        Ok(Event {
            seq,
            stage: stage
                .ok_or_else(|| self.error("stage", "expected function:entry or function:exit"))?,
            prog: self.flag("prog")?,
            dev: self.text("dev")?.map(str::to_owned),
            netns: self.text("netns")?.map(str::to_owned),
            skb,
            ret: self.ret()?,
            ret_skb: if self.map.contains_key("ret_skb") {
                Some(self.nullable("ret_skb")?)
            } else {
                None
            },
            end_of_life: self.flag("end_of_life")?,
            drop_reason: self.nullable("drop_reason")?,
            freed: self.flag("freed")?,
            packet,
        })
    }

    fn ret(&self) -> Result<Option<Ret>, ExpandError> {
        match self.map.get("ret") {
            Some(Json::String(text)) if text == "pointer" => Ok(Some(Ret::Pointer)),
            _ => Ok(self.nullable("ret")?.map(Ret::Number)),
        }
    }

    fn skb(&self) -> Result<SkbEvent, ExpandError> {
        if self.number::<i64>("head_off")? != 0 {
            return Err(self.error("head_off", "expected 0, all offsets count from head"));
        }
        let (meta, meta_bytes) = self.meta()?;
        let fields = SkbFields {
            data: self.number("data")?,
            tail: self.number("tail")?,
            end: self.number("end")?,
            len: self.number("len")?,
            data_len: self.number("data_len")?,
            mac_header: self.nullable("mac_header")?,
            network_header: self.nullable("network_header")?,
            transport_header: self.nullable("transport_header")?,
            inner_mac_header: self.nullable("inner_mac_header")?,
            inner_network_header: self.nullable("inner_network_header")?,
            mac_len: self.number("mac_len")?,
            protocol: self.number("protocol")?,
            pkt_type: self.number("pkt_type")?,
            vlan_present: self.state("vlan_present")?,
            vlan_tci: self.number("vlan_tci")?,
            vlan_proto: self.number("vlan_proto")?,
            encapsulation: self.state("encapsulation")?,
            cloned: self.state("cloned")?,
            ip_summed: self.number("ip_summed")?,
            gso_size: self.number("gso_size")?,
            nr_frags: self.number("nr_frags")?,
            dataref: self.number("dataref")?,
            users: self.number("users")?,
            meta,
            meta_end: self.nullable("meta_end")?,
            fragments: Vec::new(),
        };
        Ok(SkbEvent {
            head: self.number("head")?,
            fields,
            meta_bytes,
            bytes: self.bytes()?,
        })
    }

    fn meta(&self) -> Result<(MetaFields, Vec<u8>), ExpandError> {
        let map = match self.map.get("meta") {
            Some(Json::Object(map)) => map,
            // README of the recordings: null when the MAC header is not set.
            Some(Json::Null) => {
                return Ok((
                    MetaFields {
                        len: 0,
                        start: None,
                        end: None,
                    },
                    Vec::new(),
                ));
            }
            _ => return Err(self.error("meta", "expected {len, start, end, bytes}")),
        };
        let inner = Fields { seq: self.seq, map };
        // metadata of a length that does not fit in front of their end would begin below `head`
        let start: Option<i64> = inner.nullable("start")?;
        let below = start.is_some_and(|start| start < 0);
        let fields = MetaFields {
            len: inner.number("len")?,
            start: if below {
                None
            } else {
                inner.nullable("start")?
            },
            end: inner.nullable("end")?,
        };
        let bytes = inner.hex("bytes")?;
        Ok((fields, if below { Vec::new() } else { bytes }))
    }

    fn xdp(&self) -> Result<XdpEvent, ExpandError> {
        if self.number::<i64>("data_hard_start")? != 0 {
            return Err(self.error(
                "data_hard_start",
                "expected 0, all offsets count from there",
            ));
        }
        let fields = XdpFields {
            data_meta: self.number("data_meta")?,
            data: self.number("data")?,
            data_end: self.number("data_end")?,
            frame_sz: self.number("frame_sz")?,
            fragments: Vec::new(),
        };
        Ok(XdpEvent {
            fields,
            bytes: self.bytes()?,
        })
    }

    fn bytes(&self) -> Result<ByteRun, ExpandError> {
        Ok(ByteRun {
            offset: self.number("bytes_off")?,
            bytes: self.hex("bytes")?,
            truncated: self.flag("bytes_truncated")?,
        })
    }
}
