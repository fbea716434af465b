//! Cutting packets in tunnels: `net/ipv4/gre_offload.c`, `net/ipv4/udp_offload.c`, `net/mpls/mpls_gso.c`.

use super::features::CSUM_MANGLED_0;
use super::gso::{GsoCb, Segmented};
use super::{Kernel, Run};
use crate::net::dissect::be16;
use crate::net::{checksum, gre, mpls, udp};
use crate::skb::feature::HW_CSUM;
use crate::skb::{CHECKSUM_PARTIAL, Features, gso};
use crate::trace::SkbNo;

/// The packet as it was, of which each segment gets back what it had outside.
#[derive(Debug, Clone, Copy)]
struct Around {
    protocol: u16,
    mac_header: u16,
    mac_len: u16,
    /// The tunnel's own header, bytes.
    tnl_hlen: u32,
    /// All headers in front of the inner frame or packet, bytes.
    outer_hlen: u32,
    /// The outer checksum is to be filled in.
    need_csum: bool,
    /// The device may do that.
    offload_csum: bool,
}

impl Kernel {
    /// `skb_gso_error_unwind()`: the packet as it was before the tunnel's header was passed.
    fn skb_gso_error_unwind(&mut self, no: SkbNo, around: &Around) -> Run<()> {
        let skb = self.skb_mut(no);
        skb.protocol = around.protocol;
        skb.encapsulation = true;
        skb.push(around.tnl_hlen)?;
        skb.reset_transport_header();
        skb.mac_header = around.mac_header;
        skb.network_header = around.mac_header + around.mac_len;
        skb.mac_len = around.mac_len;
        Ok(())
    }

    /// What is inside becomes the packet.
    fn gso_go_inside(&mut self, no: SkbNo, cb: &mut GsoCb, tnl_hlen: u32) -> Run<()> {
        cb.encap_level = 0;
        let skb = self.skb_mut(no);
        skb.encapsulation = false;
        skb.pull(tnl_hlen)?;
        skb.reset_mac_header();
        skb.network_header = skb.inner_network_header;
        skb.mac_len = skb.inner_network_header.wrapping_sub(skb.data as u16);
        Ok(())
    }

    fn around(&self, no: SkbNo, csum_type: u32) -> Around {
        let skb = self.skb(no);
        let gso_type = self.buffers.get(skb.head).shinfo.gso_type;
        let need_csum = gso_type & csum_type != 0;
        let sums = skb
            .dev
            .is_some_and(|dev| self.dev_features(dev) & HW_CSUM != 0);
        Around {
            protocol: skb.protocol,
            mac_header: skb.mac_header,
            mac_len: skb.mac_len,
            tnl_hlen: u32::from(skb.inner_mac_header.wrapping_sub(skb.transport_header)),
            outer_hlen: 0,
            need_csum,
            offload_csum: need_csum && sums,
        }
    }

    /// A segment gets the headers outside back.
    fn gso_go_outside(&mut self, segment: SkbNo, around: &Around) -> Run<()> {
        let skb = self.skb_mut(segment);
        if skb.ip_summed == CHECKSUM_PARTIAL {
            skb.reset_inner_headers();
            skb.encapsulation = true;
        }
        skb.mac_len = around.mac_len;
        skb.protocol = around.protocol;
        skb.push(around.outer_hlen)?;
        skb.reset_mac_header();
        skb.set_network_header(u32::from(around.mac_len));
        skb.transport_header = (skb.data + around.outer_hlen - around.tnl_hlen) as u16;
        Ok(())
    }

    /// The outer checksum is left to the device, where it has no inner one to do.
    fn gso_offload_csum(&mut self, segment: SkbNo, offset: u32) {
        let skb = self.skb_mut(segment);
        skb.ip_summed = CHECKSUM_PARTIAL;
        skb.csum_start = skb.transport_header;
        skb.csum_offset = offset as u16;
    }

    /// What both kinds of tunnel do with the packet inside: it is cut, and the headers around are as long as they were; or
    /// nothing came of it.
    fn gso_segment_inside(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
        around: &mut Around,
    ) -> Run<Segmented> {
        let features = features & self.features_inside(no);
        let result = self.skb_mac_gso_segment(no, cb, features)?;
        match &result {
            Segmented::Into(_) => around.outer_hlen = self.skb_tnl_header_len(no, cb),
            _ => self.skb_gso_error_unwind(no, around)?,
        }
        Ok(result)
    }

