//! Reassembly: `net/ipv4/ip_fragment.c` and `net/ipv4/inet_fragment.c`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::net::dissect::be16;
use crate::net::ipv4;
use crate::scenario::topology::{DevId, NetnsId};
use crate::skb::{CHECKSUM_NONE, CHECKSUM_UNNECESSARY};
use crate::trace::SkbNo;

/// `IP_MF`.
const MF: u16 = 0x2000;
/// `IP_OFFSET`: in units of eight bytes.
const OFFSET: u16 = 0x1fff;
/// Longest IPv4 packet.
const LARGEST: u32 = 65_535;

/// What fragments of one packet have in common (`struct frag_v4_compare_key`).
type Key = (NetnsId, Ipv4Addr, Ipv4Addr, u16, u8);

/// Fragments that wait for the rest, by packet.
pub(super) type Queues = BTreeMap<Key, Queue>;

/// `struct ipq`.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Fragments in the order of their place: first byte, the one behind the last, packet.
    parts: Vec<(u32, u32, SkbNo)>,
    /// Length of the whole, as far as it is known.
    len: u32,
    /// `INET_FRAG_LAST_IN`.
    last_in: bool,
    /// Largest fragment (`max_size`), and the largest with `DF` (`max_df_size`).
    max_size: u32,
    max_df_size: u32,
    /// `ecn`: one bit for each codepoint that was seen (`ip4_frag_ecn()`).
    ecn: u8,
}

/// A fragment's place.
struct Place {
    offset: u32,
    end: u32,
    more: bool,
    ihl: u32,
    df: bool,
    ecn: u8,
}

/// What became of a fragment in the queue.
enum Insert {
    /// It waits behind the last one, in the same run (`fragrun_append_to_last()`).
    Appended,
    /// It waits as the first one of a run (`fragrun_create()`, or between others).
    StartsRun,
    Refused(u32),
    /// The whole queue is given up.
    Discard,
}

impl Queue {
    /// What `ip_frag_queue()` (`net/ipv4/ip_fragment.c`) looks at before it touches the packet: whether the fragment can
    /// belong to a packet as long as the others say. If not, the queue is given up.
    fn agrees(&mut self, place: &Place) -> bool {
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
    fn insert(&mut self, place: &Place, no: SkbNo) -> Insert {
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

    fn is_whole(&self) -> bool {
        self.last_in && self.runs() == [(0, self.len)]
    }
}

impl Kernel {
    /// `ip_defrag()`: whether `no` is the whole packet now. If not, it waits or is gone.
    pub(super) fn ip_defrag(&mut self, no: SkbNo) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return not_covered("ip_defrag of a packet without device");
        };
        let at = u32::from(self.skb(no).network_header);
        let header = self.bytes(no, at, ipv4::HLEN).to_vec();
        let (id, protocol) = (be16(&header, 4), header.get(9).copied().unwrap_or(0));
        let netns = self.topology.dev(dev).netns;
        let (saddr, daddr) = (self.ip_hdr_addr(no, 12), self.ip_hdr_addr(no, 16));
        let key = (netns, saddr, daddr, id, protocol);
        let place = self.frag_place(no, &header);
        let mut queue = self.frag_queues.remove(&key).unwrap_or_default();
        if !queue.agrees(&place) {
            return self.inet_frag_discard(no, queue);
        }
        // before the fragment has its place: one that is refused is freed without its IP header
        self.frag_strip(no, &place)?;
        match queue.insert(&place, no) {
            Insert::Refused(reason) => {
                self.frag_queues.insert(key, queue);
                self.kfree_skb(no, reason)?;
                Ok(false)
            }
            Insert::Discard => self.inet_frag_discard(no, queue),
            Insert::Appended | Insert::StartsRun if queue.is_whole() => {
                if ecn_of(queue.ecn).is_none() {
                    self.inet_frag_destroy(queue)?;
                    return Ok(false);
                }
                self.ip_frag_reasm(no, dev, queue)?;
                Ok(true)
            }
            waits => {
                self.frag_queues.insert(key, queue);
                let skb = self.skb_mut(no);
                if matches!(waits, Insert::StartsRun) {
                    // rb_link_node(): the node's children, none yet, lie where skb->dev is
                    skb.dev = None;
                }
                skb.drop_dst();
                Ok(false)
            }
        }
    }

    /// `inet_frag_kill()`: the fragment goes; the others go when nobody refers to the queue any more.
    fn inet_frag_discard(&mut self, no: SkbNo, queue: Queue) -> Run<bool> {
        self.kfree_skb(no, drop_reason::NOT_SPECIFIED)?;
        self.inet_frag_destroy(queue)?;
        Ok(false)
    }

    /// `inet_frag_destroy()` of a queue whose time is not over.
    fn inet_frag_destroy(&mut self, queue: Queue) -> Run<()> {
        for (_, _, part) in queue.parts {
            self.consume_skb(part)?;
        }
        Ok(())
    }

