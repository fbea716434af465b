//! Metadata under a TC program: where a load or store in front of the packet lands.
//!
//! Neither `bpf_compute_data_pointers()` (`include/linux/filter.h`) nor `bpf_skb_meta_pointer()` (`net/core/filter.c`)
//! looks whether `skb->head` is in the way: metadata that are longer than the room in front of their end begin below
//! it, in the memory of others, and are read and written there.

use super::TcHost;
use crate::bpf::Host;
use crate::skb::below_head;
use crate::stack::stores::Place;
use crate::trace::{BufferNo, Layer, ReadHow};

impl TcHost<'_> {
    /// Reads metadata bytes, from byte `first` of them on, and judges them.
    pub(super) fn read_metadata(
        &mut self,
        buffer: BufferNo,
        offset: u32,
        into: &mut [u8],
        how: ReadHow,
        first: u32,
    ) {
        self.copy_from(buffer, offset, into);
        self.looked = None;
        let (len, outside) = (into.len() as u32, self.outside());
        self.kernel
            .judge_read(self.run, buffer, how, offset..offset + len, first, outside);
    }

    /// Writes metadata bytes; what a program writes as metadata are the metadata from now on.
    pub(super) fn write_metadata(&mut self, place: Place, first: u32, bytes: &[u8]) {
        let source = self.source(Layer::Metadata, "metadata of");
        let outside = self.outside();
        let buffers = &mut self.kernel.buffers;
        let Place { buffer, start, len } = place;
        buffers.write(buffer, start + first, bytes, source, first as u16);
        let origins = buffers.get(buffer).origins(start, len).to_vec();
        self.kernel
            .judge
            .handed_over(buffer, start as i32, &origins);
        if let Some(no) = outside {
            self.kernel.judge.carried_by(no, &origins);
        }
    }

    /// Where a load or store in front of the packet is carried, by a design that carries it.
    fn carried(&mut self, write: bool) -> Option<Place> {
        match (self.kernel.carries_data_meta(), write) {
            (false, _) => None,
            (true, false) => self.kernel.metadata_place(self.no),
            (true, true) => self.kernel.metadata_to_write(self.no),
        }
    }

    /// A load in front of the packet, at `offset` from `head`.
    pub(super) fn load_at_data_meta(&mut self, offset: i32, into: &mut [u8]) {
        let start = self.kernel.skb(self.no).cb.data_meta;
        match self.carried(false) {
            Some(place) => {
                let first = (offset - start) as u32;
                let at = place.start + first;
                self.read_metadata(place.buffer, at, into, ReadHow::DataMeta, first);
            }
            None => self.load_in_headroom(start, (offset - start) as u32, into, ReadHow::DataMeta),
        }
    }

    /// A store in front of the packet, at `offset` from `head`.
    pub(super) fn store_at_data_meta(&mut self, offset: i32, bytes: &[u8]) {
        let skb = self.kernel.skb(self.no);
        let (start, end) = (skb.cb.data_meta, skb.data as i32);
        let first = (offset - start) as u32;
        match self.carried(true) {
            Some(place) => self.write_metadata(place, first, bytes),
            None => self.store_in_headroom(start, (end - start) as u32, first, bytes),
        }
    }

    /// Where the metadata begin as a dynptr has it, and their length: `bpf_skb_meta_pointer()`.
    pub(super) fn meta_pointer(&self) -> Option<(i32, u32)> {
        let meta = self.kernel.meta_fields(self.kernel.skb(self.no));
        let end = meta.end.filter(|_| self.outside().is_none())?;
        Some((end as i32 - meta.len as i32, meta.len))
    }

    /// Reads from byte `first` of the metadata on, which begin at `start` from `head`; the bytes below `head` and the
    /// others are judged each by themselves.
    pub(super) fn load_in_headroom(
        &mut self,
        start: i32,
        first: u32,
        into: &mut [u8],
        how: ReadHow,
    ) {
        let (head, at) = (self.head(), start + first as i32);
        let (below, inside) = into.split_at_mut(below_head(at, into.len()));
        if !below.is_empty() {
            let (bytes, origins) = self.kernel.buffers.get(head).below(at, below.len());
            below.copy_from_slice(&bytes);
            self.looked = None;
            self.kernel
                .judge_read_below(self.run, head, how, (at, first), (bytes, origins));
        }
        if !inside.is_empty() {
            let skipped = below.len() as u32;
            let at = (at + skipped as i32) as u32;
            self.read_metadata(head, at, inside, how, first + skipped);
        }
    }

    /// Writes from byte `first` of the `len` bytes of metadata on, which begin at `start` from `head`.
    pub(super) fn store_in_headroom(&mut self, start: i32, len: u32, first: u32, bytes: &[u8]) {
        let head = self.head();
        if let Ok(start) = u32::try_from(start) {
            let buffer = head;
            return self.write_metadata(Place { buffer, start, len }, first, bytes);
        }
        let source = self.source(Layer::Metadata, "metadata of");
        let at = start + first as i32;
        let (below, inside) = bytes.split_at(below_head(at, bytes.len()));
        let buffers = &mut self.kernel.buffers;
        buffers.write_below(head, at, below, source, first as u16);
        if !inside.is_empty() {
            let skipped = below.len() as u32;
            let at = (at + skipped as i32) as u32;
            buffers.write(head, at, inside, source, (first + skipped) as u16);
        }
        let buffer = buffers.get(head);
        let lowest = start.unsigned_abs();
        let (_, mut origins) = buffer.below(start, lowest as usize);
        origins.extend(buffer.origins(0, len.saturating_sub(lowest)));
        self.kernel.judge.handed_over(head, start, &origins);
    }

    /// `bpf_dynptr_slice()`: where byte `offset` of the metadata lies.
    pub(super) fn slice_place(&self, offset: u32) -> Option<i32> {
        if self.kernel.carries_data_meta() {
            self.kernel.metadata_place(self.no)?;
            // an address behind every packet stands for the place where they are
            return Some((super::CARRIED + offset) as i32);
        }
        let (start, _) = self.meta_pointer()?;
        Some(start + offset as i32)
    }

    /// Reads through a dynptr of the metadata.
    pub(super) fn load_by_dynptr(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        if let Some(place) = self.kernel.metadata_place(self.no) {
            let at = place.start + offset;
            self.read_metadata(place.buffer, at, into, ReadHow::Dynptr, offset);
            return 0;
        }
        let Some((start, _)) = self.meta_pointer() else {
            return crate::xdp::EINVAL;
        };
        self.load_in_headroom(start, offset, into, ReadHow::Dynptr);
        0
    }

    /// Writes through a dynptr of the metadata, or a slice of it.
    pub(super) fn store_by_dynptr(&mut self, offset: u32, bytes: &[u8]) {
        if let Some(place) = self.kernel.metadata_to_write(self.no) {
            self.write_metadata(place, offset, bytes);
        } else if let Some((start, len)) = self.meta_pointer() {
            self.store_in_headroom(start, len, offset, bytes);
        }
    }

    /// Whether an offset from `head` lies in front of the packet.
    pub(super) fn is_in_front(&self, offset: i32) -> bool {
        offset < self.kernel.skb(self.no).data as i32
    }

    /// An address in the packet's buffer, or below it.
    pub(super) fn address(&self, offset: i32) -> u64 {
        self.packet_address().wrapping_add_signed(i64::from(offset))
    }
}
