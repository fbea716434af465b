//! What programs read out of the metadata, and how true it was.

use serde::{Deserialize, Serialize};

use super::origin::OriginId;
use super::step::{BufferNo, DevRef};
use super::wire::{self, Name};

/// By which road a program read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadHow {
    /// Through the pointer `__sk_buff->data_meta`.
    DataMeta,
    /// Through `bpf_dynptr_from_skb_meta()`.
    Dynptr,
}

/// How true a read was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All bytes are the ones the writer put there.
    Ok,
    /// Bytes that never were metadata.
    Garbage,
    /// The program saw no metadata although an XDP program had left some.
    Lost,
    /// The right place, but somebody wrote other bytes there.
    Overwritten,
    /// There were none to read, and none had been written.
    None,
}

impl Verdict {
    /// Whether the program saw something else than what was left for it.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        !matches!(self, Self::Ok | Self::None)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Garbage => "garbage",
            Self::Lost => "lost",
            Self::Overwritten => "overwritten",
            Self::None => "none",
        }
    }

    /// How bad it is, for the worst of several.
    #[must_use]
    pub fn badness(self) -> u8 {
        match self {
            Self::Garbage => 4,
            Self::Lost => 3,
            Self::Overwritten => 2,
            Self::Ok => 1,
            Self::None => 0,
        }
    }
}

/// One read of metadata by one program run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataRead {
    /// Index into `Trace::runs`.
    pub run: usize,
    /// Program name.
    pub program: String,
    /// Device.
    pub dev: DevRef,
    /// `ingress` or `egress`.
    #[serde(with = "wire::name")]
    pub hook: Name,
    /// By pointer or dynptr.
    pub how: ReadHow,
    /// Step at which the (last part of the) read happened.
    pub step: usize,
    /// The buffer they were read from.
    pub buffer: BufferNo,
    /// Where the bytes were, offset from the start of that buffer (`head`), bytes; `None` when nothing was read, or when the
    /// bytes lay below `head`.
    pub offset: Option<u32>,
    /// The bytes, in memory order.
    pub bytes: Vec<u8>,
    /// Origin of each byte.
    pub origins: Vec<OriginId>,
    /// The judgement.
    pub verdict: Verdict,
    /// What there was to read; `None` when no program had left metadata with this packet.
    pub expected: Option<Expected>,
}

/// The metadata that a packet carries, wherever a program looks for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Where the kernel last put them, offset from the start of the read's buffer, bytes.
    pub offset: u32,
    /// Origin of each byte the writer left.
    pub origins: Vec<OriginId>,
    /// The step at which the packet lost them, in designs that keep metadata outside of the buffer.
    pub lost_at: Option<usize>,
}

impl MetadataRead {
    /// The bytes as the little-endian number a `__u32` (or shorter) read gives.
    #[must_use]
    pub fn value(&self) -> Option<u32> {
        let bytes = self.bytes.get(..4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

/// A frame that a packet socket held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapFrame {
    /// Device the socket is bound to.
    pub dev: DevRef,
    /// The bytes, as they were when the socket was read.
    pub bytes: Vec<u8>,
}

/// A record of the ring buffer `report` (`golden/programs/report.h`), as the recorder decodes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Program name, as the program says it.
    pub program: String,
    /// Device of the run.
    pub dev: DevRef,
    /// `xdp`, `ingress` or `egress`.
    #[serde(with = "wire::name")]
    pub hook: Name,
    /// Number of function-level steps (all but instructions) before it.
    pub after_step: usize,
    /// What was reported.
    pub what: ReportWhat,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReportWhat {
    /// Bytes of metadata.
    Read {
        /// By pointer or dynptr.
        how: ReadHow,
        /// Bytes of metadata the program could see.
        len: u32,
        /// What it read, memory order.
        value: Vec<u8>,
        /// Return value of the helper or kfunc.
        ret: i64,
    },
    /// The return value of a helper.
    HelperResult {
        /// Name, as the program says it.
        helper: String,
        /// Return value.
        ret: i64,
    },
}
