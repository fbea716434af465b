//! An XDP program over an `xdp_buff` (`bpf_prog_run_xdp()`, and its helpers in `net/core/filter.c`).

mod hints;
pub(super) mod traits;

use super::programs::address_of;
use super::{Kernel, Run, Stop};
use crate::bpf::{
    CtxField, Host, MapChange, Prepared, Proposed, RxHint, RxHintAnswer, TraitCall, XdpTarget,
};
use crate::scenario::topology::{DevId, ProgId};
use crate::skb::Stretch;
use crate::trace::recorder::Moment;
use crate::trace::{Edge, Layer, Outcome, PacketFields, StepKind, XdpFields};
use crate::xdp::{EINVAL, ENOTSUPP, XdpBuff};

const FILE: &str = "net/core/filter.c";

impl Kernel {
    /// Runs an XDP program; gives its verdict.
    pub(super) fn run_xdp(&mut self, program: ProgId, dev: DevId, xdp: &mut XdpBuff) -> Run<u64> {
        let run = self.open_run(program, "xdp", dev)?;
        self.xdp_traits = None;
        self.xdp_step(
            StepKind::Program {
                run,
                edge: Edge::Entry,
            },
            dev,
            xdp,
            Outcome::None,
        )?;
        self.recorder.enter();
        let result = self.bpf_prog_run(
            program,
            dev,
            |kernel| XdpHost {
                kernel,
                xdp,
                run,
                callers: Vec::new(),
                dev,
                stop: None,
                adjusted_meta: false,
            },
            |host| (host.kernel, host.stop),
        );
        self.recorder.leave();
        let verdict = result? & 0xffff_ffff;
        self.recorder.trace.runs[run].verdict = Some(verdict as i64);
        self.xdp_step(
            StepKind::Program {
                run,
                edge: Edge::Exit,
            },
            dev,
            xdp,
            Outcome::Ret(verdict as i64),
        )?;
        Ok(verdict)
    }

    /// A kernel function over a frame, with its entry and exit.
    pub(super) fn xdp_function(
        &mut self,
        name: &'static str,
        file: &'static str,
        dev: DevId,
        xdp: &XdpBuff,
        ret: i64,
    ) -> Run<()> {
        let function = |edge| StepKind::Function { name, file, edge };
        self.xdp_step(function(Edge::Entry), dev, xdp, Outcome::None)?;
        self.xdp_step(function(Edge::Exit), dev, xdp, Outcome::Ret(ret))
    }

    /// Records a step of an `xdp_buff`.
    fn xdp_step(&mut self, kind: StepKind, dev: DevId, xdp: &XdpBuff, outcome: Outcome) -> Run<()> {
        self.within_limits()?;
        if self.recorder.quiet {
            self.recorder.pass(&kind);
            return Ok(());
        }
        let moment = Moment {
            kind,
            dev: Some(self.dev_ref(dev)),
            skb: None,
            buffer: Some(xdp.head),
            fields: Some(PacketFields::Xdp(XdpFields {
                fragments: self.page_fragments(xdp.head, None).collect(),
                ..xdp.fields()
            })),
            outcome,
            freed: false,
        };
        self.recorder.step(moment, self.buffers.log_mut());
        Ok(())
    }
}

/// What an XDP program acts on.
struct XdpHost<'k, 'x> {
    kernel: &'k mut Kernel,
    xdp: &'x mut XdpBuff,
    run: usize,
    /// Runs that go on when the program of a tail call has ended.
    callers: Vec<usize>,
    dev: DevId,
    stop: Option<Box<Stop>>,
    /// `bpf_xdp_adjust_meta()` was called: traits can't be used any more.
    adjusted_meta: bool,
}

impl XdpHost<'_, '_> {
    fn step(&mut self, kind: StepKind, outcome: Outcome) {
        if let Err(stop) = self.kernel.xdp_step(kind, self.dev, self.xdp, outcome) {
            self.stop.get_or_insert(stop);
        }
    }

    /// `memset(…, 0, …)` of room that a helper made.
    fn zero(&mut self, room: Option<Stretch>) {
        let Some(room) = room else {
            return;
        };
        let label = |_: &str| "room made by bpf_xdp_adjust_tail".to_owned();
        let layer = Layer::ProgramStore;
        let source = self.kernel.program_source(self.run, layer, self.dev, label);
        let zeros = vec![0; room.len as usize];
        self.kernel
            .buffers
            .write(room.buffer, room.at, &zeros, source, 0);
    }

