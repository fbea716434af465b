//! `net/core/gso.c`: how long the packets are that a merged one stands for, and how it is cut into them again.
//!
//! The way through the headers begins here; IP is in `gso_ip`, TCP in `gso_tcp`, tunnels are in `gso_tunnel`. Each of them
//! goes past its header, lets the next one cut, and completes its own header in every segment. `skb_segment` makes the
//! segments.
//!
//! What becomes of metadata (recorded for fresh segments, else *derived*): `skb_segment()` copies headers from the outermost one on (`skb_tnl_header_len()`
//! bytes in front of the MAC header that is innermost), and nothing in front of that; a segment in a fresh buffer has a
//! fresh shared info, whose length of metadata is 0. So designs that keep metadata in front of the packet lose them, with
//! the one exception that is told at [`super::skb_segment`].

use super::{Kernel, Run};
use crate::net::{ethernet, mpls};
use crate::scenario::topology::DevId;
use crate::skb::{
    CHECKSUM_PARTIAL, CHECKSUM_UNNECESSARY, Features, feature::FRAGLIST, gso, net_gso_ok,
};
use crate::trace::SkbNo;

const FILE: &str = "net/core/gso.c";

/// What a function that cuts packets returns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segmented {
    /// NULL: the packet need not be cut; its headers were looked at.
    Not,
    /// The segments. The packet itself is still there.
    Into(Vec<SkbNo>),
    /// An error: the packet is to be dropped.
    Failed,
}

impl Segmented {
    /// The first segment, as a trace shows what was returned.
    pub fn first(&self) -> Option<SkbNo> {
        match self {
            Self::Into(list) => list.first().copied(),
            Self::Not | Self::Failed => None,
        }
    }
}

/// `SKB_GSO_CB()`: what is known of the packet on its way through the headers.
#[derive(Debug)]
pub(super) struct GsoCb {
    /// Headroom in front of the outermost header, bytes.
    pub mac_offset: u32,
    /// IP headers passed, bytes.
    pub encap_level: u32,
    /// IP headers passed, in number.
    pub recursion_counter: u32,
}

impl Kernel {
    /// `skb_is_gso()`.
    pub(super) fn skb_is_gso(&self, no: SkbNo) -> bool {
        self.buffers.get(self.skb(no).head).shinfo.gso_size != 0
    }

    /// `skb_gso_ok()`: the device cuts it itself.
    pub(super) fn skb_gso_ok(&self, no: SkbNo, features: Features) -> bool {
        let buffer = self.buffers.get(self.skb(no).head);
        net_gso_ok(features, buffer.shinfo.gso_type)
            && (buffer.frag_list.is_empty() || features & FRAGLIST != 0)
    }

    /// `netif_needs_gso()`.
    pub(super) fn netif_needs_gso(&self, no: SkbNo, features: Features) -> bool {
        self.skb_is_gso(no) && (!self.skb_gso_ok(no, features) || self.skb_needs_check(no))
    }

    /// `skb_needs_check()`, when sending: the checksum is not left to a device.
    fn skb_needs_check(&self, no: SkbNo) -> bool {
        !matches!(
            self.skb(no).ip_summed,
            CHECKSUM_PARTIAL | CHECKSUM_UNNECESSARY
        )
    }

    /// `skb_gso_network_seglen()`: the length of one segment, from its IP header on.
    fn skb_gso_network_seglen(&self, no: SkbNo) -> u32 {
        let skb = self.skb(no);
        let shinfo = self.buffers.get(skb.head).shinfo;
        let tcp = shinfo.gso_type & gso::TCP != 0;
        let tcp_hdrlen = |at: u16| {
            let doff = self.bytes(no, u32::from(at) + 12, 1).first().copied();
            u32::from(doff.unwrap_or(0) >> 4) * 4
        };
        // skb_gso_transport_seglen()
        let mut thlen = 0;
        let mut innermost = skb.transport_header;
        if skb.encapsulation {
            thlen = u32::from(
                skb.inner_transport_header
                    .wrapping_sub(skb.transport_header),
            );
            innermost = skb.inner_transport_header;
        }
        if tcp {
            thlen += tcp_hdrlen(innermost);
        }
        let hdr_len = skb.transport_header.wrapping_sub(skb.network_header);
        u32::from(hdr_len) + thlen + u32::from(shinfo.gso_size)
    }

    /// `skb_gso_validate_network_len()`: whether the segments fit into an MTU.
    pub(super) fn skb_gso_validate_network_len(&self, no: SkbNo, mtu: u32) -> bool {
        self.skb_gso_network_seglen(no) <= mtu
    }

    /// Whether the packet is longer than the MTU, as it is or when it is cut (`ip_exceeds_mtu()`, `ip6_pkt_too_big()`,
    /// `mpls_pkt_too_big()`).
    pub(super) fn exceeds_mtu(&self, no: SkbNo, mtu: u32) -> bool {
        self.skb(no).len > mtu
            && !(self.skb_is_gso(no) && self.skb_gso_validate_network_len(no, mtu))
    }

    /// `skb_gso_segment()` with the features of the device but for those of segmentation: it is cut in any case.
    pub(super) fn skb_gso_segment_here(&mut self, no: SkbNo, dev: DevId) -> Run<Segmented> {
        let features = self.netif_skb_features(no, dev) & !crate::skb::feature::GSO_MASK;
        self.skb_gso_segment(no, features)
    }

    /// `__skb_gso_segment()` on the way out. (`NETIF_F_GSO_PARTIAL` is off where nobody asks for it.)
    pub(super) fn skb_gso_segment(&mut self, no: SkbNo, features: Features) -> Run<Segmented> {
        let mut result = Segmented::Failed;
        self.traced("__skb_gso_segment", FILE, no, |k| {
            if k.skb_needs_check(no) {
                // the checksum in the header is going to be written
                k.skb_cow_head(no, 0)?;
            }
            let mut cb = GsoCb {
                mac_offset: k.skb(no).headroom(),
                encap_level: 0,
                recursion_counter: 0,
            };
            let skb = k.skb_mut(no);
            skb.reset_mac_header();
            skb.reset_mac_len();
            result = k.skb_mac_gso_segment(no, &mut cb, features)?;
            Ok(result.first())
        })?;
        Ok(result)
    }

    /// `skb_mac_gso_segment()`: past the link header, and to the protocol behind it.
    pub(super) fn skb_mac_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        let mut result = Segmented::Failed;
        self.traced("skb_mac_gso_segment", FILE, no, |k| {
            let (protocol, depth) = k.skb_network_protocol(no);
            k.skb_mut(no).pull(depth)?;
            result = match protocol {
                ethernet::P_IP => k.inet_gso_segment(no, cb, features)?,
                ethernet::P_IPV6 => k.ipv6_gso_segment(no, cb, features)?,
                mpls::P_MPLS_UC => k.mpls_gso_segment(no, cb, features)?,
                _ => Segmented::Failed,
            };
            let skb = k.skb_mut(no);
            let back = skb.data.saturating_sub(u32::from(skb.mac_header));
            skb.push(back)?;
            Ok(result.first())
        })?;
        Ok(result)
    }

    /// `skb_tnl_header_len()`: what stands in front of the MAC header that is innermost, bytes.
    pub(super) fn skb_tnl_header_len(&self, no: SkbNo, cb: &GsoCb) -> u32 {
        u32::from(self.skb(no).mac_header).saturating_sub(cb.mac_offset)
    }
}
