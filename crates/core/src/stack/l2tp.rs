//! L2TPv3 pseudowires: `net/l2tp/l2tp_core.c`, `net/l2tp/l2tp_ip.c`, `net/l2tp/l2tp_ip6.c` and `net/l2tp/l2tp_eth.c`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::execute::{Cause, Done};
use super::ip6_output::Ipv6Header;
use super::links::ethernet_device;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::outer::{DEFAULT_TTL, Outer, outer_ipv4};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32, ipv4_label};
use crate::net::{ethernet, ipv4, ipv6, l2tp, udp};
use crate::scenario::command::Netns;
use crate::scenario::ip_l2tp::{L2tpEncap, L2tpSession, L2tpTunnel};
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{CHECKSUM_NONE, NET_SKB_PAD};
use crate::trace::{Layer, SkbNo};

const CORE: &str = "net/l2tp/l2tp_core.c";
const ETH: &str = "net/l2tp/l2tp_eth.c";

/// The header as `l2tp_build_l2tpv3_header()` writes it; its length is `session->hdr_len`.
fn l2tpv3_header(tunnel: &L2tpTunnel, session: &L2tpSession) -> Vec<u8> {
    let mut header = Vec::new();
    if matches!(tunnel.encap, L2tpEncap::Udp { .. }) {
        header.extend(l2tp::VERSION.to_be_bytes());
        header.extend([0, 0]);
    }
    header.extend(session.peer_session_id.to_be_bytes());
    header.extend(&session.cookie.0[..session.cookie.1]);
    if session.l2spec {
        header.extend([0; 4]);
    }
    header
}

impl Kernel {
    /// `ip l2tp add session`: `l2tp_eth_create()` and `l2tp_eth_adjust_mtu()`.
    pub(super) fn l2tp_session_add(
        &mut self,
        netns: &Netns,
        name: &str,
        tunnel_id: u32,
        session: L2tpSession,
    ) -> Done {
        let netns = self.topology.find_netns(netns)?;
        let mut tunnels = self.topology.netns[netns.0].l2tp.iter();
        let Some(tunnel) = tunnels.find(|tunnel| tunnel.id == tunnel_id).copied() else {
            return Err(Cause::NoTunnel(tunnel_id));
        };
        let kind = DeviceKind::L2tpEth(tunnel, session);
        let mut device = ethernet_device(name, netns, kind);
        let header = l2tpv3_header(&tunnel, &session).len() as u32;
        let udp_len = match tunnel.encap {
            L2tpEncap::Udp { .. } => udp::HLEN,
            L2tpEncap::Ip => 0,
        };
        device.needed_headroom = udp_len + header;
        // kernel_sock_ip_overhead()
        let (ip_len, below) = match tunnel.remote {
            IpAddr::V4(remote) => {
                let route = self.topology.route(netns, remote).ok();
                (ipv4::HLEN, route.map(|route| route.dev))
            }
            IpAddr::V6(remote) => {
                let route = self.topology.route6(netns, remote);
                (ipv6::HLEN, route.map(|route| route.dev))
            }
        };
        let overhead = udp_len + header + ethernet::HLEN + ip_len;
        let mtu = below.map_or(1500, |dev| self.topology.dev(dev).mtu);
        device.mtu = mtu.checked_sub(overhead).unwrap_or(1500 - overhead);
        let number = (self.topology.devices.len() + 1) as u8;
        device.mac = [0x02, 0, 0, 0, 0, number];
        self.topology.add_dev(device)?;
        Ok(())
    }

