//! What a tunnel hears of its own packets: `ipip_err()` (`net/ipv4/ipip.c`), `gre_err()` (`net/ipv4/ip_gre.c`), `ipip6_err()`
//! (`net/ipv6/sit.c`), and what `ip_tunnel_xmit()` (`net/ipv4/ip_tunnel.c`) makes of it.

use std::net::Ipv4Addr;

use super::ip_tunnel::rank;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{ethernet, gre, icmp, ipv4, ipv6};
use crate::scenario::command::TunnelParms;
use crate::scenario::topology::{DevId, DeviceKind, NetnsId};
use crate::trace::SkbNo;

/// `ICMP_SR_FAILED`, a code of *destination unreachable*.
const SR_FAILED: u8 = 5;
/// ICMPv6 *destination unreachable*, and its code *address unreachable*.
const ICMPV6_ADDR_UNREACH: (u8, u8) = (1, 3);

/// What an ICMP error quotes: the IPv4 header of the packet it is about.
struct Quoted {
    hlen: u32,
    protocol: u8,
    local: Ipv4Addr,
    remote: Ipv4Addr,
}

impl Kernel {
    /// `icmp_socket_deliver()` (`net/ipv4/icmp.c`): an error goes to the protocol of the packet it quotes, of which eight bytes must be
    /// there behind the IP header.
    pub(super) fn icmp_socket_deliver(&mut self, no: SkbNo, kind: u8, code: u8) -> Run<()> {
        const BEHIND: u32 = 8;
        let (Some(quoted), Some(dev)) = (self.quoted(no), self.skb(no).dev) else {
            return Ok(());
        };
        if self.skb(no).len < quoted.hlen + BEHIND {
            return Ok(());
        }
        let netns = self.topology.dev(dev).netns;
        let fragments = (kind, code) == (icmp::DEST_UNREACH, icmp::FRAG_NEEDED);
        match quoted.protocol {
            ipv4::PROTO_GRE => self.gre_err(no, netns, &quoted, (kind, code)),
            ipv4::PROTO_IPIP => {
                let found = self.tunnel_of(netns, &quoted, None, |kind| match kind {
                    DeviceKind::Ipip(parms) => Some(parms),
                    _ => None,
                });
                match found {
                    Some(_) if fragments => self.frag_needed(no, netns, &quoted),
                    Some(found) => self.count_error(found, (kind, code), &[SR_FAILED]),
                    None => {}
                }
                Ok(())
            }
            ipv6::NEXTHDR_IPV6 => {
                let found = self.tunnel_of(netns, &quoted, None, |kind| match kind {
                    DeviceKind::Sit(parms) => Some(parms),
                    _ => None,
                });
                match found {
                    Some(_) if fragments => self.frag_needed(no, netns, &quoted),
                    Some(found) => {
                        self.no_icmpv6(no, quoted.hlen)?;
                        self.count_error(found, (kind, code), &[SR_FAILED]);
                    }
                    None => {}
                }
                Ok(())
            }
            ipv4::PROTO_UDP if fragments && self.udp_tunnel_quoted(no, netns, quoted.hlen) => {
                self.frag_needed(no, netns, &quoted);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn quoted(&self, no: SkbNo) -> Option<Quoted> {
        let header = self.packet(no, 0, ipv4::HLEN);
        let address = |at: usize| Ipv4Addr::from(be32(&header, at));
        (header.len() == ipv4::HLEN as usize).then(|| Quoted {
            hlen: u32::from(header[0] & 0x0f) * 4,
            protocol: header[9],
            local: address(12),
            remote: address(16),
        })
    }

    /// `gre_err()` and `ipgre_err()` (`net/ipv4/ip_gre.c`). *Port unreachable*, with which Linux answers where no tunnel takes a packet,
    /// says nothing.
    fn gre_err(&mut self, no: SkbNo, netns: NetnsId, quoted: &Quoted, error: (u8, u8)) -> Run<()> {
        let header = self.packet(no, quoted.hlen, 16).to_vec();
        let (flags, proto) = (be16(&header, 0), be16(&header, 2));
        let len = gre::header_len(flags) as usize;
        if flags & (gre::VERSION | gre::ROUTING) != 0 || header.len() < len {
            return Ok(());
        }
        if error == (icmp::DEST_UNREACH, icmp::FRAG_NEEDED) {
            self.frag_needed(no, netns, quoted);
            return Ok(());
        }
        let at = 4 + usize::from(flags & gre::CSUM != 0) * 4;
        let key = (flags & gre::KEY != 0).then(|| be32(&header, at));
        let frames = proto == ethernet::P_TEB;
        let found = self.tunnel_of(netns, quoted, key, |kind| match kind {
            DeviceKind::Gre(parms) if !frames => Some(parms),
            DeviceKind::Gretap(parms) if frames => Some(parms),
            _ => None,
        });
        if let Some(found) = found {
            if proto == ethernet::P_IPV6 {
                self.no_icmpv6(no, quoted.hlen + len as u32)?;
            }
            self.count_error(found, error, &[SR_FAILED, icmp::PORT_UNREACH]);
        }
        Ok(())
    }

    /// `ip_tunnel_lookup()` for a packet that the tunnel has sent.
    fn tunnel_of(
        &self,
        netns: NetnsId,
        quoted: &Quoted,
        key: Option<u32>,
        kind: impl Fn(&DeviceKind) -> Option<&TunnelParms>,
    ) -> Option<(DevId, TunnelParms)> {
        let devices = self.topology.devices.iter().enumerate();
        devices
            .filter(|(_, dev)| dev.up && dev.home == netns)
            .filter_map(|(id, dev)| {
                let parms = kind(&dev.kind).filter(|parms| !parms.external && parms.ikey == key)?;
                Some((rank(parms, quoted.local, quoted.remote)?, DevId(id), *parms))
            })
            .max_by_key(|(fits, id, _)| (*fits, std::cmp::Reverse(id.0)))
            .map(|(_, id, parms)| (id, parms))
    }

    /// *Fragmentation needed* changes the path's MTU; it is in the second half of the message's second word.
    fn frag_needed(&mut self, no: SkbNo, netns: NetnsId, quoted: &Quoted) {
        let at = u32::from(self.skb(no).transport_header) + 6;
        let mtu = u32::from(be16(self.bytes(no, at, 2), 0));
        self.ipv4_update_pmtu(netns, quoted.remote, mtu);
    }

    /// Whether the quoted packet is one of a VXLAN or GENEVE device: `__udp4_lib_err_encap()` asks the socket at its destination port, and
    /// that for the network identifier (`vxlan_err_lookup()`, `geneve_udp_encap_err_lookup()`).
    fn udp_tunnel_quoted(&self, no: SkbNo, netns: NetnsId, hlen: u32) -> bool {
        let header = self.packet(no, hlen, 16);
        if header.len() < 16 {
            return false;
        }
        let (port, vni) = (be16(&header, 2), be32(&header, 12) >> 8);
        let mut devices = self.topology.devices.iter();
        devices.any(|dev| match dev.kind {
            DeviceKind::Vxlan(parms) | DeviceKind::Geneve(parms) => {
                dev.up
                    && dev.home == netns
                    && !parms.over_ipv6()
                    && parms.dstport == port
                    && (parms.external || parms.vni == vni)
            }
            _ => false,
        })
    }

    /// `ip6_err_gen_icmpv6_unreach()` (`net/ipv6/icmp.c`) tells the sender of an IPv6 packet, if enough of it is quoted.
    fn no_icmpv6(&self, no: SkbNo, nhs: u32) -> Run<()> {
        match self.skb(no).len < nhs + ipv6::HLEN + 8 {
            true => Ok(()),
            false => not_covered("ip6_err_gen_icmpv6_unreach: an error about IPv6 in IPv4"),
        }
    }

    /// The end of `ipip_err()` and `ipgre_err()`: the error is counted at the tunnel.
    fn count_error(
        &mut self,
        (tunnel, parms): (DevId, TunnelParms),
        (kind, code): (u8, u8),
        impossible: &[u8],
    ) {
        let counts = match kind {
            icmp::DEST_UNREACH => !impossible.contains(&code),
            icmp::TIME_EXCEEDED => code == icmp::EXC_TTL && parms.ttl != 0,
            _ => false,
        };
        if counts && parms.remote.is_some() {
            *self.tunnel_errors.entry(tunnel).or_default() += 1;
        }
    }

    /// `ip_tunnel_xmit()`: for each error that was heard (`err_count`), the sender of one packet is told that the host can't
    /// be reached (`dst_link_failure()`); the packet goes on. No scenario lasts the 30 seconds of
    /// `IPTUNNEL_ERR_TIMEO`.
    pub(super) fn tunnel_link_failure(&mut self, no: SkbNo, dev: DevId) -> Run<()> {
        let Some(count) = self.tunnel_errors.get_mut(&dev).filter(|count| **count > 0) else {
            return Ok(());
        };
        *count -= 1;
        if self.skb_protocol(no) == ethernet::P_IPV6 {
            let (kind, code) = ICMPV6_ADDR_UNREACH;
            return self.icmp6_send(no, kind, code, 0);
        }
        self.icmp_send(no, icmp::DEST_UNREACH, icmp::HOST_UNREACH)
    }
}
