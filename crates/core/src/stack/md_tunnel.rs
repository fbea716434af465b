//! Tunnel devices in external mode (`collect_md`): each packet says where it goes, and is told where it came from
//! (`struct ip_tunnel_info`; `include/net/dst_metadata.h`, `net/ipv4/ip_tunnel.c`).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::filter::tun_flag;
use super::ip_tunnel::TunnelInfo;
use super::outer::{DEFAULT_TTL, ECN_MASK, Outer, ecn_encapsulate, outer_ipv4};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{ethernet, ipv4, ipv6, udp};
use crate::scenario::command::{Tunnel6Parms, TunnelDf, TunnelParms, TunnelTtl, UdpTunnelParms};
use crate::scenario::topology::{DevId, Encap};
use crate::skb::TunInfo;
use crate::trace::SkbNo;

impl Kernel {
    /// `skb_tunnel_info()`: of the packet's `metadata_dst`, else of its route (`encap ip`, `encap ip6`).
    pub(super) fn skb_tunnel_info(&self, no: SkbNo) -> Option<&TunInfo> {
        let skb = self.skb(no);
        let of_route = || {
            let encap = skb.dst.and_then(|route| route.encap);
            let encap = encap.or_else(|| skb.dst6.and_then(|route| route.encap));
            match encap {
                Some(Encap::Ip(index)) => self.topology.tun_infos.get(index),
                _ => None,
            }
        };
        skb.bpf.tun_info.as_deref().or_else(of_route)
    }

    /// `skb_tunnel_info()` of a packet that a device in external mode sends: one for sending, of this family.
    pub(super) fn tunnel_info_tx(&self, no: SkbNo, ipv6: bool) -> Option<TunInfo> {
        let info = self.skb_tunnel_info(no);
        info.filter(|info| info.tx && info.ipv6 == ipv6).cloned()
    }

    /// `ip_tun_rx_dst()` and `ipv6_tun_rx_dst()`: what the outer header at `network_header` says.
    pub(super) fn tun_rx_dst(&self, no: SkbNo, tun_id: u64, mut tun_flags: u16) -> TunInfo {
        let at = u32::from(self.skb(no).network_header);
        let (mut src, mut dst) = ([0; 16], [0; 16]);
        if self.is_ipv6(no) {
            let header = self.bytes(no, at, ipv6::HLEN);
            copy(&mut src, header.get(8..24));
            copy(&mut dst, header.get(24..40));
            return TunInfo {
                tun_id,
                ipv6: true,
                src,
                dst,
                tos: ipv6::dsfield(header),
                ttl: header.get(7).copied().unwrap_or(0),
                label: be32(header, 0) & 0x000f_ffff,
                tx: false,
                tun_flags,
                options: Vec::new(),
            };
        }
        let header = self.bytes(no, at, ipv4::HLEN);
        copy(&mut src, header.get(12..16));
        copy(&mut dst, header.get(16..20));
        if be16(header, 6) & ipv4::DF != 0 {
            tun_flags |= tun_flag::DONT_FRAGMENT;
        }
        TunInfo {
            tun_id,
            ipv6: false,
            src,
            dst,
            tos: header.get(1).copied().unwrap_or(0),
            ttl: header.get(8).copied().unwrap_or(0),
            label: 0,
            tx: false,
            tun_flags,
            options: Vec::new(),
        }
    }

    /// The same of GRE's header.
    pub(super) fn gre_rx_dst(&self, no: SkbNo, info: TunnelInfo) -> TunInfo {
        let mut flags = 0;
        for (flag, there) in [
            (tun_flag::CSUM, info.csum),
            (tun_flag::KEY, info.key.is_some()),
        ] {
            flags |= if there { flag } else { 0 };
        }
        self.tun_rx_dst(no, u64::from(info.key.unwrap_or(0)), flags)
    }

