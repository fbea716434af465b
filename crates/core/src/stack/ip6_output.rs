//! `net/ipv6/ip6_output.c` and `net/ipv6/output_core.c`.

use std::net::Ipv6Addr;

use super::lwtunnel::LWTUNNEL_XMIT_CONTINUE;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{Start, dissect, ipv6_label};
use crate::net::{ethernet, ipv6};
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{NetnsId, Route6};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv6/ip6_output.c";
const CORE: &str = "net/ipv6/output_core.c";
/// `sizeof(struct frag_hdr)`: room for a fragment header that `__ip6_append_data()` always leaves, bytes.
const FRAG_HDR: u32 = 8;
/// `net.ipv6.conf.all.hop_limit` (`ip6_dst_hoplimit()`).
pub(super) const DEFAULT_HOP_LIMIT: u8 = 64;
/// The flow label that a kernel makes of a hash with a random key (`ip6_make_flowlabel()`). The simulator always
/// takes this one.
const FLOW_LABEL: u32 = 0x0e5e5;

/// What a sender hands to `ip6_append_data()` and `ip6_push_pending_frames()`.
pub(super) struct Datagram6<'a> {
    pub saddr: Ipv6Addr,
    pub daddr: Ipv6Addr,
    pub protocol: u8,
    pub tclass: u8,
    pub hop_limit: u8,
    /// Transport header and payload.
    pub payload: &'a [u8],
    /// Kernel function that wrote the payload.
    pub writer: &'static str,
}

/// What an IPv6 header says, but for the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ipv6Header {
    pub tclass: u8,
    pub flowlabel: u32,
    pub nexthdr: u8,
    pub hop_limit: u8,
    pub saddr: Ipv6Addr,
    pub daddr: Ipv6Addr,
}

impl Ipv6Header {
    /// `ip6_flow_hdr()` and the assignments behind it.
    pub fn bytes(self, payload_len: u16) -> [u8; ipv6::HLEN as usize] {
        let mut header = [0; ipv6::HLEN as usize];
        let first = 0x6000_0000 | u32::from(self.tclass) << 20 | self.flowlabel;
        header[..4].copy_from_slice(&first.to_be_bytes());
        header[4..6].copy_from_slice(&payload_len.to_be_bytes());
        (header[6], header[7]) = (self.nexthdr, self.hop_limit);
        header[8..24].copy_from_slice(&self.saddr.octets());
        header[24..].copy_from_slice(&self.daddr.octets());
        header
    }
}

impl Kernel {
    /// `ip6_make_flowlabel()` for a packet that has none: a hash, unless `net.ipv6.auto_flowlabels` is 0.
    pub(super) fn ip6_auto_flowlabel(&self, netns: NetnsId) -> u32 {
        let set = |(key, _): &&(String, String)| key == "net.ipv6.auto_flowlabels";
        let off = self.topology.netns[netns.0]
            .sysctl
            .iter()
            .rev()
            .find(set)
            .is_some_and(|(_, value)| value.trim() == "0");
        if off { 0 } else { FLOW_LABEL }
    }

