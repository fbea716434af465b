//! One program over one packet, without a path around it: what `headroom exec` and the lab run.

use std::borrow::Cow;

use thiserror::Error;

use super::{Kernel, Loaded, Run, Stop};
use crate::bpf::{Judgement, LoadError, Object, ProgType, Program, Proposed, Rules};
use crate::design::{DesignName, MetadataDesign};
use crate::limits::Limits;
use crate::net::dissect::{Start, dissect};
use crate::scenario::command::TcHook;
use crate::scenario::topology::{DevId, NetnsId, ProgId, TopologyError, veth};
use crate::skb::{SHARED_INFO_SIZE, kmalloc_end, page_end};
use crate::trace::{Layer, SkbNo, Trace};
use crate::xdp::{XDP_PACKET_HEADROOM, XdpBuff};

/// The most bytes a packet may have: the header offsets of an skb have 16 bits.
pub const MAX_PACKET: usize = 32 * 1024;
/// The fewest: an Ethernet header (`bpf_test_init()`, net/bpf/test_run.c).
pub const MIN_PACKET: usize = 14;
/// What the metadata a caller gives are called in the trace.
const GIVEN: &str = "headroom exec";

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Over an `xdp_buff`.
    Xdp,
    /// Over an skb, at tcx ingress.
    Tc,
}

impl Hook {
    /// The section whose programs run there.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::Tc => "tcx/ingress",
        }
    }

    /// The type of programs that run there.
    #[must_use]
    pub fn prog_type(self) -> ProgType {
        ProgType::from_section(self.section())
    }

    /// The hook of a program, by its section.
    #[must_use]
    pub fn of(program: &Program) -> Option<Self> {
        [Self::Xdp, Self::Tc]
            .into_iter()
            .find(|hook| hook.prog_type() == program.prog_type)
    }

    /// Name of a verdict there, such as `XDP_PASS`.
    #[must_use]
    pub fn verdict_name(self, verdict: i64) -> Option<&'static str> {
        const XDP: [&str; 5] = [
            "XDP_ABORTED",
            "XDP_DROP",
            "XDP_PASS",
            "XDP_TX",
            "XDP_REDIRECT",
        ];
        match (self, verdict) {
            (Self::Xdp, _) => usize::try_from(verdict)
                .ok()
                .and_then(|v| XDP.get(v))
                .copied(),
            (Self::Tc, -1) => Some("TCX_NEXT"),
            (Self::Tc, 0) => Some("TCX_PASS"),
            (Self::Tc, 2) => Some("TCX_DROP"),
            (Self::Tc, 7) => Some("TCX_REDIRECT"),
            (Self::Tc, _) => None,
        }
    }
}

/// Why a program does not run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExecError {
    /// A packet without an Ethernet header, or too large.
    #[error("a packet of {len} bytes; it may have {MIN_PACKET} to {MAX_PACKET}")]
    Packet {
        /// Bytes.
        len: usize,
    },
    /// Metadata that `bpf_xdp_adjust_meta()` would not make room for.
    #[error("metadata of {len} bytes; a multiple of 4 up to 216 fits")]
    Meta {
        /// Bytes.
        len: usize,
    },
    /// The program can't be attached.
    #[error(transparent)]
    Program(#[from] super::ProgramError),
    /// The object's maps can't be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The device can't be made.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

/// What a run left.
#[derive(Debug, Clone)]
pub struct Executed {
    /// Where it ran.
    pub hook: Hook,
    /// The steps, reads and printk; the last steps are there also when the run ended early.
    pub trace: Trace,
    /// Verdict, or why there is none.
    pub result: Result<i64, Stop>,
    /// r0 after the last instruction.
    pub r0: u64,
    /// The packet from its Ethernet header on.
    pub packet: Vec<u8>,
    /// The metadata, by the design's formula; empty when there are none.
    pub metadata: Vec<u8>,
}

/// Runs `program` of `object` over a packet with 256 bytes of headroom, and metadata in front of it.
///
/// # Errors
/// [`ExecError`] when it can't be started. What goes wrong in the run is in [`Executed::result`].
pub fn exec(
    object: &Object,
    program: &str,
    hook: Hook,
    packet: &[u8],
    metadata: &[u8],
    design: DesignName,
) -> Result<Executed, ExecError> {
    check_packet(packet)?;
    Ready::new(object, program, hook, design)?.run(packet, metadata)
}

/// How a design's kernel judges programs, for [`Program::judge_by`].
#[must_use]
pub fn rules(design: DesignName) -> Rules {
    Rules {
        meta_everywhere: design.design().dynptr_everywhere(),
        proposed: proposed(&*design.design()),
        device_bound: None,
    }
}

/// What a design's kernel has not and the program calls: the instruction, and the function.
#[must_use]
pub fn lacks(design: DesignName, program: &Program) -> Option<(usize, &'static str)> {
    super::programs::lacks(&*design.design(), program)
}

/// What a design's kernel has beyond Linux.
pub(super) fn proposed(design: &dyn MetadataDesign) -> Proposed {
    Proposed {
        skb_ext: design.dynptr_everywhere(),
        traits: design.at_head_start(),
    }
}

fn check_packet(packet: &[u8]) -> Result<(), ExecError> {
    let len = packet.len();
    if (MIN_PACKET..=MAX_PACKET).contains(&len) {
        Ok(())
    } else {
        Err(ExecError::Packet { len })
    }
}

/// A program that was loaded once, to run over one packet after the other, each time with its maps as they are at first.
pub struct Ready<'o> {
    object: Cow<'o, Object>,
    programs: Vec<Loaded>,
    program: ProgId,
    hook: Hook,
    design: DesignName,
    limits: Limits,
}

