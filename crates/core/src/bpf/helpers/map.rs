//! Helpers of maps (`bpf_map_*_elem()`, kernel/bpf/helpers.c).

use super::{Call, EINVAL, ENOENT, name, wrong};
use crate::bpf::fault::Fault;
use crate::bpf::host::MapChange;
use crate::bpf::maps::{MapKind, map_address, values_address};
use crate::bpf::memory::Memory;

/// The map that an argument names.
pub(super) fn map_argument(
    memory: &Memory<'_>,
    argument: u64,
    number: usize,
) -> Result<(usize, MapKind), Fault> {
    let map = memory.maps.index_of_address(argument);
    map.and_then(|map| Some((map, memory.maps.def(map)?.kind)))
        .ok_or_else(|| wrong(memory.insn, &format!("R{number} is not a map")))
}

/// `check_map_func_compatibility()` (kernel/bpf/verifier.c): whether a helper takes a map of that type.
pub(super) fn takes(id: u32, kind: MapKind) -> bool {
    match id {
        // lookup_elem: Linux refuses it on a devmap, not on a devmap_hash's or xskmap's entry
        1 => {
            kind.is_array()
                || kind.is_hash()
                || matches!(
                    kind,
                    MapKind::LpmTrie | MapKind::Devmap | MapKind::DevmapHash | MapKind::Xskmap
                )
        }
        2 => {
            kind.is_hash()
                || matches!(
                    kind,
                    MapKind::Array | MapKind::PercpuArray | MapKind::LpmTrie
                )
        }
        3 => {
            kind.is_hash()
                || matches!(
                    kind,
                    MapKind::Array | MapKind::PercpuArray | MapKind::LpmTrie
                )
        }
        // push, pop, peek
        87 | 89 => kind.is_queue(),
        88 => matches!(kind, MapKind::Queue | MapKind::Stack),
        // lookup_percpu_elem
        195 => matches!(
            kind,
            MapKind::PercpuArray | MapKind::PercpuHash | MapKind::LruPercpuHash
        ),
        _ => false,
    }
}

/// Tells the host that a map is another one now.
fn changed(memory: &mut Memory<'_>, map: usize, helper: u32, key: &[u8], value: &[u8], flags: u64) {
    memory.host.map_changed(MapChange {
        map,
        helper,
        key,
        value,
        flags,
    });
}

/// Carries out a helper of maps.
pub(super) fn call(call: &mut Call<'_, '_>) -> Result<Option<u64>, Fault> {
    let [a1, a2, a3, a4, _] = call.args;
    let (id, memory) = (call.id, &mut *call.memory);
    let (map, kind) = map_argument(memory, a1, 1)?;
    if let (1, true) = (id, kind.is_of_maps()) {
        let size = memory.maps.def(map).map_or(0, |def| def.key_size);
        let key = memory.buffer(a2, u64::from(size))?;
        let inner = memory.maps.inner(map, &key);
        return Ok(Some(inner.map_or(0, map_address)));
    }
    if let MapKind::Other(_) = kind {
        let helper = name(id).unwrap_or_default();
        return Err(Fault::NotCovered {
            insn: memory.insn,
            name: format!("{helper} on a map of {}", kind.name()),
            types: "all".to_owned(),
        });
    }
    if !takes(id, kind) {
        let helper = name(id).unwrap_or_default();
        let what = format!(
            "cannot pass map_type {} into func {helper}#{id}",
            kind.number()
        );
        return Err(wrong(memory.insn, &what));
    }
    let (key_size, value_size) = memory.maps.def(map).map_or((0, 0), |def| {
        (u64::from(def.key_size), u64::from(def.value_size))
    });
    let ret: i64 = match id {
        // bpf_map_lookup_elem(map, key), bpf_map_lookup_percpu_elem(map, key, cpu): there is CPU 0
        1 | 195 => {
            let key = memory.buffer(a2, key_size)?;
            let place = memory.maps.lookup(map, &key);
            let place = place.filter(|_| id == 1 || a3 as u32 == 0);
            if kind.is_lru() {
                changed(memory, map, 1, &key, &[], 0);
            }
            return Ok(Some(place.map_or(0, |p| values_address(map) + p.at as u64)));
        }
        // bpf_map_update_elem(map, key, value, flags)
        2 => {
            let key = memory.buffer(a2, key_size)?;
            let value = memory.buffer(a3, value_size)?;
            let ret = memory.maps.update(map, &key, &value, a4);
            if ret == 0 {
                changed(memory, map, id, &key, &value, a4);
            }
            ret
        }
        // bpf_map_delete_elem(map, key)
        3 => {
            let key = memory.buffer(a2, key_size)?;
            let ret = memory.maps.delete(map, &key);
            if ret == 0 {
                changed(memory, map, id, &key, &[], 0);
            }
            ret
        }
        // bpf_map_push_elem(map, value, flags)
        87 => {
            let value = memory.buffer(a2, value_size)?;
            let ret = memory.maps.push(map, &value, a3);
            if ret == 0 {
                changed(memory, map, id, &[], &value, a3);
            }
            ret
        }
        // bpf_map_peek_elem(bloom filter, value)
        89 if kind == MapKind::Bloom => {
            let value = memory.buffer(a2, value_size)?;
            memory.maps.bloom_has(map, &value)
        }
        // bpf_map_pop_elem(map, value), bpf_map_peek_elem(map, value)
        88 | 89 => {
            memory.check_writable(a2, value_size)?;
            match memory.maps.pop(map, id == 89) {
                Some(value) => {
                    if id == 88 {
                        changed(memory, map, id, &[], &[], 0);
                    }
                    memory.store(a2, &value)?;
                    0
                }
                None => {
                    memory.store(a2, &vec![0; value_size as usize])?;
                    -ENOENT
                }
            }
        }
        _ => -EINVAL,
    };
    Ok(Some(ret as u64))
}
