//! `net/ipv6/ip6_gre.c`: GRE over IPv6.

use super::ip_tunnel::TunnelInfo;
use super::ip6_tunnel::Sent6;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::{ethernet, icmpv6, ipv4};
use crate::scenario::command::Tunnel6Parms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::trace::SkbNo;

const FILE: &str = "net/ipv6/ip6_gre.c";

impl Kernel {
    /// `gre_rcv()`: past the GRE header, then to the tunnel that fits.
    pub(super) fn gre6_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("gre_rcv", FILE, no, |k| {
            let Some((hdr_len, info)) = k.gre_parse_header(no, 4)? else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            let inner = if info.proto == ethernet::P_TEB {
                ethernet::HLEN
            } else {
                0
            };
            if !k.pskb_may_pull(no, hdr_len + inner)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            k.iptunnel_pull_header(no, hdr_len, info.proto, false)?;
            match k.ip6gre_tunnel_lookup(no, info) {
                Some((tunnel, parms)) => {
                    k.ip6_tnl_rcv(tunnel, parms, no, info)?;
                }
                None => {
                    k.icmp6_send(no, icmpv6::DEST_UNREACH, icmpv6::PORT_UNREACH, 0)?;
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                }
            }
            Ok(0)
        })
    }

    /// `ip6gre_tunnel_lookup()`: key and addresses must fit. A device without Ethernet header takes frames too,
    /// but only when no other device does.
    fn ip6gre_tunnel_lookup(&self, no: SkbNo, info: TunnelInfo) -> Option<(DevId, Tunnel6Parms)> {
        let netns = self.topology.dev(self.skb(no).dev?).netns;
        let (remote, local) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        let frame = info.proto == ethernet::P_TEB;
        let devices = self.topology.devices.iter().enumerate();
        devices
            .filter(|(_, dev)| dev.up && dev.home == netns)
            .filter_map(|(id, dev)| {
                let (parms, wrong_type) = match dev.kind {
                    DeviceKind::Ip6Gre(parms) => (parms, frame),
                    DeviceKind::Ip6Gretap(parms) if frame => (parms, false),
                    _ => return None,
                };
                let level = match (parms.local, parms.remote) {
                    (Some(l), Some(r)) if (l, r) == (local, remote) => 0,
                    (None, Some(r)) if r == remote => 1,
                    (Some(l), None) if l == local => 2,
                    (None, None) if parms.gre.external => {
                        return Some((true, 4, DevId(id), parms));
                    }
                    (None, None) => 3,
                    _ => return None,
                };
                let key = parms.gre.ikey.unwrap_or(0) == info.key.unwrap_or(0);
                key.then_some((wrong_type, level, DevId(id), parms))
            })
            .min_by_key(|(wrong_type, level, id, _)| (*wrong_type, *level, *id))
            .map(|(_, _, id, parms)| (id, parms))
    }

    /// `ip6gre_tunnel_xmit()`; `gretap` has the same function behind its own name for frames.
    pub(super) fn ip6gre_tunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
    ) -> Run<i64> {
        self.traced("ip6gre_tunnel_xmit", FILE, no, |k| {
            let payload = k.skb_protocol(no);
            let own = payload == ethernet::P_IPV6 && parms.remote == Some(k.ipv6_hdr_addr(no, 8));
            if own {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let Some(parms) = k.tunnel6_parms(no, dev, parms, true) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            let tun_hlen = super::ipgre::gre_hlen(&parms.gre);
            let Some(encap) = k.prepare_ip6_xmit(no, &parms, ipv4::PROTO_GRE, tun_hlen) else {
                return not_covered("ip6gre_tunnel_xmit: the encapsulation limit is used up");
            };
            k.iptunnel_handle_offloads(no, super::ipgre::gre_gso_type(&parms.gre))?;
            let sent = k.__gre6_xmit(no, dev, parms, encap)?;
            k.ip6_xmit_failed(no, sent)?;
            Ok(0)
        })
    }

    /// `__gre6_xmit()`: the GRE header, then what all tunnels over IPv6 do.
    fn __gre6_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: Tunnel6Parms,
        encap: super::ip6_tunnel::Encap6,
    ) -> Run<Sent6> {
        let device = self.topology.dev(dev);
        let needed = device.needed_headroom;
        let proto = match device.has_ethernet() {
            true => ethernet::P_TEB,
            false => self.skb(no).protocol,
        };
        self.skb_cow_head(no, if needed == 0 { encap.tun_hlen } else { needed })?;
        self.gre_build_header(no, dev, parms.gre, proto)?;
        self.ip6_tnl_xmit(no, dev, parms, encap)
    }
}
