//! In-situ OAM over IPv6: `net/ipv6/ioam6_iptunnel.c`, `net/ipv6/ioam6.c`, and the option's end in `ipv6_hop_ioam()`
//! (`net/ipv6/exthdrs.c`). A packet carries room for a trace, and each node on its way fills in a part, from the end.

use std::net::Ipv6Addr;

use super::execute::Done;
use super::execute_error::exists;
use super::ip6_forward::Input6;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{be16, be32};
use crate::net::{ethernet, ipv6};
use crate::scenario::command::{Ioam6, Ioam6Mode};
use crate::scenario::ip_ioam::IoamNamespace;
use crate::scenario::topology::{DevId, DeviceKind, Encap, Ioam6Lwt, NetnsId, Route6};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv6/ioam6_iptunnel.c";
/// `IPV6_TLV_PADN` and `IPV6_TLV_IOAM`.
const TLV_PADN: u8 = 1;
const TLV_IOAM: u8 = 49;
/// `struct ioam6_lwt_encap`: what is in front of the nodes' data, bytes.
const ENCAP_HLEN: u32 = 16;
/// `sizeof(struct ioam6_hdr)` and of `struct ioam6_trace_hdr`.
const IOAM_HLEN: u32 = 4;
const TRACE_HLEN: u32 = 8;
/// `IOAM6_MASK_SHORT_FIELDS` and `IOAM6_MASK_WIDE_FIELDS`: fields of 4 and of 8 bytes.
const SHORT_FIELDS: u32 = 0xff1f_fc00;
const WIDE_FIELDS: u32 = 0x00e0_0000;
/// `-EINVAL`, `-ENETUNREACH`.
const EINVAL: i64 = -22;
const ENETUNREACH: i64 = -101;

/// Who fills in a part, and what it knows.
struct Node {
    netns: NetnsId,
    /// Where the packet leaves by; `None`: by `lo`.
    out: Option<DevId>,
    namespace: IoamNamespace,
    /// The packet was received, and its hop limit is not counted yet.
    is_input: bool,
}

/// Whether a type has a field; the first one is the highest bit.
fn has(trace_type: u32, bit: u32) -> bool {
    trace_type & (1 << (31 - bit)) != 0
}

/// `ioam6_trace_compute_nodelen()`: what a node fills in, in words of 4 bytes.
fn nodelen(trace_type: u32) -> u8 {
    let (short, wide) = (trace_type & SHORT_FIELDS, trace_type & WIDE_FIELDS);
    (short.count_ones() + 2 * wide.count_ones()) as u8
}

/// `struct ioam6_lwt_encap` as `ioam6_build_state()` fills it: hop-by-hop options of padding, the option, and padding.
fn ioam6_lwt_encap(what: &Ioam6, nexthdr: u8) -> Vec<u8> {
    let len = usize::from(what.size);
    let aligned = len.next_multiple_of(8);
    let hdrlen = (ENCAP_HLEN as usize + aligned) / 8 - 1;
    let opt_len = IOAM_HLEN as usize - 2 + TRACE_HLEN as usize + len;
    let mut header = vec![nexthdr, hdrlen as u8, TLV_PADN, 0];
    header.extend([TLV_IOAM, opt_len as u8, 0, 0]);
    header.extend(what.ns.to_be_bytes());
    header.extend([nodelen(what.trace_type) << 3, what.size / 4]);
    header.extend(what.trace_type.to_be_bytes());
    header.resize(ENCAP_HLEN as usize + len, 0);
    if aligned > len {
        header.extend([TLV_PADN, 2, 0, 0]);
    }
    header
}

/// Where IOAM's options are among hop-by-hop options that are well-formed, bytes from their start.
pub(super) fn ioam_options(options: &[u8]) -> Vec<u32> {
    const PAD1: u8 = 0;
    let (mut at, mut found) = (2, Vec::new());
    while let Some(kind) = options.get(at) {
        if *kind == TLV_IOAM {
            found.push(at as u32);
        }
        at += match *kind {
            PAD1 => 1,
            _ => options.get(at + 1).map_or(2, |len| usize::from(*len) + 2),
        };
    }
    found
}

