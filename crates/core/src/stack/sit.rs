//! `net/ipv6/sit.c`: IPv6 in IPv4.

use super::outer::{Outer, ecn_encapsulate, outer_ipv4};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, icmp, icmpv6, ipv4, ipv6};
use crate::scenario::command::{TunnelEncap, TunnelParms};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::gso;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/sit.c";
/// `IPV4_MIN_MTU`, bytes.
const IPV4_MIN_MTU: u32 = 68;

/// The parameters of a `sit` device.
fn sit(kind: &DeviceKind) -> Option<&TunnelParms> {
    match kind {
        DeviceKind::Sit(parms) => Some(parms),
        _ => None,
    }
}

impl Kernel {
    /// `tunnel64_rcv()` (`net/ipv4/tunnel4.c`): who wants an IPv6 packet in IPv4.
    pub(super) fn tunnel64_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("tunnel64_rcv", "net/ipv4/tunnel4.c", no, |k| {
            if !k.pskb_may_pull(no, ipv6::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            if !k.ipip6_rcv(no)? {
                k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            }
            Ok(0)
        })
    }

    /// `ipip6_rcv()`. `false`: no tunnel fits.
    fn ipip6_rcv(&mut self, no: SkbNo) -> Run<bool> {
        let ret = self.traced("ipip6_rcv", FILE, no, |k| {
            let Some((tunnel, _)) = k.ip_tunnel_lookup(no, None, sit) else {
                return Ok(1);
            };
            let skb = k.skb_mut(no);
            let outer = u32::from(skb.network_header);
            let before = skb.mac_header;
            skb.mac_header = skb.network_header;
            skb.reset_network_header();
            skb.dev = Some(tunnel);
            let xnet = k.left_home(tunnel);
            k.iptunnel_pull_header(no, 0, ethernet::P_IPV6, xnet)?;
            k.skb_mut(no).reset_mac_header();
            k.metadata_after_decap(no, before);
            let tos = k.bytes(no, outer + 1, 1).first().copied().unwrap_or(0);
            if !k.ecn_decapsulate(no, tos) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.netif_rx(no)?;
            Ok(0)
        })?;
        Ok(ret == 0)
    }

    /// `sit_tunnel_rcv()` for IPv4 in IPv4, which such a device takes too. `false`: no tunnel fits. The kernel has
    /// two functions called `ipip_rcv()`; that of `ipip.c` is the one that recordings show, so this one
    /// is in the trace only where it takes the packet.
    pub(super) fn sit_ipip_rcv(&mut self, no: SkbNo) -> Run<bool> {
        let Some((tunnel, parms)) = self.ip_tunnel_lookup(no, None, sit) else {
            return Ok(false);
        };
        let ret = self.traced("ipip_rcv", FILE, no, |k| k.receive_ipip(tunnel, parms, no))?;
        Ok(ret == 0)
    }

    /// `sit_tunnel_xmit()`: the tunnel device sends.
    pub(super) fn sit_tunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: TunnelParms,
    ) -> Run<i64> {
        self.traced("sit_tunnel_xmit", FILE, no, |k| {
            match k.skb(no).protocol {
                ethernet::P_IPV6 => k.ipip6_tunnel_xmit(no, dev, parms)?,
                ethernet::P_IP => {
                    k.iptunnel_handle_offloads(no, gso::IPXIP4)?;
                    k.skb_mut(no).inner_protocol = u16::from(ipv4::PROTO_IPIP);
                    k.ip_tunnel_xmit(no, dev, parms, ipv4::PROTO_IPIP)?;
                }
                _ => k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?,
            }
            Ok(0)
        })
    }

    /// `ipip6_tunnel_xmit()`: its own way to the outer IPv4 header.
    fn ipip6_tunnel_xmit(&mut self, no: SkbNo, dev: DevId, parms: TunnelParms) -> Run<()> {
        let at = u32::from(self.skb(no).network_header);
        let inner_tos = self.ipv6_dsfield(no, at);
        let Some(remote) = parms.remote else {
            return not_covered("ipip6_tunnel_xmit: a tunnel without remote (6to4, ISATAP)");
        };
        let home = self.topology.dev(dev).home;
        let route = self.topology.route(home, remote).ok();
        let Some(route) = route.filter(|route| route.dev != dev) else {
            return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
        };
        let Some(saddr) = parms.local.or(route.src) else {
            return not_covered("ipip6_tunnel_xmit: no source address");
        };
        self.iptunnel_handle_offloads(no, gso::IPXIP4)?;
        self.skb_mut(no).inner_protocol = u16::from(ipv6::NEXTHDR_IPV6);
        let encap_hlen = parms.encap.map_or(0, TunnelEncap::hlen);
        let mut df = !parms.nopmtudisc;
        if df {
            let mtu = self.ipv4_mtu(&route, remote, false);
            let mtu = mtu.saturating_sub(ipv4::HLEN + encap_hlen);
            if mtu < IPV4_MIN_MTU {
                return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            }
            df = mtu >= ipv6::MIN_MTU;
            let mtu = mtu.max(ipv6::MIN_MTU);
            if self.skb(no).len > mtu && !self.skb_is_gso(no) {
                self.icmp6_send(no, icmpv6::PKT_TOOBIG, 0, mtu)?;
                return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            }
        }
        self.tunnel_link_failure(no, dev)?;
        let out = self.topology.dev(route.dev);
        let room = out.ll_reserved_space() + ipv4::HLEN + encap_hlen;
        if self.skb(no).headroom() < room || self.skb_shared(no) || self.skb_cloned(no) {
            return not_covered("ipip6_tunnel_xmit: too little headroom (skb_realloc_headroom)");
        }
        let hop_limit = self.bytes(no, at + 7, 1).first().copied().unwrap_or(0);
        let tos = if parms.tos == 1 { inner_tos } else { parms.tos };
        let protocol = match parms.encap {
            Some(encap) => self.ip_tunnel_encap(no, encap, ipv6::NEXTHDR_IPV6, (saddr, remote))?,
            None => ipv6::NEXTHDR_IPV6,
        };
        let outer = outer_ipv4(Outer {
            saddr,
            daddr: remote,
            protocol,
            tos: ecn_encapsulate(tos, inner_tos),
            ttl: if parms.ttl == 0 { hop_limit } else { parms.ttl },
            df,
        });
        let xnet = self.left_home(dev);
        self.iptunnel_xmit(no, route, outer, xnet)
    }
}
