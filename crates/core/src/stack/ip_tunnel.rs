//! `net/ipv4/ip_tunnel.c` and `net/ipv4/ip_tunnel_core.c`.

use std::net::Ipv4Addr;

use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, ipv4_label};
use crate::net::{ethernet, ipv4};
use crate::scenario::command::TunnelParms;
use crate::scenario::topology::{DevId, DeviceKind, NetnsId, Route};
use crate::trace::{Layer, SkbNo};

const CORE: &str = "net/ipv4/ip_tunnel_core.c";
const FILE: &str = "net/ipv4/ip_tunnel.c";
/// `IP_TUNNEL_RECURSION_LIMIT` (`include/net/ip_tunnels.h`): tunnels inside tunnels.
const IP_TUNNEL_RECURSION_LIMIT: u32 = 5;
/// `INET_ECN_MASK` and `INET_ECN_CE`: Congestion Experienced.
const ECN_MASK: u8 = 3;

/// What the tunnel header said (`struct tnl_ptk_info`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TunnelInfo {
    /// Protocol of the payload, host order.
    pub proto: u16,
    /// Key, if the header has one.
    pub key: Option<u32>,
    /// The header has a checksum.
    pub csum: bool,
    /// Sequence number, if the header has one.
    pub seq: Option<u32>,
}

impl Kernel {
    /// `ip_tunnel_lookup()`: the tunnel whose addresses and key fit best.
    pub(super) fn ip_tunnel_lookup(
        &self,
        netns: NetnsId,
        remote: Ipv4Addr,
        local: Ipv4Addr,
        key: Option<u32>,
    ) -> Option<DevId> {
        let fits = |want: Option<Ipv4Addr>, is: Ipv4Addr| want == Some(is);
        let rank =
            |parms: &TunnelParms| match (fits(parms.local, local), fits(parms.remote, remote)) {
                (true, true) => Some(3),
                (_, true) if parms.local.is_none() => Some(2),
                (true, _) if parms.remote.is_none() => Some(1),
                _ if parms.local.is_none() && parms.remote.is_none() => Some(0),
                _ => None,
            };
        let candidates = self
            .topology
            .devices
            .iter()
            .enumerate()
            .filter_map(|(id, dev)| match dev.kind {
                // ip_tunnel_key_match(): key wanted and there, or neither
                DeviceKind::Gre(parms) if dev.up && dev.netns == netns && parms.ikey == key => {
                    Some((rank(&parms)?, DevId(id)))
                }
                _ => None,
            });
        candidates
            .max_by_key(|(rank, id)| (*rank, std::cmp::Reverse(id.0)))
            .map(|(_, id)| id)
    }

    /// `__iptunnel_pull_header()`: past the tunnel header; the payload's protocol becomes the packet's.
    pub(super) fn iptunnel_pull_header(
        &mut self,
        no: SkbNo,
        hdr_len: u32,
        proto: u16,
        xnet: bool,
    ) -> Run<()> {
        self.traced("__iptunnel_pull_header", CORE, no, |k| {
            let skb = k.skb_mut(no);
            skb.pull(hdr_len)?;
            skb.protocol = proto;
            skb.vlan_present = false;
            k.skb_scrub_packet(no, xnet)?;
            Ok(0)
        })?;
        Ok(())
    }

    /// `ip_tunnel_rcv()`: the inner packet arrives on the tunnel device.
    pub(super) fn ip_tunnel_rcv(
        &mut self,
        tunnel: DevId,
        parms: TunnelParms,
        no: SkbNo,
        info: TunnelInfo,
    ) -> Run<()> {
        self.traced("ip_tunnel_rcv", FILE, no, |k| {
            if parms.icsum != info.csum || (parms.iseq && info.seq.is_none()) {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let outer_tos = u32::from(k.skb(no).network_header) + 1;
            k.skb_mut(no).reset_network_header();
            if k.bytes(no, outer_tos, 1)
                .first()
                .is_some_and(|tos| tos & ECN_MASK == ECN_MASK)
            {
                return not_covered(
                    "ip_tunnel_rcv: the outer header is marked CE (IP_ECN_decapsulate)",
                );
            }
            // tunnel->net is the namespace in which the tunnel was made; devices do not move yet
            k.skb_scrub_packet(no, false)?;
            k.skb_mut(no).dev = Some(tunnel);
            k.gro_cells_receive(no)?;
            Ok(0)
        })?;
        Ok(())
    }

    /// `iptunnel_handle_offloads()`: what is outer now becomes inner.
    pub(super) fn iptunnel_handle_offloads(&mut self, no: SkbNo) -> Run<()> {
        self.traced("iptunnel_handle_offloads", CORE, no, |k| {
            let skb = k.skb_mut(no);
            if !skb.encapsulation {
                skb.reset_inner_headers();
            }
            // without CHECKSUM_PARTIAL the mark is taken back
            skb.encapsulation = false;
            skb.ip_summed = crate::skb::CHECKSUM_NONE;
            Ok(0)
        })?;
        Ok(())
    }

    /// `ip_tunnel_xmit()`: route, ttl, tos and DF of the outer header.
    pub(super) fn ip_tunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: TunnelParms,
        protocol: u8,
    ) -> Run<()> {
        self.traced("ip_tunnel_xmit", FILE, no, |k| {
            let Some(remote) = parms.remote else {
                return not_covered("ip_tunnel_xmit: a tunnel without remote (NBMA)");
            };
            let route = k.topology.route(k.topology.dev(dev).netns, remote)?;
            if route.dev == dev {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(());
            }
            let outer = k.outer_header(no, parms, remote, route, protocol)?;
            let max_headroom = k.topology.dev(route.dev).ll_reserved_space() + ipv4::HLEN;
            k.skb_cow_head(no, max_headroom)?;
            k.ip_tunnel_adj_headroom(dev, max_headroom);
            k.iptunnel_xmit(no, route, outer)
        })
    }

