//! The way of metadata through a trace: backwards from a read to the program that wrote them, and where the packet looked for
//! them meanwhile.

use std::collections::BTreeMap;

use super::chain::{Event, Link};
use super::rule::{Actor, actors};
use crate::trace::{
    BufferNo, ByteWrite, MetadataRead, OriginId, PacketFields, ReadHow, SkbFields, Trace, Verdict,
};

/// What happened to the metadata that a read is about, and to the place where they are looked for, up to a step; in no order.
pub(super) fn links(trace: &Trace, read: &MetadataRead, last: usize) -> Vec<Link> {
    let mut way = Way {
        trace,
        len: read.bytes.len() as u32,
        last,
        links: Vec::new(),
        actors: actors(trace),
    };
    let places = way.metadata(read);
    way.pointers(read, &places);
    way.links
}

/// Where a packet looks for its metadata.
#[derive(Clone, Copy, PartialEq)]
struct Looked {
    /// `skb_metadata_len()`, bytes.
    len: u32,
    /// Bytes from `head`; `None` below it, and where the design's end is not set.
    start: Option<u32>,
    /// Whether the end is set.
    set: bool,
}

impl Looked {
    fn of(fields: &SkbFields) -> Self {
        let meta = &fields.meta;
        Self {
            len: meta.len,
            start: meta.start,
            set: meta.end.is_some(),
        }
    }

    /// It is another place than where they are; `None`: they are not in the buffer.
    fn is_astray(self, offset: Option<u32>) -> bool {
        self.len > 0 && self.set && (self.start.is_none() || self.start != offset)
    }
}

/// Where the metadata were from a step on.
struct Place {
    since: usize,
    buffer: BufferNo,
    /// Bytes from `head`; `None`: the buffer is the packet's, and they are not in it.
    offset: Option<u32>,
}

/// Where they were at a step.
fn place_at(places: &[Place], step: usize) -> Option<&Place> {
    places.iter().rev().find(|place| place.since <= step)
}

/// The way of one set of metadata through a trace.
struct Way<'t> {
    trace: &'t Trace,
    /// How many bytes.
    len: u32,
    last: usize,
    links: Vec<Link>,
    actors: Vec<Actor>,
}

