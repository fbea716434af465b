//! XDP over a frame in more than one buffer (`net/core/filter.c`, `include/net/xdp.h`). The fragments are in the shared
//! info at the end of the first buffer, where an skb that is built around it has them too.

use super::Kernel;
use super::programs::xdp_frags_section;
use crate::scenario::topology::{DevId, ProgId};
use crate::skb::{SHARED_INFO_SIZE, Stretch, eat};
use crate::trace::{BufferNo, SkbNo};
use crate::xdp::{EINVAL, XDP_FRAME_SIZE, XdpBuff};

/// `-EOPNOTSUPP`.
const EOPNOTSUPP: i64 = -95;
/// `ETH_HLEN`.
const ETH_HLEN: u32 = 14;

impl Kernel {
    /// `prog->aux->xdp_has_frags`: the program's section is `xdp.frags`.
    pub(super) fn xdp_has_frags(&self, program: ProgId) -> bool {
        self.section_of(program).is_some_and(xdp_frags_section)
    }

    /// `xdp_frags_size`: bytes in the fragments behind a buffer.
    pub(super) fn xdp_frags_size(&self, head: BufferNo) -> u32 {
        let frags = self.buffers.get(head).frags.iter();
        frags.map(|frag| frag.size).sum()
    }

    /// `xdp_get_buff_len()`.
    pub(super) fn xdp_get_buff_len(&self, xdp: &XdpBuff) -> u32 {
        (xdp.data_end - xdp.data) + self.xdp_frags_size(xdp.head)
    }

    /// Where bytes of the frame lie (`bpf_xdp_copy_buf()`).
    pub(super) fn xdp_stretches(&self, xdp: &XdpBuff, mut offset: u32, len: u32) -> Vec<Stretch> {
        let linear = Stretch {
            buffer: xdp.head,
            at: xdp.data,
            len: xdp.data_end - xdp.data,
        };
        let frags = self.buffers.get(xdp.head).frags.iter();
        let frags = frags.map(|frag| Stretch {
            buffer: frag.page,
            at: frag.offset,
            len: frag.size,
        });
        let (mut left, mut found) = (len, Vec::new());
        for part in std::iter::once(linear).chain(frags) {
            let skipped = offset.min(part.len);
            offset -= skipped;
            let len = (part.len - skipped).min(left);
            left -= len;
            if len > 0 {
                found.push(Stretch {
                    at: part.at + skipped,
                    len,
                    ..part
                });
            }
        }
        found
    }

    /// `bpf_xdp_frags_increase_tail()`: the last fragment grows, in a page whose size the driver has said. Gives where the
    /// new bytes are.
    pub(super) fn xdp_frags_increase_tail(
        &mut self,
        xdp: &XdpBuff,
        more: u32,
    ) -> Result<Option<Stretch>, i64> {
        if xdp.frag_size == 0 || xdp.frag_size > xdp.frame_sz {
            return Err(EOPNOTSUPP);
        }
        let frag_size = xdp.frag_size;
        let Some(frag) = self.buffers.frags_mut(xdp.head).last_mut() else {
            return Ok(None);
        };
        let tailroom = frag_size.saturating_sub(frag.size + frag.offset % frag_size);
        if more > tailroom {
            return Err(EINVAL);
        }
        let grown = Stretch {
            buffer: frag.page,
            at: frag.offset + frag.size,
            len: more,
        };
        frag.size += more;
        Ok(Some(grown))
    }

    /// `bpf_xdp_frags_shrink_tail()`: from the last fragment on, then from the linear part.
    pub(super) fn xdp_frags_shrink_tail(
        &mut self,
        xdp: &mut XdpBuff,
        less: u32,
    ) -> Result<(), i64> {
        if less > self.xdp_get_buff_len(xdp).saturating_sub(ETH_HLEN) {
            return Err(EINVAL);
        }
        let mut left = less;
        let mut gone = Vec::new();
        let frags = self.buffers.frags_mut(xdp.head);
        while let Some(frag) = frags.last_mut().filter(|_| left > 0) {
            let shrink = left.min(frag.size);
            left -= shrink;
            frag.size -= shrink;
            if frag.size > 0 {
                break;
            }
            gone.extend(frags.pop());
        }
        if frags.is_empty() {
            xdp.data_end -= left;
        }
        for frag in gone {
            self.put_page(frag.page);
        }
        Ok(())
    }

