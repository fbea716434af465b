//! `net/ipv4/ip_tunnel.c` and `net/ipv4/ip_tunnel_core.c`.

use std::net::Ipv4Addr;

use super::dev_rx::eth_protocol;
use super::links::MAX_TUNNEL_HEADROOM;
use super::outer::{DEFAULT_TTL, ECN_MASK, InnerHeader, Outer, ecn_encapsulate, outer_ipv4};
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, ipv4_label};
use crate::net::{checksum, ethernet, ipv4, ipv6, vlan};
use crate::scenario::command::{TunnelEncap, TunnelParms};
use crate::scenario::topology::{DevId, DeviceKind, Route};
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL, gso};
use crate::trace::{Layer, SkbNo};

const CORE: &str = "net/ipv4/ip_tunnel_core.c";
const FILE: &str = "net/ipv4/ip_tunnel.c";
/// `IP_TUNNEL_RECURSION_LIMIT` (`include/net/ip_tunnels.h`): tunnels inside tunnels.
pub(super) const IP_TUNNEL_RECURSION_LIMIT: u32 = 5;

/// The parameters of devices of one kind.
pub(super) type ParmsOf = fn(&DeviceKind) -> Option<&TunnelParms>;

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
    /// `ip_tunnel_lookup()`: the tunnel whose addresses and key fit best, of those that `kind` names.
    /// Tunnels are known in the namespace in which they were made.
    pub(super) fn ip_tunnel_lookup(
        &self,
        no: SkbNo,
        key: Option<u32>,
        kind: ParmsOf,
    ) -> Option<(DevId, TunnelParms)> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let (remote, local) = self.ip_hdr_addrs(no);
        let devices = self.topology.devices.iter().enumerate();
        devices
            .filter(|(_, dev)| dev.up && dev.home == netns)
            .filter_map(|(id, dev)| {
                let parms = kind(&dev.kind)?;
                // ip_tunnel_key_match(): key wanted and there, or neither
                // a device in external mode takes what no other one does (`collect_md_tun`)
                let fits = match parms.external {
                    true => 0,
                    false => rank(parms, local, remote).filter(|_| parms.ikey == key)?,
                };
                Some((fits, DevId(id), parms))
            })
            .max_by_key(|(fits, id, _)| (*fits, std::cmp::Reverse(id.0)))
            .map(|(_, id, parms)| (id, *parms))
    }

    /// `__iptunnel_pull_header()`: past the tunnel header; the payload's protocol becomes the packet's.
    pub(super) fn iptunnel_pull_header(
        &mut self,
        no: SkbNo,
        hdr_len: u32,
        proto: u16,
        xnet: bool,
    ) -> Run<()> {
        self.iptunnel_pull_header_raw(no, hdr_len, proto, (xnet, false))
    }

    /// The same; with `raw_proto` a frame's type is not looked into.
    pub(super) fn iptunnel_pull_header_raw(
        &mut self,
        no: SkbNo,
        hdr_len: u32,
        proto: u16,
        (xnet, raw_proto): (bool, bool),
    ) -> Run<()> {
        self.traced("__iptunnel_pull_header", CORE, no, |k| {
            k.pskb_may_pull(no, hdr_len)?;
            k.skb_pull_rcsum(no, hdr_len)?;
            if proto == ethernet::P_TEB && !raw_proto {
                k.pskb_may_pull(no, ethernet::HLEN)?;
            }
            let skb = k.skb(no);
            let frame = k.bytes(no, skb.data, ethernet::HLEN);
            // eth_proto_is_802_3()
            let inner = if proto == ethernet::P_TEB && !raw_proto {
                eth_protocol(frame)
            } else {
                proto
            };
            let skb = k.skb_mut(no);
            skb.protocol = inner;
            skb.clear_vlan_tag();
            k.skb_scrub_packet(no, xnet)?;
            k.iptunnel_pull_offloads(no)?;
            Ok(0)
        })?;
        Ok(())
    }

    /// The part of `ip_tunnel_rcv()` and `__ip6_tnl_rcv()` about sequence numbers: a tunnel that wants them takes no
    /// packet without one, and none that is older than the last.
    pub(super) fn in_sequence(&mut self, tunnel: DevId, wanted: bool, seq: Option<u32>) -> bool {
        if !wanted {
            return true;
        }
        let device = self.topology.dev_mut(tunnel);
        let old = |seq: u32| device.i_seqno != 0 && (seq.wrapping_sub(device.i_seqno) as i32) < 0;
        let Some(seq) = seq.filter(|seq| !old(*seq)) else {
            return false;
        };
        device.i_seqno = seq.wrapping_add(1);
        true
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
            let gre = !matches!(
                k.topology.dev(tunnel).kind,
                DeviceKind::Ipip(_) | DeviceKind::Sit(_)
            );
            let wanted = parms.external || (gre && parms.remote.is_none());
            let tun_dst = wanted.then(|| k.gre_rx_dst(no, info));
            if parms.icsum != info.csum || !k.in_sequence(tunnel, parms.iseq, info.seq) {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let outer = u32::from(k.skb(no).network_header);
            let ethernet = k.topology.dev(tunnel).has_ethernet();
            let inner = if ethernet { ethernet::HLEN } else { 0 };
            k.skb_mut(no).set_network_header(inner);
            k.pskb_inet_may_pull(no)?;
            if !k.ip_ecn_decapsulate(no, outer) {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let xnet = k.left_home(tunnel);
            k.skb_scrub_packet(no, xnet)?;
            if ethernet {
                let protocol = k.eth_type_trans(no, tunnel)?;
                k.skb_mut(no).protocol = protocol;
                k.postpull_eth(no);
            } else {
                k.skb_mut(no).dev = Some(tunnel);
            }
            if tun_dst.is_some() {
                k.skb_mut(no).bpf.tun_info = tun_dst.map(Box::new);
            }
            k.gro_cells_receive(no)?;
            Ok(0)
        })?;
        Ok(())
    }

    /// `iptunnel_pull_offloads()`: no tunnel is around it any more.
    pub(super) fn iptunnel_pull_offloads(&mut self, no: SkbNo) -> Run<()> {
        if self.skb_is_gso(no) {
            self.skb_unclone(no)?;
            let head = self.skb(no).head;
            self.buffers.shinfo_mut(head).gso_type &= !gso::ENCAP_ALL;
        }
        self.skb_mut(no).encapsulation = false;
        Ok(())
    }

    /// `iptunnel_handle_offloads()`: what is outer now becomes inner. `gso_type` is what the tunnel adds to it.
    pub(super) fn iptunnel_handle_offloads(&mut self, no: SkbNo, gso_type: u32) -> Run<()> {
        self.traced("iptunnel_handle_offloads", CORE, no, |k| {
            let skb = k.skb_mut(no);
            if !skb.encapsulation {
                skb.reset_inner_headers();
            }
            skb.encapsulation = true;
            if k.skb_is_gso(no) {
                // skb_header_unclone()
                k.skb_unclone(no)?;
                let head = k.skb(no).head;
                k.buffers.shinfo_mut(head).gso_type |= gso_type;
                return Ok(0);
            }
            // without CHECKSUM_PARTIAL the mark is taken back
            let skb = k.skb_mut(no);
            if skb.ip_summed != CHECKSUM_PARTIAL {
                skb.encapsulation = false;
                skb.ip_summed = CHECKSUM_NONE;
            }
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
            let mut protocol = protocol;
            if let Some(encap) = parms.encap {
                let saddr = parms.local.unwrap_or(Ipv4Addr::UNSPECIFIED);
                protocol = k.ip_tunnel_encap(no, encap, protocol, (saddr, remote))?;
            }
            let Ok(route) = k.topology.route(k.topology.dev(dev).home, remote) else {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(());
            };
            if route.dev == dev {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(());
            }
            let outer = k.outer_header(no, parms, remote, route, protocol)?;
            let skb = k.skb(no);
            let own = u32::from(skb.inner_mac_header).saturating_sub(skb.data);
            if !k.tnl_update_pmtu(no, dev, (route, remote), (be16(&outer, 6), own))? {
                k.kfree_skb(no, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                return Ok(());
            }
            k.tunnel_link_failure(no, dev)?;
            let encap_hlen = parms.encap.map_or(0, TunnelEncap::hlen);
            let out = k.topology.dev(route.dev);
            let max_headroom = out.ll_reserved_space() + ipv4::HLEN + encap_hlen;
            k.skb_cow_head(no, max_headroom)?;
            k.ip_tunnel_adj_headroom(dev, max_headroom);
            let xnet = k.left_home(dev);
            k.iptunnel_xmit(no, route, outer, xnet)
        })
    }

    /// The outer IPv4 header, without id, length and checksum. Only an IP payload has a ttl and a
    /// tos to inherit here, and only IPv4 a DF.
    fn outer_header(
        &self,
        no: SkbNo,
        parms: TunnelParms,
        remote: Ipv4Addr,
        route: Route,
        protocol: u8,
    ) -> Run<[u8; 20]> {
        let Some(local) = parms.local.or(route.src) else {
            return not_covered("ip_tunnel_xmit: no source address");
        };
        let inner = self.inner_header(no, u32::from(self.skb(no).inner_network_header));
        let inner_tos = inner.map_or(0, |inner| inner.tos);
        let tos = match parms.tos {
            tos if tos & 1 == 1 => inner.map_or(tos & !1, |inner| inner.tos),
            tos => tos,
        };
        let ttl = match parms.ttl {
            0 => inner.map_or(DEFAULT_TTL, |inner| inner.ttl),
            ttl => ttl,
        };
        Ok(outer_ipv4(Outer {
            saddr: local,
            daddr: remote,
            protocol,
            tos: ecn_encapsulate(tos, inner_tos),
            ttl,
            df: !parms.nopmtudisc || inner.is_some_and(|inner| inner.df),
        }))
    }

    /// What a tunnel inherits of an IP packet whose header is at `at`; `None` for other packets. IPv6 has no DF.
    pub(super) fn inner_header(&self, no: SkbNo, at: u32) -> Option<InnerHeader> {
        match self.skb_protocol(no) {
            ethernet::P_IP => {}
            ethernet::P_IPV6 => {
                let header = self.bytes(no, at, ipv6::HLEN);
                return Some(InnerHeader {
                    tos: ipv6::dsfield(header),
                    ttl: *header.get(7)?,
                    df: false,
                });
            }
            _ => return None,
        }
        let header = self.bytes(no, at, ipv4::HLEN);
        Some(InnerHeader {
            tos: *header.get(1)?,
            ttl: *header.get(8)?,
            df: be16(header, 6) & ipv4::DF != 0,
        })
    }

    /// `skb_protocol(skb, true)`, so `vlan_get_protocol()` and `__vlan_get_protocol_offset()` (`net/core/skbuff.c`): the
    /// protocol behind VLAN tags in the frame. It looks from `data` on, so behind a tunnel's header that is there already it
    /// takes other bytes for a tag.
    pub(super) fn skb_protocol(&self, no: SkbNo) -> u16 {
        const VLAN_MAX_DEPTH: u32 = 8;
        let skb = self.skb(no);
        let mut protocol = skb.protocol;
        let mut at = match u32::from(skb.mac_len) {
            0 => ethernet::HLEN,
            len => len.saturating_sub(vlan::HLEN),
        };
        let mut left = VLAN_MAX_DEPTH;
        while vlan::is_vlan(protocol) {
            left -= 1;
            let tag = self.packet(no, at, vlan::HLEN);
            if tag.len() < vlan::HLEN as usize || left == 0 {
                return 0;
            }
            protocol = be16(&tag, 2);
            at += vlan::HLEN;
        }
        protocol
    }

    /// `IP_ECN_decapsulate()` (RFC 6040): a mark *Congestion Experienced* of the outer header goes to an inner
    /// packet that can bear one. `false`: the inner packet can't, and is dropped.
    pub(super) fn ip_ecn_decapsulate(&mut self, no: SkbNo, outer: u32) -> bool {
        let outer_tos = match self.bytes(no, outer, 1).first().map(|first| first >> 4) {
            Some(6) => self.ipv6_dsfield(no, outer),
            _ => self.bytes(no, outer + 1, 1).first().copied().unwrap_or(0),
        };
        self.ecn_decapsulate(no, outer_tos)
    }

    /// `IP_ECN_decapsulate()` and `IP6_ECN_decapsulate()`, by the outer header's tos or traffic class.
    pub(super) fn ecn_decapsulate(&mut self, no: SkbNo, outer_tos: u8) -> bool {
        let at = u32::from(self.skb(no).network_header);
        let inner = self.inner_header(no, at).map(|inner| inner.tos);
        let Some(tos) = inner.filter(|_| outer_tos & ECN_MASK == ECN_MASK) else {
            return true;
        };
        if tos & ECN_MASK == 0 {
            return false;
        }
        let head = self.skb(no).head;
        if self.skb_protocol(no) == ethernet::P_IPV6 {
            // IP6_ECN_set_ce(): the two bits are in the high half of the second byte
            let second = self.bytes(no, at + 1, 1).first().copied().unwrap_or(0);
            self.buffers.patch(head, at + 1, &[second | ECN_MASK << 4]);
            return true;
        }
        // ip_set_ce()
        self.buffers.patch(head, at + 1, &[tos | ECN_MASK]);
        self.ip_fix_check(no, at);
        true
    }

    /// The header checksum again, after a byte of the header has changed.
    pub(super) fn ip_fix_check(&mut self, no: SkbNo, at: u32) {
        let head = self.skb(no).head;
        let ihl = u32::from(self.bytes(no, at, 1).first().copied().unwrap_or(0) & 0x0f) * 4;
        self.buffers.patch(head, at + 10, &[0, 0]);
        let check = checksum::internet(self.bytes(no, at, ihl));
        self.buffers.patch(head, at + 10, &check.to_be_bytes());
    }

    /// Whether a tunnel device is in another namespace than the one in which it was made.
    pub(super) fn left_home(&self, dev: DevId) -> bool {
        let device = self.topology.dev(dev);
        device.home != device.netns
    }

    /// `ip_tunnel_adj_headroom()`: senders leave more room from now on, up to 512 bytes.
    pub(super) fn ip_tunnel_adj_headroom(&mut self, dev: DevId, headroom: u32) {
        let device = self.topology.dev_mut(dev);
        device.needed_headroom = device
            .needed_headroom
            .max(headroom.min(MAX_TUNNEL_HEADROOM));
    }

    /// The outer header but for length and checksum, which `__ip_local_out()` fills in: until then the bytes
    /// that were there show through.
    fn write_outer(&mut self, no: SkbNo, at: u32, outer: &[u8; ipv4::HLEN as usize]) {
        let (head, dev) = (self.skb(no).head, self.skb(no).dev);
        let (layer, label) = (Layer::Ipv4, ipv4_label(outer));
        let source = self.source(layer, label, "iptunnel_xmit", dev, ipv4::HLEN);
        for part in [0..2, 4..10, 12..20] {
            let first = part.start as u16;
            let offset = at + part.start as u32;
            self.buffers
                .write(head, offset, &outer[part], source, first);
        }
    }

    /// `iptunnel_xmit()`: pushes the outer IP header and sends.
    pub(super) fn iptunnel_xmit(
        &mut self,
        no: SkbNo,
        route: Route,
        mut outer: [u8; 20],
        xnet: bool,
    ) -> Run<()> {
        self.traced("iptunnel_xmit", CORE, no, |k| {
            if k.dead_loop(no, IP_TUNNEL_RECURSION_LIMIT)? {
                return Ok(());
            }
            k.skb_scrub_packet(no, xnet)?;
            let id = k.ip_select_idents(k.buffers.get(k.skb(no).head).shinfo.packets());
            outer[4..6].copy_from_slice(&id.to_be_bytes());
            let skb = k.skb_mut(no);
            skb.set_dst(Some(route));
            skb.forwarded = false;
            skb.push(ipv4::HLEN)?;
            skb.reset_network_header();
            let data = skb.data;
            k.write_outer(no, data, &outer);
            k.xmit_recursion += 1;
            let sent = k.ip_local_out(no);
            k.xmit_recursion -= 1;
            sent.map(drop)
        })
    }
}

/// How well a tunnel fits a packet from `remote` to `local`; more is better.
pub(super) fn rank(parms: &TunnelParms, local: Ipv4Addr, remote: Ipv4Addr) -> Option<u8> {
    match (parms.local == Some(local), parms.remote == Some(remote)) {
        (true, true) => Some(4),
        (_, true) if parms.local.is_none() => Some(3),
        (true, _) if parms.remote.is_none() => Some(2),
        _ if parms.local.is_none() && parms.remote.is_none() => Some(1),
        _ => None,
    }
}
