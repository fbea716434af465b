//! `action mirred`: `tcf_mirred_act()` (`net/sched/act_mirred.c`).

use super::tc::act;
use super::{Kernel, Run};
use crate::scenario::command::{MirredAction, TcHook};
use crate::scenario::topology::DevId;
use crate::trace::SkbNo;

const FILE: &str = "net/sched/act_mirred.c";
/// `MIRRED_NEST_LIMIT`: how deep sending may nest.
const MIRRED_NEST_LIMIT: usize = 4;
/// `MIRRED_DEFER_LIMIT`: how often a packet may be received again.
const MIRRED_DEFER_LIMIT: u8 = 3;

impl Kernel {
    /// `tcf_mirred_act()`: a mirror action lets the packet go on (`pipe`), a redirect takes it (`stolen`). A device that is
    /// just being sent to by an action is not sent to again.
    pub(super) fn tcf_mirred_act(
        &mut self,
        no: SkbNo,
        mirred: MirredAction,
        to: DevId,
        control: i64,
    ) -> Run<i64> {
        self.traced("tcf_mirred_act", FILE, no, |k| {
            let deep = k.mirred_nest.len() >= MIRRED_NEST_LIMIT;
            if deep || k.skb(no).tc_depth >= MIRRED_DEFER_LIMIT {
                let dev = k.skb(no).dev;
                let name = dev
                    .map(|dev| k.topology.dev(dev).name.as_str())
                    .unwrap_or_default();
                k.warn_ratelimited(format!(
                    "Packet exceeded mirred recursion limit on dev {name}"
                ));
                return Ok(act::SHOT);
            }
            let sends = mirred.to == TcHook::Egress;
            if sends && k.mirred_nest.contains(&to) {
                return Ok(if mirred.redirect { act::SHOT } else { control });
            }
            let before = k.mirred_nest.len();
            k.mirred_nest.extend(sends.then_some(to));
            let result = k.tcf_mirred_to_dev(no, mirred, to, control);
            k.mirred_nest.truncate(before);
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
        let at_ingress = self.skb(no).tc_at_ingress;
        let itself = self.skb(no).dev == Some(to) && at_ingress == (mirred.to == TcHook::Ingress);
        if itself || !self.is_ready(to) {
            return Ok(if mirred.redirect { act::SHOT } else { verdict });
        }
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
        skb.tc_depth += u8::from(want_ingress);
        match (want_ingress, at_ingress) {
            (false, _) => self.dev_queue_xmit(sent)?,
            (true, false) => self.netif_rx(sent)?,
            (true, true) => self.netif_receive_skb(sent)?,
        };
        Ok(if itself { act::CONSUMED } else { verdict })
    }
}
