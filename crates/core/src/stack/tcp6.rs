//! `net/ipv6/tcp_ipv6.c`: nobody listens; a segment is answered with a reset.

use super::ip6_output::{DEFAULT_HOP_LIMIT, Ipv6Header};
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::tcp::{RST, reset_header};
use super::{Kernel, Run, not_covered};
use crate::net::{checksum, ethernet, ipv4, ipv6, tcp};
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::Lookup6;
use crate::skb::{CHECKSUM_PARTIAL, PacketType};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv6/tcp_ipv6.c";
/// `MAX_TCP_HEADER`: `L1_CACHE_ALIGN(128 + MAX_HEADER)`, where `MAX_HEADER` is `LL_MAX_HEADER` (128) and 48 for
/// tunnels; bytes.
const MAX_TCP_HEADER: u32 = 320;

impl Kernel {
    /// `tcp_v6_rcv()` without a socket.
    pub(super) fn tcp_v6_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("tcp_v6_rcv", FILE, no, |k| {
            // a segment to many is never answered
            if k.skb(no).pkt_type != PacketType::Host || !k.pskb_may_pull(no, tcp::HLEN)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(0);
            }
            let skb = k.skb(no);
            let th = k.bytes(no, skb.data, skb.headlen().min(tcp::HLEN)).to_vec();
            let doff = u32::from(th.get(12).copied().unwrap_or(0) >> 4) * 4;
            let refused = match doff {
                0..tcp::HLEN => Some(drop_reason::PKT_TOO_SMALL),
                _ if !k.pskb_may_pull(no, doff)? => Some(drop_reason::NOT_SPECIFIED),
                _ => None,
            };
            if let Some(reason) = refused {
                k.kfree_skb(no, reason)?;
                return Ok(0);
            }
            if !k.csum_init(no, ipv4::PROTO_TCP) || !k.checksum_complete(no, ipv4::PROTO_TCP) {
                k.kfree_skb(no, drop_reason::TCP_CSUM)?;
                return Ok(0);
            }
            if th[13] & RST == 0 {
                k.tcp_v6_send_reset(no, &th, doff)?;
            }
            k.kfree_skb(no, drop_reason::NO_SOCKET)?;
            Ok(0)
        })
    }

    /// `tcp_v6_send_reset()`, `tcp_v6_send_response()` and `ip6_xmit()`.
    fn tcp_v6_send_reset(&mut self, no: SkbNo, th: &[u8], doff: u32) -> Run<()> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(());
        };
        let netns = self.topology.dev(dev).netns;
        let (asker, asked) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        let tclass = self.ipv6_dsfield(no, u32::from(self.skb(no).network_header));
        let mut reset = reset_header(th, self.skb(no).len - doff);
        // __tcp_v6_send_check() with CHECKSUM_PARTIAL
        let pseudo = checksum::pseudo6(asked.octets(), asker.octets(), ipv4::PROTO_TCP, tcp::HLEN);
        reset[16..18].copy_from_slice(&pseudo.to_be_bytes());
        let route = match self.topology.lookup6(netns, asker) {
            Lookup6::Unicast(route) => route,
            Lookup6::Refused(_) | Lookup6::NoRoute => return Ok(()),
            Lookup6::Local => return not_covered("tcp_v6_send_reset: to this host itself"),
        };
        let reply = self.alloc_skb(MAX_TCP_HEADER);
        let skb = self.skb_mut(reply);
        skb.reserve(MAX_TCP_HEADER);
        skb.push(tcp::HLEN)?;
        skb.reset_transport_header();
        skb.ip_summed = CHECKSUM_PARTIAL;
        (skb.csum_start, skb.csum_offset) = (skb.data as u16, 16);
        skb.set_dst6(Some(route));
        let at = skb.data;
        let (layer, label) = (Layer::Tcp, "TCP header".into());
        self.write_header(reply, at, &reset, layer, label, "tcp_v6_send_response");
        let header = Ipv6Header {
            tclass,
            flowlabel: self.ip6_auto_flowlabel(netns),
            nexthdr: ipv4::PROTO_TCP,
            hop_limit: DEFAULT_HOP_LIMIT,
            saddr: asked,
            daddr: asker,
        };
        let file = "net/ipv6/ip6_output.c";
        self.local_bh(|k| {
            k.traced("ip6_xmit", file, reply, |k| {
                let skb = k.skb_mut(reply);
                skb.push(ipv6::HLEN)?;
                skb.reset_network_header();
                skb.protocol = ethernet::P_IPV6;
                let at = skb.data;
                k.write_ipv6(reply, at, &header.bytes(tcp::HLEN as u16), "ip6_xmit");
                k.skb_mut(reply).from_socket = true;
                let state = NfState::ipv6(NfHook::LocalOut, None, Some(route.dev));
                match k.nf_hook(reply, state)? {
                    NF_ACCEPTED => k.dst_output6(reply),
                    refused => Ok(refused),
                }
            })
        })?;
        Ok(())
    }
}
