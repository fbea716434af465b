//! GRO of IP headers: `net/ipv4/af_inet.c`, `net/ipv6/ip6_offload.c`, and what those of two packets must have in common
//! (`include/net/gro.h`).

use super::gro::GroCb;
use super::{Kernel, Run};
use crate::net::dissect::{addr6, be16, be32};
use crate::net::{checksum, ipv4, ipv6};
use crate::trace::SkbNo;

/// Whether a protocol has a `gro_receive`: TCP, UDP, GRE, and IP in IP (`ipip_offload`, `sit_offload`, `ip6ip6_offload`,
/// `ip4ip6_offload`).
fn offloads(protocol: u8) -> bool {
    matches!(
        protocol,
        ipv4::PROTO_TCP | ipv4::PROTO_UDP | ipv4::PROTO_GRE | ipv4::PROTO_IPIP | ipv6::NEXTHDR_IPV6
    )
}

/// `INET6_PROTO_GSO_EXTHDR` (`net/ipv6/exthdrs_offload.c`).
fn is_exthdr(protocol: u8) -> bool {
    matches!(
        protocol,
        ipv6::NEXTHDR_HOP | ipv6::NEXTHDR_ROUTING | ipv6::NEXTHDR_DEST
    )
}

/// `ipv6_gro_flush()`: traffic class and hop limit must be equal.
fn ipv6_gro_flush(ip: &[u8], ip2: &[u8]) -> bool {
    (be32(ip, 0) ^ be32(ip2, 0)) & 0x0ff0_0000 != 0 || ip.get(7) != ip2.get(7)
}

