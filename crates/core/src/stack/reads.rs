//! Reads of metadata, put down with their verdict.

use super::Kernel;
use crate::bpf::MapChange;
use crate::scenario::topology::DevId;
use crate::trace::{
    BufferNo, Layer, MapCall, MetadataRead, OriginId, ReadHow, SkbNo, Source, SourceTable,
};

impl Kernel {
    /// The bytes of a range were read as metadata, from byte `first` of them on. Reads of one
    /// run that touch each other are one read. `outside`: the packet, if its metadata are kept outside of its buffer.
    pub(super) fn judge_read(
        &mut self,
        run: usize,
        head: BufferNo,
        how: ReadHow,
        range: std::ops::Range<u32>,
        first: u32,
        outside: Option<SkbNo>,
    ) {
        if self.recorder.quiet {
            return;
        }
        let (mut start, mut end, mut first) = (range.start, range.end, first);
        let reads = &mut self.recorder.trace.reads;
        let touching = reads.last().is_some_and(|last| {
            (last.run, last.how, last.buffer) == (run, how, head) && touches(last, start, end)
        });
        if touching && let Some(last) = reads.pop() {
            let last_start = last.offset.unwrap_or(start);
            first = first.saturating_sub(start.saturating_sub(last_start));
            end = end.max(last_start + last.bytes.len() as u32);
            start = start.min(last_start);
        }
        self.put_read(run, head, how, Some(start..end), first, outside);
    }

    /// A program read metadata below `head`, at `at` from it, byte `first` of them and further. The
    /// trace has no offset for them, so that each load is a read of its own.
    pub(super) fn judge_read_below(
        &mut self,
        run: usize,
        head: BufferNo,
        how: ReadHow,
        (at, first): (i32, u32),
        (bytes, origins): (Vec<u8>, Vec<OriginId>),
    ) {
        if self.recorder.quiet {
            return;
        }
        let verdict = self.judge.verdict(head, at, first, &origins);
        let (step, expected) = (self.recorder.next_step(), self.judge.expected(head));
        let trace = &mut self.recorder.trace;
        let of = &trace.runs[run];
        let read = MetadataRead {
            run,
            program: of.program.clone(),
            dev: of.dev.clone(),
            hook: of.hook,
            how,
            step,
            buffer: head,
            offset: None,
            bytes,
            origins,
            verdict,
            expected,
        };
        trace.reads.push(read);
    }

    /// A program asked for metadata and saw none.
    pub(super) fn judge_nothing(
        &mut self,
        run: usize,
        head: BufferNo,
        how: ReadHow,
        outside: Option<SkbNo>,
    ) {
        if !self.recorder.quiet {
            self.put_read(run, head, how, None, 0, outside);
        }
    }

    fn put_read(
        &mut self,
        run: usize,
        head: BufferNo,
        how: ReadHow,
        range: Option<std::ops::Range<u32>>,
        first: u32,
        outside: Option<SkbNo>,
    ) {
        let of = &self.recorder.trace.runs[run];
        let (offset, len) = range.map_or((None, 0), |range| {
            (Some(range.start), range.end - range.start)
        });
        let buffer = self.buffers.get(head);
        let at = offset.unwrap_or(0);
        let origins = buffer.origins(at, len).to_vec();
        let (verdict, expected) = match outside {
            Some(no) => (
                self.judge.verdict_of(no, first, &origins),
                self.judge.expected_of(no, head),
            ),
            None => (
                self.judge.verdict(head, at as i32, first, &origins),
                self.judge.expected(head),
            ),
        };
        let read = MetadataRead {
            run,
            program: of.program.clone(),
            dev: of.dev.clone(),
            hook: of.hook,
            how,
            step: self.recorder.next_step(),
            buffer: head,
            offset,
            bytes: buffer.bytes(at, len).to_vec(),
            verdict,
            origins,
            expected,
        };
        self.recorder.trace.reads.push(read);
    }

    /// `bpf_skb_meta_realign()` moves the metadata up against the MAC header.
    pub(super) fn move_metadata_up(&mut self, head: BufferNo, gap: u32) {
        let shinfo = self.buffers.shinfo_mut(head);
        let (end, len) = (u32::from(shinfo.meta_end), u32::from(shinfo.meta_len));
        shinfo.meta_end = shinfo.meta_end.wrapping_add(gap as u16);
        if let Some(start) = end.checked_sub(len) {
            self.buffers.memmove(head, start, start + gap, len);
            self.judge.moved_metadata(head, start, gap as i32);
        }
        self.recorder.trace.cost.metadata_bytes_moved += u64::from(len);
    }

    /// The source for what a program run writes: one for each run and kind. `label` makes its label of the program's name.
    pub(super) fn program_source(
        &mut self,
        run: usize,
        layer: Layer,
        dev: DevId,
        label: impl FnOnce(&str) -> String,
    ) -> u16 {
        if self.recorder.quiet {
            return SourceTable::UNWRITTEN;
        }
        if let Some((of, kind, source)) = self.program_source
            && (of, kind) == (run, layer)
        {
            return source;
        }
        let dev = Some(self.topology.dev_ref(dev));
        let program = &self.recorder.trace.runs[run].program;
        let (label, writer) = (label(program), program.clone());
        let source = self.recorder.source(Source {
            layer,
            label,
            writer,
            dev,
            step: 0,
            len: 0,
        });
        self.program_source = Some((run, layer, source));
        source
    }

    /// Keeps a store outside of the packet; its instruction is the next instruction step.
    pub(super) fn keep_store(&mut self, address: u64, bytes: &[u8]) {
        if !self.recorder.quiet {
            let step = self.recorder.next_step();
            self.recorder.trace.stores.push(step, address, bytes);
        }
    }

    /// Keeps a call that changed a map of the object of run `run`.
    pub(super) fn keep_map_of(&mut self, run: usize, change: MapChange<'_>) {
        if self.recorder.quiet {
            return;
        }
        let object = self.recorder.trace.run_objects.get(run).copied();
        self.keep_map_call(MapCall {
            step: 0,
            object: object.unwrap_or(0),
            map: change.map as u32,
            helper: change.helper,
            key: change.key.to_vec(),
            value: change.value.to_vec(),
            flags: change.flags,
        });
    }

    /// Keeps a call that changed a map; its instruction is the next instruction step.
    pub(super) fn keep_map_call(&mut self, mut call: MapCall) {
        if !self.recorder.quiet {
            call.step = u32::try_from(self.recorder.next_step()).unwrap_or(u32::MAX);
            self.recorder.trace.map_calls.push(call);
        }
    }

    /// Keeps a register file; gives its index.
    pub(super) fn keep_registers(&mut self, registers: &[u64; 11]) -> usize {
        self.recorder.trace.registers.push(registers)
    }
}

/// Whether `[start, end)` overlaps or adjoins a read.
fn touches(read: &MetadataRead, start: u32, end: u32) -> bool {
    read.offset
        .is_some_and(|offset| start <= offset + read.bytes.len() as u32 && end >= offset)
}
