//! Writes of bytes. What was there before follows from the writes before; so does what a move or a copy
//! puts there. Both are left out where that is so, which the writer looks up.

use super::super::origin::OriginId;
use super::super::replay::Memory;
use super::super::step::{BufferNo, ByteWrite};
use super::super::wire::cells::runs;
use super::{In, Out, Pack};

/// The bytes before are those that are known.
const OLD_KNOWN: u8 = 1;
/// The bytes after are those at the place that they were moved or copied from.
const NEW_KNOWN: u8 = 2;
const MOVED: u8 = 4;
const COPIED: u8 = 8;
/// No buffer is larger, bytes: that of a socket buffer of 64 KiB with room to spare.
const LARGEST: u64 = 1 << 24;

type Cells = Vec<(u8, OriginId)>;

/// Some bytes of a buffer with their origins, as they are now.
fn known(memory: &Memory, buffer: BufferNo, offset: u32, len: usize) -> Option<Cells> {
    let buffer = memory.buffers.get(&buffer)?;
    let place = offset as usize..(offset as usize).checked_add(len)?;
    let bytes = buffer.bytes.get(place.clone())?.iter().copied();
    Some(
        bytes
            .zip(buffer.origins.get(place)?.iter().copied())
            .collect(),
    )
}

/// Where the bytes came from.
fn from_where(write: &ByteWrite) -> Option<(BufferNo, u32)> {
    let moved = write.moved_from.map(|from| (write.buffer, from));
    moved.or(write.copied_from)
}

/// Writes them.
pub(super) fn put(writes: &[ByteWrite], out: &mut Out) {
    let mut memory = Memory::default();
    out.number(writes.len() as u64);
    for write in writes {
        let before = known(&memory, write.buffer, write.offset, write.old.len());
        let same_old = before.as_ref() == Some(&write.old);
        let source = from_where(write)
            .and_then(|(buffer, from)| known(&memory, buffer, from, write.new.len()));
        let same_new = source.as_ref() == Some(&write.new);
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        out.bytes.push(
            flag(same_old, OLD_KNOWN)
                | flag(same_new, NEW_KNOWN)
                | flag(write.moved_from.is_some(), MOVED)
                | flag(write.copied_from.is_some(), COPIED),
        );
        write.buffer.put(out);
        write.offset.put(out);
        if let Some(from) = write.moved_from {
            from.put(out);
        }
        if let Some(from) = write.copied_from {
            from.put(out);
        }
        write.old.len().put(out);
        write.new.len().put(out);
        if !same_old {
            put_cells(&write.old, out);
        }
        if !same_new {
            put_cells(&write.new, out);
        }
        memory.apply(write);
    }
}

fn put_cells(cells: &[(u8, OriginId)], out: &mut Out) {
    out.bytes.extend(cells.iter().map(|(byte, _)| *byte));
    for (first, len, counts) in runs(cells) {
        first.put(out);
        len.put(out);
        counts.put(out);
    }
}

/// Reads them.
pub(super) fn take(from: &mut In<'_>) -> Vec<ByteWrite> {
    let mut memory = Memory::default();
    let mut out = Vec::new();
    for _ in 0..from.len() {
        let write = one(from, &memory);
        if from.wrong.is_some() {
            break;
        }
        memory.apply(&write);
        out.push(write);
    }
    out
}

fn one(from: &mut In<'_>, memory: &Memory) -> ByteWrite {
    let flags = from.byte();
    let buffer = Pack::take(from);
    let offset = from.up_to(LARGEST) as u32;
    let moved_from = (flags & MOVED != 0).then(|| Pack::take(from));
    let copied_from = (flags & COPIED != 0).then(|| Pack::take(from));
    let (old_len, new_len) = (from.up_to(LARGEST) as usize, from.up_to(LARGEST) as usize);
    let mut write = ByteWrite {
        buffer,
        offset,
        old: Vec::new(),
        new: Vec::new(),
        moved_from,
        copied_from,
    };
    write.old = if flags & OLD_KNOWN != 0 {
        or_fail(known(memory, buffer, offset, old_len), from)
    } else {
        cells(old_len, from)
    };
    write.new = if flags & NEW_KNOWN != 0 {
        let source = from_where(&write);
        let source = source.and_then(|(buffer, start)| known(memory, buffer, start, new_len));
        or_fail(source, from)
    } else {
        cells(new_len, from)
    };
    write
}

fn or_fail(cells: Option<Cells>, from: &mut In<'_>) -> Cells {
    cells.unwrap_or_else(|| {
        from.fail();
        Vec::new()
    })
}

fn cells(len: usize, from: &mut In<'_>) -> Cells {
    let mut out: Cells = from
        .raw(len)
        .iter()
        .map(|byte| (*byte, OriginId::default()))
        .collect();
    let mut at = 0;
    while at < out.len() {
        let first = OriginId::take(from);
        let (run, counts) = (u16::take(from), bool::take(from));
        let Some(cells) = out.get_mut(at..at + usize::from(run)).filter(|_| run > 0) else {
            from.fail();
            break;
        };
        for (n, (_, origin)) in (0u16..).zip(cells) {
            let byte = first.byte.wrapping_add(if counts { n } else { 0 });
            *origin = OriginId { byte, ..first };
        }
        at += usize::from(run);
    }
    out
}
