//! Ring buffers (kernel/bpf/ringbuf.c). The reader takes each record as soon as it is there, so the ring
//! is full only of records that were reserved and not yet submitted.

use std::collections::BTreeMap;

use super::{EAGAIN, EINVAL, MapKind, Maps, ValuePlace};

/// `BPF_RINGBUF_HDR_SZ`, bytes in front of each record.
const RING_HEADER: usize = 8;

/// Positions and the records that programs are writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ring {
    size: usize,
    producer: u64,
    /// Offset in the ring → record.
    reserved: BTreeMap<usize, Reserved>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Reserved {
    /// Where it begins, counted from the first byte ever.
    position: u64,
    bytes: Vec<u8>,
}

impl Ring {
    pub fn new(size: usize) -> Ring {
        Ring {
            size,
            producer: 0,
            reserved: BTreeMap::new(),
        }
    }

    fn consumer(&self) -> u64 {
        self.reserved
            .values()
            .map(|r| r.position)
            .min()
            .unwrap_or(self.producer)
    }

    /// `__bpf_ringbuf_reserve()`: the offset of the record's first byte. Records that are not given up yet never fill the
    /// ring to its last byte (`bpf_ringbuf_has_space()`).
    fn reserve(&mut self, size: u64) -> Option<usize> {
        let len = size.checked_add(RING_HEADER as u64)?.next_multiple_of(8);
        let total = self.size as u64;
        if self.producer + len - self.consumer() >= total {
            return None;
        }
        let offset = (self.producer % total) as usize + RING_HEADER;
        let reserved = Reserved {
            position: self.producer,
            bytes: vec![0; size as usize],
        };
        self.reserved.insert(offset, reserved);
        self.producer += len;
        Some(offset)
    }

    /// Bytes of the record that an offset lies in.
    pub fn bytes(&mut self, at: usize, len: usize) -> Result<&mut [u8], i64> {
        let record = self.reserved.range_mut(..=at).next_back();
        let Some((start, record)) = record else {
            return Err(at as i64);
        };
        let inside = at - start;
        record
            .bytes
            .get_mut(inside..inside.saturating_add(len))
            .ok_or(inside as i64)
    }
}

impl Maps {
    fn ring(&mut self, map: usize) -> Option<&mut Ring> {
        let m = self.maps.get_mut(map)?;
        (m.def.kind == MapKind::Ringbuf).then_some(&mut m.ring)
    }

    /// `bpf_ringbuf_reserve()`: where the record lies; `None` when there is no room.
    pub(in crate::bpf) fn ring_reserve(&mut self, map: usize, size: u64) -> Option<ValuePlace> {
        let at = self.ring(map)?.reserve(size)?;
        Some(ValuePlace { map, at })
    }

    /// `bpf_ringbuf_commit()`: the record, unless it is discarded. `Err` when nothing is reserved there.
    pub(in crate::bpf) fn ring_commit(
        &mut self,
        place: ValuePlace,
        discard: bool,
    ) -> Result<Option<Vec<u8>>, ()> {
        let ring = self.ring(place.map).ok_or(())?;
        let record = ring.reserved.remove(&place.at).ok_or(())?.bytes;
        if discard {
            return Ok(None);
        }
        if let Some(m) = self.maps.get_mut(place.map) {
            m.keep_record(&record);
        }
        Ok(Some(record))
    }

    /// `bpf_ringbuf_output()`: 0 or a negative error.
    pub(in crate::bpf) fn ring_output(&mut self, map: usize, record: &[u8]) -> i64 {
        let Some(place) = self.ring_reserve(map, record.len() as u64) else {
            return -EAGAIN;
        };
        if let Ok(bytes) = self.bytes(place, record.len()) {
            bytes.copy_from_slice(record);
        }
        match self.ring_commit(place, false) {
            Ok(_) => 0,
            Err(()) => -EINVAL,
        }
    }

    /// `bpf_ringbuf_query()`: data not yet read, size, positions of reader and writer, and of what an
    /// overwriting ring gave up (none here).
    pub(in crate::bpf) fn ring_query(&mut self, map: usize, what: u64) -> u64 {
        let Some(ring) = self.ring(map) else {
            return 0;
        };
        match what {
            0 => ring.producer - ring.consumer(),
            1 => ring.size as u64,
            2 => ring.consumer(),
            3 => ring.producer,
            _ => 0,
        }
    }
}
