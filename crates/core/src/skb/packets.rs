//! The packets that are alive. There are few at a time, so they lie in a row, and a packet that ends
//! leaves its place to the next one without anything being allocated.

use smallvec::SmallVec;

use super::SkBuff;
use crate::trace::{BufferNo, SkbNo};

/// Packets that go on together (`struct list_head`); NAPI hands up eight at most.
pub type SkbList = SmallVec<[SkbNo; 8]>;

/// Number of no packet: they count from 1.
const NOBODY: SkbNo = SkbNo(0);

/// All living `sk_buff`s of a run, by number. Nearly always the youngest is asked for, so that it has a place of its own,
/// which is found with one comparison.
#[derive(Debug)]
pub struct Packets {
    /// One of number [`NOBODY`] is none.
    youngest: SkBuff,
    /// The others, the younger ones at the end.
    others: Vec<SkBuff>,
}

impl Default for Packets {
    fn default() -> Self {
        Self {
            youngest: SkBuff::new(NOBODY, BufferNo(0)),
            others: Vec::new(),
        }
    }
}

impl Packets {
    /// The packet, if it is alive.
    #[inline]
    #[must_use]
    pub fn get(&self, no: &SkbNo) -> Option<&SkBuff> {
        if self.youngest.no == *no {
            return Some(&self.youngest);
        }
        self.get_other(*no)
    }

    /// The packet, to change it.
    #[inline]
    pub fn get_mut(&mut self, no: &SkbNo) -> Option<&mut SkBuff> {
        if self.youngest.no == *no {
            return Some(&mut self.youngest);
        }
        self.get_other_mut(*no)
    }

    #[cold]
    #[inline(never)]
    fn get_other(&self, no: SkbNo) -> Option<&SkBuff> {
        self.others.iter().rev().find(|skb| skb.no == no)
    }

    #[cold]
    #[inline(never)]
    fn get_other_mut(&mut self, no: SkbNo) -> Option<&mut SkBuff> {
        self.others.iter_mut().rev().find(|skb| skb.no == no)
    }

    /// A new packet; one of the same number is replaced.
    pub fn insert(&mut self, skb: SkBuff) {
        if self.youngest.no == NOBODY {
            self.youngest = skb;
        } else if let Some(known) = self.get_mut(&skb.no) {
            *known = skb;
        } else {
            self.others.push(std::mem::replace(&mut self.youngest, skb));
        }
    }

    /// The packet is gone; gives its buffer.
    pub fn remove(&mut self, no: &SkbNo) -> Option<BufferNo> {
        if self.youngest.no != *no {
            let place = self.others.iter().rposition(|skb| skb.no == *no)?;
            return Some(self.others.swap_remove(place).head);
        }
        let head = self.youngest.head;
        match self.others.pop() {
            Some(next) => self.youngest = next,
            None => (self.youngest.no, self.youngest.bpf.tun_info) = (NOBODY, None),
        }
        Some(head)
    }

    /// All that are alive, in no order that means anything.
    pub fn values(&self) -> impl Iterator<Item = &SkBuff> {
        let youngest = Some(&self.youngest).filter(|skb| skb.no != NOBODY);
        youngest.into_iter().chain(&self.others)
    }
}

impl std::ops::Index<&SkbNo> for Packets {
    type Output = SkBuff;

    #[inline]
    fn index(&self, no: &SkbNo) -> &SkBuff {
        self.get(no)
            .unwrap_or_else(|| unreachable!("skb {} is used after it was freed", no.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_and_go() {
        let mut packets = Packets::default();
        for no in 1..=3 {
            packets.insert(SkBuff::new(SkbNo(no), BufferNo(no)));
        }
        assert_eq!(packets.remove(&SkbNo(1)), Some(BufferNo(1)));
        assert!(packets.get(&SkbNo(1)).is_none());
        assert!(packets.remove(&SkbNo(1)).is_none());
        for no in 2..=3 {
            assert_eq!(packets[&SkbNo(no)].head, BufferNo(no));
        }
        packets.insert(SkBuff::new(SkbNo(3), BufferNo(9)));
        assert_eq!(
            packets.get_mut(&SkbNo(3)).map(|skb| skb.head),
            Some(BufferNo(9))
        );
        assert_eq!(packets.values().count(), 2);
        // the youngest leaves its place to the next one; when all are gone nobody is there
        for (no, left) in [(3, 1), (2, 0)] {
            assert!(packets.remove(&SkbNo(no)).is_some());
            assert!(packets.get_mut(&SkbNo(no)).is_none());
            assert_eq!(packets.values().count(), left);
        }
        assert!(packets.remove(&SkbNo(2)).is_none());
        packets.insert(SkBuff::new(SkbNo(4), BufferNo(4)));
        assert_eq!(packets.values().count(), 1);
    }
}
