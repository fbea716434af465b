//! Programs of the reader's work, and steps through one: what the program pane asks the worker, and what
//! it hears. They travel as bytes inside [`crate::Request::Program`] and [`crate::Answer::Program`], so that
//! a page without that pane has no code for them.

use headroom_core::bpf::Listing;
use serde::{Deserialize, Serialize};

use crate::capture::{Capture, Most, Packet};
use crate::{Job, Object, Problem};

/// What the pane asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// Load and judge the programs of this work, and run it under the first of its designs. Answered by
    /// [`Reply::Study`]; the worker keeps the trace.
    Study(Job),
    /// A step through a run of what was studied last. Answered by [`Reply::Moment`] or [`Reply::Gone`].
    Go {
        /// Number of the run.
        run: u32,
        /// Instruction carried out, from 0, from which one goes.
        from: u32,
        /// Where to.
        way: Way,
        /// The register of which one wants to know what made its value.
        of: Option<u8>,
    },
    /// Judge programs as the kernels of these designs would, without a run. Answered by [`Reply::Checked`].
    Check {
        /// Object files, and assembler.
        objects: Vec<Object>,
        /// Names of designs.
        designs: Vec<String>,
    },
    /// Read the capture that is sent with it as a file. Answered by [`Reply::Reading`] after each slice, then
    /// [`Reply::Packets`] and [`Reply::Captured`].
    Capture(Most),
}

/// A way through a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// To this instruction carried out, from 0 (clamped to the last).
    To(u32),
    /// To the next one.
    Into,
    /// To the next one of this function or of its callers.
    Over,
    /// To the next one of a caller.
    Out,
    /// To the one before.
    Back,
    /// To the one before, of this function or of its callers.
    BackOver,
    /// To the next stop, or the end.
    Run(Stops),
    /// To the stop before, or the beginning.
    RunBack(Stops),
}

/// Where a run is to be stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stops {
    /// Lines of C.
    pub lines: Vec<u32>,
    /// Lines of the listing.
    pub insns: Vec<u32>,
}

/// What the pane hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The programs, their verdicts and runs.
    Study(Study),
    /// One moment of a run.
    Moment(Box<Moment>),
    /// There is no such run, or no work was studied.
    Gone,
    /// The programs, in the order of their objects.
    Checked(Vec<Checked>),
    /// So many bytes of the file are read; others follow.
    Reading(u64),
    /// Some of the packets that were read. All at once would keep the page busy while it takes them.
    Packets(Vec<Packet>),
    /// What else could be read of it (these packets are not in it again), or why nothing could.
    Captured(Result<Capture, String>),
}

/// A program, and what the verifier says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Number of its object among those that were asked about.
    pub object: u32,
    /// Its name.
    pub program: String,
    /// The types as which it was looked at, as bpftool names them: that of its section, or those that it can be given
    /// where the section names none.
    pub kinds: Vec<String>,
    /// Why Linux refuses it.
    pub refused: Vec<Objection>,
    /// Where Linux may refuse it although the simulator runs it.
    pub warned: Vec<Objection>,
}

/// A word of the verifier, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// The type as which it was looked at.
    pub kind: String,
    /// Names of the designs whose kernels say so; empty when all say it that were asked.
    pub designs: Vec<String>,
    /// Number of the instruction as written, from 0.
    pub insn: Option<u32>,
    /// Line of the assembler, or of the C source, from 1.
    pub line: Option<u32>,
    /// The line itself, with the name of its file, where the object has it.
    pub source: Option<(String, String)>,
    /// The log's words.
    pub why: String,
}

/// Programs and runs of a piece of work.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Study {
    /// The programs, in the order of loading.
    pub programs: Vec<Judged>,
    /// Runs that were traced, in the order in which they began.
    pub runs: Vec<RunInfo>,
    /// What is wrong with the work, or why its run ended early.
    pub problem: Option<Problem>,
    /// The design under which it ran.
    pub design: String,
    /// Bytes that the trace takes in the worker.
    pub bytes: u64,
}

