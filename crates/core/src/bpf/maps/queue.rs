//! Queues, stacks and bloom filters (kernel/bpf/queue_stack_maps.c, bloom_filter.c).

use super::{E2BIG, EINVAL, ENOENT, ENOMEM, EXIST, MAX_BYTES, MapKind, Maps, NOEXIST};

impl Maps {
    /// `bpf_map_push_elem()`: 0 or a negative error. `BPF_EXIST` lets the oldest value of a full queue go.
    pub(in crate::bpf) fn push(&mut self, map: usize, value: &[u8], flags: u64) -> i64 {
        let Some(m) = self.maps.get_mut(map).filter(|m| m.def.kind.is_queue()) else {
            return -EINVAL;
        };
        if m.def.kind == MapKind::Bloom {
            if flags != 0 {
                return -EINVAL;
            }
            // A filter grows no further than its size; here it holds the values themselves, and once more as keys.
            let room = (m.queue.len() as u64 + 1) * value.len() as u64 <= MAX_BYTES;
            if room && m.queue.len() < 1 << 16 && m.slots.insert(value.to_vec(), 0).is_none() {
                m.queue.push_back(value.to_vec());
            }
            return 0;
        }
        if flags == NOEXIST || flags > EXIST {
            return -EINVAL;
        }
        if m.queue.len() >= m.def.max_entries as usize {
            if flags != EXIST {
                return -E2BIG;
            }
            m.queue.pop_front();
        }
        if (m.queue.len() as u64 + 1) * value.len() as u64 > MAX_BYTES {
            return -ENOMEM;
        }
        m.queue.push_back(value.to_vec());
        0
    }

    /// `bpf_map_pop_elem()` and, with `keep`, `bpf_map_peek_elem()`: the value, or `None` when it is
    /// empty.
    pub(in crate::bpf) fn pop(&mut self, map: usize, keep: bool) -> Option<Vec<u8>> {
        let m = self.maps.get_mut(map)?;
        let queue = &mut m.queue;
        match (m.def.kind, keep) {
            (MapKind::Queue, true) => queue.front().cloned(),
            (MapKind::Queue, false) => queue.pop_front(),
            (MapKind::Stack, true) => queue.back().cloned(),
            (MapKind::Stack, false) => queue.pop_back(),
            _ => None,
        }
    }

    /// `bpf_map_peek_elem()` of a bloom filter: 0, or `-ENOENT`. Linux may also say 0 for a value that was
    /// never put in; there are no such false hits here.
    pub(in crate::bpf) fn bloom_has(&self, map: usize, value: &[u8]) -> i64 {
        let held = self
            .maps
            .get(map)
            .is_some_and(|m| m.slots.contains_key(value));
        if held { 0 } else { -ENOENT }
    }
}
