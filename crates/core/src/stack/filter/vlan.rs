//! `bpf_skb_vlan_push()` and `bpf_skb_vlan_pop()`.

use super::FILE;
use crate::net::vlan;
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

impl Kernel {
    /// `bpf_skb_vlan_push()`: a protocol that is no VLAN protocol counts as 802.1Q.
    pub(in crate::stack) fn bpf_skb_vlan_push(
        &mut self,
        no: SkbNo,
        vlan_proto: u16,
        vlan_tci: u16,
    ) -> Run<i64> {
        self.traced("bpf_skb_vlan_push", FILE, no, |k| {
            let proto = if vlan::is_vlan(vlan_proto) {
                vlan_proto
            } else {
                vlan::P_8021Q
            };
            k.bpf_push_mac_rcsum(no);
            let ret = k.skb_vlan_push(no, proto, vlan_tci)?;
            k.bpf_pull_mac_rcsum(no);
            k.skb_mut(no).reset_mac_len();
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }

    /// `bpf_skb_vlan_pop()`.
    pub(in crate::stack) fn bpf_skb_vlan_pop(&mut self, no: SkbNo) -> Run<i64> {
        self.traced("bpf_skb_vlan_pop", FILE, no, |k| {
            k.bpf_push_mac_rcsum(no);
            let ret = k.skb_vlan_pop(no)?;
            k.bpf_pull_mac_rcsum(no);
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }
}
