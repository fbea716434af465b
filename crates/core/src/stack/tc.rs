//! TC: tcx ingress and egress (`sch_handle_ingress()`, `tcx_run()` in `net/core/dev.c`), and what a
//! TC program can do to an skb (`net/core/filter.c`).

use super::programs::address_of;
use super::skbuff::drop_reason;
use super::{Kernel, Run, Stop, not_covered};
use crate::bpf::{CtxField, Host};
use crate::design::Realign;
use crate::scenario::topology::{DevId, ProgId};
use crate::trace::{Edge, Layer, Outcome, ReadHow, SkbNo, StepKind};
use crate::xdp::EINVAL;

const FILE: &str = "net/core/filter.c";
/// `TCX_NEXT`: the next program decides.
const TCX_NEXT: i64 = -1;
/// `TCX_DROP`.
const TCX_DROP: i64 = 2;
/// `TCX_REDIRECT`.
const TCX_REDIRECT: i64 = 7;

impl Kernel {
    /// `sch_handle_ingress()`. `false`: the packet did not get through.
    pub(super) fn sch_handle_ingress(&mut self, no: SkbNo) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(true);
        };
        let programs = self.topology.dev(dev).tcx_ingress.clone();
        if programs.is_empty() {
            return Ok(true);
        }
        // tcx_run() with needs_mac: programs see the packet from the MAC header on
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_mut(no).push(mac_len)?;
        let verdict = self.tcx_run(&programs, "ingress", dev, no)?;
        self.skb_mut(no).pull(mac_len)?;
        self.tcx_verdict(no, verdict, drop_reason::TC_INGRESS)
    }

    /// `sch_handle_egress()`. `false`: the packet did not get through.
    pub(super) fn sch_handle_egress(&mut self, no: SkbNo) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(true);
        };
        let programs = self.topology.dev(dev).tcx_egress.clone();
        if programs.is_empty() {
            return Ok(true);
        }
        let verdict = self.tcx_run(&programs, "egress", dev, no)?;
        // SKB_DROP_REASON_TC_EGRESS is not in a recording yet
        self.tcx_verdict(no, verdict, drop_reason::NOT_SPECIFIED)
    }

    /// `tcx_run()`: one program after the other until one decides.
    fn tcx_run(
        &mut self,
        programs: &[ProgId],
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        for program in programs {
            let verdict = self.run_tc(*program, hook, dev, no)?;
            if verdict != TCX_NEXT {
                return Ok(verdict);
            }
        }
        Ok(TCX_NEXT)
    }

    fn tcx_verdict(&mut self, no: SkbNo, verdict: i64, reason: u32) -> Run<bool> {
        match verdict {
            TCX_DROP => {
                self.kfree_skb(no, reason)?;
                Ok(false)
            }
            TCX_REDIRECT => not_covered("skb_do_redirect: TCX_REDIRECT"),
            // TCX_PASS; or TCX_NEXT and no program is left; an unknown verdict counts as TCX_NEXT (tcx_action_code())
            _ => Ok(true),
        }
    }

    /// Runs one TC program over the packet.
    pub(super) fn run_tc(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        let run = self.open_run(program, hook, dev)?;
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Entry,
            },
            no,
            Outcome::None,
        )?;
        self.recorder.enter();
        let result = self.bpf_prog_run(
            program,
            dev,
            |kernel| {
                let mut host = TcHost {
                    kernel,
                    no,
                    run,
                    dev,
                    data_meta: 0,
                    data_end: 0,
                    looked: None,
                    stop: None,
                };
                host.bpf_compute_data_pointers();
                host
            },
            TcHost::finish,
        );
        self.recorder.leave();
        let verdict = i64::from(result? as i32);
        self.recorder.trace.runs[run].verdict = Some(verdict);
        self.step(
            StepKind::Program {
                run,
                edge: Edge::Exit,
            },
            no,
            Outcome::Ret(verdict),
        )?;
        Ok(verdict)
    }
}

/// What a TC program acts on.
struct TcHost<'k> {
    kernel: &'k mut Kernel,
    no: SkbNo,
    run: usize,
    dev: DevId,
    /// `bpf_skb_data_end.data_meta` in `skb->cb`, as an offset: what `__sk_buff->data_meta` shows.
    data_meta: u32,
    /// `bpf_skb_data_end.data_end`, as an offset.
    data_end: u32,
    /// How the program has asked for metadata, without having read any yet.
    looked: Option<ReadHow>,
    stop: Option<Stop>,
}

