//! Linux 6.19 to 7.2: metadata are the bytes in front of the MAC header.

use super::{DataMove, MetadataDesign, Realign};
use crate::bpf::{Facts, Prologue};
use crate::skb::{SharedInfo, SkBuff, header};

/// `skb_metadata_end()` = `head + mac_header` (`include/linux/skbuff.h`). Only the length is stored.
#[derive(Debug, Clone, Copy)]
pub struct MacHeader;

impl MetadataDesign for MacHeader {
    fn name(&self) -> &'static str {
        "mac_header"
    }

    fn metadata_end(&self, skb: &SkBuff, _: &SharedInfo) -> Option<u32> {
        header(skb.mac_header)
    }

    fn metadata_set(&self, _: &SkBuff, shinfo: &mut SharedInfo, len: u8) {
        shinfo.meta_len = len;
    }

    fn set_at_mac_header(&self) -> bool {
        false
    }

    fn expand_head(&self, _: &mut SharedInfo, _: u32) {}

    /// `skb_data_move()` (`include/linux/skbuff.h`, 6.19): metadata must have ended at the old `data`,
    /// and must fit in front of the new one. The warning is a `WARN_ON_ONCE()`; it has no text.
    fn data_move(&self, skb: &SkBuff, shinfo: &SharedInfo, len: i32) -> DataMove {
        let meta_len = u32::from(shinfo.meta_len);
        if meta_len == 0 {
            return DataMove::PacketOnly;
        }
        match header(skb.mac_header) {
            Some(end)
                if i64::from(end) + i64::from(len) == i64::from(skb.data)
                    && meta_len <= skb.headroom() =>
            {
                DataMove::Together { end }
            }
            _ => DataMove::WarnAndClear {
                warning: "WARNING: include/linux/skbuff.h skb_data_move",
            },
        }
    }

    /// The caller moves `mac_header`, and the metadata are there by definition.
    fn moved_to(&self, _: &mut SharedInfo, _: u32) {}

    /// The memmove keeps them against the MAC header.
    fn untag_moves_metadata(&self) -> bool {
        true
    }

    fn prologue(&self, facts: Facts) -> Prologue {
        Prologue {
            realign: false,
            unclone: facts.writes_packet,
        }
    }

    fn realign(&self, _: &SkBuff, _: &SharedInfo) -> Realign {
        Realign::Nothing
    }

    fn meta_end_field(&self, _: &SharedInfo) -> Option<u32> {
        None
    }

    fn structure_bytes(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{BufferNo, SkbNo};

    fn after(data: u32, mac_header: u16, meta_len: u8, len: i32) -> DataMove {
        let mut skb = SkBuff::new(SkbNo(1), BufferNo(1));
        skb.data = data;
        skb.mac_header = mac_header;
        let shinfo = SharedInfo {
            meta_len,
            ..SharedInfo::default()
        };
        MacHeader.data_move(&skb, &shinfo, len)
    }

    /// patch-series.md 6a: vlan_push, adjust_room, change_head keep value and adjacency (headroom 256, L = 4).
    #[test]
    fn metadata_in_front_of_the_packet_move_with_it() {
        assert_eq!(after(252, 256, 4, -4), DataMove::Together { end: 256 });
        assert_eq!(after(264, 256, 4, 8), DataMove::Together { end: 256 });
        assert_eq!(after(252, 256, 0, -4), DataMove::PacketOnly);
    }

    /// 6a: `skb_data_move()` with metadata not at the old `data`: one-time warning, metadata cleared.
    #[test]
    fn metadata_elsewhere_are_cleared() {
        // BPF LWT change_head: `data` at L3 while `mac_header` is still the old L2 header
        let moved = after(256, 256, 4, -14);
        assert!(matches!(moved, DataMove::WarnAndClear { .. }));
    }

    /// 6a: headroom after push < L: one-time warning, cleared (headroom 6, push 4, L 4).
    #[test]
    fn metadata_that_do_not_fit_in_front_are_cleared() {
        let moved = after(2, 6, 4, -4);
        assert!(matches!(moved, DataMove::WarnAndClear { .. }));
    }
}
