//! `BPF_MAP_CREATE`: what each type asks of its definition (`map_alloc_check`, `map_alloc` in
//! kernel/bpf/{arraymap,hashtab,lpm_trie,queue_stack_maps,bloom_filter,ringbuf,devmap,cpumap}.c).

use std::collections::{BTreeMap, VecDeque};

use super::ring::Ring;
use super::{MAX_BYTES, Map, MapKind};
use crate::bpf::program::MapDef;

/// `BPF_F_NO_PREALLOC`.
const NO_PREALLOC: u32 = 1;
const PAGE: u32 = 4096;
/// `PCPU_MIN_UNIT_SIZE` (include/linux/percpu.h), bytes.
const PCPU_MIN_UNIT_SIZE: u32 = 32 << 10;
/// `LPM_KEY_SIZE_MIN`, `LPM_KEY_SIZE_MAX`: four bytes of length, then 1 to 256 of data.
const LPM_KEY_SIZES: std::ops::RangeInclusive<u32> = 5..=260;

/// A map with nothing in it but what its definition says.
pub(super) fn map(def: &MapDef) -> Result<Map, String> {
    check(def)?;
    let stride = u64::from(def.value_size).next_multiple_of(8);
    // Hash tables take what they use.
    let bytes = match def.kind {
        MapKind::Devmap | MapKind::Cpumap | MapKind::Xskmap => stride * u64::from(def.max_entries),
        kind if kind.is_array() => stride * u64::from(def.max_entries),
        MapKind::Ringbuf => u64::from(def.max_entries),
        _ => 0,
    };
    if bytes > MAX_BYTES {
        return Err(format!(
            "{bytes} bytes are more than the {MAX_BYTES} of the simulator"
        ));
    }
    let ring = def.kind == MapKind::Ringbuf;
    let mut values = vec![0; if ring { 0 } else { bytes as usize }];
    if let Some(head) = values.get_mut(..def.initial.len()) {
        head.copy_from_slice(&def.initial);
    }
    Ok(Map {
        def: def.clone(),
        values,
        slots: BTreeMap::new(),
        free: Vec::new(),
        used: Vec::new(),
        clock: 0,
        queue: VecDeque::new(),
        ring: Ring::new(if ring { bytes as usize } else { 0 }),
        programs: BTreeMap::new(),
        inner: BTreeMap::new(),
        records: VecDeque::new(),
        record_bytes: 0,
    })
}

fn check(def: &MapDef) -> Result<(), String> {
    let (key, value, entries) = (def.key_size, def.value_size, def.max_entries);
    let need = |ok: bool, what: String| if ok { Ok(()) } else { Err(what) };
    let sizes = || {
        need(
            value != 0 && entries != 0,
            "value_size and max_entries must not be 0".to_owned(),
        )
    };
    let key_4 = || need(key == 4, format!("key_size is {key}, it must be 4"));
    if def.kind.is_percpu() && value > PCPU_MIN_UNIT_SIZE {
        return Err(format!(
            "value_size is {value}, that of a per-CPU map may be {PCPU_MIN_UNIT_SIZE} at most"
        ));
    }
    let no_key = || need(key == 0, format!("key_size is {key}, it must be 0"));
    match def.kind {
        MapKind::Array | MapKind::PercpuArray => sizes().and_then(|()| key_4()),
        MapKind::Data { .. } => sizes(),
        MapKind::Hash | MapKind::PercpuHash => {
            sizes()?;
            need(key != 0, "key_size must not be 0".to_owned())
        }
        MapKind::LruHash | MapKind::LruPercpuHash => {
            sizes()?;
            need(key != 0, "key_size must not be 0".to_owned())?;
            need(
                def.flags & NO_PREALLOC == 0,
                "an LRU map cannot have BPF_F_NO_PREALLOC".to_owned(),
            )
        }
        MapKind::LpmTrie => {
            sizes()?;
            need(
                LPM_KEY_SIZES.contains(&key),
                format!("key_size is {key}, it must be 5 to 260"),
            )?;
            need(
                def.flags & NO_PREALLOC != 0,
                "an LPM trie must have BPF_F_NO_PREALLOC".to_owned(),
            )
        }
        MapKind::ProgArray | MapKind::PerfEventArray | MapKind::Xskmap => {
            key_4()?;
            need(value == 4, format!("value_size is {value}, it must be 4"))?;
            need(
                entries != 0 || def.kind == MapKind::PerfEventArray,
                "max_entries must not be 0".to_owned(),
            )
        }
        MapKind::Devmap | MapKind::DevmapHash | MapKind::Cpumap => {
            key_4()?;
            need(
                value == 4 || value == 8,
                format!("value_size is {value}, it must be 4 or 8"),
            )?;
            sizes()
        }
        MapKind::ArrayOfMaps | MapKind::HashOfMaps => {
            need(value == 4, format!("value_size is {value}, it must be 4"))?;
            sizes()?;
            need(key != 0, "key_size must not be 0".to_owned())?;
            match (&def.details.inner, def.kind) {
                (None, _) => Err("it must say what maps it holds".to_owned()),
                (Some(_), MapKind::ArrayOfMaps) => key_4(),
                (Some(_), _) => Ok(()),
            }
        }
        MapKind::Queue | MapKind::Stack | MapKind::Bloom => no_key().and_then(|()| sizes()),
        MapKind::Ringbuf => {
            need(
                key == 0 && value == 0,
                "a ring buffer has neither keys nor values".to_owned(),
            )?;
            need(
                entries.is_power_of_two() && entries % PAGE == 0,
                format!("max_entries is {entries}, it must be a power of two and whole pages"),
            )
        }
        MapKind::Other(_) => Ok(()),
    }
}
