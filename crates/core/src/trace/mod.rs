//! What happened: steps, byte writes, origins of bytes, judged reads.
//!
//! The stack records; everything else (text, JSON, the site) only reads. Two designs are two
//! traces; views line them up by (function or program, entry or exit, device, occurrence).

pub mod before;
pub mod checkpoint;
pub mod fields;
pub mod map_calls;
pub mod origin;
pub mod pack;
pub mod read;
pub mod recorder;
pub mod registers;
pub mod replay;
pub mod step;
pub mod stores;
pub mod wire;

pub use fields::{Fragment, MetaFields, PacketFields, SkbFields, XdpFields};
pub use map_calls::MapCall;
pub use origin::{Layer, OriginId, Source, SourceTable};
pub use read::{Expected, MetadataRead, ReadHow, TapFrame, Verdict};
pub use recorder::Recorder;
pub use registers::RegisterLog;
pub use replay::{Cursor, PacketView};
pub use step::{BufferNo, ByteWrite, DevRef, Edge, Outcome, Run, SkbNo, Step, StepKind};

use serde::{Deserialize, Serialize};

use crate::bpf::MapState;

/// Everything one packet run left behind, under one design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Scenario id, such as `seed`.
    pub scenario: String,
    /// Name of the design, such as `mac_header`.
    pub design: String,
    /// In the order in which they happened.
    pub steps: Vec<Step>,
    /// Field sets; a step holds an index. A set equal to the one before it is stored once.
    pub fields: Vec<PacketFields>,
    /// Register files (r0–r10) after an instruction; a step holds an index.
    pub registers: RegisterLog,
    /// Every change of buffer bytes; a step holds a range of it.
    pub writes: Vec<ByteWrite>,
    /// What programs stored on their stack and in map values.
    pub stores: stores::StoreLog,
    /// All buffers, now and then; empty for short traces, and for one that was read from elsewhere until
    /// [`Trace::take_checkpoints`] is called.
    #[serde(skip)]
    pub checkpoints: Vec<checkpoint::Checkpoint>,
    /// Steps at which a packet comes back after many of others, and its step before ([`Trace::note_returns`]).
    #[serde(skip)]
    pub returns: Vec<(usize, usize)>,
    /// Who wrote what: the table behind [`OriginId`].
    pub sources: SourceTable,
    /// Program runs; instruction and program steps hold an index.
    #[serde(with = "wire::runs")]
    pub runs: Vec<Run>,
    /// For each run, its program's object: a number in the order of loading.
    pub run_objects: Vec<u32>,
    /// Calls of helpers that changed a map, in order.
    pub map_calls: Vec<MapCall>,
    /// What programs read out of the metadata, judged.
    pub reads: Vec<MetadataRead>,
    /// What programs reported through the ring buffer `report` (as the recorder of `golden/` saw it).
    pub reports: Vec<read::Report>,
    /// Lines of `bpf_printk()`, in order.
    pub printk: Vec<String>,
    /// Kernel warnings, once each.
    pub warnings: Vec<String>,
    /// What packet sockets held when the packets were through.
    pub taps: Vec<TapFrame>,
    /// Input lines that were no command, with their 1-based line number.
    pub skipped: Vec<(usize, String)>,
    /// The programs' maps when the run was over.
    pub maps: Vec<MapState>,
    /// What the run cost.
    pub cost: Cost,
}

/// Counts, not times: what a design makes the machine do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Metadata bytes moved by memmove or memcpy.
    pub metadata_bytes_moved: u64,
    /// Buffer allocations (a new `skb->head`).
    pub buffer_allocations: u64,
    /// Allocations for the metadata alone, in designs that keep them outside of the packet's buffer.
    pub metadata_allocations: u64,
    /// Bytes the design adds to kernel structures, per packet.
    pub structure_bytes: u64,
    /// Prologue instructions that ran.
    pub prologue_instructions: u64,
}

impl Cost {
    /// All allocations: packet buffers, and what metadata are kept in.
    #[must_use]
    pub fn allocations(&self) -> u64 {
        self.buffer_allocations + self.metadata_allocations
    }
}
