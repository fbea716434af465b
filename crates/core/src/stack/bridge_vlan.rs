//! `net/bridge/br_vlan.c`: which VLAN a frame is in, and who may have it.

use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::{ethernet, vlan};
use crate::scenario::topology::DevId;
use crate::trace::SkbNo;

const FILE: &str = "net/bridge/br_vlan.c";

impl Kernel {
    /// `br_allowed_ingress()`: `None` when the frame was dropped; `Some(None)` without filtering; else the VLAN. A frame
    /// without a tag gets one beside it, of the VLAN that the port names (pvid). `at` is the port, or the bridge itself.
    pub(super) fn br_allowed_ingress(
        &mut self,
        no: SkbNo,
        bridge: DevId,
        at: DevId,
    ) -> Run<Option<Option<u16>>> {
        let state = self.bridge_of(bridge);
        if !state.vlan_filtering {
            return Ok(Some(None));
        }
        let protocol = state.vlan_protocol;
        let skb = self.skb(no);
        if !skb.vlan_present && skb.protocol == protocol && self.skb_vlan_untag(no)?.is_none() {
            return Ok(None);
        }
        let tagged = self.skb(no).vlan_present && self.skb(no).vlan_proto == protocol;
        if self.skb(no).vlan_present && !tagged {
            // a tag of the other kind goes into the frame, the bridge's own beside it
            self.skb_mut(no).push(ethernet::HLEN)?;
            self.vlan_hwaccel_push_inside(no)?;
            let skb = self.skb_mut(no);
            skb.pull(ethernet::HLEN)?;
            skb.reset_mac_len();
        }
        let vid = if tagged {
            self.skb(no).vlan_tci & vlan::VID_MASK
        } else {
            0
        };
        let group = &self.topology.dev(at).vlans;
        let pvid = group.pvid;
        let allowed = if vid == 0 {
            pvid != 0
        } else {
            group.find(vid).is_some()
        };
        if !allowed {
            self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
            return Ok(None);
        }
        let skb = self.skb_mut(no);
        match (vid, tagged) {
            (0, false) => skb.put_vlan_tag(protocol, pvid),
            // a priority tag keeps its priority
            (0, true) => skb.vlan_tci |= pvid,
            _ => {}
        }
        Ok(Some(Some(if vid == 0 { pvid } else { vid })))
    }

    /// `br_allowed_egress()`: the port, or the bridge itself, is in the VLAN.
    pub(super) fn br_allowed_egress(&self, to: DevId, vid: Option<u16>) -> bool {
        vid.is_none_or(|vid| self.topology.dev(to).vlans.find(vid).is_some())
    }

    /// `br_should_learn()`: the VLAN of a frame that is not let in for forwarding; `None` when there is none.
    pub(super) fn br_should_learn(&self, no: SkbNo, bridge: DevId, port: DevId) -> Option<u16> {
        let state = self.bridge_of(bridge);
        if !state.vlan_filtering {
            return Some(0);
        }
        let (skb, group) = (self.skb(no), &self.topology.dev(port).vlans);
        let tagged = skb.vlan_present && skb.vlan_proto == state.vlan_protocol;
        match skb.vlan_tci & vlan::VID_MASK {
            vid if tagged && vid != 0 => group.find(vid).map(|_| vid),
            _ => Some(group.pvid).filter(|pvid| *pvid != 0),
        }
    }

    /// `br_handle_vlan()`: a VLAN that leaves untagged here loses its tag. `false`: the frame was dropped.
    pub(super) fn br_handle_vlan(&mut self, no: SkbNo, to: DevId, vid: Option<u16>) -> Run<bool> {
        let mut passed = true;
        self.traced("br_handle_vlan", FILE, no, |k| {
            let Some(vid) = vid else {
                return Ok(Some(no));
            };
            match k.topology.dev(to).vlans.find(vid) {
                Some(true) => k.skb_mut(no).clear_vlan_tag(),
                Some(false) => {}
                None if k.bridge_takes_all(to) => {}
                None => {
                    passed = false;
                    k.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
                    return Ok(None);
                }
            }
            Ok(Some(no))
        })?;
        Ok(passed)
    }
}
