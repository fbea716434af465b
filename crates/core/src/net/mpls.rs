//! MPLS (RFC 3032; `struct mpls_shim_hdr`, `include/uapi/linux/mpls.h`).

use super::{Field, field};

/// Length of one label stack entry, bytes (`MPLS_HLEN`).
pub const HLEN: u32 = 4;
/// `ETH_P_MPLS_UC`.
pub const P_MPLS_UC: u16 = 0x8847;
/// `IPPROTO_MPLS`: labels right behind an IP header (RFC 4023).
pub const PROTO_MPLS: u8 = 137;

/// A label stack entry.
pub const FIELDS: [Field; 2] = [field("label, tc, bottom", 0, 3), field("ttl", 3, 1)];

/// A label stack entry, taken apart (`mpls_entry_decode()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Label.
    pub label: u32,
    /// Time to live.
    pub ttl: u8,
    /// Traffic class.
    pub tc: u8,
    /// Bottom of stack.
    pub bos: bool,
}

impl Entry {
    /// From the wire.
    #[must_use]
    pub fn decode(word: u32) -> Self {
        Self {
            label: word >> 12,
            tc: (word >> 9 & 7) as u8,
            bos: word & 0x100 != 0,
            ttl: word as u8,
        }
    }

    /// To the wire.
    #[must_use]
    pub fn encode(self) -> u32 {
        self.label << 12 | u32::from(self.tc) << 9 | u32::from(self.bos) << 8 | u32::from(self.ttl)
    }
}

/// Labels to push, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Labels {
    labels: [u32; Self::MOST],
    count: usize,
}

impl Labels {
    /// Most labels of a stack here; the kernel takes 30 (`MAX_NEW_LABELS`).
    pub const MOST: usize = 8;

    /// Nothing when there are more than [`Labels::MOST`].
    #[must_use]
    pub fn new(list: &[u32]) -> Option<Self> {
        let mut all = Self::default();
        all.labels.get_mut(..list.len())?.copy_from_slice(list);
        all.count = list.len();
        Some(all)
    }

    /// The labels, outermost first.
    #[must_use]
    pub fn get(&self) -> &[u32] {
        self.labels.get(..self.count).unwrap_or_default()
    }

    /// Their length on the wire, bytes.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.get().len() as u32 * HLEN
    }

    /// On the wire: each with that ttl, the last one with `bos`.
    #[must_use]
    pub fn encode(&self, ttl: u8, bos: bool) -> Vec<u8> {
        let last = self.get().len().saturating_sub(1);
        let entries = self.get().iter().enumerate().map(|(i, label)| Entry {
            label: *label,
            ttl,
            tc: 0,
            bos: bos && i == last,
        });
        entries
            .flat_map(|entry| entry.encode().to_be_bytes())
            .collect()
    }
}

impl std::fmt::Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<_> = self.get().iter().map(u32::to_string).collect();
        f.write_str(&all.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Labels};

    /// RFC 3032, section 2.1: the bottom of the stack is the last entry.
    #[test]
    fn a_stack_of_two() {
        let two = Labels::new(&[100, 200]).expect("two labels");
        assert_eq!(two.encode(63, true), [0, 6, 0x40, 63, 0, 12, 0x81, 63]);
        assert_eq!(two.to_string(), "100/200");
        assert_eq!(Labels::new(&[1; 9]), None);
    }

    /// golden E11-mpls-pop-lo-native: label 100, bottom of stack, ttl 64.
    #[test]
    fn an_entry_there_and_back() {
        let entry = Entry::decode(0x0006_4140);
        assert_eq!(
            entry,
            Entry {
                label: 100,
                ttl: 64,
                tc: 0,
                bos: true
            }
        );
        assert_eq!(entry.encode(), 0x0006_4140);
    }
}
