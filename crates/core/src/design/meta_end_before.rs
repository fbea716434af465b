//! The series before v3 (patch-series.md, section 3, "Differences between versions").

use super::ByPolicy;
use super::policy::{DriverSet, Policy};

/// The RFC has no patch for veth (v2 adds patch 7), so `skb_metadata_set()` runs behind `eth_type_trans()` there and
/// records a place 14 bytes too high.
pub(super) const RFC: ByPolicy = ByPolicy {
    name: "meta_end_rfc",
    policy: Policy {
        driver: DriverSet::AsCalled,
        ..Policy::META_END
    },
    structure_bytes: 2,
};

/// v2 differs from v3 only in how the prologue calls realign: as a kfunc, which a program might call itself. What
/// happens to a packet is the same.
pub(super) const V2: ByPolicy = ByPolicy {
    name: "meta_end_v2",
    policy: Policy::META_END,
    structure_bytes: 2,
};
