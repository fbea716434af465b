//! VLAN: `net/8021q/vlan_core.c`, `net/8021q/vlan_dev.c`, and the untagging in `net/core/skbuff.c`.

use super::dev_rx::eth_protocol;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::{ethernet, vlan};
use crate::scenario::command::Mac;
use crate::scenario::topology::{DevId, DeviceKind};
use crate::skb::{NOT_SET, PacketType};
use crate::trace::{Layer, SkbNo};

/// `2 * ETH_ALEN`: the two MAC addresses, behind which a tag stands.
const ADDRESSES: u32 = 12;

/// What `vlan_do_receive()` has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VlanReceived {
    /// The packet is on the VLAN's device now.
    Another,
    /// No device has that VLAN.
    Nobody,
    /// The device is down; the packet is gone.
    Gone,
}

impl Kernel {
    /// `skb_vlan_untag()` (`net/core/skbuff.c`): takes the outermost tag out of the frame and puts it
    /// beside the packet. `data` is behind the Ethernet header.
    pub(super) fn skb_vlan_untag(&mut self, no: SkbNo) -> Run<Option<SkbNo>> {
        self.traced("skb_vlan_untag", "net/core/skbuff.c", no, |k| {
            let skb = k.skb(no);
            if skb.vlan_present {
                return Ok(Some(no));
            }
            if !k.pskb_may_pull(no, vlan::HLEN + 2)? {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                return Ok(None);
            }
            let tag = k.bytes(no, k.skb(no).data, vlan::HLEN + 2).to_vec();
            let skb = k.skb_mut(no);
            skb.put_vlan_tag(skb.protocol, be16(&tag, 0));
            k.skb_pull_rcsum(no, vlan::HLEN)?;
            k.skb_mut(no).protocol = encapsulated(&tag);
            k.skb_reorder_vlan_header(no)?;
            let skb = k.skb_mut(no);
            skb.reset_network_header();
            if skb.transport_header == NOT_SET {
                skb.reset_transport_header();
            }
            skb.reset_mac_len();
            Ok(Some(no))
        })
    }

    /// `skb_reorder_vlan_header()`: the MAC addresses move up over the tag. What becomes of the
    /// metadata in front of them is the design's business.
    fn skb_reorder_vlan_header(&mut self, no: SkbNo) -> Run<()> {
        let headroom = self.skb(no).headroom();
        self.skb_cow_head(no, headroom)?;
        let skb = self.skb(no);
        let (head, mac) = (skb.head, u32::from(skb.mac_header));
        let macs = (skb.data - mac).saturating_sub(vlan::HLEN + 2);
        if macs > 0 {
            self.buffers.memmove(head, mac, mac + vlan::HLEN, macs);
        }
        let meta = self.meta_fields(self.skb(no));
        if let (true, Some(start)) = (self.design.untag_moves_metadata(), meta.start)
            && meta.len > 0
        {
            self.buffers
                .memmove(head, start, start + vlan::HLEN, meta.len);
            self.design
                .moved_to(self.buffers.shinfo_mut(head), start + vlan::HLEN + meta.len);
            self.judge.moved_metadata(head, start, vlan::HLEN as i32);
            self.recorder.trace.cost.metadata_bytes_moved += u64::from(meta.len);
        }
        let skb = self.skb_mut(no);
        skb.mac_header = skb.mac_header.wrapping_add(vlan::HLEN as u16);
        Ok(())
    }

    /// `vlan_do_receive()`: the device of the tag's VLAN gets the packet. Without `VLAN_FLAG_REORDER_HDR`
    /// the tag goes into the frame again, unless a bridge or a MACVLAN is on the device.
    pub(super) fn vlan_do_receive(&mut self, no: SkbNo) -> Run<VlanReceived> {
        let mut gone = false;
        let found = self.traced("vlan_do_receive", "net/8021q/vlan_core.c", no, |k| {
            let Some(dev) = k.vlan_find_dev(no) else {
                return Ok(0);
            };
            if !k.topology.dev(dev).up {
                k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                gone = true;
                return Ok(0);
            }
            let mac = u32::from(k.skb(no).mac_header);
            let for_us = k.bytes(no, mac, 6) == k.topology.dev(dev).mac;
            let skb = k.skb_mut(no);
            skb.dev = Some(dev);
            if skb.pkt_type == PacketType::OtherHost && for_us {
                skb.pkt_type = PacketType::Host;
            }
            let device = k.topology.dev(dev);
            if !device.reorder_hdr && !device.macvlan_port && device.master.is_none() {
                k.vlan_into_frame(no)?;
            }
            let skb = k.skb_mut(no);
            skb.priority = 0;
            skb.clear_vlan_tag();
            Ok(1)
        })?;
        Ok(match found {
            1 => VlanReceived::Another,
            _ if gone => VlanReceived::Gone,
            _ => VlanReceived::Nobody,
        })
    }

