//! `mac_header` in kernels before 7.2 (patch-series.md, sections 2, 5 and 6a). No recording of these kernels is
//! here: what they do is derived from the commits that changed it.

use super::ByPolicy;
use super::policy::{DynptrAccess, Helpers, OnExpand, OnLwt, Policy};

/// Linux 6.19 to 7.1: `lwtunnel_input/output/xmit()` do not clear metadata yet (`c00320b0e355` is in 7.2-rc1).
pub(super) const V6_19: ByPolicy = ByPolicy {
    name: "mac_header_6.19",
    policy: Policy {
        on_lwt: OnLwt::Keep,
        ..Policy::MAC_HEADER
    },
    structure_bytes: 0,
};

/// Linux 6.18: the dynptr is there (`89d912e494f7`), read-only on clones. No `skb_data_move()` (`8989d328dfe7`), and
/// `pskb_expand_head()` sets the length to 0 (until `290fc0be09e2`).
pub(super) const V6_18: ByPolicy = ByPolicy {
    name: "mac_header_6.18",
    policy: Policy {
        helpers: Helpers::Leave,
        on_expand: OnExpand::Clear,
        dynptr: DynptrAccess::ReadOnlyClone,
        ..V6_19.policy
    },
    structure_bytes: 0,
};

/// Linux 6.12: as 6.18, without the dynptr. A program that calls `bpf_dynptr_from_skb_meta()` is refused.
pub(super) const V6_12: ByPolicy = ByPolicy {
    name: "mac_header_6.12",
    policy: Policy {
        dynptr: DynptrAccess::Absent,
        ..V6_18.policy
    },
    structure_bytes: 0,
};
