//! `net/ipv6/ip6_tunnel.c`: IPv4 and IPv6 in IPv6, and what GRE over IPv6 shares with it.

use std::net::Ipv6Addr;

use super::ip_tunnel::{IP_TUNNEL_RECURSION_LIMIT, TunnelInfo};
use super::ip6_output::{DEFAULT_HOP_LIMIT, Ipv6Header};
use super::outer::ecn_encapsulate;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, icmp, icmpv6, ipv4, ipv6};
use crate::scenario::command::Tunnel6Parms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv6/ip6_tunnel.c";
/// Bytes of the destination options that carry the encapsulation limit (`ipv6_tel_txoption`).
const ENCAP_LIMIT_LEN: u32 = 8;
/// `IPV4_MIN_MTU`, bytes.
const IPV4_MIN_MTU: u32 = 68;

/// What a sending tunnel has found out about the packet it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encap6 {
    /// Traffic class of the outer header.
    pub dsfield: u8,
    /// Flow label of the outer header; 0 when it is to be made.
    pub flowlabel: u32,
    /// Tunnel encapsulation limit, if one goes with it.
    pub encap_limit: Option<u8>,
    /// Bytes of the tunnel's own header, pushed already (`tun_hlen`).
    pub tun_hlen: u32,
    /// Protocol behind the outer header.
    pub proto: u8,
}

/// What `ip6_tnl_xmit()` made of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent6 {
    Done,
    /// The caller drops it.
    Failed,
    /// It does not fit into so many bytes (`-EMSGSIZE`).
    TooLong(u32),
}

impl Kernel {
    /// `tunnel6_rcv()`, `tunnel46_rcv()` (`net/ipv6/tunnel6.c`): who wants a packet that holds another one.
    pub(super) fn tunnel6_rcv(&mut self, no: SkbNo, ipproto: u8) -> Run<i64> {
        let (name, least) = match ipproto {
            ipv4::PROTO_IPIP => ("tunnel46_rcv", ipv4::HLEN),
            _ => ("tunnel6_rcv", ipv6::HLEN),
        };
        self.traced(name, "net/ipv6/tunnel6.c", no, |k| {
            if !k.pskb_may_pull(no, least)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            if !k.ipxip6_rcv(no, ipproto)? {
                k.icmp6_send(no, icmpv6::DEST_UNREACH, icmpv6::PORT_UNREACH, 0)?;
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            }
            Ok(0)
        })
    }

    /// `ipxip6_rcv()`, by way of `ip4ip6_rcv()` or `ip6ip6_rcv()`. `false`: no tunnel fits.
    fn ipxip6_rcv(&mut self, no: SkbNo, ipproto: u8) -> Run<bool> {
        let (name, proto) = match ipproto {
            ipv4::PROTO_IPIP => ("ip4ip6_rcv", ethernet::P_IP),
            _ => ("ip6ip6_rcv", ethernet::P_IPV6),
        };
        let ret = self.traced(name, FILE, no, |k| {
            let Some((tunnel, parms)) = k.ip6_tnl_lookup(no) else {
                return Ok(-1);
            };
            if (parms.proto != 0 && parms.proto != ipproto) || !k.ip6_tnl_rcv_ctl(no, tunnel) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.iptunnel_pull_header(no, 0, proto, false)?;
            let info = TunnelInfo {
                proto,
                key: None,
                csum: false,
                seq: None,
            };
            k.ip6_tnl_rcv(tunnel, parms, no, info)
        })?;
        Ok(ret == 0)
    }