    /// `__ip6_append_data()` and `__ip6_make_skb()`: a datagram in a fresh buffer, IPv6 header in front. What is longer than
    /// the MTU goes on in others, in `frag_list`, so that each is as long as a fragment may be.
    pub(super) fn ip6_make_skb(&mut self, route: Route6, datagram: &Datagram6<'_>) -> Run<SkbNo> {
        let device = self.topology.dev(route.dev);
        let netns = device.netns;
        let mtu = device
            .mtu
            .saturating_sub(self.lwtunnel_headroom(route.encap));
        let len = ipv6::HLEN + datagram.payload.len() as u32;
        let first = match len > mtu {
            true => self.ip6_first_len(datagram, mtu)?,
            false => datagram.payload.len(),
        };
        let (payload, rest) = datagram.payload.split_at(first);
        let no = self.ip6_append_skb(route, payload.len() as u32);
        let skb = self.skb_mut(no);
        skb.set_dst6(Some(route));
        skb.ignore_df = true;
        let at = skb.data;
        let header = Ipv6Header {
            tclass: datagram.tclass,
            flowlabel: self.ip6_auto_flowlabel(netns),
            nexthdr: datagram.protocol,
            hop_limit: datagram.hop_limit,
            saddr: datagram.saddr,
            daddr: datagram.daddr,
        };
        self.write_ipv6(no, at, &header.bytes(0), "__ip6_make_skb");
        let mut packet = header.bytes(0).to_vec();
        packet.extend_from_slice(payload);
        for part in dissect(&packet, Start::Ipv6).parts.iter().skip(1) {
            let bytes = &packet[part.start..part.start + part.len];
            let (layer, label) = (part.layer, part.label.clone());
            self.write_header(
                no,
                at + part.start as u32,
                bytes,
                layer,
                label,
                datagram.writer,
            );
        }
        if !rest.is_empty() {
            self.ip6_append_rest(no, route, rest, first, datagram.writer)?;
        }
        Ok(no)
    }

    /// `maxfraglen` of `__ip6_append_data()`, without the IPv6 header: room for a fragment header is left.
    fn ip6_first_len(&self, datagram: &Datagram6<'_>, mtu: u32) -> Run<usize> {
        const MAX_PAYLOAD: usize = 65_535;
        let space = (mtu.saturating_sub(ipv6::HLEN) & !7).saturating_sub(FRAG_HDR);
        if space == 0 || datagram.payload.len() > MAX_PAYLOAD {
            return not_covered(format!(
                "__ip6_append_data: {} bytes with an MTU of {mtu} (EMSGSIZE)",
                datagram.payload.len()
            ));
        }
        Ok(space as usize)
    }

    /// One packet of `__ip6_append_data()`: `len` bytes behind room for an IPv6 header.
    fn ip6_append_skb(&mut self, route: Route6, len: u32) -> SkbNo {
        let hh_len = self.topology.dev(route.dev).ll_reserved_space();
        let len = ipv6::HLEN + len;
        let no = self.alloc_skb(len + hh_len + FRAG_HDR);
        let skb = self.skb_mut(no);
        skb.protocol = ethernet::P_IPV6;
        skb.reserve(hh_len + FRAG_HDR);
        skb.put(len);
        skb.reset_network_header();
        skb.transport_header = skb.network_header + ipv6::HLEN as u16;
        no
    }

    /// What of a datagram does not fit into the first packet (`size` bytes each), as `__ip6_make_skb()` leaves it.
    fn ip6_append_rest(
        &mut self,
        no: SkbNo,
        route: Route6,
        rest: &[u8],
        size: usize,
        writer: &'static str,
    ) -> Run<()> {
        for part in rest.chunks(size) {
            let member = self.ip6_append_skb(route, part.len() as u32);
            self.skb_mut(member).pull(ipv6::HLEN)?;
            let (at, label) = (self.skb(member).data, "payload".to_owned());
            self.write_header(member, at, part, Layer::Payload, label, writer);
            let skb = self.skb_mut(no);
            skb.len += part.len() as u32;
            skb.data_len += part.len() as u32;
            let head = skb.head;
            self.buffers.frag_list_mut(head).push(member);
        }
        Ok(())
    }

    /// Writes an IPv6 header.
    pub(super) fn write_ipv6(&mut self, no: SkbNo, at: u32, header: &[u8], writer: &str) {
        self.write_header(no, at, header, Layer::Ipv6, ipv6_label(header), writer);
    }

    /// `ip6_send_skb()`.
    pub(super) fn ip6_send_skb(&mut self, no: SkbNo) -> Run<i64> {
        self.skb_mut(no).from_socket = true;
        self.traced("ip6_send_skb", FILE, no, |k| k.ip6_local_out(no))
    }

