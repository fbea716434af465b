//! `net/ipv4/ip_output.c`.

use std::net::Ipv4Addr;

use super::lwtunnel::LWTUNNEL_XMIT_CONTINUE;
use super::netfilter::{NF_ACCEPTED, NfState};
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::{Start, be16, dissect, ipv4_label};
use crate::net::{checksum, ethernet, icmp, ipv4};
use crate::scenario::netfilter::NfHook;
use crate::scenario::topology::Route;
use crate::skb::{PAGE_SIZE, SHARED_INFO_SIZE, feature};
use crate::trace::{Layer, SkbNo};

const FILE: &str = "net/ipv4/ip_output.c";

/// What a sender hands to `ip_append_data()` and `ip_push_pending_frames()`.
pub(super) struct Datagram<'a> {
    pub saddr: Ipv4Addr,
    pub daddr: Ipv4Addr,
    pub protocol: u8,
    pub tos: u8,
    pub ttl: u8,
    /// `IP_PMTUDISC_WANT` sets DF, `IP_PMTUDISC_DONT` does not.
    pub df: bool,
    /// A socket that never was connected sends id 0 with DF (`__ip_select_ident()` is not asked).
    pub no_id: bool,
    /// Transport header and payload.
    pub payload: &'a [u8],
    /// Kernel function that wrote the payload.
    pub writer: &'static str,
}

/// `-EMSGSIZE`.
const EMSGSIZE: i64 = -90;

impl Kernel {
    /// `__ip_append_data()` and `__ip_make_skb()`: a datagram in a fresh buffer, IP header in front. What is longer than
    /// the MTU goes on in others, in `frag_list`, so that each is as long as a fragment may be.
    pub(super) fn ip_make_skb(&mut self, route: Route, datagram: &Datagram<'_>) -> Run<SkbNo> {
        const IP_MAX_MTU: usize = 0xffff;
        let mtu = self.ipv4_mtu(&route, datagram.daddr, false);
        let space = mtu.saturating_sub(ipv4::HLEN) as usize;
        if space < 8 || datagram.payload.len() > IP_MAX_MTU - ipv4::HLEN as usize {
            let len = datagram.payload.len();
            return not_covered(format!(
                "__ip_append_data: {len} bytes with an MTU of {mtu} (EMSGSIZE)"
            ));
        }
        let first = match datagram.payload.len() > space {
            true => space & !7,
            false => datagram.payload.len(),
        };
        let (payload, mut rest) = datagram.payload.split_at(first);
        let no = self.ip_append_skb(route, payload.len() as u32)?;
        let skb = self.skb_mut(no);
        skb.set_dst(Some(route));
        // ip_sk_ignore_df(): no sender here insists on path MTU discovery
        skb.ignore_df = true;
        let id = match datagram.no_id {
            true => 0,
            false => self.ip_select_ident(),
        };
        let header = ip_header(datagram, id);
        let at = u32::from(self.skb(no).network_header);
        self.write_header(
            no,
            at,
            &header,
            Layer::Ipv4,
            ipv4_label(&header),
            "__ip_make_skb",
        );
        self.label_transport(
            no,
            at,
            &Datagram {
                payload,
                ..*datagram
            },
        );
        while !rest.is_empty() {
            let size = match rest.len() > space {
                true => space & !7,
                false => rest.len(),
            };
            let (part, behind) = rest.split_at(size);
            rest = behind;
            self.ip_append_part(no, route, part, datagram.writer)?;
        }
        Ok(no)
    }

    /// One packet of `__ip_append_data()`: `len` bytes behind room for an IP header (`alloclen = fraglen + hh_len + 15`).
    fn ip_append_skb(&mut self, route: Route, len: u32) -> Run<SkbNo> {
        // SKB_MAX_ALLOC: SKB_MAX_ORDER(0, 2)
        const SKB_MAX_ALLOC: u32 = (PAGE_SIZE << 2) - SHARED_INFO_SIZE;
        let device = self.topology.dev(route.dev);
        let (name, hh_len) = (device.name.clone(), device.ll_reserved_space());
        let len = ipv4::HLEN + len;
        if len + hh_len + 15 >= SKB_MAX_ALLOC && self.dev_features(route.dev) & feature::SG != 0 {
            return not_covered(format!(
                "__ip_append_data: {len} bytes to `{name}` in page fragments"
            ));
        }
        let no = self.alloc_skb(len + hh_len + 15);
        let skb = self.skb_mut(no);
        skb.reserve(hh_len);
        skb.put(len);
        skb.reset_network_header();
        skb.transport_header = skb.network_header + ipv4::HLEN as u16;
        Ok(no)
    }

    /// What of a datagram does not fit into the first packet, as `__ip_make_skb()` leaves it.
    fn ip_append_part(
        &mut self,
        no: SkbNo,
        route: Route,
        part: &[u8],
        writer: &'static str,
    ) -> Run<()> {
        let member = self.ip_append_skb(route, part.len() as u32)?;
        self.skb_mut(member).pull(ipv4::HLEN)?;
        let (at, label) = (self.skb(member).data, "payload".to_owned());
        self.write_header(member, at, part, Layer::Payload, label, writer);
        let skb = self.skb_mut(no);
        skb.len += part.len() as u32;
        skb.data_len += part.len() as u32;
        let head = skb.head;
        self.buffers.frag_list_mut(head).push(member);
        Ok(())
    }

