//! Cutting packets, IP: `inet_gso_segment()` (`net/ipv4/af_inet.c`), `ipv6_gso_segment()` (`net/ipv6/ip6_offload.c`), and
//! the packets whose segments are too long for a device nevertheless (`ip_finish_output_gso()`).

use super::gso::{GsoCb, Segmented};
use super::ip_tunnel::IP_TUNNEL_RECURSION_LIMIT;
use super::skb_own::ENOMEM;
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::dissect::be16;
use crate::net::{ipv4, ipv6};
use crate::scenario::topology::{DevId, Route, Route6};
use crate::skb::{Features, gso};
use crate::trace::SkbNo;

/// Where an IP header is, and how the ids of its segments are counted.
struct Outer {
    /// From the MAC header, bytes.
    nhoff: u32,
    /// It is the header inside of a tunnel.
    encap: bool,
}

impl Kernel {
    /// `gso_recursion_inc_test()`.
    fn gso_too_deep(cb: &mut GsoCb) -> bool {
        cb.recursion_counter += 1;
        cb.recursion_counter > IP_TUNNEL_RECURSION_LIMIT
    }

    /// `inet_gso_segment()`: length, id and checksum of the header in each segment.
    pub(super) fn inet_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        mut features: Features,
    ) -> Run<Segmented> {
        let mut result = Segmented::Failed;
        self.traced("inet_gso_segment", "net/ipv4/af_inet.c", no, |k| {
            let skb = k.skb_mut(no);
            skb.reset_network_header();
            let nhoff = skb.mac_header_len();
            if Self::gso_too_deep(cb) || !k.pskb_may_pull(no, ipv4::HLEN)? {
                return Ok(None);
            }
            let header = k.bytes(no, k.skb(no).data, ipv4::HLEN).to_vec();
            let ihl = u32::from(header.first().copied().unwrap_or(0) & 0x0f) * 4;
            if ihl < ipv4::HLEN || !k.pskb_may_pull(no, ihl)? {
                return Ok(None);
            }
            k.skb_mut(no).pull(ihl)?;
            let encap = cb.encap_level > 0;
            if encap {
                features &= k.features_inside(no);
            }
            cb.encap_level += ihl;
            k.skb_mut(no).reset_transport_header();
            let gso_type = k.buffers.get(k.skb(no).head).shinfo.gso_type;
            let fixed = match encap {
                true => gso::TCP_FIXEDID_INNER,
                false => gso::TCP_FIXEDID,
            };
            let protocol = header.get(9).copied().unwrap_or(0);
            result = match protocol {
                ipv4::PROTO_TCP => k.tcp4_gso_segment(no, cb, features)?,
                ipv4::PROTO_UDP => k.udp_gso_segment(no, cb, features)?,
                ipv4::PROTO_GRE => k.gre_gso_segment(no, cb, features)?,
                ipv4::PROTO_IPIP if gso_type & gso::IPXIP4 != 0 => {
                    k.inet_gso_segment(no, cb, features)?
                }
                ipv6::NEXTHDR_IPV6 if gso_type & gso::IPXIP4 != 0 => {
                    k.ipv6_gso_segment(no, cb, features)?
                }
                _ => Segmented::Failed,
            };
            let outer = Outer { nhoff, encap };
            k.restore_network_header(no, &outer, &result);
            if let Segmented::Into(list) = &result {
                let id = (gso_type & fixed == 0).then(|| be16(&header, 4));
                k.inet_complete_segments(list, &outer, id);
            }
            Ok(result.first())
        })?;
        Ok(result)
    }

    /// A packet that is not cut is as it was.
    fn restore_network_header(&mut self, no: SkbNo, outer: &Outer, result: &Segmented) {
        if *result == Segmented::Not {
            let skb = self.skb_mut(no);
            skb.network_header = skb.mac_header.wrapping_add(outer.nhoff as u16);
        }
    }

    /// The headers of the segments; `id` is that of the first, if they count.
    fn inet_complete_segments(&mut self, list: &[SkbNo], outer: &Outer, mut id: Option<u16>) {
        for segment in list {
            let skb = self.skb_mut(*segment);
            let at = u32::from(skb.mac_header) + outer.nhoff;
            let tot_len = (skb.len - outer.nhoff) as u16;
            let head = skb.head;
            if let Some(id) = &mut id {
                self.buffers.patch(head, at + 4, &id.to_be_bytes());
                // a segment may be a merged packet itself
                *id = id.wrapping_add(self.buffers.get(head).shinfo.packets());
            }
            self.buffers.patch(head, at + 2, &tot_len.to_be_bytes());
            self.ip_fix_check(*segment, at);
            self.complete_segment(*segment, at, outer.encap);
        }
    }

    fn complete_segment(&mut self, segment: SkbNo, at: u32, encap: bool) {
        let skb = self.skb_mut(segment);
        if encap {
            skb.reset_inner_headers();
        }
        skb.network_header = at as u16;
        skb.reset_mac_len();
    }

    /// `ipv6_gso_segment()`: the length of the payload in each segment. Extension headers are copied with the rest.
    pub(super) fn ipv6_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        mut features: Features,
    ) -> Run<Segmented> {
        let mut result = Segmented::Failed;
        self.traced("ipv6_gso_segment", "net/ipv6/ip6_offload.c", no, |k| {
            let skb = k.skb_mut(no);
            skb.reset_network_header();
            let nhoff = skb.mac_header_len();
            if Self::gso_too_deep(cb) || !k.pskb_may_pull(no, ipv6::HLEN)? {
                return Ok(None);
            }
            let encap = cb.encap_level > 0;
            if encap {
                features &= k.features_inside(no);
            }
            cb.encap_level += ipv6::HLEN;
            let first = k.bytes(no, k.skb(no).data + 6, 1).first().copied();
            k.skb_mut(no).pull(ipv6::HLEN)?;
            let protocol = k.ipv6_gso_pull_exthdrs(no, first.unwrap_or(ipv6::NEXTHDR_NONE))?;
            k.skb_mut(no).reset_transport_header();
            let gso_type = k.buffers.get(k.skb(no).head).shinfo.gso_type;
            result = match protocol {
                ipv4::PROTO_TCP => k.tcp6_gso_segment(no, cb, features)?,
                ipv4::PROTO_UDP => k.udp_gso_segment(no, cb, features)?,
                ipv4::PROTO_GRE => k.gre_gso_segment(no, cb, features)?,
                ipv4::PROTO_IPIP if gso_type & gso::IPXIP6 != 0 => {
                    k.inet_gso_segment(no, cb, features)?
                }
                ipv6::NEXTHDR_IPV6 if gso_type & gso::IPXIP6 != 0 => {
                    k.ipv6_gso_segment(no, cb, features)?
                }
                _ => Segmented::Failed,
            };
            let outer = Outer { nhoff, encap };
            k.restore_network_header(no, &outer, &result);
            if let Segmented::Into(list) = &result {
                k.ipv6_complete_segments(list, &outer);
            }
            Ok(result.first())
        })?;
        Ok(result)
    }

    fn ipv6_complete_segments(&mut self, list: &[SkbNo], outer: &Outer) {
        for segment in list {
            let skb = self.skb(*segment);
            let at = u32::from(skb.mac_header) + outer.nhoff;
            let payload_len = (skb.len - outer.nhoff - ipv6::HLEN) as u16;
            self.buffers
                .patch(skb.head, at + 4, &payload_len.to_be_bytes());
            let skb = self.skb_mut(*segment);
            skb.network_header = at as u16;
            skb.reset_mac_len();
            if outer.encap {
                skb.reset_inner_headers();
            }
        }
    }

    /// `ipv6_gso_pull_exthdrs()`: past extension headers; gives the protocol behind them.
    fn ipv6_gso_pull_exthdrs(&mut self, no: SkbNo, first: u8) -> Run<u8> {
        let mut protocol = first;
        while matches!(
            protocol,
            ipv6::NEXTHDR_HOP | ipv6::NEXTHDR_ROUTING | ipv6::NEXTHDR_DEST
        ) {
            if !self.pskb_may_pull(no, 8)? {
                break;
            }
            let &[next, hdrlen] = self.bytes(no, self.skb(no).data, 2) else {
                break;
            };
            let len = (u32::from(hdrlen) + 1) * 8;
            if !self.pskb_may_pull(no, len)? {
                break;
            }
            protocol = next;
            self.skb_mut(no).pull(len)?;
        }
        Ok(protocol)
    }

    /// `ip_finish_output_gso()`: segments that are too long for the device are cut here, and put into fragments; with DF
    /// the sender is told, once for each.
    pub(super) fn ip_finish_output_gso(&mut self, no: SkbNo, route: Route, mtu: u32) -> Run<i64> {
        if self.skb_gso_validate_network_len(no, mtu) {
            return self.ip_finish_output2(no, route);
        }
        self.finish_segments(no, route.dev, |k, segment| {
            k.ip_fragment(segment, route, mtu)
        })
    }

    /// `ip6_finish_output_gso()` and `ip6_finish_output_gso_slowpath_drop()`: as with IPv4, but a last segment that fits
    /// is no fragment.
    pub(super) fn ip6_finish_output_gso(&mut self, no: SkbNo, route: Route6, mtu: u32) -> Run<i64> {
        if self.skb_gso_validate_network_len(no, mtu) {
            return self.ip6_finish_output2(no, route);
        }
        self.finish_segments(no, route.dev, |k, segment| match k.skb(segment).len > mtu {
            true => k.ip6_fragment(segment, route, mtu),
            false => k.ip6_finish_output2(segment, route),
        })
    }

    /// What both have in common: each segment goes on by itself, and the first error of one is the answer.
    fn finish_segments(
        &mut self,
        no: SkbNo,
        dev: DevId,
        mut finish: impl FnMut(&mut Self, SkbNo) -> Run<i64>,
    ) -> Run<i64> {
        let Segmented::Into(list) = self.skb_gso_segment_here(no, dev)? else {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(ENOMEM);
        };
        self.consume_skb(no)?;
        let mut ret = 0;
        for segment in list {
            let err = finish(self, segment)?;
            ret = if ret == 0 { err } else { ret };
        }
        Ok(ret)
    }
}
