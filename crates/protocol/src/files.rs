//! What the build writes below `data/` of the site, and where.

use headroom_core::trace::Cost;
use serde::{Deserialize, Serialize};

/// `data/catalogue.bin`: every scenario, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// The scenarios.
    pub entries: Vec<Entry>,
}

/// One scenario in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Id, as in the address.
    pub id: String,
    /// Title.
    pub title: String,
    /// First paragraph of the explanation, with `code` in back-quotes.
    pub summary: String,
    /// What it is about, in words that others share.
    pub tags: Vec<String>,
}

/// `data/s/<id>/scenario.bin`: what a scenario's page opens with, in one file. Traces under two designs
/// have most in common, and are compressed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its texts.
    pub texts: Scenario,
    /// For each design that is shown first its name, and its trace (`encode_trace`) or why there is none.
    pub traces: Vec<(String, Result<Vec<u8>, crate::Problem>)>,
}

/// A scenario's own texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Id, as in the address.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is about; paragraphs, with `code` in back-quotes.
    pub explanation: String,
    /// The commands, as text.
    pub commands: String,
    /// The object files it needs, in the order in which they are loaded.
    pub programs: Vec<ProgramFile>,
    /// Columns with recordings of real kernels, such as `recording:mac_header`.
    pub recordings: Vec<String>,
    /// Ids of recorded experiments of the site that confirm it: their commands and packets are not the same to the byte.
    pub recorded_as: Vec<String>,
}

/// An object file of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFile {
    /// Name as the commands say it, such as `progs.bpf.o`.
    pub name: String,
    /// Path of the file below `data/`.
    pub path: String,
}

/// `data/matrix.bin`: scenarios × designs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixFile {
    /// Names of the designs, in order.
    pub designs: Vec<String>,
    /// In the order of the catalogue.
    pub rows: Vec<MatrixRow>,
}

/// One scenario under all designs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixRow {
    /// Scenario id.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// A cell for each design.
    pub cells: Vec<MatrixCell>,
}

/// One scenario under one design: `headroom_core::matrix::Cell`, with its verdict as a word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixCell {
    /// Design.
    pub design: String,
    /// `ok`, `garbage`, `lost`, …
    pub verdict: String,
    /// Name of the step that decided it.
    pub step: Option<String>,
    /// What the read gave that decided it, where it has four bytes.
    pub value: Option<u32>,
    /// What the run cost.
    pub cost: Cost,
    /// Why there is no verdict, or what was refused; empty else.
    pub note: String,
}

/// `data/jobs.bin`: what it takes to judge every scenario of the catalogue anew.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// Every object file once.
    pub objects: Vec<crate::Object>,
    /// In the order of the catalogue.
    pub scenarios: Vec<JobOf>,
}

/// The job of one scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOf {
    /// Scenario id.
    pub scenario: String,
    /// Its commands.
    pub commands: String,
    /// Its object files, as indexes into [`Jobs::objects`], in the order in which they are loaded.
    pub objects: Vec<u32>,
}

impl Jobs {
    /// Takes in a scenario's job; an object that is there already is not kept twice.
    pub fn push(&mut self, job: &crate::Job) {
        let mut place = |object: &crate::Object| {
            let known = self.objects.iter().position(|known| known == object);
            let at = known.unwrap_or_else(|| {
                self.objects.push(object.clone());
                self.objects.len() - 1
            });
            u32::try_from(at).unwrap_or(u32::MAX)
        };
        let objects = job.objects.iter().map(&mut place).collect();
        self.scenarios.push(JobOf {
            scenario: job.scenario.clone(),
            commands: job.commands.clone(),
            objects,
        });
    }

    /// The job of a scenario under some designs.
    #[must_use]
    pub fn job(&self, scenario: &str, designs: Vec<String>) -> Option<crate::Job> {
        let of = self.scenarios.iter().find(|of| of.scenario == scenario)?;
        let object = |at: &u32| self.objects.get(*at as usize).cloned();
        Some(crate::Job {
            scenario: of.scenario.clone(),
            commands: of.commands.clone(),
            objects: of.objects.iter().filter_map(object).collect(),
            designs,
        })
    }
}

