//! Classifiers of clsact: `tcf_classify()` (`net/sched/cls_api.c`), `matchall` and `bpf`, and the actions in a row.

use super::tc::act;
use super::{Kernel, Run};
use crate::scenario::command::TcHook;
use crate::scenario::topology::{Action, ActionKind, Classifier, Filter, ProgId};
use crate::trace::SkbNo;

impl Kernel {
    /// `tcf_classify()`: filters for the packet's protocol are asked one after the other until one does not say
    /// `TC_ACT_UNSPEC` (`continue`).
    pub(super) fn tcf_classify(&mut self, no: SkbNo, filters: &[Filter]) -> Run<i64> {
        self.traced("tcf_classify", "net/sched/cls_api.c", no, |k| {
            let protocol = k.tc_skb_protocol(no);
            for filter in filters {
                if filter.protocol.is_some_and(|wanted| wanted != protocol) {
                    continue;
                }
                let verdict = match filter.classifier {
                    Classifier::Matchall => k.tcf_action_exec(no, &filter.actions)?,
                    Classifier::Bpf(program) => k.cls_bpf_classify(no, program)?,
                };
                if verdict >= 0 {
                    return Ok(verdict);
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

    /// `tcf_action_exec()` (`net/sched/act_api.c`): an action that ends with `TC_ACT_PIPE` has the next one behind it.
    fn tcf_action_exec(&mut self, no: SkbNo, actions: &[Action]) -> Run<i64> {
        let mut verdict = act::OK;
        for action in actions {
            verdict = match action.kind {
                ActionKind::Gact => action.control,
                ActionKind::Mirred(mirred, to) => {
                    self.tcf_mirred_act(no, mirred, to, action.control)?
                }
                ActionKind::Vlan(vlan) => self.tcf_vlan_act(no, vlan, action.control)?,
                ActionKind::Mpls(mpls) => self.tcf_mpls_act(no, mpls, action.control)?,
            };
            if verdict != act::PIPE {
                break;
            }
        }
        Ok(verdict)
    }

    /// `cls_bpf_classify()` (`net/sched/cls_bpf.c`) with direct action: at ingress the program sees the packet from
    /// the MAC header on; a verdict that `cls_bpf_exec_opcode()` does not know counts as `TC_ACT_UNSPEC`.
    fn cls_bpf_classify(&mut self, no: SkbNo, program: ProgId) -> Run<i64> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(act::UNSPEC);
        };
        let at_ingress = self.skb(no).tc_at_ingress;
        let hook = if at_ingress {
            TcHook::Ingress
        } else {
            TcHook::Egress
        };
        if at_ingress {
            let mac_len = u32::from(self.skb(no).mac_len);
            self.skb_mut(no).push(mac_len)?;
        }
        let verdict = self.run_tc(program, hook, dev, no)?;
        if at_ingress {
            let mac_len = u32::from(self.skb(no).mac_len);
            self.skb_mut(no).pull(mac_len)?;
        }
        Ok(match verdict {
            act::OK | act::SHOT | act::STOLEN | act::TRAP | act::REDIRECT => verdict,
            _ => act::UNSPEC,
        })
    }
}
