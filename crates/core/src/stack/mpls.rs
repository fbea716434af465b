//! MPLS: `net/mpls/af_mpls.c` and `net/mpls/mpls_iptunnel.c`.

use std::net::IpAddr;

use super::dev_rx::{NET_RX_DROP, NET_RX_SUCCESS};
use super::lwtunnel::LWTUNNEL_XMIT_DONE;
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::dissect::be32;
use crate::net::mpls::{self, Entry};
use crate::net::{ethernet, ipv4, ipv6};
use crate::scenario::topology::{DevId, MplsRoute};
use crate::skb::PacketType;
use crate::trace::{Layer, SkbNo};
use crate::xdp::EINVAL;

impl Kernel {
    /// `mpls_forward()`: pops the label, pushes those that take its place, and sends the packet on.
    pub(super) fn mpls_forward(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("mpls_forward", "net/mpls/af_mpls.c", no, |k| {
            match k.mpls_pop(no)? {
                Some(MplsRoute { dev, via, .. }) => {
                    if let Some(via) = via {
                        k.neigh_output_uncached(no, dev, via.into())?;
                    } else {
                        // neigh_xmit(NEIGH_LINK_TABLE): to the device's own address
                        let mac = k.topology.dev(dev).mac;
                        k.dev_hard_header(no, dev, mac)?;
                        k.dev_queue_xmit(no)?;
                    }
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
    fn mpls_pop(&mut self, no: SkbNo) -> Run<Option<MplsRoute>> {
        self.pskb_may_pull(no, mpls::HLEN)?;
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
        let route = netns.mpls.iter().rev().find(|r| r.label == entry.label);
        let Some(route) = route.copied().filter(|_| !refused) else {
            return Ok(None);
        };
        let skb = self.skb_mut(no);
        skb.drop_dst();
        skb.pull(mpls::HLEN)?;
        skb.reset_network_header();
        self.skb_forward_csum(no);
        if entry.ttl <= 1 {
            return Ok(None);
        }
        let (device, pushed) = (self.topology.dev(route.dev), route.out.bytes());
        if !device.up || self.exceeds_mtu(no, device.mtu.saturating_sub(pushed)) {
            return Ok(None);
        }
        let room = match device.has_header_ops() {
            true => device.ll_reserved_space(),
            false => 0,
        };
        self.skb_cow_head(no, room + pushed)?;
        let skb = self.skb_mut(no);
        skb.dev = Some(route.dev);
        skb.protocol = mpls::P_MPLS_UC;
        if pushed == 0 && entry.bos {
            let sent = self.mpls_egress(no, entry.ttl - 1)?;
            return Ok(sent.then_some(route));
        }
        self.mpls_push(no, route.out, entry.ttl - 1, entry.bos, "mpls_forward")?;
        Ok(Some(route))
    }

    /// Writes labels in front of the packet; none is possible.
    fn mpls_push(
        &mut self,
        no: SkbNo,
        labels: mpls::Labels,
        ttl: u8,
        bos: bool,
        writer: &str,
    ) -> Run<()> {
        let skb = self.skb_mut(no);
        skb.push(labels.bytes())?;
        skb.reset_network_header();
        let at = skb.data;
        for (i, bytes) in labels
            .encode(ttl, bos)
            .chunks(mpls::HLEN as usize)
            .enumerate()
        {
            let label = labels.get().get(i).copied().unwrap_or(0);
            let (at, text) = (at + i as u32 * mpls::HLEN, format!("MPLS label {label}"));
            self.write_header(no, at, bytes, Layer::Mpls, text, writer);
        }
        Ok(())
    }

    /// `mpls_egress()`: behind the last label is an IP packet, which takes the label's ttl
    /// (`net.mpls.ip_ttl_propagate`, on by default).
    fn mpls_egress(&mut self, no: SkbNo, ttl: u8) -> Run<bool> {
        let at = u32::from(self.skb(no).network_header);
        match self.packet(no, 0, 1).first().map(|first| first >> 4) {
            Some(4) if self.pskb_may_pull(no, ipv4::HLEN)? => {}
            Some(6) if self.pskb_may_pull(no, ipv6::HLEN)? => {
                self.skb_mut(no).protocol = ethernet::P_IPV6;
                let head = self.skb(no).head;
                self.buffers.patch(head, at + 7, &[ttl]);
                return Ok(true);
            }
            _ => return Ok(false),
        }
        self.skb_mut(no).protocol = ethernet::P_IP;
        let head = self.skb(no).head;
        self.buffers.patch(head, at + 8, &[ttl]);
        self.ip_fix_check(no, at);
        Ok(true)
    }

    /// `mpls_xmit()`: pushes labels; their ttl is that of the IP packet.
    pub(super) fn mpls_xmit(
        &mut self,
        no: SkbNo,
        out: DevId,
        labels: mpls::Labels,
        next_hop: IpAddr,
    ) -> Run<i64> {
        self.traced("mpls_xmit", "net/mpls/mpls_iptunnel.c", no, |k| {
            k.skb_forward_csum(no);
            let at = u32::from(k.skb(no).network_header);
            // the hop limit of IPv6 is a byte before the ttl of IPv4
            let field = if k.skb(no).protocol == ethernet::P_IPV6 {
                7
            } else {
                8
            };
            let ttl = k.bytes(no, at + field, 1).first().copied().unwrap_or(0);
            let device = k.topology.dev(out);
            let room = device.ll_reserved_space() + labels.bytes();
            // mpls_pkt_too_big()
            if k.exceeds_mtu(no, device.mtu.saturating_sub(labels.bytes())) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(EINVAL);
            }
            k.skb_cow_head(no, room)?;
            let skb = k.skb_mut(no);
            skb.inner_network_header = skb.data as u16;
            skb.inner_protocol = skb.protocol;
            skb.dev = Some(out);
            skb.protocol = mpls::P_MPLS_UC;
            k.mpls_push(no, labels, ttl, true, "mpls_xmit")?;
            k.neigh_output_uncached(no, out, next_hop)?;
            Ok(LWTUNNEL_XMIT_DONE)
        })
    }
}
