//! How true a recorded read was.

use std::collections::BTreeMap;

use super::event::{Event, Packet};
use super::replayed::SeenRead;
use crate::trace::{Edge, Verdict};

/// What the latest XDP program left as metadata, per buffer.
#[derive(Default)]
pub(super) struct Judge {
    left: BTreeMap<u32, (u32, Vec<u8>)>,
    latest: Option<u32>,
}

impl Judge {
    pub(super) fn see(&mut self, event: &Event, buffer: Option<u32>) {
        let (Packet::Xdp(xdp), Some(buffer)) = (&event.packet, buffer) else {
            return;
        };
        if !event.prog || event.stage.edge != Edge::Exit {
            return;
        }
        let f = &xdp.fields;
        let index = |offset: u32| offset.saturating_sub(xdp.bytes.offset) as usize;
        let left = xdp
            .bytes
            .bytes
            .get(index(f.data_meta)..index(f.data))
            .unwrap_or_default();
        self.left.insert(buffer, (f.data_meta, left.to_vec()));
        self.latest = Some(buffer);
    }

    /// By comparing values: a recording does not say whose bytes they are. Zeros that are read where
    /// zeros were left pass for the same.
    pub(super) fn verdict(&self, read: &SeenRead, event: &Event) -> (Verdict, Option<u32>) {
        let offset = match &event.packet {
            Packet::Skb(skb) => skb.fields.meta.start,
            Packet::Xdp(xdp) => Some(xdp.fields.data_meta),
            Packet::Result => None,
        };
        let own = match &event.packet {
            Packet::Skb(skb) => self.left.get(&skb.head),
            _ => None,
        };
        let left = own.or_else(|| self.left.get(&self.latest?));
        let nothing = (0, Vec::new());
        let (place, left) = left.unwrap_or(&nothing);
        let verdict = match (read.len, left.is_empty()) {
            (0, true) => Verdict::None,
            (0, false) => Verdict::Lost,
            _ if left.get(..read.bytes.len()) == Some(&read.bytes[..]) => Verdict::Ok,
            (_, false) if offset == Some(*place) => Verdict::Overwritten,
            _ => Verdict::Garbage,
        };
        (verdict, offset)
    }
}
