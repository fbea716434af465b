//! What programs stored outside the packet: on their stack and in map values. Packet bytes have
//! their own list, with origins.

use serde::{Deserialize, Serialize};

/// All such stores of a trace, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLog {
    pub(super) steps: Vec<u32>,
    pub(super) addresses: Vec<u64>,
    pub(super) ends: Vec<u32>,
    pub(super) bytes: Vec<u8>,
}

/// One store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store<'l> {
    /// Step of the instruction that made it.
    pub step: usize,
    /// Address in the program's eyes.
    pub address: u64,
    /// The bytes, in memory order.
    pub bytes: &'l [u8],
}

impl StoreLog {
    /// Adds a store of the instruction that becomes step `step`.
    pub fn push(&mut self, step: usize, address: u64, bytes: &[u8]) {
        self.steps.push(u32::try_from(step).unwrap_or(u32::MAX));
        self.addresses.push(address);
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    /// One store, by its number.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Store<'_>> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let end = *self.ends.get(index)?;
        Some(Store {
            step: *self.steps.get(index)? as usize,
            address: *self.addresses.get(index)?,
            bytes: self.bytes.get(start as usize..end as usize)?,
        })
    }

    /// The stores of steps `first..end`, in order.
    pub fn between(&self, first: usize, end: usize) -> impl Iterator<Item = Store<'_>> {
        let before = |step: usize| self.steps.partition_point(|s| (*s as usize) < step);
        (before(first)..before(end)).filter_map(|index| self.get(index))
    }

    /// Number of stores.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Nothing was stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.steps.capacity() * 4
            + self.addresses.capacity() * 8
            + self.ends.capacity() * 4
            + self.bytes.capacity()
    }
}
