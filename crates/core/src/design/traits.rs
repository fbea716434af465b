//! Traits (Arthur Fabre, RFC v1 5 Mar and v2 22 Apr 2025; patch-series.md section 6c): up to 64 keys at the start of the
//! headroom, `| xdp_frame | traits | headroom | XDP metadata | packet |`.
//!
//! Scenarios leave a run of bytes, not keys. They are carried over when the skb is built: eight bytes a key from key 0
//! on, the last key four bytes when four are left. The values stand in key order, so they are the same run of bytes.

use super::policy::{End, OnLwt, Policy};
use super::{ByPolicy, TRAITS_HEADER};

/// Pushes and pulls leave them alone until the headroom is used up. The RFC does not say what becomes of them in
/// `pskb_expand_head()`; as their place is fixed, they must be brought to the start of the new buffer.
pub(super) const TRAITS: ByPolicy = ByPolicy {
    name: "traits",
    policy: Policy {
        end: End::HeadStart,
        on_lwt: OnLwt::Keep,
        ..Policy::MAC_HEADER
    },
    structure_bytes: 0,
};

/// Which version of the proposal: lengths and errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Early code: values of 2, 4 or 8 bytes.
    V1,
    /// RFC v2: values of 0, 4 or 8 bytes.
    V2,
}

/// `-ENOENT`.
pub const ENOENT: i64 = -2;
/// `-ENOMEM`.
pub const ENOMEM: i64 = -12;
/// `-EBUSY`.
pub const EBUSY: i64 = -16;
/// `-EINVAL`.
pub const EINVAL: i64 = -22;
/// `-EFBIG`.
pub const EFBIG: i64 = -27;
/// `-ENOSPC`.
pub const ENOSPC: i64 = -28;

/// A key's length code has two bits, one in `high`, one in `low`.
const KEYS: u32 = 64;

/// The store: a header of two u64, and values in key order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    version: Version,
    high: u64,
    low: u64,
    values: Vec<u8>,
    /// Bytes that there are for header and values.
    room: u32,
}

impl Traits {
    /// An empty store of `room` bytes.
    #[must_use]
    pub fn new(version: Version, room: u32) -> Self {
        Self {
            version,
            high: 0,
            low: 0,
            values: Vec::new(),
            room,
        }
    }

    /// Bytes of header and values.
    #[must_use]
    pub fn size(&self) -> u32 {
        TRAITS_HEADER + self.below(KEYS)
    }

    /// The values, in key order.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Bytes of the values of all keys below `key`. In v1 `4·popcount(high) + 2·popcount(low)`, in v2
    /// `4·popcount(high)`; both bits are 8 bytes, so that a third 2 (v1) or a second 4 (v2) is added for them.
    fn below(&self, key: u32) -> u32 {
        let mask = 1u64.checked_shl(key).map_or(u64::MAX, |bit| bit - 1);
        let (high, low) = (self.high & mask, self.low & mask);
        let both = (high & low).count_ones();
        match self.version {
            Version::V1 => 4 * high.count_ones() + 2 * low.count_ones() + 2 * both,
            Version::V2 => 4 * high.count_ones() + 4 * both,
        }
    }

    fn code(&self, key: u32) -> (u64, u64) {
        ((self.high >> key) & 1, (self.low >> key) & 1)
    }

    /// Whether a key is set; in v2 also to a value of no bytes.
    ///
    /// # Errors
    /// `-EINVAL`: no such key.
    pub fn is_set(&self, key: u32) -> Result<bool, i64> {
        match key {
            0..KEYS => Ok(self.code(key) != (0, 0)),
            _ => Err(EINVAL),
        }
    }

    fn len_of(&self, key: u32) -> u32 {
        match (self.version, self.code(key)) {
            (_, (0, 0)) => 0,
            (Version::V1, (0, _)) => 2,
            (Version::V2, (0, _)) => 0,
            (_, (_, 0)) => 4,
            _ => 8,
        }
    }

    fn code_for(&self, len: usize) -> Option<(u64, u64)> {
        match (self.version, len) {
            (Version::V1, 2) | (Version::V2, 0) => Some((0, 1)),
            (_, 4) => Some((1, 0)),
            (_, 8) => Some((1, 1)),
            _ => None,
        }
    }