    /// `udp_tun_rx_dst()` (`net/ipv4/udp_tunnel_core.c`): with the flag *checksum* when the UDP header, which is at
    /// `transport_header`, has one.
    pub(super) fn udp_tun_rx_dst(&self, no: SkbNo, vni: u32, flags: u16) -> TunInfo {
        let at = u32::from(self.skb(no).transport_header) + udp::CHECK;
        let csum = match be16(self.bytes(no, at, 2), 0) {
            0 => 0,
            _ => tun_flag::CSUM,
        };
        self.tun_rx_dst(no, u64::from(vni), flags | csum)
    }

    /// `gre_fb_xmit()` (`net/ipv4/ip_gre.c`): GRE's header with the words that the packet's info names.
    pub(super) fn gre_fb_xmit(&mut self, no: SkbNo, dev: DevId, proto: u16) -> Run<()> {
        let Some(info) = self.tunnel_info_tx(no, false) else {
            return self.kfree_skb(no, drop_reason::NOT_SPECIFIED);
        };
        let needed = self.topology.dev(dev).needed_headroom;
        self.skb_cow_head(no, needed)?;
        let parms = gre_words(&info);
        self.iptunnel_handle_offloads(no, super::ipgre::gre_gso_type(&parms))?;
        self.gre_build_header(no, dev, parms, proto)?;
        let tunnel_hlen = super::ipgre::gre_hlen(&parms);
        self.ip_md_tunnel_xmit(no, dev, ipv4::PROTO_GRE, tunnel_hlen)
    }

