//! `net/ipv6/ndisc.c`: questions for link-layer addresses of IPv6 neighbours, and their answers. Addresses are never
//! tentative here, routers say nothing.

use std::net::{IpAddr, Ipv6Addr};

use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::addr6;
use crate::net::{arp, checksum, ethernet, ipv6, ndisc};
use crate::scenario::command::{Ipv6Net, Mac};
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::{DevId, Route6};
use crate::trace::{Layer, SkbNo};

use super::ip6_output::Ipv6Header;

const FILE: &str = "net/ipv6/ndisc.c";
/// The hop limit of all of them: nobody further away may speak.
const HOP_LIMIT: u8 = 255;

/// A message that is whole.
struct Message {
    dev: DevId,
    saddr: Ipv6Addr,
    daddr: Ipv6Addr,
    flags: u8,
    target: Ipv6Addr,
    /// The link-layer address that it tells.
    mac: Option<Mac>,
}

impl Kernel {
    /// `ndisc_rcv()`, behind the ICMPv6 header; gives the reason when the packet is dropped.
    pub(super) fn ndisc_rcv(&mut self, no: SkbNo) -> Run<Option<u32>> {
        let mut reason = None;
        self.traced("ndisc_rcv", FILE, no, |k| {
            let skb = k.skb_mut(no);
            let back = skb.data.saturating_sub(u32::from(skb.transport_header));
            skb.push(back)?;
            let (at, data) = (u32::from(skb.network_header), skb.data);
            let hop_limit = k.bytes(no, at + 7, 1).first().copied();
            let header = k.bytes(no, data, 2).to_vec();
            if hop_limit != Some(HOP_LIMIT) {
                reason = Some(drop_reason::IPV6_NDISC_HOP_LIMIT);
            } else if header.get(1) != Some(&0) {
                reason = Some(drop_reason::IPV6_NDISC_BAD_CODE);
            } else {
                reason = match header.first() {
                    Some(&ndisc::SOLICITATION) => k.ndisc_recv_ns(no)?,
                    Some(&ndisc::ADVERTISEMENT) => k.ndisc_recv_na(no)?,
                    kind => {
                        let kind = kind.copied().unwrap_or(0);
                        return not_covered(format!("ndisc_rcv: type {kind} (of a router)"));
                    }
                };
            }
            Ok(reason.map_or(0, i64::from))
        })?;
        Ok(reason)
    }

    /// What both kinds check first: length, target, options.
    fn ndisc_message(&self, no: SkbNo, option: u8) -> Result<Message, u32> {
        let skb = self.skb(no);
        let bytes = self.bytes(no, skb.data, skb.len);
        let not_specified = Err(drop_reason::NOT_SPECIFIED);
        let Some(dev) = skb.dev else {
            return not_specified;
        };
        if bytes.len() < ndisc::HLEN as usize {
            return Err(drop_reason::PKT_TOO_SMALL);
        }
        let target = addr6(bytes, 8);
        if target.is_multicast() {
            return not_specified;
        }
        let (saddr, daddr) = (self.ipv6_hdr_addr(no, 8), self.ipv6_hdr_addr(no, 24));
        let flags = bytes[4];
        let asks = option == ndisc::SOURCE;
        let solicited_node = daddr == ndisc::solicited_node(daddr);
        if asks && saddr.is_unspecified() && !solicited_node {
            return not_specified;
        }
        if !asks && daddr.is_multicast() && flags & ndisc::SOLICITED != 0 {
            return not_specified;
        }
        let options = bytes.get(ndisc::HLEN as usize..).unwrap_or_default();
        let Some(found) = ndisc::option(options, option) else {
            return Err(drop_reason::IPV6_NDISC_BAD_OPTIONS);
        };
        let mac = match found.map(|option| (option.len(), arp::mac(option, 2))) {
            // ndisc_opt_addr_data(): of the device's own length
            Some((8, mac)) if !(asks && saddr.is_unspecified()) => Some(mac),
            Some(_) => return not_specified,
            None => None,
        };
        Ok(Message {
            dev,
            saddr,
            daddr,
            flags,
            target,
            mac,
        })
    }

