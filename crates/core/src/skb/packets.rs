//! The packets that are alive. There are few at a time, so they lie in a row, and a packet that ends
//! leaves its place to the next one without anything being allocated.

use smallvec::SmallVec;

use super::SkBuff;
use crate::trace::SkbNo;

/// Packets that go on together (`struct list_head`); NAPI hands up eight at most.
pub type SkbList = SmallVec<[SkbNo; 8]>;

/// All living `sk_buff`s of a run, by number.
#[derive(Debug, Default)]
pub struct Packets {
    skbs: Vec<SkBuff>,
}

impl Packets {
    /// The young ones are at the end, and nearly always the youngest is asked for.
    #[inline]
    fn place(&self, no: &SkbNo) -> Option<usize> {
        match self.skbs.last() {
            Some(youngest) if youngest.no == *no => Some(self.skbs.len() - 1),
            _ => self.place_among_all(no),
        }
    }

    fn place_among_all(&self, no: &SkbNo) -> Option<usize> {
        self.skbs.iter().rposition(|skb| skb.no == *no)
    }

    /// The packet, if it is alive.
    #[inline]
    #[must_use]
    pub fn get(&self, no: &SkbNo) -> Option<&SkBuff> {
        self.skbs.get(self.place(no)?)
    }

    /// The packet, to change it.
    #[inline]
    pub fn get_mut(&mut self, no: &SkbNo) -> Option<&mut SkBuff> {
        let place = self.place(no)?;
        self.skbs.get_mut(place)
    }

    /// A new packet; one of the same number is replaced.
    pub fn insert(&mut self, skb: SkBuff) {
        match self.get_mut(&skb.no) {
            Some(known) => *known = skb,
            None => self.skbs.push(skb),
        }
    }

    /// The packet is gone.
    pub fn remove(&mut self, no: &SkbNo) -> Option<SkBuff> {
        let place = self.place(no)?;
        Some(self.skbs.swap_remove(place))
    }

    /// All that are alive, in no order that means anything.
    pub fn values(&self) -> impl Iterator<Item = &SkBuff> {
        self.skbs.iter()
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
    use crate::trace::BufferNo;

    #[test]
    fn packets_come_and_go() {
        let mut packets = Packets::default();
        for no in 1..=3 {
            packets.insert(SkBuff::new(SkbNo(no), BufferNo(no)));
        }
        assert_eq!(
            packets.remove(&SkbNo(1)).map(|skb| skb.head),
            Some(BufferNo(1))
        );
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
    }
}
