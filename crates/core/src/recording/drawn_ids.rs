//! IPv4 identifications that the kernel draws: the recordings number them in order of appearance, the simulator in the order in
//! which it draws them. The two differ where a packet takes several at once for the segments it will be cut into
//! (`__ip_select_ident()` with `gso_segs`): they are seen only when each segment is on its way.

use std::collections::BTreeMap;

use super::event::{Event, Packet};
use super::events::TracedEvent;
use super::normalise::{SENT, is_recorded};
use super::visible::Sight;
use crate::net::dissect::be16;
use crate::trace::origin::Layer;
use crate::trace::{OriginId, SourceTable};

/// The first number of the recordings; smaller ones were sent.
const FIRST: u16 = 0xe001;
/// Where `id` and `check` are in the header.
const ID: u16 = 4;
const CHECK: u16 = 10;

/// Numbers the simulated identifications as a recording that shows so much does.
pub(super) fn number(events: &mut [TracedEvent], sources: &SourceTable, sight: Sight<'_>) {
    let mut numbers = BTreeMap::new();
    for traced in events.iter().filter(|traced| is_recorded(sight, traced)) {
        for (bytes, origins) in runs(&traced.event, traced) {
            for at in ids(origins, sources) {
                let seen = be16(bytes, at);
                let next = FIRST.wrapping_add(numbers.len() as u16);
                if seen >= FIRST {
                    numbers.entry(seen).or_insert(next);
                }
            }
        }
    }
    if numbers.iter().all(|(drawn, number)| drawn == number) {
        return;
    }
    for traced in events {
        let TracedEvent {
            event,
            origins,
            meta_origins,
            ..
        } = traced;
        match &mut event.packet {
            Packet::Skb(skb) => {
                renumber(&mut skb.bytes.bytes, origins, sources, &numbers);
                renumber(&mut skb.meta_bytes, meta_origins, sources, &numbers);
            }
            Packet::Xdp(xdp) => renumber(&mut xdp.bytes.bytes, origins, sources, &numbers),
            _ => {}
        }
    }
}

/// The bytes of an event, with their origins.
fn runs<'e>(event: &'e Event, traced: &'e TracedEvent) -> Vec<(&'e [u8], &'e [OriginId])> {
    match &event.packet {
        Packet::Skb(skb) => vec![
            (&skb.bytes.bytes[..], &traced.origins[..]),
            (&skb.meta_bytes[..], &traced.meta_origins[..]),
        ],
        Packet::Xdp(xdp) => vec![(&xdp.bytes.bytes[..], &traced.origins[..])],
        _ => Vec::new(),
    }
}

/// Where both bytes of a field of an IPv4 header of the kernel's making stand, `field` being its place in the header.
fn fields<'o>(
    origins: &'o [OriginId],
    sources: &'o SourceTable,
    field: u16,
) -> impl Iterator<Item = usize> + 'o {
    origins
        .windows(2)
        .enumerate()
        .filter_map(move |(at, pair)| {
            let whole = pair[0].byte == field
                && pair[1].byte == field + 1
                && pair[0].source == pair[1].source;
            let source = whole.then(|| sources.source(pair[0]))?;
            (source.layer == Layer::Ipv4 && source.writer != SENT).then_some(at)
        })
}

fn ids<'o>(origins: &'o [OriginId], sources: &'o SourceTable) -> impl Iterator<Item = usize> + 'o {
    fields(origins, sources, ID)
}

/// Replaces the numbers, and makes the checksum of a header that has one fit (RFC 1624).
fn renumber(
    bytes: &mut [u8],
    origins: &[OriginId],
    sources: &SourceTable,
    numbers: &BTreeMap<u16, u16>,
) {
    for at in ids(origins, sources) {
        let drawn = be16(bytes, at);
        let Some(number) = numbers.get(&drawn).filter(|number| **number != drawn) else {
            continue;
        };
        if let Some(id) = bytes.get_mut(at..at + 2) {
            id.copy_from_slice(&number.to_be_bytes());
        }
        let check = at + usize::from(CHECK - ID);
        let source = origins[at].source;
        let own = |place: &usize| *place == check && origins[*place].source == source;
        if fields(origins, sources, CHECK).any(|place| own(&place)) {
            let sum = u32::from(!be16(bytes, check)) + u32::from(!drawn) + u32::from(*number);
            let folded = (sum & 0xffff) + (sum >> 16);
            let folded = !((folded & 0xffff) + (folded >> 16)) as u16;
            // until ip_send_check() a header has none
            if be16(bytes, check) != 0
                && let Some(sum) = bytes.get_mut(check..check + 2)
            {
                sum.copy_from_slice(&folded.to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::checksum;
    use crate::trace::Source;

    /// A header of the kernel's making with the number 0xe003, as the second that was seen.
    #[test]
    fn a_number_and_the_checksum_that_fits() {
        let mut header = [
            0x45, 0, 0, 0x54, 0xe0, 3, 0x40, 0, 64, 47, 0, 0, 10, 1, 0, 1, 10, 1, 0, 2,
        ];
        let sum = checksum::internet(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        let written_by = |writer: &str| {
            let mut sources = SourceTable::default();
            let source = sources.add(Source {
                layer: Layer::Ipv4,
                label: "IPv4".into(),
                writer: writer.into(),
                dev: None,
                step: 0,
                len: 20,
            });
            let origins: Vec<OriginId> = (0..20).map(|byte| OriginId { source, byte }).collect();
            let mut bytes = header.to_vec();
            let numbers = BTreeMap::from([(0xe001, 0xe001), (0xe003, 0xe002)]);
            renumber(&mut bytes, &origins, &sources, &numbers);
            bytes
        };
        let bytes = written_by("iptunnel_xmit");
        assert_eq!(bytes[4..6], [0xe0, 2]);
        assert_eq!(checksum::internet(&bytes), 0);
        assert_eq!(bytes[12..], header[12..]);
        // what was sent is not drawn
        assert_eq!(written_by(SENT), header);
    }
}
