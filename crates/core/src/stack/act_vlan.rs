//! `action vlan`: `tcf_vlan_act()` (`net/sched/act_vlan.c`), `skb_eth_push()` and `skb_eth_pop()`
//! (`net/core/skbuff.c`).

use super::tc::act;
use super::{Kernel, Run};
use crate::net::{ethernet, vlan};
use crate::scenario::command::Mac;
use crate::scenario::tc_action::VlanAction;
use crate::trace::{Layer, SkbNo};

const SKBUFF: &str = "net/core/skbuff.c";
/// `-EPROTO`.
const EPROTO: i64 = -71;
/// `VLAN_PRIO_SHIFT`, `VLAN_PRIO_MASK`.
const PRIO_SHIFT: u32 = 13;
const PRIO_MASK: u16 = 0xe000;

impl Kernel {
    /// `tcf_vlan_act()`: with `data` at the MAC header, which at ingress has to be pushed first.
    pub(super) fn tcf_vlan_act(&mut self, no: SkbNo, action: VlanAction, control: i64) -> Run<i64> {
        self.traced("tcf_vlan_act", "net/sched/act_vlan.c", no, |k| {
            let at_ingress = k.skb(no).tc_at_ingress;
            if at_ingress {
                let mac_len = u32::from(k.skb(no).mac_len);
                k.skb_push_rcsum(no, mac_len)?;
            }
            if k.vlan_act(no, action)? != 0 {
                return Ok(act::SHOT);
            }
            if at_ingress {
                let mac_len = u32::from(k.skb(no).mac_len);
                k.skb_pull_rcsum(no, mac_len)?;
            }
            k.skb_mut(no).reset_mac_len();
            Ok(control)
        })
    }

    fn vlan_act(&mut self, no: SkbNo, action: VlanAction) -> Run<i64> {
        match action {
            VlanAction::Pop => self.skb_vlan_pop(no),
            VlanAction::Push(protocol, tci) => self.skb_vlan_push(no, protocol, tci),
            VlanAction::PopEth => self.skb_eth_pop(no),
            VlanAction::PushEth(dst, src) => self.skb_eth_push(no, dst, src),
            VlanAction::Modify(protocol, id, priority) => {
                let skb = self.skb_mut(no);
                let old = if skb.vlan_present {
                    let tci = skb.vlan_tci;
                    skb.clear_vlan_tag();
                    tci
                } else if vlan::is_vlan(skb.protocol) {
                    match self.__skb_vlan_pop(no)? {
                        Ok(tci) => tci,
                        Err(error) => return Ok(error),
                    }
                } else {
                    return Ok(0);
                };
                let mut tci = (old & !vlan::VID_MASK) | id;
                if let Some(priority) = priority {
                    tci = (tci & !PRIO_MASK) | priority << PRIO_SHIFT;
                }
                self.skb_mut(no).put_vlan_tag(protocol, tci);
                Ok(0)
            }
        }
    }

    /// `skb_eth_pop()`: the packet goes on without its Ethernet header. Metadata stay where they are.
    fn skb_eth_pop(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("skb_eth_pop", SKBUFF, no, |k| {
            let skb = k.skb(no);
            let tagged = skb.vlan_present || vlan::is_vlan(skb.protocol);
            if skb.len < ethernet::HLEN || tagged || skb.network_offset() < ethernet::HLEN as i32 {
                return Ok(EPROTO);
            }
            k.skb_pull_rcsum(no, ethernet::HLEN)?;
            let skb = k.skb_mut(no);
            skb.reset_mac_header();
            skb.reset_mac_len();
            Ok(0)
        })
    }

    /// `skb_eth_push()`: an Ethernet header in front of the packet. Nothing looks for metadata there.
    fn skb_eth_push(&mut self, no: SkbNo, dst: Mac, src: Mac) -> Run<i64> {
        self.traced("skb_eth_push", SKBUFF, no, |k| {
            if k.skb(no).network_offset() != 0 || k.skb(no).vlan_present {
                return Ok(EPROTO);
            }
            k.skb_cow_head(no, ethernet::HLEN)?;
            let skb = k.skb_mut(no);
            skb.push(ethernet::HLEN)?;
            skb.reset_mac_header();
            skb.reset_mac_len();
            let (at, protocol) = (skb.data, skb.protocol);
            let header = [&dst[..], &src[..], &protocol.to_be_bytes()].concat();
            let (layer, label) = (Layer::Ethernet, "Ethernet".into());
            k.write_header(no, at, &header, layer, label, "skb_eth_push");
            k.skb_postpush_rcsum(no, at, ethernet::HLEN, 0);
            Ok(0)
        })
    }
}
