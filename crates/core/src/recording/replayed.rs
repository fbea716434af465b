//! Events → a [`Trace`]. A recording says what every field and byte was, not who wrote it; origins
//! are therefore as good as can be read off the bytes: a byte that is new at an event belongs to the
//! header it stands in, and the event is where it was first seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{ByteRun, Event, Packet, Ret};
use super::judge::Judge;
use super::owners::Owners;
use crate::bpf::Listing;
use crate::names::intern;
use crate::trace::recorder::Moment;
use crate::trace::{
    BufferNo, ByteWrite, DevRef, Edge, MetadataRead, OriginId, Outcome, PacketFields, ReadHow,
    Recorder, Run, SkbNo, StepKind, Trace, Verdict,
};

/// A read as the file tells it.
pub(super) struct SeenRead {
    pub program: String,
    pub hook: String,
    /// Number of events before it.
    pub after_seq: usize,
    pub how: ReadHow,
    /// Bytes of metadata the program saw.
    pub len: usize,
    /// The first of them.
    pub bytes: Vec<u8>,
    pub judged: Judgement,
}

/// Who says how true a read was.
pub(super) enum Judgement {
    /// The file, with the offset of the bytes.
    Known(Verdict, Option<u32>),
    /// Nobody: the bytes are compared with those the latest XDP program left.
    Compare,
}

/// Largest buffer that is drawn; no page of a recording is larger.
const MAX_BUFFER: u32 = 1 << 18;
/// Numbers of buffers that only an `xdp_buff` was ever seen in begin here.
const XDP_ONLY: u32 = 1 << 31;

/// A byte that no event has shown yet.
type Known = Option<(u8, OriginId)>;

struct Replay {
    recorder: Recorder,
    buffers: BTreeMap<u32, Vec<Known>>,
    /// Functions and programs that have not returned, with the run of a program.
    open: Vec<(String, Option<usize>)>,
    pending: Vec<ByteWrite>,
    /// The device each packet was last seen on.
    devices: BTreeMap<u32, DevRef>,
    /// Where the metadata in each buffer were last seen.
    metadata: BTreeMap<u32, u32>,
}

/// Makes the trace.
pub(super) fn replay(id: &str, design: &str, events: &[Event], reads: &[SeenRead]) -> Trace {
    let mut replay = Replay {
        recorder: Recorder::new(id, design),
        buffers: BTreeMap::new(),
        open: Vec::new(),
        pending: Vec::new(),
        devices: BTreeMap::new(),
        metadata: BTreeMap::new(),
    };
    let mut judge = Judge::default();
    for (index, event) in events.iter().enumerate() {
        let buffer = buffer_of(events, index);
        replay.event(event, buffer);
        judge.see(event, buffer);
        for read in reads.iter().filter(|read| read.after_seq == index + 1) {
            replay.read(read, event, buffer, &judge);
        }
    }
    replay.recorder.trace
}

/// Number of the buffer an event is about. An `xdp_buff` has no number; it lies in the buffer of the
/// next skb that is seen on its device (the driver builds the skb around it, and generic XDP looks
/// at the skb's own).
fn buffer_of(events: &[Event], index: usize) -> Option<u32> {
    let event = &events[index];
    match &event.packet {
        Packet::Skb(skb) => Some(skb.head),
        Packet::Result => None,
        Packet::Xdp(_) => {
            let next = events[index..]
                .iter()
                .find_map(|later| match &later.packet {
                    Packet::Skb(skb) if later.dev == event.dev && !later.end_of_life => {
                        Some(skb.head)
                    }
                    _ => None,
                });
            Some(next.unwrap_or(XDP_ONLY + index as u32))
        }
    }
}

