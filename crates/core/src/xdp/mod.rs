//! `struct xdp_buff` and what XDP helpers do to it. Offsets are bytes from `data_hard_start`.

use crate::skb::SHARED_INFO_SIZE;
use crate::trace::{BufferNo, SkbNo, XdpFields};

/// `sizeof(struct xdp_frame)`, bytes: the part of the headroom that metadata may not use
/// (`xdp_hard_start + sizeof(struct xdp_frame)` in `bpf_xdp_adjust_meta()`), so 256 bytes of
/// headroom hold 216 bytes of metadata.
pub const XDP_FRAME_SIZE: u32 = 40;
/// `XDP_PACKET_HEADROOM`, bytes.
pub const XDP_PACKET_HEADROOM: u32 = 256;
/// `ETH_HLEN`, bytes: the least that `bpf_xdp_adjust_head()` leaves.
const ETH_HLEN: u32 = 14;

/// `-EINVAL`.
pub const EINVAL: i64 = -22;
/// `-ENOTSUPP`.
pub const ENOTSUPP: i64 = -524;
/// `-EACCES`.
pub const EACCES: i64 = -13;

/// Verdicts (`enum xdp_action`).
pub mod action {
    /// `XDP_ABORTED`.
    pub const ABORTED: u64 = 0;
    /// `XDP_DROP`.
    pub const DROP: u64 = 1;
    /// `XDP_PASS`.
    pub const PASS: u64 = 2;
    /// `XDP_TX`.
    pub const TX: u64 = 3;
    /// `XDP_REDIRECT`.
    pub const REDIRECT: u64 = 4;
}

/// `struct xdp_buff`. Fragments are in the shared info of its buffer, as in an skb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XdpBuff {
    /// The buffer; `data_hard_start` is its first byte.
    pub head: BufferNo,
    /// Start of metadata; equals `data` when there are none.
    pub data_meta: u32,
    /// First byte of the packet.
    pub data: u32,
    /// First byte behind the packet.
    pub data_end: u32,
    /// Size of the buffer, shared info included, bytes.
    pub frame_sz: u32,
    /// `rxq->frag_size`: size of the page each fragment is in, or 0 where the driver does not say it; then the last
    /// fragment can't grow.
    pub frag_size: u32,
    /// The packet behind it, where the driver keeps one (`struct veth_xdp_buff`).
    pub skb: Option<SkbNo>,
}

/// What `bpf_xdp_adjust_head()` did, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadMove {
    /// Where the metadata were, offset.
    pub from: u32,
    /// Where they must go.
    pub to: u32,
    /// Bytes of metadata.
    pub len: u32,
}

impl XdpBuff {
    /// Bytes of metadata in front of the packet.
    #[must_use]
    pub fn meta_len(&self) -> u32 {
        self.data.saturating_sub(self.data_meta)
    }

    /// `xdp_set_data_meta_invalid()` (`include/net/xdp.h`): this driver has no metadata.
    pub fn set_data_meta_invalid(&mut self) {
        self.data_meta = self.data + 1;
    }

    /// The fields of a recording.
    #[must_use]
    pub fn fields(&self) -> XdpFields {
        XdpFields {
            data_meta: self.data_meta,
            data: self.data,
            data_end: self.data_end,
            frame_sz: self.frame_sz,
            fragments: Vec::new(),
        }
    }

    /// `xdp_data_hard_end()`: the shared info behind the packet stays free.
    #[must_use]
    pub fn data_hard_end(&self) -> u32 {
        self.frame_sz.saturating_sub(SHARED_INFO_SIZE)
    }

    /// `bpf_xdp_adjust_meta()` (`net/core/filter.c`): the range is asked before the length.
    ///
    /// # Errors
    /// `-ENOTSUPP` when the driver has no metadata, which it says with `data_meta` above `data`
    /// (`xdp_data_meta_unsupported()`); `-EINVAL` below the end of `xdp_frame` or above `data`; `-EACCES` when the length is no
    /// multiple of 4 or over 255 (`xdp_metalen_invalid()`).
    pub fn adjust_meta(&mut self, delta: i32) -> Result<(), i64> {
        if self.data_meta > self.data {
            return Err(ENOTSUPP);
        }
        let meta = i64::from(self.data_meta) + i64::from(delta);
        if meta < i64::from(XDP_FRAME_SIZE) || meta > i64::from(self.data) {
            return Err(EINVAL);
        }
        let meta = meta as u32;
        let len = self.data - meta;
        if !len.is_multiple_of(4) || len > 255 {
            return Err(EACCES);
        }
        self.data_meta = meta;
        Ok(())
    }

