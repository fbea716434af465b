//! What reassembly of IPv4 and of IPv6 have in common: `net/ipv4/inet_fragment.c`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::scenario::topology::{DevId, NetnsId};
use crate::skb::{CHECKSUM_NONE, Frag, MAX_SKB_FRAGS};
use crate::trace::SkbNo;

/// What fragments of one packet have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// `struct frag_v4_compare_key`: addresses, id, protocol.
    V4(NetnsId, Ipv4Addr, Ipv4Addr, u16, u8),
    /// `struct frag_v6_compare_key`: addresses, id, and the device for addresses that mean nothing elsewhere.
    V6(NetnsId, Ipv6Addr, Ipv6Addr, u32, Option<DevId>),
}

/// Fragments that wait for the rest, by packet.
pub(super) type Queues = BTreeMap<Key, Queue>;

/// `struct inet_frag_queue`, and what `struct ipq` and `struct frag_queue` have beside it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Fragments in the order of their place: first byte, the one behind the last, packet.
    pub parts: Vec<(u32, u32, SkbNo)>,
    /// Length of the whole, as far as it is known.
    pub len: u32,
    /// `nhoffset` of IPv6: where the number of the fragment header is, from the network header of the first fragment.
    pub nhoffset: u32,
    /// `INET_FRAG_LAST_IN`.
    last_in: bool,
    /// Largest fragment (`max_size`), and the largest with `DF` (`max_df_size`).
    pub max_size: u32,
    pub max_df_size: u32,
    /// `ecn`: one bit for each codepoint that was seen (`ip4_frag_ecn()`).
    pub ecn: u8,
}

/// A fragment's place.
pub(super) struct Place {
    pub offset: u32,
    pub end: u32,
    pub more: bool,
    /// Bytes between the network header and the payload, which are no part of it.
    pub ihl: u32,
    pub df: bool,
    pub ecn: u8,
}

/// What became of a fragment in the queue.
pub(super) enum Insert {
    /// It waits behind the last one, in the same run (`fragrun_append_to_last()`).
    Appended,
    /// It waits as the first one of a run (`fragrun_create()`, or between others).
    StartsRun,
    Refused(u32),
    /// The whole queue is given up.
    Discard,
}

impl Queue {
    /// What `ip_frag_queue()` (`net/ipv4/ip_fragment.c`) and `ip6_frag_queue()` (`net/ipv6/reassembly.c`) look at before it touches the packet: whether the fragment can
    /// belong to a packet as long as the others say. If not, the queue is given up.
    pub fn agrees(&mut self, place: &Place) -> bool {
        let Place { offset, end, .. } = *place;
        if place.more {
            if end > self.len {
                if self.last_in {
                    return false;
                }
                self.len = end;
            }
        } else {
            if end < self.len || self.last_in && end != self.len {
                return false;
            }
            self.last_in = true;
            self.len = end;
        }
        end != offset
    }

    /// `inet_frag_queue_insert()` (`net/ipv4/inet_fragment.c`): where the fragment belongs; a second one for bytes that
    /// are there is refused, and an overlap spoils all.
    pub fn insert(&mut self, place: &Place, no: SkbNo) -> Insert {
        let Place { offset, end, .. } = *place;
        let overlaps = |part: &&(u32, u32, SkbNo)| offset < part.1 && part.0 < end;
        if self.parts.iter().any(|part| overlaps(&part)) {
            let covered = self
                .runs()
                .iter()
                .any(|(from, to)| *from <= offset && end <= *to);
            return match covered {
                true => Insert::Refused(drop_reason::DUP_FRAG),
                false => Insert::Discard,
            };
        }
        let appended = self.parts.last().is_some_and(|last| last.1 == offset);
        let at = self.parts.partition_point(|part| part.0 < offset);
        self.parts.insert(at, (offset, end, no));
        self.ecn |= place.ecn;
        let size = end - offset + place.ihl;
        self.max_size = self.max_size.max(size);
        if place.df {
            self.max_df_size = self.max_df_size.max(size);
        }
        match appended {
            true => Insert::Appended,
            false => Insert::StartsRun,
        }
    }

    /// Stretches without a hole.
    fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for (from, to, _) in &self.parts {
            match runs.last_mut() {
                Some(run) if run.1 == *from => run.1 = *to,
                _ => runs.push((*from, *to)),
            }
        }
        runs
    }

    pub fn is_whole(&self) -> bool {
        self.last_in && self.runs() == [(0, self.len)]
    }
}

