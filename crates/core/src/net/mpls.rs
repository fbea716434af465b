//! MPLS (RFC 3032; `struct mpls_shim_hdr`, `include/uapi/linux/mpls.h`).

use super::{Field, field};

/// Length of one label stack entry, bytes (`MPLS_HLEN`).
pub const HLEN: u32 = 4;
/// `ETH_P_MPLS_UC`.
pub const P_MPLS_UC: u16 = 0x8847;

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

#[cfg(test)]
mod tests {
    use super::Entry;

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
