//! What a running TC program acts on: its helpers are the stack's functions of the same names.

mod context;
mod metadata;
mod proposed;

use super::filter::ENOTSUPP;
use super::netfilter::NfState;
use super::programs::address_of;
use super::{Kernel, Run, Stop};
use crate::bpf::{CtxField, Host, MapChange, Prepared, Proposed, TraitCall};
use crate::design::policy::DynptrAccess;
use crate::design::traits::ENOENT;
use crate::scenario::topology::DevId;
use crate::trace::{BufferNo, Layer, Outcome, ReadHow, SkbNo, StepKind};
use crate::xdp::EINVAL;

/// Offset behind the end of every packet buffer, and within the reach of its addresses, for slices of metadata that lie
/// elsewhere.
const CARRIED: u32 = 0x1_f000;
/// `-EFAULT`.
const EFAULT: i64 = -14;

/// The packet under a TC program.
pub(super) struct TcHost<'k> {
    kernel: &'k mut Kernel,
    no: SkbNo,
    run: usize,
    /// Runs that go on when the program of a tail call has ended.
    callers: Vec<usize>,
    dev: DevId,
    /// How the program has asked for metadata and was shown none, without having read any since.
    looked: Option<ReadHow>,
    stop: Option<Box<Stop>>,
    /// The point of a netfilter program.
    netfilter: Option<NfState>,
}

impl<'k> TcHost<'k> {
    pub fn new(kernel: &'k mut Kernel, no: SkbNo, run: usize, dev: DevId) -> Self {
        Self {
            kernel,
            no,
            run,
            callers: Vec::new(),
            dev,
            looked: None,
            stop: None,
            netfilter: None,
        }
    }

    /// The same at a netfilter hook.
    pub fn at_netfilter(self, netfilter: Option<NfState>) -> Self {
        Self { netfilter, ..self }
    }

    /// The run is over: a program that asked for metadata and saw none has a verdict too.
    pub fn finish(self) -> (&'k mut Kernel, Option<Box<Stop>>) {
        let head = self.head();
        if let Some(how) = self.looked {
            let outside = self.outside();
            self.kernel.judge_nothing(self.run, head, how, outside);
        }
        (self.kernel, self.stop)
    }

    fn head(&self) -> BufferNo {
        self.kernel.skb(self.no).head
    }

    /// Runs a function of the stack; what stops it stops the program's run at its end.
    fn call(&mut self, function: impl FnOnce(&mut Kernel, SkbNo) -> Run<i64>) -> i64 {
        match function(self.kernel, self.no) {
            Ok(ret) => ret,
            Err(stop) => {
                self.stop.get_or_insert(stop);
                EINVAL
            }
        }
    }

    /// The packet, if the design keeps its metadata outside of the buffer.
    fn outside(&self) -> Option<SkbNo> {
        self.kernel.design.outside().map(|_| self.no)
    }

    /// Copies packet bytes.
    fn copy(&self, offset: u32, into: &mut [u8]) {
        self.copy_from(self.head(), offset, into);
    }

    fn copy_from(&self, buffer: BufferNo, offset: u32, into: &mut [u8]) {
        let buffer = self.kernel.buffers.get(buffer);
        let bytes = buffer.bytes(offset, into.len() as u32);
        into[..bytes.len()].copy_from_slice(bytes);
    }

    fn source(&mut self, layer: Layer, what: &str) -> u16 {
        let label = |program: &str| format!("{what} {program}");
        self.kernel.program_source(self.run, layer, self.dev, label)
    }
}

