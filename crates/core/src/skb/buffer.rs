//! Packet buffers: bytes, the shadow of origins beside them, and the shared info at `end`.

use super::Frag;
use crate::trace::{BufferNo, ByteWrite, OriginId, SkbNo};

/// `struct skb_shared_info`, the part that matters here. Shared by all clones of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SharedInfo {
    /// `meta_len`: bytes of metadata.
    pub meta_len: u8,
    /// `meta_end` of series v3, patch 10: offset from `head`, bytes. Designs without it never look.
    pub meta_end: u16,
    /// `gso_size`.
    pub gso_size: u16,
    /// `gso_segs`.
    pub gso_segs: u16,
    /// `gso_type`: bits of [`gso`](super::gso).
    pub gso_type: u32,
}

impl SharedInfo {
    /// How many packets were merged into this one; 1 for a packet that is as it came.
    #[must_use]
    pub fn packets(&self) -> u16 {
        match self.gso_size {
            0 => 1,
            _ => self.gso_segs.max(1),
        }
    }

    /// `skb_gso_reset()`: one packet as any other.
    pub fn gso_reset(&mut self) {
        (self.gso_size, self.gso_segs, self.gso_type) = (0, 0, 0);
    }

    /// What `skb_copy_header()` copies of the shared info.
    pub fn copy_gso(&mut self, from: &Self) {
        (self.gso_size, self.gso_segs) = (from.gso_size, from.gso_segs);
        self.gso_type = from.gso_type;
    }
}

/// One `skb->head` with what lies behind it.
#[derive(Debug, Clone)]
pub struct Buffer {
    bytes: Vec<u8>,
    origins: Vec<OriginId>,
    /// What programs stored below `head`, by distance: the first byte is the one at -1. It is the memory of others, so
    /// that what nobody has stored is unknown: zero here, as it mostly was when it was recorded. Not logged.
    below: Vec<(u8, OriginId)>,
    /// The shared info at `end`.
    pub shinfo: SharedInfo,
    /// `skb_shinfo()->frags`, `nr_frags` of them.
    pub frags: Vec<Frag>,
    /// `skb_shinfo()->frag_list`.
    pub frag_list: Vec<SkbNo>,
    /// Skbs that use the buffer (`dataref`).
    pub dataref: u32,
}

impl Buffer {
    /// `skb_end_offset()`: first byte behind the usable part, offset from `head`.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Bytes `[start, start + len)`; shorter when the buffer ends before.
    #[inline]
    #[must_use]
    pub fn bytes(&self, start: u32, len: u32) -> &[u8] {
        clamp(&self.bytes, start, len)
    }

    /// Origins `[start, start + len)`; shorter when the buffer ends before.
    #[must_use]
    pub fn origins(&self, start: u32, len: u32) -> &[OriginId] {
        clamp(&self.origins, start, len)
    }

    /// Bytes and origins from `offset` (negative) on, below `head`.
    #[must_use]
    pub fn below(&self, offset: i32, len: usize) -> (Vec<u8>, Vec<OriginId>) {
        let lowest = offset.min(0).unsigned_abs() as usize;
        let at = |i: usize| self.below.get(i).copied().unwrap_or_default();
        (lowest.saturating_sub(len)..lowest).rev().map(at).unzip()
    }

    /// Stores bytes without origins; what lies behind `end` is cut.
    fn put(&mut self, offset: u32, bytes: &[u8]) {
        let start = (offset as usize).min(self.bytes.len());
        let len = bytes.len().min(self.bytes.len() - start);
        self.bytes[start..start + len].copy_from_slice(&bytes[..len]);
    }

    fn pairs(&self, start: u32, len: u32) -> Vec<(u8, OriginId)> {
        self.bytes(start, len)
            .iter()
            .copied()
            .zip(self.origins(start, len).iter().copied())
            .collect()
    }
}

/// How many of `len` bytes at `offset` from `head` lie below it.
#[must_use]
pub fn below_head(offset: i32, len: usize) -> usize {
    len.min(offset.min(0).unsigned_abs() as usize)
}

/// The part of `[start, start + len)` that is inside `all`.
#[inline]
fn clamp<T>(all: &[T], start: u32, len: u32) -> &[T] {
    let start = (start as usize).min(all.len());
    let end = start.saturating_add(len as usize).min(all.len());
    &all[start..end]
}

/// Where stored bytes come from.
#[derive(Debug, Clone, Copy)]
enum From {
    /// Somebody writes them.
    Writer,
    /// From this offset of the same buffer.
    Here(u32),
    /// From this offset of another one.
    Buffer(BufferNo, u32),
}

/// All buffers of a run, and the log of what was written into them.
#[derive(Debug, Default)]
pub struct Buffers {
    buffers: Vec<Buffer>,
    log: Vec<ByteWrite>,
    /// Neither log nor origins are kept.
    quiet: bool,
    /// Buffers that can be used again; only when quiet.
    free: Vec<BufferNo>,
}

