//! `net/ipv4/fou_core.c`: tunnels over IPv4 whose packets are in UDP, straight (FOU) or behind a header that names the protocol (GUE).

use std::net::Ipv4Addr;

use super::execute::{Cause, Done};
use super::skbuff::drop_reason;
use super::udp::udp_gso_type;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{ipv4, ipv6, udp};
use crate::scenario::ip_fou::{FouPort, TunnelEncap};
use crate::scenario::topology::NetnsId;
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/fou_core.c";
/// `sizeof(struct guehdr)`.
const GUE_HLEN: u32 = 4;
/// `GUE_FLAG_PRIV`, the only flag: private flags are in the options.
const GUE_FLAG_PRIV: u16 = 1;

impl Kernel {
    /// `fou_create()`. The port must be free.
    pub(super) fn fou_create(&mut self, netns: NetnsId, port: u16, kind: FouPort) -> Done {
        if self.udp_socket(netns, port, false).is_some() {
            return Err(Cause::Busy(format!("UDP port {port}")));
        }
        self.topology.netns[netns.0].fou.push((port, kind));
        Ok(())
    }

    /// `fou_udp_recv()` and `gue_udp_recv()`: what stands behind the header is of another protocol, whose negative number is the answer;
    /// 0 when the packet was dropped.
    pub(super) fn fou_udp_recv(&mut self, no: SkbNo, kind: FouPort) -> Run<i64> {
        let name = match kind {
            FouPort::Direct(_) => "fou_udp_recv",
            FouPort::Gue => "gue_udp_recv",
        };
        self.traced(name, FILE, no, |k| {
            let found = match kind {
                FouPort::Direct(protocol) => Some((udp::HLEN, protocol)),
                FouPort::Gue => k.gue_header(no)?,
            };
            let Some((len, protocol)) = found else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            };
            k.fou_recv_pull(no, len)?;
            Ok(-i64::from(protocol))
        })
    }

    /// The part of `gue_udp_recv()` that looks at the header: how many bytes to pull, and the protocol behind them.
    fn gue_header(&mut self, no: SkbNo) -> Run<Option<(u32, u8)>> {
        if !self.pskb_may_pull(no, udp::HLEN + GUE_HLEN)? {
            return Ok(None);
        }
        let header = self.packet(no, udp::HLEN, GUE_HLEN).to_vec();
        let [first, protocol, ..] = header[..] else {
            return Ok(None);
        };
        match first >> 6 {
            0 => {}
            // version 1 is no header, but an IP packet
            1 => {
                let inner = match first >> 4 {
                    4 => Some(ipv4::PROTO_IPIP),
                    6 => Some(ipv6::NEXTHDR_IPV6),
                    _ => None,
                };
                return Ok(inner.map(|inner| (udp::HLEN, inner)));
            }
            _ => return Ok(None),
        }
        let (control, optlen) = (first & 0x20 != 0, u32::from(first & 0x1f) * 4);
        let len = udp::HLEN + GUE_HLEN + optlen;
        if !self.pskb_may_pull(no, len)? {
            return Ok(None);
        }
        match be16(&header, 2) {
            0 => {}
            // remote checksum offload is the only private flag
            GUE_FLAG_PRIV if optlen >= 4 => {
                return not_covered("gue_udp_recv: private flags (remcsum)");
            }
            _ => return Ok(None),
        }
        Ok(Some((len, protocol)).filter(|_| !control && protocol != 0))
    }

    /// `fou_recv_pull()`: the IP header says that there is so much less; its checksum stays as it is.
    fn fou_recv_pull(&mut self, no: SkbNo, len: u32) -> Run<()> {
        let skb = self.skb(no);
        let (head, at) = (skb.head, u32::from(skb.network_header) + 2);
        let udp_hdr = u32::from(skb.transport_header);
        let tot_len = be16(self.bytes(no, at, 2), 0).wrapping_sub(len as u16);
        self.buffers.patch(head, at, &tot_len.to_be_bytes());
        self.skb_mut(no).pull(len)?;
        self.skb_postpull_rcsum(no, udp_hdr, len);
        self.skb_mut(no).reset_transport_header();
        self.iptunnel_pull_offloads(no)
    }

    /// `ip_tunnel_encap()`: `fou_build_header()` and `gue_build_header()`. `saddr` is the one that is known by then, which is none where the
    /// route is still to choose it.
    pub(super) fn ip_tunnel_encap(
        &mut self,
        no: SkbNo,
        encap: TunnelEncap,
        protocol: u8,
        (saddr, daddr): (Ipv4Addr, Ipv4Addr),
    ) -> Run<u8> {
        let name = match encap.gue {
            false => "fou_build_header",
            true => "gue_build_header",
        };
        self.traced(name, FILE, no, |k| {
            if k.skb_is_gso(no) {
                return not_covered("ip_tunnel_encap of a packet that is still to be cut (GSO)");
            }
            k.iptunnel_handle_offloads(no, udp_gso_type(encap.csum))?;
            let sport = match encap.sport {
                Some(sport) => sport,
                None => k.udp_flow_src_port(None),
            };
            if encap.gue {
                let skb = k.skb_mut(no);
                skb.push(GUE_HLEN)?;
                let data = skb.data;
                let label = format!("GUE header, protocol {protocol}");
                let writer = "__gue_build_header";
                k.write_header(no, data, &[0, protocol, 0, 0], Layer::Udp, label, writer);
            }
            k.push_udp(no, (sport, encap.dport), "fou_build_udp")?;
            if encap.csum {
                k.udp_set_csum(no, saddr, daddr);
            }
            Ok(0)
        })?;
        Ok(ipv4::PROTO_UDP)
    }
}
