//! Segment routing over IPv6: `net/ipv6/seg6_iptunnel.c`, and its end in `ipv6_srh_rcv()` (`net/ipv6/exthdrs.c`).

use std::net::Ipv6Addr;

use super::ip6_forward::Input6;
use super::ip6_input::Ext;
use super::ip6_output::Ipv6Header;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::addr6;
use crate::net::{ethernet, icmpv6, ipv4, ipv6};
use crate::scenario::command::Seg6Mode;
use crate::scenario::topology::{DevId, Segments};
use crate::skb::NOT_SET;
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv6/seg6_iptunnel.c";
/// `IPV6_SRCRT_TYPE_4`.
const SRCRT_TYPE_4: u8 = 4;
/// `IPPROTO_ETHERNET`.
const PROTO_ETHERNET: u8 = 143;
/// Where `nexthdr` is in the IPv6 header.
const NHOFF: u32 = 6;
/// Where `hop_limit` is.
const HOP_LIMIT: u32 = 7;
/// `-EINVAL`, `-ENETUNREACH`.
const EINVAL: i64 = -22;
const ENETUNREACH: i64 = -101;

/// `struct ipv6_sr_hdr` as iproute2 fills it for mode *encap*: the last segment first (RFC 8754, section 2).
fn segment_routing_header(nexthdr: u8, segments: &[Ipv6Addr]) -> Vec<u8> {
    let last = segments.len().saturating_sub(1) as u8;
    let mut header = vec![
        nexthdr,
        2 * segments.len() as u8,
        SRCRT_TYPE_4,
        last,
        last,
        0,
        0,
        0,
    ];
    header.extend(segments.iter().rev().flat_map(|segment| segment.octets()));
    header
}

/// `segments[first_segment]`: where the packet goes first.
fn active_segment(srh: &[u8]) -> Ipv6Addr {
    addr6(srh, 8 + 16 * usize::from(srh[4]))
}