    /// `l2tp_eth_dev_xmit()` and `l2tp_xmit_core()`.
    pub(super) fn l2tp_eth_dev_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        tunnel: L2tpTunnel,
        session: L2tpSession,
    ) -> Run<i64> {
        self.traced("l2tp_eth_dev_xmit", ETH, no, |k| {
            let header = l2tpv3_header(&tunnel, &session);
            let (protocol, udp_len) = match tunnel.encap {
                L2tpEncap::Udp { .. } => (ipv4::PROTO_UDP, udp::HLEN),
                L2tpEncap::Ip => (l2tp::PROTO_L2TP, 0),
            };
            let room = NET_SKB_PAD + ipv4::HLEN + udp_len + header.len() as u32;
            k.skb_cow_head(no, room)?;
            k.skb_mut(no).push(header.len() as u32)?;
            let (at, label) = (
                k.skb(no).data,
                format!("L2TPv3 header, session {}", session.peer_session_id),
            );
            k.write_header(
                no,
                at,
                &header,
                Layer::L2tp,
                label,
                "l2tp_build_l2tpv3_header",
            );
            if let L2tpEncap::Udp { sport, dport, .. } = tunnel.encap {
                k.push_udp(no, (sport, dport), "l2tp_xmit_core")?;
            }
            let csum = matches!(tunnel.encap, L2tpEncap::Udp { csum: true, .. });
            // l2tp_xmit_queue()
            k.skb_mut(no).ignore_df = true;
            k.skb_mut(no).drop_dst();
            match (tunnel.local, tunnel.remote) {
                (IpAddr::V4(local), IpAddr::V4(remote)) => {
                    if csum {
                        k.udp_set_csum(no, local, remote);
                    }
                    k.ip_queue_xmit(no, dev, (local, remote), protocol)
                }
                (IpAddr::V6(local), IpAddr::V6(remote)) => {
                    if csum {
                        k.udp6_set_csum(no, local, remote);
                    }
                    k.inet6_csk_xmit(no, dev, (local, remote), protocol)
                }
                _ => not_covered("l2tp_xmit_core: addresses of two families"),
            }
        })
    }

    /// `inet6_csk_xmit()` (`net/ipv6/inet6_connection_sock.c`) and `ip6_xmit()` (`net/ipv6/ip6_output.c`): the socket's route
    /// and addresses.
    fn inet6_csk_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        (saddr, daddr): (Ipv6Addr, Ipv6Addr),
        protocol: u8,
    ) -> Run<i64> {
        const ENETUNREACH: i64 = -101;
        let file = "net/ipv6/inet6_connection_sock.c";
        self.traced("inet6_csk_xmit", file, no, |k| {
            let home = k.topology.dev(dev).home;
            let route = k.topology.route6(home, daddr);
            let Some(route) = route.filter(|route| route.dev != dev) else {
                k.kfree_skb(no, drop_reason::IP_OUTNOROUTES)?;
                return Ok(ENETUNREACH);
            };
            k.skb_mut(no).set_dst6(Some(route));
            k.traced("ip6_xmit", "net/ipv6/ip6_output.c", no, |k| {
                let room = ipv6::HLEN + k.topology.dev(route.dev).ll_reserved_space();
                if k.skb(no).headroom() < room {
                    k.skb_expand_head(no, room)?;
                }
                let len = k.skb(no).len;
                let header = Ipv6Header {
                    tclass: 0,
                    flowlabel: k.ip6_auto_flowlabel(home),
                    nexthdr: protocol,
                    hop_limit: super::ip6_output::DEFAULT_HOP_LIMIT,
                    saddr,
                    daddr,
                };
                let skb = k.skb_mut(no);
                skb.push(ipv6::HLEN)?;
                skb.reset_network_header();
                skb.protocol = ethernet::P_IPV6;
                let at = skb.data;
                k.write_ipv6(no, at, &header.bytes(len as u16), "ip6_xmit");
                let state = NfState::ipv6(NfHook::LocalOut, None, Some(route.dev));
                let passed = k.nf_hook(no, state)?;
                if passed != NF_ACCEPTED {
                    return Ok(passed);
                }
                k.dst_output6(no)
            })
        })
    }

    /// `__ip_queue_xmit()` (`net/ipv4/ip_output.c`): the socket's route and addresses. The tunnel lets its packets be
    /// cut (`ignore_df`), so DF is not set.
    fn ip_queue_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        (saddr, daddr): (Ipv4Addr, Ipv4Addr),
        protocol: u8,
    ) -> Run<i64> {
        self.traced("__ip_queue_xmit", "net/ipv4/ip_output.c", no, |k| {
            let home = k.topology.dev(dev).home;
            let route = k.topology.route(home, daddr).ok();
            let Some(route) = route.filter(|route| route.dev != dev) else {
                k.kfree_skb(no, drop_reason::IP_OUTNOROUTES)?;
                return Ok(-113);
            };
            let mut header = outer_ipv4(Outer {
                saddr,
                daddr,
                protocol,
                tos: 0,
                ttl: DEFAULT_TTL,
                df: false,
            });
            let id = k.ip_select_ident();
            header[4..6].copy_from_slice(&id.to_be_bytes());
            let skb = k.skb_mut(no);
            skb.set_dst(Some(route));
            skb.push(ipv4::HLEN)?;
            skb.reset_network_header();
            let at = skb.data;
            k.write_header(
                no,
                at,
                &header,
                Layer::Ipv4,
                ipv4_label(&header),
                "__ip_queue_xmit",
            );
            k.ip_local_out(no)
        })
    }

    /// `l2tp_ip_recv()`: `data` is behind the IP header, at the session id.
    pub(super) fn l2tp_ip_recv(&mut self, no: SkbNo) -> Run<i64> {
        self.l2tp_ip_recv_by(no, "l2tp_ip_recv", "net/l2tp/l2tp_ip.c")
    }

    /// `l2tp_ip6_recv()`: the same behind an IPv6 header.
    pub(super) fn l2tp_ip6_recv(&mut self, no: SkbNo) -> Run<i64> {
        self.l2tp_ip_recv_by(no, "l2tp_ip6_recv", "net/l2tp/l2tp_ip6.c")
    }

    fn l2tp_ip_recv_by(&mut self, no: SkbNo, name: &'static str, file: &'static str) -> Run<i64> {
        self.traced(name, file, no, |k| {
            k.pskb_may_pull(no, 4)?;
            let header = k.packet(no, 0, 4).to_vec();
            let session_id = be32(&header, 0);
            match k.l2tp_session(no, session_id, false) {
                Some(found) if header.len() == 4 && session_id != 0 => {
                    k.l2tp_recv_common(no, found, 4)?;
                }
                _ => k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?,
            }
            Ok(0)
        })
    }

    /// `l2tp_udp_encap_recv()`: `data` is at the UDP header.
    pub(super) fn l2tp_udp_encap_recv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("l2tp_udp_encap_recv", CORE, no, |k| {
            k.skb_mut(no).pull(udp::HLEN)?;
            k.pskb_may_pull(no, 8)?;
            let header = k.packet(no, 0, 8).to_vec();
            let flags = be16(&header, 0);
            let data = flags & l2tp::CONTROL == 0 && flags & l2tp::VERSION_MASK == l2tp::VERSION;
            match k.l2tp_session(no, be32(&header, 4), true) {
                Some(found) if data && header.len() == 8 => k.l2tp_recv_common(no, found, 8)?,
                _ => return not_covered("l2tp_udp_encap_recv: a packet for user space"),
            }
            Ok(0)
        })
    }

    /// `l2tp_v3_session_get()`.
    fn l2tp_session(&self, no: SkbNo, session_id: u32, udp: bool) -> Option<(DevId, L2tpSession)> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let mut devices = self.topology.devices.iter().enumerate();
        devices.find_map(|(id, dev)| match dev.kind {
            DeviceKind::L2tpEth(tunnel, session) if dev.home == netns => {
                let over_udp = matches!(tunnel.encap, L2tpEncap::Udp { .. });
                let fits = session.session_id == session_id && over_udp == udp;
                fits.then_some((DevId(id), session))
            }
            _ => None,
        })
    }

    /// `l2tp_recv_common()` and `l2tp_eth_dev_recv()`: past the header, then as if received on the session's device.
    fn l2tp_recv_common(
        &mut self,
        no: SkbNo,
        (dev, session): (DevId, L2tpSession),
        offset: u32,
    ) -> Run<()> {
        self.traced("l2tp_recv_common", CORE, no, |k| {
            let (cookie, len) = session.peer_cookie;
            let right = k.packet(no, offset, len as u32)[..] == cookie[..len];
            let offset = offset + len as u32 + if session.l2spec { 4 } else { 0 };
            if !right || !k.pskb_may_pull(no, offset + ethernet::HLEN)? {
                return k.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            }
            let skb = k.skb_mut(no);
            skb.pull(offset)?;
            skb.ip_summed = CHECKSUM_NONE;
            skb.drop_dst();
            k.dev_forward_skb_rx(no, dev)?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3931, sections 4.1.1.1 and 4.1.2.1: session id, cookie, sublayer; over UDP version 3 in front.
    #[test]
    fn headers() {
        let session = L2tpSession {
            session_id: 1,
            peer_session_id: 0x0102_0304,
            cookie: ([9, 9, 9, 9, 0, 0, 0, 0], 4),
            peer_cookie: Default::default(),
            l2spec: true,
        };
        let mut tunnel = L2tpTunnel {
            id: 1,
            encap: L2tpEncap::Ip,
            local: Ipv4Addr::new(10, 0, 0, 1).into(),
            remote: Ipv4Addr::new(10, 0, 0, 2).into(),
        };
        assert_eq!(
            l2tpv3_header(&tunnel, &session),
            [1, 2, 3, 4, 9, 9, 9, 9, 0, 0, 0, 0]
        );
        tunnel.encap = L2tpEncap::Udp {
            sport: 1,
            dport: 2,
            csum: true,
            unchecked: false,
        };
        assert_eq!(l2tpv3_header(&tunnel, &session)[..4], [0, 3, 0, 0]);
    }
}
