//! Classifiers and `action mirred`: `tcf_classify()` (`net/sched/cls_api.c`), `tcf_mirred_act()`
//! (`net/sched/act_mirred.c`).

use super::tc::act;
use super::{Kernel, Run};
use crate::scenario::command::{MirredAction, TcHook};
use crate::scenario::topology::{DevId, Filter};
use crate::trace::SkbNo;

const FILE: &str = "net/sched/act_mirred.c";
/// `MIRRED_NEST_LIMIT`.
const MIRRED_NEST_LIMIT: u32 = 4;

impl Kernel {
    /// `tcf_classify()`: the first `matchall` filter for the packet's protocol decides, unless its action says
    /// `TC_ACT_UNSPEC`. An action that ends with `TC_ACT_PIPE` has no successor here; that is its verdict.
    pub(super) fn tcf_classify(&mut self, no: SkbNo, filters: &[Filter]) -> Run<i64> {
        self.traced("tcf_classify", "net/sched/cls_api.c", no, |k| {
            let protocol = k.tc_skb_protocol(no);
            for filter in filters {
                if filter.protocol.is_none_or(|wanted| wanted == protocol) {
                    return k.tcf_mirred_act(no, filter.mirred, filter.to);
                }
            }
            Ok(act::UNSPEC)
        })
    }

    /// `skb_protocol()` without skipping VLAN tags: that of a tag beside the packet comes first.
    fn tc_skb_protocol(&self, no: SkbNo) -> u16 {
        let skb = self.skb(no);
        if skb.vlan_present {
            skb.vlan_proto
        } else {
            skb.protocol
        }
    }

    /// `tcf_mirred_act()`: a mirror action lets the packet go on (`pipe`), a redirect takes it (`stolen`).
    fn tcf_mirred_act(&mut self, no: SkbNo, mirred: MirredAction, to: DevId) -> Run<i64> {
        self.traced("tcf_mirred_act", FILE, no, |k| {
            if k.mirred_nesting >= MIRRED_NEST_LIMIT {
                return Ok(act::SHOT);
            }
            k.mirred_nesting += 1;
            let result = k.tcf_mirred_to_dev(no, mirred, to);
            k.mirred_nesting -= 1;
            result
        })
    }

    /// `tcf_mirred_to_dev()`: at TC ingress a redirected packet itself is sent on; in all other cases a clone.
    fn tcf_mirred_to_dev(&mut self, no: SkbNo, mirred: MirredAction, to: DevId) -> Run<i64> {
        let verdict = if mirred.redirect {
            act::STOLEN
        } else {
            act::PIPE
        };
        if !self.topology.dev(to).up {
            return Ok(if mirred.redirect { act::SHOT } else { verdict });
        }
        let at_ingress = self.skb(no).tc_at_ingress;
        let itself = at_ingress && mirred.redirect;
        let sent = if itself { no } else { self.skb_clone(no)? };
        let want_ingress = mirred.to == TcHook::Ingress;
        if want_ingress && !at_ingress {
            self.skb_mut(sent).drop_dst();
        }
        // the other side expects `data` at the network header, or at the MAC header
        let expects_nh = want_ingress || !self.topology.dev(to).has_ethernet();
        let skb = self.skb(no);
        let at_nh = skb.data == u32::from(skb.network_header);
        let mac_len = if at_ingress {
            u32::from(skb.mac_len)
        } else {
            skb.network_offset().unsigned_abs()
        };
        let iif = skb.dev.map_or(0, |dev| self.topology.dev(dev).ifindex);
        let skb = self.skb_mut(sent);
        if at_nh && !expects_nh {
            skb.push(mac_len)?;
        } else if !at_nh && expects_nh {
            skb.pull(mac_len)?;
        }
        skb.skb_iif = iif;
        skb.dev = Some(to);
        skb.redirected |= mirred.redirect;
        // tcf_mirred_forward()
        match (want_ingress, at_ingress) {
            (false, _) => self.dev_queue_xmit(sent)?,
            (true, false) => self.netif_rx(sent)?,
            (true, true) => self.netif_receive_skb(sent)?,
        };
        Ok(if itself { act::CONSUMED } else { verdict })
    }
}