    /// Whether an address is one of the device's own (`ipv6_get_ifaddr()`).
    fn has_addr6(&self, dev: DevId, addr: Ipv6Addr) -> bool {
        let mut own = self.topology.netns_of(dev).inet6.addrs.iter();
        let link_local = ndisc::link_local(self.topology.dev(dev).mac);
        own.any(|(of, net)| *of == dev && net.addr == addr)
            || self.topology.dev(dev).has_ethernet() && addr == link_local
    }

    /// `ipv6_chk_mcast_addr()`: all nodes, and the groups of the device's own addresses.
    pub(super) fn has_joined6(&self, dev: DevId, group: Ipv6Addr) -> bool {
        let own = self.topology.netns_of(dev).inet6.addrs.iter();
        let mut own = own.filter(|(of, _)| *of == dev);
        let link_local = ndisc::link_local(self.topology.dev(dev).mac);
        group == ndisc::ALL_NODES
            || own.any(|(_, net)| ndisc::solicited_node(net.addr) == group)
            || ndisc::solicited_node(link_local) == group
    }

    /// `ndisc_recv_ns()`: who asks for an address of the device gets an answer and becomes a neighbour.
    fn ndisc_recv_ns(&mut self, no: SkbNo) -> Run<Option<u32>> {
        let asked = match self.ndisc_message(no, ndisc::SOURCE) {
            Ok(asked) => asked,
            Err(reason) => return Ok(Some(reason)),
        };
        let dev = asked.dev;
        if !self.has_addr6(dev, asked.target) {
            return Ok(Some(drop_reason::IPV6_NDISC_NS_OTHERHOST));
        }
        let all = asked.daddr.is_multicast();
        if asked.saddr.is_unspecified() {
            // duplicate address detection: everybody is told
            let flags = self.router_flag(dev) | ndisc::OVERRIDE;
            self.ndisc_send_na(dev, ndisc::ALL_NODES, asked.target, flags, true)?;
            return Ok(Some(drop_reason::NOT_SPECIFIED));
        }
        let known = self.knows(dev, IpAddr::V6(asked.saddr));
        if !known && all && asked.mac.is_none() {
            return Ok(Some(drop_reason::NOT_SPECIFIED));
        }
        if let Some(mac) = asked.mac {
            self.neigh_update(dev, asked.saddr.into(), mac, false, true)?;
        }
        let over = if all { ndisc::OVERRIDE } else { 0 };
        let flags = self.router_flag(dev) | ndisc::SOLICITED | over;
        self.ndisc_send_na(dev, asked.saddr, asked.target, flags, all)?;
        Ok(None)
    }

    /// `ndisc_recv_na()`: what is known of a neighbour is brought up to date; packets that waited for it leave.
    fn ndisc_recv_na(&mut self, no: SkbNo) -> Run<Option<u32>> {
        let told = match self.ndisc_message(no, ndisc::TARGET) {
            Ok(told) => told,
            Err(reason) => return Ok(Some(reason)),
        };
        let target = IpAddr::V6(told.target);
        if self.has_addr6(told.dev, told.target) || !self.knows(told.dev, target) {
            return Ok(Some(drop_reason::NOT_SPECIFIED));
        }
        if let Some(mac) = told.mac {
            let solicited = told.flags & ndisc::SOLICITED != 0;
            let over = told.flags & ndisc::OVERRIDE != 0;
            self.neigh_update(told.dev, target, mac, solicited, over)?;
        }
        Ok(None)
    }

    fn router_flag(&self, dev: DevId) -> u8 {
        let netns = self.topology.netns_of(dev);
        match netns.flag("net.ipv6.conf.all.forwarding") {
            true => ndisc::ROUTER,
            false => 0,
        }
    }