impl<'k> TcHost<'k> {
    /// `bpf_compute_data_pointers()`: `data_meta = data - meta_len`, whatever the design says.
    fn bpf_compute_data_pointers(&mut self) {
        let skb = self.kernel.skb(self.no);
        let meta_len = u32::from(self.kernel.buffers.get(skb.head).shinfo.meta_len);
        self.data_meta = skb.data.saturating_sub(meta_len);
        self.data_end = skb.data + skb.headlen();
    }

    fn step(&mut self, kind: StepKind, outcome: Outcome) {
        if let Err(stop) = self.kernel.step(kind, self.no, outcome) {
            self.stop.get_or_insert(stop);
        }
    }

    fn function(&mut self, name: &'static str, edge: Edge, outcome: Outcome) {
        self.step(
            StepKind::Function {
                name,
                file: FILE,
                edge,
            },
            outcome,
        );
    }

    /// Reads bytes, and judges those that lie in the metadata.
    fn read(&mut self, offset: u32, into: &mut [u8], how: ReadHow, first: u32) {
        let head = self.kernel.skb(self.no).head;
        let bytes = self
            .kernel
            .buffers
            .get(head)
            .bytes(offset, into.len() as u32);
        into[..bytes.len()].copy_from_slice(bytes);
        self.looked = None;
        self.kernel
            .judge_read(self.run, head, how, offset, into.len() as u32, first);
    }

    /// The run is over: a program that asked for metadata and saw none has a verdict too.
    fn finish(self) -> (&'k mut Kernel, Option<Stop>) {
        let head = self.kernel.skb(self.no).head;
        if let Some(how) = self.looked {
            self.kernel.judge_nothing(self.run, head, how);
        }
        (self.kernel, self.stop)
    }
}

