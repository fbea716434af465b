//! Where metadata live. One file a design, one trait for all: [`MetadataDesign`] holds every place
//! where designs differ and nothing else. The stack is written once.

mod by_policy;
mod mac_header;
mod mac_header_before;
mod map_stash;
mod memmove_on_decap;
mod meta_end;
mod meta_end_before;
mod name;
pub mod policy;
mod skb_ext;
mod skb_local_storage;
pub mod traits;

use crate::bpf::{Facts, Prologue};
use crate::skb::{SharedInfo, SkBuff};

pub use by_policy::{ByPolicy, TRAITS_HEADER, TRAITS_START};
pub use mac_header::MacHeader;
pub use meta_end::MetaEnd;
pub use name::{DesignName, Mark};
pub use policy::Policy;
use policy::{DynptrAccess, OnClone, OnDecap, OnEncap, OnFree, OnScrub};

/// Every decision of the kernel that depends on where metadata live.
pub trait MetadataDesign: Send + Sync {
    /// Name in addresses, files and tables.
    fn name(&self) -> &'static str;

    /// `skb_metadata_end()`: offset from `head`, bytes; `None` when the design's anchor is not set.
    fn metadata_end(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Option<u32>;

    /// `skb_metadata_set()`: `len` bytes of metadata lie in front of the packet.
    fn metadata_set(&self, skb: &SkBuff, shinfo: &mut SharedInfo, len: u8);

    /// Whether `skb_metadata_set()` must be called while `data` is at the MAC header, because the
    /// design records the place at the time of the call (series v3, patches 1–9: the driver contract).
    fn set_at_mac_header(&self) -> bool;

    /// As [`MetadataDesign::set_at_mac_header`], for veth alone: it has a patch of its own (v3, patch 7).
    fn veth_sets_at_mac_header(&self) -> bool {
        self.set_at_mac_header()
    }

    /// `pskb_expand_head()`: the buffer's content lies `nhead` bytes further from `head`.
    fn expand_head(&self, shinfo: &mut SharedInfo, nhead: u32);

    /// `skb_data_move()`: what becomes of the metadata after a pull (`len` > 0) or push (`len` < 0) whose
    /// packet bytes move along. The skb is as it is after the pull or push.
    fn data_move(&self, skb: &SkBuff, shinfo: &SharedInfo, len: i32) -> DataMove;

    /// The metadata were moved and now end at `end`: what the design stores.
    fn moved_to(&self, shinfo: &mut SharedInfo, end: u32);
    /// `skb_reorder_vlan_header()`: whether the metadata move up with the MAC addresses when a VLAN tag is
    /// taken out of a frame (patch-series.md 6a and 6b).
    fn untag_moves_metadata(&self) -> bool;

    /// What runs in front of a TC program.
    fn prologue(&self, facts: Facts) -> Prologue;

    /// `bpf_skb_meta_realign()`: what to do before a program uses `data_meta`.
    fn realign(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Realign;

    /// The raw `meta_end` field, in designs that have it.
    fn meta_end_field(&self, shinfo: &SharedInfo) -> Option<u32>;

    /// Bytes the design adds to kernel structures, per packet buffer.
    fn structure_bytes(&self) -> u64;

    /// `pskb_expand_head()`: whether the metadata must be brought to the start of the new buffer.
    fn expand_moves_to_head(&self) -> bool {
        false
    }

    /// What a device does to the metadata when decapsulation resets `mac_header`.
    fn on_decap(&self) -> OnDecap {
        OnDecap::Keep
    }

    /// What a tunnel device does to the metadata before it pushes its headers.
    fn on_encap(&self) -> OnEncap {
        OnEncap::Keep
    }

    /// `lwtunnel_input/output/xmit()`: whether metadata are cleared first (Linux 7.2; patch-series.md section 5).
    fn lwt_clears(&self) -> bool {
        true
    }

    /// Whether TC helpers that push ask for headroom for the metadata too (6.19; patch-series.md section 2).
    fn helpers_ask_for_metadata_room(&self) -> bool {
        true
    }

    /// Whether programs other than TC's have the function of [`MetadataDesign::dynptr`] too.
    fn dynptr_everywhere(&self) -> bool {
        false
    }

    /// `bpf_dynptr_from_skb_meta()`, or the design's own function in its place.
    fn dynptr(&self) -> DynptrAccess {
        DynptrAccess::Full
    }

    /// Whether metadata lie at the start of the buffer, behind `xdp_frame`.
    fn at_head_start(&self) -> bool {
        false
    }

    /// How metadata are kept outside of the buffer, in designs that do so.
    fn outside(&self) -> Option<Outside> {
        None
    }
}

/// How metadata are kept outside of the packet's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// An extension of the skb, which `napi_reuse_skb()` drops (`skb_ext_reset()`); else a map, which hears of no reuse.
    pub in_extension: bool,
    /// Allocations of the first write.
    pub allocations: u64,
    /// What a clone gets.
    pub on_clone: OnClone,
    /// What `skb_scrub_packet()` does.
    pub on_scrub: OnScrub,
    /// What the end of the skb does.
    pub on_free: OnFree,
}

/// The decision of `bpf_skb_meta_realign()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realign {
    /// Nothing to do.
    Nothing,
    /// Move the metadata `gap` bytes up, against the MAC header.
    MoveUp {
        /// Bytes.
        gap: u32,
    },
    /// The metadata end lies past the MAC header: warn and clear.
    WarnAndClear,
}

/// The decision of `skb_data_move()`. Packet bytes move in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataMove {
    /// The metadata, if any, stay where they are.
    PacketOnly,
    /// The metadata lie against the packet and move with it.
    Together {
        /// Where they end before the move, offset from `head`.
        end: u32,
    },
    /// They move to the very top of the buffer, out of the way of what is pushed.
    ToHead {
        /// Where they end before the move, offset from `head`.
        end: u32,
    },
    /// They can't be kept: warn and clear.
    WarnAndClear {
        /// The kernel's warning.
        warning: &'static str,
    },
}
