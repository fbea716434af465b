//! `drivers/net/geneve.c`.

use std::net::IpAddr;

use super::filter::tun_flag;
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::dissect::{be16, be32};
use crate::net::{ethernet, geneve, ipv4, ipv6, udp};
use crate::scenario::command::UdpTunnelParms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::TunInfo;
use crate::trace::{Layer, SkbNo};

const FILE: &str = "drivers/net/geneve.c";
/// `GENEVE_BASE_HLEN`: UDP and GENEVE.
const BASE_HLEN: u32 = udp::HLEN + geneve::HLEN;
/// `GENEVE_IPV4_HLEN`: what a frame costs, the inner Ethernet header included.
pub(super) const IPV4_HLEN: u32 = ethernet::HLEN + ipv4::HLEN + BASE_HLEN;
/// `GENEVE_IPV6_HLEN`: the same over IPv6.
pub(super) const IPV6_HLEN: u32 = ethernet::HLEN + ipv6::HLEN + BASE_HLEN;
/// The source port is a hash with a random key; the recordings write 0xe5e5 (golden/README.md).
const SOURCE_PORT: u16 = 0xe5e5;

impl Kernel {
    /// `geneve_udp_encap_recv()` and `geneve_rx()`: the frame arrives on the device of its VNI and sender.
    pub(super) fn geneve_udp_encap_recv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("geneve_udp_encap_recv", FILE, no, |k| {
            k.pskb_may_pull(no, udp::HLEN + geneve::HLEN)?;
            let at = k.skb(no).data + udp::HLEN;
            let header = k.bytes(no, at, geneve::HLEN).to_vec();
            let whole = header.len() == geneve::HLEN as usize;
            let (Some(&first), Some(&flags)) = (header.first(), header.get(1)) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            let proto = be16(&header, 2);
            let dev = k.geneve_lookup_skb(no, be32(&header, 4) >> 8);
            let dev = dev.filter(|_| whole && first >> 6 == 0 && proto == ethernet::P_TEB);
            let len = udp::HLEN + geneve::header_len(first);
            let whole = k.pskb_may_pull(no, len + ethernet::HLEN)?;
            let Some(dev) = dev.filter(|_| whole) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            let xnet = k.left_home(dev);
            let external = matches!(k.topology.dev(dev).kind, DeviceKind::Geneve(p) if p.external);
            let tun_dst = external.then(|| k.geneve_rx_dst(no, be32(&header, 4) >> 8, flags, len));
            k.iptunnel_pull_header(no, len, proto, xnet)?;
            if flags & geneve::CRITICAL != 0 && !external {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.skb_mut(no).bpf.tun_info = tun_dst.map(Box::new);
            k.frame_arrives(
                no,
                dev,
                drop_reason::NOT_SPECIFIED,
                drop_reason::NOT_SPECIFIED,
            )?;
            Ok(0)
        })
    }

    /// What `geneve_rx()` tells of the outer headers; the options behind GENEVE's header too.
    fn geneve_rx_dst(&self, no: SkbNo, vni: u32, flags: u8, len: u32) -> TunInfo {
        const OAM: u8 = 0x80;
        let mut bits = tun_flag::KEY | tun_flag::GENEVE_OPT;
        bits |= if flags & OAM != 0 { tun_flag::OAM } else { 0 };
        if flags & geneve::CRITICAL != 0 {
            bits |= tun_flag::CRIT_OPT;
        }
        let at = self.skb(no).data + BASE_HLEN;
        let options = self.bytes(no, at, len - BASE_HLEN).to_vec();
        TunInfo {
            options,
            ..self.udp_tun_rx_dst(no, vni, bits)
        }
    }

