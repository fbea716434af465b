//! Names of steps. A link in a mail names a step, never its number, so that it holds when the
//! simulator learns a new step.

use std::fmt;
use std::str::FromStr;

use super::map::Map;
use crate::trace::{DevRef, Edge, Step, StepKind, Trace};

/// Which moment of a function or program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// Before it starts.
    Entry,
    /// After it has ended.
    Exit,
    /// After an instruction as written, by its index.
    Insn(u32),
    /// After an instruction of the prologue, by its index.
    Prologue(u32),
}

/// The name of a step: `get_tag.12@decap#1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepName {
    /// Function or program.
    pub what: String,
    /// Which moment.
    pub point: Point,
    /// Device; empty when the packet has none.
    pub dev: String,
    /// Namespace of the device; empty for the one in which the commands start.
    pub netns: String,
    /// The how-manieth of that name in the trace, from 1.
    pub occurrence: u32,
    /// After which of the step's writes, from 1; 0 is the step as a whole.
    pub write: u32,
}

impl StepName {
    /// Whether two names are of one step, whatever moment of it.
    #[must_use]
    pub fn same_step(&self, other: &Self) -> bool {
        let key = |name: &Self| (name.point, name.occurrence);
        key(self) == key(other)
            && self.what == other.what
            && self.dev == other.dev
            && self.netns == other.netns
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.what)?;
        match self.point {
            Point::Entry => write!(f, "entry")?,
            Point::Exit => write!(f, "exit")?,
            Point::Insn(index) => write!(f, "{index}")?,
            Point::Prologue(index) => write!(f, "p{index}")?,
        }
        if self.write > 0 {
            write!(f, "~{}", self.write)?;
        }
        write!(f, "@")?;
        if !self.netns.is_empty() {
            write!(f, "{}/", self.netns)?;
        }
        write!(f, "{}#{}", self.dev, self.occurrence)
    }
}

/// Why a text is no step name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is no step name; a step name looks like get_tag.exit@decap#1")]
pub struct BadStepName(pub String);

impl FromStr for StepName {
    type Err = BadStepName;

    /// Occurrence may be left out: `#1`. So may the device.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadStepName(text.to_owned());
        let (front, occurrence) = match text.rsplit_once('#') {
            Some((front, number)) => (
                front,
                number.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
            ),
            None => (text, 1),
        };
        let (front, device) = front.split_once('@').unwrap_or((front, ""));
        let (netns, dev) = device.split_once('/').unwrap_or(("", device));
        let (what, point) = front.rsplit_once('.').ok_or_else(bad)?;
        if what.is_empty() || dev.contains('/') {
            return Err(bad());
        }
        let (point, write) = match point.split_once('~') {
            Some((point, number)) => (
                point,
                number.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?,
            ),
            None => (point, 0),
        };
        let point = match point {
            "entry" => Point::Entry,
            "exit" => Point::Exit,
            _ => match point.strip_prefix('p') {
                Some(index) => Point::Prologue(index.parse().map_err(|_| bad())?),
                None => Point::Insn(point.parse().map_err(|_| bad())?),
            },
        };
        Ok(Self {
            what: what.into(),
            point,
            dev: dev.into(),
            netns: netns.into(),
            occurrence,
            write,
        })
    }
}

/// Name of the function or program of a step.
#[must_use]
pub fn what<'t>(trace: &'t Trace, step: &Step) -> &'t str {
    match &step.kind {
        StepKind::Function { name, .. } | StepKind::EndOfLife { name, .. } => name,
        StepKind::Program { run, .. } | StepKind::Insn { run, .. } => trace
            .runs
            .get(*run)
            .map_or("program", |run| run.program.as_str()),
    }
}

/// Device of a step: the packet's, or that of the program run.
#[must_use]
pub fn device<'t>(trace: &'t Trace, step: &'t Step) -> Option<&'t DevRef> {
    match &step.kind {
        StepKind::Program { run, .. } | StepKind::Insn { run, .. } => trace
            .runs
            .get(*run)
            .map(|run| &run.dev)
            .or(step.dev.as_deref()),
        StepKind::Function { .. } | StepKind::EndOfLife { .. } => step.dev.as_deref(),
    }
}

fn point(trace: &Trace, step: &Step) -> Point {
    match &step.kind {
        StepKind::Function { edge, .. } | StepKind::Program { edge, .. } => match edge {
            Edge::Entry => Point::Entry,
            Edge::Exit => Point::Exit,
        },
        StepKind::EndOfLife { .. } => Point::Entry,
        StepKind::Insn { run, insn, .. } => {
            let written = trace
                .runs
                .get(*run)
                .and_then(|run| run.listing.lines.get(*insn))
                .and_then(|line| line.written);
            match written {
                Some(index) => Point::Insn(index as u32),
                None => Point::Prologue(*insn as u32),
            }
        }
    }
}

/// The names of all steps of a trace, in order. Names are unique.
#[must_use]
pub fn names(trace: &Trace) -> Vec<StepName> {
    let mut seen: Map<StepName, usize> = Map::default();
    let one = |step: &Step| {
        let dev = device(trace, step);
        let mut name = StepName {
            what: what(trace, step).to_owned(),
            point: point(trace, step),
            dev: dev.map(|dev| dev.name.clone()).unwrap_or_default(),
            netns: dev.and_then(|dev| dev.netns.clone()).unwrap_or_default(),
            occurrence: 0,
            write: 0,
        };
        let count = seen.entry(name.clone()).or_default();
        *count += 1;
        name.occurrence = *count as u32;
        name
    };
    trace.steps.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_may_be_left_out() {
        let name: StepName = "ip_rcv.entry@rx".parse().expect("a name");
        assert_eq!(
            (
                name.what.as_str(),
                name.point,
                name.dev.as_str(),
                name.occurrence
            ),
            ("ip_rcv", Point::Entry, "rx", 1)
        );
        let name: StepName = "get_tag.p1@tx/encap#2".parse().expect("a name");
        assert_eq!(
            (name.point, name.netns.as_str(), name.dev.as_str()),
            (Point::Prologue(1), "tx", "encap")
        );
    }

    #[test]
    fn nonsense_is_refused_with_the_text() {
        for text in [
            "",
            "x",
            ".entry@rx#1",
            "f.sideways@rx",
            "f.entry@rx#0",
            "f.entry@rx#x",
            "f.p@rx",
            "f.1@a/b/c",
            "f.entry~0@rx",
            "f.entry~@rx",
        ] {
            let error = text.parse::<StepName>().expect_err(text);
            assert!(error.to_string().contains(text));
        }
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(
            what in "[a-z_][a-z0-9_]{0,20}", kind in 0..4u8, index in any::<u32>(),
            dev in "[a-z][a-z0-9.-]{0,8}|", netns in "[a-z]{1,5}|", occurrence in 1..u32::MAX, write in any::<u32>(),
        ) {
            let point = [Point::Entry, Point::Exit, Point::Insn(index), Point::Prologue(index)][usize::from(kind)];
            let name = StepName { what, point, dev, netns, occurrence, write };
            prop_assert_eq!(name.to_string().parse::<StepName>(), Ok(name));
        }

        #[test]
        fn no_text_makes_it_fall_over(text in ".{0,40}") {
            let _ = text.parse::<StepName>();
        }
    }
}
