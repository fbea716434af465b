//! `net/ipv4/udp.c` and `net/ipv4/udp_tunnel_core.c`: UDP as a carrier of tunnels.

use std::net::Ipv4Addr;

use super::features::CSUM_MANGLED_0;
use super::outer::{DEFAULT_TTL, Outer, ecn_encapsulate, outer_ipv4};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{checksum, icmp, ipv4, udp};
use crate::scenario::command::{TunnelDf, TunnelTtl, UdpTunnelParms};
use crate::scenario::ip_fou::FouPort;
use crate::scenario::ip_l2tp::L2tpEncap;
use crate::scenario::topology::{DevId, DeviceKind, NetnsId, Route, Socket};
use crate::skb::{CHECKSUM_COMPLETE, CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/udp.c";

/// Who listens on a UDP port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UdpSocket {
    /// `vxlan_rcv()`.
    Vxlan,
    /// `geneve_udp_encap_recv()`.
    Geneve,
    /// `l2tp_udp_encap_recv()`.
    L2tp,
    /// `fou_udp_recv()`, `gue_udp_recv()`.
    Fou(FouPort),
    /// A process opened it.
    Process(Socket),
}

impl Kernel {
    /// `udp_rcv()`.
    pub(super) fn udp_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("udp_rcv", FILE, no, |k| {
            k.pskb_may_pull(no, udp::HLEN)?;
            let skb = k.skb(no);
            let header = k.bytes(no, skb.data, udp::HLEN);
            let ulen = u32::from(be16(header, 4));
            let (port, check) = (be16(header, 2), be16(header, 6));
            if header.len() < udp::HLEN as usize || ulen < udp::HLEN || ulen > skb.len {
                let whole = header.len() == udp::HLEN as usize;
                let reason = if whole {
                    drop_reason::PKT_TOO_SMALL
                } else {
                    drop_reason::NOT_SPECIFIED
                };
                k.kfree_skb(no, reason)?;
                return Ok(0);
            }
            k.pskb_trim_rcsum(no, ulen)?;
            if !k.udp4_csum_init(no, check) {
                k.kfree_skb(no, drop_reason::UDP_CSUM)?;
                return Ok(0);
            }
            let netns = k.skb(no).dev.map(|dev| k.topology.dev(dev).netns);
            if k.is_to_many(no) {
                // __udp4_lib_mcast_deliver(): nobody listens
                if netns.is_some_and(|netns| k.udp_socket(netns, port, false).is_some()) {
                    return not_covered("__udp4_lib_mcast_deliver to a socket");
                }
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            match netns.and_then(|netns| k.udp_socket(netns, port, false)) {
                Some(socket) => {
                    // udp_unicast_rcv_skb(): tunnels convert; more than 0 asks for another protocol, an error is not passed on
                    if check != 0 && !matches!(socket, UdpSocket::Process(_)) {
                        k.skb_checksum_try_convert(no, Some(ipv4::PROTO_UDP));
                    }
                    Ok(-k.udp_queue_rcv_skb(no, socket)?.max(0))
                }
                None => {
                    if !k.checksum_complete(no, ipv4::PROTO_UDP) {
                        k.kfree_skb(no, drop_reason::UDP_CSUM)?;
                        return Ok(0);
                    }
                    k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
                    k.kfree_skb(no, drop_reason::NO_SOCKET)?;
                    Ok(0)
                }
            }
        })
    }

    /// `udp_queue_rcv_skb()` and `udp_queue_rcv_one_skb()`.
    fn udp_queue_rcv_skb(&mut self, no: SkbNo, socket: UdpSocket) -> Run<i64> {
        self.traced("udp_queue_rcv_skb", FILE, no, |k| {
            k.traced("udp_queue_rcv_one_skb", FILE, no, |k| {
                let process = matches!(socket, UdpSocket::Process(_));
                if !process && !k.checksum_complete(no, ipv4::PROTO_UDP) {
                    k.kfree_skb(no, drop_reason::UDP_CSUM)?;
                    return Ok(0);
                }
                match socket {
                    UdpSocket::Vxlan => k.vxlan_rcv(no),
                    UdpSocket::Geneve => k.geneve_udp_encap_recv(no),
                    UdpSocket::L2tp => k.l2tp_udp_encap_recv(no),
                    // udp_queue_rcv_one_skb(): more than 0 asks for that protocol
                    UdpSocket::Fou(kind) => Ok(-k.fou_udp_recv(no, kind)?),
                    UdpSocket::Process(socket) => k.udp_enqueue(no, socket),
                }
            })
        })
    }

