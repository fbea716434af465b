//! `skb_segment()` (`net/core/skbuff.c`): the packets that a merged one stands for.
//!
//! A segment is mostly a fresh skb: the headers are copied into a fresh head with as much headroom as the whole had, the
//! payload is copied, or its fragments are shared. Nothing of what lies in front of the headers is copied, and the fresh
//! `skb_shared_info` has a `meta_len` of 0: metadata in front of the packet are lost. Recorded under `mac_header`
//! (`E11-gro-fwd-segments-native`).
//!
//! The exception is a packet in `frag_list` with a linear part: its segment is a clone of that packet, into whose head the
//! headers of the whole are written, where its own have been. Its shared info is its own, and so are `meta_len` and the
//! bytes in front of the headers: they are read in the right place as long as the new headers are as long as the old ones,
//! and are overwritten or missed by the difference if not. *Derived* from the source.

use super::gso::GsoCb;
use super::{Kernel, Run, not_covered};
use crate::skb::feature::{HW_CSUM, SG};
use crate::skb::{CHECKSUM_NONE, Features, Frag, MAX_SKB_FRAGS, SkBuff, gso, net_gso_ok};
use crate::trace::SkbNo;
use crate::xdp::EINVAL;

const FILE: &str = "net/core/skbuff.c";
/// `GSO_BY_FRAGS`: a `gso_size` that means something else.
const GSO_BY_FRAGS: u32 = 0xffff;

/// What all segments have in common. Bytes.
struct Plan {
    head: SkbNo,
    /// Payload of a segment.
    mss: u32,
    /// Headers in front of the payload, from the MAC header on.
    doffset: u32,
    /// Headers of tunnels in front of that.
    tnl_hlen: u32,
    headroom: u32,
    sg: bool,
    csum: bool,
    /// How many packets one segment stands for; 0: one.
    partial_segs: u32,
    /// `frag_list` of the whole.
    members: Vec<SkbNo>,
}

/// How far the fragments and the list have been used up.
struct Cursor {
    /// The skb whose fragments are used.
    frag_skb: SkbNo,
    frags: Vec<Frag>,
    /// Which one is next; `None` for the head of `frag_skb`, which is used as one.
    frag: Option<usize>,
    /// The next member of the list.
    member: usize,
    /// Bytes in front of that place, from the start of the whole.
    pos: u32,
    /// Bytes that have gone into segments.
    offset: u32,
}

impl Cursor {
    fn used_up(&self) -> bool {
        self.frag.is_some_and(|i| i >= self.frags.len())
    }

    fn step(&mut self) {
        self.frag = Some(self.frag.map_or(0, |i| i + 1));
    }
}

impl Kernel {
    /// `skb_segment()`: `data` is at the payload. An error is `-EINVAL`.
    pub(super) fn skb_segment(
        &mut self,
        no: SkbNo,
        cb: &GsoCb,
        features: Features,
    ) -> Run<Result<Vec<SkbNo>, i64>> {
        let mut result = Err(EINVAL);
        self.traced("skb_segment", FILE, no, |k| {
            let tnl_hlen = k.skb_tnl_header_len(no, cb);
            let plan = k.plan_segments(no, tnl_hlen, features)?;
            let mut segments = Vec::new();
            result = match k.make_segments(&plan, &mut segments)? {
                true => {
                    k.complete_partial(&plan, &segments);
                    Ok(segments)
                }
                false => {
                    for segment in segments {
                        k.kfree_skb(segment, super::skbuff::drop_reason::NOT_SPECIFIED)?;
                    }
                    Err(EINVAL)
                }
            };
            let list = result.as_ref().ok();
            Ok(list.and_then(|list| list.first().copied()))
        })?;
        Ok(result)
    }

    fn plan_segments(&mut self, no: SkbNo, tnl_hlen: u32, features: Features) -> Run<Plan> {
        let skb = self.skb_mut(no);
        let len = skb.len;
        let doffset = skb.data.saturating_sub(u32::from(skb.mac_header));
        skb.push(doffset)?;
        let (headroom, head) = (skb.headroom(), skb.head);
        let shinfo = self.buffers.get(head).shinfo;
        let members = self.buffers.get(head).frag_list.clone();
        let mut mss = u32::from(shinfo.gso_size);
        let mut sg = features & SG != 0;
        let csum = features & HW_CSUM != 0;
        // the list need not end where segments end
        let own_head = |no: &SkbNo| self.skb(*no).headlen() > 0 && !self.skb(*no).head_frag;
        let headlen = self.skb(no).headlen() - doffset;
        if shinfo.gso_type & gso::DODGY != 0 && mss != headlen && members.iter().any(own_head) {
            sg = false;
        }
        let mut partial_segs = 0;
        if sg && csum && mss != GSO_BY_FRAGS && self.list_is_even(&members, len) {
            let first = members.first().map_or(0, |first| self.skb(*first).len);
            if net_gso_ok(features, shinfo.gso_type) && mss > 0 {
                partial_segs = first.min(GSO_BY_FRAGS - 1) / mss;
            }
        }
        match partial_segs {
            0 | 1 => partial_segs = 0,
            segs => mss *= segs,
        }
        Ok(Plan {
            head: no,
            mss,
            doffset,
            tnl_hlen,
            headroom,
            sg,
            csum,
            partial_segs,
            members,
        })
    }

