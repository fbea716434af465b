//! Packets in more than one piece: page fragments and `frag_list` beside the linear part (`net/core/skbuff.c`,
//! `include/linux/skbuff.h`).

use std::borrow::Cow;

use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::net::{ethernet, ipv4, ipv6};
use crate::skb::{Frag, Stretch, Stretches, eat};
use crate::trace::{BufferNo, Fragment, SkbNo};

const FILE: &str = "net/core/skbuff.c";

/// What of a packet is asked for: bytes to leave out, and bytes to take.
struct Wanted {
    skip: u32,
    left: u32,
}

impl Wanted {
    /// The part of a stretch that is wanted.
    fn take(&mut self, buffer: BufferNo, at: u32, len: u32) -> Option<Stretch> {
        let skipped = self.skip.min(len);
        self.skip -= skipped;
        let len = (len - skipped).min(self.left);
        self.left -= len;
        (len > 0).then_some(Stretch {
            buffer,
            at: at + skipped,
            len,
        })
    }
}

impl Kernel {
    /// Where bytes of the packet lie, `offset` from `data`, as `skb_copy_bits()` walks: the linear part, the fragments,
    /// the packets of `frag_list`. Less than `len` when the packet is shorter.
    pub(super) fn stretches(&self, no: SkbNo, offset: u32, len: u32) -> Stretches {
        let mut found = Stretches::new();
        let mut wanted = Wanted {
            skip: offset,
            left: len,
        };
        self.walk(no, &mut wanted, &mut found);
        found
    }

    fn walk(&self, no: SkbNo, wanted: &mut Wanted, found: &mut Stretches) {
        let Some(skb) = self.skbs.get(&no) else {
            return;
        };
        found.extend(wanted.take(skb.head, skb.data, skb.headlen()));
        if skb.data_len == 0 {
            return;
        }
        let buffer = self.buffers.get(skb.head);
        for frag in &buffer.frags {
            found.extend(wanted.take(frag.page, frag.offset, frag.size));
        }
        for member in &buffer.frag_list {
            if wanted.left == 0 {
                break;
            }
            self.walk(*member, wanted, found);
        }
    }