    /// `__udp4_lib_lookup_skb()`, `__udp6_lib_lookup_skb()`: tunnel devices that are up listen on their port, over
    /// the protocol of their remote end, in external mode over both.
    pub(super) fn udp_socket(&self, netns: NetnsId, port: u16, v6: bool) -> Option<UdpSocket> {
        if let Some(socket) = self.udp_process(netns, port) {
            return Some(UdpSocket::Process(socket));
        }
        let fou = &self.topology.netns[netns.0].fou;
        if let Some((_, kind)) = fou.iter().find(|(at, _)| *at == port && !v6) {
            return Some(UdpSocket::Fou(*kind));
        }
        let listens = |parms: UdpTunnelParms| {
            parms.dstport == port && (parms.external || parms.over_ipv6() == v6)
        };
        self.topology
            .devices
            .iter()
            .filter(|dev| dev.home == netns)
            .filter(|dev| dev.up || matches!(dev.kind, DeviceKind::L2tpEth(..)))
            .find_map(|dev| match dev.kind {
                DeviceKind::Vxlan(parms) if listens(parms) => Some(UdpSocket::Vxlan),
                DeviceKind::Geneve(parms) if listens(parms) => Some(UdpSocket::Geneve),
                DeviceKind::L2tpEth(tunnel, _) => match tunnel.encap {
                    L2tpEncap::Udp { sport, .. }
                        if sport == port && tunnel.local.is_ipv6() == v6 =>
                    {
                        Some(UdpSocket::L2tp)
                    }
                    _ => None,
                },
                _ => None,
            })
    }

    /// `udp4_csum_init()`: a checksum of 0 needs no check.
    fn udp4_csum_init(&mut self, no: SkbNo, check: u16) -> bool {
        if check == 0 {
            self.csum_is_valid(no);
            return true;
        }
        self.csum_init(no, ipv4::PROTO_UDP)
    }

    /// `skb_checksum_init()`: what somebody has checked is not summed again, a short packet is summed at once.
    pub(super) fn csum_init(&mut self, no: SkbNo, protocol: u8) -> bool {
        const CHECKSUM_BREAK: u32 = 76;
        self.skb_mut(no).csum_valid = false;
        if self.csum_unnecessary(no) {
            self.csum_is_valid(no);
            return true;
        }
        if self.skb(no).ip_summed == CHECKSUM_COMPLETE && self.sum_is_right(no, protocol) {
            self.skb_mut(no).csum_valid = true;
            return true;
        }
        self.skb(no).len > CHECKSUM_BREAK || self.checksum_complete(no, protocol)
    }

    /// `__skb_checksum_validate_needed()` says no: one of the checksums known to be right is used up.
    pub(super) fn csum_is_valid(&mut self, no: SkbNo) {
        self.skb_mut(no).csum_valid = true;
        self.skb_decr_checksum_unnecessary(no);
    }

    /// `skb_checksum_complete()`: sums the packet unless somebody has done so.
    pub(super) fn checksum_complete(&mut self, no: SkbNo, protocol: u8) -> bool {
        if self.csum_unnecessary(no) {
            return true;
        }
        let valid = self.sum_is_right(no, protocol);
        let csum = self.skb_checksum(no, 0, self.skb(no).len);
        self.csum_is_complete(no, csum, valid);
        valid
    }

    pub(super) fn sum_is_right(&self, no: SkbNo, protocol: u8) -> bool {
        let skb = self.skb(no);
        let pseudo = if self.is_ipv6(no) {
            let (saddr, daddr) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
            checksum::pseudo6(saddr.octets(), daddr.octets(), protocol, skb.len)
        } else {
            let (saddr, daddr) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
            checksum::pseudo(saddr.octets(), daddr.octets(), protocol, skb.len)
        };
        checksum::sum(&self.packet(no, 0, skb.len), pseudo) == 0xffff
    }

    /// `skb_csum_unnecessary()`.
    pub(super) fn csum_unnecessary(&self, no: SkbNo) -> bool {
        let skb = self.skb(no);
        skb.ip_summed == CHECKSUM_UNNECESSARY
            || skb.csum_valid
            || (skb.ip_summed == CHECKSUM_PARTIAL && u32::from(skb.csum_start) >= skb.data)
    }

