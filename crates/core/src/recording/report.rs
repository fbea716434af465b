//! What a comparison found.

use std::collections::BTreeMap;
use std::fmt;

/// Differences that are kept; more are only counted.
pub const MAX_DIFFERENCES: usize = 200;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Number of the recording's event; 0 for an event that only the trace has and for reads, printk and warnings.
    pub seq: u32,
    /// `function:entry`, or `reads`, `helper_results`, `printk`, `warnings`, `design`.
    pub stage: String,
    /// Field, such as `mac_header` or `bytes[258]` (offset from `head`).
    pub field: String,
    /// What the kernel did.
    pub expected: String,
    /// What the trace has.
    pub got: String,
    /// What the differing byte is, if it is about a byte.
    pub origin: Option<String>,
}

/// The result for one recording.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// `id.design` of the recording.
    pub name: String,
    /// Events of the recording (in the scope).
    pub events: usize,
    /// Those that the trace has too.
    pub events_covered: usize,
    /// Fields that were compared: fields of events, bytes (one field an event), reads, printk, warnings.
    pub fields_compared: usize,
    /// Those that are equal.
    pub fields_equal: usize,
    /// Recorded events that the trace lacks, by function or program.
    pub not_covered: BTreeMap<String, usize>,
    /// The first [`MAX_DIFFERENCES`].
    pub differences: Vec<Difference>,
    /// All.
    pub differences_total: usize,
    /// Bytes this packet never wrote that differ, each place in a buffer counted once.
    pub unwritten_differences: usize,
    /// Such bytes that a program read; each is a failure.
    pub unwritten_read: usize,
}

impl Report {
    /// Everything covered, nothing different, no unwritten byte read that differs.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences_total == 0
            && self.unwritten_read == 0
            && self.not_covered.is_empty()
            && self.events_covered == self.events
    }

    pub(super) fn differ(&mut self, difference: Difference) {
        self.differences_total += 1;
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(difference);
        }
    }

    /// Counts a field; one that is not equal becomes a difference.
    pub(super) fn field(&mut self, equal: bool, difference: impl FnOnce() -> Difference) {
        self.fields_compared += 1;
        if equal {
            self.fields_equal += 1;
        } else {
            self.differ(difference());
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.seq > 0 {
            write!(f, "event {} ", self.seq)?;
        }
        write!(
            f,
            "{}, {}: expected {}, got {}",
            self.stage, self.field, self.expected, self.got
        )?;
        match &self.origin {
            Some(origin) => write!(f, " ({origin})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    /// One line, and a second one with the first difference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(
            f,
            "{}: {verdict}, events {}/{}",
            self.name, self.events_covered, self.events
        )?;
        write!(f, ", fields {}/{}", self.fields_equal, self.fields_compared)?;
        if self.differences_total > 0 {
            write!(f, ", {} differences", self.differences_total)?;
        }
        if self.unwritten_differences > 0 {
            write!(
                f,
                ", {} unwritten bytes differ ({} read)",
                self.unwritten_differences, self.unwritten_read
            )?;
        }
        if !self.not_covered.is_empty() {
            let names: Vec<String> = self
                .not_covered
                .iter()
                .map(|(name, count)| format!("{name} ×{count}"))
                .collect();
            write!(f, ", not covered: {}", names.join(", "))?;
        }
        match self.differences.first() {
            Some(first) => write!(f, "\n  first difference: {first}"),
            None => Ok(()),
        }
    }
}
