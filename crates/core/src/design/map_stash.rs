//! A BPF map whose key is the address of the skb (Alexei Starovoitov, 26 Feb 2026; patch-series.md sections 5 and 6c).
//! Needs nothing of the kernel but hooks. Scenarios' accesses are carried over as with `skb_ext`.

use super::ByPolicy;
use super::policy::{End, OnClone, OnFree, OnLwt, OnScrub, Policy, Store};

const fn stash(
    name: &'static str,
    on_clone: OnClone,
    on_scrub: OnScrub,
    on_free: OnFree,
) -> ByPolicy {
    ByPolicy {
        name,
        policy: Policy {
            end: End::Outside,
            store: Store::Map,
            on_clone,
            on_scrub,
            on_free,
            on_lwt: OnLwt::Keep,
            ..Policy::MAC_HEADER
        },
        structure_bytes: 0,
    }
}

/// The advice: entries are deleted from the tracepoints `kfree_skb` and `consume_skb`.
pub(super) const WITH_FREE_HOOK: ByPolicy =
    stash("map_stash", OnClone::None, OnScrub::Keep, OnFree::Free);

/// The author's benchmark tree: `skb_free`, `skb_copy` and `skb_scrub` fire for armed packets. What its program does
/// at a scrub is its own choice; here the entry stays.
pub(super) const GATED: ByPolicy = stash(
    "map_stash_gated",
    OnClone::Copy,
    OnScrub::Keep,
    OnFree::Free,
);

/// Without hooks an entry outlives its skb.
pub(super) const BARE: ByPolicy =
    stash("map_stash_bare", OnClone::None, OnScrub::Keep, OnFree::Leak);
