//! How long the headers of a frame are, as drivers ask (`eth_get_headlen()`, `net/ethernet/eth.c`).

use super::dissect::{Start, dissect};
use super::ethernet;
use crate::trace::Layer;

/// `eth_get_headlen()`: to the end of the transport header that the flow dissector finds, `__skb_get_poff()`
/// (`net/core/flow_dissector.c`). It looks into GRE and IP tunnels, not into UDP.
#[must_use]
pub fn headers_len(frame: &[u8]) -> u32 {
    let found = dissect(frame, Start::Ethernet);
    let Some(transport) = found.transport else {
        return ethernet::HLEN.min(frame.len() as u32);
    };
    let part = found.parts.iter().find(|part| part.start == transport);
    let own = match part.map(|part| part.layer) {
        Some(Layer::Tcp) => {
            let doff = frame.get(transport + 12).copied().unwrap_or(0) >> 4;
            usize::from(doff).saturating_mul(4).max(20)
        }
        Some(Layer::Udp | Layer::Icmp | Layer::Icmpv6) => 8,
        _ => 0,
    };
    (transport + own).min(frame.len()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ethernet 14, IPv4 20, UDP 8; GRE is looked through: 14 + 20 + 4 + 20 + 8.
    #[test]
    fn to_the_end_of_the_transport_header() {
        let ip = |protocol: u8, payload: &[u8]| {
            let mut header = vec![
                0x45,
                0,
                0,
                (20 + payload.len()) as u8,
                0,
                0,
                0,
                0,
                64,
                protocol,
            ];
            header.extend([0; 10]);
            [header, payload.to_vec()].concat()
        };
        let frame = |payload: Vec<u8>| [&[0; 12][..], &[8, 0], &payload].concat();
        let udp = [&[0, 9, 0, 9, 0, 30, 0, 0][..], &[7; 22]].concat();
        assert_eq!(headers_len(&frame(ip(17, &udp))), 42);
        let gre = [&[0, 0, 8, 0][..], &ip(17, &udp)].concat();
        assert_eq!(headers_len(&frame(ip(47, &gre))), 14 + 20 + 4 + 20 + 8);
        assert_eq!(headers_len(&[0; 10]), 10);
    }
}