    /// `ip6_tnl_lookup()`: both addresses fit, then the local one, then the remote one.
    fn ip6_tnl_lookup(&self, no: SkbNo) -> Option<(DevId, Tunnel6Parms)> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let (remote, local) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        let devices = self.topology.devices.iter().enumerate();
        devices
            .filter(|(_, dev)| dev.up && dev.home == netns)
            .filter_map(|(id, dev)| match dev.kind {
                DeviceKind::Ip6Tnl(parms) => Some((DevId(id), parms)),
                _ => None,
            })
            .filter_map(|found| {
                let fits = match (found.1.local, found.1.remote) {
                    (Some(l), Some(r)) if (l, r) == (local, remote) => 2,
                    (Some(l), None) if l == local => 1,
                    (None, Some(r)) if r == remote => 0,
                    _ if found.1.gre.external => -1,
                    _ => return None,
                };
                Some((fits, std::cmp::Reverse(found.0), found))
            })
            .max_by_key(|(fits, id, _)| (*fits, *id))
            .map(|(_, _, found)| found)
    }

    /// `ip6_tnl_rcv_ctl()`: the outer destination is ours, and the source is not.
    fn ip6_tnl_rcv_ctl(&self, no: SkbNo, tunnel: DevId) -> bool {
        let home = self.topology.dev(tunnel).home;
        let (remote, local) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        self.topology.is_local6(home, local) && !self.topology.is_local6(home, remote)
    }

    /// `__ip6_tnl_rcv()`: the inner packet arrives on the tunnel device.
    pub(super) fn ip6_tnl_rcv(
        &mut self,
        tunnel: DevId,
        parms: Tunnel6Parms,
        no: SkbNo,
        info: TunnelInfo,
    ) -> Run<i64> {
        self.traced("__ip6_tnl_rcv", FILE, no, |k| {
            let tun_dst = parms.gre.external.then(|| k.gre_rx_dst(no, info));
            let refused =
                parms.gre.icsum != info.csum || !k.in_sequence(tunnel, parms.gre.iseq, info.seq);
            let ethernet = k.topology.dev(tunnel).has_ethernet();
            if refused || (ethernet && !k.pskb_may_pull(no, ethernet::HLEN)?) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.skb_mut(no).protocol = info.proto;
            if ethernet {
                let protocol = k.eth_type_trans(no, tunnel)?;
                k.skb_mut(no).protocol = protocol;
                k.postpull_eth(no);
            } else {
                let skb = k.skb_mut(no);
                skb.dev = Some(tunnel);
                let before = skb.mac_header;
                skb.reset_mac_header();
                k.metadata_after_decap(no, before);
            }
            let outer = u32::from(k.skb(no).network_header);
            k.skb_mut(no).reset_network_header();
            // skb_vlan_inet_prepare()
            let least = match k.skb(no).protocol {
                ethernet::P_IP => ipv4::HLEN,
                ethernet::P_IPV6 => ipv6::HLEN,
                _ => 0,
            };
            if !k.pskb_may_pull(no, least)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            // __skb_tunnel_rx()
            k.skb_mut(no).dev = Some(tunnel);
            let xnet = k.left_home(tunnel);
            k.skb_scrub_packet(no, xnet)?;
            let dsfield = k.ipv6_dsfield(no, outer);
            if !k.ecn_decapsulate(no, dsfield) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.skb_scrub_packet(no, xnet)?;
            if tun_dst.is_some() {
                k.skb_mut(no).bpf.tun_info = tun_dst.map(Box::new);
            }
            k.gro_cells_receive(no)?;
            Ok(0)
        })
    }

    /// `ip6_tnl_start_xmit()` and `ipxip6_tnl_xmit()`: the tunnel device sends.
    pub(super) fn ip6_tnl_start_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
    ) -> Run<i64> {
        self.traced("ip6_tnl_start_xmit", FILE, no, |k| {
            let proto = match k.skb(no).protocol {
                ethernet::P_IP => ipv4::PROTO_IPIP,
                ethernet::P_IPV6 => ipv6::NEXTHDR_IPV6,
                _ => 0,
            };
            let own = proto == ipv6::NEXTHDR_IPV6 && parms.remote == Some(k.ipv6_hdr_addr(no, 8));
            if proto == 0 || own || (parms.proto != 0 && parms.proto != proto) {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let Some(parms) = k.tunnel6_parms(no, dev, parms, false) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            let Some(encap) = k.prepare_ip6_xmit(no, &parms, proto, 0) else {
                return not_covered("ipxip6_tnl_xmit: the encapsulation limit is used up");
            };
            k.iptunnel_handle_offloads(no, crate::skb::gso::IPXIP6)?;
            k.skb_mut(no).inner_protocol = u16::from(proto);
            let sent = k.ip6_tnl_xmit(no, dev, parms, encap)?;
            k.ip6_xmit_failed(no, sent)?;
            Ok(0)
        })
    }

    /// What the outer header inherits of the packet: traffic class, flow label, encapsulation limit. `None`: the
    /// limit of an outer tunnel is 0.
    pub(super) fn prepare_ip6_xmit(
        &self,
        no: SkbNo,
        parms: &Tunnel6Parms,
        proto: u8,
        tun_hlen: u32,
    ) -> Option<Encap6> {
        let at = u32::from(self.skb(no).network_header);
        let payload = self.skb_protocol(no);
        let (mut encap_limit, mut flowlabel) = (parms.encap_limit, parms.flowlabel.unwrap_or(0));
        let inner = match payload {
            ethernet::P_IP => self.bytes(no, at + 1, 1).first().copied(),
            ethernet::P_IPV6 => Some(self.ipv6_dsfield(no, at)),
            _ => None,
        };
        if payload == ethernet::P_IPV6 && !parms.gre.external {
            match self.tlv_enc_lim(no, at) {
                Some(0) => return None,
                Some(limit) => encap_limit = Some(limit - 1),
                None => {}
            }
            if parms.flowlabel.is_none() {
                let word = self.bytes(no, at, 4);
                flowlabel = crate::net::dissect::be32(word, 0) & 0x000f_ffff;
            }
        }
        let own = parms.tclass.or(inner).unwrap_or(0);
        Some(Encap6 {
            dsfield: match proto {
                // GRE takes the class as it is, ip6tnl looks at the inner ECN field
                ipv4::PROTO_GRE => own,
                _ => ecn_encapsulate(own, inner.unwrap_or(own)),
            },
            flowlabel,
            encap_limit,
            tun_hlen,
            proto,
        })
    }

    /// `ip6_tnl_parse_tlv_enc_lim()`: the encapsulation limit in the destination options of a packet.
    fn tlv_enc_lim(&self, no: SkbNo, at: u32) -> Option<u8> {
        const TLV_TNL_ENCAP_LIMIT: u8 = 4;
        let mut next = self.bytes(no, at + 6, 1).first().copied()?;
        let mut offset = at + ipv6::HLEN;
        loop {
            let header = self.bytes(no, offset, 2);
            let len = ipv6::ext_len(next, *header.get(1)?)?;
            if next == ipv6::NEXTHDR_DEST {
                let options = self.bytes(no, offset + 2, len - 2);
                let mut place = 0;
                while let Some(kind) = options.get(place) {
                    let length = options.get(place + 1).copied();
                    match (*kind, length) {
                        (TLV_TNL_ENCAP_LIMIT, Some(1)) => return options.get(place + 2).copied(),
                        (0, _) => place += 1,
                        (_, length) => place += usize::from(length?) + 2,
                    }
                }
            }
            next = *header.first()?;
            offset += len;
        }
    }

    /// `ip6_tnl_xmit()`: route, hop limit and the outer headers.
    pub(super) fn ip6_tnl_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
        encap: Encap6,
    ) -> Run<Sent6> {
        let mut sent = Sent6::Failed;
        self.traced("ip6_tnl_xmit", FILE, no, |k| {
            let home = k.topology.dev(dev).home;
            let (Some(saddr), Some(daddr)) = (parms.local, parms.remote) else {
                return not_covered("ip6_tnl_xmit: a tunnel without local or remote address");
            };
            // ip6_tnl_xmit_ctl()
            let usable = parms.gre.external
                || k.topology.is_local6(home, saddr) && !k.topology.is_local6(home, daddr);
            let route = k.topology.route6(home, daddr).filter(|r| r.dev != dev);
            let Some(route) = route.filter(|_| usable) else {
                return Ok(-1);
            };
            let ethernet = k.topology.dev(dev).has_ethernet();
            let eth_hlen = if ethernet { ethernet::HLEN } else { 0 };
            let limit_len = if encap.encap_limit.is_some() {
                ENCAP_LIMIT_LEN
            } else {
                0
            };
            let below = k.topology.dev(route.dev);
            let (reserved, mtu) = (below.ll_reserved_space(), below.mtu);
            let own = eth_hlen + ipv6::HLEN + encap.tun_hlen + limit_len;
            let least = match k.skb(no).protocol {
                ethernet::P_IPV6 => ipv6::MIN_MTU,
                _ => IPV4_MIN_MTU,
            };
            let mtu = mtu.saturating_sub(own).max(least);
            let len = k.skb(no).len.saturating_sub(encap.tun_hlen + eth_hlen);
            if len > mtu && !k.skb_is_gso(no) {
                sent = Sent6::TooLong(mtu);
                return Ok(-90);
            }
            let xnet = k.left_home(dev);
            k.skb_scrub_packet(no, xnet)?;
            k.skb_cow_head(no, ipv6::HLEN + limit_len + reserved)?;
            let hop_limit = match parms.hop_limit {
                0 => k.inner_hop_limit(no),
                limit => limit,
            };
            k.skb_mut(no).set_dst6(Some(route));
            k.ip_tunnel_adj_headroom(dev, reserved + ipv6::HLEN + encap.tun_hlen);
            let nexthdr = k.push_encap_limit(no, encap)?;
            let flowlabel = match encap.flowlabel {
                0 => k.ip6_auto_flowlabel(home),
                label => label,
            };
            let header = Ipv6Header {
                tclass: encap.dsfield,
                flowlabel,
                nexthdr,
                hop_limit,
                saddr,
                daddr,
            };
            k.push_ipv6(no, header, "ip6_tnl_xmit")?;
            sent = Sent6::Done;
            k.ip6tunnel_xmit(no)?;
            Ok(0)
        })?;
        Ok(sent)
    }

    /// Hop limit or ttl of the carried packet; the default for what is no IP packet.
    fn inner_hop_limit(&self, no: SkbNo) -> u8 {
        let at = u32::from(self.skb(no).network_header);
        let byte = |field: u32| self.bytes(no, at + field, 1).first().copied().unwrap_or(0);
        match self.skb_protocol(no) {
            ethernet::P_IP => byte(8),
            ethernet::P_IPV6 => byte(7),
            _ => DEFAULT_HOP_LIMIT,
        }
    }

    /// `ipv6_push_frag_opts()`: destination options with the encapsulation limit (RFC 2473, 4.1.1). Gives what
    /// the IPv6 header has as next header.
    fn push_encap_limit(&mut self, no: SkbNo, encap: Encap6) -> Run<u8> {
        let Some(limit) = encap.encap_limit else {
            return Ok(encap.proto);
        };
        self.skb_mut(no).push(ENCAP_LIMIT_LEN)?;
        let at = self.skb(no).data;
        // option 4 with one byte, then PadN with one
        let options = [encap.proto, 0, 4, 1, limit, 1, 1, 0];
        let label = "IPv6 destination options".into();
        self.write_header(
            no,
            at,
            &options,
            Layer::Ipv6Ext,
            label,
            "ipv6_push_frag_opts",
        );
        Ok(ipv6::NEXTHDR_DEST)
    }

    /// Pushes an IPv6 header; the network header is there from then on. The length follows.
    pub(super) fn push_ipv6(
        &mut self,
        no: SkbNo,
        header: Ipv6Header,
        writer: &'static str,
    ) -> Run<()> {
        let skb = self.skb_mut(no);
        skb.push(ipv6::HLEN)?;
        skb.reset_network_header();
        let (at, head) = (skb.data, skb.head);
        // payload_len is written in __ip6_local_out(): until then what was there shows through
        let there = self.buffers.get(head).bytes(at + 4, 2).to_vec();
        let len = crate::net::dissect::be16(&there, 0);
        self.write_ipv6(no, at, &header.bytes(len), writer);
        Ok(())
    }

    /// `ip6tunnel_xmit()` (`include/net/ip6_tunnel.h`).
    pub(super) fn ip6tunnel_xmit(&mut self, no: SkbNo) -> Run<()> {
        if self.dead_loop(no, IP_TUNNEL_RECURSION_LIMIT)? {
            return Ok(());
        }
        self.xmit_recursion += 1;
        let sent = self.ip6_local_out(no);
        self.xmit_recursion -= 1;
        sent.map(drop)
    }

    /// What a tunnel does with a packet that it could not send: the sender is told of a packet that is too long.
    pub(super) fn ip6_xmit_failed(&mut self, no: SkbNo, sent: Sent6) -> Run<()> {
        match sent {
            Sent6::Done => return Ok(()),
            Sent6::Failed => {}
            Sent6::TooLong(mtu) if self.skb_protocol(no) == ethernet::P_IPV6 => {
                self.icmp6_send(no, icmpv6::PKT_TOOBIG, 0, mtu)?;
            }
            Sent6::TooLong(mtu) => {
                self.icmp_send_info(no, icmp::DEST_UNREACH, icmp::FRAG_NEEDED, mtu)?;
            }
        }
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)
    }
}

/// Whether both ends of a tunnel are given, so that it knows its way (`IP6_TNL_F_CAP_XMIT`).
pub(super) fn ends(parms: &Tunnel6Parms) -> Option<(Ipv6Addr, Ipv6Addr)> {
    Some((parms.local?, parms.remote?))
}