    /// `bpf_xdp_adjust_tail()` (`net/core/filter.c`) of a packet in one piece. Gives the new bytes (offset, length),
    /// which must become 0.
    ///
    /// # Errors
    /// `-EINVAL` beyond the tailroom (`xdp_data_hard_end()`: the shared info stays free) or below an Ethernet
    /// header.
    pub fn adjust_tail(&mut self, delta: i32) -> Result<Option<(u32, u32)>, i64> {
        let end = i64::from(self.data_end) + i64::from(delta);
        if end > i64::from(self.data_hard_end()) || end < i64::from(self.data + ETH_HLEN) {
            return Err(EINVAL);
        }
        let grown = (delta > 0).then_some((self.data_end, delta.unsigned_abs()));
        self.data_end = end as u32;
        Ok(grown)
    }

    /// `bpf_xdp_adjust_head()` (`net/core/filter.c`): metadata are carried along and stay adjacent.
    /// The caller does the memmove.
    ///
    /// # Errors
    /// `-EINVAL` when the metadata would reach into `xdp_frame` or less than an Ethernet header is left.
    pub fn adjust_head(&mut self, delta: i32) -> Result<HeadMove, i64> {
        let len = self.meta_len();
        let data = i64::from(self.data) + i64::from(delta);
        if data < i64::from(XDP_FRAME_SIZE + len)
            || data > i64::from(self.data_end) - i64::from(ETH_HLEN)
        {
            return Err(EINVAL);
        }
        let data = data as u32;
        let from = self.data_meta;
        // a driver without metadata keeps `data_meta` above `data`: both move alike
        let above = self.data_meta.saturating_sub(self.data);
        self.data = data;
        self.data_meta = data - len + above;
        Ok(HeadMove {
            from,
            to: self.data_meta,
            len,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> XdpBuff {
        XdpBuff {
            head: BufferNo(1),
            data_meta: 256,
            data: 256,
            data_end: 322,
            frame_sz: 704,
            frag_size: 0,
            skb: None,
        }
    }

    /// golden E1-veth-badlen-*: -3 → -EACCES; -256, -1000, 4, -255, -253 → -EINVAL; -8 then +4 → 0.
    #[test]
    fn lengths_that_are_refused() {
        let mut xdp = frame();
        assert_eq!(xdp.adjust_meta(-3), Err(EACCES));
        for delta in [-256, -1000, 4, -255, -253] {
            assert_eq!(xdp.adjust_meta(delta), Err(EINVAL), "{delta}");
        }
        assert_eq!(xdp.adjust_meta(-8), Ok(()));
        assert_eq!(xdp.adjust_meta(4), Ok(()));
        assert_eq!(xdp.data_meta, 252);
    }

    /// patch-series.md section 8: 216 bytes is the largest on veth.
    #[test]
    fn the_largest_metadata_is_216_bytes() {
        assert_eq!(frame().adjust_meta(-216), Ok(()));
        assert_eq!(frame().adjust_meta(-220), Err(EINVAL));
    }

    /// frame_sz 704 less the shared info (320) is 384: 62 bytes behind the packet; 66 bytes may go down to 14.
    #[test]
    fn adjust_tail_keeps_an_ethernet_header_and_the_shared_info() {
        let mut xdp = frame();
        assert_eq!(xdp.adjust_tail(63), Err(EINVAL));
        assert_eq!(xdp.adjust_tail(62), Ok(Some((322, 62))));
        assert_eq!(xdp.adjust_tail(-115), Err(EINVAL));
        assert_eq!(xdp.adjust_tail(-114), Ok(None));
        assert_eq!(xdp.data_end, 270);
    }

    /// golden E1-veth-head-no-room-native: 32 bytes of metadata; -200 → -EINVAL, -180 → 0, 180 → 0.
    #[test]
    fn adjust_head_keeps_metadata_adjacent() {
        let mut xdp = frame();
        assert_eq!(xdp.adjust_meta(-32), Ok(()));
        assert_eq!(xdp.adjust_head(-200), Err(EINVAL));
        assert_eq!(
            xdp.adjust_head(-180),
            Ok(HeadMove {
                from: 224,
                to: 44,
                len: 32
            })
        );
        assert_eq!((xdp.data_meta, xdp.data), (44, 76));
        assert_eq!(
            xdp.adjust_head(180),
            Ok(HeadMove {
                from: 44,
                to: 224,
                len: 32
            })
        );
    }
}
