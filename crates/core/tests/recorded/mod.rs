//! The set-ups of recordings as inputs, for tests.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use headroom_core::design::DesignName;
use headroom_core::recording::Recording;
use headroom_core::scenario::{Parsed, parse_setup};
use headroom_core::simulate::{Input, simulate_partial};
use headroom_core::trace::read::ReportWhat;
use headroom_core::trace::{Edge, PacketFields, SkbFields, Step, StepKind, Trace};

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings")
}

/// Ids of the recordings of a design.
pub fn ids(design: DesignName) -> Vec<String> {
    let end = format!(".{}.json", design.as_str());
    let mut ids: Vec<String> = fs::read_dir(dir())
        .expect("recordings")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().to_string_lossy().into_owned();
            Some(name.strip_suffix(&end)?.to_owned())
        })
        .collect();
    ids.sort();
    ids
}

/// The commands of a recording of `of`.
pub fn input(id: &str, of: DesignName) -> Input {
    input_with(id, of, |_| {})
}

/// The commands of a recording, after `edit`.
pub fn input_with(id: &str, of: DesignName, edit: impl Fn(&mut Vec<String>)) -> Input {
    let path = dir().join(format!("{id}.{}.json", of.as_str()));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{id}: {error}"));
    let recording = Recording::read(id, &text).unwrap_or_else(|error| panic!("{id}: {error}"));
    let object = |source: &String| {
        let object = dir().join("programs").join(source).with_extension("o");
        (source.clone(), fs::read(object).expect("an object"))
    };
    let objects: Vec<_> = recording.head.programs.values().map(object).collect();
    let mut setup = recording.head.setup.clone();
    edit(&mut setup);
    let parsed = Parsed {
        lines: parse_setup(&setup).unwrap_or_else(|error| panic!("{id}: {error}")),
        skipped: Vec::new(),
    };
    Input::new(id, parsed, &objects).expect("an input")
}

/// What the commands of a recording do under a design.
pub fn run(id: &str, design: DesignName) -> Trace {
    simulate_partial(&input(id, DesignName::MacHeader), design).trace
}

/// Values of the reads on a device, in order, as numbers.
pub fn values(trace: &Trace, dev: &str) -> Vec<Option<u32>> {
    let on = trace.reads.iter().filter(|read| read.dev.name == dev);
    on.map(|read| read.value()).collect()
}

/// The fields at the exits of a function.
pub fn exits<'t>(trace: &'t Trace, function: &str) -> Vec<&'t SkbFields> {
    let fields = |step: &'t Step| match (&step.kind, step.fields) {
        (
            StepKind::Function {
                name,
                edge: Edge::Exit,
                ..
            },
            Some(fields),
        ) if *name == function => match &trace.fields[fields] {
            PacketFields::Skb(fields) => Some(fields),
            PacketFields::Xdp(_) => None,
        },
        _ => None,
    };
    trace.steps.iter().filter_map(fields).collect()
}

/// What a helper answered, the first time.
pub fn helper(trace: &Trace, wanted: &str) -> Option<i64> {
    trace.reports.iter().find_map(|report| match &report.what {
        ReportWhat::HelperResult { helper, ret } if helper == wanted => Some(*ret),
        _ => None,
    })
}
