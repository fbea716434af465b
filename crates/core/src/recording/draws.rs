//! What a kernel drew at random and a recording shows: given to the simulation, which then has to be equal.

use super::{Packet, Recording};
use crate::net::dissect::be16;
use crate::net::udp;
use crate::trace::Edge;

/// In its place the recordings have the source port of GENEVE, always.
const GENEVE_SOURCE_PORT: u16 = 0xe5e5;

impl Recording {
    /// The source ports of the UDP tunnels, one for each packet that was sent through one, in order.
    ///
    /// `udp_flow_src_port()` (`include/net/udp.h`) makes them of a flow hash whose key is random at each boot, and
    /// maps the hash to the ports from the lower to the upper end of VXLAN's `srcport`, the upper end included:
    /// with `srcport 40000 40001` either may be seen. They are read where the UDP header has just been
    /// written, at the entry of `iptunnel_xmit()`.
    #[must_use]
    pub fn source_ports(&self) -> Vec<u16> {
        let entries = self
            .events
            .iter()
            .filter(|event| event.stage.name == "iptunnel_xmit" && event.stage.edge == Edge::Entry);
        let ports = entries.filter_map(|event| {
            let Packet::Skb(skb) = &event.packet else {
                return None;
            };
            let start = skb.fields.data.checked_sub(skb.bytes.offset)?;
            let header = skb.bytes.bytes.get(start as usize..)?;
            let is_udp = header.len() >= udp::HLEN as usize
                && skb.fields.transport_header == Some(skb.fields.data)
                && u32::from(be16(header, 4)) == skb.fields.len;
            is_udp.then(|| be16(header, 0))
        });
        ports.filter(|port| *port != GENEVE_SOURCE_PORT).collect()
    }
}
