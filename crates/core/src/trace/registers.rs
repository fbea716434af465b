//! Register files of a trace, stored as changes: most instructions change one register.

use serde::{Deserialize, Serialize};

/// After so many files one is stored whole, so that any is found in a few steps.
const WHOLE_EVERY: usize = 64;

/// r0 to r10 after each instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterLog {
    /// Files 0, 64, 128, …
    pub(super) whole: Vec<[u64; 11]>,
    /// For each file, how many changes there are up to and with it.
    pub(super) ends: Vec<u32>,
    pub(super) numbers: Vec<u8>,
    pub(super) values: Vec<u64>,
    pub(super) last: [u64; 11],
}

impl RegisterLog {
    /// Adds a file; gives its index.
    pub fn push(&mut self, file: &[u64; 11]) -> usize {
        let index = self.ends.len();
        if index.is_multiple_of(WHOLE_EVERY) {
            self.whole.push(*file);
        } else {
            let pairs = (0u8..).zip(file.iter().zip(&self.last));
            for (number, (new, _)) in pairs.filter(|(_, (new, old))| new != old) {
                self.numbers.push(number);
                self.values.push(*new);
            }
        }
        self.ends.push(self.values.len() as u32);
        self.last = *file;
        index
    }

    /// The file at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<[u64; 11]> {
        let end = *self.ends.get(index)? as usize;
        let whole = index / WHOLE_EVERY;
        let start = *self.ends.get(whole * WHOLE_EVERY)? as usize;
        let mut file = *self.whole.get(whole)?;
        let changes = self.numbers.get(start..end)?.iter();
        for (number, value) in changes.zip(self.values.get(start..end)?) {
            if let Some(place) = file.get_mut(usize::from(*number)) {
                *place = *value;
            }
        }
        Some(file)
    }

    /// One register after each instruction, from the first on: all together in one go.
    #[must_use]
    pub fn column(&self, register: u8) -> Vec<u64> {
        let mut now = 0;
        let mut start = 0;
        let of = |file: &[u64; 11]| file.get(usize::from(register)).copied().unwrap_or(0);
        let mut out = Vec::with_capacity(self.ends.len());
        for (index, end) in self.ends.iter().enumerate() {
            if index.is_multiple_of(WHOLE_EVERY) {
                now = self.whole.get(index / WHOLE_EVERY).map_or(0, of);
            }
            let end = *end as usize;
            let changes = self.numbers.get(start..end).unwrap_or_default().iter();
            let changes = changes.zip(self.values.get(start..end).unwrap_or_default());
            for (_, value) in changes.filter(|(number, _)| **number == register) {
                now = *value;
            }
            start = end;
            out.push(now);
        }
        out
    }

    /// The last file.
    #[must_use]
    pub fn last(&self) -> Option<&[u64; 11]> {
        (!self.ends.is_empty()).then_some(&self.last)
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// No instruction was traced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.whole.capacity() * 88
            + self.ends.capacity() * 4
            + self.numbers.capacity()
            + self.values.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        /// Every file comes back as it was put in.
        #[test]
        fn what_was_pushed_comes_back(changes in vec((0usize..11, any::<u64>(), 0..4u8), 0..300)) {
            let (mut log, mut file, mut all) = (RegisterLog::default(), [0u64; 11], Vec::new());
            for (number, value, how) in changes {
                match how {
                    0 => file = [value; 11],
                    1 => {}
                    _ => file[number] = value,
                }
                prop_assert_eq!(log.push(&file), all.len());
                all.push(file);
            }
            prop_assert_eq!(log.len(), all.len());
            prop_assert_eq!(log.last(), all.last());
            for (index, file) in all.iter().enumerate() {
                prop_assert_eq!(log.get(index), Some(*file));
            }
            prop_assert_eq!(log.get(all.len()), None);
            for register in 0..11u8 {
                let column: Vec<u64> = all.iter().map(|f| f[usize::from(register)]).collect();
                prop_assert_eq!(log.column(register), column);
            }
        }
    }
}