    /// Whether all packets of the list but the last are as long as what comes before the list, so that each may be a
    /// merged packet of its own.
    fn list_is_even(&self, members: &[SkbNo], len: u32) -> bool {
        let Some((_, others)) = members.split_last() else {
            return false;
        };
        let first = members.first().map_or(0, |first| self.skb(*first).len);
        let even = others.iter().all(|no| self.skb(*no).len == first);
        let pages = |no: &SkbNo| self.skb(*no).headlen() == 0 || self.skb(*no).head_frag;
        let listed: u32 = members.iter().map(|no| self.skb(*no).len).sum();
        even && members.iter().all(pages) && len.checked_sub(listed) == Some(first)
    }

    /// The segments one after the other; `false`: one would have too many fragments.
    fn make_segments(&mut self, plan: &Plan, segments: &mut Vec<SkbNo>) -> Run<bool> {
        let whole = self.skb(plan.head);
        let (total, headlen, buffer) = (whole.len, whole.headlen(), whole.head);
        let mut cursor = Cursor {
            frag_skb: plan.head,
            frags: self.buffers.get(buffer).frags.clone(),
            frag: Some(0),
            member: 0,
            pos: headlen,
            offset: plan.doffset,
        };
        while cursor.offset < total {
            let len = (total - cursor.offset).min(plan.mss);
            let next = plan.members.get(cursor.member).copied();
            let linear = next.map_or(0, |next| self.skb(next).headlen());
            let alone = headlen <= cursor.offset && cursor.used_up();
            let whole_member = alone && linear > 0 && (linear == len || plan.sg);
            let segment = match next.filter(|_| whole_member) {
                Some(member) => self.segment_of_member(plan, &mut cursor, member, len)?,
                None => match self.fresh_segment(plan, &mut cursor, len)? {
                    Some(segment) => segment,
                    None => return Ok(false),
                },
            };
            if !plan.csum {
                self.skb_mut(segment).ip_summed = CHECKSUM_NONE;
            }
            segments.push(segment);
            cursor.offset += len;
        }
        Ok(true)
    }

    /// A clone of a packet of the list.
    fn segment_of_member(
        &mut self,
        plan: &Plan,
        cursor: &mut Cursor,
        member: SkbNo,
        len: u32,
    ) -> Run<SkbNo> {
        if self.skb(member).headlen() > len {
            return not_covered("skb_segment: BUG_ON(skb_headlen(list_skb) > len)");
        }
        let segment = self.skb_clone(member)?;
        let skb = self.skb(member);
        cursor.frag_skb = member;
        cursor.pos += skb.headlen();
        cursor.frags = self.buffers.get(skb.head).frags.clone();
        cursor.frag = Some(0);
        cursor.member += 1;
        while cursor.pos < cursor.offset + len {
            let Some(frag) = cursor.frag.and_then(|i| cursor.frags.get(i)) else {
                return not_covered("skb_segment: BUG_ON(i >= nfrags)");
            };
            if cursor.pos + frag.size > cursor.offset + len {
                break;
            }
            cursor.pos += frag.size;
            cursor.step();
        }
        self.pskb_trim(segment, len)?;
        // skb_header_cloned(): the member gave up its reference to the headers (__skb_header_release() in GRO)
        let users = self.buffers.get(self.skb(segment).head).dataref;
        self.__skb_cow(segment, plan.doffset + plan.headroom, users > 2)?;
        self.skb_mut(segment).push(plan.doffset)?;
        self.__copy_skb_header(segment, plan.head);
        self.metadata_ext_copied(plan.head, segment);
        self.segment_headers(plan, segment);
        Ok(segment)
    }

    /// A segment in a fresh head.
    fn fresh_segment(&mut self, plan: &Plan, cursor: &mut Cursor, len: u32) -> Run<Option<SkbNo>> {
        let left = self.skb(plan.head).headlen().saturating_sub(cursor.offset);
        let hsize = match plan.sg {
            true => left.min(len),
            false => len,
        };
        let segment = self.alloc_skb(hsize + plan.doffset + plan.headroom);
        let skb = self.skb_mut(segment);
        skb.reserve(plan.headroom);
        skb.put(plan.doffset);
        self.__copy_skb_header(segment, plan.head);
        match self.design.outside() {
            None => self.metadata_left_behind(plan.head, segment),
            Some(_) => self.metadata_cloned(plan.head, segment),
        }
        self.segment_headers(plan, segment);
        let (head, tail) = (self.skb(segment).head, self.skb(segment).tail);
        self.skb_copy_bits(plan.head, cursor.offset, (head, tail), hsize);
        self.skb_mut(segment).put(hsize);
        if plan.sg && !self.share_frags(plan, cursor, segment, len)? {
            self.kfree_skb(segment, super::skbuff::drop_reason::NOT_SPECIFIED)?;
            return Ok(None);
        }
        if plan.sg {
            let skb = self.skb_mut(segment);
            skb.data_len = len - hsize;
            skb.len += len - hsize;
        }
        Ok(Some(segment))
    }

