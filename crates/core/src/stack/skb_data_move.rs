//! `skb_data_move()` and its two callers (`include/linux/skbuff.h`, 6.19): the headers in front of a hole or of
//! new room move, and the metadata with them.

use super::{Kernel, Run};
use crate::design::DataMove;
use crate::trace::SkbNo;

const FILE: &str = "include/linux/skbuff.h";

impl Kernel {
    /// `skb_postpull_data_move()`: after a pull of `len` bytes, the `n` bytes that were in front move up.
    pub(super) fn skb_postpull_data_move(&mut self, no: SkbNo, len: u32, n: u32) -> Run<()> {
        self.skb_data_move(no, len as i32, n)
    }

    /// `skb_postpush_data_move()`: after a push of `len` bytes, the `n` bytes in front move down.
    pub(super) fn skb_postpush_data_move(&mut self, no: SkbNo, len: u32, n: u32) -> Run<()> {
        self.skb_data_move(no, -(len as i32), n)
    }

    /// `skb_data_move()`: the design says what becomes of the metadata.
    fn skb_data_move(&mut self, no: SkbNo, len: i32, n: u32) -> Run<()> {
        self.traced("skb_data_move", FILE, no, |k| {
            let (skb, shinfo) = (k.skb(no), k.buffers.get(k.skb(no).head).shinfo);
            let (head, data, meta_len) = (skb.head, skb.data, u32::from(shinfo.meta_len));
            if len == 0 || (n == 0 && meta_len == 0) {
                return Ok(());
            }
            let before = data.saturating_add_signed(-len);
            match k.design.data_move(skb, &shinfo, len) {
                DataMove::PacketOnly => k.buffers.memmove(head, before, data, n),
                DataMove::Together { end } => {
                    let start = end.saturating_sub(meta_len);
                    let to = start.saturating_add_signed(len);
                    k.buffers.memmove(head, start, to, meta_len + n);
                    k.metadata_moved(no, start, len, to + meta_len);
                }
                DataMove::ToHead { end } => {
                    let start = end.saturating_sub(meta_len);
                    k.buffers.memmove(head, start, 0, meta_len);
                    k.metadata_moved(no, start, -(start as i32), meta_len);
                    k.buffers.memmove(head, before, data, n);
                }
                DataMove::WarnAndClear { warning } => {
                    k.warn_once(warning);
                    k.skb_metadata_clear(no);
                    k.buffers.memmove(head, before, data, n);
                }
            }
            Ok(())
        })
    }

    fn metadata_moved(&mut self, no: SkbNo, start: u32, by: i32, end: u32) {
        let head = self.skb(no).head;
        let meta_len = self.buffers.get(head).shinfo.meta_len;
        self.design.moved_to(self.buffers.shinfo_mut(head), end);
        self.judge.moved_metadata(head, start, by);
        self.recorder.trace.cost.metadata_bytes_moved += u64::from(meta_len);
    }
}
