//! L2TPv3 pseudowires: `net/l2tp/l2tp_core.c`, `net/l2tp/l2tp_ip.c` and `net/l2tp/l2tp_eth.c`, over IPv4.

use super::execute::{Cause, Done};
use super::links::ethernet_device;
use super::outer::{DEFAULT_TTL, Outer, outer_ipv4};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32, ipv4_label};
use crate::net::{ethernet, ipv4, l2tp, udp};
use crate::scenario::command::Netns;
use crate::scenario::ip_l2tp::{L2tpEncap, L2tpSession, L2tpTunnel};
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
        let overhead = udp_len + header + ethernet::HLEN + ipv4::HLEN;
        let below = self.topology.route(netns, tunnel.remote).ok();
        let mtu = below.map_or(1500, |route| self.topology.dev(route.dev).mtu);
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
            if let L2tpEncap::Udp { sport, dport, csum } = tunnel.encap {
                k.push_udp(no, (sport, dport), "l2tp_xmit_core")?;
                if csum {
                    k.udp_set_csum(no, tunnel.local, tunnel.remote);
                }
            }
            k.skb_mut(no).drop_dst();
            k.ip_queue_xmit(no, dev, &tunnel, protocol)
        })
    }

    /// `__ip_queue_xmit()` (`net/ipv4/ip_output.c`): the socket's route and addresses. The tunnel lets its packets be
    /// cut (`ignore_df`), so DF is not set.
    fn ip_queue_xmit(
        &mut self,
        no: SkbNo,
        dev: DevId,
        tunnel: &L2tpTunnel,
        protocol: u8,
    ) -> Run<i64> {
        self.traced("__ip_queue_xmit", "net/ipv4/ip_output.c", no, |k| {
            let home = k.topology.dev(dev).home;
            let route = k.topology.route(home, tunnel.remote).ok();
            let Some(route) = route.filter(|route| route.dev != dev) else {
                k.kfree_skb(no, drop_reason::IP_OUTNOROUTES)?;
                return Ok(-113);
            };
            let mut header = outer_ipv4(Outer {
                saddr: tunnel.local,
                daddr: tunnel.remote,
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
        self.traced("l2tp_ip_recv", "net/l2tp/l2tp_ip.c", no, |k| {
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
            local: [10, 0, 0, 1].into(),
            remote: [10, 0, 0, 2].into(),
        };
        assert_eq!(
            l2tpv3_header(&tunnel, &session),
            [1, 2, 3, 4, 9, 9, 9, 9, 0, 0, 0, 0]
        );
        tunnel.encap = L2tpEncap::Udp {
            sport: 1,
            dport: 2,
            csum: true,
        };
        assert_eq!(l2tpv3_header(&tunnel, &session)[..4], [0, 3, 0, 0]);
    }
}
