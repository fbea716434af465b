//! The chain behind a read: written at …, moved by …, pointer reset by …, read at ….

use crate::scene::StepName;
use crate::scene::explain::{count_bytes, span};
use crate::scene::name::{device, what};
use crate::trace::{MetadataRead, OriginId, ReadHow, Trace, Verdict};

use super::rule::Actor;
use super::way;

/// Where a design looks when what it reckons with leads out of the buffer.
const BELOW_HEAD: &str = "below head";

/// What happened to the metadata, or to the place where a design looks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A program wrote them. Offset from the start of the buffer, bytes.
    Written {
        /// Where.
        at: u32,
    },
    /// A memmove inside the buffer took them along.
    Moved {
        /// Where they were.
        from: u32,
        /// Where they are.
        to: u32,
    },
    /// They were copied into another buffer.
    Copied {
        /// Where they were.
        from: u32,
        /// Where they are.
        to: u32,
    },
    /// Somebody wrote other bytes over some of them.
    Overwritten {
        /// First byte that is lost.
        at: u32,
        /// How many.
        len: u32,
        /// Whose bytes are there now.
        by: OriginId,
    },
    /// The buffer was made without them: nobody ever copied them into it.
    LeftBehind,
    /// The place where the design looks moved, and the bytes did not follow.
    PointerReset {
        /// Where metadata began before; `None`: there were none, or their end was not set.
        from: Option<u32>,
        /// Where they begin now; `None`: below `head`.
        to: Option<u32>,
    },
    /// The place where the design looks stayed, and the bytes went away from it.
    PointerStays {
        /// Where they are looked for; `None`: below `head`.
        at: Option<u32>,
    },
    /// The length became 0: for the kernel there are no metadata any more.
    Cleared,
    /// The packet lost what it carried outside of its buffer.
    Lost,
    /// The read itself.
    Read {
        /// Where; `None` when nothing was there to read.
        at: Option<u32>,
        /// By pointer or dynptr.
        how: ReadHow,
    },
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Index of the step that shows it.
    pub step: usize,
    /// What happened.
    pub event: Event,
    /// Bytes concerned.
    pub len: u32,
    /// Whose code did it.
    pub actor: Actor,
}

impl Link {
    /// One sentence, without the step's name.
    #[must_use]
    pub fn sentence(&self, trace: &Trace) -> String {
        let by = &self.actor;
        let bytes = count_bytes(self.len as usize);
        let at = |start: u32| span(start, start + self.len);
        match self.event {
            Event::Written { at: start } => format!("{bytes} written at {} by {by}", at(start)),
            Event::Moved { from, to } => format!("moved from {} to {} by {by}", at(from), at(to)),
            Event::Copied { from, to } => {
                format!(
                    "copied from {} to {} of another buffer by {by}",
                    at(from),
                    at(to)
                )
            }
            Event::Overwritten {
                at: start,
                by: whose,
                ..
            } => format!(
                "{bytes} at {} overwritten by {by}: {}",
                at(start),
                trace.sources.source(whose).label
            ),
            Event::LeftBehind => {
                format!("left behind by {by}: a new buffer was made without them")
            }
            Event::PointerReset { from, to } => {
                let how = if from.is_some() { "reset" } else { "set" };
                let to = to.map_or_else(|| BELOW_HEAD.to_owned(), |to| format!("at {}", at(to)));
                let no_longer =
                    from.map_or_else(String::new, |from| format!(", no longer at {}", at(from)));
                format!("pointer {how} by {by}: metadata are looked for {to}{no_longer}")
            }
            Event::PointerStays { at: stays } => {
                let place = stays.map_or_else(
                    || BELOW_HEAD.to_owned(),
                    |start| format!("at {}", at(start)),
                );
                format!("pointer left as it is by {by}: metadata are still looked for {place}")
            }
            Event::Cleared => format!("length set to 0 by {by}"),
            Event::Lost => format!("lost by {by}: the packet has none that a program may see"),
            Event::Read { at: None, .. } if self.len == 0 => format!("{by} found no metadata"),
            Event::Read { at: start, how } => {
                let how = match how {
                    ReadHow::DataMeta => "data_meta",
                    ReadHow::Dynptr => "a dynptr",
                };
                let place = start.map_or_else(
                    || BELOW_HEAD.to_owned(),
                    |start| format!("at {}", at(start)),
                );
                format!("{bytes} read {place} by {by} through {how}")
            }
        }
    }
}

/// The chain behind a read, in the order of time. The read is the last link.
#[must_use]
pub fn chain(trace: &Trace, read: &MetadataRead) -> Vec<Link> {
    let last = read.step.min(trace.steps.len().saturating_sub(1));
    let mut links = way::links(trace, read, last);
    links.sort_by_key(|link| link.step);
    let reader = Actor {
        function: read.program.clone(),
        file: "",
        dev: read.dev.name.clone(),
    };
    links.push(Link {
        step: last,
        event: Event::Read {
            at: read.offset,
            how: read.how,
        },
        len: read.bytes.len() as u32,
        actor: reader,
    });
    links
}

/// The step that decided a read: for a wrong one the last event that parted the metadata from the place where they
/// are looked for, for a true one the read itself.
#[must_use]
pub fn decided_at(trace: &Trace, read: &MetadataRead) -> usize {
    let chain = chain(trace, read);
    let at = |wanted: fn(&Event) -> bool| {
        let found = chain.iter().rev().find(|link| wanted(&link.event));
        found.map(|link| link.step)
    };
    let decided = match read.verdict {
        Verdict::Ok | Verdict::None => None,
        Verdict::Lost => {
            at(|event| matches!(event, Event::Cleared | Event::Lost | Event::LeftBehind))
        }
        Verdict::Overwritten => at(|event| matches!(event, Event::Overwritten { .. })),
        Verdict::Garbage => at(|event| {
            matches!(
                event,
                Event::PointerReset { .. }
                    | Event::PointerStays { .. }
                    | Event::Overwritten { .. }
                    | Event::LeftBehind
            )
        }),
    };
    decided.unwrap_or_else(|| read.step.min(trace.steps.len().saturating_sub(1)))
}

/// `get_tag on decap`, for a step of a program; else the function with its device.
#[must_use]
pub(super) fn place_of(trace: &Trace, step: usize) -> (String, String) {
    let Some(step) = trace.steps.get(step) else {
        return Default::default();
    };
    let dev = device(trace, step).map(|dev| dev.name.clone());
    (what(trace, step).to_owned(), dev.unwrap_or_default())
}

/// The chain as lines of text, each with the name of its step.
#[must_use]
pub fn lines(trace: &Trace, names: &[StepName], read: &MetadataRead) -> Vec<String> {
    let line = |link: &Link| {
        let name = names.get(link.step).map(ToString::to_string);
        format!("{}  {}", name.unwrap_or_default(), link.sentence(trace))
    };
    chain(trace, read).iter().map(line).collect()
}
