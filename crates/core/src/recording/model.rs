//! A `headroom-recording/1` file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::Event;
use super::expand::{ExpandError, expand};
use super::visible::Sight;
use super::{hex, places};
use crate::scenario::command::Line;
use crate::scenario::parse::parse_setup_without;
use crate::scenario::{FileError, ParseError};
use crate::trace::ReadHow;

/// The only schema there is.
pub const SCHEMA: &str = "headroom-recording/1";
/// Largest file that is read, bytes.
pub const MAX_FILE: usize = 64 << 20;

/// What a real kernel did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// All that is not an event.
    pub head: Head,
    /// The events, in full.
    pub events: Vec<Event>,
}

/// A recording without its events. Fields that are not known are tolerated and left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name, such as `E2-gre-veth-full`.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// `mac_header` or `meta_end`.
    pub design: String,
    /// Version and origin of the kernel.
    pub kernel: String,
    /// How the first XDP program is attached.
    pub xdp_mode: XdpModeName,
    /// The commands in the order in which they ran, sends included.
    pub setup: Vec<String>,
    /// Commands that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_failed: Option<SetupFailed>,
    /// The functions that were traced; without it, those of the shared recordings of this design.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traced: Option<Vec<String>>,
    /// Program name → source file in `programs/`; the object is `.bpf.o` beside it.
    pub programs: BTreeMap<String, String>,
    /// Every frame that was sent, in order.
    pub packets: Vec<Frame>,
    /// What the programs read.
    pub reads: Vec<Read>,
    /// What helpers returned.
    #[serde(default)]
    pub helper_results: Vec<HelperResult>,
    /// What `bpf_printk()` wrote, in order.
    pub printk: Vec<String>,
    /// Kernel warnings.
    pub warnings: Vec<String>,
    /// What packet sockets held.
    #[serde(default)]
    pub taps: Vec<Frame>,
}

/// How an XDP program is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum XdpModeName {
    /// In the driver.
    Native,
    /// In the stack.
    Generic,
    /// There is none.
    None,
}

/// One failed command, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SetupFailed {
    /// One.
    One(FailedCommand),
    /// Several.
    Many(Vec<FailedCommand>),
}

/// A command that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCommand {
    /// Index into `setup`, from 0.
    pub command: usize,
    /// Exit code.
    pub rc: i64,
}

/// A frame on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Device.
    pub dev: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<String>,
    /// The bytes.
    #[serde(rename = "hex", with = "hex")]
    pub bytes: Vec<u8>,
}

/// What a program read out of the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Program.
    pub program: String,
    /// Device.
    pub dev: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<String>,
    /// `xdp`, `ingress` or `egress`.
    pub hook: String,
    /// Number of events before it.
    pub after_seq: usize,
    /// By pointer or dynptr.
    #[serde(deserialize_with = "read_how")]
    pub how: ReadHow,
    /// Bytes of metadata the program saw.
    pub len: u32,
    /// The first bytes, in memory order.
    #[serde(with = "hex")]
    pub value: Vec<u8>,
    /// What the kfunc returned.
    pub ret: i64,
    /// Length of `value`, bytes, when the program saw more than it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<u32>,
}

fn read_how<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ReadHow, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "data_meta" => Ok(ReadHow::DataMeta),
        "dynptr" => Ok(ReadHow::Dynptr),
        other => Err(serde::de::Error::unknown_variant(
            other,
            &["data_meta", "dynptr"],
        )),
    }
}

/// What a helper returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperResult {
    /// Program.
    pub program: String,
    /// Device.
    pub dev: String,
    /// Its namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<String>,
    /// `xdp`, `ingress` or `egress`.
    pub hook: String,
    /// Number of events before it.
    pub after_seq: usize,
    /// Helper, as the program names it.
    pub helper: String,
    /// Return value.
    pub ret: i64,
}

/// A file that is no recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Bad JSON, a missing or ill-typed field, another schema.
    #[error(transparent)]
    File(#[from] FileError),
    /// A compact event that cannot be made full.
    #[error("{file}: {error}")]
    Event {
        /// The file.
        file: String,
        /// What is wrong.
        error: ExpandError,
    },
}

/// The rest of the file. Read by itself: serde's `flatten` would lose the place of a mistake in the head.
#[derive(Deserialize)]
struct Events {
    events: Vec<serde_json::Map<String, serde_json::Value>>,
}

impl Head {
    /// What of a run this recording shows.
    #[must_use]
    pub fn sight(&self) -> Sight<'_> {
        Sight {
            design: &self.design,
            traced: self.traced.as_deref(),
        }
    }
}

impl Recording {
    /// The commands of the set-up that worked. One that failed on the recorded kernel changed nothing there, so it is
    /// not carried out, but for sends: `packet_snd()` (`net/packet/af_packet.c`) hands the packet over and answers `-ENOBUFS` when
    /// it was dropped on its way. Line numbers count all of them.
    ///
    /// # Errors
    /// The first command that can't be read, with its line and column.
    pub fn commands(&self) -> Result<Vec<Line>, ParseError> {
        let failed: &[FailedCommand] = match &self.head.setup_failed {
            None => &[],
            Some(SetupFailed::One(one)) => std::slice::from_ref(one),
            Some(SetupFailed::Many(many)) => many,
        };
        let sends = |failed: &&FailedCommand| {
            let command = self.head.setup.get(failed.command);
            command.is_some_and(|it| it.starts_with("orc send ") || it.starts_with("orc burst "))
        };
        let failed = failed.iter().filter(|failed| !sends(failed));
        let left_out: Vec<usize> = failed.map(|failed| failed.command + 1).collect();
        parse_setup_without(&self.head.setup, &left_out)
    }

    /// Reads a recording's text; `file` is only used in errors.
    ///
    /// # Errors
    /// A text over [`MAX_FILE`] bytes, bad JSON, another schema, an event that cannot be made full or that stands where
    /// nothing of the recording is.
    pub fn read(file: &str, text: &str) -> Result<Self, ReadError> {
        let refuse = |what: String| FileError {
            file: file.into(),
            line: 0,
            column: 0,
            what,
        };
        if text.len() > MAX_FILE {
            return Err(refuse(format!(
                "the file has {} bytes, the limit is {MAX_FILE} bytes",
                text.len()
            ))
            .into());
        }
        let head: Head =
            serde_json::from_str(text).map_err(|error| FileError::from_json(file, &error))?;
        if head.schema != SCHEMA {
            return Err(refuse(format!("schema is `{}`, expected `{SCHEMA}`", head.schema)).into());
        }
        let compact: Events =
            serde_json::from_str(text).map_err(|error| FileError::from_json(file, &error))?;
        let wrong = |error| ReadError::Event {
            file: file.into(),
            error,
        };
        let events = expand(&compact.events).map_err(wrong)?;
        let recording = Self { head, events };
        places::check(&recording).map_err(wrong)?;
        Ok(recording)
    }
}