    /// `ip6_local_out()`.
    pub(super) fn ip6_local_out(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip6_local_out", CORE, no, |k| {
            let passed = k.traced("__ip6_local_out", CORE, no, |k| {
                let skb = k.skb(no);
                let (head, at) = (skb.head, u32::from(skb.network_header));
                // what does not fit into 16 bits is said to be 0
                let len = u16::try_from(skb.len.saturating_sub(ipv6::HLEN)).unwrap_or(0);
                k.buffers.complete(head, at, at + 4, &len.to_be_bytes());
                k.skb_mut(no).protocol = ethernet::P_IPV6;
                let out = k.skb(no).dst6.map(|route| route.dev);
                k.nf_hook(no, NfState::ipv6(NfHook::LocalOut, None, out))
            })?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.dst_output6(no)
        })
    }

    /// `ip6_output()`: the output device is the route's.
    pub(super) fn ip6_output(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip6_output", FILE, no, |k| {
            let Some(route) = k.skb(no).dst6 else {
                return not_covered("ip6_output of a packet without route");
            };
            let skb = k.skb_mut(no);
            let input = skb.dev.replace(route.dev);
            skb.protocol = ethernet::P_IPV6;
            if !k.topology.ipv6_enabled(route.dev) {
                k.kfree_skb(no, drop_reason::IPV6DISABLED)?;
                return Ok(0);
            }
            let state = NfState::ipv6(NfHook::PostRouting, input, Some(route.dev));
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip6_finish_output", FILE, no, |k| {
                let more = match k.cgroup_egress(no)? {
                    Ok(more) => more,
                    Err(ret) => return Ok(ret),
                };
                let mtu = k.topology.dev(route.dev).mtu.max(ipv6::MIN_MTU);
                let mtu = mtu.saturating_sub(k.lwtunnel_headroom(route.encap));
                let sent = if k.skb_is_gso(no) {
                    k.ip6_finish_output_gso(no, route, mtu)?
                } else if k.skb(no).len > mtu {
                    k.ip6_fragment(no, route, mtu)?
                } else {
                    k.ip6_finish_output2(no, route)?
                };
                Ok(if sent == 0 { more } else { sent })
            })
        })
    }

    /// `ip6_finish_output2()`: room for the link header, then to the neighbour.
    pub(super) fn ip6_finish_output2(&mut self, no: SkbNo, route: Route6) -> Run<i64> {
        self.traced("ip6_finish_output2", FILE, no, |k| {
            let device = k.topology.dev(route.dev);
            // tunnels have header operations too (ip_tunnel_header_ops)
            let room = device.ll_reserved_space();
            if k.skb(no).headroom() < room {
                k.skb_expand_head(no, room)?;
            }
            let daddr = k.ipv6_hdr_addr(no, 24);
            if daddr.is_multicast() && !k.is_ndisc(no) {
                return not_covered(format!("ip6_finish_output2: {daddr} (multicast)"));
            }
            let next_hop = route.via.unwrap_or(daddr).into();
            // LWTUNNEL_STATE_XMIT_REDIRECT: segments were put around before
            if let Some(encap) = route.encap.filter(|encap| encap.has_xmit()) {
                let ret = k.lwtunnel_xmit(no, route.dev, encap, next_hop)?;
                if ret != LWTUNNEL_XMIT_CONTINUE {
                    return Ok(ret);
                }
            }
            k.neigh_output(no, route.dev, next_hop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8200, section 3: version 6, class b8, label 12345, length 8, next header 59, hop limit 64.
    #[test]
    fn a_header() {
        let header = Ipv6Header {
            tclass: 0xb8,
            flowlabel: 0x12345,
            nexthdr: 59,
            hop_limit: 64,
            saddr: Ipv6Addr::LOCALHOST,
            daddr: Ipv6Addr::UNSPECIFIED,
        };
        let bytes = header.bytes(8);
        assert_eq!(bytes[..8], [0x6b, 0x81, 0x23, 0x45, 0, 8, 59, 64]);
        assert_eq!((bytes[23], bytes[24]), (1, 0));
    }
}
