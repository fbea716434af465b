//! `drivers/net/vxlan/vxlan_core.c`.

use super::filter::tun_flag;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be32;
use crate::net::{ethernet, ipv4, ipv6, udp, vxlan};
use crate::scenario::command::{TunnelTtl, UdpTunnelParms};
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "drivers/net/vxlan/vxlan_core.c";
/// `VXLAN_HLEN`: UDP and VXLAN.
const HLEN: u32 = udp::HLEN + vxlan::HLEN;
/// `vxlan_headroom()` over IPv4: IP, UDP, VXLAN and the inner Ethernet header.
pub(super) const HEADROOM: u32 = ipv4::HLEN + HLEN + ethernet::HLEN;
/// The same over IPv6.
pub(super) const HEADROOM6: u32 = ipv6::HLEN + HLEN + ethernet::HLEN;

impl Kernel {
    /// `vxlan_rcv()`: the frame arrives on the device of its VNI. `data` is at the UDP header.
    pub(super) fn vxlan_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("vxlan_rcv", FILE, no, |k| {
            k.pskb_may_pull(no, HLEN)?;
            let at = k.skb(no).data + udp::HLEN;
            let header = k.bytes(no, at, vxlan::HLEN).to_vec();
            let (flags, vni) = (be32(&header, 0), be32(&header, 4));
            if header.len() < vxlan::HLEN as usize || flags != vxlan::HF_VNI || vni & 0xff != 0 {
                k.kfree_skb(no, drop_reason::VXLAN_INVALID_HDR)?;
                return Ok(0);
            }
            let Some(dev) = k.vxlan_vs_find_vni(no, vni >> 8) else {
                k.kfree_skb(no, drop_reason::VXLAN_VNI_NOT_FOUND)?;
                return Ok(0);
            };
            let xnet = k.left_home(dev);
            let external = matches!(k.topology.dev(dev).kind, DeviceKind::Vxlan(p) if p.external);
            let tun_dst = external.then(|| k.udp_tun_rx_dst(no, vni >> 8, tun_flag::KEY));
            k.iptunnel_pull_header(no, HLEN, ethernet::P_TEB, xnet)?;
            k.skb_mut(no).bpf.tun_info = tun_dst.map(Box::new);
            k.frame_arrives(no, dev, drop_reason::LOCAL_MAC, drop_reason::IP_TUNNEL_ECN)?;
            Ok(0)
        })
    }

    /// What `vxlan_rcv()` and `geneve_rx()` do with the inner frame: its MAC header is here, `data` goes
    /// behind it, and the tunnel's own NAPI takes it up. A frame of the device's own is an echo.
    pub(super) fn frame_arrives(&mut self, no: SkbNo, dev: DevId, echo: u32, ecn: u32) -> Run<()> {
        let skb = self.skb_mut(no);
        let outer = u32::from(skb.network_header);
        let before = skb.mac_header;
        skb.reset_mac_header();
        self.metadata_after_decap(no, before);
        if !self.pskb_may_pull(no, ethernet::HLEN)? {
            return not_covered("a tunnel packet without a whole Ethernet header");
        }
        let protocol = self.eth_type_trans(no, dev)?;
        self.skb_mut(no).protocol = protocol;
        self.postpull_eth(no);
        let source = u32::from(self.skb(no).mac_header) + 6;
        if self.bytes(no, source, 6) == self.topology.dev(dev).mac {
            return self.kfree_skb(no, echo);
        }
        self.skb_mut(no).reset_network_header();
        self.pskb_inet_may_pull(no)?;
        if !self.ip_ecn_decapsulate(no, outer) {
            return self.kfree_skb(no, ecn);
        }
        self.gro_cells_receive(no)?;
        Ok(())
    }

    /// `vxlan_vs_find_vni()`.
    fn vxlan_vs_find_vni(&self, no: SkbNo, vni: u32) -> Option<DevId> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let (port, v6) = (self.udp_dest(no), self.is_ipv6(no));
        self.topology
            .devices
            .iter()
            .position(|dev| {
                // a device in external mode has all of its port, of both families
                let fits = matches!(dev.kind, DeviceKind::Vxlan(parms)
                    if parms.dstport == port
                        && (parms.external || parms.vni == vni && parms.over_ipv6() == v6));
                fits && dev.up && dev.home == netns
            })
            .map(DevId)
    }

    /// Destination port of the UDP header that `data` is at.
    pub(super) fn udp_dest(&self, no: SkbNo) -> u16 {
        crate::net::dissect::be16(self.bytes(no, self.skb(no).data + 2, 2), 0)
    }

    /// `vxlan_xmit()`: to the default destination (no forwarding entries are learned or configured).
    pub(super) fn vxlan_xmit(&mut self, no: SkbNo, dev: DevId, parms: UdpTunnelParms) -> Run<i64> {
        self.traced("vxlan_xmit", FILE, no, |k| {
            k.skb_mut(no).reset_mac_header();
            let parms = match k.udp_tunnel_info(no, parms).filter(|_| parms.external) {
                Some((of_packet, _)) => UdpTunnelParms {
                    ttl: match of_packet.ttl {
                        TunnelTtl::Fixed(0) => TunnelTtl::Default,
                        ttl => ttl,
                    },
                    ..of_packet
                },
                None if parms.external => {
                    k.kfree_skb(no, drop_reason::TUNNEL_TXINFO)?;
                    return Ok(0);
                }
                None => parms,
            };
            if parms.remote.is_none() && parms.remote6.is_none() {
                return not_covered("vxlan_xmit: a device without remote");
            }
            k.traced("vxlan_xmit_one", FILE, no, |k| {
                k.vxlan_xmit_one(no, dev, parms)
            })?;
            Ok(0)
        })
    }

    /// `vxlan_xmit_one()`.
    fn vxlan_xmit_one(&mut self, no: SkbNo, dev: DevId, parms: UdpTunnelParms) -> Run<()> {
        let ports = (self.udp_flow_src_port(parms.srcport), parms.dstport);
        if parms.remote6.is_some() {
            let Some((route, outer)) = self.udp_tunnel6_outer(no, dev, parms)? else {
                return Ok(());
            };
            let mtu = self.topology.dev(route.dev).mtu;
            self.skb_tunnel_check_pmtu(no, dev, mtu, HEADROOM6)?;
            let xnet = self.left_home(dev);
            self.skb_scrub_packet(no, xnet)?;
            let nocheck = !parms.udpcsum || parms.udp6zerocsumtx;
            self.vxlan_build_skb(no, route.dev, ipv6::HLEN, (parms.vni, !nocheck))?;
            return self.udp_tunnel6_xmit_skb(no, (route, outer), ports, nocheck);
        }
        let Some((route, outer)) = self.udp_tunnel_outer(no, dev, parms)? else {
            return Ok(());
        };
        let mtu = self.ipv4_mtu(&route, outer.daddr, false);
        self.skb_tunnel_check_pmtu(no, dev, mtu, HEADROOM)?;
        self.vxlan_build_skb(no, route.dev, ipv4::HLEN, (parms.vni, parms.udpcsum))?;
        self.udp_tunnel_xmit_skb(no, route, outer, ports, (dev, parms))
    }

    /// `vxlan_build_skb()`.
    fn vxlan_build_skb(
        &mut self,
        no: SkbNo,
        out: DevId,
        iphdr_len: u32,
        (vni, udp_sum): (u32, bool),
    ) -> Run<()> {
        let room = self.topology.dev(out).ll_reserved_space() + HLEN + iphdr_len;
        self.skb_cow_head(no, room)?;
        self.iptunnel_handle_offloads(no, super::udp::udp_gso_type(udp_sum))?;
        self.skb_mut(no).inner_protocol = ethernet::P_TEB;
        self.skb_mut(no).push(vxlan::HLEN)?;
        let words = [vxlan::HF_VNI, vni << 8];
        let header: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
        let (at, label) = (self.skb(no).data, format!("VXLAN header, VNI {vni}"));
        self.write_header(no, at, &header, Layer::Vxlan, label, "vxlan_build_skb");
        Ok(())
    }
}
