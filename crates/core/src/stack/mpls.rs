//! MPLS: `net/mpls/af_mpls.c`, `net/mpls/mpls_iptunnel.c`, and `net/core/lwtunnel.c`.

use std::net::Ipv4Addr;

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be32;
use crate::net::mpls::{self, Entry};
use crate::net::{ethernet, ipv4};
use crate::scenario::command::RouteEncap;
use crate::scenario::topology::{DevId, Route};
use crate::skb::PacketType;
use crate::trace::{Layer, SkbNo};

impl Kernel {
    /// `mpls_forward()`: pops the label and sends the packet to the label's device.
    pub(super) fn mpls_forward(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("mpls_forward", "net/mpls/af_mpls.c", no, |k| {
            match k.mpls_pop(no)? {
                Some(out) => {
                    // neigh_xmit(NEIGH_LINK_TABLE): to the device's own address
                    let mac = k.topology.dev(out).mac;
                    k.eth_header(no, out, mac)?;
                    k.dev_queue_xmit(no)?;
                    Ok(NET_RX_SUCCESS)
                }
                None => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    Ok(NET_RX_DROP)
                }
            }
        })
    }

    /// `None`: the packet is refused.
    fn mpls_pop(&mut self, no: SkbNo) -> Run<Option<DevId>> {
        let skb = self.skb(no);
        let (Some(dev), data) = (skb.dev, skb.data) else {
            return Ok(None);
        };
        let netns = self.topology.netns_of(dev);
        let key = format!(
            "net.mpls.conf.{}.input",
            self.topology.dev(dev).name.replace('.', "/")
        );
        let refused = !netns.flag(&key) || skb.pkt_type != PacketType::Host || skb.len < mpls::HLEN;
        let entry = Entry::decode(be32(self.bytes(no, data, mpls::HLEN), 0));
        let route = netns.mpls.iter().rev().find(|(l, _)| *l == entry.label);
        let Some((_, out)) = route.copied().filter(|_| !refused) else {
            return Ok(None);
        };
        let skb = self.skb_mut(no);
        skb.dst = None;
        skb.pull(mpls::HLEN)?;
        skb.reset_network_header();
        self.skb_forward_csum(no);
        if entry.ttl <= 1 {
            return Ok(None);
        }
        let device = self.topology.dev(out);
        if !device.up || self.skb(no).len > device.mtu {
            return Ok(None);
        }
        let room = device.ll_reserved_space();
        self.skb_cow_head(no, room)?;
        let skb = self.skb_mut(no);
        skb.dev = Some(out);
        skb.protocol = mpls::P_MPLS_UC;
        if !entry.bos {
            return Ok(Some(out));
        }
        self.mpls_egress(no, entry.ttl - 1)
            .map(|sent| sent.then_some(out))
    }

    /// `mpls_egress()`: behind the last label is an IP packet, which takes the label's ttl
    /// (`net.mpls.ip_ttl_propagate`, on by default).
    fn mpls_egress(&mut self, no: SkbNo, ttl: u8) -> Run<bool> {
        let at = u32::from(self.skb(no).network_header);
        match self.bytes(no, at, 1).first().map(|first| first >> 4) {
            Some(4) if self.skb(no).len >= ipv4::HLEN => {}
            Some(6) => return not_covered("mpls_egress: an IPv6 packet"),
            _ => return Ok(false),
        }
        self.skb_mut(no).protocol = ethernet::P_IP;
        let head = self.skb(no).head;
        self.buffers.patch(head, at + 8, &[ttl]);
        self.ip_fix_check(no, at);
        Ok(true)
    }

    /// `lwtunnel_xmit()` (`net/core/lwtunnel.c`): the route puts something around the packet. Since 7.2 metadata
    /// are cleared first (patch-series.md, section 5).
    pub(super) fn lwtunnel_xmit(
        &mut self,
        no: SkbNo,
        route: Route,
        encap: RouteEncap,
        next_hop: Ipv4Addr,
    ) -> Run<i64> {
        self.traced("lwtunnel_xmit", "net/core/lwtunnel.c", no, |k| {
            k.skb_metadata_clear(no);
            match encap {
                RouteEncap::Mpls { label } => k.mpls_xmit(no, route, label, next_hop),
            }
        })
    }

    /// `mpls_xmit()`: pushes a label; its ttl is that of the IP packet.
    fn mpls_xmit(&mut self, no: SkbNo, route: Route, label: u32, next_hop: Ipv4Addr) -> Run<i64> {
        /// `LWTUNNEL_XMIT_DONE`.
        const DONE: i64 = 0;
        self.traced("mpls_xmit", "net/mpls/mpls_iptunnel.c", no, |k| {
            k.skb_forward_csum(no);
            let at = u32::from(k.skb(no).network_header);
            let ttl = k.bytes(no, at + 8, 1).first().copied().unwrap_or(0);
            let room = k.topology.dev(route.dev).ll_reserved_space() + mpls::HLEN;
            k.skb_cow_head(no, room)?;
            let skb = k.skb_mut(no);
            skb.inner_network_header = skb.data as u16;
            skb.push(mpls::HLEN)?;
            skb.reset_network_header();
            skb.dev = Some(route.dev);
            skb.protocol = mpls::P_MPLS_UC;
            let entry = Entry {
                label,
                ttl,
                tc: 0,
                bos: true,
            };
            let (at, bytes) = (k.skb(no).data, entry.encode().to_be_bytes());
            let (layer, text) = (Layer::Mpls, format!("MPLS label {label}"));
            k.write_header(no, at, &bytes, layer, text, "mpls_xmit");
            k.neigh_output_uncached(no, route.dev, next_hop)?;
            Ok(DONE)
        })
    }
}
