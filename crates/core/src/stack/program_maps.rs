//! The programs' maps from outside: what commands put into them, and what is in them at the end.

use super::Kernel;
use crate::bpf::{MapDef, MapError, Maps};
use crate::scenario::bpf_map::MapChange;
use crate::trace::MapCall;
use crate::trace::map_calls::KNOB;

impl Kernel {
    /// Sets a knob of the programs: a value of the array map `cfg` of each object (golden/programs/report.h).
    pub(super) fn set_knob(&mut self, key: u32, value: u32) {
        for maps in self.maps.iter_mut().flatten() {
            maps.set_u32("cfg", key, value);
        }
        self.keep_map_call(MapCall {
            step: 0,
            object: 0,
            map: 0,
            helper: KNOB,
            key: key.to_le_bytes().to_vec(),
            value: value.to_le_bytes().to_vec(),
            flags: 0,
        });
    }

    /// Changes a map from outside, in each object that has one of that name.
    pub(super) fn change_map(&mut self, change: &MapChange) -> Result<(), MapError> {
        let mut calls = Vec::new();
        for (object, maps) in self.maps.iter_mut().enumerate() {
            let Some(maps) = maps else { continue };
            let named = |(_, def): &(usize, &MapDef)| def.name == change.map;
            let found = maps.defs().enumerate().find(named);
            let Some((map, queue)) = found.map(|(map, def)| (map, def.kind.is_queue())) else {
                continue;
            };
            // The helpers that do the same: push, update, delete.
            let helper = match &change.value {
                Some(_) if queue => 87,
                Some(_) => 2,
                None => 3,
            };
            match &change.value {
                Some(value) => maps.set(&change.map, &change.key, value)?,
                None => maps.remove(&change.map, &change.key)?,
            }
            calls.push(MapCall {
                step: 0,
                object: u32::try_from(object).unwrap_or(u32::MAX),
                map: u32::try_from(map).unwrap_or(u32::MAX),
                helper,
                key: change.key.clone(),
                value: change.value.clone().unwrap_or_default(),
                flags: 0,
            });
        }
        if calls.is_empty() {
            return Err(MapError::NoMap {
                map: change.map.clone(),
            });
        }
        calls.into_iter().for_each(|call| self.keep_map_call(call));
        Ok(())
    }

    /// The maps of all objects, in the order in which they were loaded, into the trace.
    pub(super) fn keep_maps(&mut self) {
        let maps = self.maps.iter().flatten().flat_map(Maps::state).collect();
        self.recorder.trace.maps = maps;
    }
}