    /// The first half of `ip_frag_queue()`: the fragment's place.
    fn frag_place(&mut self, no: SkbNo, header: &[u8]) -> Place {
        let word = be16(header, 6);
        let ihl = u32::from(header.first().copied().unwrap_or(0x45) & 0x0f) * 4;
        let offset = u32::from(word & OFFSET) * 8;
        let skb = self.skb_mut(no);
        let mut end = offset + skb.len.saturating_sub(ihl);
        let more = word & MF != 0;
        if more && end & 7 != 0 {
            end &= !7;
            if skb.ip_summed != CHECKSUM_UNNECESSARY {
                skb.ip_summed = CHECKSUM_NONE;
            }
        }
        let tos = header.get(1).copied().unwrap_or(0);
        let (df, ecn) = (word & ipv4::DF != 0, 1 << (tos & 3));
        Place {
            offset,
            end,
            more,
            ihl,
            df,
            ecn,
        }
    }

    /// `pskb_pull()` and `pskb_trim_rcsum()`: the payload of the fragment is left.
    fn frag_strip(&mut self, no: SkbNo, place: &Place) -> Run<()> {
        let header = self.skb(no).network_offset().max(0).unsigned_abs() + place.ihl;
        self.pskb_pull(no, header)?;
        let len = place.end - place.offset;
        self.pskb_trim(no, len)
    }

    /// `ip_frag_reasm()`: the packet that came last becomes the whole, with the header of the first.
    fn ip_frag_reasm(&mut self, no: SkbNo, dev: DevId, queue: Queue) -> Run<()> {
        let mut parts: Vec<SkbNo> = queue.parts.iter().map(|part| part.2).collect();
        self.inet_frag_reasm_prepare(no, &mut parts)?;
        self.inet_frag_reasm_finish(no, &parts)?;
        let skb = self.skb_mut(no);
        skb.dev = Some(dev);
        let (head, at) = (skb.head, u32::from(skb.network_header));
        let ihl = u32::from(self.bytes(no, at, 1).first().copied().unwrap_or(0x45) & 0x0f) * 4;
        let len = ihl + queue.len;
        if len > LARGEST {
            return not_covered("ip_frag_reasm: a packet of more than 65535 bytes");
        }
        let tos = self.bytes(no, at + 1, 1).first().copied().unwrap_or(0);
        let tos = tos | ecn_of(queue.ecn).unwrap_or(0);
        // a packet whose largest fragment must not be fragmented must not be either
        let df = queue.max_df_size == queue.max_size;
        let frag_off = if df { ipv4::DF } else { 0 };
        self.buffers.patch(head, at + 1, &[tos]);
        self.buffers
            .patch(head, at + 2, &(len as u16).to_be_bytes());
        self.buffers.patch(head, at + 6, &frag_off.to_be_bytes());
        self.ip_fix_check(no, at);
        Ok(())
    }

    /// `inet_frag_reasm_prepare()`: `no` takes the place of the first fragment (`skb_morph()`), a clone its own.
    fn inet_frag_reasm_prepare(&mut self, no: SkbNo, parts: &mut [SkbNo]) -> Run<()> {
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
        self.skb_release_data(old);
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

    /// `inet_frag_reasm_finish()`: the other fragments are copied in behind the first one, while there is room
    /// (`skb_try_coalesce()`).
    fn inet_frag_reasm_finish(&mut self, no: SkbNo, parts: &[SkbNo]) -> Run<()> {
        let skb = self.skb_mut(no);
        let header = skb.data.saturating_sub(u32::from(skb.network_header));
        skb.push(header)?;
        for part in parts.iter().copied().filter(|part| *part != no) {
            let from = self.skb(part).clone();
            let skb = self.skb_mut(no);
            if skb.ip_summed != from.ip_summed {
                skb.ip_summed = CHECKSUM_NONE;
            }
            let (head, tail, data_len) = (skb.head, skb.tail, skb.data_len + from.data_len);
            let room = self.buffers.get(head).end().saturating_sub(tail);
            if from.len > room || data_len != 0 {
                return not_covered("inet_frag_reasm_finish: a packet that becomes non-linear");
            }
            self.buffers
                .memcpy(head, tail, from.head, from.data, from.len);
            self.skb_mut(no).put(from.len);
            self.kfree_skb_partial(part)?;
        }
        Ok(())
    }

    /// `kfree_skb_partial()` of a packet whose bytes were copied.
    fn kfree_skb_partial(&mut self, no: SkbNo) -> Run<()> {
        self.traced("kfree_skb_partial", "net/core/skbuff.c", no, |k| {
            k.free_quietly(no);
            Ok(())
        })
    }
}

/// `ip_frag_ecn_table`: congestion that one fragment has met is that of all; fragments that can't belong together
/// have none.
fn ecn_of(seen: u8) -> Option<u8> {
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
