//! `action mirred`: `tcf_mirred_act()` (`net/sched/act_mirred.c`).

use super::tc::act;
use super::{Kernel, Run};
use crate::scenario::command::{MirredAction, TcHook};
use crate::scenario::topology::DevId;
use crate::trace::SkbNo;

const FILE: &str = "net/sched/act_mirred.c";
/// `MIRRED_NEST_LIMIT`.
const MIRRED_NEST_LIMIT: u32 = 4;

impl Kernel {
    /// `tcf_mirred_act()`: a mirror action lets the packet go on (`pipe`), a redirect takes it (`stolen`).
    pub(super) fn tcf_mirred_act(
        &mut self,
        no: SkbNo,
        mirred: MirredAction,
        to: DevId,
        control: i64,
    ) -> Run<i64> {
        self.traced("tcf_mirred_act", FILE, no, |k| {
            if k.mirred_nesting >= MIRRED_NEST_LIMIT {
                return Ok(act::SHOT);
            }
            k.mirred_nesting += 1;
            let result = k.tcf_mirred_to_dev(no, mirred, to, control);
            k.mirred_nesting -= 1;
            result
        })
    }

    /// `tcf_mirred_to_dev()`: at TC ingress a redirected packet itself is sent on; in all other cases a clone.
    fn tcf_mirred_to_dev(
        &mut self,
        no: SkbNo,
        mirred: MirredAction,
        to: DevId,
        verdict: i64,
    ) -> Run<i64> {
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
        if at_nh && !expects_nh {
            self.skb_push_rcsum(sent, mac_len)?;
        } else if !at_nh && expects_nh {
            self.skb_pull_rcsum(sent, mac_len)?;
        }
        let skb = self.skb_mut(sent);
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
