//! A design that does what a [`Policy`] says.

use super::policy::{
    DataMetaPrologue, DriverSet, DynptrAccess, End, Helpers, OnDecap, OnEncap, OnExpand, OnLwt,
    OnUntag, Policy, Store,
};
use super::{DataMove, MacHeader, MetaEnd, MetadataDesign, Outside, Realign};
use crate::bpf::{Facts, Prologue};
use crate::skb::{SharedInfo, SkBuff, header};
use crate::xdp::XDP_FRAME_SIZE;

/// Bytes of `struct trait_hdr`: two u64.
pub const TRAITS_HEADER: u32 = 16;
/// Where the values of traits begin: behind `xdp_frame` and their header, offset from `head`.
pub const TRAITS_START: u32 = XDP_FRAME_SIZE + TRAITS_HEADER;

/// A policy with a name.
#[derive(Debug, Clone, Copy)]
pub struct ByPolicy {
    /// Name in addresses, files and tables.
    pub name: &'static str,
    /// What it does.
    pub policy: Policy,
    /// Bytes it adds to kernel structures, per packet.
    pub structure_bytes: u64,
}

impl MetadataDesign for ByPolicy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn metadata_end(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Option<u32> {
        match self.policy.end {
            End::MacHeader => header(skb.mac_header),
            End::Field => Some(u32::from(shinfo.meta_end)),
            End::HeadStart => Some(TRAITS_START + u32::from(shinfo.meta_len)),
            End::Outside => None,
        }
    }

    fn metadata_set(&self, skb: &SkBuff, shinfo: &mut SharedInfo, len: u8) {
        match self.policy.end {
            End::Field => MetaEnd.metadata_set(skb, shinfo, len),
            End::MacHeader | End::HeadStart | End::Outside => shinfo.meta_len = len,
        }
    }

    fn set_at_mac_header(&self) -> bool {
        self.policy.end == End::Field
    }

    fn veth_sets_at_mac_header(&self) -> bool {
        self.policy.end == End::Field && self.policy.driver == DriverSet::AtMacHeader
    }

    fn expand_head(&self, shinfo: &mut SharedInfo, nhead: u32) {
        if self.policy.on_expand == OnExpand::Clear {
            shinfo.meta_len = 0;
        }
        if self.policy.end == End::Field {
            MetaEnd.expand_head(shinfo, nhead);
        }
    }

    fn expand_moves_to_head(&self) -> bool {
        self.policy.end == End::HeadStart
    }

    fn data_move(&self, skb: &SkBuff, shinfo: &SharedInfo, len: i32) -> DataMove {
        match (self.policy.helpers, self.policy.end) {
            (Helpers::Leave, _) | (_, End::HeadStart | End::Outside) => DataMove::PacketOnly,
            (Helpers::MoveOrClear, End::MacHeader) => MacHeader.data_move(skb, shinfo, len),
            (Helpers::MoveOrClear, End::Field) => match MetaEnd.data_move(skb, shinfo, len) {
                DataMove::ToHead { .. } | DataMove::PacketOnly if shinfo.meta_len > 0 => {
                    DataMove::WarnAndClear {
                        warning: "WARNING: include/linux/skbuff.h skb_data_move",
                    }
                }
                other => other,
            },
            (Helpers::MoveOrGap, _) => MetaEnd.data_move(skb, shinfo, len),
        }
    }

    fn moved_to(&self, shinfo: &mut SharedInfo, end: u32) {
        if self.policy.end == End::Field {
            MetaEnd.moved_to(shinfo, end);
        }
    }

    fn untag_moves_metadata(&self) -> bool {
        let against_the_frame = matches!(self.policy.end, End::MacHeader | End::Field);
        against_the_frame && self.policy.on_untag == OnUntag::Move
    }

    fn prologue(&self, facts: Facts) -> Prologue {
        match self.policy.prologue {
            DataMetaPrologue::Realign => MetaEnd.prologue(facts),
            DataMetaPrologue::None => MacHeader.prologue(facts),
        }
    }

    fn realign(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Realign {
        match self.policy.prologue {
            DataMetaPrologue::Realign => MetaEnd.realign(skb, shinfo),
            DataMetaPrologue::None => Realign::Nothing,
        }
    }

    fn meta_end_field(&self, shinfo: &SharedInfo) -> Option<u32> {
        (self.policy.end == End::Field).then(|| u32::from(shinfo.meta_end))
    }

    fn structure_bytes(&self) -> u64 {
        self.structure_bytes
    }

    fn on_decap(&self) -> OnDecap {
        self.policy.on_decap
    }

    fn on_encap(&self) -> OnEncap {
        self.policy.on_encap
    }

    fn lwt_clears(&self) -> bool {
        self.policy.on_lwt == OnLwt::Clear
    }

    fn helpers_ask_for_metadata_room(&self) -> bool {
        self.policy.helpers != Helpers::Leave
    }

    /// The byte buffer of August 2026 has tests for cgroups, socket filters, netfilter and LWT (patch-series.md,
    /// section 5).
    fn dynptr_everywhere(&self) -> bool {
        self.policy.end == End::Outside && self.policy.store == Store::Extension
    }

    fn dynptr(&self) -> DynptrAccess {
        self.policy.dynptr
    }

    fn at_head_start(&self) -> bool {
        self.policy.end == End::HeadStart
    }

    fn outside(&self) -> Option<Outside> {
        (self.policy.end == End::Outside).then_some(Outside {
            in_extension: self.policy.store != Store::Map,
            allocations: match self.policy.store {
                Store::Extension | Store::Map => 1,
                Store::LocalStorage => 3,
            },
            on_clone: self.policy.on_clone,
            on_scrub: self.policy.on_scrub,
            on_free: self.policy.on_free,
        })
    }
}
