//! `net/ipv4/tcp_ipv4.c`: nobody listens; a segment is answered with a reset.

use super::ip_output::Datagram;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be32;
use crate::net::{checksum, ipv4, tcp};
use crate::scenario::topology::Lookup;
use crate::skb::PacketType;
use crate::trace::SkbNo;

const FILE: &str = "net/ipv4/tcp_ipv4.c";
const ACK: u8 = 0x10;
pub(super) const RST: u8 = 0x04;

impl Kernel {
    /// `tcp_v4_rcv()` without a socket.
    pub(super) fn tcp_v4_rcv(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("tcp_v4_rcv", FILE, no, |k| {
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
            k.tcp_v4_send_reset(no, &th, doff)?;
            k.kfree_skb(no, drop_reason::NO_SOCKET)?;
            Ok(0)
        })
    }

    /// `tcp_v4_send_reset()` and `ip_send_unicast_reply()`: never an answer to a reset.
    fn tcp_v4_send_reset(&mut self, no: SkbNo, th: &[u8], doff: u32) -> Run<()> {
        let Some(dev) = self.skb(no).dev.filter(|_| th[13] & RST == 0) else {
            return Ok(());
        };
        let netns = self.topology.dev(dev).netns;
        let (asker, asked) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
        let route = match self.topology.lookup(netns, asker) {
            Lookup::Unicast(route) => route,
            Lookup::Refused(_) | Lookup::NoRoute => return Ok(()),
            Lookup::Local => return not_covered("tcp_v4_send_reset: to this host itself"),
        };
        let at = u32::from(self.skb(no).network_header);
        const INET_ECN_MASK: u8 = 3;
        let tos = self.bytes(no, at + 1, 1).first().copied().unwrap_or(0) & !INET_ECN_MASK;
        let payload = self.skb(no).len - doff;
        let reset = reset_segment(th, payload, asked.octets(), asker.octets());
        let reply = Datagram {
            saddr: asked,
            daddr: asker,
            protocol: ipv4::PROTO_TCP,
            tos,
            ttl: super::outer::DEFAULT_TTL,
            df: true,
            no_id: true,
            payload: &reset,
            writer: "tcp_v4_send_reset",
        };
        let reply = self.ip_make_skb(route, &reply)?;
        self.local_bh(|k| k.ip_send_skb(reply))?;
        Ok(())
    }
}

/// The reset: ports swapped, and the number that the sender expects (RFC 9293, 3.10.7.1).
fn reset_segment(th: &[u8], payload: u32, saddr: [u8; 4], daddr: [u8; 4]) -> Vec<u8> {
    let mut reset = reset_header(th, payload);
    let pseudo = checksum::pseudo(saddr, daddr, ipv4::PROTO_TCP, tcp::HLEN);
    let check = !checksum::sum(&reset, pseudo);
    reset[16..18].copy_from_slice(&check.to_be_bytes());
    reset
}

/// The same without checksum; `th` is a whole TCP header.
pub(super) fn reset_header(th: &[u8], payload: u32) -> Vec<u8> {
    let mut reset = vec![0; tcp::HLEN as usize];
    reset[..2].copy_from_slice(&th[2..4]);
    reset[2..4].copy_from_slice(&th[..2]);
    reset[12] = ((tcp::HLEN / 4) << 4) as u8;
    reset[13] = RST;
    if th[13] & ACK != 0 {
        reset[4..8].copy_from_slice(&th[8..12]);
    } else {
        // SYN and FIN count as one byte each
        let flags = u32::from(th[13] >> 1 & 1) + u32::from(th[13] & 1);
        let ack = be32(th, 4).wrapping_add(flags).wrapping_add(payload);
        reset[8..12].copy_from_slice(&ack.to_be_bytes());
        reset[13] |= ACK;
    }
    reset
}

#[cfg(test)]
mod tests {
    use super::reset_segment;

    /// golden E11-gro-equal, seq 131: the reset that answers `03e8 07d0 00000001 00000001 5010`.
    #[test]
    fn a_recorded_reset() {
        let mut th = vec![0x03, 0xe8, 0x07, 0xd0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10];
        th.resize(20, 0);
        let reset = reset_segment(&th, 48, [10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(reset[..8], [0x07, 0xd0, 0x03, 0xe8, 0, 0, 0, 1]);
        assert_eq!(reset[8..14], [0, 0, 0, 0, 0x50, 0x04]);
        assert_eq!(reset[16..18], [0x90, 0x25]);
    }
}