    /// Bytes of the packet, `offset` from `data`, wherever they lie (`skb_header_pointer()`); shorter when the packet
    /// is.
    pub(super) fn packet(&self, no: SkbNo, offset: u32, len: u32) -> Cow<'_, [u8]> {
        let skb = self.skb(no);
        if skb.data_len == 0 || offset.saturating_add(len) <= skb.headlen() {
            let left = skb.headlen().saturating_sub(offset);
            return Cow::Borrowed(self.bytes(no, skb.data + offset, len.min(left)));
        }
        let parts = self.stretches(no, offset, len);
        let bytes = |part: &Stretch| self.buffers.get(part.buffer).bytes(part.at, part.len);
        Cow::Owned(parts.iter().flat_map(bytes).copied().collect())
    }

    /// As [`Kernel::packet`], from an offset of the buffer on that may lie in front of `data`.
    pub(super) fn bytes_from_head(&self, no: SkbNo, at: u32, len: u32) -> Vec<u8> {
        let data = self.skb(no).data;
        let in_front = data.saturating_sub(at).min(len);
        let mut bytes = self.bytes(no, at, in_front).to_vec();
        let rest = self.packet(no, at.saturating_sub(data), len - in_front);
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// `skb_copy_bits()` into a buffer; origins are copied along.
    pub(super) fn skb_copy_bits(&mut self, no: SkbNo, offset: u32, to: (BufferNo, u32), len: u32) {
        let (buffer, mut at) = to;
        for part in self.stretches(no, offset, len) {
            self.buffers
                .memcpy(buffer, at, part.buffer, part.at, part.len);
            at += part.len;
        }
    }

    /// The fragments of a packet as the trace keeps them.
    pub(super) fn fragments(&self, no: SkbNo) -> Vec<Fragment> {
        let mut all = Vec::new();
        self.list_fragments(no, None, &mut all);
        all
    }

    fn list_fragments(&self, no: SkbNo, member: Option<SkbNo>, all: &mut Vec<Fragment>) {
        let Some(skb) = self.skbs.get(&no) else {
            return;
        };
        if member.is_some() && skb.headlen() > 0 {
            all.push(Fragment {
                skb: member,
                buffer: skb.head,
                offset: skb.data,
                len: skb.headlen(),
            });
        }
        all.extend(self.page_fragments(skb.head, member));
        for other in &self.buffers.get(skb.head).frag_list {
            self.list_fragments(*other, Some(*other), all);
        }
    }

    /// The page fragments behind a buffer.
    pub(super) fn page_fragments(
        &self,
        head: BufferNo,
        skb: Option<SkbNo>,
    ) -> impl Iterator<Item = Fragment> {
        let frags = self.buffers.get(head).frags.iter();
        frags.map(move |frag| Fragment {
            skb,
            buffer: frag.page,
            offset: frag.offset,
            len: frag.size,
        })
    }

    /// `skb_add_rx_frag()`: a page, or a part of it, at the end of the packet. The page's reference goes along.
    pub(super) fn skb_add_rx_frag(&mut self, no: SkbNo, frag: Frag) {
        let skb = self.skb_mut(no);
        skb.len += frag.size;
        skb.data_len += frag.size;
        let head = skb.head;
        self.buffers.frags_mut(head).push(frag);
    }

    /// `skb_frag_unref()`.
    pub(super) fn put_page(&mut self, page: BufferNo) {
        let users = self.buffers.dataref_mut(page);
        *users = users.saturating_sub(1);
    }

    /// `skb_release_data()`: one user of the buffer less; with the last one its fragments and list go, the list for
    /// `reason` (see [`Kernel::kfree_skb_list`]).
    pub(super) fn skb_release_data(&mut self, head: BufferNo, reason: Option<u32>) -> Run<()> {
        let users = self.buffers.dataref_mut(head);
        *users = users.saturating_sub(1);
        if *users > 0 {
            return Ok(());
        }
        for frag in std::mem::take(self.buffers.frags_mut(head)) {
            self.put_page(frag.page);
        }
        for member in std::mem::take(self.buffers.frag_list_mut(head)) {
            self.kfree_skb_list(member, reason)?;
        }
        Ok(())
    }

    /// `pskb_expand_head()`, the shared info: fragments and list go to the new head; those that clones still see stay
    /// there too, with one user more.
    pub(super) fn move_shared_info(&mut self, no: SkbNo, old: BufferNo, new: BufferNo) -> Run<()> {
        let from = self.buffers.get(old);
        if from.frags.is_empty() && from.frag_list.is_empty() {
            *self.buffers.dataref_mut(old) -= 1;
            return Ok(());
        }
        let (frags, list) = (from.frags.clone(), from.frag_list.clone());
        if self.skb_cloned(no) {
            for frag in &frags {
                *self.buffers.dataref_mut(frag.page) += 1;
            }
            // skb_clone_fraglist()
            for member in &list {
                self.skb_mut(*member).users += 1;
            }
        } else {
            self.buffers.frags_mut(old).clear();
            self.buffers.frag_list_mut(old).clear();
        }
        *self.buffers.frags_mut(new) = frags;
        *self.buffers.frag_list_mut(new) = list;
        self.skb_release_data(old, None)
    }

    /// `__pskb_pull_tail()`: `delta` bytes from the fragments become linear. The buffer is a new one when it is too
    /// small or shared; metadata move with it as with any `pskb_expand_head()`.
    pub(super) fn __pskb_pull_tail(&mut self, no: SkbNo, delta: u32) -> Run<()> {
        self.traced("__pskb_pull_tail", FILE, no, |k| {
            let skb = k.skb(no);
            let end = k.buffers.get(skb.head).end();
            let eaten = (skb.tail + delta).saturating_sub(end);
            if eaten > 0 || k.skb_cloned(no) {
                let more = if eaten > 0 { eaten + 128 } else { 0 };
                k.pskb_expand_head(no, 0, more)?;
            }
            k.pull_bytes(no, delta)
        })
    }

    /// `gro_pull_from_frag0()` (`net/core/gro.c`): the same for bytes of the first fragment, into tailroom that is there.
    pub(super) fn gro_pull_from_frag0(&mut self, no: SkbNo, grow: u32) -> Run<()> {
        self.traced("gro_pull_from_frag0", "net/core/gro.c", no, |k| {
            k.pull_bytes(no, grow)
        })
    }

    /// Copies `delta` bytes from what lies outside to the tail, and takes them away there.
    fn pull_bytes(&mut self, no: SkbNo, delta: u32) -> Run<()> {
        let k = self;
        let skb = k.skb(no);
        let (head, tail, headlen) = (skb.head, skb.tail, skb.headlen());
        k.skb_copy_bits(no, headlen, (head, tail), delta);
        let in_frags: u32 = k.buffers.get(head).frags.iter().map(|frag| frag.size).sum();
        k.eat_list(no, delta.saturating_sub(in_frags))?;
        for frag in eat(k.buffers.frags_mut(head), delta) {
            k.put_page(frag.page);
        }
        let skb = k.skb_mut(no);
        skb.tail += delta;
        skb.data_len -= delta;
        Ok(())
    }

    /// The part of `__pskb_pull_tail()` that takes bytes from the front of `frag_list`.
    fn eat_list(&mut self, no: SkbNo, mut len: u32) -> Run<()> {
        let head = self.skb(no).head;
        while len > 0 {
            let Some(first) = self.buffers.get(head).frag_list.first().copied() else {
                break;
            };
            let has = self.skb(first).len;
            if has <= len {
                len -= has;
                self.buffers.frag_list_mut(head).remove(0);
                self.consume_skb(first)?;
                continue;
            }
            let mut own = first;
            if self.skb_shared(first) {
                own = self.skb_clone(first)?;
                self.buffers.frag_list_mut(head)[0] = own;
                self.consume_skb(first)?;
            }
            self.pskb_pull(own, len)?;
            len = 0;
        }
        Ok(())
    }

    /// `pskb_may_pull()`: whether the packet has so many bytes; they are linear afterwards.
    pub(super) fn pskb_may_pull(&mut self, no: SkbNo, len: u32) -> Run<bool> {
        let skb = self.skb(no);
        let headlen = skb.headlen();
        if len <= headlen {
            return Ok(true);
        }
        if len > skb.len {
            return Ok(false);
        }
        self.__pskb_pull_tail(no, len - headlen)?;
        Ok(true)
    }

    /// `pskb_pull()`: less packet in front, which may have to be made linear first. `false`: it is shorter.
    pub(super) fn pskb_pull(&mut self, no: SkbNo, len: u32) -> Run<bool> {
        if !self.pskb_may_pull(no, len)? {
            return Ok(false);
        }
        self.skb_mut(no).pull(len)?;
        Ok(true)
    }

    /// `pskb_inet_may_pull()`: the IP header at `network_header` is linear.
    pub(super) fn pskb_inet_may_pull(&mut self, no: SkbNo) -> Run<bool> {
        let nhlen = match self.skb(no).protocol {
            ethernet::P_IP => ipv4::HLEN,
            ethernet::P_IPV6 => ipv6::HLEN,
            _ => 0,
        };
        let offset = self.skb(no).network_offset().max(0).unsigned_abs();
        self.pskb_may_pull(no, offset + nhlen)
    }

    /// `skb_linearize()`.
    pub(super) fn skb_linearize(&mut self, no: SkbNo) -> Run<()> {
        match self.skb(no).data_len {
            0 => Ok(()),
            data_len => self.__pskb_pull_tail(no, data_len),
        }
    }

    /// `pskb_trim()`: the packet ends after `len` bytes. `___pskb_trim()` lets fragments go that lie behind.
    pub(super) fn pskb_trim(&mut self, no: SkbNo, len: u32) -> Run<()> {
        let skb = self.skb_mut(no);
        if len >= skb.len {
            return Ok(());
        }
        if skb.data_len == 0 {
            skb.len = len;
            skb.tail = skb.data + len;
            return Ok(());
        }
        if self.skb_cloned(no) {
            self.pskb_expand_head(no, 0, 0)?;
        }
        let skb = self.skb(no);
        let (head, headlen) = (skb.head, skb.headlen());
        let mut room = len.saturating_sub(headlen);
        self.trim_frags(head, &mut room);
        self.trim_list(head, &mut room)?;
        let skb = self.skb_mut(no);
        if len > headlen {
            skb.data_len -= skb.len - len;
        } else {
            skb.data_len = 0;
            skb.tail = skb.data + len;
        }
        skb.len = len;
        Ok(())
    }

    /// Leaves `room` bytes in the fragments.
    fn trim_frags(&mut self, head: BufferNo, room: &mut u32) {
        let mut kept = Vec::new();
        for mut frag in std::mem::take(self.buffers.frags_mut(head)) {
            frag.size = frag.size.min(*room);
            *room -= frag.size;
            if frag.size > 0 {
                kept.push(frag);
            } else {
                self.put_page(frag.page);
            }
        }
        *self.buffers.frags_mut(head) = kept;
    }

    /// Leaves `room` bytes in the packets of `frag_list`.
    fn trim_list(&mut self, head: BufferNo, room: &mut u32) -> Run<()> {
        let mut kept = Vec::new();
        for member in std::mem::take(self.buffers.frag_list_mut(head)) {
            let len = self.skb(member).len;
            if *room == 0 {
                self.kfree_skb_list(member, Some(drop_reason::NOT_SPECIFIED))?;
                continue;
            }
            let mut own = member;
            if len > *room {
                if self.skb_shared(member) {
                    own = self.skb_clone(member)?;
                    self.consume_skb(member)?;
                }
                self.pskb_trim(own, *room)?;
            }
            *room -= len.min(*room);
            kept.push(own);
        }
        *self.buffers.frag_list_mut(head) = kept;
        Ok(())
    }
}
