//! Maps with keys: arrays, hash tables, tries, and the maps that `bpf_redirect_map()` uses
//! (kernel/bpf/{arraymap,hashtab,lpm_trie,devmap,cpumap}.c).

use super::{
    E2BIG, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EXIST, MAX_BYTES, Map, MapKind, Maps, NOEXIST,
    ValuePlace,
};
use crate::bpf::program::MapDef;

/// `BPF_F_LOCK`: no other CPU is there to lock out.
const LOCK: u64 = 4;

/// The first `bits` bits of a key's data, the rest 0.
fn masked(data: &[u8], bits: u32) -> Vec<u8> {
    let bits = bits as usize;
    let keep = |(i, byte): (usize, &u8)| match bits.saturating_sub(i * 8) {
        0 => 0,
        left if left >= 8 => *byte,
        left => byte & !(0xff >> left),
    };
    data.iter().enumerate().map(keep).collect()
}

/// `copy_map_value()`: what is the kernel's stays as it is.
fn copy_value(def: &MapDef, place: &mut [u8], value: &[u8]) {
    let own: Vec<_> = def
        .details
        .fields()
        .filter_map(|(_, off, len)| {
            let range = off as usize..(off + len) as usize;
            Some((range.clone(), place.get(range)?.to_vec()))
        })
        .collect();
    place.copy_from_slice(value);
    for (range, bytes) in own {
        place[range].copy_from_slice(&bytes);
    }
}

/// Length and data of a key of a trie; `None` if it is longer than the data.
fn lpm_key(key: &[u8]) -> Option<(u32, &[u8])> {
    let (len, data) = key.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len);
    (len as usize <= data.len() * 8).then_some((len, data))
}

/// The key under which a prefix is kept: bits behind its length do not count.
fn lpm_slot(len: u32, data: &[u8]) -> Vec<u8> {
    [&len.to_le_bytes()[..], &masked(data, len)].concat()
}

impl Map {
    /// The slot of a key: the longest prefix that fits, in a trie.
    fn find(&self, key: &[u8]) -> Option<u32> {
        let kind = self.def.kind;
        let index = || Some(u32::from_le_bytes(key.try_into().ok()?));
        match kind {
            MapKind::LpmTrie => {
                let (len, data) = lpm_key(key)?;
                (0..=len)
                    .rev()
                    .find_map(|len| self.slots.get(&lpm_slot(len, data)).copied())
            }
            MapKind::DevmapHash => self.slots.get(key).copied(),
            MapKind::Devmap | MapKind::Cpumap | MapKind::Xskmap => {
                let slot = index().filter(|slot| *slot < self.def.max_entries)?;
                // An index without an entry has the value 0.
                let set = self.slot(slot)?.iter().any(|byte| *byte != 0);
                set.then_some(slot)
            }
            _ if kind.is_array() => index().filter(|slot| *slot < self.def.max_entries),
            _ if kind.is_hash() => self.slots.get(key).copied(),
            _ => None,
        }
    }

    fn touch(&mut self, slot: u32) {
        if self.def.kind.is_lru() {
            self.clock += 1;
            if let Some(used) = self.used.get_mut(slot as usize) {
                *used = self.clock;
            }
        }
    }

    /// A slot for a new key; `Err` when there is none.
    fn new_slot(&mut self) -> Result<u32, i64> {
        let count = self.slots.len() as u32;
        if count >= self.def.max_entries {
            let full = if self.def.kind == MapKind::LpmTrie {
                ENOSPC
            } else {
                E2BIG
            };
            if !self.def.kind.is_lru() {
                return Err(-full);
            }
            let used = |slot: &u32| self.used.get(*slot as usize).copied().unwrap_or(0);
            let oldest = self
                .slots
                .iter()
                .min_by_key(|(_, slot)| used(slot))
                .map(|(key, slot)| (key.clone(), *slot));
            let (key, slot) = oldest.ok_or(-ENOMEM)?;
            self.slots.remove(&key);
            return Ok(slot);
        }
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        let slot = (self.values.len() / self.stride().max(1)) as u32;
        let end = self.values.len() + self.stride();
        if end as u64 > MAX_BYTES {
            return Err(-ENOMEM);
        }
        self.values.resize(end, 0);
        if self.def.kind.is_lru() {
            self.used.push(0);
        }
        Ok(slot)
    }

    /// `map_update_elem`; 0 or a negative error.
    fn update(&mut self, key: &[u8], value: &[u8], flags: u64) -> i64 {
        let kind = self.def.kind;
        let locks = kind.is_array() || matches!(kind, MapKind::Hash);
        let (lock, no_lock) = (flags & LOCK != 0, self.def.details.lock.is_none());
        let flags = if locks { flags & !LOCK } else { flags };
        if flags > EXIST {
            return -EINVAL;
        }
        let redirect = matches!(kind, MapKind::Devmap | MapKind::Cpumap | MapKind::Xskmap);
        let slot = if kind.is_array() || redirect {
            let Ok(index) = key.try_into().map(u32::from_le_bytes) else {
                return -EINVAL;
            };
            if index >= self.def.max_entries {
                return -E2BIG;
            }
            if flags == NOEXIST {
                return -EEXIST;
            }
            if lock && no_lock {
                return -EINVAL;
            }
            index
        } else {
            if lock && no_lock && locks {
                return -EINVAL;
            }
            let key = if kind == MapKind::LpmTrie {
                match lpm_key(key) {
                    Some((len, data)) => lpm_slot(len, data),
                    None => return -EINVAL,
                }
            } else {
                key.to_vec()
            };
            match self.slots.get(&key).copied() {
                Some(_) if flags == NOEXIST => return -EEXIST,
                Some(slot) => slot,
                None if flags == EXIST => return -ENOENT,
                None => match self.new_slot() {
                    Ok(slot) => {
                        self.slots.insert(key, slot);
                        slot
                    }
                    Err(error) => return error,
                },
            }
        };
        self.touch(slot);
        let at = self.value_at(slot);
        match self.values.get_mut(at..at + value.len()) {
            Some(place) => copy_value(&self.def, place, value),
            None => return -EINVAL,
        }
        0
    }