impl Buffers {
    /// A fresh, zeroed buffer (`init_on_alloc`) with one user.
    pub fn alloc(&mut self, end: u32) -> BufferNo {
        if let Some(no) = self.reuse(end) {
            return no;
        }
        let origins = if self.quiet { 0 } else { end as usize };
        let fresh = Buffer {
            bytes: vec![0; end as usize],
            origins: vec![OriginId::default(); origins],
            below: Vec::new(),
            shinfo: SharedInfo::default(),
            frags: Vec::new(),
            frag_list: Vec::new(),
            dataref: 1,
        };
        self.push(fresh)
    }

    /// A buffer that holds what was left in its place before. Origins that are not there are those of nobody.
    pub fn alloc_with(&mut self, bytes: &[u8], origins: &[OriginId]) -> BufferNo {
        if let Some(no) = self.reuse(bytes.len() as u32) {
            self.store_quiet(no, 0, bytes);
            return no;
        }
        let mut origins = origins.to_vec();
        let wanted = if self.quiet { 0 } else { bytes.len() };
        origins.resize(wanted, OriginId::default());
        self.push(Buffer {
            bytes: bytes.to_vec(),
            origins,
            below: Vec::new(),
            shinfo: SharedInfo::default(),
            frags: Vec::new(),
            frag_list: Vec::new(),
            dataref: 1,
        })
    }

    fn push(&mut self, fresh: Buffer) -> BufferNo {
        let no = BufferNo(self.buffers.len() as u32 + 1);
        if !self.quiet {
            self.log.push(ByteWrite {
                buffer: no,
                offset: 0,
                old: Vec::new(),
                new: fresh.pairs(0, fresh.end()),
                moved_from: None,
                copied_from: None,
            });
        }
        self.buffers.push(fresh);
        no
    }