    /// What stops a helper stops the program's run at its end.
    fn or_stop(&mut self, answer: Run<i64>) -> i64 {
        answer.unwrap_or_else(|stop| {
            self.stop.get_or_insert(stop);
            EINVAL
        })
    }

    /// A helper with its entry and exit in the trace.
    fn helper(&mut self, name: &'static str, body: impl FnOnce(&mut Self) -> i64) -> i64 {
        self.step(
            StepKind::Function {
                name,
                file: FILE,
                edge: Edge::Entry,
            },
            Outcome::None,
        );
        let ret = body(self);
        self.step(
            StepKind::Function {
                name,
                file: FILE,
                edge: Edge::Exit,
            },
            Outcome::Ret(ret),
        );
        ret
    }
}

impl Host for XdpHost<'_, '_> {
    fn packet_address(&self) -> u64 {
        address_of(self.xdp.head)
    }

    fn ctx_load(&mut self, field: CtxField) -> u64 {
        let at = |offset: u32| address_of(self.xdp.head) + u64::from(offset);
        match field {
            CtxField::Data => at(self.xdp.data),
            CtxField::DataEnd => at(self.xdp.data_end),
            CtxField::DataMeta => at(self.xdp.data_meta),
            CtxField::Ifindex => u64::from(self.kernel.topology.dev(self.dev).ifindex),
            _ => 0,
        }
    }

    fn packet_bounds(&self) -> (i32, u32) {
        let start = self.xdp.data_meta.min(self.xdp.data);
        (start as i32, self.xdp.data_end)
    }

    fn packet_load(&mut self, offset: i32, into: &mut [u8]) {
        let offset = offset.unsigned_abs();
        let bytes = self
            .kernel
            .buffers
            .get(self.xdp.head)
            .bytes(offset, into.len() as u32);
        into[..bytes.len()].copy_from_slice(bytes);
    }

    fn packet_store(&mut self, offset: i32, bytes: &[u8]) {
        let offset = offset.unsigned_abs();
        let in_metadata = offset < self.xdp.data;
        let (layer, what, first) = if in_metadata {
            let first = offset - self.xdp.data_meta;
            (Layer::Metadata, "metadata", first)
        } else {
            (Layer::ProgramStore, "store", 0)
        };
        let label = |program: &str| format!("{what} of {program}");
        let source = self.kernel.program_source(self.run, layer, self.dev, label);
        self.kernel
            .buffers
            .write(self.xdp.head, offset, bytes, source, first as u16);
    }

    fn xdp_adjust_meta(&mut self, delta: i32) -> i64 {
        self.helper("bpf_xdp_adjust_meta", |host| {
            if host.uses_traits() {
                return ENOTSUPP;
            }
            let ret = host.xdp.adjust_meta(delta).err().unwrap_or(0);
            host.adjusted_meta |= ret == 0;
            ret
        })
    }

    fn xdp_adjust_head(&mut self, delta: i32) -> i64 {
        self.helper("bpf_xdp_adjust_head", |host| {
            if host.reaches_traits(delta) {
                return EINVAL;
            }
            match host.xdp.adjust_head(delta) {
                Ok(moved) => {
                    host.kernel
                        .buffers
                        .memmove(host.xdp.head, moved.from, moved.to, moved.len);
                    host.kernel.recorder.trace.cost.metadata_bytes_moved += u64::from(moved.len);
                    0
                }
                Err(error) => error,
            }
        })
    }

    fn proposed(&self) -> Proposed {
        self.kernel.rules().proposed
    }

    fn traits(&mut self, call: TraitCall<'_>) -> i64 {
        self.trait_call(call)
    }

    fn xdp_redirect(&mut self, to: XdpTarget) {
        self.kernel.xdp_redirect_info = Some(to);
    }

    fn load_bytes(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        let len = into.len() as u32;
        if len.saturating_add(offset) > self.packet_len() {
            return EINVAL;
        }
        let mut into = into.iter_mut();
        for part in self.kernel.xdp_stretches(self.xdp, offset, len) {
            let bytes = self
                .kernel
                .buffers
                .get(part.buffer)
                .bytes(part.at, part.len);
            for (to, from) in into.by_ref().zip(bytes) {
                *to = *from;
            }
        }
        0
    }

    fn fib_lookup(&mut self, params: &mut [u8], flags: u32) -> i64 {
        let answer = self.kernel.bpf_fib_lookup(self.dev, None, params, flags);
        self.or_stop(answer)
    }