    /// Sets a key; the values behind it move.
    ///
    /// # Errors
    /// `-EINVAL`: no such key or length. `-ENOMEM` (v1), `-ENOSPC` (v2): no room. `-EINVAL` (v1), `-EBUSY` (v2): the key
    /// is set with another length.
    pub fn set(&mut self, key: u32, value: &[u8]) -> Result<(), i64> {
        let Some((high, low)) = self.code_for(value.len()).filter(|_| key < KEYS) else {
            return Err(EINVAL);
        };
        let at = self.below(key) as usize;
        let (now, is_set) = (self.len_of(key) as usize, self.code(key) != (0, 0));
        if is_set && now != value.len() {
            return Err(match self.version {
                Version::V1 => EINVAL,
                Version::V2 => EBUSY,
            });
        }
        if !is_set && self.size() + value.len() as u32 > self.room {
            return Err(match self.version {
                Version::V1 => ENOMEM,
                Version::V2 => ENOSPC,
            });
        }
        self.values.splice(at..at + now, value.iter().copied());
        self.high |= high << key;
        self.low |= low << key;
        Ok(())
    }

    /// The value of a key, for a buffer of `room` bytes.
    ///
    /// # Errors
    /// `-EINVAL`: no such key. `-ENOENT`: it is not set. `-EFBIG` (v1), `-ENOSPC` (v2): the buffer is too small.
    pub fn get(&self, key: u32, room: usize) -> Result<&[u8], i64> {
        if !self.is_set(key)? {
            return Err(ENOENT);
        }
        let (at, len) = (self.below(key) as usize, self.len_of(key) as usize);
        match self.values.get(at..at + len) {
            None => Err(ENOENT),
            Some(value) if value.len() > room => Err(match self.version {
                Version::V1 => EFBIG,
                Version::V2 => ENOSPC,
            }),
            Some(value) => Ok(value),
        }
    }

    /// Deletes a key; the values behind it move.
    ///
    /// # Errors
    /// `-EINVAL`: no such key. `-ENOENT`: it is not set.
    pub fn delete(&mut self, key: u32) -> Result<(), i64> {
        self.get(key, usize::MAX)?;
        let (at, len) = (self.below(key) as usize, self.len_of(key) as usize);
        self.values.drain(at..at + len);
        self.high &= !(1 << key);
        self.low &= !(1 << key);
        Ok(())
    }

    /// Where the value of a key begins, bytes from the start of the values.
    #[must_use]
    pub fn offset(&self, key: u32) -> u32 {
        self.below(key)
    }

