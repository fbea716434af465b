//! The naive fix, the author's option A (mail of 23 Oct 2025, patch-series.md section 1): metadata still end at the MAC
//! header, and whoever resets `mac_header` on the way in moves them up to it.

use super::ByPolicy;
use super::policy::{OnDecap, Policy};

/// As Linux 7.2 in everything else.
pub(super) const MEMMOVE_ON_DECAP: ByPolicy = ByPolicy {
    name: "memmove_on_decap",
    policy: Policy {
        on_decap: OnDecap::MoveUp,
        ..Policy::MAC_HEADER
    },
    structure_bytes: 0,
};