    /// `bpf_xdp_pull_data()`: the first `len` bytes of the frame are linear afterwards. Where the room behind them does not
    /// suffice, metadata and packet move down into the headroom.
    pub(super) fn bpf_xdp_pull_data(&mut self, xdp: &mut XdpBuff, len: u32) -> i64 {
        let linear = xdp.data_end - xdp.data;
        if len <= linear {
            return 0;
        }
        let start = xdp.data_meta.min(xdp.data);
        let headroom = start.saturating_sub(XDP_FRAME_SIZE);
        let tailroom = xdp.data_hard_end().saturating_sub(xdp.data_end);
        let delta = len - linear;
        if len > self.xdp_get_buff_len(xdp) || delta > tailroom + headroom {
            return EINVAL;
        }
        let shift = delta.saturating_sub(tailroom);
        if shift > 0 {
            let moved = xdp.data_end - start;
            self.buffers.memmove(xdp.head, start, start - shift, moved);
            self.recorder.trace.cost.metadata_bytes_moved += u64::from(xdp.data - start);
            xdp.data_meta -= shift;
            xdp.data -= shift;
            xdp.data_end -= shift;
        }
        for part in self.xdp_stretches(xdp, xdp.data_end - xdp.data, delta) {
            self.buffers
                .memcpy(xdp.head, xdp.data_end, part.buffer, part.at, part.len);
            xdp.data_end += part.len;
        }
        for frag in eat(self.buffers.frags_mut(xdp.head), delta) {
            self.put_page(frag.page);
        }
        0
    }

    /// What `veth_xdp_rcv_skb()` and `bpf_prog_run_generic_xdp()` do after the program: the skb follows
    /// `bpf_xdp_adjust_tail()`. `skb_set_tail_pointer()` counts from `skb->data`, which in generic mode is behind the
    /// MAC header already: there `tail` is that much too high, and only `len` is right.
    pub(super) fn skb_follows_xdp(&mut self, no: SkbNo, xdp: &XdpBuff, before: &XdpBuff) {
        let frags = self.xdp_frags_size(xdp.head);
        let skb = self.skb_mut(no);
        skb.len -= skb.data_len;
        skb.data_len = frags;
        skb.len += frags;
        if xdp.data_end != before.data_end {
            skb.tail = skb.data + (xdp.data_end - xdp.data);
            let by = xdp.data_end as i32 - before.data_end as i32;
            skb.len = skb.len.saturating_add_signed(by);
        }
    }

    /// `xdp_update_skb_frags_info()`: an skb that was built around the first buffer has the fragments too.
    pub(super) fn xdp_update_skb_frags_info(&mut self, no: SkbNo) {
        let frags = self.xdp_frags_size(self.skb(no).head);
        let skb = self.skb_mut(no);
        skb.len += frags;
        skb.data_len += frags;
    }

    /// `veth_xdp_set()`: the longest frame that a program can be given. `Err`: what Linux says.
    pub(super) fn veth_xdp_set(&self, peer: DevId, frags: bool) -> Result<(), String> {
        const PAGE: u32 = crate::skb::PAGE_SIZE;
        let device = self.topology.dev(peer);
        let room = PAGE - crate::xdp::XDP_PACKET_HEADROOM - SHARED_INFO_SIZE;
        let mut max_mtu = room - device.hard_header_len;
        if frags {
            max_mtu += PAGE * crate::skb::MAX_SKB_FRAGS as u32;
        }
        if device.mtu <= max_mtu {
            return Ok(());
        }
        Err(format!(
            "the MTU of the other end, {}, is {}; {max_mtu} is the most, so Linux answers *Numerical result out of \
             range* (ERANGE){}",
            device.name,
            device.mtu,
            if frags {
                ""
            } else {
                ". A program in a section `xdp.frags` may see longer frames"
            },
        ))
    }
}