    /// `ndisc_solicit()`: the question goes to the group of the address, from the packet's own sender when that is an
    /// address of the device, else from its link-local one.
    pub(super) fn ndisc_solicit(&mut self, no: SkbNo, dev: DevId, target: Ipv6Addr) -> Run<()> {
        self.traced("ndisc_solicit", FILE, no, |k| {
            let sender = k.ipv6_hdr_addr(no, 8);
            let saddr = match k.has_addr6(dev, sender) {
                true => sender,
                false => ndisc::link_local(k.topology.dev(dev).mac),
            };
            let mac = Some(k.topology.dev(dev).mac);
            let message = ndisc::message(ndisc::SOLICITATION, 0, target, mac);
            let label = format!("Neighbour solicitation: who has {target}?");
            k.ndisc_send_skb(dev, (saddr, ndisc::solicited_node(target)), message, label)
        })
    }

    /// `ndisc_send_na()`.
    fn ndisc_send_na(
        &mut self,
        dev: DevId,
        daddr: Ipv6Addr,
        target: Ipv6Addr,
        flags: u8,
        tells: bool,
    ) -> Run<()> {
        let mac = tells.then_some(self.topology.dev(dev).mac);
        let message = ndisc::message(ndisc::ADVERTISEMENT, flags, target, mac);
        let label = format!("Neighbour advertisement: {target} is here");
        self.ndisc_send_skb(dev, (target, daddr), message, label)
    }

    /// `ndisc_alloc_skb()` and `ndisc_send_skb()`: a route of its own, straight to the device (`icmp6_dst_alloc()`).
    fn ndisc_send_skb(
        &mut self,
        dev: DevId,
        (saddr, daddr): (Ipv6Addr, Ipv6Addr),
        mut message: Vec<u8>,
        label: String,
    ) -> Run<()> {
        let len = message.len() as u32;
        let room = self.topology.dev(dev).ll_reserved_space();
        let no = self.alloc_skb(room + ipv6::HLEN + len);
        let skb = self.skb_mut(no);
        skb.protocol = ethernet::P_IPV6;
        skb.dev = Some(dev);
        skb.reserve(room + ipv6::HLEN);
        skb.reset_transport_header();
        skb.put(len);
        skb.set_dst6(Some(Route6 {
            dst: Ipv6Net {
                addr: daddr,
                prefix: 128,
            },
            via: None,
            dev,
            encap: None,
        }));
        let pseudo = checksum::pseudo6(saddr.octets(), daddr.octets(), ipv6::NEXTHDR_ICMP, len);
        let check = !checksum::sum(&message, pseudo);
        message[2..4].copy_from_slice(&check.to_be_bytes());
        let at = self.skb(no).data;
        self.write_header(no, at, &message, Layer::Icmpv6, label, "ndisc_send_skb");
        self.traced("ndisc_send_skb", FILE, no, |k| {
            // ip6_nd_hdr()
            let header = Ipv6Header {
                tclass: 0,
                flowlabel: 0,
                nexthdr: ipv6::NEXTHDR_ICMP,
                hop_limit: HOP_LIMIT,
                saddr,
                daddr,
            };
            let skb = k.skb_mut(no);
            skb.push(ipv6::HLEN)?;
            skb.reset_network_header();
            skb.from_socket = true;
            let at = skb.data;
            k.write_ipv6(no, at, &header.bytes(len as u16), "ip6_nd_hdr");
            let state = NfState::ipv6(NfHook::LocalOut, None, Some(dev));
            if k.nf_hook(no, state)? == NF_ACCEPTED {
                k.dst_output6(no)?;
            }
            Ok(())
        })
    }

    /// Whether a packet is one of neighbour discovery: its socket does not want multicast back (`MC6_LOOP`).
    pub(super) fn is_ndisc(&self, no: SkbNo) -> bool {
        let at = u32::from(self.skb(no).network_header);
        let icmp = self.bytes(no, at + 6, 1) == [ipv6::NEXTHDR_ICMP];
        let kind = self.bytes(no, at + ipv6::HLEN, 1).first().copied();
        icmp && matches!(kind, Some(ndisc::SOLICITATION | ndisc::ADVERTISEMENT))
    }
}