    fn check_mtu(&mut self, to: [u32; 2], mtu_len: &mut u32, flags: u64) -> i64 {
        let len = self.packet_len();
        let answer = self
            .kernel
            .bpf_check_mtu(self.dev, None, len, to, mtu_len, flags);
        self.or_stop(answer)
    }

    fn xdp_adjust_tail(&mut self, delta: i32) -> i64 {
        self.helper("bpf_xdp_adjust_tail", |host| {
            let frags = host.kernel.xdp_frags_size(host.xdp.head) > 0;
            let by = delta.unsigned_abs();
            let grown = if !frags {
                let buffer = host.xdp.head;
                let linear = |(at, len)| Stretch { buffer, at, len };
                host.xdp.adjust_tail(delta).map(|grown| grown.map(linear))
            } else if delta < 0 {
                let shrunk = host.kernel.xdp_frags_shrink_tail(host.xdp, by);
                shrunk.map(|()| None)
            } else {
                host.kernel.xdp_frags_increase_tail(host.xdp, by)
            };
            match grown {
                Ok(grown) => host.zero(grown),
                Err(error) => return error,
            }
            0
        })
    }

    fn xdp_pull_data(&mut self, len: u32) -> i64 {
        self.helper("bpf_xdp_pull_data", |host| {
            host.kernel.bpf_xdp_pull_data(host.xdp, len)
        })
    }

    fn xdp_store_bytes(&mut self, offset: u32, from: &[u8]) -> i64 {
        let len = from.len() as u32;
        if len.saturating_add(offset) > self.packet_len() {
            return EINVAL;
        }
        let label = |program: &str| format!("store of {program}");
        let layer = Layer::ProgramStore;
        let source = self.kernel.program_source(self.run, layer, self.dev, label);
        let mut done = 0;
        for part in self.kernel.xdp_stretches(self.xdp, offset, len) {
            let bytes = &from[done as usize..(done + part.len) as usize];
            let buffers = &mut self.kernel.buffers;
            buffers.write(part.buffer, part.at, bytes, source, done as u16);
            done += part.len;
        }
        0
    }

    fn xdp_rx_hint(&mut self, hint: RxHint) -> RxHintAnswer {
        self.rx_hint(hint)
    }

    fn packet_len(&self) -> u32 {
        self.kernel.xdp_get_buff_len(self.xdp)
    }

    fn linear(&self, offset: u32, len: u32) -> Option<u32> {
        let end = offset.checked_add(len)?;
        (end <= self.xdp.data_end - self.xdp.data).then(|| self.xdp.data + offset)
    }

    fn tail_call(&mut self, program: &Prepared, returns: bool) {
        if returns {
            self.callers.push(self.run);
        }
        self.run = self.kernel.tail_run(self.run, program);
    }

    fn tail_return(&mut self) {
        self.run = self.callers.pop().unwrap_or(self.run);
    }

    fn skb_meta_realign(&mut self) {}

    fn skb_pull_data(&mut self, _: u32) -> i64 {
        EINVAL
    }

    fn dynptr_from_skb_meta(&mut self, _: u64) -> Result<u32, i64> {
        Err(EINVAL)
    }

    fn skb_meta_load(&mut self, _: u32, _: &mut [u8]) -> i64 {
        EINVAL
    }

    fn skb_meta_store(&mut self, _: u32, _: &[u8]) -> i64 {
        EINVAL
    }

    fn printk(&mut self, line: String) {
        self.kernel.recorder.trace.printk.push(line);
    }

    fn ringbuf_output(&mut self, map: &str, record: &[u8]) {
        self.kernel.ringbuf_record(self.run, map, record);
    }

    fn ktime_ns(&mut self) -> u64 {
        self.kernel.recorder.clock()
    }

    fn stored(&mut self, address: u64, bytes: &[u8]) {
        self.kernel.keep_store(address, bytes);
    }

    fn map_changed(&mut self, change: MapChange<'_>) {
        self.kernel.keep_map_of(self.run, change);
    }

    fn steps(&self) -> bool {
        !self.kernel.recorder.quiet
    }

    fn instruction(&mut self, insn: usize, registers: &[u64; 11]) {
        let registers = self.kernel.keep_registers(registers);
        self.step(
            StepKind::Insn {
                run: self.run,
                insn,
                registers,
            },
            Outcome::None,
        );
    }
}
