//! Maps as a user sees them: what `bpftool map dump`, `update` and `delete` do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Map, MapKind, Maps, Slot};
use crate::bpf::fixup::Prepared;
use crate::bpf::program::MapDef;

/// Why a map cannot be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MapError {
    /// No such map.
    #[error("there is no map `{map}`")]
    NoMap {
        /// Name asked for.
        map: String,
    },
    /// Key or value of a wrong length.
    #[error("map `{map}`: {what} of {len} bytes; it must have {wanted}")]
    Size {
        /// Name of the map.
        map: String,
        /// `key` or `value`.
        what: &'static str,
        /// Bytes given.
        len: usize,
        /// Bytes the map has.
        wanted: u32,
    },
    /// The map refuses it.
    #[error("map `{map}`: error {errno}")]
    Refused {
        /// Name of the map.
        map: String,
        /// Negative, as Linux gives it.
        errno: i64,
    },
}

/// A map and its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapState {
    /// Definition.
    pub def: MapDef,
    /// Keys and values. An array's values that are all zero are left out; values of queues and stacks
    /// have no key; those of a map of programs or maps are their names.
    pub entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// Records that programs sent through a ring or a perf event, in order.
    pub records: Vec<Vec<u8>>,
}

impl Map {
    fn entries(&self, names: &[String]) -> Vec<(Vec<u8>, Vec<u8>)> {
        if self.def.kind.is_queue() {
            return self.queue.iter().map(|v| (Vec::new(), v.clone())).collect();
        }
        if self.def.kind == MapKind::ProgArray {
            let entry = |(i, slot): (&u32, &Slot)| {
                (i.to_le_bytes().to_vec(), slot.name.clone().into_bytes())
            };
            return self.programs.iter().map(entry).collect();
        }
        if self.def.kind.is_of_maps() {
            let name = |map: &usize| names.get(*map).cloned().unwrap_or_default().into_bytes();
            return self
                .inner
                .iter()
                .map(|(k, map)| (k.clone(), name(map)))
                .collect();
        }
        let array = self.def.kind.is_array();
        self.keys()
            .into_iter()
            .filter_map(|(key, slot)| Some((key, self.slot(slot)?.to_vec())))
            .filter(|(_, value)| !array || value.iter().any(|byte| *byte != 0))
            .collect()
    }
}

impl Maps {
    /// Sets a `u32` value of an array map, as `bpftool map update` would; `false` if there is no
    /// such map, key, or the values are smaller than four bytes.
    pub fn set_u32(&mut self, map: &str, key: u32, value: u32) -> bool {
        let Some(index) = self.index_of_name(map) else {
            return false;
        };
        let Some(place) = self.lookup(index, &key.to_le_bytes()) else {
            return false;
        };
        match self.bytes(place, 4) {
            Ok(bytes) => bytes.copy_from_slice(&value.to_le_bytes()),
            Err(_) => return false,
        }
        true
    }

    /// A value of an array map as `u32`; `None` as for [`Maps::set_u32`].
    pub fn get_u32(&self, map: &str, key: u32) -> Option<u32> {
        let value = self.value(map, &key.to_le_bytes())?;
        Some(u32::from_le_bytes(value.get(..4)?.try_into().ok()?))
    }

    /// The bytes of a value.
    pub fn value(&self, map: &str, key: &[u8]) -> Option<&[u8]> {
        self.peek_value(self.index_of_name(map)?, key)
    }

    /// Definitions of the maps, by index.
    pub fn defs(&self) -> impl Iterator<Item = &MapDef> {
        self.maps.iter().map(|m| &m.def)
    }

    /// All maps with their contents.
    pub fn state(&self) -> Vec<MapState> {
        let names: Vec<String> = self.defs().map(|def| def.name.clone()).collect();
        let state = |m: &Map| MapState {
            def: m.def.clone(),
            entries: m.entries(&names),
            records: m.records.iter().cloned().collect(),
        };
        self.maps.iter().map(state).collect()
    }

    /// Does again what a helper did: 1 look up, 2 update, 3 delete, 87 push, 88 pop.
    pub fn repeat(&mut self, map: usize, helper: u32, key: &[u8], value: &[u8], flags: u64) {
        match helper {
            1 => drop(self.lookup(map, key)),
            2 => drop(self.update(map, key, value, flags)),
            3 => drop(self.delete(map, key)),
            87 => drop(self.push(map, value, flags)),
            88 => drop(self.pop(map, false)),
            _ => {}
        }
    }

    /// Puts bytes at the address that a program sees, if they lie in a value.
    pub fn restore(&mut self, address: u64, bytes: &[u8]) {
        let place = self.place_of_address(address);
        if let Some(Ok(value)) = place.map(|place| self.bytes(place, bytes.len())) {
            value.copy_from_slice(bytes);
        }
    }

    fn checked(&self, map: &str, key: &[u8], value: Option<&[u8]>) -> Result<usize, MapError> {
        let index = self.index_of_name(map).ok_or_else(|| MapError::NoMap {
            map: map.to_owned(),
        })?;
        let def = &self.maps[index].def;
        let size = |what, len: usize, wanted: u32| {
            if len == wanted as usize {
                Ok(())
            } else {
                let map = map.to_owned();
                Err(MapError::Size {
                    map,
                    what,
                    len,
                    wanted,
                })
            }
        };
        size("key", key.len(), def.key_size)?;
        if let Some(value) = value {
            size("value", value.len(), def.value_size)?;
        }
        Ok(index)
    }

    fn answer(map: &str, errno: i64) -> Result<(), MapError> {
        match errno {
            0 => Ok(()),
            errno => Err(MapError::Refused {
                map: map.to_owned(),
                errno,
            }),
        }
    }

    /// Sets a value, as `bpftool map update` does; a queue, stack or bloom filter takes it without a key.
    ///
    /// # Errors
    /// [`MapError`]; nothing is changed then.
    pub fn set(&mut self, map: &str, key: &[u8], value: &[u8]) -> Result<(), MapError> {
        let index = self.checked(map, key, Some(value))?;
        let errno = if self.maps[index].def.kind.is_queue() {
            self.push(index, value, 0)
        } else {
            self.update(index, key, value, 0)
        };
        Self::answer(map, errno)
    }

    /// Deletes a key, as `bpftool map delete` does.
    ///
    /// # Errors
    /// [`MapError`]; `-ENOENT` when it is not there.
    pub fn remove(&mut self, map: &str, key: &[u8]) -> Result<(), MapError> {
        let index = self.checked(map, key, None)?;
        let errno = self.delete(index, key);
        Self::answer(map, errno)
    }

    /// Puts a program into a map of programs.
    ///
    /// # Errors
    /// [`MapError`]: no such map, it holds no programs (`-EINVAL`), or the index is too large (`-E2BIG`).
    pub fn set_program(
        &mut self,
        map: &str,
        index: u32,
        program: Arc<Prepared>,
    ) -> Result<(), MapError> {
        let at = self.index_of_name(map).ok_or_else(|| MapError::NoMap {
            map: map.to_owned(),
        })?;
        let m = &mut self.maps[at];
        if m.def.kind != MapKind::ProgArray {
            return Self::answer(map, -super::EINVAL);
        }
        if index >= m.def.max_entries {
            return Self::answer(map, -super::E2BIG);
        }
        let name = program.listing().program.clone();
        m.programs.insert(index, Slot { name, program });
        Ok(())
    }
}
