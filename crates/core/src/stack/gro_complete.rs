//! What becomes of the headers of merged packets: `gro_complete()` (`net/core/gro.c`) and the function of each
//! protocol that it finds, from the outermost header to TCP.

use super::gro_ip::pseudo_of;
use super::udp::UdpSocket;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{ethernet, geneve, gre, ipv4, ipv6, udp, vlan, vxlan};
use crate::scenario::topology::DevId;
use crate::skb::{CHECKSUM_PARTIAL, gso};
use crate::trace::SkbNo;

/// The flag `cwr`, in byte 13 of TCP's header.
const CWR: u8 = 0x80;

/// A merged packet on its way through the functions of the protocols.
struct Whole<'a> {
    no: SkbNo,
    /// `network_offsets`: where the IP headers are, from `data`, outermost first.
    networks: &'a [u32],
    /// The NAPI's device.
    dev: DevId,
    /// `ip_fixedid`.
    fixed_ids: u8,
}

impl Kernel {
    /// The call in `gro_complete()`: whether the protocol has a function for it.
    pub(super) fn gro_complete_headers(
        &mut self,
        no: SkbNo,
        (networks, fixed_ids): (&[u32], u8),
        dev: DevId,
    ) -> Run<bool> {
        let skb = self.skb_mut(no);
        // a NIC may hand in packets of a tunnel
        skb.encapsulation = false;
        let protocol = skb.protocol;
        let whole = Whole {
            no,
            networks,
            dev,
            fixed_ids,
        };
        self.gro_complete_type(&whole, protocol, 0)
    }

    /// `gro_find_complete_by_type()` and what it finds; `at` is `nhoff`, from `data`.
    fn gro_complete_type(&mut self, whole: &Whole<'_>, protocol: u16, at: u32) -> Run<bool> {
        match protocol {
            ethernet::P_IP => self.inet_gro_complete(whole, at),
            ethernet::P_IPV6 => self.ipv6_gro_complete(whole, at),
            ethernet::P_TEB => self.eth_gro_complete(whole, at),
            protocol if vlan::is_vlan(protocol) => {
                // vlan_gro_complete()
                let protocol = be16(self.complete_header(whole, at, vlan::HLEN), 2);
                self.gro_complete_type(whole, protocol, at + vlan::HLEN)
            }
            _ => Ok(false),
        }
    }

    fn complete_header(&self, whole: &Whole<'_>, at: u32, len: u32) -> &[u8] {
        let skb = self.skb(whole.no);
        self.bytes(whole.no, skb.data + at, len)
    }

    /// `eth_gro_complete()` (`net/ethernet/eth.c`).
    fn eth_gro_complete(&mut self, whole: &Whole<'_>, at: u32) -> Run<bool> {
        let protocol = be16(self.complete_header(whole, at, ethernet::HLEN), 12);
        let skb = self.skb_mut(whole.no);
        if skb.encapsulation {
            skb.inner_mac_header = (skb.data + at) as u16;
        }
        self.gro_complete_type(whole, protocol, at + ethernet::HLEN)
    }

    /// `inet_gro_complete()` (`net/ipv4/af_inet.c`): the length of the whole.
    fn inet_gro_complete(&mut self, whole: &Whole<'_>, at: u32) -> Run<bool> {
        let skb = self.skb_mut(whole.no);
        if skb.encapsulation {
            skb.inner_protocol = ethernet::P_IP;
            skb.inner_network_header = (skb.data + at) as u16;
        }
        let (head, here, total) = (skb.head, skb.data + at, skb.len - at);
        let length = (total as u16).to_be_bytes();
        self.buffers.patch(head, here + 2, &length);
        self.ip_fix_check(whole.no, here);
        let protocol = self.bytes(whole.no, here + 9, 1).first().copied();
        self.gro_complete_transport(whole, protocol.unwrap_or(0), at + ipv4::HLEN)
    }