    /// `gre_gso_segment()`.
    pub(super) fn gre_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        let mut around = self.around(no, gso::GRE_CSUM);
        let inside = self.skb(no).encapsulation && around.tnl_hlen >= gre::BASE_HLEN;
        if !inside || !self.pskb_may_pull(no, around.tnl_hlen)? {
            return Ok(Segmented::Failed);
        }
        self.gso_go_inside(no, cb, around.tnl_hlen)?;
        let skb = self.skb_mut(no);
        skb.protocol = skb.inner_protocol;
        let result = self.gso_segment_inside(no, cb, features, &mut around)?;
        let Segmented::Into(list) = &result else {
            return Ok(result);
        };
        for segment in list.iter().copied() {
            self.gso_go_outside(segment, &around)?;
            if !around.need_csum {
                continue;
            }
            let skb = self.skb(segment);
            let (head, at) = (skb.head, u32::from(skb.transport_header) + gre::BASE_HLEN);
            let encapsulation = skb.encapsulation;
            self.buffers.patch(head, at, &[0; 4]);
            if encapsulation || !around.offload_csum {
                let check = self.gso_make_checksum(segment).to_be_bytes();
                self.buffers.patch(head, at, &check);
            } else {
                self.gso_offload_csum(segment, gre::BASE_HLEN);
            }
        }
        Ok(result)
    }

    /// `udp4_ufo_fragment()` and `udp6_ufo_fragment()`: of what they cut, only tunnels are here; datagrams are merged only
    /// where somebody asks for it (`UDP_GRO`, `NETIF_F_GRO_UDP_FWD`).
    pub(super) fn udp_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        let gso_type = self.buffers.get(self.skb(no).head).shinfo.gso_type;
        let tunnel = gso_type & (gso::UDP_TUNNEL | gso::UDP_TUNNEL_CSUM) != 0;
        match self.skb(no).encapsulation && tunnel {
            true => self.skb_udp_tunnel_segment(no, cb, features),
            false => Ok(Segmented::Failed),
        }
    }

    /// `skb_udp_tunnel_segment()` of frames in UDP (`ENCAP_TYPE_ETHER`).
    fn skb_udp_tunnel_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        let mut around = self.around(no, gso::UDP_TUNNEL_CSUM);
        if !self.pskb_may_pull(no, around.tnl_hlen)? {
            return Ok(Segmented::Failed);
        }
        let skb = self.skb(no);
        let (len, inner_transport) = (skb.len, skb.inner_transport_header);
        let at = u32::from(skb.transport_header) + udp::CHECK;
        let check = be16(self.bytes(no, at, 2), 0);
        self.gso_go_inside(no, cb, around.tnl_hlen)?;
        let skb = self.skb_mut(no);
        skb.transport_header = inner_transport;
        skb.protocol = skb.inner_protocol;
        let result = self.gso_segment_inside(no, cb, features, &mut around)?;
        let Segmented::Into(list) = &result else {
            return Ok(result);
        };
        for segment in list.iter().copied() {
            self.gso_go_outside(segment, &around)?;
            self.udp_complete_segment(segment, &around, (check, len));
        }
        Ok(result)
    }

    /// Length and checksum of a segment's outer UDP header; `check` and `old_len` are those of the whole.
    fn udp_complete_segment(
        &mut self,
        segment: SkbNo,
        around: &Around,
        (check, old_len): (u16, u32),
    ) {
        let skb = self.skb(segment);
        let (head, at) = (skb.head, u32::from(skb.transport_header));
        let encapsulation = skb.encapsulation;
        let len = skb.data + skb.len - at;
        self.buffers
            .patch(head, at + 4, &(len as u16).to_be_bytes());
        if !around.need_csum {
            return;
        }
        let place = at + udp::CHECK;
        let check = checksum::add(check, (!old_len).wrapping_add(len));
        self.buffers.patch(head, place, &check.to_be_bytes());
        if encapsulation || !around.offload_csum {
            let check = match self.gso_make_checksum(segment) {
                0 => CSUM_MANGLED_0,
                check => check,
            };
            self.buffers.patch(head, place, &check.to_be_bytes());
        } else {
            self.gso_offload_csum(segment, udp::CHECK);
        }
    }

    /// `mpls_gso_segment()`: the labels are the same on every segment.
    pub(super) fn mpls_gso_segment(
        &mut self,
        no: SkbNo,
        cb: &mut GsoCb,
        features: Features,
    ) -> Run<Segmented> {
        let skb = self.skb_mut(no);
        skb.reset_network_header();
        let before = self.skb(no).clone();
        // skb_inner_network_header_was_set()
        let hlen = before
            .inner_network_header
            .wrapping_sub(before.network_header);
        let labels = u32::from(hlen);
        let fits = labels > 0 && labels.is_multiple_of(mpls::HLEN);
        if before.inner_network_header == 0 || !fits || !self.pskb_may_pull(no, labels)? {
            return Ok(Segmented::Failed);
        }
        let skb = self.skb_mut(no);
        skb.protocol = skb.inner_protocol;
        skb.pull(labels)?;
        skb.mac_len = 0;
        skb.reset_mac_header();
        let features = features & self.features_behind_labels(no);
        let result = self.skb_mac_gso_segment(no, cb, features)?;
        let around = Around {
            protocol: before.protocol,
            mac_header: before.mac_header,
            mac_len: before.mac_len,
            tnl_hlen: labels,
            outer_hlen: labels + u32::from(before.mac_len),
            need_csum: false,
            offload_csum: false,
        };
        let Segmented::Into(list) = &result else {
            self.skb_gso_error_unwind(no, &around)?;
            return Ok(result);
        };
        for segment in list.iter().copied() {
            let skb = self.skb_mut(segment);
            skb.mac_len = before.mac_len;
            skb.protocol = before.protocol;
            skb.inner_network_header = skb.data as u16;
            skb.push(around.outer_hlen)?;
            skb.reset_mac_header();
            skb.set_network_header(u32::from(before.mac_len));
        }
        Ok(result)
    }
}
