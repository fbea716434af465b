//! `bpf_skb_change_head()` and `bpf_skb_change_tail()`.

use super::{BPF_SKB_MAX_LEN, EINVAL, ENOTSUPP, FILE};
use crate::skb::{CHECKSUM_NONE, CHECKSUM_PARTIAL, NOT_SET, SkBuff};
use crate::stack::{Kernel, Run};
use crate::trace::SkbNo;

impl Kernel {
    /// `bpf_skb_change_head()`: room in front, and the MAC header there; metadata move along.
    pub(in crate::stack) fn bpf_skb_change_head(
        &mut self,
        no: SkbNo,
        head_room: u32,
        flags: u64,
    ) -> Run<i64> {
        self.traced("bpf_skb_change_head", FILE, no, |k| {
            let ret = k.__bpf_skb_change_head(no, head_room, flags)?;
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }

    fn __bpf_skb_change_head(&mut self, no: SkbNo, head_room: u32, flags: u64) -> Run<i64> {
        let skb = self.skb(no);
        let new_len = skb.len.checked_add(head_room);
        let gso = self.buffers.get(skb.head).shinfo.gso_size != 0;
        let negative = head_room > i32::MAX as u32;
        if flags != 0 || negative || !new_len.is_some_and(|len| gso || len <= BPF_SKB_MAX_LEN) {
            return Ok(EINVAL);
        }
        let meta_len = self.room_for_metadata(no);
        self.skb_cow(no, meta_len + head_room)?;
        self.skb_mut(no).push(head_room)?;
        self.skb_postpush_data_move(no, head_room, 0)?;
        self.zero(no, self.skb(no).data, head_room, "bpf_skb_change_head");
        let skb = self.skb_mut(no);
        skb.reset_mac_header();
        skb.reset_mac_len();
        Ok(0)
    }

    /// `bpf_skb_change_tail()`: the packet gets longer or shorter at its end.
    pub(in crate::stack) fn bpf_skb_change_tail(
        &mut self,
        no: SkbNo,
        new_len: u32,
        flags: u64,
    ) -> Run<i64> {
        self.traced("bpf_skb_change_tail", FILE, no, |k| {
            let ret = k.__bpf_skb_change_tail(no, new_len, flags)?;
            k.bpf_compute_data_pointers(no);
            Ok(ret)
        })
    }

    fn __bpf_skb_change_tail(&mut self, no: SkbNo, new_len: u32, flags: u64) -> Run<i64> {
        let skb = self.skb(no);
        if flags != 0 || new_len > BPF_SKB_MAX_LEN || new_len < min_len(skb) {
            return Ok(EINVAL);
        }
        if skb.encapsulation {
            return Ok(ENOTSUPP);
        }
        let len = skb.len;
        let err = self.skb_ensure_writable(no, len)?;
        if err != 0 {
            return Ok(err);
        }
        if new_len > len {
            self.bpf_skb_grow_rcsum(no, new_len - len)?;
            self.skb_mut(no).forget_complete_checksum();
        } else if new_len < len {
            // bpf_skb_trim_rcsum(): the checksum's place is cut off
            let skb = self.skb_mut(no);
            let sum_end =
                i64::from(skb.csum_start) - i64::from(skb.data) + i64::from(skb.csum_offset) + 2;
            if skb.ip_summed == CHECKSUM_PARTIAL && i64::from(new_len) < sum_end {
                skb.ip_summed = CHECKSUM_NONE;
            }
            // __skb_trim_rcsum() of a packet that is linear now
            self.pskb_trim(no, new_len)?;
            let skb = self.skb_mut(no);
            skb.forget_complete_checksum();
        }
        let head = self.skb(no).head;
        self.buffers.shinfo_mut(head).gso_reset();
        Ok(0)
    }

    /// `bpf_skb_grow_rcsum()`: `more` zero bytes at the end. `__skb_grow()` expands the head when the tailroom is
    /// too small; the buffer then gets that many bytes behind.
    fn bpf_skb_grow_rcsum(&mut self, no: SkbNo, more: u32) -> Run<()> {
        let tailroom = self
            .skb(no)
            .tailroom(self.buffers.get(self.skb(no).head).end());
        if more > tailroom {
            self.pskb_expand_head(no, 0, more - tailroom)?;
        }
        let tail = self.skb(no).tail;
        self.skb_mut(no).put(more);
        self.zero(no, tail, more, "bpf_skb_change_tail");
        Ok(())
    }
}

/// `__bpf_skb_min_len()`: a packet keeps the headers in front of the last one that is known.
fn min_len(skb: &SkBuff) -> u32 {
    let network = skb.network_offset().max(0);
    let transport = i32::from(skb.transport_header) - skb.data as i32;
    if skb.transport_header != NOT_SET && transport > 0 {
        transport as u32
    } else {
        network as u32
    }
}