impl<'o> Ready<'o> {
    /// Verifies `program` of `object` and fixes it up.
    ///
    /// # Errors
    /// [`ExecError`] when it can't be loaded.
    pub fn new(
        object: &'o Object,
        program: &str,
        hook: Hook,
        design: DesignName,
    ) -> Result<Self, ExecError> {
        let (object, prog_type) = as_hook(object, program, hook);
        let mut kernel = Kernel::new("exec", design.design());
        kernel.load(&object)?;
        Self::of(kernel, object, (program, prog_type), hook, design)
    }

    /// As [`Ready::new`], for an object whose programs were judged before by the design's [`rules`]: no further walk. A program of a section
    /// that names no type is not taken.
    ///
    /// # Errors
    /// As there.
    pub fn judged(
        object: &'o Object,
        judged: &[Judgement<'_>],
        program: &str,
        hook: Hook,
        design: DesignName,
    ) -> Result<Self, ExecError> {
        let (_, prog_type) = as_hook(object, program, hook);
        let mut kernel = Kernel::new("exec", design.design());
        kernel.load_judged(object, judged)?;
        let object = Cow::Borrowed(object);
        Self::of(kernel, object, (program, prog_type), hook, design)
    }

    fn of(
        kernel: Kernel,
        object: Cow<'o, Object>,
        (program, prog_type): (&str, ProgType),
        hook: Hook,
        design: DesignName,
    ) -> Result<Self, ExecError> {
        let program = kernel.find_program(program, prog_type)?;
        Ok(Self {
            programs: kernel.loaded().to_vec(),
            object,
            program,
            hook,
            design,
            limits: Limits::default(),
        })
    }

    /// With other limits than [`Limits::default`].
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// As [`exec`].
    ///
    /// # Errors
    /// [`ExecError`] for a packet or metadata that no driver would hand over.
    pub fn run(&self, packet: &[u8], metadata: &[u8]) -> Result<Executed, ExecError> {
        check_packet(packet)?;
        let mut kernel = Kernel::new("exec", self.design.design());
        kernel.limits = self.limits;
        kernel.load_again(&self.object, &self.programs)?;
        let mac = [
            packet[0], packet[1], packet[2], packet[3], packet[4], packet[5],
        ];
        let mac = if mac[0] & 1 == 0 {
            mac
        } else {
            [2, 0, 0, 0, 0, 1]
        };
        let device = veth("eth0", NetnsId(0), mac, DevId(0));
        let dev = kernel.topology.add_dev(device)?;
        let xdp = kernel.exec_buffer(dev, packet, metadata)?;
        let ended = match self.hook {
            Hook::Xdp => kernel.exec_xdp(self.program, dev, xdp),
            Hook::Tc => kernel.exec_tc(self.program, dev, xdp),
        };
        Ok(kernel.executed(self.hook, ended))
    }
}

/// The object and the program's type at a hook.
fn as_hook<'o>(object: &'o Object, program: &str, hook: Hook) -> (Cow<'o, Object>, ProgType) {
    let prog_type = match object.program(program).map(|p| &p.prog_type) {
        // Programs of other hooks with an skb run over one too.
        Some(own) if hook == Hook::Tc && own.has_skb() => own.clone(),
        _ => hook.prog_type(),
    };
    (picked(object, program, &prog_type), prog_type)
}

/// The object, and a program whose section names no type gets the one that the user picked with the hook.
fn picked<'o>(object: &'o Object, name: &str, prog_type: &ProgType) -> Cow<'o, Object> {
    let unknown = |p: &Program| p.name == name && matches!(p.prog_type, ProgType::Unknown(_));
    let Some(at) = object.programs.iter().position(unknown) else {
        return Cow::Borrowed(object);
    };
    let mut object = object.clone();
    object.programs[at] = object.programs[at].as_type(prog_type.clone());
    Cow::Owned(object)
}

