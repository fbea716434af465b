//! "skb extension for BPF local storage" (RFC, 26 Feb 2026, 5 patches; patch-series.md section 5): a map of type
//! `BPF_MAP_TYPE_SKB_STORAGE`; the skb has an extension with one pointer. Refused on the list the same day.
//!
//! As with `skb_ext`, what XDP leaves is carried over when the skb is built, as if the first program that sees the skb
//! had called `bpf_skb_storage_get()` with the create flag.

use super::ByPolicy;
use super::policy::{End, OnClone, OnLwt, OnScrub, Policy, Store};

/// A clone that shares the extension is refused; scrubbing drops the extension.
pub(super) const SKB_LOCAL_STORAGE: ByPolicy = ByPolicy {
    name: "skb_local_storage",
    policy: Policy {
        end: End::Outside,
        store: Store::LocalStorage,
        on_clone: OnClone::Refuse,
        on_scrub: OnScrub::Clear,
        on_lwt: OnLwt::Keep,
        ..Policy::MAC_HEADER
    },
    // the pointer in the extension
    structure_bytes: 8,
};