/// `data/designs.bin`: what each design is, and the roadmap of the seed mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Designs {
    /// In the order in which designs are named; `custom` last.
    pub pages: Vec<DesignPage>,
    /// By row.
    pub roadmap: Vec<RoadmapRow>,
}

/// A page about a design and its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesignPage {
    /// Name of its file without ending.
    pub id: String,
    /// Heading.
    pub title: String,
    /// The designs it is about.
    pub versions: Vec<DesignVersion>,
    /// Body: HTML that the build made of the repository's own Markdown.
    pub html: String,
}

/// A design that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesignVersion {
    /// Name in addresses.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
    /// `recorded`, `derived, not recorded` or `proposed only`.
    pub mark: String,
}

/// A row of the seed mail's roadmap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoadmapRow {
    /// 1 to 8.
    pub row: u8,
    /// The scenario that shows it.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Where it stands today, in words.
    pub status: String,
    /// What follows under designs.
    pub consequences: Vec<Consequence>,
}

/// What follows for a row of the roadmap under a design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// Design.
    pub design: String,
    /// What follows, and why.
    pub text: String,
}

/// Where the pages about designs are.
pub const DESIGN_PAGES: &str = "/data/designs.bin";
/// Where the jobs are.
pub const JOBS: &str = "/data/jobs.bin";
/// Where the matrix is.
pub const MATRIX: &str = "/data/matrix.bin";
/// Where the list of recorded experiments is.
pub const RECORDED: &str = "/data/recorded.bin";
/// The ids of recorded experiments begin so.
pub const RECORDED_PREFIX: &str = "rec-";

/// Where the list of scenarios is.
pub const CATALOGUE: &str = "/data/catalogue.bin";
/// Where the specification is: contents and chapters, as HTML that the build made of the repository's own Markdown.
pub const SPEC: &str = "/data/spec.html";
/// Where the ids of all scenarios are, one a line.
pub const IDS: &str = "/data/ids.txt";
/// Where the [`Story`] is.
pub const STORY: &str = "/data/story.bin";

/// What the site is, on the start page: by the page's module, and by the build, which draws it before.
pub const LEAD: &str = "Headroom is an executable specification: a simulator of the way from XDP through the stack to TC, byte for byte, under today's design and \
    under the proposed ones. Nothing is sent anywhere; everything runs in this page.";

/// The story of the start page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// In order; there is at least one.
    pub stops: Vec<Stop>,
}

/// One stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Name in the address.
    pub slug: String,
    /// Heading.
    pub title: String,
    /// What to see; kernel names in back-quotes.
    pub text: String,
    /// The scenario that is drawn.
    pub scenario: String,
    /// The step that is drawn.
    pub step: String,
    /// The designs that are drawn.
    pub designs: Vec<String>,
    /// Where to read on: address and words.
    pub more: Option<(String, String)>,
}

/// Where a scenario's [`Opening`] is.
#[must_use]
pub fn scenario(id: &str) -> String {
    format!("/data/s/{id}/scenario.bin")
}

/// Where a trace is that is no part of the [`Opening`], as `encode_trace` gives it: a recording.
#[must_use]
pub fn trace(id: &str, design: &str) -> String {
    // A column such as `recording:mac_header` is a name, not a part of a path.
    format!("/data/s/{id}/{}.bin", design.replace(':', "-"))
}

/// Whether a text may be a scenario's id: what else stands in an address is no part of a file name.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Job, Object};

    #[test]
    fn jobs_come_back_as_they_were_and_hold_an_object_once() {
        let object = |name: &str, bytes: &[u8]| Object {
            name: name.into(),
            bytes: bytes.into(),
        };
        let job = |scenario: &str, objects: &[Object]| Job {
            scenario: scenario.into(),
            commands: format!("ping {scenario}"),
            objects: objects.into(),
            designs: vec!["traits".into()],
        };
        let (a, b) = (object("x.o", b"1"), object("x.o", b"2"));
        let all = [
            job("one", &[b.clone(), a.clone()]),
            job("two", &[a]),
            job("three", &[]),
        ];
        let mut jobs = Jobs::default();
        all.iter().for_each(|job| jobs.push(job));
        assert_eq!(jobs.objects.len(), 2);
        for job in all {
            assert_eq!(jobs.job(&job.scenario, job.designs.clone()), Some(job));
        }
        assert_eq!(jobs.job("four", Vec::new()), None);
    }
}