impl Replay {
    fn event(&mut self, event: &Event, buffer: Option<u32>) {
        let is_exit = event.stage.edge == Edge::Exit;
        let run = if is_exit { self.close(event) } else { None };
        let kind = self.kind(event, run);
        let fields = match &event.packet {
            Packet::Skb(skb) => {
                let meta = skb.fields.meta;
                if let (Some(start), Some(head)) = (meta.start, buffer) {
                    self.moved(head, start, &skb.meta_bytes);
                    let run = ByteRun {
                        offset: start,
                        bytes: skb.meta_bytes.clone(),
                        truncated: false,
                    };
                    self.bytes(event, head, &run, skb.fields.end);
                }
                self.whole(event, buffer, &skb.bytes, skb.fields.end);
                Some(PacketFields::Skb(skb.fields.clone()))
            }
            Packet::Xdp(xdp) => {
                self.whole(event, buffer, &xdp.bytes, xdp.fields.data_end);
                Some(PacketFields::Xdp(xdp.fields.clone()))
            }
            Packet::Result => None,
        };
        let outcome = match (event.ret, event.ret_skb) {
            (Some(Ret::Number(number)), _) => Outcome::Ret(number),
            (_, Some(skb)) => Outcome::RetSkb(skb.map(SkbNo)),
            _ => Outcome::None,
        };
        let moment = Moment {
            kind,
            dev: self.device(event).map(std::sync::Arc::new),
            skb: event.skb.map(SkbNo),
            buffer: buffer.map(BufferNo),
            fields,
            outcome,
            freed: event.freed,
        };
        let mut writes = std::mem::take(&mut self.pending);
        self.recorder.step(moment, &mut writes);
        if !is_exit && !event.end_of_life {
            let run = self.newest_run(event);
            self.open.push((event.stage.name.clone(), run));
            self.recorder.enter();
        }
    }

    /// Of a packet that is gone a recording shows the device at the function's entry; a trace names the
    /// step by the device it was last on.
    fn device(&mut self, event: &Event) -> Option<DevRef> {
        let dev = device(event);
        let Some(skb) = event.skb else { return dev };
        match (&event.packet, dev) {
            (Packet::Result, dev) => self.devices.get(&skb).cloned().or(dev),
            (_, Some(dev)) => {
                self.devices.insert(skb, dev.clone());
                Some(dev)
            }
            (_, None) => None,
        }
    }

    /// Closes the function that returns, and everything inside it that never did.
    fn close(&mut self, event: &Event) -> Option<usize> {
        let at = self
            .open
            .iter()
            .rposition(|(name, _)| *name == event.stage.name)?;
        let run = self.open[at].1;
        for _ in at..self.open.len() {
            self.recorder.leave();
        }
        self.open.truncate(at);
        run
    }

    fn newest_run(&self, event: &Event) -> Option<usize> {
        event
            .prog
            .then(|| self.recorder.trace.runs.len().checked_sub(1))?
    }

    fn kind(&mut self, event: &Event, run: Option<usize>) -> StepKind {
        let name = event.stage.name.as_str();
        let edge = event.stage.edge;
        if event.end_of_life {
            return StepKind::EndOfLife {
                name: kept(name),
                drop_reason: event.drop_reason,
            };
        }
        if !event.prog {
            return StepKind::Function {
                name: kept(name),
                file: "",
                edge,
            };
        }
        let run = run.unwrap_or_else(|| {
            self.recorder.trace.runs.push(Run {
                program: name.to_owned(),
                hook: if matches!(event.packet, Packet::Xdp(_)) {
                    "xdp"
                } else {
                    "ingress"
                },
                dev: device(event).unwrap_or_else(|| DevRef {
                    name: String::new(),
                    netns: None,
                }),
                listing: Arc::new(nothing_listed(name)),
                verdict: None,
            });
            self.recorder.trace.runs.len() - 1
        });
        if let (Edge::Exit, Some(Ret::Number(verdict)), Some(run)) =
            (edge, event.ret, self.recorder.trace.runs.get_mut(run))
        {
            run.verdict = Some(verdict);
        }
        StepKind::Program { run, edge }
    }

    /// Metadata that the kernel has at another place than before, with the same bytes, where other bytes were: they were
    /// moved. (A formula that gives another place finds the bytes that were there.)
    fn moved(&mut self, head: u32, start: u32, bytes: &[u8]) {
        let Some(from) = self.metadata.insert(head, start) else {
            return;
        };
        let place = |start: u32| start as usize..(start as usize).saturating_add(bytes.len());
        let Some(known) = self.buffers.get_mut(&head) else {
            return;
        };
        let (Some(old), Some(source)) = (known.get(place(start)), known.get(place(from))) else {
            return;
        };
        let is_said = |cells: &[Known]| {
            let values = cells.iter().map(|cell| cell.map(|(byte, _)| byte));
            values.eq(bytes.iter().copied().map(Some))
        };
        if from == start || is_said(old) || !is_said(source) {
            return;
        }
        let whole = |cells: &[Known]| cells.iter().map(|cell| cell.unwrap_or_default()).collect();
        let (old, new): (Vec<_>, Vec<_>) = (whole(old), whole(source));
        for (cell, new) in known[place(start)].iter_mut().zip(&new) {
            *cell = Some(*new);
        }
        self.pending.push(ByteWrite {
            buffer: BufferNo(head),
            offset: start,
            old,
            new,
            moved_from: Some(from),
            copied_from: None,
        });
    }