impl Kernel {
    /// What `ip_frag_queue()` and `ip6_frag_queue()` do with a fragment whose place is known. Gives the queue when it is
    /// whole with it; else the fragment waits, or is gone.
    pub(super) fn inet_frag_queue(
        &mut self,
        no: SkbNo,
        key: Key,
        place: &Place,
    ) -> Run<Option<Queue>> {
        let mut queue = self.frag_queues.remove(&key).unwrap_or_default();
        if !queue.agrees(place) {
            self.inet_frag_discard(no, queue)?;
            return Ok(None);
        }
        // before the fragment has its place: one that is refused is freed without its IP header
        self.frag_strip(no, place)?;
        match queue.insert(place, no) {
            Insert::Refused(reason) => {
                self.frag_queues.insert(key, queue);
                self.kfree_skb(no, reason)?;
                Ok(None)
            }
            Insert::Discard => {
                self.inet_frag_discard(no, queue)?;
                Ok(None)
            }
            Insert::Appended | Insert::StartsRun if queue.is_whole() => {
                if ecn_of(queue.ecn).is_none() {
                    self.inet_frag_destroy(queue)?;
                    return Ok(None);
                }
                Ok(Some(queue))
            }
            waits => {
                self.frag_queues.insert(key, queue);
                let skb = self.skb_mut(no);
                if matches!(waits, Insert::StartsRun) {
                    // rb_link_node(): the node's children, none yet, lie where skb->dev is
                    skb.dev = None;
                }
                skb.drop_dst();
                Ok(None)
            }
        }
    }

    /// `pskb_pull()` and `pskb_trim_rcsum()`: the payload of the fragment is left.
    fn frag_strip(&mut self, no: SkbNo, place: &Place) -> Run<()> {
        let header = self.skb(no).network_offset() + place.ihl as i32;
        let header = header.max(0).unsigned_abs();
        self.pskb_pull(no, header)?;
        let len = place.end - place.offset;
        self.pskb_trim_rcsum(no, len)
    }

    /// `inet_frag_kill()`: the fragment goes; the others go when nobody refers to the queue any more.
    pub(super) fn inet_frag_discard(&mut self, no: SkbNo, queue: Queue) -> Run<()> {
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
        self.inet_frag_destroy(queue)
    }

    /// `inet_frag_destroy()` of a queue whose time is not over.
    pub(super) fn inet_frag_destroy(&mut self, queue: Queue) -> Run<()> {
        for (_, _, part) in queue.parts {
            self.consume_skb(part)?;
        }
        Ok(())
    }

    /// `inet_frag_reasm_prepare()`: `no` takes the place of the first fragment (`skb_morph()`), a clone its own.
    pub(super) fn inet_frag_reasm_prepare(&mut self, no: SkbNo, parts: &mut [SkbNo]) -> Run<()> {
        let Some(first) = parts.first().copied().filter(|first| *first != no) else {
            return self.skb_unclone(no);
        };
        let clone = self.skb_clone(no)?;
        for part in parts.iter_mut() {
            if *part == no {
                *part = clone;
            } else if *part == first {
                *part = no;
            }
        }
        // skb_morph(): the old buffer is let go, that of the first fragment is shared until it is consumed
        let old = self.skb(no).head;
        self.skb_release_data(old, None)?;
        let head = self.skb(first).head;
        *self.buffers.dataref_mut(head) += 1;
        self.skb_mut(first).cloned = true;
        let mut copy = self.skb(first).clone();
        (copy.no, copy.users) = (no, 1);
        *self.skb_mut(no) = copy;
        self.metadata_cloned(first, no);
        self.consume_skb(first)?;
        self.skb_unclone(no)
    }

    /// `inet_frag_reasm_finish()`: the other fragments come behind the first one: copied, as fragments of it, or in its
    /// list.
    pub(super) fn inet_frag_reasm_finish(&mut self, no: SkbNo, parts: &[SkbNo]) -> Run<()> {
        let skb = self.skb_mut(no);
        let header = skb.data.saturating_sub(u32::from(skb.network_header));
        skb.push(header)?;
        for part in parts.iter().copied().filter(|part| *part != no) {
            let from = self.skb(part).clone();
            let skb = self.skb_mut(no);
            if skb.ip_summed != from.ip_summed {
                skb.ip_summed = CHECKSUM_NONE;
            }
            match self.skb_try_coalesce(no, part) {
                Some(stolen) => self.kfree_skb_partial(part, stolen)?,
                None => {
                    // fp->rbnode, which lies where skb->dev is, is cleared
                    self.skb_mut(part).dev = None;
                    let skb = self.skb_mut(no);
                    skb.len += from.len;
                    skb.data_len += from.len;
                    let head = skb.head;
                    self.buffers.frag_list_mut(head).push(part);
                }
            }
        }
        Ok(())
    }