    /// The part of `vlan_do_receive()` for a device that has the tag in the frame (`vlan_insert_inner_tag()` from the MAC header on).
    fn vlan_into_frame(&mut self, no: SkbNo) -> Run<()> {
        let skb = self.skb_mut(no);
        let offset = skb.data.saturating_sub(u32::from(skb.mac_header));
        let (protocol, tci) = (skb.vlan_proto, skb.vlan_tci);
        let mac_len = u32::from(skb.mac_len);
        if mac_len < ethernet::HLEN {
            return not_covered(format!(
                "vlan_insert_inner_tag: a link header of {mac_len} bytes"
            ));
        }
        skb.push(offset)?;
        self.__vlan_insert_inner_tag(no, protocol, tci, mac_len)?;
        let skb = self.skb_mut(no);
        skb.pull(offset + vlan::HLEN)?;
        skb.reset_mac_len();
        Ok(())
    }

    /// `vlan_find_dev()`: by device, protocol and id.
    fn vlan_find_dev(&self, no: SkbNo) -> Option<DevId> {
        let skb = self.skb(no);
        let wanted = DeviceKind::Vlan {
            lower: skb.dev?,
            protocol: skb.vlan_proto,
            id: skb.vlan_tci & vlan::VID_MASK,
        };
        self.topology
            .devices
            .iter()
            .position(|dev| dev.kind == wanted)
            .map(DevId)
    }

    /// `vlan_dev_hard_start_xmit()` (`net/8021q/vlan_dev.c`): the tag goes beside the packet, the packet to
    /// the device below, whose answer it gives. A tag that [`Kernel::dev_hard_header`] has written stays as it is.
    pub(super) fn vlan_dev_hard_start_xmit(
        &mut self,
        no: SkbNo,
        lower: DevId,
        protocol: u16,
        id: u16,
    ) -> Run<i64> {
        let file = "net/8021q/vlan_dev.c";
        self.traced("vlan_dev_hard_start_xmit", file, no, |k| {
            let skb = k.skb(no);
            let tagged = |dev| !k.topology.dev(dev).reorder_hdr;
            let type_field = k.bytes(no, skb.data + ADDRESSES, 2);
            let has_tag = skb.dev.is_some_and(tagged) && be16(type_field, 0) == protocol;
            let skb = k.skb_mut(no);
            if !has_tag {
                skb.put_vlan_tag(protocol, id);
            }
            skb.dev = Some(lower);
            k.dev_queue_xmit(no)
        })
    }

    /// `dev_hard_header()`: the Ethernet header of a packet that leaves by `dev`. `vlan_dev_hard_header()` of a device without
    /// `VLAN_FLAG_REORDER_HDR` puts the tag in front of the packet, and the header is one of the tag's protocol.
    pub(super) fn dev_hard_header(&mut self, no: SkbNo, dev: DevId, dest: Mac) -> Run<()> {
        let mut below = dev;
        while let DeviceKind::Vlan {
            lower,
            protocol,
            id,
        } = self.topology.dev(below).kind
        {
            if !self.topology.dev(below).reorder_hdr {
                self.vlan_dev_hard_header(no, below, protocol, id)?;
            }
            below = lower;
        }
        self.eth_header(no, dev, dest)
    }

    fn vlan_dev_hard_header(&mut self, no: SkbNo, dev: DevId, protocol: u16, id: u16) -> Run<()> {
        let device = self.topology.dev(dev);
        let room = device.hard_header_len + device.needed_headroom;
        self.skb_cow_head(no, room)?;
        let skb = self.skb_mut(no);
        skb.push(vlan::HLEN)?;
        let (data, carried) = (skb.data, skb.protocol);
        skb.protocol = protocol;
        let tag = [id.to_be_bytes(), carried.to_be_bytes()].concat();
        let (layer, label) = (Layer::Vlan, format!("VLAN tag {id}"));
        self.write_header(no, data, &tag, layer, label, "vlan_dev_hard_header");
        Ok(())
    }

    /// `__vlan_hwaccel_push_inside()` (`include/linux/if_vlan.h`): the tag beside the packet goes into
    /// the frame, for a device that does not do it itself.
    pub(super) fn vlan_hwaccel_push_inside(&mut self, no: SkbNo) -> Run<()> {
        let skb = self.skb(no);
        let (protocol, tci) = (skb.vlan_proto, skb.vlan_tci);
        self.__vlan_insert_tag(no, protocol, tci)?;
        let skb = self.skb_mut(no);
        skb.protocol = protocol;
        skb.clear_vlan_tag();
        Ok(())
    }
}

/// `vlan_set_encap_proto()`: the type field of the tag, or what a length field there means.
pub(super) fn encapsulated(tag: &[u8]) -> u16 {
    match be16(tag, 2) {
        proto if proto >= ethernet::P_802_3_MIN => proto,
        // IPX over raw 802.3 begins with ffff
        _ if be16(tag, 4) == 0xffff => ethernet::P_802_3,
        length => eth_protocol(&[&[0; 12][..], &length.to_be_bytes()].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::encapsulated;

    /// `vlan_set_encap_proto()` (`include/linux/if_vlan.h`).
    #[test]
    fn what_a_tag_carries() {
        assert_eq!(encapsulated(&[0, 7, 0x08, 0x00, 0x45, 0]), 0x0800);
        assert_eq!(encapsulated(&[0, 7, 0x00, 0x2e, 0xff, 0xff]), 0x0001);
        assert_eq!(encapsulated(&[0, 7, 0x00, 0x2e, 0xaa, 0xaa]), 0x0004);
    }
}