    /// The headers of the whole, those of tunnels included.
    fn segment_headers(&mut self, plan: &Plan, segment: SkbNo) {
        let skb = self.skb_mut(segment);
        let by = skb.headroom() as i32 - plan.headroom as i32;
        skb.headers_offset_update(by);
        skb.reset_mac_len();
        let (head, to) = (skb.head, skb.data.saturating_sub(plan.tnl_hlen));
        let whole = self.skb(plan.head);
        let (old, from) = (whole.head, whole.data.saturating_sub(plan.tnl_hlen));
        self.buffers
            .memcpy(head, to, old, from, plan.doffset + plan.tnl_hlen);
    }

    /// What of the fragments lies in the segment, shared with the whole.
    fn share_frags(
        &mut self,
        plan: &Plan,
        cursor: &mut Cursor,
        segment: SkbNo,
        len: u32,
    ) -> Run<bool> {
        let end = cursor.offset + len;
        let head = self.skb(segment).head;
        while cursor.pos < end {
            if cursor.used_up() {
                self.next_member(plan, cursor)?;
            }
            if self.buffers.get(head).frags.len() >= MAX_SKB_FRAGS {
                return Ok(false);
            }
            let whole = match cursor.frag {
                None => {
                    // skb_head_frag_to_page_desc()
                    let skb = self.skb(cursor.frag_skb);
                    Some(Frag {
                        page: skb.head,
                        offset: skb.data,
                        size: skb.headlen(),
                    })
                }
                Some(i) => cursor.frags.get(i).copied(),
            };
            let Some(whole) = whole else {
                return not_covered("skb_segment: a list member without fragments (BUG_ON)");
            };
            let skipped = cursor.offset.saturating_sub(cursor.pos);
            let here = (cursor.pos + whole.size).min(end) - cursor.pos - skipped;
            *self.buffers.dataref_mut(whole.page) += 1;
            self.buffers.frags_mut(head).push(Frag {
                offset: whole.offset + skipped,
                size: here,
                ..whole
            });
            if cursor.pos + whole.size > end {
                break;
            }
            cursor.pos += whole.size;
            cursor.step();
        }
        Ok(true)
    }

    fn next_member(&mut self, plan: &Plan, cursor: &mut Cursor) -> Run<()> {
        let Some(member) = plan.members.get(cursor.member).copied() else {
            return not_covered("skb_segment: the packet is shorter than its length");
        };
        let skb = self.skb(member);
        if skb.headlen() > 0 && !skb.head_frag {
            return not_covered("skb_segment: BUG_ON(!list_skb->head_frag)");
        }
        cursor.frag = (skb.headlen() == 0).then_some(0);
        cursor.frags = self.buffers.get(skb.head).frags.clone();
        cursor.frag_skb = member;
        cursor.member += 1;
        Ok(())
    }

    /// Segments that stand for several packets each say so.
    fn complete_partial(&mut self, plan: &Plan, segments: &[SkbNo]) {
        if plan.partial_segs == 0 {
            return;
        }
        let whole = self.buffers.get(self.skb(plan.head).head).shinfo;
        let gso_size = u32::from(whole.gso_size);
        for (i, segment) in segments.iter().enumerate() {
            let skb = self.skb(*segment);
            let (head, payload) = (skb.head, skb.len - plan.doffset);
            let shinfo = self.buffers.shinfo_mut(head);
            shinfo.gso_size = whole.gso_size;
            shinfo.gso_segs = plan.partial_segs as u16;
            shinfo.gso_type = whole.gso_type & !gso::DODGY;
            if i + 1 < segments.len() {
                continue;
            }
            if payload <= gso_size {
                shinfo.gso_size = 0;
            } else if i > 0 {
                shinfo.gso_segs = payload.div_ceil(gso_size) as u16;
            }
        }
    }

    /// `__copy_skb_header()`: all fields but those of the buffer and its use. `mac_len` is not among them, nor is `sk`.
    pub(super) fn __copy_skb_header(&mut self, to: SkbNo, from: SkbNo) {
        let old = self.skb(from).clone();
        let new = self.skb_mut(to);
        *new = SkBuff {
            no: to,
            head: new.head,
            data: new.data,
            tail: new.tail,
            len: new.len,
            data_len: new.data_len,
            mac_len: new.mac_len,
            users: new.users,
            cloned: new.cloned,
            head_frag: new.head_frag,
            from_socket: false,
            ..old
        };
    }
}