    /// `skb_try_coalesce()` (`net/core/skbuff.c`): the bytes of `from` become part of `to`. Gives whether the head was
    /// taken; `None`: they do not fit.
    fn skb_try_coalesce(&mut self, to: SkbNo, from: SkbNo) -> Option<bool> {
        let (skb, other) = (self.skb(to).clone(), self.skb(from).clone());
        let end = self.buffers.get(skb.head).end();
        if other.len <= skb.tailroom(end) {
            self.skb_copy_bits(from, 0, (skb.head, skb.tail), other.len);
            self.skb_mut(to).put(other.len);
            return Some(false);
        }
        let own = self.buffers.get(skb.head);
        let theirs = self.buffers.get(other.head);
        let frags = own.frags.len() + theirs.frags.len();
        let lists = !own.frag_list.is_empty() || !theirs.frag_list.is_empty();
        let stolen = other.headlen() > 0;
        // skb_head_is_locked()
        let locked = stolen && (!other.head_frag || self.skb_cloned(from));
        if lists || locked || frags + usize::from(stolen) > MAX_SKB_FRAGS {
            return None;
        }
        let mut more = theirs.frags.clone();
        if self.skb_cloned(from) {
            for frag in &more {
                *self.buffers.dataref_mut(frag.page) += 1;
            }
        } else {
            self.buffers.frags_mut(other.head).clear();
        }
        if stolen {
            let first = Frag {
                page: other.head,
                offset: other.data,
                size: other.headlen(),
            };
            more.insert(0, first);
        }
        self.buffers.frags_mut(skb.head).extend(more);
        let skb = self.skb_mut(to);
        skb.len += other.len;
        skb.data_len += other.len;
        Some(stolen)
    }

    /// `kfree_skb_partial()` (`net/core/skbuff.c`): a packet whose bytes were copied goes as any other (`__kfree_skb()`).
    /// Of one whose head another has, only `struct sk_buff` goes, straight to its slab (`kmem_cache_free()`): nothing is
    /// told of that, so the exit still shows it. Its memory is not the next one to be given out, other than after
    /// `napi_skb_free_stolen_head()`: `__alloc_skb()` takes what NAPI keeps first (`napi_skb_cache_get()`).
    fn kfree_skb_partial(&mut self, no: SkbNo, stolen: bool) -> Run<()> {
        self.traced(
            "kfree_skb_partial",
            "net/core/skbuff.c",
            no,
            |k| match stolen {
                true => Ok(()),
                false => k.free_quietly(no),
            },
        )?;
        if stolen {
            self.metadata_freed(no);
            self.skbs.remove(&no);
        }
        Ok(())
    }
}

/// `ip_frag_ecn_table`: congestion that one fragment has met is that of all; fragments that can't belong together
/// have none.
pub(super) fn ecn_of(seen: u8) -> Option<u8> {
    const NOT_ECT: u8 = 1;
    const ECT_1: u8 = 1 << 1;
    const ECT_0: u8 = 1 << 2;
    const CE: u8 = 1 << 3;
    if seen & NOT_ECT != 0 && seen != NOT_ECT {
        return None;
    }
    let met = seen & CE != 0 && seen & (ECT_0 | ECT_1) != 0;
    Some(if met { 3 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u32, end: u32, more: bool) -> Place {
        Place {
            offset,
            end,
            more,
            ihl: 20,
            df: false,
            ecn: 1,
        }
    }

    /// As `ip_frag_queue()` does it.
    fn queue_part(queue: &mut Queue, part: (u32, u32, bool), no: u32) -> Insert {
        let place = place(part.0, part.1, part.2);
        match queue.agrees(&place) {
            true => queue.insert(&place, SkbNo(no)),
            false => Insert::Discard,
        }
    }

    #[test]
    fn three_parts_in_any_order_are_a_whole() {
        let parts = [(0, 16, true), (16, 32, true), (32, 40, false)];
        // which of them fragrun_append_to_last() takes: those that begin where the last one ends
        let orders = [
            ([0, 1, 2], [false, true, true]),
            ([2, 0, 1], [false, false, false]),
            ([1, 2, 0], [false, true, false]),
        ];
        for (order, appended) in orders {
            let mut queue = Queue::default();
            for (i, n) in order.into_iter().enumerate() {
                let inserted = queue_part(&mut queue, parts[n], n as u32);
                match appended[i] {
                    true => assert!(matches!(inserted, Insert::Appended), "{order:?}"),
                    false => assert!(matches!(inserted, Insert::StartsRun), "{order:?}"),
                }
                assert_eq!(queue.is_whole(), i == 2, "{order:?}");
            }
            assert_eq!(queue.len, 40);
        }
    }

    /// RFC 5722 as Linux has it: a duplicate is dropped, an overlap spoils the packet.
    #[test]
    fn duplicates_and_overlaps() {
        let mut queue = Queue::default();
        queue_part(&mut queue, (0, 16, true), 1);
        queue_part(&mut queue, (16, 32, true), 2);
        let again = queue_part(&mut queue, (8, 24, true), 3);
        assert!(matches!(again, Insert::Refused(drop_reason::DUP_FRAG)));
        let overlap = queue_part(&mut queue, (24, 48, true), 4);
        assert!(matches!(overlap, Insert::Discard));
    }
}
