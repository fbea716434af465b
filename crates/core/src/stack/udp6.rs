//! `net/ipv6/udp.c` and `net/ipv6/ip6_udp_tunnel.c`: UDP over IPv6 as a carrier of tunnels.

use std::net::Ipv6Addr;

use super::ip6_output::{DEFAULT_HOP_LIMIT, Ipv6Header};
use super::outer::ecn_encapsulate;
use super::skbuff::drop_reason;
use super::udp::UdpSocket;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, icmpv6, ipv4, udp};
use crate::scenario::command::{TunnelTtl, UdpTunnelParms};
use crate::scenario::ip_l2tp::L2tpEncap;
use crate::scenario::topology::{DevId, DeviceKind, Route6};
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/udp.c";

impl Kernel {
    /// `udpv6_rcv()`.
    pub(super) fn udpv6_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("udpv6_rcv", FILE, no, |k| {
            let reason = k.udpv6_deliver(no)?;
            if let Some(reason) = reason {
                k.kfree_skb(no, reason)?;
            }
            Ok(0)
        })
    }

    /// The body of `udpv6_rcv()`; gives the reason when the packet is dropped.
    fn udpv6_deliver(&mut self, no: SkbNo) -> Run<Option<u32>> {
        self.pskb_may_pull(no, udp::HLEN)?;
        let skb = self.skb(no);
        if self.ipv6_hdr_addr(no, 24).is_multicast() {
            return not_covered("__udp6_lib_mcast_deliver: UDP to a group");
        }
        let header = self.bytes(no, skb.data, skb.headlen().min(udp::HLEN));
        if header.len() < udp::HLEN as usize {
            return Ok(Some(drop_reason::NOT_SPECIFIED));
        }
        let ulen = match u32::from(be16(header, 4)) {
            0 => skb.len,
            ulen => ulen,
        };
        let (port, check) = (be16(header, 2), be16(header, 6));
        if ulen < udp::HLEN || ulen > skb.len {
            return Ok(Some(drop_reason::PKT_TOO_SMALL));
        }
        self.pskb_trim_rcsum(no, ulen)?;
        let valid = if check == 0 {
            self.csum_is_valid(no);
            true
        } else {
            self.csum_init(no, ipv4::PROTO_UDP)
        };
        if !valid {
            return Ok(Some(drop_reason::UDP_CSUM));
        }
        let netns = self.skb(no).dev.map(|dev| self.topology.dev(dev).netns);
        let socket = netns.and_then(|netns| self.udp_socket(netns, port, true));
        // RFC 8200, section 8.1: no checksum is an error, unless the socket says otherwise
        let unchecked = check == 0 && !socket.is_some_and(|_| self.takes_unchecked(no, port));
        if unchecked || !self.checksum_complete(no, ipv4::PROTO_UDP) {
            return Ok(Some(drop_reason::UDP_CSUM));
        }
        let Some(socket) = socket else {
            self.icmp6_send(no, icmpv6::DEST_UNREACH, icmpv6::PORT_UNREACH, 0)?;
            return Ok(Some(drop_reason::NO_SOCKET));
        };
        if check != 0 && !matches!(socket, UdpSocket::Process(_)) {
            self.skb_checksum_try_convert(no, Some(ipv4::PROTO_UDP));
        }
        self.udpv6_queue_rcv_skb(no, socket)?;
        Ok(None)
    }

    /// `udpv6_queue_rcv_skb()` and `udpv6_queue_rcv_one_skb()`.
    fn udpv6_queue_rcv_skb(&mut self, no: SkbNo, socket: UdpSocket) -> Run<i64> {
        self.traced("udpv6_queue_rcv_skb", FILE, no, |k| {
            k.traced("udpv6_queue_rcv_one_skb", FILE, no, |k| match socket {
                UdpSocket::Vxlan => k.vxlan_rcv(no),
                UdpSocket::Geneve => k.geneve_udp_encap_recv(no),
                UdpSocket::Process(socket) => k.udp_enqueue(no, socket),
                UdpSocket::L2tp => k.l2tp_udp_encap_recv(no),
                // `ip fou add -6` is not covered
                UdpSocket::Fou(_) => Ok(0),
            })
        })
    }

    /// `udp_get_no_check6_rx()` of the tunnel's socket.
    fn takes_unchecked(&self, no: SkbNo, port: u16) -> bool {
        let netns = self.skb(no).dev.map(|dev| self.topology.dev(dev).netns);
        let here = self.topology.devices.iter();
        here.filter(|dev| dev.up && Some(dev.home) == netns)
            .any(|dev| match dev.kind {
                DeviceKind::Vxlan(parms) | DeviceKind::Geneve(parms) => {
                    parms.dstport == port && parms.udp6zerocsumrx
                }
                DeviceKind::L2tpEth(tunnel, _) => matches!(
                    tunnel.encap,
                    L2tpEncap::Udp { sport, unchecked: true, .. } if sport == port
                ),
                _ => false,
            })
    }

    /// Route and outer header of a UDP tunnel over IPv6 (`udp_tunnel6_dst_lookup()`, and the hop limit and
    /// traffic class of `vxlan_xmit_one()` and `geneve6_xmit_skb()`). `None`: there is no way, and the packet is
    /// dropped.
    pub(super) fn udp_tunnel6_outer(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: UdpTunnelParms,
    ) -> Run<Option<(Route6, Ipv6Header)>> {
        let home = self.topology.dev(dev).home;
        let found = parms.remote6.and_then(|daddr| {
            let route = self.topology.route6(home, daddr).filter(|r| r.dev != dev)?;
            Some((daddr, route))
        });
        let Some((daddr, route)) = found else {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(None);
        };
        let chosen = || self.topology.source6(home, route.dev, daddr);
        let Some(saddr) = parms.local6.or_else(chosen) else {
            return not_covered("udp_tunnel6_dst_lookup: no source address");
        };
        let inner = self.inner_header(no, u32::from(self.skb(no).network_header));
        let inner_tos = inner.map_or(0, |inner| inner.tos);
        let base = if parms.tos == 1 { inner_tos } else { parms.tos };
        let hop_limit = match parms.ttl {
            TunnelTtl::Fixed(ttl) => ttl,
            TunnelTtl::Inherit => inner.map_or(0, |inner| inner.ttl),
            TunnelTtl::Default => 0,
        };
        let header = Ipv6Header {
            tclass: ecn_encapsulate(base, inner_tos),
            flowlabel: 0,
            nexthdr: ipv4::PROTO_UDP,
            hop_limit: match parms.ttl {
                TunnelTtl::Fixed(limit) => limit,
                _ if hop_limit == 0 => DEFAULT_HOP_LIMIT,
                _ => hop_limit,
            },
            saddr,
            daddr,
        };
        Ok(Some((route, header)))
    }

    /// `udp_tunnel6_xmit_skb()`: pushes the UDP header, then the outer IPv6 header.
    pub(super) fn udp_tunnel6_xmit_skb(
        &mut self,
        no: SkbNo,
        (route, header): (Route6, Ipv6Header),
        ports: (u16, u16),
        nocheck: bool,
    ) -> Run<()> {
        self.push_udp(no, ports, "udp_tunnel6_xmit_skb")?;
        self.skb_mut(no).set_dst6(Some(route));
        if !nocheck {
            self.udp6_set_csum(no, header.saddr, header.daddr);
        }
        self.push_ipv6(no, header, "udp_tunnel6_xmit_skb")?;
        // `payload_len` is that of the packet with this header; `__ip6_local_out()` puts that right
        let skb = self.skb(no);
        let (head, at, len) = (skb.head, skb.data, skb.len);
        self.buffers
            .complete(head, at, at + 4, &(len as u16).to_be_bytes());
        self.ip6tunnel_xmit(no)
    }

    /// `udp6_set_csum()`: the device is to finish it, unless it has an inner checksum to finish already.
    pub(super) fn udp6_set_csum(&mut self, no: SkbNo, saddr: Ipv6Addr, daddr: Ipv6Addr) {
        let (saddr, daddr, len) = (saddr.octets(), daddr.octets(), self.skb(no).len);
        let pseudo = checksum::pseudo6(saddr, daddr, ipv4::PROTO_UDP, len);
        self.udp_set_csum_over(no, pseudo);
    }

    /// Whether the packet's network header is one of IPv6.
    pub(super) fn is_ipv6(&self, no: SkbNo) -> bool {
        let at = u32::from(self.skb(no).network_header);
        self.bytes(no, at, 1).first().map(|first| first >> 4) == Some(6)
    }
}
