//! Linux 6.19 to 7.2: metadata are the bytes in front of the MAC header.

use super::{MetadataDesign, Realign};
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
