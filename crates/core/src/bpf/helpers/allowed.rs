//! Which program type has which helper (`*_func_proto()`, net/core/filter.c and
//! `bpf_base_func_proto()`, kernel/bpf/helpers.c, Linux 7.2) and which kernel function
//! (`register_btf_kfunc_id_set()`). Programs are loaded by a user who may do everything.

use crate::bpf::program::ProgType;

/// `bpf_base_func_proto()` and `bpf_sk_base_func_proto()`: every type has them.
const BASE: &[u32] = &[
    1, 2, 3, 5, 6, 7, 8, 12, 14, 15, 16, 17, 22, 35, 37, 42, 55, 80, 87, 88, 89, 93, 94, 105, 106,
    109, 112, 113, 114, 115, 117, 118, 120, 123, 125, 130, 131, 132, 133, 134, 136, 137, 138, 139,
    140, 141, 148, 149, 153, 154, 156, 157, 158, 160, 164, 165, 169, 170, 171, 172, 175, 176, 177,
    178, 180, 181, 182, 191, 194, 195, 196, 197, 198, 199, 200, 201, 202, 203, 208, 209, 210, 211,
];
/// `sk_filter_func_proto()`.
const SOCKET: &[u32] = &[25, 26, 46, 47, 68, 122];
/// `cg_skb_func_proto()`, beyond [`SOCKET`]; 81 and 151 come with `cgroup_common_func_proto()`.
const CGROUP: &[u32] = &[
    79, 81, 83, 84, 85, 86, 95, 96, 97, 98, 99, 107, 108, 128, 129, 186, 187,
];
/// `tc_cls_act_func_proto()`.
const TC: &[u32] = &[
    9, 10, 11, 13, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 30, 31, 32, 33, 34, 38, 39, 40, 41, 43,
    46, 47, 48, 50, 66, 68, 69, 79, 83, 84, 85, 86, 95, 96, 97, 98, 99, 100, 107, 108, 110, 122,
    124, 135, 151, 152, 155, 163, 192, 204, 205, 206, 207,
];
/// `xdp_func_proto()`.
const XDP: &[u32] = &[
    23, 25, 28, 44, 51, 54, 65, 69, 84, 85, 86, 99, 100, 110, 163, 188, 189, 190, 204, 205, 206,
    207,
];
/// `sk_skb_func_proto()`.
const SK_SKB: &[u32] = &[9, 25, 26, 38, 39, 43, 46, 47, 50, 52, 72, 84, 85, 86, 99];
/// `lwt_out_func_proto()`.
const LWT: &[u32] = &[24, 25, 26, 28, 33, 34, 39];
/// `lwt_xmit_func_proto()`, beyond [`LWT`].
const LWT_XMIT: &[u32] = &[9, 10, 11, 13, 20, 21, 23, 29, 30, 38, 40, 41, 43, 73, 135];
/// `lwt_seg6local_func_proto()`, beyond [`LWT`]; it leaves out `bpf_skb_pull_data()`.
const SEG6LOCAL: &[u32] = &[74, 75, 76];

/// What a type has beyond [`BASE`].
fn own(prog_type: &ProgType) -> [&'static [u32]; 2] {
    match prog_type {
        ProgType::Xdp => [XDP, &[]],
        ProgType::SchedCls => [TC, &[]],
        ProgType::CgroupSkb => [SOCKET, CGROUP],
        ProgType::SocketFilter => [SOCKET, &[]],
        ProgType::SkSkb => [SK_SKB, &[]],
        ProgType::LwtXmit => [LWT, LWT_XMIT],
        ProgType::LwtIn => [LWT, &[73]],
        ProgType::LwtOut => [LWT, &[]],
        ProgType::LwtSeg6local => [LWT, SEG6LOCAL],
        // bpf_nf_func_proto()
        ProgType::Netfilter | ProgType::Plain | ProgType::Unknown(_) => [&[], &[]],
    }
}

const TYPES: [ProgType; 10] = [
    ProgType::Xdp,
    ProgType::SchedCls,
    ProgType::CgroupSkb,
    ProgType::SocketFilter,
    ProgType::SkSkb,
    ProgType::LwtXmit,
    ProgType::LwtIn,
    ProgType::LwtOut,
    ProgType::LwtSeg6local,
    ProgType::Netfilter,
];

/// Whether Linux has a helper in a program of that type. A program without a hook has all that need no
/// packet.
pub fn has_helper(prog_type: &ProgType, id: u32) -> bool {
    const SKB_PULL_DATA: u32 = 39;
    let seg6 = *prog_type == ProgType::LwtSeg6local && id == SKB_PULL_DATA;
    BASE.contains(&id) || !seg6 && own(prog_type).iter().any(|ids| ids.contains(&id))
}

