//! Why a command can't be carried out.

use thiserror::Error;

use super::{ProgramError, Stop};
use crate::bpf::{LoadError, MapError};
use crate::scenario::topology::TopologyError;

/// A command could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: `{text}`: {cause}{}", place(.text, .cause))]
pub struct ExecuteError {
    /// 1-based line number of the command.
    pub line: usize,
    /// The command.
    pub text: String,
    /// Why.
    pub cause: Box<Cause>,
}

/// Where in the command the word is that is to blame, when it is known.
fn place(text: &str, cause: &Cause) -> String {
    let Cause::Topology(TopologyError::UnknownKind(kind)) = cause else {
        return String::new();
    };
    let words = text.split_inclusive(char::is_whitespace);
    let column = words
        .scan(1, |column, word| {
            let here = *column;
            *column += word.chars().count();
            Some((here, word.trim_end()))
        })
        .filter(|(_, word)| word == kind)
        .last();
    column.map_or_else(String::new, |(column, _)| format!(" (column {column})"))
}

/// Why a command could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Cause {
    /// A namespace, device or route is not there.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// A program is not there or can't be attached.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A map is not there, or refuses the change.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The packet it sent came to something that is not simulated.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// A filter needs the qdisc first.
    #[error("{0} has no clsact qdisc; `tc qdisc add dev {0} clsact` adds it")]
    NoClsact(String),
    /// Something is there already (`EEXIST`).
    #[error("there is a {0} already, so Linux answers *File exists*")]
    Exists(String),
    /// Something it names is not there (`ENOENT`).
    #[error("there is no {0}, so Linux answers *No such file or directory*")]
    Missing(String),
    /// Something is taken (`EBUSY`, `EADDRINUSE`).
    #[error("{0} is taken already, so Linux answers *busy*")]
    Busy(String),
    /// There is no room for more.
    #[error("there are too many {0}")]
    TooMany(&'static str),
    /// Linux says no.
    #[error("{0}")]
    Refused(String),
    /// A session needs its tunnel first.
    #[error("there is no L2TP tunnel {0}; `ip l2tp add tunnel tunnel_id {0} …` adds it")]
    NoTunnel(u32),
    /// An address on a device without IPv6 (`EACCES`).
    #[error(
        "IPv6 is disabled on {0}: `net.ipv6.conf.all.disable_ipv6` is 1 there, so Linux answers *Permission denied*"
    )]
    Ipv6Disabled(String),
    /// The simulator does not know the command.
    #[error("not covered: {0}")]
    NotCovered(String),
}

impl From<Box<Stop>> for Cause {
    fn from(stop: Box<Stop>) -> Self {
        Self::Stop(*stop)
    }
}

impl From<LoadError> for Cause {
    fn from(error: LoadError) -> Self {
        Self::Program(error.into())
    }
}

/// [`Cause::Exists`].
pub(super) fn exists(what: String) -> Cause {
    Cause::Exists(what)
}
