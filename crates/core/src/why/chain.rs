//! The chain behind a read: written at …, moved by …, pointer reset by …, read at ….

use crate::scene::StepName;
use crate::scene::explain::{count_bytes, span};
use crate::scene::name::{device, what};
use crate::trace::{
    BufferNo, MetadataRead, OriginId, PacketFields, ReadHow, SkbFields, Trace, Verdict,
};

use super::rule::{Actor, actors};

/// What happened to the metadata, or to the place where a design looks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A program wrote them. Offset from the start of the buffer, bytes.
    Written {
        /// Where.
        at: u32,
    },
    /// A memmove inside the buffer took them along.
    Moved {
        /// Where they were.
        from: u32,
        /// Where they are.
        to: u32,
    },
    /// They were copied into another buffer.
    Copied {
        /// Where they were.
        from: u32,
        /// Where they are.
        to: u32,
    },
    /// Somebody wrote other bytes over some of them.
    Overwritten {
        /// First byte that is lost.
        at: u32,
        /// How many.
        len: u32,
        /// Whose bytes are there now.
        by: OriginId,
    },
    /// The place where the design looks moved, and the bytes did not follow.
    PointerReset {
        /// Where metadata began before; `None`: there were none, or their end was not set.
        from: Option<u32>,
        /// Where they begin now.
        to: u32,
    },
    /// The length became 0: for the kernel there are no metadata any more.
    Cleared,
    /// The read itself.
    Read {
        /// Where; `None` when nothing was there to read.
        at: Option<u32>,
        /// By pointer or dynptr.
        how: ReadHow,
    },
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Index of the step that shows it.
    pub step: usize,
    /// What happened.
    pub event: Event,
    /// Bytes concerned.
    pub len: u32,
    /// Whose code did it.
    pub actor: Actor,
}

impl Link {
    /// One sentence, without the step's name.
    #[must_use]
    pub fn sentence(&self, trace: &Trace) -> String {
        let by = &self.actor;
        let bytes = count_bytes(self.len as usize);
        let at = |start: u32| span(start, start + self.len);
        match self.event {
            Event::Written { at: start } => format!("{bytes} written at {} by {by}", at(start)),
            Event::Moved { from, to } => format!("moved from {} to {} by {by}", at(from), at(to)),
            Event::Copied { from, to } => {
                format!(
                    "copied from {} to {} of another buffer by {by}",
                    at(from),
                    at(to)
                )
            }
            Event::Overwritten {
                at: start,
                by: whose,
                ..
            } => format!(
                "{bytes} at {} overwritten by {by}: {}",
                at(start),
                trace.sources.source(whose).label
            ),
            Event::PointerReset {
                from: Some(from),
                to,
            } => format!(
                "pointer reset by {by}: metadata are looked for at {}, no longer at {}",
                at(to),
                at(from)
            ),
            Event::PointerReset { from: None, to } => {
                format!("pointer set by {by}: metadata are looked for at {}", at(to))
            }
            Event::Cleared => format!("length set to 0 by {by}"),
            Event::Read { at: None, .. } => format!("{by} found no metadata"),
            Event::Read {
                at: Some(start),
                how,
            } => {
                let how = match how {
                    ReadHow::DataMeta => "data_meta",
                    ReadHow::Dynptr => "a dynptr",
                };
                format!("{bytes} read at {} by {by} through {how}", at(start))
            }
        }
    }
}

/// The chain behind a read, in the order of time. The read is the last link.
#[must_use]
pub fn chain(trace: &Trace, read: &MetadataRead) -> Vec<Link> {
    let last = read.step.min(trace.steps.len().saturating_sub(1));
    let actors = actors(trace);
    let mut links = Vec::new();
    if let Some(expected) = &read.expected
        && let Some(key) = expected.origins.first()
    {
        let mut way = Way {
            trace,
            len: expected.origins.len() as u32,
            key: *key,
            last,
            links: &mut links,
            actors: &actors,
        };
        let places = way.backwards(read.buffer, expected.offset);
        way.pointers(read, &places);
    }
    links.sort_by_key(|link| link.step);
    let reader = Actor {
        function: read.program.clone(),
        file: "",
        dev: read.dev.name.clone(),
    };
    links.push(Link {
        step: last,
        event: Event::Read {
            at: read.offset,
            how: read.how,
        },
        len: read.bytes.len() as u32,
        actor: reader,
    });
    links
}

/// The step that decided a read: for a wrong one the last event that parted the metadata from the place where they
/// are looked for, for a true one the read itself.
#[must_use]
pub fn decided_at(trace: &Trace, read: &MetadataRead) -> usize {
    let chain = chain(trace, read);
    let at = |wanted: fn(&Event) -> bool| {
        let found = chain.iter().rev().find(|link| wanted(&link.event));
        found.map(|link| link.step)
    };
    let lost = || read.expected.as_ref().and_then(|expected| expected.lost_at);
    let decided = match read.verdict {
        Verdict::Ok | Verdict::None => None,
        Verdict::Lost => at(|event| matches!(event, Event::Cleared)).or_else(lost),
        Verdict::Overwritten => at(|event| matches!(event, Event::Overwritten { .. })),
        Verdict::Garbage => at(|event| {
            matches!(
                event,
                Event::PointerReset { .. } | Event::Overwritten { .. }
            )
        }),
    };
    decided.unwrap_or_else(|| read.step.min(trace.steps.len().saturating_sub(1)))
}