/// The types that have a helper, as in `xdp, sched_cls`.
pub(super) fn helper_types(id: u32) -> String {
    if BASE.contains(&id) {
        return "all".to_owned();
    }
    listed(|prog_type| has_helper(prog_type, id))
}

fn listed(has: impl Fn(&ProgType) -> bool) -> String {
    let names: Vec<&str> = TYPES
        .iter()
        .filter(|t| has(t))
        .map(ProgType::name)
        .collect();
    if names.is_empty() {
        "none of those with packets".to_owned()
    } else {
        names.join(", ")
    }
}

/// Who has a kernel function.
#[derive(Clone, Copy)]
enum Who {
    All,
    Skb,
    Tc,
    Xdp,
}

/// Kernel functions by the set that registers them: `common_btf_ids` (kernel/bpf/helpers.c),
/// `bpf_kfunc_set_skb`, `bpf_kfunc_set_skb_meta`, `bpf_kfunc_set_xdp` (net/core/filter.c) and
/// `xdp_metadata_kfunc_set` (net/core/xdp.c).
const KFUNCS: &[(&str, Who)] = &[
    ("bpf_dynptr_slice", Who::All),
    ("bpf_dynptr_slice_rdwr", Who::All),
    ("bpf_dynptr_adjust", Who::All),
    ("bpf_dynptr_is_null", Who::All),
    ("bpf_dynptr_is_rdonly", Who::All),
    ("bpf_dynptr_size", Who::All),
    ("bpf_dynptr_clone", Who::All),
    ("bpf_dynptr_copy", Who::All),
    ("bpf_dynptr_memset", Who::All),
    ("bpf_iter_num_new", Who::All),
    ("bpf_iter_num_next", Who::All),
    ("bpf_iter_num_destroy", Who::All),
    ("bpf_rcu_read_lock", Who::All),
    ("bpf_rcu_read_unlock", Who::All),
    ("bpf_preempt_disable", Who::All),
    ("bpf_preempt_enable", Who::All),
    ("bpf_dynptr_from_skb", Who::Skb),
    ("bpf_dynptr_from_skb_meta", Who::Tc),
    ("bpf_dynptr_from_xdp", Who::Xdp),
    ("bpf_xdp_pull_data", Who::Xdp),
    ("bpf_xdp_metadata_rx_timestamp", Who::Xdp),
    ("bpf_xdp_metadata_rx_hash", Who::Xdp),
    ("bpf_xdp_metadata_rx_vlan_tag", Who::Xdp),
];

fn kfunc(name: &str) -> Option<Who> {
    KFUNCS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, who)| *who)
}

fn who_is(who: Who, prog_type: &ProgType) -> bool {
    match who {
        Who::All => true,
        Who::Skb => prog_type.has_skb() || *prog_type == ProgType::Netfilter,
        Who::Tc => *prog_type == ProgType::SchedCls,
        Who::Xdp => *prog_type == ProgType::Xdp,
    }
}

/// Whether a program of that type has a kernel function that the simulator knows.
pub fn has_kfunc(prog_type: &ProgType, name: &str) -> bool {
    kfunc(name).is_some_and(|who| who_is(who, prog_type))
}

/// Whether the simulator knows a kernel function at all.
pub(in crate::bpf) fn knows_kfunc(name: &str) -> bool {
    kfunc(name).is_some()
}

/// The types that have a kernel function; empty when the simulator does not know it.
pub(super) fn kfunc_types(name: &str) -> String {
    match kfunc(name) {
        Some(Who::All) => "all".to_owned(),
        Some(who) => listed(|prog_type| who_is(who, prog_type)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counted in the `*_func_proto()` functions of net/core/filter.c.
    #[test]
    fn helpers_by_type() {
        let who = |id| helper_types(id);
        assert_eq!(who(54), "xdp"); // xdp_adjust_meta
        assert_eq!(who(18), "sched_cls"); // skb_vlan_push
        assert_eq!(who(23), "xdp, sched_cls, lwt_xmit"); // redirect
        assert_eq!(who(9), "sched_cls, sk_skb, lwt_xmit"); // skb_store_bytes
        assert_eq!(who(26).split(", ").count(), 8); // skb_load_bytes: all but xdp
        assert_eq!(who(1), "all");
        assert_eq!(who(49), "none of those with packets"); // setsockopt
        assert_eq!(kfunc_types("bpf_dynptr_from_skb_meta"), "sched_cls");
        assert!(!has_kfunc(&ProgType::Xdp, "bpf_dynptr_from_skb"));
    }
}
