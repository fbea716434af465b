//! One step of a trace and the deltas it carries.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::origin::OriginId;
use super::wire::{self, Name};

/// Number of an `sk_buff` within a trace, from 1, in the order of first appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SkbNo(pub u32);

/// Number of a packet buffer (`skb->head`) within a trace, from 1, in the order of first appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BufferNo(pub u32);

/// A device and the network namespace it is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DevRef {
    /// Device name, such as `rx`.
    pub name: String,
    /// Namespace name; `None` is the namespace in which the commands start.
    pub netns: Option<String>,
}

/// Entry or exit of a function or program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Edge {
    /// Before the first instruction.
    Entry,
    /// After the last.
    Exit,
}

/// What a step is about: three zoom levels, function → instruction → (its byte writes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepKind {
    /// Entry or exit of a kernel function (helpers and kfuncs included).
    Function {
        /// Name as in the kernel, such as `ip_rcv`.
        #[serde(with = "wire::name")]
        name: Name,
        /// Source file below the kernel tree, such as `net/ipv4/ip_input.c`.
        #[serde(with = "wire::name")]
        file: Name,
        /// Entry or exit.
        edge: Edge,
    },
    /// Entry or exit of a BPF program; entry is before its prologue.
    Program {
        /// Index into `Trace::runs`.
        run: usize,
        /// Entry or exit.
        edge: Edge,
    },
    /// One BPF instruction was carried out.
    Insn {
        /// Index into `Trace::runs`.
        run: usize,
        /// Index into the listing the kernel runs (`Run::listing`).
        insn: usize,
        /// Index into `Trace::registers`: r0–r10 after the instruction.
        registers: usize,
    },
    /// `consume_skb` or `kfree_skb`: the packet is released.
    EndOfLife {
        /// `consume_skb` or `kfree_skb`.
        #[serde(with = "wire::name")]
        name: Name,
        /// `enum skb_drop_reason`, for `kfree_skb` only.
        drop_reason: Option<u32>,
    },
}

/// What a function or program returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// An entry, an instruction, or a function that returns nothing.
    None,
    /// An integer (`int`, `__be16` in host order, verdict of a program).
    Ret(i64),
    /// A pointer to an skb, or NULL.
    RetSkb(Option<SkbNo>),
}

/// One step: what happened, and what it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What happened.
    pub kind: StepKind,
    /// Nesting below the outermost traced function, from 0.
    pub depth: u16,
    /// `skb->dev` at that moment (XDP: the device of the receive queue).
    #[serde(with = "super::wire::shared")]
    pub dev: Option<Arc<DevRef>>,
    /// The packet the function was given; `None` when a step has no packet.
    pub skb: Option<SkbNo>,
    /// The buffer the packet is in at this moment.
    pub buffer: Option<BufferNo>,
    /// Index into `Trace::fields`; `None` when the packet is gone (`freed`) or is not there.
    pub fields: Option<usize>,
    /// Range of `Trace::writes` made since the step before.
    pub writes: Range<usize>,
    /// Return value.
    pub outcome: Outcome,
    /// The packet the function was given is gone.
    pub freed: bool,
}

/// A change of bytes in a buffer; applied forwards or backwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteWrite {
    /// The buffer written.
    pub buffer: BufferNo,
    /// Offset from `head`, bytes.
    pub offset: u32,
    /// Bytes before; empty when the write creates the buffer.
    #[serde(with = "wire::cells")]
    pub old: Vec<(u8, OriginId)>,
    /// Bytes after.
    #[serde(with = "wire::cells")]
    pub new: Vec<(u8, OriginId)>,
    /// Where the bytes came from when they were moved inside this buffer: offset from `head`.
    pub moved_from: Option<u32>,
    /// Where they came from when they were copied out of another buffer: its number, and the offset there.
    pub copied_from: Option<(BufferNo, u32)>,
}

/// One run of one BPF program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Program name, such as `get_tag`.
    pub program: String,
    /// `xdp`, `ingress` or `egress`.
    pub hook: Name,
    /// Device it is attached to.
    pub dev: DevRef,
    /// What the kernel runs: prologue and rewritten loads included. Shared between runs.
    pub listing: std::sync::Arc<crate::bpf::Listing>,
    /// Verdict, once the run has ended.
    pub verdict: Option<i64>,
}
