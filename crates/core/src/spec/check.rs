//! Checks: what must hold at a step of a scenario under a design.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::design::DesignName;
use crate::scene::name::{Point, StepName, names};
use crate::scene::values;
use crate::trace::{Cursor, MetaFields, MetadataRead, Outcome, PacketFields, StepKind, Trace};

/// A check, such as `seed mac_header ip_tunnel_rcv.entry@rx#2: mac_header=294 meta.bytes=00000800`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Scenario id.
    pub scenario: String,
    /// Design.
    pub design: DesignName,
    /// Step.
    pub step: StepName,
    /// What must hold there: name and value.
    pub wants: Vec<(String, String)>,
}

/// A check that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{check}`: {what}")]
pub struct CheckError {
    /// The check.
    pub check: String,
    /// What is wrong.
    pub what: String,
}

/// A check that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failed {
    /// The scenario can't be run.
    #[error("{0}")]
    Run(String),
    /// No such step.
    #[error("the trace has no step {0}")]
    NoStep(Box<StepName>),
    /// Another value.
    #[error("{step}: {name} is {got}, the rule wants {want}")]
    Value {
        /// Where.
        step: Box<StepName>,
        /// What.
        name: String,
        /// The rule's value.
        want: String,
        /// The trace's value.
        got: String,
    },
}

/// Gives the trace of a scenario under a design.
pub trait TraceOf {
    /// The trace.
    ///
    /// # Errors
    /// Why there is none.
    fn trace_of(&self, scenario: &str, design: DesignName) -> Result<&Trace, String>;
}

impl FromStr for Check {
    type Err = CheckError;

    fn from_str(text: &str) -> Result<Self, CheckError> {
        let wrong = |what: String| CheckError {
            check: text.into(),
            what,
        };
        let (place, wants) = text
            .split_once(": ")
            .ok_or_else(|| wrong("expected `scenario design step: name=value …`".into()))?;
        let [scenario, design, step] = place.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(wrong(
                "expected `scenario design step` in front of the colon".into(),
            ));
        };
        let wants = wants
            .split_whitespace()
            .map(|want| {
                want.split_once('=')
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
            })
            .collect::<Option<Vec<_>>>()
            .filter(|wants| !wants.is_empty());
        Ok(Self {
            scenario: scenario.into(),
            design: DesignName::parse(design)
                .ok_or_else(|| wrong(format!("there is no design `{design}`")))?,
            step: step.parse().map_err(|error| wrong(format!("{error}")))?,
            wants: wants.ok_or_else(|| wrong("expected `name=value` behind the colon".into()))?,
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scenario, design) = (&self.scenario, self.design.as_str());
        write!(
            f,
            "{scenario} {design} {}: {}",
            self.step,
            self.wants_text()
        )
    }
}

impl Check {
    /// Runs the check.
    ///
    /// # Errors
    /// The first value that is another one.
    pub fn run(&self, traces: &impl TraceOf) -> Result<(), Failed> {
        let trace = traces
            .trace_of(&self.scenario, self.design)
            .map_err(Failed::Run)?;
        let step = names(trace).iter().position(|name| *name == self.step);
        let step = step.ok_or_else(|| Failed::NoStep(Box::new(self.step.clone())))?;
        for (name, want) in &self.wants {
            let got = value(trace, step, name).unwrap_or_else(|| "not there".into());
            if got != *want {
                return Err(Failed::Value {
                    step: Box::new(self.step.clone()),
                    name: name.clone(),
                    want: want.clone(),
                    got,
                });
            }
        }
        Ok(())
    }

    /// What must hold, as it stands in the rule.
    #[must_use]
    pub fn wants_text(&self) -> String {
        let wants: Vec<String> = self
            .wants
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        wants.join(" ")
    }

    /// Address of the step on the site.
    #[must_use]
    pub fn address(&self) -> String {
        let zoom = match self.step.point {
            Point::Entry | Point::Exit => "functions",
            Point::Insn(_) | Point::Prologue(_) => "instructions",
        };
        let at = self.step.to_string().replace('#', "%23");
        format!(
            "/s/{}?d=mac_header,meta_end&at={at}&z={zoom}",
            self.scenario
        )
    }
}

