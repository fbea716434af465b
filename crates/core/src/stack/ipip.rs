//! `net/ipv4/tunnel4.c` and `net/ipv4/ipip.c`: IPv4 in IPv4.

use super::ip_tunnel::{ParmsOf, TunnelInfo};
use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::{ethernet, icmp, ipv4, mpls};
use crate::scenario::command::TunnelParms;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::gso;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv4/ipip.c";
/// What a handler of `tunnel4` answers when the packet is not its own.
const NOT_MINE: i64 = -1;

/// The parameters of an `ipip` device.
fn ipip(kind: &DeviceKind) -> Option<&TunnelParms> {
    match kind {
        DeviceKind::Ipip(parms) => Some(parms),
        _ => None,
    }
}

impl Kernel {
    /// `tunnel4_rcv()`: asks who wants a packet that holds another one.
    pub(super) fn tunnel4_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("tunnel4_rcv", "net/ipv4/tunnel4.c", no, |k| {
            if !k.pskb_may_pull(no, ipv4::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            if k.ipip_rcv(no)? != NOT_MINE || k.sit_ipip_rcv(no)? {
                return Ok(0);
            }
            k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
            k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            Ok(0)
        })
    }

    /// `ipip_rcv()`.
    fn ipip_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ipip_rcv", FILE, no, |k| k.ipip_tunnel_rcv(no))
    }

    /// `ipip_tunnel_rcv()`: nothing stands between the outer header and the inner packet.
    fn ipip_tunnel_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ipip_tunnel_rcv", FILE, no, |k| {
            let Some((tunnel, parms)) = k.ip_tunnel_lookup(no, None, ipip) else {
                return Ok(NOT_MINE);
            };
            k.receive_ipip(tunnel, parms, no)
        })
    }

    /// `tunnelmpls4_rcv()` (`net/ipv4/tunnel4.c`): who wants a packet with MPLS labels behind its IPv4 header.
    pub(super) fn tunnelmpls4_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("tunnelmpls4_rcv", "net/ipv4/tunnel4.c", no, |k| {
            if !k.pskb_may_pull(no, mpls::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            if k.mplsip_rcv(no)? != NOT_MINE {
                return Ok(0);
            }
            k.icmp_send(no, icmp::DEST_UNREACH, icmp::PORT_UNREACH)?;
            k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            Ok(0)
        })
    }

    /// `mplsip_rcv()`, so `ipip_tunnel_rcv()` with another protocol: a tunnel that was made for IPv4 alone drops it.
    /// SIT's function of the same kind follows.
    fn mplsip_rcv(&mut self, no: SkbNo) -> Run<i64> {
        let ret = self.traced("ipip_tunnel_rcv", FILE, no, |k| {
            k.mpls_in_ip(no, |kind| match kind {
                DeviceKind::Ipip(parms) => Some(parms),
                _ => None,
            })
        })?;
        if ret != NOT_MINE {
            return Ok(ret);
        }
        self.mpls_in_ip(no, |kind| match kind {
            DeviceKind::Sit(parms) => Some(parms),
            _ => None,
        })
    }

    fn mpls_in_ip(&mut self, no: SkbNo, fits: ParmsOf) -> Run<i64> {
        let Some((tunnel, parms)) = self.ip_tunnel_lookup(no, None, fits) else {
            return Ok(NOT_MINE);
        };
        if !parms.any {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(0);
        }
        self.receive_inner(tunnel, parms, no, mpls::P_MPLS_UC)
    }

    /// What `ipip_tunnel_rcv()` and `sit_tunnel_rcv()` do for IPv4 once a tunnel takes the packet.
    pub(super) fn receive_ipip(
        &mut self,
        tunnel: DevId,
        parms: TunnelParms,
        no: SkbNo,
    ) -> Run<i64> {
        self.receive_inner(tunnel, parms, no, ethernet::P_IP)
    }

    fn receive_inner(
        &mut self,
        tunnel: DevId,
        parms: TunnelParms,
        no: SkbNo,
        proto: u16,
    ) -> Run<i64> {
        self.iptunnel_pull_header(no, 0, proto, false)?;
        let before = self.skb(no).mac_header;
        self.skb_mut(no).reset_mac_header();
        self.metadata_after_decap(no, before);
        let info = TunnelInfo {
            proto,
            key: None,
            csum: false,
            seq: None,
        };
        self.ip_tunnel_rcv(tunnel, parms, no, info)?;
        Ok(0)
    }

    /// `ipip_tunnel_xmit()`: the tunnel device sends.
    pub(super) fn ipip_tunnel_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        parms: TunnelParms,
    ) -> Run<i64> {
        self.traced("ipip_tunnel_xmit", FILE, no, |k| {
            let ipproto = match k.skb(no).protocol {
                ethernet::P_IP => ipv4::PROTO_IPIP,
                mpls::P_MPLS_UC if parms.any => mpls::PROTO_MPLS,
                _ => {
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    return Ok(0);
                }
            };
            k.iptunnel_handle_offloads(no, gso::IPXIP4)?;
            k.skb_mut(no).inner_protocol = u16::from(ipproto);
            match parms.external {
                true => k.ip_md_tunnel_xmit(no, dev, ipproto, 0)?,
                false => k.ip_tunnel_xmit(no, dev, parms, ipproto)?,
            }
            Ok(0)
        })
    }
}