    fn whole(&mut self, event: &Event, buffer: Option<u32>, run: &ByteRun, end: u32) {
        if let Some(head) = buffer {
            self.bytes(event, head, run, end);
        }
    }

    /// Takes in what an event shows of a buffer; what is new becomes writes.
    fn bytes(&mut self, event: &Event, head: u32, run: &ByteRun, end: u32) {
        let end = end
            .max(run.offset.saturating_add(run.bytes.len() as u32))
            .min(MAX_BUFFER);
        let number = BufferNo(head);
        let known = self.buffers.entry(head).or_default();
        if known.is_empty() {
            *known = vec![None; end as usize];
            self.pending.push(ByteWrite {
                buffer: number,
                offset: 0,
                old: Vec::new(),
                new: vec![(0, OriginId::default()); end as usize],
                moved_from: None,
                copied_from: None,
            });
        }
        // A buffer that has grown (pskb_expand_head) got a number of its own; what lies beyond is not drawn.
        let known_len = known.len();
        let place = |at: usize| (run.offset as usize).saturating_add(at);
        let new: Vec<usize> = (0..run.bytes.len())
            .filter(|at| place(*at) < known_len)
            .filter(|at| known[place(*at)].map(|(byte, _)| byte) != Some(run.bytes[*at]))
            .collect();
        if new.is_empty() {
            return;
        }
        let owners = Owners::new(event, run);
        let mut sources: BTreeMap<usize, u16> = BTreeMap::new();
        let mut at = 0;
        while at < new.len() {
            let mut stop = at + 1;
            while stop < new.len() && new[stop] == new[stop - 1] + 1 {
                stop += 1;
            }
            let (mut old, mut cells) = (Vec::new(), Vec::new());
            for &index in &new[at..stop] {
                let origin = owners.origin(index, event, &mut sources, &mut self.recorder);
                let cell = (run.bytes[index], origin);
                old.push(known[place(index)].unwrap_or_default());
                cells.push(cell);
                known[place(index)] = Some(cell);
            }
            self.pending.push(ByteWrite {
                buffer: number,
                offset: place(new[at]) as u32,
                old,
                new: cells,
                moved_from: None,
                copied_from: None,
            });
            at = stop;
        }
    }

    fn read(&mut self, read: &SeenRead, event: &Event, buffer: Option<u32>, judge: &Judge) {
        let open = self
            .open
            .iter()
            .rev()
            .find(|(name, run)| *name == read.program && run.is_some());
        let newest = || {
            let runs = &self.recorder.trace.runs;
            runs.iter().rposition(|run| run.program == read.program)
        };
        let Some(run) = open.and_then(|(_, run)| *run).or_else(newest) else {
            return;
        };
        let (verdict, offset) = match read.judged {
            Judgement::Known(verdict, offset) => (verdict, offset),
            Judgement::Compare => judge.verdict(read, event),
        };
        let cell = |at: usize| -> OriginId {
            let known = buffer.and_then(|head| self.buffers.get(&head));
            let place = offset.map(|offset| (offset as usize).saturating_add(at));
            let cell = place.and_then(|place| known?.get(place).copied().flatten());
            cell.map(|(_, origin)| origin).unwrap_or_default()
        };
        let origins: Vec<OriginId> = (0..read.bytes.len()).map(cell).collect();
        let hook = kept(&read.hook);
        let trace = &mut self.recorder.trace;
        trace.runs[run].hook = hook;
        trace.reads.push(MetadataRead {
            run,
            program: read.program.clone(),
            dev: trace.runs[run].dev.clone(),
            hook,
            how: read.how,
            step: trace.steps.len().saturating_sub(1),
            offset: offset.filter(|_| read.len > 0),
            bytes: read.bytes.clone(),
            origins,
            verdict,
            buffer: BufferNo(buffer.unwrap_or_default()),
            expected: None,
        });
    }
}

/// A program of which only its name is known.
fn nothing_listed(program: &str) -> Listing {
    Listing {
        program: program.to_owned(),
        section: String::new(),
        lines: Vec::new(),
        source: Vec::new(),
        source_file: None,
        map_names: Vec::new(),
    }
}

pub(super) fn device(event: &Event) -> Option<DevRef> {
    event.dev.as_ref().map(|name| DevRef {
        name: name.clone(),
        netns: event.netns.clone(),
    })
}

/// A recording's name; one that is too long, or one too many, is called `…`.
fn kept(name: &str) -> &'static str {
    intern(name).unwrap_or("…")
}