impl Host for TcHost<'_> {
    fn packet_address(&self) -> u64 {
        address_of(self.head())
    }

    fn ctx_load(&mut self, field: CtxField) -> u64 {
        self.load_field(field)
    }

    fn ctx_store(&mut self, field: CtxField, size: u32, value: u64) {
        self.store_field(field, size, value);
    }

    fn packet_len(&self) -> u32 {
        self.kernel.skb(self.no).len
    }

    fn linear(&self, offset: u32, len: u32) -> Option<u32> {
        let skb = self.kernel.skb(self.no);
        let end = offset.checked_add(len)?;
        (end <= skb.headlen()).then(|| skb.data + offset)
    }

    fn packet_bounds(&self) -> (i32, u32) {
        let cb = self.kernel.skb(self.no).cb;
        (cb.data_meta, cb.data_end)
    }

    fn packet_load(&mut self, offset: i32, into: &mut [u8]) {
        match u32::try_from(offset) {
            Ok(at) if !self.is_in_front(offset) => self.copy(at, into),
            _ => self.load_at_data_meta(offset, into),
        }
    }

    fn packet_store(&mut self, offset: i32, bytes: &[u8]) {
        match u32::try_from(offset) {
            Ok(at) if !self.is_in_front(offset) => {
                let source = self.source(Layer::ProgramStore, "store of");
                let head = self.head();
                self.kernel.buffers.write(head, at, bytes, source, 0);
            }
            _ => self.store_at_data_meta(offset, bytes),
        }
    }

    fn xdp_adjust_meta(&mut self, _: i32) -> i64 {
        EINVAL
    }

    fn xdp_adjust_head(&mut self, _: i32) -> i64 {
        EINVAL
    }

    fn load_bytes(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        // skb_header_pointer(): fragments too
        let (len, packet) = (into.len() as u32, self.kernel.skb(self.no).len);
        if len > packet || offset > packet - len {
            into.fill(0);
            return EFAULT;
        }
        let bytes = self.kernel.packet(self.no, offset, len);
        into[..bytes.len()].copy_from_slice(&bytes);
        0
    }

    fn skb_meta_realign(&mut self) {
        self.call(|k, no| k.bpf_skb_meta_realign(no).map(|()| 0));
    }

    fn skb_pull_data(&mut self, len: u32) -> i64 {
        self.call(|k, no| k.bpf_skb_pull_data(no, len))
    }

    fn skb_store_bytes(&mut self, offset: u32, from: &[u8], flags: u64) -> i64 {
        let source = self.source(Layer::ProgramStore, "store of");
        self.call(|k, no| k.bpf_skb_store_bytes(no, offset, from, flags, source))
    }

    fn skb_vlan_push(&mut self, protocol: u16, tci: u16) -> i64 {
        self.call(|k, no| k.bpf_skb_vlan_push(no, protocol, tci))
    }

    fn skb_vlan_pop(&mut self) -> i64 {
        self.call(Kernel::bpf_skb_vlan_pop)
    }

    fn skb_change_head(&mut self, head_room: u32, flags: u64) -> i64 {
        self.call(|k, no| k.bpf_skb_change_head(no, head_room, flags))
    }

    fn skb_change_tail(&mut self, new_len: u32, flags: u64) -> i64 {
        self.call(|k, no| k.bpf_skb_change_tail(no, new_len, flags))
    }

    fn skb_change_proto(&mut self, protocol: u16, flags: u64) -> i64 {
        self.call(|k, no| k.bpf_skb_change_proto(no, protocol, flags))
    }

    fn skb_adjust_room(&mut self, len_diff: i32, mode: u32, flags: u64) -> i64 {
        self.call(|k, no| k.bpf_skb_adjust_room(no, len_diff, mode, flags))
    }

    fn clone_redirect(&mut self, ifindex: u32, flags: u64) -> i64 {
        self.call(|k, no| k.bpf_clone_redirect(no, ifindex, flags))
    }

    fn redirect(&mut self, ifindex: u32, flags: u64) -> i64 {
        self.kernel.bpf_redirect(ifindex, flags)
    }

    fn redirect_peer(&mut self, ifindex: u32) -> i64 {
        self.kernel.bpf_redirect_peer(ifindex)
    }

    fn redirect_neigh(&mut self, ifindex: u32, params: &[u8]) -> i64 {
        self.kernel.bpf_redirect_neigh(ifindex, params)
    }

    fn l3_csum_replace(&mut self, offset: u32, from: u64, to: u64, flags: u64) -> i64 {
        let source = self.source(Layer::ProgramStore, "store of");
        self.call(|k, no| k.bpf_l3_csum_replace(no, offset, [from, to, flags], source))
    }

    fn l4_csum_replace(&mut self, offset: u32, from: u64, to: u64, flags: u64) -> i64 {
        let source = self.source(Layer::ProgramStore, "store of");
        self.call(|k, no| k.bpf_l4_csum_replace(no, offset, [from, to, flags], source))
    }

    fn csum_update(&mut self, csum: u32) -> i64 {
        self.kernel.bpf_csum_update(self.no, csum)
    }

    fn csum_level(&mut self, level: u64) -> i64 {
        self.kernel.bpf_csum_level(self.no, level)
    }

    fn lwt_push_encap(&mut self, mode: u32, header: &[u8], ingress: bool) -> i64 {
        let source = self.source(Layer::ProgramStore, "store of");
        self.call(|k, no| k.bpf_lwt_push_encap(no, mode, header, ingress, source))
    }

    fn skb_change_type(&mut self, pkt_type: u32) -> i64 {
        self.kernel.bpf_skb_change_type(self.no, pkt_type)
    }

    fn get_hash_recalc(&mut self) -> u32 {
        self.kernel.skb_get_hash(self.no)
    }

    fn set_hash(&mut self, hash: Option<u32>) {
        // bpf_set_hash(): __skb_set_sw_hash() says that the hash is one of layer 4
        let bpf = &mut self.kernel.skb_mut(self.no).bpf;
        (bpf.hash, bpf.l4_hash) = (hash, hash.map(|_| true));
    }

    fn skb_ecn_set_ce(&mut self) -> i64 {
        let source = self.source(Layer::ProgramStore, "store of");
        self.call(|k, no| k.bpf_skb_ecn_set_ce(no, source))
    }

    fn skb_load_bytes_relative(&mut self, offset: u32, into: &mut [u8], from: u32) -> i64 {
        self.kernel
            .bpf_skb_load_bytes_relative(self.no, offset, into, from)
    }

    fn skb_get_tunnel_key(&mut self, into: &mut [u8], flags: u64) -> i64 {
        self.kernel.bpf_skb_get_tunnel_key(self.no, into, flags)
    }

    fn skb_set_tunnel_key(&mut self, key: &[u8], flags: u64) -> i64 {
        self.kernel.bpf_skb_set_tunnel_key(self.no, key, flags)
    }

    fn skb_get_tunnel_opt(&mut self, into: &mut [u8]) -> i64 {
        self.kernel.bpf_skb_get_tunnel_opt(self.no, into)
    }

    fn skb_set_tunnel_opt(&mut self, options: &[u8]) -> i64 {
        self.kernel.bpf_skb_set_tunnel_opt(self.no, options)
    }

    fn fib_lookup(&mut self, params: &mut [u8], flags: u32) -> i64 {
        let dev = self.dev;
        self.call(|k, no| k.bpf_fib_lookup(dev, Some(no), params, flags))
    }

    fn check_mtu(&mut self, to: [u32; 2], mtu_len: &mut u32, flags: u64) -> i64 {
        let (dev, len) = (self.dev, self.packet_len());
        self.call(|k, no| k.bpf_check_mtu(dev, Some(no), len, to, mtu_len, flags))
    }

    fn skb_set_tstamp(&mut self, tstamp: u64, tstamp_type: u32) -> i64 {
        self.kernel.bpf_skb_set_tstamp(self.no, tstamp, tstamp_type)
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

    fn proposed(&self) -> Proposed {
        self.kernel.rules().proposed
    }

    fn dynptr_from_skb_ext(&mut self, size: u32, flags: u64) -> Result<(u32, bool), i64> {
        self.skb_ext(size, flags)
    }

    fn traits(&mut self, call: TraitCall<'_>) -> i64 {
        self.trait_call(call)
    }

    fn meta_everywhere(&self) -> bool {
        self.kernel.rules().meta_everywhere
    }

    fn dynptr_from_skb_meta(&mut self, flags: u64) -> Result<u32, i64> {
        match self.kernel.bpf_dynptr_from_skb_meta(self.no, flags) {
            // a refusal is no look: the error says that there may be something
            Ok(Err(error)) if error != ENOENT => Err(error),
            Ok(result) => {
                if result.unwrap_or(0) == 0 {
                    self.looked.get_or_insert(ReadHow::Dynptr);
                }
                result
            }
            Err(stop) => {
                self.stop.get_or_insert(stop);
                Err(ENOTSUPP)
            }
        }
    }

    fn skb_meta_load(&mut self, offset: u32, into: &mut [u8]) -> i64 {
        self.load_by_dynptr(offset, into)
    }

    fn skb_meta_store(&mut self, offset: u32, bytes: &[u8]) -> i64 {
        let read_only = self.kernel.design.dynptr() == DynptrAccess::ReadOnlyClone;
        if read_only && self.kernel.skb_cloned(self.no) {
            return EINVAL;
        }
        if self.outside().is_none() {
            let err = self.call(Kernel::bpf_skb_meta_make_writable);
            if err != 0 {
                return err;
            }
        }
        self.store_by_dynptr(offset, bytes);
        0
    }

    fn skb_meta_slice(&self, offset: u32) -> Option<i32> {
        self.slice_place(offset)
    }

    fn skb_meta_slice_store(&mut self, offset: u32, bytes: &[u8]) {
        self.store_by_dynptr(offset, bytes);
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
        let kind = StepKind::Insn {
            run: self.run,
            insn,
            registers,
        };
        if let Err(stop) = self.kernel.step(kind, self.no, Outcome::None) {
            self.stop.get_or_insert(stop);
        }
    }
}
