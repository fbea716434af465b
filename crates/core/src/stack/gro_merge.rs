//! How GRO puts a packet to another one: `skb_gro_receive()` (`net/core/gro.c`).

use super::gro::GroCb;
use super::{Kernel, Run};
use crate::skb::{Frag, MAX_SKB_FRAGS};
use crate::trace::SkbNo;

/// `GRO_LEGACY_MAX_SIZE`, which is also `gro_max_size` of a device.
const LARGEST: u32 = 65_536;
/// `-E2BIG`.
const E2BIG: i64 = -7;

/// What becomes of the skb that was merged (`NAPI_GRO_CB(skb)->free`, or its place in `frag_list`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merged {
    /// It is in the list of the other one.
    Listed,
    /// `NAPI_GRO_FREE`: its fragments went over, itself and its head are of no more use.
    Emptied,
    /// `NAPI_GRO_FREE_STOLEN_HEAD`: its head is a fragment of the other one.
    StolenHead,
}

impl Kernel {
    /// `skb_gro_receive()`: the payload of `no` becomes part of `p`. Fragments go over; a head that is a page becomes one;
    /// what can be neither goes into the list. `false`: the two do not fit together.
    pub(super) fn skb_gro_receive(
        &mut self,
        p: SkbNo,
        no: SkbNo,
        len: u32,
        cb: &mut GroCb,
    ) -> Run<bool> {
        let other = self.buffers.get(self.skb(no).head).shinfo;
        let offset = cb.offset;
        let mut merged = Merged::Listed;
        let ret = self.traced("skb_gro_receive", "net/core/gro.c", p, |k| {
            if k.skb(p).len + len >= LARGEST {
                return Ok(E2BIG);
            }
            merged = k.gro_merge(p, no, offset)?;
            let skb = k.skb_mut(p);
            skb.len += len;
            skb.data_len += len;
            Ok(0)
        })?;
        if ret != 0 {
            return Ok(false);
        }
        cb.same_flow = true;
        cb.merged = Some(merged);
        if let Some(segment) = self.gro_segments.get_mut(&p) {
            segment.count += other.packets();
            segment.len += len;
        }
        Ok(true)
    }

    /// `NAPI_GRO_CB(p)->last`: the packet whose shared info gets fragments.
    fn gro_last(&self, p: SkbNo) -> SkbNo {
        let list = &self.buffers.get(self.skb(p).head).frag_list;
        list.last().copied().unwrap_or(p)
    }

    fn gro_merge(&mut self, p: SkbNo, no: SkbNo, offset: u32) -> Run<Merged> {
        let (skb, last) = (self.skb(no), self.gro_last(p));
        let (head, headlen, data, head_frag) = (skb.head, skb.headlen(), skb.data, skb.head_frag);
        let own = self.buffers.get(head).frags.len();
        let pinfo = self.skb(last).head;
        let there = self.buffers.get(pinfo).frags.len();
        if headlen <= offset && there + own <= MAX_SKB_FRAGS {
            // all that is left lies in fragments
            let mut frags = std::mem::take(self.buffers.frags_mut(head));
            for gone in crate::skb::eat(&mut frags, offset - headlen) {
                self.put_page(gone.page);
            }
            self.gro_add(p, last, frags);
            let skb = self.skb_mut(no);
            skb.len -= skb.data_len;
            skb.data_len = 0;
            return Ok(Merged::Emptied);
        }
        if headlen > offset && head_frag && there + 1 + own <= MAX_SKB_FRAGS {
            let first = Frag {
                page: head,
                offset: data + offset,
                size: headlen - offset,
            };
            let mut frags = vec![first];
            frags.append(self.buffers.frags_mut(head));
            self.gro_add(p, last, frags);
            return Ok(Merged::StolenHead);
        }
        if offset > headlen {
            let gone = crate::skb::eat(self.buffers.frags_mut(head), offset - headlen);
            for gone in gone {
                self.put_page(gone.page);
            }
            let skb = self.skb_mut(no);
            skb.data_len -= offset - headlen;
            skb.len -= offset - headlen;
        }
        self.skb_mut(no).pull(offset.min(headlen))?;
        let list = self.skb(p).head;
        self.buffers.frag_list_mut(list).push(no);
        Ok(Merged::Listed)
    }

    /// Fragments for the last packet of the list, whose own length grows too when it is not `p`.
    fn gro_add(&mut self, p: SkbNo, last: SkbNo, frags: Vec<Frag>) {
        let len: u32 = frags.iter().map(|frag| frag.size).sum();
        let pinfo = self.skb(last).head;
        self.buffers.frags_mut(pinfo).extend(frags);
        if last != p {
            let skb = self.skb_mut(last);
            skb.len += len;
            skb.data_len += len;
        }
    }
}
