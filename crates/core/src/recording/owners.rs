//! Whose bytes those are that an event shows for the first time.

use std::collections::BTreeMap;

use super::event::{ByteRun, Event, Packet};
use super::replayed::device;
use crate::net::dissect::{Start, dissect};
use crate::net::ethernet;
use crate::trace::{Layer, OriginId, Recorder, Source};

/// Which header each byte of a run stands in.
pub(super) struct Owners {
    /// Layer, label, first byte of the part and one past its last, as indexes into the run.
    parts: Vec<(Layer, String, usize, usize)>,
}

impl Owners {
    pub(super) fn new(event: &Event, run: &ByteRun) -> Self {
        let index = |offset: u32| offset.saturating_sub(run.offset) as usize;
        let (start, kind, meta) = match &event.packet {
            Packet::Skb(skb) => {
                let f = &skb.fields;
                let start = f.mac_header.map_or(f.data, |mac| mac.min(f.data));
                let bare = f.network_header == Some(start) && f.protocol == ethernet::P_IP;
                let meta = f.meta.start.zip(f.meta.end).filter(|_| f.meta.len > 0);
                (
                    start,
                    if bare { Start::Ipv4 } else { Start::Ethernet },
                    meta,
                )
            }
            Packet::Xdp(xdp) => {
                let f = &xdp.fields;
                (f.data, Start::Ethernet, Some((f.data_meta, f.data)))
            }
            Packet::Result => (run.offset, Start::Ethernet, None),
        };
        let mut parts = Vec::new();
        if let Some((from, to)) = meta {
            parts.push((
                Layer::Metadata,
                "metadata".to_owned(),
                index(from),
                index(to),
            ));
        }
        let first = index(start).min(run.bytes.len());
        for part in dissect(&run.bytes[first..], kind).parts {
            let from = first + part.start;
            parts.push((part.layer, part.label, from, from + part.len));
        }
        Self { parts }
    }

    pub(super) fn origin(
        &self,
        index: usize,
        event: &Event,
        sources: &mut BTreeMap<usize, u16>,
        recorder: &mut Recorder,
    ) -> OriginId {
        let inside =
            |(_, _, from, to): &(Layer, String, usize, usize)| (*from..*to).contains(&index);
        let Some(at) = self.parts.iter().position(inside) else {
            return OriginId::default();
        };
        let (layer, label, from, to) = &self.parts[at];
        let source = *sources.entry(at).or_insert_with(|| {
            recorder.source(Source {
                layer: *layer,
                label: label.clone(),
                writer: event.stage.name.clone(),
                dev: device(event),
                step: 0,
                len: u16::try_from(to - from).unwrap_or(u16::MAX),
            })
        });
        OriginId {
            source,
            byte: u16::try_from(index - from).unwrap_or(u16::MAX),
        }
    }
}