    /// Writes what stands behind the IP header, each part under its own name.
    fn label_transport(&mut self, no: SkbNo, at: u32, datagram: &Datagram<'_>) {
        let mut packet = ip_header(datagram, 0).to_vec();
        packet.extend_from_slice(datagram.payload);
        for part in dissect(&packet, Start::Ipv4).parts.iter().skip(1) {
            let bytes = &packet[part.start..part.start + part.len];
            self.write_header(
                no,
                at + part.start as u32,
                bytes,
                part.layer,
                part.label.clone(),
                datagram.writer,
            );
        }
    }

    /// `ip_send_skb()`.
    pub(super) fn ip_send_skb(&mut self, no: SkbNo) -> Run<i64> {
        self.skb_mut(no).from_socket = true;
        self.traced("ip_send_skb", FILE, no, |k| k.ip_local_out(no))
    }

    /// `ip_local_out()`.
    pub(super) fn ip_local_out(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip_local_out", FILE, no, |k| {
            let passed = k.traced("__ip_local_out", FILE, no, |k| {
                k.ip_send_check(no);
                k.skb_mut(no).protocol = ethernet::P_IP;
                let out = k.skb(no).dst.map(|route| route.dev);
                k.nf_hook(no, NfState::ipv4(NfHook::LocalOut, None, out))
            })?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.dst_output(no)
        })
    }

    /// `iph_set_totlen()` and `ip_send_check()`: length and checksum of the header.
    fn ip_send_check(&mut self, no: SkbNo) {
        let skb = self.skb(no);
        let (head, at, len) = (skb.head, u32::from(skb.network_header), skb.len as u16);
        self.buffers.complete(head, at, at + 2, &len.to_be_bytes());
        self.buffers.complete(head, at, at + 10, &[0, 0]);
        let ihl = u32::from(self.bytes(no, at, 1).first().copied().unwrap_or(0) & 0x0f) * 4;
        let check = checksum::internet(self.bytes(no, at, ihl));
        self.buffers
            .complete(head, at, at + 10, &check.to_be_bytes());
    }

    /// `ip_output()`: the output device is the route's.
    pub(super) fn ip_output(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("ip_output", FILE, no, |k| {
            let Some(route) = k.skb(no).dst else {
                return not_covered("ip_output of a packet without route");
            };
            let skb = k.skb_mut(no);
            let input = skb.dev.replace(route.dev);
            skb.protocol = ethernet::P_IP;
            let state = NfState::ipv4(NfHook::PostRouting, input, Some(route.dev));
            let passed = k.nf_hook(no, state)?;
            if passed != NF_ACCEPTED {
                return Ok(passed);
            }
            k.traced("ip_finish_output", FILE, no, |k| {
                let more = match k.cgroup_egress(no)? {
                    Ok(more) => more,
                    Err(ret) => return Ok(ret),
                };
                let sent = k.traced("__ip_finish_output", FILE, no, |k| {
                    let (daddr, forwarded) = (k.ip_hdr_addr(no, 16), k.skb(no).forwarded);
                    let mtu = k.ipv4_mtu(&route, daddr, forwarded);
                    if k.skb_is_gso(no) {
                        return k.ip_finish_output_gso(no, route, mtu);
                    }
                    if k.skb(no).len > mtu {
                        return k.ip_fragment(no, route, mtu);
                    }
                    k.ip_finish_output2(no, route)
                })?;
                Ok(if sent == 0 { more } else { sent })
            })
        })
    }

    /// `ip_fragment()`: with DF set the sender is told, and the packet dropped.
    pub(super) fn ip_fragment(&mut self, no: SkbNo, route: Route, mtu: u32) -> Run<i64> {
        let at = u32::from(self.skb(no).network_header);
        if be16(self.bytes(no, at + 6, 2), 0) & ipv4::DF != 0 {
            self.icmp_send_info(no, icmp::DEST_UNREACH, icmp::FRAG_NEEDED, mtu)?;
            self.kfree_skb(no, drop_reason::PKT_TOO_BIG)?;
            return Ok(EMSGSIZE);
        }
        self.ip_do_fragment(no, route, mtu)
    }

    /// `ip_finish_output2()`: room for the link header, then to the neighbour.
    pub(super) fn ip_finish_output2(&mut self, no: SkbNo, route: Route) -> Run<i64> {
        self.traced("ip_finish_output2", FILE, no, |k| {
            let out = k.topology.dev(route.dev);
            let room = out.ll_reserved_space();
            if out.has_header_ops() && k.skb(no).headroom() < room {
                k.skb_expand_head(no, room)?;
            }
            let next_hop = route.via.unwrap_or_else(|| k.ip_hdr_addr(no, 16)).into();
            if let Some(encap) = route.encap.filter(|encap| encap.has_xmit()) {
                let ret = k.lwtunnel_xmit(no, route.dev, encap, next_hop)?;
                if ret != LWTUNNEL_XMIT_CONTINUE {
                    return Ok(ret);
                }
            }
            k.neigh_output(no, route.dev, next_hop)
        })
    }
}

/// The header as `__ip_make_skb()` builds it: length and checksum follow in `__ip_local_out()`.
fn ip_header(datagram: &Datagram<'_>, id: u16) -> [u8; ipv4::HLEN as usize] {
    let mut header = [0; ipv4::HLEN as usize];
    header[0] = 0x45;
    header[1] = datagram.tos;
    header[4..6].copy_from_slice(&id.to_be_bytes());
    let frag_off = if datagram.df { ipv4::DF } else { 0 };
    header[6..8].copy_from_slice(&frag_off.to_be_bytes());
    header[8] = datagram.ttl;
    header[9] = datagram.protocol;
    header[12..16].copy_from_slice(&datagram.saddr.octets());
    header[16..20].copy_from_slice(&datagram.daddr.octets());
    header
}
