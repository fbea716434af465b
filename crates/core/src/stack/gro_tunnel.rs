//! GRO through tunnels: `net/ipv4/udp_offload.c`, `net/ipv6/udp_offload.c`, `net/ipv4/gre_offload.c`.

use super::gro::GroCb;
use super::udp::UdpSocket;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{ethernet, geneve, gre, ipv4, udp, vlan, vxlan};
use crate::trace::SkbNo;

impl Kernel {
    /// `udp4_gro_receive()` and `udp6_gro_receive()` (`net/ipv4/udp_offload.c`, `net/ipv6/udp_offload.c`): only the port of
    /// a tunnel has GRO.
    pub(super) fn udp_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        let header = self.gro_header(no, cb, udp::HLEN)?;
        if header.len() < udp::HLEN as usize {
            cb.flush = true;
            return Ok(None);
        }
        let (port, check) = (be16(&header, 2), be16(&header, 6));
        if !cb.flush {
            if check == 0 {
                self.gro_incr_csum_unnecessary(no, cb);
            } else {
                let pseudo = self.gro_compute_pseudo(no, cb, ipv4::PROTO_UDP);
                if !self.gro_checksum_validate(no, pseudo, cb) {
                    cb.flush = true;
                    return Ok(None);
                }
            }
        }
        let netns = self.topology.dev(cb.dev).netns;
        let Some(socket) = self
            .udp_socket(netns, port, self.gro_is_ipv6(no, cb))
            .filter(|socket| {
                let none = matches!(socket, UdpSocket::L2tp | UdpSocket::Process(_));
                !none && !cb.encap_mark
            })
        else {
            cb.flush = true;
            return Ok(None);
        };
        if matches!(socket, UdpSocket::Fou(_)) {
            return not_covered("fou_gro_receive, gue_gro_receive: GRO behind FOU and GUE");
        }
        cb.encap_mark = true;
        let same = |p: &SkbNo| {
            let other = self.bytes(*p, self.skb(*p).data + cb.offset, 4);
            other == &header[..4]
        };
        let flow = cb.flow.iter().filter(|p| same(p)).copied().collect();
        cb.flow = flow;
        cb.offset += udp::HLEN;
        match socket {
            // no gro_receive of its own: it was refused above
            UdpSocket::L2tp | UdpSocket::Fou(_) | UdpSocket::Process(_) => {}
            UdpSocket::Vxlan => cb.offset += vxlan::HLEN,
            UdpSocket::Geneve => {
                let first = self.gro_header(no, cb, 1)?.first().copied().unwrap_or(0);
                cb.offset += geneve::header_len(first);
            }
        }
        self.gro_receive_by_type(no, ethernet::P_TEB, cb)
    }

    /// `gre_gro_receive()` (`net/ipv4/gre_offload.c`): keys and checksums are understood, sequence numbers not.
    pub(super) fn gre_gro_receive(&mut self, no: SkbNo, cb: &mut GroCb) -> Run<Option<SkbNo>> {
        let header = self.gro_header(no, cb, gre::BASE_HLEN)?;
        let (flags, protocol) = (be16(&header, 0), be16(&header, 2));
        let known = matches!(
            protocol,
            ethernet::P_IP | ethernet::P_IPV6 | ethernet::P_TEB
        ) || vlan::is_vlan(protocol);
        if cb.encap_mark || flags & !(gre::KEY | gre::CSUM) != 0 || !known {
            cb.encap_mark = true;
            cb.flush = true;
            return Ok(None);
        }
        cb.encap_mark = true;
        if flags & gre::CSUM != 0 && !cb.flush && !self.gro_checksum_validate(no, 0, cb) {
            cb.flush = true;
            return Ok(None);
        }
        let len = gre::header_len(flags);
        let own = self.gro_header(no, cb, len)?;
        let key = |header: &[u8]| {
            (
                header.get(..4).map(<[u8]>::to_vec),
                header.last_chunk::<4>().copied(),
            )
        };
        let same = |p: &SkbNo| {
            let other = self.bytes(*p, self.skb(*p).data + cb.offset, len);
            flags & gre::KEY == 0 && other.get(..4) == own.get(..4) || key(other) == key(&own)
        };
        let flow = cb.flow.iter().filter(|p| same(p)).copied().collect();
        cb.flow = flow;
        cb.offset += len;
        self.gro_receive_by_type(no, protocol, cb)
    }
}