/// Where the metadata were from a step on.
struct Place {
    since: usize,
    buffer: BufferNo,
    offset: u32,
}

/// The way of one set of metadata through a trace.
struct Way<'t, 'l> {
    trace: &'t Trace,
    len: u32,
    key: OriginId,
    last: usize,
    links: &'l mut Vec<Link>,
    actors: &'l [Actor],
}

impl Way<'_, '_> {
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

    /// From the place at the read back to the program that wrote them; the places in the order of time.
    fn backwards(&mut self, buffer: BufferNo, offset: u32) -> Vec<Place> {
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
                if key.is_none_or(|(_, origin)| *origin != self.key) {
                    self.overwritten(step, write, lost, offset);
                    continue;
                }
                places.push(Place {
                    since: step,
                    buffer,
                    offset,
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
                        return places;
                    }
                }
            }
        }
        places.reverse();
        places
    }

    /// The first byte's source wrote them at this step.
    fn written(&mut self, step: usize, at: u32) {
        self.link(step, Event::Written { at }, self.len);
    }

    /// A write over some of the bytes, unless it is of the metadata's own source (a program that fills them in parts).
    fn overwritten(
        &mut self,
        step: usize,
        write: &crate::trace::ByteWrite,
        (from, to): (u32, u32),
        offset: u32,
    ) {
        let Some((_, by)) = write.new.get((from - write.offset) as usize) else {
            return;
        };
        let own = by.source == self.key.source && u32::from(by.byte) == from - offset;
        if !own {
            let (at, len, by) = (from, to - from, *by);
            self.link(step, Event::Overwritten { at, len, by }, len);
        }
    }

    /// Where the read's packet looked for them, step by step.
    fn pointers(&mut self, read: &MetadataRead, places: &[Place]) {
        let trace = self.trace;
        let skb = trace.steps.get(self.last).and_then(|step| step.skb);
        let mut known: Option<(u32, Option<u32>)> = None;
        let mut before = 0;
        let first = places.first().map_or(0, |place| place.since);
        for index in first..=self.last {
            let step = &trace.steps[index];
            let now = places.iter().rev().find(|place| place.since <= index);
            let same_packet = step.skb.is_some() && step.skb == skb;
            let Some(fields) = step.fields.and_then(|fields| trace.fields.get(fields)) else {
                continue;
            };
            let (PacketFields::Skb(fields), Some(now), true) = (fields, now, same_packet) else {
                continue;
            };
            if step.buffer != Some(now.buffer) {
                continue;
            }
            let looked = looked_for(fields);
            match known {
                Some((len, _)) if len > 0 && fields.meta.len == 0 => {
                    self.link_since(before, index, Event::Cleared, len);
                }
                _ if fields.meta.len > 0 && known.map(|(_, start)| start) != Some(looked) => {
                    let from = known.and_then(|(_, start)| start);
                    if let Some(to) = looked.filter(|start| *start != now.offset) {
                        let event = Event::PointerReset { from, to };
                        self.link_since(before, index, event, fields.meta.len);
                    }
                }
                _ => {}
            }
            known = Some((fields.meta.len, looked));
            before = index;
        }
        self.by_data(read, known, places);
    }

    /// `data_meta` is `data - length`, whatever the design says: where that is another place, the program made it so.
    fn by_data(
        &mut self,
        read: &MetadataRead,
        known: Option<(u32, Option<u32>)>,
        places: &[Place],
    ) {
        let (Some(at), Some((_, Some(looked))), Some(place)) = (read.offset, known, places.last())
        else {
            return;
        };
        if read.how == ReadHow::DataMeta && at != looked && at != place.offset {
            let from = Some(looked);
            self.link(self.last, Event::PointerReset { from, to: at }, self.len);
        }
    }
}

fn looked_for(fields: &SkbFields) -> Option<u32> {
    fields.meta.start
}

/// `get_tag on decap`, for a step of a program; else the function with its device.
#[must_use]
pub(super) fn place_of(trace: &Trace, step: usize) -> (String, String) {
    let Some(step) = trace.steps.get(step) else {
        return Default::default();
    };
    let dev = device(trace, step).map(|dev| dev.name.clone());
    (what(trace, step).to_owned(), dev.unwrap_or_default())
}

/// The chain as lines of text, each with the name of its step.
#[must_use]
pub fn lines(trace: &Trace, names: &[StepName], read: &MetadataRead) -> Vec<String> {
    let line = |link: &Link| {
        let name = names.get(link.step).map(ToString::to_string);
        format!("{}  {}", name.unwrap_or_default(), link.sentence(trace))
    };
    chain(trace, read).iter().map(line).collect()
}
