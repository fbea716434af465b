//! `net/ipv4/arp.c`: questions for link-layer addresses, and their answers.

use std::net::{IpAddr, Ipv4Addr};

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::dissect::{be16, be32};
use crate::net::{arp, ethernet};
use crate::scenario::command::Mac;
use crate::scenario::topology::{DevId, Lookup};
use crate::skb::PacketType;
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/arp.c";

/// The addresses of an ARP frame.
struct Frame {
    op: u16,
    /// `sha`, `sip`: who speaks.
    from: (Mac, Ipv4Addr),
    /// `tip`: who is meant.
    to: Ipv4Addr,
}

impl Kernel {
    /// `arp_rcv()`.
    pub(super) fn arp_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("arp_rcv", FILE, no, |k| {
            let skb = k.skb(no);
            let mine = skb.pkt_type != PacketType::OtherHost;
            let Some(dev) = skb
                .dev
                .filter(|dev| mine && !k.topology.dev(*dev).is_noarp())
            else {
                k.consume_skb(no)?;
                return Ok(NET_RX_SUCCESS);
            };
            if !k.pskb_may_pull(no, arp::HLEN)? {
                k.kfree_skb(no, drop_reason::PKT_TOO_SMALL)?;
                return Ok(NET_RX_DROP);
            }
            let at = u32::from(k.skb(no).network_header);
            let header = k.bytes(no, at, arp::HLEN).to_vec();
            match arp::is_ethernet_ipv4(&header) && k.has_ipv4(dev) {
                true => k.arp_process(no, dev, &header),
                false => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(NET_RX_DROP)
                }
            }
        })
    }

    /// `__in_dev_get_rcu()`: `inetdev_event()` gives every device that is registered one, if its MTU is large enough.
    fn has_ipv4(&self, dev: DevId) -> bool {
        const IPV4_MIN_MTU: u32 = 68;
        self.topology.dev(dev).mtu >= IPV4_MIN_MTU
    }

    /// `arp_process()`: who asks for an address of this host gets an answer and becomes a neighbour; what is known
    /// of the sender is brought up to date.
    fn arp_process(&mut self, no: SkbNo, dev: DevId, header: &[u8]) -> Run<i64> {
        let frame = Frame {
            op: be16(header, 6),
            from: (arp::mac(header, 8), Ipv4Addr::from(be32(header, 14))),
            to: Ipv4Addr::from(be32(header, 24)),
        };
        let known = matches!(frame.op, arp::REQUEST | arp::REPLY);
        if !known || frame.to.is_multicast() || frame.to.is_loopback() {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(NET_RX_DROP);
        }
        let netns = self.topology.dev(dev).netns;
        let ours = matches!(self.topology.lookup(netns, frame.to), Lookup::Local);
        let (mac, ip) = frame.from;
        let asks_us = frame.op == arp::REQUEST && ours;
        if ip.is_unspecified() {
            // duplicate address detection
            if asks_us {
                self.arp_send(arp::REPLY, dev, (ip, mac), frame.to)?;
            }
        } else if asks_us && !self.topology.is_local(netns, ip) {
            // neigh_event_ns()
            self.neigh_update(dev, ip.into(), mac, false, true)?;
            self.arp_send(arp::REPLY, dev, (ip, mac), frame.to)?;
        } else if self.knows(dev, ip.into()) {
            let reachable = frame.op == arp::REPLY && self.skb(no).pkt_type == PacketType::Host;
            self.neigh_update(dev, ip.into(), mac, reachable, false)?;
        }
        self.consume_skb(no)?;
        Ok(NET_RX_SUCCESS)
    }

    /// `arp_solicit()`: the question goes to all on the link, from the packet's own sender when that is this host,
    /// else from an address of the device.
    pub(super) fn arp_solicit(&mut self, no: SkbNo, dev: DevId, target: Ipv4Addr) -> Run<()> {
        self.traced("arp_solicit", FILE, no, |k| {
            let netns = k.topology.dev(dev).netns;
            let saddr = k.ip_hdr_addr(no, 12);
            let from = match k.topology.is_local(netns, saddr) {
                true => saddr,
                false => k.topology.select_addr(dev, target),
            };
            k.arp_send_frame(
                arp::REQUEST,
                dev,
                (target, [0; 6], ethernet::BROADCAST),
                from,
            )
        })
    }

    fn arp_send(
        &mut self,
        op: u16,
        dev: DevId,
        (ip, mac): (Ipv4Addr, Mac),
        from: Ipv4Addr,
    ) -> Run<()> {
        self.arp_send_frame(op, dev, (ip, mac, mac), from)
    }

    /// `arp_send_dst()`, `arp_create()` and `arp_xmit()`: a frame to `ip`, whose address is `target` as far as it is
    /// known, by way of `dest`.
    fn arp_send_frame(
        &mut self,
        op: u16,
        dev: DevId,
        (ip, target, dest): (Ipv4Addr, Mac, Mac),
        from: Ipv4Addr,
    ) -> Run<()> {
        let device = self.topology.dev(dev);
        if device.is_noarp() {
            return Ok(());
        }
        let (room, own) = (device.ll_reserved_space(), device.mac);
        let no = self.alloc_skb(arp::HLEN + room);
        let skb = self.skb_mut(no);
        skb.reserve(room);
        skb.reset_network_header();
        skb.put(arp::HLEN);
        skb.dev = Some(dev);
        skb.protocol = ethernet::P_ARP;
        self.dev_hard_header(no, dev, dest)?;
        let bytes = arp::frame(op, (own, from), (target, ip));
        let at = u32::from(self.skb(no).network_header);
        let label = match op {
            arp::REQUEST => format!("ARP: who has {ip}?"),
            _ => format!("ARP: {from} is here"),
        };
        self.write_header(no, at, &bytes, Layer::Payload, label, "arp_create");
        self.dev_queue_xmit(no)?;
        Ok(())
    }

    /// `__neigh_lookup()`: whether there is an entry, in whatever state.
    pub(super) fn knows(&self, dev: DevId, ip: IpAddr) -> bool {
        let configured = self.topology.configured_neighbour(dev, ip);
        configured.is_some() || self.neighbours.contains_key(&(dev, ip))
    }
}
