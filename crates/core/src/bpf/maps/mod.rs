//! Maps: their values live here, at addresses that depend on nothing but the map's index.

mod create;
mod keys;
mod kind;
mod of_maps;
mod outside;
mod queue;
mod ring;
mod timer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::error::LoadError;
use super::fixup::Prepared;
use super::program::{MapDef, Object};
use super::random::Random;
use ring::Ring;

pub use kind::MapKind;
pub use outside::{MapError, MapState};

/// Address of the first map (`struct bpf_map *` in the program's eyes).
const MAP_BASE: u64 = 0xffff_8881_0400_0000;
/// Bytes between maps.
const MAP_STEP: u64 = 0x400;
/// Address of the first map's values.
const VALUE_BASE: u64 = 0xffff_c900_1000_0000;
/// Bytes between the values of two maps.
const VALUE_STEP: u64 = 1 << 32;
/// Bytes one map may take here.
const MAX_BYTES: u64 = 1 << 24;
/// Bytes all maps of an object may take.
const MAX_TOTAL: u64 = 1 << 26;

const ENOENT: i64 = 2;
const E2BIG: i64 = 7;
const EAGAIN: i64 = 11;
const ENOMEM: i64 = 12;
const EEXIST: i64 = 17;
const EINVAL: i64 = 22;
const ENOSPC: i64 = 28;

/// `BPF_NOEXIST`.
const NOEXIST: u64 = 1;
/// `BPF_EXIST`.
const EXIST: u64 = 2;

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

/// Address a program sees for a map.
pub(super) fn map_address(map: usize) -> u64 {
    MAP_BASE + map as u64 * MAP_STEP
}

/// Address a program sees for the first byte of a map's values.
pub(super) fn values_address(map: usize) -> u64 {
    VALUE_BASE + map as u64 * VALUE_STEP
}

/// Place of a byte in map values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValuePlace {
    pub map: usize,
    /// Bytes from the start of that map's values.
    pub at: usize,
}

/// A program in a map of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    name: String,
    program: Arc<Prepared>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Map {
    def: MapDef,
    values: Vec<u8>,
    /// Hash maps, tries: key → slot, and the slots that are free.
    slots: BTreeMap<Vec<u8>, u32>,
    free: Vec<u32>,
    /// LRU maps: when each slot was used last.
    used: Vec<u64>,
    clock: u64,
    /// Queues, stacks, bloom filters: their values.
    queue: VecDeque<Vec<u8>>,
    ring: Ring,
    programs: BTreeMap<u32, Slot>,
    /// Maps of maps: key → number of the map.
    inner: BTreeMap<Vec<u8>, usize>,
    /// Records that programs sent to a ring or to a perf event, and their bytes together.
    records: VecDeque<Vec<u8>>,
    record_bytes: usize,
}

impl Map {
    /// Bytes between two values; Linux rounds up to eight (kernel/bpf/arraymap.c).
    fn stride(&self) -> usize {
        (self.def.value_size as usize).next_multiple_of(8)
    }

    fn value_at(&self, slot: u32) -> usize {
        slot as usize * self.stride()
    }

    /// The bytes of a slot's value.
    fn slot(&self, slot: u32) -> Option<&[u8]> {
        let at = self.value_at(slot);
        self.values.get(at..at + self.def.value_size as usize)
    }

    /// Keeps a record; the oldest go when they are more than a map may take.
    fn keep_record(&mut self, record: &[u8]) {
        self.record_bytes += record.len();
        self.records.push_back(record.to_vec());
        while self.record_bytes > MAX_BYTES as usize && self.records.len() > 1 {
            let oldest = self.records.pop_front().map_or(0, |oldest| oldest.len());
            self.record_bytes -= oldest;
        }
    }
}

/// The maps of one object, with their contents; they outlive a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maps {
    maps: Vec<Map>,
    random: Random,
    /// Timers that were made, by map and place of the value.
    timers: BTreeMap<(usize, usize), timer::Timer>,
    /// The timer whose callback runs now.
    running: Option<(usize, usize)>,
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
            let map = create::map(def).map_err(fail)?;
            total = total.saturating_add(map.values.len() as u64);
            if total > MAX_TOTAL {
                return Err(fail(format!(
                    "the maps take more than the {MAX_TOTAL} bytes of the simulator"
                )));
            }
            maps.push(map);
        }
        let mut maps = Maps {
            maps,
            ..Maps::default()
        };
        maps.fill_maps_of_maps(object)?;
        for def in &object.maps {
            for (key, value) in &def.entries {
                maps.set(&def.name, key, value)
                    .map_err(|error| LoadError::Map {
                        file: object.name.clone(),
                        map: def.name.clone(),
                        why: error.to_string(),
                    })?;
            }
        }
        Ok(maps)
    }

    /// `bpf_get_prandom_u32()`.
    pub(super) fn random(&mut self) -> u32 {
        self.random.next()
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

    /// The value that an address points into.
    pub(super) fn place_of_address(&self, address: u64) -> Option<ValuePlace> {
        let distance = address.checked_sub(VALUE_BASE)?;
        let map = usize::try_from(distance / VALUE_STEP).ok()?;
        let at = usize::try_from(distance % VALUE_STEP).ok()?;
        (map < self.maps.len()).then_some(ValuePlace { map, at })
    }

    /// Bytes of a value or of a record of a ring; an access must lie in one. `Err` is the offset from its
    /// start.
    pub(super) fn bytes(&mut self, place: ValuePlace, len: usize) -> Result<&mut [u8], i64> {
        let Some(m) = self.maps.get_mut(place.map) else {
            return Err(place.at as i64);
        };
        if m.def.kind == MapKind::Ringbuf {
            return m.ring.bytes(place.at, len);
        }
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

    /// The program at an index of a `prog_array`.
    pub(super) fn program(&self, map: usize, index: u32) -> Option<Arc<Prepared>> {
        let slot = self.maps.get(map)?.programs.get(&index)?;
        Some(Arc::clone(&slot.program))
    }

    /// Keeps a record that went to a perf event.
    pub(super) fn record(&mut self, map: usize, record: &[u8]) {
        if let Some(m) = self.maps.get_mut(map) {
            m.keep_record(record);
        }
    }
}
