//! "skb extension for BPF metadata" (14 Aug 2026, net-next, 14 patches; patch-series.md section 5). The mails could not
//! be read whole: what is here follows an excerpt.
//!
//! A program reaches the bytes with `bpf_dynptr_from_skb_ext()`. Scenarios are written for `data_meta` and
//! `bpf_dynptr_from_skb_meta()`, so their access is carried over: what XDP leaves in the headroom is copied into the
//! extension when the skb is built, and reads and writes go there. The series itself has no such hand-over, and the
//! verifier can't redirect a load of `data_meta` (author, 14 Jan 2026): a program would have to be rewritten.

use super::ByPolicy;
use super::policy::{End, OnClone, OnLwt, Policy, Store};

/// The largest buffer that the series allows; its size is fixed when a kernel is built.
const LARGEST: u64 = 256;

/// Copy on write when shared; kept by `skb_scrub_packet()`, where 7.2 drops all extensions.
pub(super) const SKB_EXT: ByPolicy = ByPolicy {
    name: "skb_ext",
    policy: Policy {
        end: End::Outside,
        store: Store::Extension,
        on_clone: OnClone::CopyOnWrite,
        on_lwt: OnLwt::Keep,
        ..Policy::MAC_HEADER
    },
    structure_bytes: LARGEST,
};