impl Kernel {
    /// `inet_gro_receive()` (`net/ipv4/af_inet.c`).
    pub(super) fn inet_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        self.traced("inet_gro_receive", "net/ipv4/af_inet.c", no, |k| {
            let header = k.gro_header(no, cb, ipv4::HLEN)?;
            let left = k.skb(no).len.saturating_sub(cb.offset);
            let protocol = header.get(9).copied().unwrap_or(0);
            let plain = header.first() == Some(&0x45)
                && be16(&header, 6) & ipv4::FRAGMENT == 0
                && checksum::internet(&header) == 0;
            if !offloads(protocol) || !plain || header.len() < ipv4::HLEN as usize {
                cb.flush = true;
                return Ok(None);
            }
            let flush = u32::from(be16(&header, 2)) != left || be16(&header, 6) & !ipv4::DF != 0;
            let at = cb.offset;
            let same = |p: &SkbNo| {
                let other = k.bytes(*p, k.skb(*p).data + at, ipv4::HLEN);
                other.get(9) == header.get(9) && other.get(12..) == header.get(12..)
            };
            let flow = cb.flow.iter().filter(|p| same(p)).copied().collect();
            cb.flow = flow;
            cb.flush |= flush;
            cb.networks.push(at);
            cb.offset += ipv4::HLEN;
            let skb = k.skb_mut(no);
            skb.transport_header = (skb.data + cb.offset) as u16;
            let complete = k.gro_receive_transport(no, protocol, cb)?;
            cb.flush |= flush;
            Ok(complete)
        })
    }

    /// `ipv6_gro_receive()` (`net/ipv6/ip6_offload.c`): extension headers are passed, and must be equal byte by byte.
    pub(super) fn ipv6_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        self.traced("ipv6_gro_receive", "net/ipv6/ip6_offload.c", no, |k| {
            let at = cb.offset;
            let header = k.gro_header(no, cb, ipv6::HLEN)?;
            if header.len() < ipv6::HLEN as usize {
                cb.flush = true;
                return Ok(None);
            }
            let left = k.skb(no).len.saturating_sub(at + ipv6::HLEN);
            let flush = u32::from(be16(&header, 4)) != left;
            cb.networks.push(at);
            cb.offset += ipv6::HLEN;
            let protocol = k.ipv6_gro_pull_exthdrs(no, header[6], cb)?;
            if !offloads(protocol) {
                cb.flush = true;
                return Ok(None);
            }
            let skb = k.skb_mut(no);
            skb.transport_header = (skb.data + cb.offset) as u16;
            let nlen = cb.offset - at;
            let own = k.bytes(no, k.skb(no).data + at, nlen).to_vec();
            let same = |p: &SkbNo| {
                let other = k.bytes(*p, k.skb(*p).data + at, nlen);
                (be32(&own, 0) ^ be32(other, 0)) & 0xf00f_ffff == 0
                    && own.get(6) == other.get(6)
                    && own.get(8..) == other.get(8..)
            };
            let flow = cb.flow.iter().filter(|p| same(p)).copied().collect();
            cb.flow = flow;
            cb.flush |= flush;
            let complete = k.gro_receive_transport(no, protocol, cb)?;
            cb.flush |= flush;
            Ok(complete)
        })
    }

    /// `ipv6_gro_pull_exthdrs()`: past the extension headers that have offloads; gives the protocol behind them.
    fn ipv6_gro_pull_exthdrs(&mut self, no: SkbNo, first: u8, cb: &mut GroCb) -> Run<u8> {
        let mut protocol = first;
        while is_exthdr(protocol) {
            let header = self.gro_header(no, cb, 2)?;
            let &[next, hdrlen] = header.as_slice() else {
                break;
            };
            let len = (u32::from(hdrlen) + 1) * 8;
            if self.gro_header(no, cb, len)?.len() < len as usize {
                break;
            }
            protocol = next;
            cb.offset += len;
        }
        Ok(protocol)
    }

    /// The protocol behind an IP header. IP in IP is passed once (`ipip_gro_receive()`, `sit_ip6ip6_gro_receive()`,
    /// `ip4ip6_gro_receive()`).
    fn gro_receive_transport(
        &mut self,
        no: SkbNo,
        protocol: u8,
        cb: &mut GroCb,
    ) -> Run<Option<SkbNo>> {
        match protocol {
            ipv4::PROTO_TCP => self.tcp_gro_receive(no, cb),
            ipv4::PROTO_UDP => self.udp_gro_receive(no, cb),
            ipv4::PROTO_GRE => self.gre_gro_receive(no, cb),
            _ if cb.encap_mark => {
                cb.flush = true;
                Ok(None)
            }
            ipv6::NEXTHDR_IPV6 => {
                cb.encap_mark = true;
                self.ipv6_gro_receive(no, cb)
            }
            _ => {
                cb.encap_mark = true;
                self.inet_gro_receive(no, cb)
            }
        }
    }

    /// The innermost IP header that has been passed.
    fn gro_network_header(&self, no: SkbNo, cb: &GroCb) -> &[u8] {
        let at = self.skb(no).data + cb.networks.last().copied().unwrap_or(0);
        self.bytes(no, at, ipv6::HLEN)
    }

    /// Whether that is one of IPv6.
    pub(super) fn gro_is_ipv6(&self, no: SkbNo, cb: &GroCb) -> bool {
        self.gro_network_header(no, cb)
            .first()
            .map(|first| first >> 4)
            == Some(6)
    }

    /// `inet_gro_compute_pseudo()`, `ip6_gro_compute_pseudo()`: for what is left of the packet.
    pub(super) fn gro_compute_pseudo(&self, no: SkbNo, cb: &GroCb, protocol: u8) -> u16 {
        let left = self.skb(no).len.saturating_sub(cb.offset);
        pseudo_of(self.gro_network_header(no, cb), protocol, left)
    }

    /// `gro_receive_network_flush()`: whether the IP headers of two packets, at every level, keep them apart.
    pub(super) fn gro_network_flush(&mut self, p: SkbNo, no: SkbNo, networks: &[u32]) -> bool {
        let mut flush = false;
        for (level, at) in networks.iter().enumerate() {
            let header = |no: SkbNo| {
                let at = self.skb(no).data + at;
                self.bytes(no, at, ipv6::HLEN).to_vec()
            };
            let (ip, ip2) = (header(no), header(p));
            flush |= match ip.first().map(|first| first >> 4) {
                Some(6) => ipv6_gro_flush(&ip, &ip2),
                _ => self.inet_gro_flush(p, level, &ip, &ip2),
            };
        }
        flush
    }

    /// `inet_gro_flush()`: ttl, tos and DF are equal; the second packet decides whether ids count or stay.
    fn inet_gro_flush(&mut self, p: SkbNo, level: usize, ip: &[u8], ip2: &[u8]) -> bool {
        let Some(segment) = self.gro_segments.get_mut(&p) else {
            return true;
        };
        let df = |ip: &[u8]| be16(ip, 6) & ipv4::DF;
        if (ip.get(8), ip.get(1), df(ip)) != (ip2.get(8), ip2.get(1), df(ip2)) {
            return true;
        }
        let ids = be16(ip, 4).wrapping_sub(be16(ip2, 4));
        let bit = 1 << level.min(1);
        if segment.count == 1 && ids == 0 {
            segment.fixed_ids |= bit;
        }
        let fixed = segment.fixed_ids & bit != 0;
        ids != if fixed { 0 } else { segment.count }
    }
}

/// The sum of the pseudo header of an IP header, not inverted.
pub(super) fn pseudo_of(ip: &[u8], protocol: u8, len: u32) -> u16 {
    if ip.first().map(|first| first >> 4) == Some(6) {
        let address = |at: usize| addr6(ip, at).octets();
        return checksum::pseudo6(address(8), address(24), protocol, len);
    }
    let address = |at: usize| be32(ip, at).to_be_bytes();
    checksum::pseudo(address(12), address(16), protocol, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of the first word but the traffic class is compared for the flow, the traffic class and the hop limit for
    /// merging.
    #[test]
    fn traffic_class_and_hop_limit_keep_packets_apart() {
        let header = |tclass: u8, hops: u8| {
            let mut header = [0; 40];
            header[0] = 0x60 | tclass >> 4;
            header[1] = tclass << 4;
            header[7] = hops;
            header
        };
        assert!(!ipv6_gro_flush(&header(0, 64), &header(0, 64)));
        assert!(ipv6_gro_flush(&header(1, 64), &header(0, 64)));
        assert!(ipv6_gro_flush(&header(0x80, 64), &header(0, 64)));
        assert!(ipv6_gro_flush(&header(0, 63), &header(0, 64)));
    }
}
