//! Where metadata live. One file a design, one trait for all: [`MetadataDesign`] holds every place
//! where designs differ and nothing else. The stack is written once.

mod mac_header;
mod meta_end;

use crate::bpf::{Facts, Prologue};
use crate::skb::{SharedInfo, SkBuff};

pub use mac_header::MacHeader;
pub use meta_end::MetaEnd;

/// Every decision of the kernel that depends on where metadata live.
pub trait MetadataDesign {
    /// Name in addresses, files and tables.
    fn name(&self) -> &'static str;

    /// `skb_metadata_end()`: offset from `head`, bytes; `None` when the design's anchor is not set.
    fn metadata_end(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Option<u32>;

    /// `skb_metadata_set()`: `len` bytes of metadata lie in front of the packet.
    fn metadata_set(&self, skb: &SkBuff, shinfo: &mut SharedInfo, len: u8);

    /// Whether `skb_metadata_set()` must be called while `data` is at the MAC header, because the
    /// design records the place at the time of the call (series v3, patches 1–9: the driver contract).
    fn set_at_mac_header(&self) -> bool;

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

/// The designs that this version simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DesignName {
    /// Linux 7.2: metadata end where the MAC header begins.
    MacHeader,
    /// Series v3: a `meta_end` field in `skb_shared_info`.
    MetaEnd,
}

impl DesignName {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::MacHeader, Self::MetaEnd];

    /// The design itself.
    #[must_use]
    pub fn design(self) -> &'static dyn MetadataDesign {
        match self {
            Self::MacHeader => &MacHeader,
            Self::MetaEnd => &MetaEnd,
        }
    }

    /// The name in addresses and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.design().name()
    }

    /// By name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|design| design.as_str() == name)
    }
}
