//! The clsact qdisc and its filters (`net/sched/sch_ingress.c`, `net/sched/cls_matchall.c`), as set up.

use super::command::{MirredAction, TcHook};
use super::topology::DevId;

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

/// A `matchall` classifier (`net/sched/cls_matchall.c`) with its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// Preference.
    pub pref: u16,
    /// Only packets of this protocol.
    pub protocol: Option<u16>,
    /// What it does.
    pub mirred: MirredAction,
    /// Where to.
    pub to: DevId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lower preference first; among equal ones the one that came first (`tcf_chain_tp_insert_unique()`).
    #[test]
    fn filters_are_asked_by_preference() {
        let filter = |pref, to| Filter {
            pref,
            protocol: None,
            mirred: MirredAction {
                to: TcHook::Egress,
                redirect: true,
            },
            to: DevId(to),
        };
        let mut clsact = Clsact::default();
        clsact.add(TcHook::Ingress, filter(2, 1));
        clsact.add(TcHook::Ingress, filter(1, 2));
        clsact.add(TcHook::Ingress, filter(2, 3));
        let order: Vec<_> = clsact
            .filters(TcHook::Ingress)
            .iter()
            .map(|filter| filter.to.0)
            .collect();
        assert_eq!(order, [2, 1, 3]);
        assert!(clsact.filters(TcHook::Egress).is_empty());
    }
}
