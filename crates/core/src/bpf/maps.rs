//! Maps: their values live here, at addresses that depend on nothing but the map's index.

use std::collections::BTreeMap;

use super::error::LoadError;
use super::program::{MapDef, MapKind, Object};

/// Address of the first map (`struct bpf_map *` in the program's eyes).
const MAP_BASE: u64 = 0xffff_8881_0400_0000;
/// Bytes between maps.
const MAP_STEP: u64 = 0x400;
/// Address of the first map's values.
const VALUE_BASE: u64 = 0xffff_c900_1000_0000;
/// Bytes between the values of two maps; also the largest size of a map here.
const VALUE_STEP: u64 = 1 << 24;
/// Bytes all maps of an object may take.
const MAX_TOTAL: u64 = 1 << 26;

const E2BIG: i64 = 7;
const ENOENT: i64 = 2;
const EEXIST: i64 = 17;
const EINVAL: i64 = 22;

/// Address a program sees for a map.
pub(super) fn map_address(map: usize) -> u64 {
    MAP_BASE + map as u64 * MAP_STEP
}

/// Address a program sees for the first byte of a map's values.
pub(super) fn values_address(map: usize) -> u64 {
    VALUE_BASE + map as u64 * VALUE_STEP
}

/// What lies at an address: a map's number, and how far into its values (`None`: the map itself).
#[must_use]
pub fn map_at(address: u64) -> Option<(usize, Option<u64>)> {
    const MAPS: u64 = 64;
    if let Some(off) = address.checked_sub(VALUE_BASE)
        && off < MAPS * VALUE_STEP
    {
        return Some(((off / VALUE_STEP) as usize, Some(off % VALUE_STEP)));
    }
    let off = address.checked_sub(MAP_BASE)?;
    let is_map = off < MAPS * MAP_STEP && off.is_multiple_of(MAP_STEP);
    is_map.then_some(((off / MAP_STEP) as usize, None))
}

/// Place of a byte in map values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValuePlace {
    pub map: usize,
    /// Bytes from the start of that map's values.
    pub at: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Map {
    def: MapDef,
    values: Vec<u8>,
    /// Hash maps: key → slot, and the slots that are free.
    slots: BTreeMap<Vec<u8>, u32>,
    free: Vec<u32>,
}

impl Map {
    /// Bytes between two values; Linux rounds up to eight (kernel/bpf/arraymap.c).
    fn stride(&self) -> usize {
        (self.def.value_size as usize).next_multiple_of(8)
    }
}

/// The maps of one object, with their contents; they outlive a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maps {
    maps: Vec<Map>,
}

impl Maps {
    /// Creates the maps of an object, zeroed, data sections with their content.
    pub fn new(object: &Object) -> Result<Maps, LoadError> {
        let mut maps = Vec::with_capacity(object.maps.len());
        let mut total = 0u64;
        for def in &object.maps {
            let fail = |why: String| LoadError::Map {
                file: object.name.clone(),
                map: def.name.clone(),
                why,
            };
            let stride = u64::from(def.value_size).next_multiple_of(8);
            let bytes = match def.kind {
                MapKind::Array | MapKind::Hash | MapKind::Data { .. } => {
                    if def.value_size == 0 || def.max_entries == 0 {
                        return Err(fail("value_size and max_entries must not be 0".to_owned()));
                    }
                    if def.kind == MapKind::Array && def.key_size != 4 {
                        return Err(fail(format!("array with key_size {}", def.key_size)));
                    }
                    stride * u64::from(def.max_entries)
                }
                MapKind::Ringbuf | MapKind::Other(_) => 0,
            };
            total = total.saturating_add(bytes);
            if bytes > VALUE_STEP || total > MAX_TOTAL {
                return Err(fail(format!(
                    "{bytes} bytes are more than the simulator gives a map"
                )));
            }
            let mut values = vec![0; bytes as usize];
            if let Some(head) = values.get_mut(..def.initial.len()) {
                head.copy_from_slice(&def.initial);
            }
            maps.push(Map {
                def: def.clone(),
                values,
                slots: BTreeMap::new(),
                free: Vec::new(),
            });
        }
        Ok(Maps { maps })
    }

    /// Sets a `u32` value of an array map, as `bpftool map update` would; `false` if there is no
    /// such map, key, or the values are smaller than four bytes.
    pub fn set_u32(&mut self, map: &str, key: u32, value: u32) -> bool {
        let Some(index) = self.index_of_name(map) else {
            return false;
        };
        let Some(place) = self.lookup(index, &key.to_le_bytes()) else {
            return false;
        };
        if self.maps[index].def.value_size < 4 {
            return false;
        }
        self.maps[index].values[place.at..place.at + 4].copy_from_slice(&value.to_le_bytes());
        true
    }

    /// A value of an array map as `u32`; `None` as for [`Maps::set_u32`].
    pub fn get_u32(&self, map: &str, key: u32) -> Option<u32> {
        let value = self.value(map, &key.to_le_bytes())?;
        Some(u32::from_le_bytes(value.get(..4)?.try_into().ok()?))
    }

