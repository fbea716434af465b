//! `validate_xmit_skb()` and `skb_checksum_help()` (`net/core/dev.c`).

use super::gso::Segmented;
use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::checksum;
use crate::net::vlan;
use crate::skb::feature::{FRAGLIST, HW_CSUM, HW_VLAN_CTAG_TX, HW_VLAN_STAG_TX, SG};
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL, Features};
use crate::trace::SkbNo;

const FILE: &str = "net/core/dev.c";
/// `CSUM_MANGLED_0`: in UDP a checksum of 0 says that there is none.
pub(super) const CSUM_MANGLED_0: u16 = 0xffff;

/// `vlan_hw_offload_capable()` (`include/linux/if_vlan.h`): whether the device writes such a tag into the frame itself.
fn vlan_hw_offload_capable(features: Features, proto: u16) -> bool {
    let wanted = match proto {
        vlan::P_8021Q => HW_VLAN_CTAG_TX,
        vlan::P_8021AD => HW_VLAN_STAG_TX,
        _ => return false,
    };
    features & wanted != 0
}

/// What is sent of a packet that was given to a device.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Xmit {
    /// The packet itself.
    Whole,
    /// What it was cut into; itself it is gone.
    Segments(Vec<SkbNo>),
    /// Nothing: it was dropped.
    Nothing,
}

impl Kernel {
    /// `validate_xmit_skb()`: does in software what the device can't.
    pub(super) fn validate_xmit_skb(&mut self, no: SkbNo) -> Run<Xmit> {
        let mut xmit = Xmit::Whole;
        self.traced("validate_xmit_skb", FILE, no, |k| {
            let Some(dev) = k.skb(no).dev else {
                return not_covered("validate_xmit_skb of a packet without device");
            };
            let features = k.netif_skb_features(no, dev);
            if k.skb(no).vlan_present && !vlan_hw_offload_capable(features, k.skb(no).vlan_proto) {
                k.vlan_hwaccel_push_inside(no)?;
            }
            if k.netif_needs_gso(no, features) {
                xmit = k.gso_for_device(no, features)?;
            } else {
                k.prepare_for_device(no, features)?;
            }
            Ok(match &xmit {
                Xmit::Whole => Some(no),
                Xmit::Segments(list) => list.first().copied(),
                Xmit::Nothing => None,
            })
        })?;
        Ok(xmit)
    }

    /// The part of `validate_xmit_skb()` about a packet that the device does not cut itself.
    fn gso_for_device(&mut self, no: SkbNo, features: Features) -> Run<Xmit> {
        match self.skb_gso_segment(no, features)? {
            Segmented::Not => Ok(Xmit::Whole),
            Segmented::Into(list) => {
                self.consume_skb(no)?;
                Ok(Xmit::Segments(list))
            }
            Segmented::Failed => {
                self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                Ok(Xmit::Nothing)
            }
        }
    }

    /// The same about one that it takes as it is, but for fragments (`skb_needs_linearize()`) and a checksum
    /// (`skb_csum_hwoffload_help()`).
    fn prepare_for_device(&mut self, no: SkbNo, features: Features) -> Run<()> {
        let skb = self.skb(no);
        if skb.data_len > 0 {
            let buffer = self.buffers.get(skb.head);
            let listed = !buffer.frag_list.is_empty() && features & FRAGLIST == 0;
            if listed || (!buffer.frags.is_empty() && features & SG == 0) {
                self.skb_linearize(no)?;
            }
        }
        let skb = self.skb_mut(no);
        if skb.ip_summed != CHECKSUM_PARTIAL {
            return Ok(());
        }
        if skb.encapsulation {
            skb.inner_transport_header = skb.csum_start;
        } else {
            skb.transport_header = skb.csum_start;
        }
        if features & HW_CSUM == 0 {
            self.skb_checksum_help(no)?;
        }
        Ok(())
    }

    /// `skb_checksum_help()`: finishes the checksum in software.
    pub(super) fn skb_checksum_help(&mut self, no: SkbNo) -> Run<()> {
        self.traced("skb_checksum_help", FILE, no, |k| {
            let skb = k.skb(no);
            let start = u32::from(skb.csum_start);
            let at = start + u32::from(skb.csum_offset);
            let len = (skb.data + skb.len).saturating_sub(start);
            let check = match !checksum::sum(&k.bytes_from_head(no, start, len), 0) {
                0 => CSUM_MANGLED_0,
                check => check,
            };
            let writable = at + 2 - skb.data;
            let err = k.skb_ensure_writable(no, writable)?;
            if err != 0 {
                return Ok(err);
            }
            let at = u32::from(k.skb(no).csum_start) + u32::from(k.skb(no).csum_offset);
            let head = k.skb(no).head;
            k.buffers.patch(head, at, &check.to_be_bytes());
            k.skb_mut(no).ip_summed = CHECKSUM_NONE;
            Ok(0)
        })?;
        Ok(())
    }

    /// `lco_csum()` (`include/net/checksum.h`): the sum from the transport header on, where a device is
    /// still to fill in the inner checksum. Not inverted.
    pub(super) fn lco_csum(&self, no: SkbNo, from: u32) -> u16 {
        let skb = self.skb(no);
        let start = u32::from(skb.csum_start);
        let seed = self.bytes(no, start + u32::from(skb.csum_offset), 2);
        let partial = !crate::net::dissect::be16(seed, 0);
        checksum::sum(self.bytes(no, from, start.saturating_sub(from)), partial)
    }
}
