//! Whose buffer it is: clones, and what makes a buffer one's own (`include/linux/skbuff.h`, `net/core/skbuff.c`).

use super::{Kernel, Run};
use crate::skb::NET_SKB_PAD;
use crate::trace::SkbNo;

const FILE: &str = "net/core/skbuff.c";
/// `-ENOMEM`.
pub(super) const ENOMEM: i64 = -12;

impl Kernel {
    /// `skb_shared()`: somebody else holds this very skb.
    pub(super) fn skb_shared(&self, no: SkbNo) -> bool {
        self.skb(no).users != 1
    }

    /// `skb_cloned()`: another skb uses the buffer. The flag alone says only that it was cloned once.
    pub(super) fn skb_cloned(&self, no: SkbNo) -> bool {
        let skb = self.skb(no);
        skb.cloned && self.buffers.get(skb.head).dataref != 1
    }

    /// `skb_header_cloned()`. No sender here gives up its reference to the headers
    /// (`__skb_header_release()`, as TCP does), so it equals [`Kernel::skb_cloned`].
    pub(super) fn skb_header_cloned(&self, no: SkbNo) -> bool {
        self.skb_cloned(no)
    }

    /// `skb_clone()`: another skb for the same buffer.
    pub(super) fn skb_clone(&mut self, no: SkbNo) -> Run<SkbNo> {
        let mut clone = no;
        self.traced("skb_clone", FILE, no, |k| {
            let head = k.skb(no).head;
            clone = k.new_skb_of_slab(head);
            k.skb_mut(no).cloned = true;
            let mut copy = k.skb(no).clone();
            (copy.no, copy.users) = (clone, 1);
            *k.skb_mut(clone) = copy;
            *k.buffers.dataref_mut(head) += 1;
            k.metadata_cloned(no, clone);
            Ok(Some(clone))
        })?;
        Ok(clone)
    }

    /// `__skb_cow()`: at least `headroom` bytes in front, and a buffer of one's own.
    pub(super) fn __skb_cow(&mut self, no: SkbNo, headroom: u32, cloned: bool) -> Run<()> {
        let delta = headroom.saturating_sub(self.skb(no).headroom());
        if delta > 0 || cloned {
            self.pskb_expand_head(no, delta.next_multiple_of(NET_SKB_PAD), 0)?;
        }
        Ok(())
    }

    /// `skb_cow()`.
    pub(super) fn skb_cow(&mut self, no: SkbNo, headroom: u32) -> Run<()> {
        self.__skb_cow(no, headroom, self.skb_cloned(no))
    }

    /// `skb_unclone()`: a buffer of one's own.
    pub(super) fn skb_unclone(&mut self, no: SkbNo) -> Run<()> {
        if self.skb_cloned(no) {
            self.pskb_expand_head(no, 0, 0)?;
        }
        Ok(())
    }

    /// `skb_ensure_writable()`: the first `write_len` bytes are linear, and in a buffer of one's own.
    /// (`skb_clone_writable()` allows writing to a clone's first `hdr_len` bytes, which are none here.)
    pub(super) fn skb_ensure_writable(&mut self, no: SkbNo, write_len: u32) -> Run<i64> {
        self.traced("skb_ensure_writable", FILE, no, |k| {
            if !k.pskb_may_pull(no, write_len)? {
                return Ok(ENOMEM);
            }
            k.skb_unclone(no)?;
            Ok(0)
        })
    }
}
