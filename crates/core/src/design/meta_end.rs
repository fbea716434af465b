//! Series v3 (`[PATCH bpf-next v3 00/17] Decouple skb metadata tracking from MAC header offset`):
//! `u16 meta_end` in `skb_shared_info`, an offset from `head`.

use super::{DataMove, MetadataDesign, Realign};
use crate::bpf::{Facts, Prologue};
use crate::skb::{SharedInfo, SkBuff};

/// `skb_metadata_end()` = `head + meta_end` (patch 10).
#[derive(Debug, Clone, Copy)]
pub struct MetaEnd;

impl MetadataDesign for MetaEnd {
    fn name(&self) -> &'static str {
        "meta_end"
    }

    fn metadata_end(&self, _: &SkBuff, shinfo: &SharedInfo) -> Option<u32> {
        Some(u32::from(shinfo.meta_end))
    }

    /// Patch 10: records `skb_headroom()` at the time of the call.
    fn metadata_set(&self, skb: &SkBuff, shinfo: &mut SharedInfo, len: u8) {
        shinfo.meta_len = len;
        shinfo.meta_end = skb.headroom() as u16;
    }

    /// Patches 7 and 9.
    fn set_at_mac_header(&self) -> bool {
        true
    }

    /// Patch 10: `meta_end += nhead`, always.
    fn expand_head(&self, shinfo: &mut SharedInfo, nhead: u32) {
        shinfo.meta_end = shinfo.meta_end.wrapping_add(nhead as u16);
    }

    /// Patch 16, `skb_data_move()`: metadata against the packet move with it; over a gap they stay on a
    /// pull, and go to the top of the buffer on a push.
    fn data_move(&self, skb: &SkBuff, shinfo: &SharedInfo, len: i32) -> DataMove {
        let (meta_len, end) = (u32::from(shinfo.meta_len), u32::from(shinfo.meta_end));
        if meta_len == 0 {
            DataMove::PacketOnly
        } else if meta_len > skb.headroom() {
            DataMove::WarnAndClear {
                warning: "skb headroom smaller than metadata",
            }
        } else if i64::from(end) + i64::from(len) == i64::from(skb.data) {
            DataMove::Together { end }
        } else if len < 0 {
            DataMove::ToHead { end }
        } else {
            DataMove::PacketOnly
        }
    }

    fn moved_to(&self, shinfo: &mut SharedInfo, end: u32) {
        shinfo.meta_end = end as u16;
    }

    /// Patch 10 deletes the memmove: a 4-byte gap stays.
    fn untag_moves_metadata(&self) -> bool {
        false
    }

    /// Patch 16: realign runs in front of unclone.
    fn prologue(&self, facts: Facts) -> Prologue {
        Prologue {
            realign: facts.loads_data_meta,
            unclone: facts.writes_packet,
        }
    }

    /// Patch 16.
    fn realign(&self, skb: &SkBuff, shinfo: &SharedInfo) -> Realign {
        let gap = i32::from(skb.mac_header) - i32::from(shinfo.meta_end);
        match gap {
            _ if shinfo.meta_len == 0 => Realign::Nothing,
            0 => Realign::Nothing,
            1.. => Realign::MoveUp {
                gap: gap.unsigned_abs(),
            },
            _ => Realign::WarnAndClear,
        }
    }

    fn meta_end_field(&self, shinfo: &SharedInfo) -> Option<u32> {
        Some(u32::from(shinfo.meta_end))
    }

    /// The field fills half of a 4-byte hole; the structure keeps its size (patch 10).
    fn structure_bytes(&self) -> u64 {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{BufferNo, SkbNo};

    fn packet(mac_header: u16) -> SkBuff {
        let mut skb = SkBuff::new(SkbNo(1), BufferNo(1));
        skb.mac_header = mac_header;
        skb
    }

    /// patch-series.md 6b: GRE decap, mac_header 294, meta_end 256 → gap 38.
    #[test]
    fn the_gap_after_gre_decap_is_38_bytes() {
        let shinfo = SharedInfo {
            meta_len: 4,
            meta_end: 256,
            ..SharedInfo::default()
        };
        assert_eq!(
            MetaEnd.realign(&packet(294), &shinfo),
            Realign::MoveUp { gap: 38 }
        );
        assert_eq!(MetaEnd.metadata_end(&packet(294), &shinfo), Some(256));
    }

    /// 6b: realign with length 0 or gap 0 does nothing.
    #[test]
    fn nothing_to_realign() {
        let none = SharedInfo {
            meta_len: 0,
            meta_end: 256,
            ..SharedInfo::default()
        };
        assert_eq!(MetaEnd.realign(&packet(294), &none), Realign::Nothing);
        let aligned = SharedInfo {
            meta_len: 4,
            meta_end: 256,
            ..SharedInfo::default()
        };
        assert_eq!(MetaEnd.realign(&packet(256), &aligned), Realign::Nothing);
    }

    /// 6b: header pushed below `meta_end`.
    #[test]
    fn negative_gap_warns_and_clears() {
        let shinfo = SharedInfo {
            meta_len: 4,
            meta_end: 256,
            ..SharedInfo::default()
        };
        assert_eq!(
            MetaEnd.realign(&packet(232), &shinfo),
            Realign::WarnAndClear
        );
    }

    fn after(data: u32, meta_end: u16, len: i32) -> DataMove {
        let mut skb = packet(0);
        skb.data = data;
        let shinfo = SharedInfo {
            meta_len: 4,
            meta_end,
            ..SharedInfo::default()
        };
        MetaEnd.data_move(&skb, &shinfo, len)
    }

    /// 6b: aligned push/pull by helper: same bytes as mainline, `meta_end` follows.
    #[test]
    fn aligned_metadata_move_with_the_packet() {
        assert_eq!(after(242, 256, -14), DataMove::Together { end: 256 });
        assert_eq!(after(264, 256, 8), DataMove::Together { end: 256 });
    }

    /// 6b: pull over a gap: metadata stay. Push helper over a gap: metadata jump to `head`, even for 1 byte.
    #[test]
    fn metadata_behind_a_gap_stay_or_jump_to_head() {
        assert_eq!(after(302, 256, 8), DataMove::PacketOnly);
        assert_eq!(after(293, 256, -1), DataMove::ToHead { end: 256 });
    }

    /// 6b: BPF LWT `change_head` with `data` at L3: no warning, no loss (mainline: warns and clears).
    #[test]
    fn push_from_the_network_header_loses_nothing() {
        assert_eq!(after(256, 256, -14), DataMove::ToHead { end: 256 });
    }

    /// patch-series.md section 3, table of `skb_data_move()`: `L > headroom` after the move.
    #[test]
    fn metadata_longer_than_the_headroom_are_cleared() {
        assert!(matches!(after(2, 6, -4), DataMove::WarnAndClear { .. }));
    }

    /// 6b: called before the pull `meta_end` is L too low, after `eth_type_trans()` 14 too high.
    #[test]
    fn set_records_the_headroom_at_the_time_of_the_call() {
        let mut shinfo = SharedInfo::default();
        let mut skb = packet(256);
        skb.reserve(270);
        MetaEnd.metadata_set(&skb, &mut shinfo, 4);
        assert_eq!(shinfo.meta_end, 270);
    }
}
