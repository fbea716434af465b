//! What `ip_do_fragment()` (`net/ipv4/ip_output.c`) and `ip6_fragment()` (`net/ipv6/ip6_output.c`) have in common.

use super::skbuff::drop_reason;
use super::{Kernel, Run};
use crate::trace::SkbNo;

/// `-EMSGSIZE`.
pub(super) const EMSGSIZE: i64 = -90;

/// What a packet in pieces must keep to so that its `frag_list` may leave as it is. Bytes.
pub(super) struct Geometry {
    /// Headers of the packet that each piece gets.
    pub hlen: u32,
    /// Payload that one piece may have.
    pub space: u32,
    /// `LL_RESERVED_SPACE()` of the device, and what the first piece needs beside it.
    pub headroom: u32,
    /// The same of all others.
    pub member_headroom: u32,
}

impl Geometry {
    /// Payload of the piece that comes next, `left` being all that is to be sent: a multiple of 8, but for the last one.
    pub fn next_len(&self, left: u32) -> u32 {
        match left > self.space {
            true => self.space & !7,
            false => left,
        }
    }
}

impl Kernel {
    /// `skb_pagelen()`: bytes of the packet without those of its `frag_list`.
    pub(super) fn skb_pagelen(&self, no: SkbNo) -> u32 {
        let skb = self.skb(no);
        let frags = &self.buffers.get(skb.head).frags;
        skb.headlen() + frags.iter().map(|frag| frag.size).sum::<u32>()
    }

    /// Whether the packets of `frag_list` may leave as they are: they fit, their place is a multiple of 8, there is room
    /// for the headers, and nobody else has them.
    pub(super) fn fraglist_fits(&self, no: SkbNo, geometry: &Geometry) -> bool {
        let list = &self.buffers.get(self.skb(no).head).frag_list;
        let Some(last) = list.last().copied() else {
            return false;
        };
        let first_len = self.skb_pagelen(no).saturating_sub(geometry.hlen);
        let first = first_len <= geometry.space
            && first_len & 7 == 0
            && !self.skb_cloned(no)
            && self.skb(no).headroom() >= geometry.headroom;
        first
            && list.iter().all(|member| {
                let skb = self.skb(*member);
                skb.len <= geometry.space
                    && (skb.len & 7 == 0 || *member == last)
                    && skb.headroom() >= geometry.member_headroom
                    && !self.skb_shared(*member)
            })
    }

    /// What `ip_fraglist_init()` and `ip6_fraglist_init()` do to the packet: it ends where its list begins. Gives the list.
    pub(super) fn take_fraglist(&mut self, no: SkbNo) -> Vec<SkbNo> {
        let first_len = self.skb_pagelen(no);
        let skb = self.skb_mut(no);
        skb.data_len = first_len - skb.headlen();
        skb.len = first_len;
        let head = skb.head;
        std::mem::take(self.buffers.frag_list_mut(head))
    }

    /// `kfree_skb_list()` of the pieces that can't be sent any more.
    pub(super) fn kfree_rest(&mut self, rest: impl Iterator<Item = SkbNo>) -> Run<()> {
        for member in rest {
            self.kfree_skb(member, drop_reason::NOT_SPECIFIED)?;
        }
        Ok(())
    }

    /// `ip_copy_metadata()` and `ip6_copy_metadata()`: fields and the extensions of the skb. Nothing in front of the packet
    /// is copied, nor is a hook called that a map could hear of it by.
    pub(super) fn ip_copy_metadata(&mut self, to: SkbNo, from: SkbNo) {
        let old = self.skb(from).clone();
        let skb = self.skb_mut(to);
        (skb.pkt_type, skb.priority) = (old.pkt_type, old.priority);
        (skb.protocol, skb.skb_iif) = (old.protocol, old.skb_iif);
        (skb.dst, skb.dst6, skb.dev, skb.mark) = (old.dst, old.dst6, old.dev, old.mark);
        skb.bpf.tun_info.clone_from(&old.bpf.tun_info);
        (skb.bpf.hash, skb.bpf.l4_hash) = (old.bpf.hash, old.bpf.l4_hash);
        skb.bpf.tc_index = old.bpf.tc_index;
        // skb_set_delivery_time()
        (skb.bpf.tstamp, skb.bpf.tstamp_type) = (old.bpf.tstamp, old.bpf.tstamp_type);
        self.metadata_ext_copied(from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::Geometry;

    #[test]
    fn all_but_the_last_are_a_multiple_of_8() {
        let geometry = Geometry {
            hlen: 20,
            space: 1380,
            headroom: 0,
            member_headroom: 0,
        };
        assert_eq!(geometry.next_len(1381), 1376);
        assert_eq!(geometry.next_len(1380), 1380);
        assert_eq!(geometry.next_len(5), 5);
    }
}