    /// `map_delete_elem`; 0 or a negative error.
    fn delete(&mut self, key: &[u8]) -> i64 {
        let kind = self.def.kind;
        let key = match kind {
            MapKind::LpmTrie => match lpm_key(key) {
                Some((len, data)) => lpm_slot(len, data),
                None => return -EINVAL,
            },
            MapKind::Devmap | MapKind::Cpumap | MapKind::Xskmap => {
                return match key.try_into().map(u32::from_le_bytes) {
                    Ok(index) if index < self.def.max_entries => {
                        let (at, size) = (self.value_at(index), self.def.value_size as usize);
                        if let Some(value) = self.values.get_mut(at..at + size) {
                            value.fill(0);
                        }
                        0
                    }
                    _ => -EINVAL,
                };
            }
            _ if kind.is_hash() || kind == MapKind::DevmapHash => key.to_vec(),
            _ => return -EINVAL,
        };
        match self.slots.remove(&key) {
            Some(slot) => {
                self.free.push(slot);
                0
            }
            None => -ENOENT,
        }
    }

    /// Keys in their order, each with its slot.
    pub(super) fn keys(&self) -> Vec<(Vec<u8>, u32)> {
        let kind = self.def.kind;
        if kind.is_hash() || matches!(kind, MapKind::LpmTrie | MapKind::DevmapHash) {
            return self.slots.iter().map(|(k, s)| (k.clone(), *s)).collect();
        }
        let redirect = kind.is_redirect();
        if !kind.is_array() && !redirect {
            return Vec::new();
        }
        (0..self.def.max_entries)
            .filter(|slot| !redirect || self.find(&slot.to_le_bytes()).is_some())
            .map(|slot| (slot.to_le_bytes().to_vec(), slot))
            .collect()
    }
}

impl Maps {
    /// The value for a key, if it is there.
    pub(in crate::bpf) fn lookup(&mut self, map: usize, key: &[u8]) -> Option<ValuePlace> {
        let m = self.maps.get_mut(map)?;
        let slot = m.find(key)?;
        m.touch(slot);
        let at = m.value_at(slot);
        Some(ValuePlace { map, at })
    }

    /// As [`Maps::lookup`] from outside: the value's bytes, and no LRU map remembers it.
    pub(super) fn peek_value(&self, map: usize, key: &[u8]) -> Option<&[u8]> {
        let m = self.maps.get(map)?;
        m.slot(m.find(key)?)
    }

    /// `bpf_map_update_elem()`; 0 or a negative error.
    pub(in crate::bpf) fn update(
        &mut self,
        map: usize,
        key: &[u8],
        value: &[u8],
        flags: u64,
    ) -> i64 {
        let Some(m) = self.maps.get_mut(map) else {
            return -EINVAL;
        };
        let ret = m.update(key, value, flags);
        if ret == 0
            && let Some(slot) = m.find(key)
        {
            let at = m.value_at(slot);
            self.forget_timer(ValuePlace { map, at });
        }
        ret
    }

    /// `bpf_map_delete_elem()`.
    pub(in crate::bpf) fn delete(&mut self, map: usize, key: &[u8]) -> i64 {
        let Some(m) = self.maps.get_mut(map) else {
            return -EINVAL;
        };
        let place = m.find(key).map(|slot| m.value_at(slot));
        let ret = m.delete(key);
        if let (0, Some(at)) = (ret, place) {
            self.forget_timer(ValuePlace { map, at });
        }
        ret
    }

    /// Keys, and where their values are, for `bpf_for_each_map_elem()`.
    pub(in crate::bpf) fn elements(&self, map: usize) -> Vec<(Vec<u8>, ValuePlace)> {
        let Some(m) = self.maps.get(map) else {
            return Vec::new();
        };
        let place = |slot| ValuePlace {
            map,
            at: m.value_at(slot),
        };
        m.keys().into_iter().map(|(k, s)| (k, place(s))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    /// Bits count from the most significant of the first byte (`extract_bit()`, kernel/bpf/lpm_trie.c).
    #[test]
    fn a_prefix_keeps_its_first_bits() {
        assert_eq!(masked(&[0xff, 0xff, 0xff], 12), [0xff, 0xf0, 0]);
        assert_eq!(masked(&[0xff, 0xff], 0), [0, 0]);
        assert_eq!(masked(&[0xab, 0xcd], 16), [0xab, 0xcd]);
        assert_eq!(masked(&[0xff], 1), [0x80]);
    }
}