    /// The outer IPv4 header, without id, length and checksum. Only an IPv4 payload has a ttl, a
    /// tos and a DF to inherit here.
    fn outer_header(
        &self,
        no: SkbNo,
        parms: TunnelParms,
        remote: Ipv4Addr,
        route: Route,
        protocol: u8,
    ) -> Run<[u8; 20]> {
        let skb = self.skb(no);
        if skb.protocol != ethernet::P_IP {
            return not_covered(format!(
                "ip_tunnel_xmit: payload protocol 0x{:04x}",
                skb.protocol
            ));
        }
        let inner = self.bytes(no, u32::from(skb.inner_network_header), ipv4::HLEN);
        let (inner_tos, inner_ttl) = (
            inner.get(1).copied().unwrap_or(0),
            inner.get(8).copied().unwrap_or(0),
        );
        let Some(local) = parms.local.or(route.src) else {
            return not_covered("ip_tunnel_xmit: no source address");
        };
        let base_tos = if parms.tos & 1 == 1 {
            inner_tos
        } else {
            parms.tos
        };
        let df = if parms.nopmtudisc {
            be16(inner, 6) & ipv4::DF
        } else {
            ipv4::DF
        };
        let mut outer = [0; ipv4::HLEN as usize];
        outer[0] = 0x45;
        outer[1] = ecn_encapsulate(base_tos, inner_tos);
        outer[6..8].copy_from_slice(&df.to_be_bytes());
        outer[8] = if parms.ttl == 0 { inner_ttl } else { parms.ttl };
        outer[9] = protocol;
        outer[12..16].copy_from_slice(&local.octets());
        outer[16..20].copy_from_slice(&remote.octets());
        Ok(outer)
    }

    /// `ip_tunnel_adj_headroom()`: senders leave more room from now on, up to 512 bytes.
    fn ip_tunnel_adj_headroom(&mut self, dev: DevId, headroom: u32) {
        const IP_TUNNEL_MAX_ADJ_HEADROOM: u32 = 512;
        let device = self.topology.dev_mut(dev);
        device.needed_headroom = device
            .needed_headroom
            .max(headroom.min(IP_TUNNEL_MAX_ADJ_HEADROOM));
    }

    /// `iptunnel_xmit()`: pushes the outer IP header and sends.
    fn iptunnel_xmit(&mut self, no: SkbNo, route: Route, mut outer: [u8; 20]) -> Run<()> {
        self.traced("iptunnel_xmit", CORE, no, |k| {
            if k.dead_loop(no, IP_TUNNEL_RECURSION_LIMIT)? {
                return Ok(());
            }
            let xnet = k.crosses_netns(k.skb(no).dev, route.dev);
            k.skb_scrub_packet(no, xnet)?;
            let id = k.ip_select_ident();
            outer[4..6].copy_from_slice(&id.to_be_bytes());
            let skb = k.skb_mut(no);
            skb.dst = Some(route);
            skb.push(ipv4::HLEN)?;
            skb.reset_network_header();
            let data = skb.data;
            k.write_header(
                no,
                data,
                &outer,
                Layer::Ipv4,
                ipv4_label(&outer),
                "iptunnel_xmit",
            );
            k.xmit_recursion += 1;
            let sent = k.ip_local_out(no);
            k.xmit_recursion -= 1;
            sent.map(drop)
        })
    }
}

/// `INET_ECN_encapsulate()` (RFC 6040): the inner ECN field goes out, CE as ECT(0).
fn ecn_encapsulate(outer: u8, inner: u8) -> u8 {
    const ECT_0: u8 = 2;
    let ecn = if inner & ECN_MASK == ECN_MASK {
        ECT_0
    } else {
        inner & ECN_MASK
    };
    (outer & !ECN_MASK) | ecn
}

#[cfg(test)]
mod tests {
    use super::ecn_encapsulate;

    /// RFC 6040, section 4.1, compatibility with RFC 3168 full-functionality: CE is not copied out.
    #[test]
    fn ecn_goes_out_but_ce_does_not() {
        assert_eq!(ecn_encapsulate(0, 0), 0);
        assert_eq!(ecn_encapsulate(0, 1), 1);
        assert_eq!(ecn_encapsulate(0, 2), 2);
        assert_eq!(ecn_encapsulate(0, 3), 2);
        assert_eq!(ecn_encapsulate(0xb8, 1), 0xb9);
    }
}