    /// `geneve_lookup_skb()`: by port, VNI and the sender's address.
    fn geneve_lookup_skb(&self, no: SkbNo, vni: u32) -> Option<DevId> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let port = self.udp_dest(no);
        let sender: IpAddr = if self.is_ipv6(no) {
            self.ipv6_hdr_addr(no, 8).into()
        } else {
            self.ip_hdr_addr(no, 12).into()
        };
        self.topology
            .devices
            .iter()
            .position(|dev| {
                let fits = matches!(dev.kind, DeviceKind::Geneve(parms)
                if parms.dstport == port && (parms.external || parms.vni == vni && match sender {
                    IpAddr::V4(sender) => parms.remote == Some(sender),
                    IpAddr::V6(sender) => parms.remote6 == Some(sender),
                }));
                fits && dev.up && dev.home == netns
            })
            .map(DevId)
    }

    /// `geneve_xmit()`, `geneve_xmit_skb()` and `geneve_build_skb()`.
    pub(super) fn geneve_xmit(&mut self, no: SkbNo, dev: DevId, parms: UdpTunnelParms) -> Run<i64> {
        self.traced("geneve_xmit", FILE, no, |k| {
            let (parms, info) = match k.udp_tunnel_info(no, parms).filter(|_| parms.external) {
                Some((of_packet, info)) => (of_packet, Some(info)),
                None if parms.external => {
                    // dev_kfree_skb() is consume_skb()
                    k.consume_skb(no)?;
                    return Ok(0);
                }
                None => (parms, None),
            };
            let info = info.unwrap_or_default();
            let ports = (SOURCE_PORT, parms.dstport);
            if parms.remote6.is_some() {
                let Some((route, outer)) = k.udp_tunnel6_outer(no, dev, parms)? else {
                    return Ok(0);
                };
                let len = IPV6_HLEN + info.options.len() as u32;
                let mtu = k.topology.dev(route.dev).mtu;
                k.skb_tunnel_check_pmtu(no, dev, mtu, len)?;
                let csum = !parms.udp6zerocsumtx;
                k.geneve_build_skb(no, (dev, parms.vni, csum, &info), route.dev, ipv6::HLEN)?;
                k.udp_tunnel6_xmit_skb(no, (route, outer), ports, parms.udp6zerocsumtx)?;
                return Ok(0);
            }
            let Some((route, outer)) = k.udp_tunnel_outer(no, dev, parms)? else {
                return Ok(0);
            };
            let len = IPV4_HLEN + info.options.len() as u32;
            let mtu = k.ipv4_mtu(&route, outer.daddr, false);
            k.skb_tunnel_check_pmtu(no, dev, mtu, len)?;
            let csum = parms.udpcsum;
            k.geneve_build_skb(no, (dev, parms.vni, csum, &info), route.dev, ipv4::HLEN)?;
            k.udp_tunnel_xmit_skb(no, route, outer, ports, (dev, parms))?;
            Ok(0)
        })
    }

    /// `geneve_build_skb()` and `geneve_build_header()`.
    fn geneve_build_skb(
        &mut self,
        no: SkbNo,
        (dev, vni, csum, info): (DevId, u32, bool, &TunInfo),
        out: DevId,
        iphdr_len: u32,
    ) -> Run<()> {
        let k = self;
        k.skb_mut(no).reset_mac_header();
        let xnet = k.left_home(dev);
        k.skb_scrub_packet(no, xnet)?;
        let room = k.topology.dev(out).ll_reserved_space()
            + BASE_HLEN
            + info.options.len() as u32
            + iphdr_len;
        k.skb_cow_head(no, room)?;
        k.iptunnel_handle_offloads(no, super::udp::udp_gso_type(csum))?;
        k.skb_mut(no).inner_protocol = ethernet::P_TEB;
        let options = info.options.len();
        k.skb_mut(no).push(geneve::HLEN + options as u32)?;
        let mut header = vec![0; geneve::HLEN as usize];
        header[0] = (options / 4) as u8;
        if info.tun_flags & tun_flag::OAM != 0 {
            header[1] |= 0x80;
        }
        if info.tun_flags & tun_flag::CRIT_OPT != 0 {
            header[1] |= geneve::CRITICAL;
        }
        header[2..4].copy_from_slice(&ethernet::P_TEB.to_be_bytes());
        header[4..8].copy_from_slice(&(vni << 8).to_be_bytes());
        header.extend_from_slice(&info.options);
        let (at, label) = (k.skb(no).data, format!("GENEVE header, VNI {vni}"));
        k.write_header(no, at, &header, Layer::Geneve, label, "geneve_build_header");
        Ok(())
    }
}