    /// `ip_md_tunnel_xmit()`: as `ip_tunnel_xmit()`, with what the packet's info says. `tunnel_hlen` is the length of the
    /// tunnel's own header, pushed already.
    pub(super) fn ip_md_tunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        protocol: u8,
        tunnel_hlen: u32,
    ) -> Run<()> {
        self.traced("ip_md_tunnel_xmit", "net/ipv4/ip_tunnel.c", no, |k| {
            let home = k.topology.dev(dev).home;
            let info = k.tunnel_info_tx(no, false);
            let found = info.and_then(|info| {
                let route = k.topology.route(home, ipv4_of(&info.dst)).ok()?;
                (route.dev != dev).then_some((info, route))
            });
            let Some((info, route)) = found else {
                return k.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            };
            let df = info.tun_flags & tun_flag::DONT_FRAGMENT != 0;
            let frag_off = if df { ipv4::DF } else { 0 };
            if !k.tnl_update_pmtu(
                no,
                dev,
                (route, ipv4_of(&info.dst)),
                (frag_off, tunnel_hlen),
            )? {
                return k.kfree_skb(no, drop_reason::NOT_SPECIFIED);
            }
            let Some(saddr) = given(ipv4_of(&info.src)).or(route.src) else {
                return not_covered("ip_md_tunnel_xmit: no source address");
            };
            let ip = matches!(k.skb(no).protocol, ethernet::P_IP | ethernet::P_IPV6);
            let at = u32::from(k.skb(no).inner_network_header);
            let inner = k.inner_header(no, at);
            let inner_tos = inner.map_or(0, |inner| inner.tos);
            let tos = match info.tos {
                1 if ip => inner_tos,
                tos => tos,
            };
            let inherited = inner.filter(|_| ip).map_or(DEFAULT_TTL, |inner| inner.ttl);
            let outer = outer_ipv4(Outer {
                saddr,
                daddr: ipv4_of(&info.dst),
                protocol,
                tos: ecn_encapsulate(tos, inner_tos),
                ttl: if info.ttl == 0 { inherited } else { info.ttl },
                df,
            });
            let headroom = k.topology.dev(route.dev).ll_reserved_space() + ipv4::HLEN;
            k.skb_cow_head(no, headroom)?;
            k.ip_tunnel_adj_headroom(dev, headroom);
            let xnet = k.left_home(dev);
            k.iptunnel_xmit(no, route, outer, xnet)
        })
    }

    /// A VXLAN or GENEVE device in external mode, for one packet: its parameters with those of the packet's info.
    /// `None`: there is nothing to send by.
    pub(super) fn udp_tunnel_info(
        &self,
        no: SkbNo,
        parms: UdpTunnelParms,
    ) -> Option<(UdpTunnelParms, TunInfo)> {
        let info = self.skb_tunnel_info(no).filter(|info| info.tx)?.clone();
        let csum = info.tun_flags & tun_flag::CSUM != 0;
        let (v4, v6) = (given(ipv4_of(&info.dst)), Some(Ipv6Addr::from(info.dst)));
        let (local, local6) = (ipv4_of(&info.src), Ipv6Addr::from(info.src));
        let parms = UdpTunnelParms {
            vni: info.tun_id as u32 & 0x00ff_ffff,
            remote: v4.filter(|_| !info.ipv6),
            local: given(local).filter(|_| !info.ipv6),
            remote6: v6.filter(|_| info.ipv6),
            local6: (info.ipv6 && !local6.is_unspecified()).then_some(local6),
            // the ECN bits come from the inner header; 1 does not mean *inherit* here
            tos: info.tos & !ECN_MASK,
            ttl: TunnelTtl::Fixed(info.ttl),
            df: match info.tun_flags & tun_flag::DONT_FRAGMENT {
                0 => TunnelDf::Unset,
                _ => TunnelDf::Set,
            },
            udpcsum: csum,
            udp6zerocsumtx: !csum,
            ..parms
        };
        Some((parms, info))
    }

    /// The parameters of a tunnel over IPv6, for one packet; `None` in external mode when the packet does not say any.
    pub(super) fn tunnel6_parms(
        &self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
        gre: bool,
    ) -> Option<Tunnel6Parms> {
        match parms.gre.external {
            true => self.tunnel6_info(no, dev, parms, gre),
            false => Some(parms),
        }
    }

    /// A tunnel over IPv6 in external mode, for one packet (`ipxip6_tnl_xmit()`, `__gre6_xmit()`): no encapsulation limit
    /// goes along, and GRE takes no source address of the info.
    fn tunnel6_info(
        &self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
        gre: bool,
    ) -> Option<Tunnel6Parms> {
        let info = self.tunnel_info_tx(no, true)?;
        let home = self.topology.dev(dev).home;
        let (src, dst) = (Ipv6Addr::from(info.src), Ipv6Addr::from(info.dst));
        let chosen = || {
            let route = self.topology.route6(home, dst)?;
            self.topology.source6(home, route.dev, dst)
        };
        let local = (!gre && !src.is_unspecified()).then_some(src);
        Some(Tunnel6Parms {
            local: local.or_else(chosen),
            remote: Some(dst),
            hop_limit: info.ttl,
            encap_limit: None,
            tclass: Some(info.tos),
            flowlabel: Some(info.label),
            gre: TunnelParms {
                external: true,
                ..gre_words(&info)
            },
            ..parms
        })
    }
}

/// The words of GRE's header that an info names, and its key.
fn gre_words(info: &TunInfo) -> TunnelParms {
    let has = |flag: u16| info.tun_flags & flag != 0;
    TunnelParms {
        ocsum: has(tun_flag::CSUM),
        okey: has(tun_flag::KEY).then_some(info.tun_id as u32),
        oseq: has(tun_flag::SEQ),
        ..TunnelParms::default()
    }
}

fn copy(into: &mut [u8; 16], from: Option<&[u8]>) {
    let from = from.unwrap_or_default();
    into[..from.len()].copy_from_slice(from);
}

/// The IPv4 address in the first four bytes.
fn ipv4_of(address: &[u8; 16]) -> Ipv4Addr {
    Ipv4Addr::new(address[0], address[1], address[2], address[3])
}

/// An address that is not 0.0.0.0.
fn given(address: Ipv4Addr) -> Option<Ipv4Addr> {
    Some(address).filter(|address| !address.is_unspecified())
}