    /// `ipv6_gro_complete()` (`net/ipv6/ip6_offload.c`): the length of the payload.
    fn ipv6_gro_complete(&mut self, whole: &Whole<'_>, at: u32) -> Run<bool> {
        let skb = self.skb_mut(whole.no);
        if skb.encapsulation {
            skb.inner_protocol = ethernet::P_IPV6;
            skb.inner_network_header = (skb.data + at) as u16;
        }
        let (head, here) = (skb.head, skb.data + at);
        let payload = skb.len - at - ipv6::HLEN;
        let length = (payload as u16).to_be_bytes();
        self.buffers.patch(head, here + 4, &length);
        // ipv6_exthdrs_len()
        let (mut next, mut behind) = (6, at + ipv6::HLEN);
        let mut protocol = self.complete_byte(whole, at + next);
        while matches!(
            protocol,
            ipv6::NEXTHDR_HOP | ipv6::NEXTHDR_ROUTING | ipv6::NEXTHDR_DEST
        ) {
            next = behind;
            protocol = self.complete_byte(whole, next);
            behind += (u32::from(self.complete_byte(whole, next + 1)) + 1) * 8;
        }
        self.gro_complete_transport(whole, protocol, behind)
    }

    fn complete_byte(&self, whole: &Whole<'_>, at: u32) -> u8 {
        let byte = self.complete_header(whole, at, 1).first().copied();
        byte.unwrap_or(ipv6::NEXTHDR_NONE)
    }

    /// The protocol behind an IP header; IP in IP makes what is outer outer (`ipip_gro_complete()`,
    /// `sit_gro_complete()`, `ip6ip6_gro_complete()`, `ip4ip6_gro_complete()`).
    fn gro_complete_transport(
        &mut self,
        whole: &Whole<'_>,
        protocol: u8,
        behind: u32,
    ) -> Run<bool> {
        match protocol {
            ipv4::PROTO_TCP => {
                self.tcp_gro_complete(whole, behind);
                Ok(true)
            }
            ipv4::PROTO_UDP => self.udp_gro_complete(whole, behind),
            ipv4::PROTO_GRE => self.gre_gro_complete(whole, behind),
            ipv4::PROTO_IPIP | ipv6::NEXTHDR_IPV6 => {
                let over = match self.gro_outer_is_ipv6(whole) {
                    true => gso::IPXIP6,
                    false => gso::IPXIP4,
                };
                let skb = self.skb_mut(whole.no);
                skb.encapsulation = true;
                let head = skb.head;
                self.buffers.shinfo_mut(head).gso_type |= over;
                match protocol {
                    ipv4::PROTO_IPIP => self.inet_gro_complete(whole, behind),
                    _ => self.ipv6_gro_complete(whole, behind),
                }
            }
            _ => Ok(false),
        }
    }

    /// `gre_gro_complete()` (`net/ipv4/gre_offload.c`).
    fn gre_gro_complete(&mut self, whole: &Whole<'_>, at: u32) -> Run<bool> {
        let skb = self.skb_mut(whole.no);
        skb.encapsulation = true;
        let head = skb.head;
        self.buffers.shinfo_mut(head).gso_type = gso::GRE;
        let header = self.complete_header(whole, at, gre::BASE_HLEN).to_vec();
        let behind = at + gre::header_len(be16(&header, 0));
        let found = self.gro_complete_type(whole, be16(&header, 2), behind)?;
        let skb = self.skb_mut(whole.no);
        skb.inner_mac_header = (skb.data + behind) as u16;
        Ok(found)
    }