impl Kernel {
    /// `ioam6_output()`: the option goes into the packet or around it, and the packet to where its new destination is.
    pub(super) fn ioam6_output(&mut self, no: SkbNo, place: usize) -> Run<i64> {
        self.traced("ioam6_output", FILE, no, |k| {
            let (Some(orig), Some(lwt)) = (k.skb(no).dst6, k.topology.ioam6.get_mut(place)) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(EINVAL);
            };
            let (count, freq) = (lwt.pkt_cnt, lwt.what.freq);
            lwt.pkt_cnt = lwt.pkt_cnt.wrapping_add(1);
            let lwt = *lwt;
            if k.skb(no).protocol != ethernet::P_IPV6 {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(EINVAL);
            }
            if count % freq.1 >= freq.0 {
                return k.ip6_output(no);
            }
            let cached = lwt.cached.then(|| k.ioam6_dst(no, orig, &lwt)).flatten();
            let room = match cached {
                // dst_dev_overhead()
                Some(route) => k.topology.dev(route.dev).ll_reserved_space(),
                None => u32::from(k.skb(no).mac_len),
            };
            let inline = match lwt.what.mode {
                Ioam6Mode::Inline => true,
                Ioam6Mode::Encap => false,
                Ioam6Mode::Auto => k.skb(no).dev.is_none(),
            };
            if inline {
                let at = u32::from(k.skb(no).network_header) + 6;
                if k.bytes(no, at, 1).first() == Some(&ipv6::NEXTHDR_HOP) {
                    return k.ip6_output(no);
                }
                k.ioam6_do_inline(no, orig, &lwt.what, room)?;
            } else {
                k.ioam6_do_encap(no, orig, &lwt.what, room)?;
            }
            let Some(route) = k.ioam6_dst(no, orig, &lwt) else {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(ENETUNREACH);
            };
            if cached.is_none() {
                let room = k.topology.dev(route.dev).ll_reserved_space();
                k.skb_cow_head(no, room)?;
                if let Some(lwt) = k.topology.ioam6.get_mut(place) {
                    lwt.cached = true;
                }
            }
            if route.encap == Some(Encap::Ioam6(place)) {
                // orig_output: it would come here again
                return k.ip6_output(no);
            }
            k.skb_mut(no).drop_dst();
            k.skb_mut(no).set_dst6(Some(route));
            k.dst_output6(no)
        })
    }

    /// Where packets of the route go after the change: to their own destination, or to that of the tunnel.
    fn ioam6_dst(&self, no: SkbNo, orig: Route6, lwt: &Ioam6Lwt) -> Option<Route6> {
        let netns = self.topology.dev(orig.dev).netns;
        let daddr = match lwt.what.tundst {
            Some(daddr) => daddr,
            None => self.ipv6_hdr_addr(no, 24),
        };
        self.topology.route6(netns, daddr)
    }

    /// `ioam6_do_inline()`: between the IPv6 header and what is behind it.
    fn ioam6_do_inline(&mut self, no: SkbNo, orig: Route6, what: &Ioam6, room: u32) -> Run<()> {
        let hdrlen = ioam6_lwt_encap(what, 0).len() as u32;
        self.skb_cow_head(no, hdrlen + room)?;
        let old = u32::from(self.skb(no).network_header);
        let nexthdr = self.bytes(no, old + 6, 1).first().copied();
        let header = ioam6_lwt_encap(what, nexthdr.unwrap_or(ipv6::NEXTHDR_NONE));
        self.skb_postpull_rcsum(no, old, ipv6::HLEN);
        self.skb_mut(no).push(hdrlen)?;
        self.skb_mut(no).reset_network_header();
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_mac_header_rebuild(no, mac_len);
        let (head, at) = (self.skb(no).head, self.skb(no).data);
        self.buffers.memmove(head, old, at, ipv6::HLEN);
        self.skb_postpush_rcsum(no, at, ipv6::HLEN + hdrlen, 0);
        self.ioam6_write_options(no, &header, "ioam6_do_inline");
        self.ioam6_length(no);
        self.ioam6_do_fill(no, orig, what)
    }

    /// `ioam6_do_encap()`: behind an IPv6 header in front of the packet's own, which is copied but for the addresses.
    fn ioam6_do_encap(&mut self, no: SkbNo, orig: Route6, what: &Ioam6, room: u32) -> Run<()> {
        let header = ioam6_lwt_encap(what, ipv6::NEXTHDR_IPV6);
        let len = ipv6::HLEN + header.len() as u32;
        self.skb_cow_head(no, len + room)?;
        let inner = u32::from(self.skb(no).network_header);
        let mut outer = self.bytes(no, inner, ipv6::HLEN).to_vec();
        self.skb_mut(no).push(len)?;
        self.skb_mut(no).reset_network_header();
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_mac_header_rebuild(no, mac_len);
        self.ioam6_write_options(no, &header, "ioam6_do_encap");
        let daddr = what.tundst.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let netns = self.topology.dev(orig.dev).netns;
        let chosen = || self.topology.source6(netns, orig.dev, daddr);
        let Some(saddr) = what.tunsrc.or_else(chosen) else {
            return not_covered("ioam6_do_encap: this host has no IPv6 address");
        };
        if let Some(addresses) = outer.get_mut(8..40) {
            addresses[..16].copy_from_slice(&saddr.octets());
            addresses[16..].copy_from_slice(&daddr.octets());
        }
        let at = self.skb(no).data;
        self.write_ipv6(no, at, &outer, "ioam6_do_encap");
        self.ioam6_length(no);
        self.skb_postpush_rcsum(no, at, len, 0);
        self.ioam6_do_fill(no, orig, what)
    }

    /// Hop-by-hop options behind the IPv6 header at `data`, where the transport header is now.
    fn ioam6_write_options(&mut self, no: SkbNo, header: &[u8], writer: &'static str) {
        let skb = self.skb_mut(no);
        let at = skb.data + ipv6::HLEN;
        skb.transport_header = at as u16;
        let label = "IPv6 hop-by-hop options, IOAM trace".into();
        self.write_header(no, at, header, Layer::Ipv6Ext, label, writer);
    }

    /// `nexthdr` and `payload_len` of the header at `data`.
    fn ioam6_length(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        let (head, at) = (skb.head, skb.data);
        let len = (skb.len - ipv6::HLEN) as u16;
        self.buffers.patch(head, at + 6, &[ipv6::NEXTHDR_HOP]);
        self.buffers.patch(head, at + 4, &len.to_be_bytes());
    }

    /// `ioam6_do_fill()`: this host is the first node.
    fn ioam6_do_fill(&mut self, no: SkbNo, orig: Route6, what: &Ioam6) -> Run<()> {
        let netns = self.topology.dev(orig.dev).netns;
        let at = u32::from(self.skb(no).transport_header) + ENCAP_HLEN - TRACE_HLEN;
        match self.ioam_namespace(netns, what.ns) {
            Some(namespace) => {
                let node = Node {
                    netns,
                    out: Some(orig.dev),
                    namespace,
                    is_input: false,
                };
                self.ioam6_fill_trace_data(no, at, &node)
            }
            None => Ok(()),
        }
    }

    /// `ioam6_genl_addns()`: a number is taken once.
    pub(super) fn ioam_namespace_add(&mut self, netns: NetnsId, namespace: IoamNamespace) -> Done {
        if self.ioam_namespace(netns, namespace.id).is_some() {
            return Err(exists(format!("IOAM namespace {}", namespace.id)));
        }
        self.topology.netns[netns.0].ioam.push(namespace);
        Ok(())
    }

    fn ioam_namespace(&self, netns: NetnsId, id: u16) -> Option<IoamNamespace> {
        let known = &self.topology.netns[netns.0].ioam;
        known.iter().find(|namespace| namespace.id == id).copied()
    }

    /// `ipv6_hop_ioam()`: an option of a received packet, `at` bytes behind the start of its options. `false`: it is gone.
    pub(super) fn ipv6_hop_ioam(&mut self, no: SkbNo, at: u32) -> Run<bool> {
        let skb = self.skb(no);
        let offset = u32::from(skb.transport_header) - u32::from(skb.network_header) + at;
        let Some(dev) = skb.dev.filter(|_| offset & 3 == 0) else {
            self.kfree_skb(no, drop_reason::IP_INHDR)?;
            return Ok(false);
        };
        if !self.topology.ipv6_enabled(dev) {
            self.kfree_skb(no, drop_reason::IPV6DISABLED)?;
            return Ok(false);
        }
        if self.ioam_sysctl(dev, "ioam6_enabled", 0) == 0 {
            return Ok(true);
        }
        let at = u32::from(self.skb(no).network_header) + offset;
        let header = self.bytes(no, at, IOAM_HLEN + TRACE_HLEN).to_vec();
        let opt_len = u32::from(header.get(1).copied().unwrap_or(0));
        let bad = match (opt_len, header.get(3)) {
            (..2, _) => true,
            (_, Some(0)) => {
                let remlen = u32::from(header.get(7).copied().unwrap_or(0) & 0x7f);
                let own = header.get(6).copied().unwrap_or(0) >> 3;
                opt_len < 2 + TRACE_HLEN
                    || opt_len < 2 + TRACE_HLEN + remlen * 4
                    || own != nodelen(be32(&header, 8))
            }
            // another kind of option than a preallocated trace
            _ => return Ok(true),
        };
        if bad {
            self.kfree_skb(no, drop_reason::IP_INHDR)?;
            return Ok(false);
        }
        let netns = self.topology.dev(dev).netns;
        let Some(namespace) = self.ioam_namespace(netns, be16(&header, 4)) else {
            return Ok(true);
        };
        let out = match self.ip6_route_input(no)? {
            Input6::Forward(route) => Some(route.dev),
            Input6::Multicast(_) => return not_covered("ipv6_hop_ioam of a packet to a group"),
            // routes to this host, and to nowhere, are by lo
            Input6::Local | Input6::Error { .. } | Input6::Discard => None,
        };
        if self.skb_ensure_writable(no, offset + 2 + opt_len)? != 0 {
            self.kfree_skb(no, drop_reason::IP_INHDR)?;
            return Ok(false);
        }
        let at = u32::from(self.skb(no).network_header) + offset + IOAM_HLEN;
        let node = Node {
            netns,
            out,
            namespace,
            is_input: true,
        };
        self.ioam6_fill_trace_data(no, at, &node)?;
        Ok(true)
    }

    /// `ioam6_fill_trace_data()`: a node's part goes behind those that are to come; when no room is left, a flag says so.
    /// `at` is where the trace header is.
    fn ioam6_fill_trace_data(&mut self, no: SkbNo, at: u32, node: &Node) -> Run<()> {
        const OVERFLOW: u8 = 1 << 2;
        const OPAQUE: u32 = 22;
        let trace = self.bytes(no, at, TRACE_HLEN).to_vec();
        let (Some(flags), Some(remlen)) = (trace.get(2).copied(), trace.get(3).copied()) else {
            return Ok(());
        };
        let trace_type = be32(&trace, 4);
        if flags & OVERFLOW != 0 {
            return Ok(());
        }
        let head = self.skb(no).head;
        let own = (flags >> 3) + u8::from(has(trace_type, OPAQUE));
        if remlen & 0x7f < own.max(1) {
            self.buffers.patch(head, at + 2, &[flags | OVERFLOW]);
            return Ok(());
        }
        let Some(data) = self.ioam6_node_data(no, trace_type, node) else {
            return not_covered("__ioam6_fill_trace_data: timestamps of a received packet");
        };
        let place = at + TRACE_HLEN + u32::from((remlen & 0x7f) - own) * 4;
        let name = self.topology.netns[node.netns.0].name.clone();
        let label = match name {
            Some(name) => format!("IOAM data of node {name}"),
            None => "IOAM data of this node".into(),
        };
        self.write_header(
            no,
            place,
            &data,
            Layer::Ipv6Ext,
            label,
            "__ioam6_fill_trace_data",
        );
        self.buffers.patch(head, at + 3, &[remlen - own]);
        Ok(())
    }

    /// `__ioam6_fill_trace_data()`: the fields in the order of their bits. What this kernel has not (a delay, occupancy) is
    /// all ones; queues are empty. `None`: a time of day is asked for.
    fn ioam6_node_data(&self, no: SkbNo, trace_type: u32, node: &Node) -> Option<Vec<u8>> {
        const NONE: [u8; 4] = [0xff; 4];
        let at = u32::from(self.skb(no).network_header) + 7;
        let hop_limit = self.bytes(no, at, 1).first().copied().unwrap_or(0);
        let hop_limit = hop_limit.wrapping_sub(u8::from(node.is_input));
        let input = self.skb(no).dev;
        let is_lo = |dev: &DevId| self.topology.dev(*dev).kind == DeviceKind::Loopback;
        let out = node.out.filter(|dev| !is_lo(dev));
        let ids = |key: &str, none: u64| {
            let of = |dev: Option<DevId>| dev.map_or(none, |dev| self.ioam_sysctl(dev, key, none));
            [of(input), of(out)]
        };
        let mut data = Vec::new();
        for bit in (0..=22).filter(|bit| has(trace_type, *bit)) {
            match bit {
                0 => {
                    let id = self.ioam_netns_sysctl(node.netns, "ioam6_id", 0x00ff_ffff) as u32;
                    data.extend((u32::from(hop_limit) << 24 | id).to_be_bytes());
                }
                1 => data.extend(
                    ids("ioam6_id", 0xffff)
                        .iter()
                        .flat_map(|id| (*id as u16).to_be_bytes()),
                ),
                2 | 3 if input.is_some() => return None,
                5 => data.extend(node.namespace.data.to_be_bytes()),
                6 => data.extend(if out.is_none() { NONE } else { [0; 4] }),
                8 => {
                    let id =
                        self.ioam_netns_sysctl(node.netns, "ioam6_id_wide", 0x00ff_ffff_ffff_ffff);
                    data.extend((u64::from(hop_limit) << 56 | id).to_be_bytes());
                }
                9 => data.extend(
                    ids("ioam6_id_wide", 0xffff_ffff)
                        .iter()
                        .flat_map(|id| (*id as u32).to_be_bytes()),
                ),
                10 => data.extend(node.namespace.wide.to_be_bytes()),
                // no schema is attached to the namespace
                22 => data.extend([0, 0xff, 0xff, 0xff]),
                _ => data.extend(NONE),
            }
        }
        Some(data)
    }

    /// `net.ipv6.ioam6_id` and `ioam6_id_wide`.
    fn ioam_netns_sysctl(&self, netns: NetnsId, key: &str, default: u64) -> u64 {
        let wanted = format!("net.ipv6.{key}");
        self.number_of(netns, &wanted).unwrap_or(default)
    }

    /// `net.ipv6.conf.DEV.ioam6_*`.
    fn ioam_sysctl(&self, dev: DevId, key: &str, default: u64) -> u64 {
        let device = self.topology.dev(dev);
        let wanted = format!("net.ipv6.conf.{}.{key}", device.name.replace('.', "/"));
        self.number_of(device.netns, &wanted).unwrap_or(default)
    }

    fn number_of(&self, netns: NetnsId, wanted: &str) -> Option<u64> {
        let set = &self.topology.netns[netns.0].sysctl;
        let found = set.iter().rev().find(|(key, _)| key == wanted)?;
        found.1.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests;