impl Way<'_> {
    /// From the read back to the program that wrote what should have been read; the places in the order of time.
    fn metadata(&mut self, read: &MetadataRead) -> Vec<Place> {
        let expected = read.expected.as_ref();
        let Some((expected, key)) = expected.and_then(|all| Some((all, *all.origins.first()?)))
        else {
            return Vec::new();
        };
        self.len = expected.origins.len() as u32;
        let (places, whole) = self.backwards(key, read.buffer, expected.offset);
        if !whole {
            self.written_elsewhere(key, places.first().map_or(self.last, |place| place.since));
        }
        let lost = expected.lost_at.filter(|step| *step < self.last);
        if let (Some(step), Verdict::Lost) = (lost, read.verdict) {
            self.link(step, Event::Lost, self.len);
        }
        places
    }

    /// Bytes are written between a step and the one before it.
    fn link(&mut self, step: usize, event: Event, len: u32) {
        self.link_since(step.saturating_sub(1), step, event, len);
    }

    /// `before` is the last step that still showed the old state.
    fn link_since(&mut self, before: usize, step: usize, event: Event, len: u32) {
        let actor = self.actors.get(before).cloned().unwrap_or_default();
        self.links.push(Link {
            step,
            event,
            len,
            actor,
        });
    }

    /// From the place at the read back to the program that wrote them; the places in the order of time, and whether they lead
    /// to the program: a buffer may have been made without them.
    fn backwards(&mut self, wanted: OriginId, buffer: BufferNo, offset: u32) -> (Vec<Place>, bool) {
        let mut places = Vec::new();
        let (mut buffer, mut offset) = (buffer, offset);
        let trace = self.trace;
        for step in (0..=self.last).rev() {
            for write in trace.writes[trace.steps[step].writes.clone()].iter().rev() {
                let (start, end) = (write.offset, write.offset + write.new.len() as u32);
                let lost = (start.max(offset), end.min(offset + self.len));
                if write.buffer != buffer || lost.0 >= lost.1 {
                    continue;
                }
                let key = (start <= offset)
                    .then(|| write.new.get((offset - start) as usize))
                    .flatten();
                if key.is_none_or(|(_, origin)| *origin != wanted) {
                    // A buffer begins with a write over nothing.
                    if write.old.is_empty() {
                        places.push(self.left_behind(step, buffer));
                        places.reverse();
                        return (places, false);
                    }
                    self.overwritten(wanted, step, write, lost, offset);
                    continue;
                }
                places.push(Place {
                    since: step,
                    buffer,
                    offset: Some(offset),
                });
                match (write.moved_from, write.copied_from) {
                    (Some(from), _) => {
                        let from = from + (offset - start);
                        let to = offset;
                        if from != to {
                            self.link(step, Event::Moved { from, to }, self.len);
                        }
                        offset = from;
                    }
                    (_, Some((other, from))) => {
                        let from = from + (offset - start);
                        let to = offset;
                        self.link(step, Event::Copied { from, to }, self.len);
                        (buffer, offset) = (other, from);
                    }
                    _ => {
                        self.written(step, offset);
                        places.reverse();
                        return (places, true);
                    }
                }
            }
        }
        places.reverse();
        (places, false)
    }

    /// A step made the buffer without them. What was written there since was over nothing of theirs.
    fn left_behind(&mut self, step: usize, buffer: BufferNo) -> Place {
        let overwrites = |link: &Link| matches!(link.event, Event::Overwritten { .. });
        self.links.retain(|link| !overwrites(link));
        self.link(step, Event::LeftBehind, self.len);
        Place {
            since: step,
            buffer,
            offset: None,
        }
    }

    /// The program wrote them into another buffer than the one that is read, before a step.
    fn written_elsewhere(&mut self, key: OriginId, before: usize) {
        let trace = self.trace;
        let written = (0..before).rev().find_map(|step| {
            let own = |write: &ByteWrite| {
                let at = write.new.iter().position(|(_, origin)| *origin == key)?;
                let first = write.moved_from.is_none() && write.copied_from.is_none();
                first.then(|| write.offset + at as u32)
            };
            let writes = &trace.writes[trace.steps[step].writes.clone()];
            writes.iter().find_map(own).map(|at| (step, at))
        });
        if let Some((step, at)) = written {
            self.written(step, at);
        }
    }

    /// The first byte's source wrote them at this step.
    fn written(&mut self, step: usize, at: u32) {
        self.link(step, Event::Written { at }, self.len);
    }

    /// A write over some of the bytes, unless it is of the metadata's own source (a program that fills them in parts).
    fn overwritten(
        &mut self,
        key: OriginId,
        step: usize,
        write: &ByteWrite,
        (from, to): (u32, u32),
        offset: u32,
    ) {
        let Some((_, by)) = write.new.get((from - write.offset) as usize) else {
            return;
        };
        let own = by.source == key.source && u32::from(by.byte) == from - offset;
        if !own {
            let (at, len, by) = (from, to - from, *by);
            self.link(step, Event::Overwritten { at, len, by }, len);
        }
    }

    /// The steps that show the read's packet, in the order of time. Before a clone's first step that is the packet it was made of:
    /// one over the same buffer.
    fn packet_steps(&self, places: &[Place]) -> Vec<usize> {
        let steps = &self.trace.steps;
        let mut begins = BTreeMap::new();
        for (index, step) in steps.iter().enumerate().take(self.last + 1) {
            if let Some(skb) = step.skb {
                begins.entry(skb).or_insert(index);
            }
        }
        let mut packet = steps.get(self.last).and_then(|step| step.skb);
        let mut out = Vec::new();
        for index in (0..=self.last).rev() {
            let step = &steps[index];
            let Some(skb) = step.skb else {
                continue;
            };
            let begin = packet.and_then(|packet| begins.get(&packet));
            let here = place_at(places, index).map(|place| place.buffer);
            if begin.is_none_or(|begin| index < *begin) && here.is_some() && here == step.buffer {
                packet = Some(skb);
            }
            if packet == Some(skb) {
                out.push(index);
            }
        }
        out.reverse();
        out
    }

    /// Where the read's packet looked for them, step by step.
    fn pointers(&mut self, read: &MetadataRead, places: &[Place]) {
        let trace = self.trace;
        let home = places.first().map_or(read.buffer, |place| place.buffer);
        let mut known: Option<(Looked, bool)> = None;
        let mut before = None;
        for index in self.packet_steps(places) {
            let step = &trace.steps[index];
            let place = place_at(places, index);
            let fields = step.fields.and_then(|fields| trace.fields.get(fields));
            let Some(PacketFields::Skb(fields)) = fields else {
                continue;
            };
            if step.buffer != Some(place.map_or(home, |place| place.buffer)) {
                continue;
            }
            let now = Looked::of(fields);
            // Whose code ran in front of the packet's first step is said by the step before, whatever that shows.
            let since = before.unwrap_or(index.saturating_sub(1));
            // Before they are written, no place is the wrong one.
            let judged = place.is_some() || places.is_empty();
            let astray = judged && now.is_astray(place.and_then(|place| place.offset));
            match known {
                Some((old, _)) if old.len > 0 && now.len == 0 => {
                    self.link_since(since, index, Event::Cleared, old.len);
                }
                Some((old, false)) if astray && old == now => {
                    self.link(index, Event::PointerStays { at: now.start }, now.len);
                }
                old if astray && old.is_none_or(|(old, _)| old != now) => {
                    let from = old
                        .filter(|(old, _)| old.len > 0)
                        .and_then(|(old, _)| old.start);
                    let to = now.start;
                    self.link_since(since, index, Event::PointerReset { from, to }, now.len);
                }
                _ => {}
            }
            known = Some((now, astray));
            before = Some(index);
        }
        self.by_data(read, known.map(|(known, _)| known), places);
    }

    /// `data_meta` is `data - length`, whatever the design says: where that is another place, the program made it so.
    fn by_data(&mut self, read: &MetadataRead, known: Option<Looked>, places: &[Place]) {
        let looked = known.and_then(|known| known.start);
        let (Some(at), Some(looked), Some(place)) = (read.offset, looked, places.last()) else {
            return;
        };
        if read.how == ReadHow::DataMeta && at != looked && Some(at) != place.offset {
            let (from, to) = (Some(looked), Some(at));
            self.link(self.last, Event::PointerReset { from, to }, self.len);
        }
    }
}
