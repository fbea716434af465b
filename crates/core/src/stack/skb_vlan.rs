//! A VLAN tag, beside the packet (`skb->vlan_tci`) or in it: `skb_vlan_push()`, `skb_vlan_pop()`
//! (`net/core/skbuff.c`) and what they need of `include/linux/if_vlan.h`.

use super::vlan::encapsulated;
use super::{Kernel, Run};
use crate::net::dissect::be16;
use crate::net::{ethernet, vlan};
use crate::skb::NOT_SET;
use crate::trace::{Layer, SkbNo};
use crate::xdp::EINVAL;

const FILE: &str = "net/core/skbuff.c";
/// `VLAN_ETH_HLEN`.
const VLAN_ETH_HLEN: u32 = 18;
/// `2 * ETH_ALEN`: the two MAC addresses, which go in front of a tag.
const ADDRESSES: u32 = 12;

impl Kernel {
    /// `skb_vlan_push()`: the tag goes beside the packet; one that is there already goes into the packet.
    pub(super) fn skb_vlan_push(&mut self, no: SkbNo, proto: u16, tci: u16) -> Run<i64> {
        self.traced("skb_vlan_push", FILE, no, |k| {
            let skb = k.skb(no);
            if skb.vlan_present {
                if k.off_mac_header(no, "skb_vlan_push") {
                    return Ok(EINVAL);
                }
                let skb = k.skb(no);
                let (old_proto, old_tci) = (skb.vlan_proto, skb.vlan_tci);
                let err = k.__vlan_insert_tag(no, old_proto, old_tci)?;
                if err != 0 {
                    return Ok(err);
                }
                let skb = k.skb_mut(no);
                skb.protocol = old_proto;
                skb.network_header = skb.network_header.wrapping_sub(vlan::HLEN as u16);
                let at = skb.data + ADDRESSES;
                k.skb_postpush_rcsum(no, at, vlan::HLEN, 0);
            }
            k.skb_mut(no).put_vlan_tag(proto, tci);
            Ok(0)
        })
    }

    /// `skb_vlan_pop()`: the tag beside the packet goes, else the one in it; the next one in the packet then
    /// goes beside it.
    pub(super) fn skb_vlan_pop(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("skb_vlan_pop", FILE, no, |k| {
            if k.skb(no).vlan_present {
                k.skb_mut(no).clear_vlan_tag();
            } else if vlan::is_vlan(k.skb(no).protocol) {
                if let Err(error) = k.__skb_vlan_pop(no)? {
                    return Ok(error);
                }
            } else {
                return Ok(0);
            }
            let proto = k.skb(no).protocol;
            if !vlan::is_vlan(proto) {
                return Ok(0);
            }
            match k.__skb_vlan_pop(no)? {
                Ok(tci) => {
                    k.skb_mut(no).put_vlan_tag(proto, tci);
                    Ok(0)
                }
                Err(error) => Ok(error),
            }
        })
    }

    /// `__skb_vlan_pop()`: takes the tag out of the packet; gives its TCI.
    pub(super) fn __skb_vlan_pop(&mut self, no: SkbNo) -> Run<Result<u16, i64>> {
        let mut tci = 0;
        let err = self.traced("__skb_vlan_pop", FILE, no, |k| {
            if k.off_mac_header(no, "__skb_vlan_pop") {
                return Ok(EINVAL);
            }
            let err = k.skb_ensure_writable(no, VLAN_ETH_HLEN)?;
            if err != 0 {
                return Ok(err);
            }
            let at = k.skb(no).data + ADDRESSES;
            k.skb_postpull_rcsum(no, at, vlan::HLEN);
            tci = k.vlan_remove_tag(no)?;
            let skb = k.skb_mut(no);
            skb.mac_header = skb.mac_header.wrapping_add(vlan::HLEN as u16);
            if skb.network_offset() < ethernet::HLEN as i32 {
                skb.set_network_header(ethernet::HLEN);
            }
            skb.reset_mac_len();
            Ok(0)
        })?;
        Ok(if err == 0 { Ok(tci) } else { Err(err) })
    }

    /// `vlan_remove_tag()`: the addresses, and metadata in front of them, move 4 bytes up.
    fn vlan_remove_tag(&mut self, no: SkbNo) -> Run<u16> {
        let at = self.skb(no).data + ADDRESSES;
        let tag = self.bytes(no, at + 2, vlan::HLEN + 2).to_vec();
        self.skb_mut(no).protocol = encapsulated(&tag);
        self.skb_mut(no).pull(vlan::HLEN)?;
        self.skb_postpull_data_move(no, vlan::HLEN, ADDRESSES)?;
        Ok(be16(&tag, 0))
    }

    /// `__vlan_insert_tag()`: the tag goes into the packet behind the addresses, which move 4 bytes down, and
    /// metadata in front of them too.
    pub(super) fn __vlan_insert_tag(&mut self, no: SkbNo, proto: u16, tci: u16) -> Run<i64> {
        self.__vlan_insert_inner_tag(no, proto, tci, ethernet::HLEN)
    }

    /// `__vlan_insert_inner_tag()`: the same behind a link header of `mac_len` bytes, tags that it has included; 14 at least.
    pub(super) fn __vlan_insert_inner_tag(
        &mut self,
        no: SkbNo,
        proto: u16,
        tci: u16,
        mac_len: u32,
    ) -> Run<i64> {
        const ETH_TLEN: u32 = 2;
        let moved = mac_len - ETH_TLEN;
        if !self.pskb_may_pull(no, mac_len)? {
            return Ok(EINVAL);
        }
        let meta_len = self.room_for_metadata(no);
        self.skb_cow_head(no, meta_len + vlan::HLEN)?;
        self.skb_mut(no).push(vlan::HLEN)?;
        self.skb_postpush_data_move(no, vlan::HLEN, moved)?;
        let skb = self.skb_mut(no);
        if skb.mac_header != NOT_SET {
            skb.mac_header = skb.mac_header.wrapping_sub(vlan::HLEN as u16);
        }
        let (head, at) = (skb.head, skb.data + moved);
        let inner_type = self.bytes(no, at + vlan::HLEN, 2).to_vec();
        let tag = [tci.to_be_bytes().to_vec(), inner_type].concat();
        self.buffers.patch(head, at, &proto.to_be_bytes());
        let label = format!("VLAN tag {}", tci & vlan::VID_MASK);
        let (layer, writer) = (Layer::Vlan, "__vlan_insert_inner_tag");
        self.write_header(no, at + 2, &tag, layer, label, writer);
        Ok(0)
    }

    /// Both functions refuse a packet whose `data` is not at the MAC header, with a warning.
    fn off_mac_header(&mut self, no: SkbNo, function: &str) -> bool {
        let skb = self.skb(no);
        let offset = skb.data as i32 - i32::from(skb.mac_header);
        if offset != 0 {
            self.warn_once(&format!(
                "{function} got skb with skb->data not at mac header (offset {offset})"
            ));
        }
        offset != 0
    }
}
