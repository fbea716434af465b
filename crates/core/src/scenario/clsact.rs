//! The clsact qdisc and its filters (`net/sched/sch_ingress.c`, `net/sched/cls_matchall.c`), as set up.

use super::command::{MirredAction, TcHook};
use super::tc_action::{MplsAction, VlanAction};
use super::topology::{DevId, ProgId};

/// A clsact qdisc: classifiers at both TC hooks, in the order in which they are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clsact {
    /// Filters for received packets.
    pub ingress: Vec<Filter>,
    /// Filters for packets to be sent.
    pub egress: Vec<Filter>,
}

impl Clsact {
    /// The filters of a hook.
    #[must_use]
    pub fn filters(&self, hook: TcHook) -> &[Filter] {
        match hook {
            TcHook::Ingress => &self.ingress,
            TcHook::Egress => &self.egress,
        }
    }

    /// Adds a filter: lower preference first, later ones behind equal ones.
    pub fn add(&mut self, hook: TcHook, filter: Filter) {
        let filters = match hook {
            TcHook::Ingress => &mut self.ingress,
            TcHook::Egress => &mut self.egress,
        };
        let at = filters.partition_point(|other| other.pref <= filter.pref);
        filters.insert(at, filter);
    }
}

/// A classifier with its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Preference.
    pub pref: u16,
    /// Only packets of this protocol.
    pub protocol: Option<u16>,
    /// Who decides.
    pub classifier: Classifier,
    /// What `matchall` does with its packets, in this order.
    pub actions: Vec<Action>,
}

/// Who decides about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Classifier {
    /// `net/sched/cls_matchall.c`: the actions.
    Matchall,
    /// `net/sched/cls_bpf.c` with direct action: a program.
    Bpf(ProgId),
}

/// An action and its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub kind: ActionKind,
    /// Verdict when it is done.
    pub control: i64,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Only the verdict (`net/sched/act_gact.c`).
    Gact,
    /// `net/sched/act_mirred.c`, and where to.
    Mirred(MirredAction, DevId),
    /// `net/sched/act_vlan.c`.
    Vlan(VlanAction),
    /// `net/sched/act_mpls.c`.
    Mpls(MplsAction),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lower preference first; among equal ones the one that came first (`tcf_chain_tp_insert_unique()`).
    #[test]
    fn filters_are_asked_by_preference() {
        let filter = |pref, program| Filter {
            pref,
            protocol: None,
            classifier: Classifier::Bpf(ProgId(program)),
            actions: Vec::new(),
        };
        let mut clsact = Clsact::default();
        clsact.add(TcHook::Ingress, filter(2, 1));
        clsact.add(TcHook::Ingress, filter(1, 2));
        clsact.add(TcHook::Ingress, filter(2, 3));
        let order: Vec<_> = clsact
            .filters(TcHook::Ingress)
            .iter()
            .map(|filter| filter.classifier)
            .collect();
        assert_eq!(order, [2, 1, 3].map(|id| Classifier::Bpf(ProgId(id))));
        assert!(clsact.filters(TcHook::Egress).is_empty());
    }
}