/// A value at a step: a field by its name, `ret`, `meta.start`, `meta.end`, `meta.bytes`, `bytes[A..B]`
/// (offsets from `head`, hex), `gap`, `prologue` (instructions), `read.value`, `read.verdict`, `read.offset`.
fn value(trace: &Trace, step: usize, name: &str) -> Option<String> {
    let at = trace.steps.get(step)?;
    if let Some(range) = name
        .strip_prefix("bytes[")
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return bytes(trace, step, range);
    }
    match name {
        "ret" => match at.outcome {
            Outcome::Ret(ret) => Some(ret.to_string()),
            Outcome::None | Outcome::RetSkb(_) => None,
        },
        "prologue" => {
            let StepKind::Program { run, .. } = at.kind else {
                return None;
            };
            let listing = &trace.runs.get(run)?.listing;
            Some(
                listing
                    .lines
                    .iter()
                    .take_while(|line| line.written.is_none())
                    .count()
                    .to_string(),
            )
        }
        "read.value" => Some(read(trace, step)?.value()?.to_string()),
        "read.offset" => Some(read(trace, step)?.offset?.to_string()),
        "read.verdict" => Some(format!("{:?}", read(trace, step)?.verdict).to_lowercase()),
        "gap" => {
            let number = |name| value(trace, step, name)?.parse::<i64>().ok();
            Some((number("mac_header")? - number("meta_end")?).to_string())
        }
        "meta.start" => offset(meta(trace, step)?.start),
        "meta.end" => offset(meta(trace, step)?.end),
        "meta.bytes" => {
            let (start, end) = (
                value(trace, step, "meta.start")?,
                value(trace, step, "meta.end")?,
            );
            bytes(trace, step, &format!("{start}..{end}"))
        }
        _ => {
            let fields = trace.fields.get(at.fields?)?;
            let found = values(fields)
                .into_iter()
                .find(|field| field.name == name)?;
            Some(found.value.to_string())
        }
    }
}

/// Where the metadata are by the design's formula.
fn meta(trace: &Trace, step: usize) -> Option<MetaFields> {
    match trace.fields.get(trace.steps.get(step)?.fields?)? {
        PacketFields::Skb(fields) => Some(fields.meta),
        PacketFields::Xdp(_) => None,
    }
}

fn offset(offset: Option<u32>) -> Option<String> {
    offset.map(|offset| offset.to_string())
}

/// The last read of the program run that a step belongs to.
fn read(trace: &Trace, step: usize) -> Option<&MetadataRead> {
    let StepKind::Program { run, .. } = trace.steps.get(step)?.kind else {
        return None;
    };
    trace.reads.iter().rev().find(|read| read.run == run)
}

fn bytes(trace: &Trace, step: usize, range: &str) -> Option<String> {
    let (start, end) = range.split_once("..")?;
    let (start, end) = (start.parse::<usize>().ok()?, end.parse::<usize>().ok()?);
    let mut cursor = Cursor::new(trace)?;
    cursor.go(step);
    let view = cursor.packet();
    let bytes = view.buffer?.bytes.get(start..end)?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_prints_as_it_reads() {
        let text = "seed mac_header ip_tunnel_rcv.entry@rx#2: mac_header=294 meta.bytes=00000800";
        let check: Check = text.parse().expect("a check");
        assert_eq!(check.to_string(), text);
        assert_eq!(
            check.address(),
            "/s/seed?d=mac_header,meta_end&at=ip_tunnel_rcv.entry@rx%232&z=functions"
        );
    }

    #[test]
    fn what_is_no_check() {
        for text in [
            "",
            "seed mac_header: a=1",
            "seed nobody a.entry@rx: a=1",
            "seed mac_header a.entry@rx: a",
        ] {
            assert!(text.parse::<Check>().is_err(), "{text}");
        }
    }
}