    /// The store whose header and values lie in memory (v2), with room up to `room` bytes. What is cut off counts as 0.
    #[must_use]
    pub fn in_memory(bytes: &[u8], room: u32) -> Self {
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
            bytes.map_or(0, u64::from_le_bytes)
        };
        let mut traits = Self {
            version: Version::V2,
            high: word(0),
            low: word(8),
            values: Vec::new(),
            room,
        };
        let behind = bytes.get(TRAITS_HEADER as usize..).unwrap_or_default();
        traits.values = behind.to_vec();
        traits.values.resize(traits.below(KEYS) as usize, 0);
        traits
    }

    /// The header as it lies in memory.
    #[must_use]
    pub fn header(&self) -> [u8; 16] {
        let mut header = [0; 16];
        header[..8].copy_from_slice(&self.high.to_le_bytes());
        header[8..].copy_from_slice(&self.low.to_le_bytes());
        header
    }

    /// A run of bytes as values: eight bytes a key from key 0 on, four bytes the last when four are left (v2).
    ///
    /// # Errors
    /// As [`Traits::set`].
    pub fn of_run(bytes: &[u8], room: u32) -> Result<Self, i64> {
        let mut traits = Self::new(Version::V2, room);
        for (key, value) in (0..).zip(bytes.chunks(8)) {
            traits.set(key, value)?;
        }
        Ok(traits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// patch-series.md 6c: v1 total size = `16 + 4·popcount(high) + 2·popcount(low)`; a value of 8 needs 2 more.
    #[test]
    fn size_and_offsets_follow_from_the_header() {
        let mut v1 = Traits::new(Version::V1, 200);
        for (key, len) in [(3, 4), (1, 2), (9, 8)] {
            assert_eq!(v1.set(key, &vec![key as u8; len]), Ok(()));
        }
        assert_eq!(v1.size(), 16 + 2 + 4 + 8);
        assert_eq!(v1.values(), [1, 1, 3, 3, 3, 3, 9, 9, 9, 9, 9, 9, 9, 9]);
        // high: keys 3 and 9, low: keys 1 and 9
        assert_eq!(v1.header()[..2], [0x08, 0x02]);
        assert_eq!(v1.header()[8..10], [0x02, 0x02]);
    }

    /// 6c: values stand in key order; set and delete move what follows.
    #[test]
    fn set_and_delete_move_what_follows() {
        let mut v2 = Traits::new(Version::V2, 200);
        assert_eq!(v2.set(5, &[5; 4]), Ok(()));
        assert_eq!(v2.set(2, &[2; 8]), Ok(()));
        assert_eq!(v2.values(), [2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 5, 5]);
        assert_eq!(v2.delete(2), Ok(()));
        assert_eq!(v2.values(), [5; 4]);
        assert_eq!(v2.get(5, 4), Ok(&[5; 4][..]));
    }

    /// RFC v2, `struct __trait_hdr`: 01 is no byte, 10 four, 11 eight; the high bits in one word, the low ones in the other.
    #[test]
    fn codes_of_v2() {
        let mut v2 = Traits::new(Version::V2, 200);
        for (key, len) in [(1, 0), (2, 4), (3, 8)] {
            assert_eq!(v2.set(key, &vec![key as u8; len]), Ok(()));
        }
        assert_eq!((v2.header()[0], v2.header()[8]), (0b1100, 0b1010));
        assert_eq!((v2.size(), v2.offset(3)), (16 + 12, 4));
        assert_eq!(v2.get(1, 8), Ok(&[][..]));
        assert_eq!((v2.is_set(1), v2.is_set(0)), (Ok(true), Ok(false)));
        assert_eq!(
            (v2.is_set(64), v2.set(1, &[0; 4])),
            (Err(EINVAL), Err(EBUSY))
        );
        let bytes = [&v2.header()[..], v2.values(), &[9; 4]].concat();
        assert_eq!(Traits::in_memory(&bytes, 200), v2);
        assert_eq!((v2.delete(1), v2.is_set(1)), (Ok(()), Ok(false)));
    }

    /// 6c: the errors, which differ between the versions.
    #[test]
    fn errors() {
        for (version, no_room, other_length, small) in [
            (Version::V1, ENOMEM, EINVAL, EFBIG),
            (Version::V2, ENOSPC, EBUSY, ENOSPC),
        ] {
            let mut traits = Traits::new(version, 24);
            assert_eq!(traits.set(64, &[0; 4]), Err(EINVAL));
            assert_eq!(traits.set(0, &[0; 3]), Err(EINVAL));
            assert_eq!(traits.get(0, 8), Err(ENOENT));
            assert_eq!(traits.delete(0), Err(ENOENT));
            assert_eq!(traits.set(0, &[0; 4]), Ok(()));
            assert_eq!(traits.set(0, &[0; 8]), Err(other_length));
            assert_eq!(traits.get(0, 3), Err(small));
            assert_eq!(
                traits.set(1, &[0; 8]),
                Err(no_room),
                "4 bytes are left of 24"
            );
        }
        assert_eq!(
            Traits::new(Version::V2, 99).set(0, &[0; 2]),
            Err(EINVAL),
            "0, 4 or 8"
        );
    }

    /// 216 bytes are 27 keys of 8; with 16 of header they don't fit in 256 - 40.
    #[test]
    fn a_run_of_bytes_as_values() {
        let run: Vec<u8> = (0..12).collect();
        let traits = Traits::of_run(&run, 216).expect("room");
        assert_eq!((traits.values(), traits.size()), (&run[..], 28));
        assert_eq!(Traits::of_run(&[0; 216], 216), Err(ENOSPC));
        assert_eq!(
            Traits::of_run(&[0; 200], 216).map(|traits| traits.size()),
            Ok(216)
        );
    }
}
