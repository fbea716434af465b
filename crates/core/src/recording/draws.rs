//! What a kernel drew at random and a recording shows: given to the simulation, which then has to be equal.

use std::collections::{BTreeMap, BTreeSet};

use super::event::SkbEvent;
use super::{Packet, Recording};
use crate::net::dissect::be16;
use crate::net::{icmp, ipv4, ipv6, udp, vxlan};
use crate::scenario::command::Mac;
use crate::trace::Edge;

/// In its place the recordings have the source port of GENEVE, always.
const GENEVE_SOURCE_PORT: u16 = 0xe5e5;

/// The address of a device that was given none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnMac {
    /// Its namespace.
    pub netns: Option<String>,
    /// Its name.
    pub dev: String,
    /// The address.
    pub mac: Mac,
}

impl Recording {
    /// The address of each device that wrote an Ethernet header: `eth_header()` (`net/ethernet/eth.c`) puts it there. It is
    /// used where a command gives the device none, and the kernel drew one (`eth_hw_addr_random()`).
    #[must_use]
    pub fn macs(&self) -> Vec<DrawnMac> {
        let mut macs: Vec<DrawnMac> = Vec::new();
        for event in &self.events {
            let header = event.stage.name == "eth_header" && event.stage.edge == Edge::Exit;
            let (true, Some(dev), Packet::Skb(skb)) = (header, &event.dev, &event.packet) else {
                continue;
            };
            let known = |drawn: &DrawnMac| drawn.netns == event.netns && drawn.dev == *dev;
            let bytes = bytes_from(skb, skb.fields.data).and_then(|bytes| bytes.get(6..12));
            let mac = bytes.and_then(|bytes| Mac::try_from(bytes).ok());
            if let Some(mac) = mac.filter(|_| !macs.iter().any(known)) {
                let (netns, dev) = (event.netns.clone(), dev.clone());
                macs.push(DrawnMac { netns, dev, mac });
            }
        }
        macs
    }

    /// The source ports of the UDP tunnels, one for each packet that was sent through one, in order.
    ///
    /// `udp_flow_src_port()` (`include/net/udp.h`) makes them of a flow hash whose key is random at each boot, and
    /// maps the hash to the ports from the lower to the upper end of VXLAN's `srcport`, the upper end included:
    /// with `srcport 40000 40001` either may be seen. They are read where the UDP header has just been
    /// written: at the entry of `iptunnel_xmit()`, and over IPv6, where none of the functions up to
    /// `ip6_finish_output2()` is traced, at the first sight of the outer headers of a packet that `vxlan_xmit_one()`
    /// was given.
    #[must_use]
    pub fn source_ports(&self) -> Vec<u16> {
        let mut ports = Vec::new();
        // packets that vxlan_xmit_one() was given and whose outer headers have not been seen, with their lengths then
        let mut waiting = BTreeMap::new();
        for event in &self.events {
            let Packet::Skb(skb) = &event.packet else {
                continue;
            };
            let port = match (event.stage.name.as_str(), event.stage.edge) {
                ("iptunnel_xmit", Edge::Entry) => udp_source(skb),
                ("vxlan_xmit_one", Edge::Entry) => {
                    waiting.insert(event.skb, skb.fields.len);
                    None
                }
                _ => waiting
                    .get(&event.skb)
                    .and_then(|len| udp6_source(skb, vxlan::HLEN + len)),
            };
            if let Some(port) = port {
                waiting.remove(&event.skb);
                ports.push(port);
            }
        }
        ports.retain(|port| *port != GENEVE_SOURCE_PORT);
        ports
    }

    /// What each `ping` sent, from the ICMP header on, in order: a process id or a drawn number is its identifier, and the
    /// time of day stands in its data. An echo request that was seen first without a device was made on this machine, and
    /// that is what only a `ping` does (`raw_sendmsg()`, `net/ipv4/raw.c`); those of `orc send` begin on one.
    #[must_use]
    pub fn pings(&self) -> Vec<Vec<u8>> {
        let mut seen = BTreeSet::new();
        let mut pings = Vec::new();
        for event in &self.events {
            let (Some(number), Packet::Skb(skb)) = (event.skb, &event.packet) else {
                continue;
            };
            let first = seen.insert(number);
            if event.end_of_life {
                seen.remove(&number);
            }
            if first && event.dev.is_none() {
                pings.extend(echo_request(skb));
            }
        }
        pings
    }
}

/// The ICMP message of an echo request over IPv4.
fn echo_request(skb: &SkbEvent) -> Option<Vec<u8>> {
    let (network, transport) = (skb.fields.network_header?, skb.fields.transport_header?);
    let (header, message) = (bytes_from(skb, network)?, bytes_from(skb, transport)?);
    let is_ping = header.get(9) == Some(&ipv4::PROTO_ICMP)
        && header.first().is_some_and(|first| first >> 4 == 4)
        && message.first() == Some(&icmp::ECHO);
    is_ping.then(|| message.to_vec())
}

/// The packet's bytes from an offset on, as far as they were recorded.
fn bytes_from(skb: &SkbEvent, offset: u32) -> Option<&[u8]> {
    let start = offset.checked_sub(skb.bytes.offset)?;
    skb.bytes.bytes.get(start as usize..)
}

/// Source port of the UDP header that the packet begins with.
fn udp_source(skb: &SkbEvent) -> Option<u16> {
    let header = bytes_from(skb, skb.fields.data)?;
    let is_udp = header.len() >= udp::HLEN as usize
        && skb.fields.transport_header == Some(skb.fields.data)
        && u32::from(be16(header, 4)) == skb.fields.len;
    is_udp.then(|| be16(header, 0))
}

/// Source port of the UDP header behind the packet's IPv6 header, if `payload` bytes follow it.
fn udp6_source(skb: &SkbEvent, payload: u32) -> Option<u16> {
    let (network, transport) = (skb.fields.network_header?, skb.fields.transport_header?);
    let (outer, header) = (bytes_from(skb, network)?, bytes_from(skb, transport)?);
    let is_udp6 = network.checked_add(ipv6::HLEN) == Some(transport)
        && outer.first().is_some_and(|first| first >> 4 == 6)
        && outer.get(6) == Some(&ipv4::PROTO_UDP)
        && header.len() >= udp::HLEN as usize
        && u32::from(be16(header, 4)) == udp::HLEN + payload;
    is_udp6.then(|| be16(header, 0))
}