    /// The bytes of a value.
    pub fn value(&self, map: &str, key: &[u8]) -> Option<&[u8]> {
        let index = self.index_of_name(map)?;
        let place = self.lookup(index, key)?;
        self.maps[index]
            .values
            .get(place.at..place.at + self.maps[index].def.value_size as usize)
    }

    /// Definitions of the maps, by index.
    pub fn defs(&self) -> impl Iterator<Item = &MapDef> {
        self.maps.iter().map(|m| &m.def)
    }

    fn index_of_name(&self, name: &str) -> Option<usize> {
        self.maps.iter().position(|m| m.def.name == name)
    }

    /// The map at an address that a program passes to a helper.
    pub(super) fn index_of_address(&self, address: u64) -> Option<usize> {
        let distance = address.checked_sub(MAP_BASE)?;
        let index = usize::try_from(distance / MAP_STEP).ok()?;
        (distance % MAP_STEP == 0 && index < self.maps.len()).then_some(index)
    }

    pub(super) fn def(&self, map: usize) -> Option<&MapDef> {
        self.maps.get(map).map(|m| &m.def)
    }

    /// The value for a key, if it is there.
    pub(super) fn lookup(&self, map: usize, key: &[u8]) -> Option<ValuePlace> {
        let m = self.maps.get(map)?;
        let slot = match m.def.kind {
            MapKind::Array | MapKind::Data { .. } => u32::from_le_bytes(key.try_into().ok()?),
            MapKind::Hash => *m.slots.get(key)?,
            MapKind::Ringbuf | MapKind::Other(_) => return None,
        };
        (slot < m.def.max_entries).then(|| ValuePlace {
            map,
            at: slot as usize * m.stride(),
        })
    }

    /// `bpf_map_update_elem()` (kernel/bpf/arraymap.c, hashtab.c); 0 or a negative error.
    pub(super) fn update(&mut self, map: usize, key: &[u8], value: &[u8], flags: u64) -> i64 {
        // BPF_NOEXIST, BPF_EXIST; 0 is BPF_ANY
        let (noexist, exist) = (1, 2);
        if flags > exist {
            return -EINVAL;
        }
        let Some(m) = self.maps.get_mut(map) else {
            return -EINVAL;
        };
        let found = match m.def.kind {
            MapKind::Array => {
                let Ok(key) = key.try_into().map(u32::from_le_bytes) else {
                    return -EINVAL;
                };
                if key >= m.def.max_entries {
                    return -E2BIG;
                }
                Some(key)
            }
            MapKind::Hash => m.slots.get(key).copied(),
            _ => return -EINVAL,
        };
        let slot = match found {
            Some(_) if flags == noexist => return -EEXIST,
            Some(slot) => slot,
            None if flags == exist => return -ENOENT,
            None => {
                let used = m.slots.len() as u32;
                let Some(slot) = m.free.pop().or((used < m.def.max_entries).then_some(used)) else {
                    return -E2BIG;
                };
                m.slots.insert(key.to_vec(), slot);
                slot
            }
        };
        let at = slot as usize * m.stride();
        match m.values.get_mut(at..at + value.len()) {
            Some(place) => place.copy_from_slice(value),
            None => return -EINVAL,
        }
        0
    }

    /// `bpf_map_delete_elem()`.
    pub(super) fn delete(&mut self, map: usize, key: &[u8]) -> i64 {
        let Some(m) = self.maps.get_mut(map) else {
            return -EINVAL;
        };
        if m.def.kind != MapKind::Hash {
            return -EINVAL;
        }
        match m.slots.remove(key) {
            Some(slot) => {
                m.free.push(slot);
                0
            }
            None => -ENOENT,
        }
    }

    /// The value that an address points into.
    pub(super) fn place_of_address(&self, address: u64) -> Option<ValuePlace> {
        let distance = address.checked_sub(VALUE_BASE)?;
        let map = usize::try_from(distance / VALUE_STEP).ok()?;
        let at = (distance % VALUE_STEP) as usize;
        (map < self.maps.len()).then_some(ValuePlace { map, at })
    }

    /// Bytes of a value; an access must lie in one value. `Err` is the offset from its start.
    pub(super) fn bytes(&mut self, place: ValuePlace, len: usize) -> Result<&mut [u8], i64> {
        let Some(m) = self.maps.get_mut(place.map) else {
            return Err(place.at as i64);
        };
        let (stride, size) = (m.stride(), m.def.value_size as usize);
        let inside = place.at.checked_rem(stride).unwrap_or(place.at);
        if inside.checked_add(len).is_none_or(|end| end > size) {
            return Err(inside as i64);
        }
        let end = place.at + len;
        m.values.get_mut(place.at..end).ok_or(place.at as i64)
    }

    pub(super) fn is_read_only(&self, map: usize) -> bool {
        self.def(map)
            .is_some_and(|d| d.kind == MapKind::Data { read_only: true })
    }
}