/// Where packet and metadata are after the run, offsets from `head`.
struct Ended {
    result: Run<i64>,
    buffer: crate::trace::BufferNo,
    data: u32,
    data_end: u32,
    meta: std::ops::Range<u32>,
}

impl Kernel {
    /// A buffer with the packet, as a driver hands it to XDP.
    fn exec_buffer(
        &mut self,
        dev: DevId,
        packet: &[u8],
        metadata: &[u8],
    ) -> Result<XdpBuff, ExecError> {
        let len = packet.len() as u32;
        let whole = XDP_PACKET_HEADROOM + len;
        let end = page_end(XDP_PACKET_HEADROOM, len);
        let end = if end < whole { kmalloc_end(whole) } else { end };
        let head = self.buffers.alloc(end);
        for part in dissect(packet, Start::Ethernet).parts {
            let bytes = packet
                .get(part.start..part.start + part.len)
                .unwrap_or_default();
            let source = self.source(part.layer, part.label, GIVEN, Some(dev), part.len as u32);
            let at = XDP_PACKET_HEADROOM + part.start as u32;
            self.buffers.write(head, at, bytes, source, 0);
        }
        let mut xdp = XdpBuff {
            head,
            data_meta: XDP_PACKET_HEADROOM,
            data: XDP_PACKET_HEADROOM,
            data_end: whole,
            frame_sz: end + SHARED_INFO_SIZE,
            frag_size: 0,
            skb: None,
        };
        if !metadata.is_empty() {
            let len = metadata.len();
            let fits = i32::try_from(len).map(|len| xdp.adjust_meta(-len));
            if !matches!(fits, Ok(Ok(()))) {
                return Err(ExecError::Meta { len });
            }
            let label = "metadata given".into();
            let source = self.source(Layer::Metadata, label, GIVEN, Some(dev), len as u32);
            self.buffers.write(head, xdp.data_meta, metadata, source, 0);
        }
        Ok(xdp)
    }

    fn exec_xdp(&mut self, id: ProgId, dev: DevId, mut xdp: XdpBuff) -> Ended {
        let result = self
            .run_xdp(id, dev, &mut xdp)
            .map(|verdict| verdict as i64);
        Ended {
            result,
            buffer: xdp.head,
            data: xdp.data,
            data_end: xdp.data_end,
            meta: xdp.data_meta..xdp.data,
        }
    }

    /// Makes an skb of the buffer as `veth_xdp_rcv_skb()` does, and runs the program as
    /// `sch_handle_ingress()` does.
    fn exec_tc(&mut self, id: ProgId, dev: DevId, xdp: XdpBuff) -> Ended {
        let no = self.skb_around(&xdp);
        self.skb_mut(no).dev = Some(dev);
        let result = self.exec_tc_run(no, id, dev, &xdp);
        let skb = self.skb(no);
        let meta = self.meta_fields(skb);
        let start = meta.start.unwrap_or(skb.data);
        Ended {
            result,
            buffer: skb.head,
            data: skb.data,
            data_end: skb.data + skb.headlen(),
            meta: start..start + if meta.start.is_some() { meta.len } else { 0 },
        }
    }

    fn exec_tc_run(&mut self, no: SkbNo, id: ProgId, dev: DevId, xdp: &XdpBuff) -> Run<i64> {
        self.skb_mut(no).reset_mac_header();
        let early = self.design.set_at_mac_header();
        if early {
            self.hand_over_metadata(no, xdp)?;
        }
        let protocol = self.eth_type_trans(no, dev)?;
        let ifindex = self.topology.dev(dev).ifindex;
        let skb = self.skb_mut(no);
        skb.protocol = protocol;
        skb.skb_iif = ifindex;
        if !early {
            self.hand_over_metadata(no, xdp)?;
        }
        let skb = self.skb_mut(no);
        skb.reset_network_header();
        skb.reset_transport_header();
        skb.reset_mac_len();
        let mac_len = u32::from(skb.mac_len);
        skb.push(mac_len)?;
        self.run_tc(id, TcHook::Ingress, dev, no)
    }

    fn executed(mut self, hook: Hook, ended: Ended) -> Executed {
        self.keep_maps();
        let buffer = self.buffers.get(ended.buffer);
        let bytes = |range: std::ops::Range<u32>| {
            let len = range.end.saturating_sub(range.start);
            buffer.bytes(range.start, len).to_vec()
        };
        let (packet, metadata) = (bytes(ended.data..ended.data_end), bytes(ended.meta));
        let mut trace = self.recorder.trace;
        trace.take_checkpoints();
        Executed {
            hook,
            r0: trace.registers.last().map_or(0, |registers| registers[0]),
            trace,
            result: ended.result.map_err(|stop| *stop),
            packet,
            metadata,
        }
    }
}