impl Host for TcHost<'_> {
    fn packet_address(&self) -> u64 {
        address_of(self.kernel.skb(self.no).head)
    }

    fn ctx_load(&mut self, field: CtxField) -> u64 {
        let skb = self.kernel.skb(self.no);
        let at = |offset: u32| address_of(skb.head) + u64::from(offset);
        match field {
            CtxField::Data => at(skb.data),
            CtxField::DataEnd => at(self.data_end),
            CtxField::DataMeta => {
                let address = at(self.data_meta);
                self.looked.get_or_insert(ReadHow::DataMeta);
                address
            }
            CtxField::Len => u64::from(skb.len),
            CtxField::PktType => skb.pkt_type as u64,
            CtxField::Protocol => u64::from(skb.protocol.to_be()),
            CtxField::Ifindex => u64::from(self.kernel.topology.dev(self.dev).ifindex),
            CtxField::IngressIfindex => u64::from(skb.skb_iif),
            CtxField::Mark => u64::from(skb.mark),
            CtxField::Priority => u64::from(skb.priority),
            CtxField::VlanTci => u64::from(skb.vlan_tci),
            CtxField::VlanPresent => u64::from(skb.vlan_present),
            CtxField::VlanProto => u64::from(skb.vlan_proto.to_be()),
            CtxField::ClonedByte => u64::from(skb.cloned),
            CtxField::Hash | CtxField::QueueIndex => 0,
        }
    }

    fn packet_bounds(&self) -> (u32, u32) {
        (self.data_meta, self.data_end)
    }

    fn packet_load(&mut self, offset: u32, into: &mut [u8]) {
        if offset < self.kernel.skb(self.no).data {
            self.read(offset, into, ReadHow::DataMeta, offset - self.data_meta);
        } else {
            let head = self.kernel.skb(self.no).head;
            let bytes = self
                .kernel
                .buffers
                .get(head)
                .bytes(offset, into.len() as u32);
            into[..bytes.len()].copy_from_slice(bytes);
        }
    }

    fn packet_store(&mut self, offset: u32, bytes: &[u8]) {
        let (head, data) = (self.kernel.skb(self.no).head, self.kernel.skb(self.no).data);
        let program = self.kernel.recorder.trace.runs[self.run].program.clone();
        let in_metadata = offset < data;
        let (layer, label, first) = if in_metadata {
            (
                Layer::Metadata,
                format!("metadata of {program}"),
                offset - self.data_meta,
            )
        } else {
            (Layer::ProgramStore, format!("store of {program}"), 0)
        };
        let source = self
            .kernel
            .program_source(self.run, layer, label, &program, self.dev);
        self.kernel
            .buffers
            .write(head, offset, bytes, source, first as u16);
        if in_metadata {
            // what a program writes as metadata are the metadata from now on
            let len = data - self.data_meta;
            let origins = self
                .kernel
                .buffers
                .get(head)
                .origins(self.data_meta, len)
                .to_vec();
            self.kernel
                .judge
                .handed_over(head, self.data_meta, &origins);
        }
    }

    fn xdp_adjust_meta(&mut self, _: i32) -> i64 {
        EINVAL
    }

    fn xdp_adjust_head(&mut self, _: i32) -> i64 {
        EINVAL
    }

    fn load_bytes(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        const EFAULT: i64 = -14;
        let (len, data, headlen) = (
            into.len() as u32,
            self.kernel.skb(self.no).data,
            self.kernel.skb(self.no).headlen(),
        );
        if len > headlen || offset > headlen - len {
            into.fill(0);
            return EFAULT;
        }
        let bytes = self.kernel.bytes(self.no, data + offset, len);
        into[..bytes.len()].copy_from_slice(bytes);
        0
    }

    /// Series v3, patch 16. On the warning path `data_meta` is not computed anew.
    fn skb_meta_realign(&mut self) {
        self.function("bpf_skb_meta_realign", Edge::Entry, Outcome::None);
        let skb = self.kernel.skb(self.no).clone();
        let shinfo = self.kernel.buffers.get(skb.head).shinfo;
        match self.kernel.design.realign(&skb, &shinfo) {
            Realign::Nothing => {}
            Realign::MoveUp { gap } => {
                self.kernel.move_metadata_up(skb.head, gap);
                self.bpf_compute_data_pointers();
            }
            Realign::WarnAndClear => {
                self.kernel.warn_once("skb metadata end past mac header");
                self.kernel.skb_metadata_clear(self.no);
            }
        }
        self.function("bpf_skb_meta_realign", Edge::Exit, Outcome::None);
    }

    /// `bpf_skb_pull_data()` of a linear packet with a head of its own changes nothing.
    fn skb_pull_data(&mut self, len: u32) -> i64 {
        const ENOMEM: i64 = -12;
        self.function("bpf_skb_pull_data", Edge::Entry, Outcome::None);
        let skb = self.kernel.skb(self.no);
        let ret = if len > skb.len { ENOMEM } else { 0 };
        if skb.cloned || skb.data_len > 0 {
            let what = "bpf_skb_pull_data of a clone or a non-linear packet".into();
            self.stop.get_or_insert(Stop::NotCovered { what });
        }
        self.bpf_compute_data_pointers();
        self.function("bpf_skb_pull_data", Edge::Exit, Outcome::Ret(ret));
        ret
    }

    fn dynptr_from_skb_meta(&mut self, flags: u64) -> Result<u32, i64> {
        self.function("bpf_dynptr_from_skb_meta", Edge::Entry, Outcome::None);
        let len = u32::from(
            self.kernel
                .buffers
                .get(self.kernel.skb(self.no).head)
                .shinfo
                .meta_len,
        );
        let result = if flags == 0 { Ok(len) } else { Err(EINVAL) };
        self.looked.get_or_insert(ReadHow::Dynptr);
        let ret = result.err().unwrap_or(0);
        self.function("bpf_dynptr_from_skb_meta", Edge::Exit, Outcome::Ret(ret));
        result
    }

    fn skb_meta_load(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        let Some(start) = self.kernel.meta_fields(self.kernel.skb(self.no)).start else {
            return EINVAL;
        };
        self.read(start + offset, into, ReadHow::Dynptr, offset);
        0
    }

    /// `bpf_dynptr_write()` to metadata: a head of its own first.
    fn skb_meta_store(&mut self, offset: u32, bytes: &[u8]) -> i64 {
        let skb = self.kernel.skb(self.no);
        if skb.cloned {
            let what = "bpf_dynptr_write to the metadata of a clone".into();
            self.stop.get_or_insert(Stop::NotCovered { what });
        }
        let meta = self.kernel.meta_fields(skb);
        let (head, Some(start)) = (skb.head, meta.start) else {
            return EINVAL;
        };
        let program = self.kernel.recorder.trace.runs[self.run].program.clone();
        let label = format!("metadata of {program}");
        let source =
            self.kernel
                .program_source(self.run, Layer::Metadata, label, &program, self.dev);
        self.kernel
            .buffers
            .write(head, start + offset, bytes, source, offset as u16);
        let origins = self
            .kernel
            .buffers
            .get(head)
            .origins(start, meta.len)
            .to_vec();
        self.kernel.judge.handed_over(head, start, &origins);
        0
    }

    fn printk(&mut self, line: String) {
        self.kernel.recorder.trace.printk.push(line);
    }

    fn ringbuf_output(&mut self, map: &str, record: &[u8]) {
        self.kernel.ringbuf_record(self.run, map, record);
    }

    fn ktime_ns(&mut self) -> u64 {
        self.kernel.recorder.next_step() as u64
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