impl Kernel {
    /// `seg6_input_core()`: encapsulated, then routed by the first segment as if received so.
    pub(super) fn seg6_input(&mut self, no: SkbNo, dev: DevId, segments: &Segments) -> Run<i64> {
        self.traced("seg6_input_core", FILE, no, |k| {
            if let Err(error) = k.seg6_do_srh(no, dev, segments)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(error);
            }
            let input = k.ip6_route_input(no)?;
            if let Input6::Forward(route) = input {
                let room = k.topology.dev(route.dev).ll_reserved_space();
                k.skb_cow_head(no, room)?;
            }
            k.dst_input6(no, input, NHOFF)
        })
    }

    /// `seg6_output_core()`.
    pub(super) fn seg6_output(&mut self, no: SkbNo, dev: DevId, segments: &Segments) -> Run<i64> {
        self.traced("seg6_output_core", FILE, no, |k| {
            if let Err(error) = k.seg6_do_srh(no, dev, segments)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(error);
            }
            let daddr = k.ipv6_hdr_addr(no, 24);
            let netns = k.topology.dev(dev).netns;
            let Some(route) = k.topology.route6(netns, daddr) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENETUNREACH);
            };
            let room = k.topology.dev(route.dev).ll_reserved_space();
            k.skb_cow_head(no, room)?;
            let skb = k.skb_mut(no);
            skb.drop_dst();
            skb.set_dst6(Some(route));
            k.dst_output6(no)
        })
    }

    /// `seg6_do_srh()`: by the route's mode.
    fn seg6_do_srh(&mut self, no: SkbNo, dev: DevId, segments: &Segments) -> Run<Result<(), i64>> {
        let protocol = self.skb(no).protocol;
        match segments.mode {
            Seg6Mode::Inline => {
                if protocol != ethernet::P_IPV6 {
                    return Ok(Err(EINVAL));
                }
                // iproute2 leaves a place for the destination
                let rest = [Ipv6Addr::UNSPECIFIED];
                let list: Vec<Ipv6Addr> = segments.list.iter().copied().chain(rest).collect();
                self.seg6_do_srh_inline(no, segment_routing_header(0, &list))?;
            }
            Seg6Mode::Encap | Seg6Mode::EncapRed => {
                self.iptunnel_handle_offloads(no, crate::skb::gso::IPXIP6)?;
                let proto = match protocol {
                    ethernet::P_IPV6 => ipv6::NEXTHDR_IPV6,
                    ethernet::P_IP => ipv4::PROTO_IPIP,
                    _ => return Ok(Err(EINVAL)),
                };
                self.seg6_do_srh_around(no, dev, segments, proto)?;
                let skb = self.skb_mut(no);
                skb.inner_transport_header = skb.transport_header;
                skb.inner_protocol = skb.protocol;
                skb.protocol = ethernet::P_IPV6;
            }
            Seg6Mode::L2Encap | Seg6Mode::L2EncapRed => {
                let skb = self.skb(no);
                let mac_len = u32::from(skb.mac_len);
                if skb.mac_header == NOT_SET {
                    return Ok(Err(EINVAL));
                }
                self.pskb_expand_head(no, mac_len, 0)?;
                self.skb_mac_header_rebuild(no, mac_len);
                self.skb_mut(no).push(mac_len)?;
                self.seg6_do_srh_around(no, dev, segments, PROTO_ETHERNET)?;
                self.skb_mut(no).protocol = ethernet::P_IPV6;
            }
        }
        let skb = self.skb_mut(no);
        skb.transport_header = (skb.data + ipv6::HLEN) as u16;
        Ok(Ok(()))
    }

    /// Around the packet, with all segments or without the first.
    fn seg6_do_srh_around(
        &mut self,
        no: SkbNo,
        dev: DevId,
        segments: &Segments,
        proto: u8,
    ) -> Run<()> {
        let srh = segment_routing_header(proto, &segments.list);
        match segments.mode.is_reduced() {
            true => self.seg6_do_srh_encap_red(no, dev, srh, proto),
            false => self.seg6_do_srh_encap(no, dev, srh, proto),
        }
    }

    /// `__seg6_do_srh_inline()`: the segment routing header goes between the IPv6 header and what follows; the
    /// destination becomes its last segment. It has a place for one.
    pub(super) fn seg6_do_srh_inline(&mut self, no: SkbNo, mut srh: Vec<u8>) -> Run<()> {
        let old = u32::from(self.skb(no).network_header);
        let nexthdr = self.bytes(no, old + NHOFF, 1).first().copied();
        let daddr = self.ipv6_hdr_addr(no, 24);
        srh[0] = nexthdr.unwrap_or(ipv6::NEXTHDR_NONE);
        srh[8..24].copy_from_slice(&daddr.octets());
        let first = active_segment(&srh);
        let hdrlen = srh.len() as u32;
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_cow_head(no, hdrlen + mac_len)?;
        let old = u32::from(self.skb(no).network_header);
        self.skb_postpull_rcsum(no, old, ipv6::HLEN);
        self.skb_mut(no).push(hdrlen)?;
        self.skb_mut(no).reset_network_header();
        self.skb_mac_header_rebuild(no, mac_len);
        let (head, at, len) = (self.skb(no).head, self.skb(no).data, self.skb(no).len);
        self.buffers.memmove(head, old, at, ipv6::HLEN);
        let (layer, label) = (Layer::Ipv6Ext, "IPv6 segment routing header".into());
        let writer = "__seg6_do_srh_inline";
        self.write_header(no, at + ipv6::HLEN, &srh, layer, label, writer);
        let payload_len = (len - ipv6::HLEN) as u16;
        self.buffers.patch(head, at + 4, &payload_len.to_be_bytes());
        self.buffers
            .patch(head, at + NHOFF, &[ipv6::NEXTHDR_ROUTING]);
        self.buffers.patch(head, at + 24, &first.octets());
        self.skb_postpush_rcsum(no, at, ipv6::HLEN + hdrlen, 0);
        Ok(())
    }

    /// `skb_mac_header_rebuild()`: the link header of a received packet moves in front of what was pushed.
    pub(super) fn skb_mac_header_rebuild(&mut self, no: SkbNo, mac_len: u32) {
        let skb = self.skb_mut(no);
        let (at, head, old) = (skb.data, skb.head, skb.mac_header);
        if old != NOT_SET && at >= mac_len {
            skb.mac_header = (at - mac_len) as u16;
            self.buffers
                .memmove(head, u32::from(old), at - mac_len, mac_len);
        }
    }

    /// `__seg6_do_srh_encap()`: IPv6 header and segment routing header in front; `proto` is what is inside.
    pub(super) fn seg6_do_srh_encap(
        &mut self,
        no: SkbNo,
        dev: DevId,
        mut srh: Vec<u8>,
        proto: u8,
    ) -> Run<()> {
        srh[0] = proto;
        let daddr = active_segment(&srh);
        self.seg6_push(
            no,
            dev,
            daddr,
            (ipv6::NEXTHDR_ROUTING, &srh),
            "__seg6_do_srh_encap",
        )
    }

    /// `seg6_do_srh_encap_red()`: the first segment is the destination and is left out; of one segment alone nothing is left,
    /// so that the packet has no segment routing header.
    fn seg6_do_srh_encap_red(
        &mut self,
        no: SkbNo,
        dev: DevId,
        mut srh: Vec<u8>,
        proto: u8,
    ) -> Run<()> {
        const SEGMENT: usize = 16;
        let daddr = active_segment(&srh);
        let mut nexthdr = ipv6::NEXTHDR_ROUTING;
        if srh[4] == 0 {
            (nexthdr, srh) = (proto, Vec::new());
        } else {
            srh.truncate(srh.len() - SEGMENT);
            srh[0] = proto;
            srh[1] -= 2;
            srh[4] -= 1;
        }
        self.seg6_push(no, dev, daddr, (nexthdr, &srh), "seg6_do_srh_encap_red")
    }

    /// What both have in common: an IPv6 header, and a segment routing header behind it where there is one.
    fn seg6_push(
        &mut self,
        no: SkbNo,
        dev: DevId,
        daddr: Ipv6Addr,
        (nexthdr, srh): (u8, &[u8]),
        writer: &'static str,
    ) -> Run<()> {
        let inside_is_ipv6 = self.skb(no).protocol == ethernet::P_IPV6;
        let total = ipv6::HLEN + srh.len() as u32;
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_cow_head(no, total + mac_len)?;
        let inner = u32::from(self.skb(no).network_header);
        let (tclass, hop_limit) = match inside_is_ipv6 {
            true => (
                self.ipv6_dsfield(no, inner),
                self.bytes(no, inner + 7, 1).first().copied().unwrap_or(0),
            ),
            false => (0, super::ip6_output::DEFAULT_HOP_LIMIT),
        };
        let netns = self.topology.dev(dev).netns;
        // set_tun_src()
        let Some(saddr) = self.topology.source6(netns, dev, daddr) else {
            return not_covered("set_tun_src: this host has no IPv6 address");
        };
        let flowlabel = match inside_is_ipv6 {
            true => crate::net::dissect::be32(self.bytes(no, inner, 4), 0) & 0x000f_ffff,
            false => 0,
        };
        let skb = self.skb_mut(no);
        skb.push(total)?;
        skb.reset_network_header();
        let (at, len) = (skb.data, skb.len);
        self.skb_mac_header_rebuild(no, mac_len);
        let header = Ipv6Header {
            tclass,
            flowlabel,
            nexthdr,
            hop_limit,
            saddr,
            daddr,
        };
        let bytes = header.bytes((len - ipv6::HLEN) as u16);
        self.write_ipv6(no, at, &bytes, writer);
        if !srh.is_empty() {
            let (layer, label) = (Layer::Ipv6Ext, "IPv6 segment routing header".into());
            self.write_header(no, at + ipv6::HLEN, srh, layer, label, writer);
        }
        self.skb_postpush_rcsum(no, at, total, 0);
        Ok(())
    }

    /// `ipv6_srh_rcv()`: the next segment, or the end: then the inner packet is received anew. Its MAC header stays
    /// the outer one's, so metadata are still in front of it.
    pub(super) fn ipv6_srh_rcv(&mut self, no: SkbNo, srh: &[u8]) -> Run<Ext> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(Ext::Gone);
        };
        let netns = self.topology.netns_of(dev);
        let name = self.topology.dev(dev).name.replace('.', "/");
        let own = format!("net.ipv6.conf.{name}.seg6_enabled");
        if !netns.flag("net.ipv6.conf.all.seg6_enabled") || !netns.flag(&own) {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(Ext::Gone);
        }
        let mut left = srh[3];
        while left != 0 {
            if left >= srh[1] >> 1 {
                let skb = self.skb(no);
                let at = skb.transport_header.wrapping_sub(skb.network_header);
                self.icmp6_send(no, icmpv6::PARAMPROB, icmpv6::HDR_FIELD, u32::from(at) + 3)?;
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(Ext::Gone);
            }
            self.skb_unclone(no)?;
            left -= 1;
            let input = self.next_segment(no, srh, left)?;
            if input != Input6::Local {
                self.dst_input6(no, input, NHOFF)?;
                return Ok(Ext::Gone);
            }
            if !self.looped_back(no)? {
                return Ok(Ext::Gone);
            }
        }
        self.segments_end(no, dev, srh)
    }

    /// Number `left` of the list is the destination from now on; where that leads. `data` is at the IPv6 header.
    fn next_segment(&mut self, no: SkbNo, srh: &[u8], left: u8) -> Run<Input6> {
        let skb = self.skb(no);
        let (head, at) = (skb.head, u32::from(skb.transport_header));
        let back = skb.data - u32::from(skb.network_header);
        let next = addr6(srh, 8 + 16 * usize::from(left));
        self.buffers.patch(head, at + 3, &[left]);
        let skb = self.skb_mut(no);
        skb.push(back)?;
        let data = skb.data;
        self.buffers.patch(head, data + 24, &next.octets());
        self.ip6_route_input(no)
    }

    /// `ipv6_srh_rcv()`, *looped_back*: the next segment is this host too, a hop like any other. Whether the packet is
    /// still there; `data` is at the routing header again.
    fn looped_back(&mut self, no: SkbNo) -> Run<bool> {
        let skb = self.skb(no);
        let (head, data) = (skb.head, skb.data);
        let at = u32::from(skb.transport_header) - data;
        let hop_limit = self
            .bytes(no, data + HOP_LIMIT, 1)
            .first()
            .copied()
            .unwrap_or(0);
        if hop_limit <= 1 {
            self.icmp6_send(no, icmpv6::TIME_EXCEED, 0, 0)?;
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(false);
        }
        self.buffers.patch(head, data + HOP_LIMIT, &[hop_limit - 1]);
        self.skb_mut(no).pull(at)?;
        Ok(true)
    }

    /// The last segment: what is behind the header is received as a packet of the same device.
    fn segments_end(&mut self, no: SkbNo, dev: DevId, srh: &[u8]) -> Run<Ext> {
        let protocol = match srh[0] {
            ipv6::NEXTHDR_IPV6 => ethernet::P_IPV6,
            ipv4::PROTO_IPIP => ethernet::P_IP,
            _ => return Ok(self.past_ext_header(no, srh.len() as u32)),
        };
        self.postpull_network_header(no);
        self.skb_pull_rcsum(no, srh.len() as u32)?;
        let skb = self.skb_mut(no);
        skb.reset_network_header();
        skb.reset_transport_header();
        skb.encapsulation = false;
        skb.protocol = protocol;
        skb.dev = Some(dev);
        self.skb_scrub_packet(no, false)?;
        self.netif_rx(no)?;
        Ok(Ext::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8754, section 2: 8 bytes and 16 for each segment, in units of 8 without the first; the first segment is the
    /// last in the list.
    #[test]
    fn a_segment_routing_header() {
        let segments = [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED];
        let header = segment_routing_header(41, &segments);
        assert_eq!(header.len(), 8 + 32);
        assert_eq!(header[..8], [41, 4, 4, 1, 1, 0, 0, 0]);
        assert_eq!((header[23], header[39]), (0, 1));
    }
}