    /// Source address, route and outer header of a UDP tunnel (`udp_tunnel_dst_lookup()`, and the ttl, tos
    /// and DF of `vxlan_xmit_one()` and `geneve_xmit_skb()`). `None`: there is no way, and the packet is dropped.
    pub(super) fn udp_tunnel_outer(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: UdpTunnelParms,
    ) -> Run<Option<(Route, Outer)>> {
        let home = self.topology.dev(dev).home;
        let route = parms
            .remote
            .and_then(|remote| self.topology.route(home, remote).ok());
        let (Some(daddr), Some(route)) = (parms.remote, route.filter(|r| r.dev != dev)) else {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(None);
        };
        let Some(saddr) = parms.local.or(route.src) else {
            return not_covered("udp_tunnel_dst_lookup: no source address");
        };
        let inner = self.inner_header(no, u32::from(self.skb(no).network_header));
        let base = match parms.tos {
            1 => inner.map_or(0, |inner| inner.tos),
            tos => tos,
        };
        let ttl = match parms.ttl {
            TunnelTtl::Fixed(ttl) => ttl,
            TunnelTtl::Inherit => inner.map_or(0, |inner| inner.ttl),
            TunnelTtl::Default => 0,
        };
        let outer = Outer {
            saddr,
            daddr,
            protocol: ipv4::PROTO_UDP,
            tos: ecn_encapsulate(base, inner.map_or(0, |inner| inner.tos)),
            ttl: match parms.ttl {
                // GENEVE in external mode sends the info's ttl as it is
                TunnelTtl::Fixed(ttl) => ttl,
                _ if ttl == 0 => DEFAULT_TTL,
                _ => ttl,
            },
            df: match parms.df {
                TunnelDf::Unset => false,
                TunnelDf::Set => true,
                TunnelDf::Inherit => inner.is_some_and(|inner| inner.df),
            },
        };
        Ok(Some((route, outer)))
    }

    /// `udp_flow_src_port()` (`include/net/udp.h`): a hash with a random key, in a range whose upper end is
    /// included. The draw is the input's; the lower end without one.
    pub(super) fn udp_flow_src_port(&mut self, range: Option<(u16, u16)>) -> u16 {
        const LOCAL_PORTS: (u16, u16) = (32768, 60999);
        let (min, max) = range.filter(|(min, max)| min < max).unwrap_or(LOCAL_PORTS);
        match self.source_ports.front() {
            Some(port) if (min..=max).contains(port) => {
                self.source_ports.pop_front().unwrap_or(min)
            }
            _ => min,
        }
    }

    /// `udp_tunnel_xmit_skb()`: pushes the UDP header, then the outer IP header.
    pub(super) fn udp_tunnel_xmit_skb(
        &mut self,
        no: SkbNo,
        route: Route,
        outer: Outer,
        ports: (u16, u16),
        tunnel: (DevId, UdpTunnelParms),
    ) -> Run<()> {
        self.push_udp(no, ports, "udp_tunnel_xmit_skb")?;
        if tunnel.1.udpcsum {
            self.udp_set_csum(no, outer.saddr, outer.daddr);
        }
        let xnet = self.left_home(tunnel.0);
        self.iptunnel_xmit(no, route, outer_ipv4(outer), xnet)
    }

    /// Pushes a UDP header, still without checksum.
    pub(super) fn push_udp(
        &mut self,
        no: SkbNo,
        ports: (u16, u16),
        writer: &'static str,
    ) -> Run<()> {
        let skb = self.skb_mut(no);
        skb.push(udp::HLEN)?;
        skb.reset_transport_header();
        let (data, len) = (skb.data, skb.len);
        let words = [ports.0, ports.1, len as u16, 0];
        let header: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
        let (layer, label) = (Layer::Udp, "UDP header".into());
        self.write_header(no, data, &header, layer, label, writer);
        Ok(())
    }

    /// `udp_set_csum()`: the device is to finish it, unless it has an inner checksum to finish already.
    pub(super) fn udp_set_csum(&mut self, no: SkbNo, saddr: Ipv4Addr, daddr: Ipv4Addr) {
        let (saddr, daddr, len) = (saddr.octets(), daddr.octets(), self.skb(no).len);
        let pseudo = checksum::pseudo(saddr, daddr, ipv4::PROTO_UDP, len);
        self.udp_set_csum_over(no, pseudo);
    }

    /// The part of `udp_set_csum()` and `udp6_set_csum()` that does not ask for the addresses.
    pub(super) fn udp_set_csum_over(&mut self, no: SkbNo, pseudo: u16) {
        let skb = self.skb(no);
        let (head, at) = (skb.head, u32::from(skb.transport_header));
        let check = if self.skb_is_gso(no) {
            // what the segments' sums are made of
            pseudo
        } else if skb.ip_summed == CHECKSUM_PARTIAL {
            let inner = self.lco_csum(no, at);
            match !checksum::sum(&inner.to_be_bytes(), pseudo) {
                0 => CSUM_MANGLED_0,
                check => check,
            }
        } else {
            let skb = self.skb_mut(no);
            skb.ip_summed = CHECKSUM_PARTIAL;
            skb.csum_start = at as u16;
            skb.csum_offset = udp::CHECK as u16;
            pseudo
        };
        self.buffers
            .patch(head, at + udp::CHECK, &check.to_be_bytes());
    }
}

/// `udp_tunnel_handle_offloads()`: what a tunnel over UDP adds to `gso_type`, with a checksum of its own or without.
pub(super) fn udp_gso_type(udp_csum: bool) -> u32 {
    match udp_csum {
        true => crate::skb::gso::UDP_TUNNEL_CSUM,
        false => crate::skb::gso::UDP_TUNNEL,
    }
}