/// A program and what the verifier says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Object file.
    pub file: String,
    /// The program; as the kernel runs it, or as far as it could be fixed up.
    pub listing: Listing,
    /// Its type, as bpftool names it.
    pub kind: String,
    /// Why Linux refuses it: line of the listing and the log's words.
    pub refused: Option<(Option<u32>, String)>,
    /// What the registers held there: number and words.
    pub held: Vec<(u8, String)>,
    /// Where Linux may refuse it: line of the listing and why.
    pub warnings: Vec<(u32, String)>,
    /// It loads `data_meta` (patch 14).
    pub loads_data_meta: bool,
    /// It writes the packet directly (patch 12).
    pub writes_packet: bool,
}

/// A run of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Number, as [`Ask::Go`] takes it.
    pub run: u32,
    /// Index into [`Study::programs`].
    pub program: u32,
    /// `xdp`, `ingress`, …
    pub hook: String,
    /// Device, with its namespace in front (`tx/tx`).
    pub dev: String,
    /// Which run of this program on this device, from 1.
    pub occurrence: u32,
    /// Instructions carried out.
    pub len: u32,
    /// Verdict, if it ended.
    pub verdict: Option<i64>,
}

/// A value with what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// The number.
    pub number: u64,
    /// What it is: `pkt +14`, `fp -8`, or the number.
    pub text: String,
    /// `packet`, `stack`, `number`, … (`headroom_core::stepping::Place::kind`).
    pub kind: String,
}

/// One instruction that was carried out, and how things are after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Number of the run.
    pub run: u32,
    /// Which instruction carried out, from 0.
    pub at: u32,
    /// How many there are.
    pub len: u32,
    /// Line of the listing.
    pub insn: u32,
    /// Line of C.
    pub c_line: Option<u32>,
    /// What it did, in a sentence.
    pub did: String,
    /// Why a branch went where it went.
    pub why: Option<String>,
    /// The branch was taken.
    pub taken: Option<bool>,
    /// r0 to r10.
    pub registers: Vec<Value>,
    /// Numbers of those that changed.
    pub changed: Vec<u8>,
    /// Functions at work, outermost first: line of the listing that called the next.
    pub callers: Vec<u32>,
    /// Written slots of this function's stack, from the highest.
    pub stack: Vec<Slot>,
    /// Rows of the packet.
    pub packet: Vec<Row>,
    /// Marked places of the packet: offset from `head`, and what points there.
    pub marks: Vec<(u32, String)>,
    /// The object's maps.
    pub maps: Vec<MapView>,
    /// Instructions around it: position, line of the listing, what each did.
    pub around: Vec<(u32, u32, String)>,
    /// Those that made the value of the register one asked for: position, line of the listing.
    pub chain: Vec<(u32, u32)>,
}

/// Eight bytes of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Offset from r10.
    pub off: i32,
    /// The bytes; `None` where nothing was written.
    pub bytes: Vec<Option<u8>>,
    /// What they are, if all are written and they are no number.
    pub what: Option<String>,
    /// This instruction wrote there.
    pub now: bool,
}

/// Sixteen bytes of the packet, from a multiple of sixteen on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Offset of the first, from `head`.
    pub start: u32,
    /// The bytes.
    pub cells: Vec<Cell>,
}

/// A byte of the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The byte.
    pub byte: u8,
    /// Where it lies.
    pub place: Area,
    /// This instruction read it (1) or wrote it (2); 0 else.
    pub touched: u8,
}

/// A part of a packet's buffer, in the program's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Area {
    /// Outside of what a program may touch.
    Outside,
    /// From `data_meta` to `data`.
    Metadata,
    /// From `data` to `data_end`.
    Packet,
}

/// A map and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapView {
    /// Name.
    pub name: String,
    /// Type, as bpftool names it.
    pub kind: String,
    /// Entries: key and value in hex, and whether this instruction changed the entry.
    pub entries: Vec<(String, String, bool)>,
    /// Entries that are not in the list, because there are many.
    pub more: u32,
}