    /// `udp4_gro_complete()`, `udp6_gro_complete()` and `udp_gro_complete()` (`net/ipv4/udp_offload.c`),
    /// `vxlan_gro_complete()` and `geneve_gro_complete()`.
    fn udp_gro_complete(&mut self, whole: &Whole<'_>, at: u32) -> Run<bool> {
        let header = self.complete_header(whole, at, udp::HLEN).to_vec();
        let skb = self.skb(whole.no);
        let (head, here, len) = (skb.head, skb.data + at, skb.len - at);
        if be16(&header, 6) != 0 {
            let check = self.gro_pseudo(whole, ipv4::PROTO_UDP, len);
            self.buffers.patch(head, here + 6, &check.to_be_bytes());
        }
        let length = (len as u16).to_be_bytes();
        self.buffers.patch(head, here + 4, &length);
        let netns = self.topology.dev(whole.dev).netns;
        let socket = self.udp_socket(netns, be16(&header, 2), self.gro_outer_is_ipv6(whole));
        self.skb_mut(whole.no).encapsulation = true;
        self.buffers.shinfo_mut(head).gso_type = match be16(&header, 6) {
            0 => gso::UDP_TUNNEL,
            _ => gso::UDP_TUNNEL_CSUM,
        };
        let behind = at + udp::HLEN;
        match socket {
            Some(UdpSocket::Vxlan) => self.eth_gro_complete(whole, behind + vxlan::HLEN),
            Some(UdpSocket::Geneve) => {
                let first = self.complete_header(whole, behind, 1).first().copied();
                let len = geneve::header_len(first.unwrap_or(0));
                self.eth_gro_complete(whole, behind + len)
            }
            _ => not_covered("udp_gro_complete of packets outside of a tunnel"),
        }
    }

    /// `tcp4_gro_complete()`, `tcp6_gro_complete()` and `tcp_gro_complete()` (`net/ipv4/tcp_offload.c`): the checksum of the whole is left
    /// to the device (`CHECKSUM_PARTIAL`).
    fn tcp_gro_complete(&mut self, whole: &Whole<'_>, at: u32) {
        const CHECK: u16 = 16;
        let skb = self.skb(whole.no);
        let (head, len, th) = (skb.head, skb.len - at, skb.transport_header);
        let check = self.gro_pseudo(whole, ipv4::PROTO_TCP, len);
        let flags = self.bytes(whole.no, u32::from(th) + 13, 1).first().copied();
        let accecn = flags.is_some_and(|flags| flags & CWR != 0);
        let fixed_ids = u32::from(whole.fixed_ids) * gso::TCP_FIXEDID;
        let gso_type = match self.gro_inner_is_ipv6(whole) {
            true => gso::TCPV6,
            false => gso::TCPV4 | fixed_ids,
        };
        let accecn = if accecn { gso::TCP_ACCECN } else { 0 };
        self.buffers.shinfo_mut(head).gso_type |= gso_type | accecn;
        let place = u32::from(th) + u32::from(CHECK);
        self.buffers.patch(head, place, &check.to_be_bytes());
        let skb = self.skb_mut(whole.no);
        if skb.encapsulation {
            skb.inner_transport_header = th;
        }
        skb.csum_start = th;
        skb.csum_offset = CHECK;
        skb.ip_summed = CHECKSUM_PARTIAL;
    }

    /// The sum of the pseudo header, with the addresses at `network_offsets[skb->encapsulation]`.
    fn gro_pseudo(&self, whole: &Whole<'_>, protocol: u8, len: u32) -> u16 {
        let inner = usize::from(self.skb(whole.no).encapsulation);
        let at = whole.networks.get(inner).copied().unwrap_or(0);
        pseudo_of(self.complete_header(whole, at, ipv6::HLEN), protocol, len)
    }

    /// Whether the IP header that is innermost is one of IPv6.
    fn gro_inner_is_ipv6(&self, whole: &Whole<'_>) -> bool {
        let at = whole.networks.last().copied().unwrap_or(0);
        self.complete_byte(whole, at) >> 4 == 6
    }

    /// Whether the outermost IP header is one of IPv6.
    fn gro_outer_is_ipv6(&self, whole: &Whole<'_>) -> bool {
        let at = whole.networks.first().copied().unwrap_or(0);
        self.complete_byte(whole, at) >> 4 == 6
    }
}
