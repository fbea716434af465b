//! Types of maps (`enum bpf_map_type`, include/uapi/linux/bpf.h).

use serde::{Deserialize, Serialize};

/// Type of a map. There is one CPU here, so a per-CPU map has one value for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MapKind {
    /// `BPF_MAP_TYPE_HASH` (1).
    Hash,
    /// `BPF_MAP_TYPE_ARRAY` (2).
    Array,
    /// `BPF_MAP_TYPE_PROG_ARRAY` (3): programs for `bpf_tail_call()`.
    ProgArray,
    /// `BPF_MAP_TYPE_PERF_EVENT_ARRAY` (4). A reader listens on CPU 0.
    PerfEventArray,
    /// `BPF_MAP_TYPE_PERCPU_HASH` (5).
    PercpuHash,
    /// `BPF_MAP_TYPE_PERCPU_ARRAY` (6).
    PercpuArray,
    /// `BPF_MAP_TYPE_LRU_HASH` (9).
    LruHash,
    /// `BPF_MAP_TYPE_LRU_PERCPU_HASH` (10).
    LruPercpuHash,
    /// `BPF_MAP_TYPE_LPM_TRIE` (11).
    LpmTrie,
    /// `BPF_MAP_TYPE_ARRAY_OF_MAPS` (12).
    ArrayOfMaps,
    /// `BPF_MAP_TYPE_HASH_OF_MAPS` (13).
    HashOfMaps,
    /// `BPF_MAP_TYPE_DEVMAP` (14).
    Devmap,
    /// `BPF_MAP_TYPE_CPUMAP` (16).
    Cpumap,
    /// `BPF_MAP_TYPE_XSKMAP` (17).
    Xskmap,
    /// `BPF_MAP_TYPE_QUEUE` (22).
    Queue,
    /// `BPF_MAP_TYPE_STACK` (23).
    Stack,
    /// `BPF_MAP_TYPE_DEVMAP_HASH` (25).
    DevmapHash,
    /// `BPF_MAP_TYPE_RINGBUF` (27).
    Ringbuf,
    /// `BPF_MAP_TYPE_BLOOM_FILTER` (30).
    Bloom,
    /// A section of data (`.rodata`, `.data`, `.bss`), an array of one value in libbpf.
    Data {
        /// Programs may not write it.
        read_only: bool,
    },
    /// Another type: its number. It can be created; helpers that use it are not covered.
    Other(u32),
}

/// Number, kind, and bpftool's name.
const KINDS: [(u32, MapKind, &str); 19] = [
    (1, MapKind::Hash, "hash"),
    (2, MapKind::Array, "array"),
    (3, MapKind::ProgArray, "prog_array"),
    (4, MapKind::PerfEventArray, "perf_event_array"),
    (5, MapKind::PercpuHash, "percpu_hash"),
    (6, MapKind::PercpuArray, "percpu_array"),
    (9, MapKind::LruHash, "lru_hash"),
    (10, MapKind::LruPercpuHash, "lru_percpu_hash"),
    (11, MapKind::LpmTrie, "lpm_trie"),
    (12, MapKind::ArrayOfMaps, "array_of_maps"),
    (13, MapKind::HashOfMaps, "hash_of_maps"),
    (14, MapKind::Devmap, "devmap"),
    (16, MapKind::Cpumap, "cpumap"),
    (17, MapKind::Xskmap, "xskmap"),
    (22, MapKind::Queue, "queue"),
    (23, MapKind::Stack, "stack"),
    (25, MapKind::DevmapHash, "devmap_hash"),
    (27, MapKind::Ringbuf, "ringbuf"),
    (30, MapKind::Bloom, "bloom_filter"),
];

impl MapKind {
    /// From the number in `enum bpf_map_type`.
    pub fn from_number(number: u32) -> MapKind {
        KINDS
            .iter()
            .find(|(known, ..)| *known == number)
            .map_or(MapKind::Other(number), |(_, kind, _)| *kind)
    }

    /// The number; a section of data is an array.
    pub fn number(self) -> u32 {
        match self {
            MapKind::Data { .. } => 2,
            MapKind::Other(number) => number,
            kind => KINDS
                .iter()
                .find(|(_, known, _)| *known == kind)
                .map_or(0, |(number, ..)| *number),
        }
    }

    /// As bpftool names it; `type 12` for one that the simulator does not cover.
    pub fn name(self) -> String {
        let number = self.number();
        KINDS
            .iter()
            .find(|(known, ..)| *known == number)
            .map_or(format!("type {number}"), |(.., name)| (*name).to_owned())
    }

    /// Values at the indexes 0 to `max_entries - 1`, that programs read and write.
    pub(in crate::bpf) fn is_array(self) -> bool {
        matches!(
            self,
            MapKind::Array | MapKind::PercpuArray | MapKind::Data { .. }
        )
    }

    /// A value for each CPU.
    pub(in crate::bpf) fn is_percpu(self) -> bool {
        matches!(
            self,
            MapKind::PercpuArray | MapKind::PercpuHash | MapKind::LruPercpuHash
        )
    }

    /// Maps as values.
    pub(in crate::bpf) fn is_of_maps(self) -> bool {
        matches!(self, MapKind::ArrayOfMaps | MapKind::HashOfMaps)
    }

    /// Keys in a hash table.
    pub(in crate::bpf) fn is_hash(self) -> bool {
        matches!(
            self,
            MapKind::Hash | MapKind::PercpuHash | MapKind::LruHash | MapKind::LruPercpuHash
        )
    }

    /// A hash table that gives up its oldest value when it is full.
    pub(in crate::bpf) fn is_lru(self) -> bool {
        matches!(self, MapKind::LruHash | MapKind::LruPercpuHash)
    }

    /// Where `bpf_redirect_map()` looks.
    pub fn is_redirect(self) -> bool {
        matches!(
            self,
            MapKind::Devmap | MapKind::DevmapHash | MapKind::Cpumap | MapKind::Xskmap
        )
    }

    /// Values that only come and go at an end.
    pub(crate) fn is_queue(self) -> bool {
        matches!(self, MapKind::Queue | MapKind::Stack | MapKind::Bloom)
    }
}