    /// From now on neither writes nor origins are kept, and buffers nobody uses are used again.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
        self.log = Vec::new();
        for buffer in &mut self.buffers {
            buffer.origins = Vec::new();
        }
    }

    /// Buffers without a user can be used again.
    pub fn recycle(&mut self) {
        self.free.clear();
        let numbered = (1u32..).zip(&self.buffers);
        let unused = numbered.filter(|(_, buffer)| buffer.dataref == 0);
        self.free.extend(unused.map(|(no, _)| BufferNo(no)));
    }

    /// Whether somebody uses the buffer.
    #[must_use]
    pub fn is_used(&self, no: BufferNo) -> bool {
        self.get(no).dataref > 0
    }

    /// A free buffer of that size, zeroed.
    fn reuse(&mut self, end: u32) -> Option<BufferNo> {
        let fits = |no: &BufferNo| self.get(*no).end() == end;
        let place = self.free.iter().position(fits)?;
        let no = self.free.swap_remove(place);
        let buffer = &mut self.buffers[no.0 as usize - 1];
        buffer.bytes.fill(0);
        buffer.below.clear();
        buffer.shinfo = SharedInfo::default();
        buffer.frags.clear();
        buffer.frag_list.clear();
        buffer.dataref = 1;
        Some(no)
    }

    /// Stores bytes without origins or log; what lies behind `end` is cut.
    fn store_quiet(&mut self, no: BufferNo, offset: u32, bytes: &[u8]) {
        self.buffers[no.0 as usize - 1].put(offset, bytes);
    }

    /// The buffer. Numbers come from [`Buffers::alloc`] only, so it is there.
    #[inline]
    #[must_use]
    pub fn get(&self, no: BufferNo) -> &Buffer {
        &self.buffers[no.0 as usize - 1]
    }

    /// The buffer's shared info, to change it.
    pub fn shinfo_mut(&mut self, no: BufferNo) -> &mut SharedInfo {
        &mut self.buffers[no.0 as usize - 1].shinfo
    }

    /// `skb_shinfo()->frags`, to change them.
    pub fn frags_mut(&mut self, no: BufferNo) -> &mut Vec<Frag> {
        &mut self.buffers[no.0 as usize - 1].frags
    }

    /// `skb_shinfo()->frag_list`, to change it.
    pub fn frag_list_mut(&mut self, no: BufferNo) -> &mut Vec<SkbNo> {
        &mut self.buffers[no.0 as usize - 1].frag_list
    }

    /// The buffer's reference count, to change it.
    pub fn dataref_mut(&mut self, no: BufferNo) -> &mut u32 {
        &mut self.buffers[no.0 as usize - 1].dataref
    }

    /// Stores bytes; the origin of each is (`source`, `first` + its index). What lies behind `end` is cut.
    pub fn write(&mut self, no: BufferNo, offset: u32, bytes: &[u8], source: u16, first: u16) {
        if self.quiet {
            return self.store_quiet(no, offset, bytes);
        }
        let new = bytes
            .iter()
            .zip(0u16..)
            .map(|(byte, i)| {
                (
                    *byte,
                    OriginId {
                        source,
                        byte: first.saturating_add(i),
                    },
                )
            })
            .collect();
        self.store(no, offset, new, From::Writer);
    }

    /// Stores bytes below `head`, from `offset` (negative) on; those that would not lie below it are left out.
    pub fn write_below(
        &mut self,
        no: BufferNo,
        offset: i32,
        bytes: &[u8],
        source: u16,
        first: u16,
    ) {
        let lowest = offset.min(0).unsigned_abs() as usize;
        let below = &mut self.buffers[no.0 as usize - 1].below;
        if below.len() < lowest {
            below.resize(lowest, (0, OriginId::default()));
        }
        for ((place, byte), i) in below[..lowest].iter_mut().rev().zip(bytes).zip(0u16..) {
            let byte_no = first.saturating_add(i);
            *place = (
                *byte,
                OriginId {
                    source,
                    byte: byte_no,
                },
            );
        }
    }

    /// Changes bytes of a header that is there (a length, a checksum): the origins stay.
    pub fn patch(&mut self, no: BufferNo, offset: u32, bytes: &[u8]) {
        if self.quiet {
            return self.store_quiet(no, offset, bytes);
        }
        let origins = self.get(no).origins(offset, bytes.len() as u32).to_vec();
        let new = bytes.iter().copied().zip(origins).collect();
        self.store(no, offset, new, From::Writer);
    }

    /// Fills in bytes of the header that begins at `start`: their origin is the header's, whatever was there.
    pub fn complete(&mut self, no: BufferNo, start: u32, offset: u32, bytes: &[u8]) {
        if self.quiet {
            return self.store_quiet(no, offset, bytes);
        }
        let Some(first) = self.get(no).origins(start, 1).first().copied() else {
            return;
        };
        let byte = u32::from(first.byte) + offset.saturating_sub(start);
        self.write(no, offset, bytes, first.source, byte as u16);
    }

    /// `memmove()` inside one buffer; origins move along.
    pub fn memmove(&mut self, no: BufferNo, from: u32, to: u32, len: u32) {
        if self.quiet {
            let bytes = &mut self.buffers[no.0 as usize - 1].bytes;
            let end = bytes.len();
            let from = (from as usize).min(end)..(from.saturating_add(len) as usize).min(end);
            let to = (to as usize).min(end);
            let len = from.len().min(end - to);
            return bytes.copy_within(from.start..from.start + len, to);
        }
        let moved = self.get(no).pairs(from, len);
        self.store(no, to, moved, From::Here(from));
    }

    /// `memcpy()` from one buffer to another; origins are copied along.
    pub fn memcpy(
        &mut self,
        to: BufferNo,
        to_offset: u32,
        from: BufferNo,
        from_offset: u32,
        len: u32,
    ) {
        if self.quiet {
            return self.memcpy_quiet((to, to_offset), (from, from_offset), len);
        }
        let copied = self.get(from).pairs(from_offset, len);
        self.store(to, to_offset, copied, From::Buffer(from, from_offset));
    }

    fn memcpy_quiet(&mut self, to: (BufferNo, u32), from: (BufferNo, u32), len: u32) {
        let place = |no: BufferNo| no.0 as usize - 1;
        match self.buffers.get_disjoint_mut([place(to.0), place(from.0)]) {
            Ok([to_buffer, from_buffer]) => to_buffer.put(to.1, from_buffer.bytes(from.1, len)),
            Err(_) => self.memmove(to.0, from.1, to.1, len),
        }
    }

    /// What was written since the last call.
    pub fn log_mut(&mut self) -> &mut Vec<ByteWrite> {
        &mut self.log
    }

    fn store(&mut self, no: BufferNo, offset: u32, mut new: Vec<(u8, OriginId)>, from: From) {
        let old = self.get(no).pairs(offset, new.len() as u32);
        new.truncate(old.len());
        if old == new {
            return;
        }
        let (moved_from, copied_from) = match from {
            From::Writer => (None, None),
            From::Here(offset) => (Some(offset), None),
            From::Buffer(other, offset) => (None, Some((other, offset))),
        };
        let buffer = &mut self.buffers[no.0 as usize - 1];
        for (i, (byte, origin)) in new.iter().enumerate() {
            buffer.bytes[offset as usize + i] = *byte;
            buffer.origins[offset as usize + i] = *origin;
        }
        self.log.push(ByteWrite {
            buffer: no,
            offset,
            old,
            new,
            moved_from,
            copied_from,
        });
    }
}

#[cfg(test)]
mod tests;
