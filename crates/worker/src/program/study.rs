//! The programs of a piece of work, what the verifier says of each, and their runs.

use std::collections::BTreeMap;

use headroom_core::bpf::{LoadError, Object, Program, Prologue};
use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::simulate;
use headroom_core::trace::{StepKind, Trace};
use headroom_protocol::Job;
use headroom_protocol::program::{Judged, RunInfo, Study};

use super::Work;

/// Loads, judges and runs.
pub fn study(job: &Job, limits: Limits) -> (Study, Option<Work>) {
    let failed = |problem| {
        let study = Study {
            problem: Some(problem),
            ..Study::default()
        };
        (study, None)
    };
    let name = job.designs.first().map_or("mac_header", String::as_str);
    let design = match crate::design(name) {
        Ok(design) => design,
        Err(problem) => return failed(problem),
    };
    // Commands that can't be read are no reason not to show the programs.
    let (input, unread) = match crate::input(job, limits) {
        Ok(input) => (input, None),
        Err(problem) => {
            let programs = Job {
                commands: String::new(),
                ..job.clone()
            };
            match crate::input(&programs, limits) {
                Ok(input) => (input, Some(problem)),
                Err(problem) => return failed(problem),
            }
        }
    };
    let programs: Vec<Judged> = input
        .objects
        .iter()
        .flat_map(|object| {
            object
                .programs
                .iter()
                .map(|p| judge(object, p, design, limits))
        })
        .collect();
    let partial = simulate::simulate_partial(&input, design);
    let problem = unread.or_else(|| partial.error.map(crate::problem));
    let runs = runs(&partial.trace, &programs);
    let study = Study {
        programs,
        runs,
        problem,
        design: name.to_owned(),
        bytes: partial.trace.bytes() as u64,
    };
    let work = Work {
        objects: input.objects,
        trace: partial.trace,
        indexes: BTreeMap::new(),
        maps: BTreeMap::new(),
        memory: None,
    };
    (study, Some(work))
}

/// A program under a design.
fn judge(object: &Object, program: &Program, design: DesignName, limits: Limits) -> Judged {
    let judged = program.judge_by(limits, headroom_core::stack::rules(design));
    let facts = judged.facts();
    let prologue = match &facts {
        Ok(facts) => design.design().prologue(*facts),
        Err(_) => Prologue::default(),
    };
    let prepared = match &facts {
        Ok(_) => judged.fix_up(prologue),
        Err(_) => judged.fix_up_unverified(prologue),
    };
    let listing = match prepared.or_else(|_| judged.fix_up_unverified(Prologue::default())) {
        Ok(prepared) => (*prepared.listing()).clone(),
        Err(_) => Default::default(),
    };
    let line = |insn: usize| {
        let found = listing.lines.iter().position(|l| l.written == Some(insn));
        found.and_then(|line| u32::try_from(line).ok())
    };
    Judged {
        file: object.name.clone(),
        kind: program.prog_type.name().to_owned(),
        refused: facts.as_ref().err().map(|error| match error {
            LoadError::Refused { insn, why, .. } => (line(*insn), why.clone()),
            other => (None, other.to_string()),
        }),
        held: judged
            .held()
            .iter()
            .map(|held| (held.register, held.what.clone()))
            .collect(),
        warnings: judged
            .leniency()
            .iter()
            .map(|warning| (line(warning.insn()).unwrap_or(0), warning.to_string()))
            .collect(),
        loads_data_meta: facts.as_ref().is_ok_and(|facts| facts.loads_data_meta),
        writes_packet: facts.as_ref().is_ok_and(|facts| facts.writes_packet),
        listing,
    }
}

/// The runs with at least one instruction in the trace.
fn runs(trace: &Trace, programs: &[Judged]) -> Vec<RunInfo> {
    let mut lens = vec![0u32; trace.runs.len()];
    for step in &trace.steps {
        if let StepKind::Insn { run, .. } = step.kind
            && let Some(len) = lens.get_mut(run)
        {
            *len += 1;
        }
    }
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut out = Vec::new();
    for ((number, run), len) in (0u32..).zip(&trace.runs).zip(lens) {
        let dev = match &run.dev.netns {
            Some(netns) => format!("{netns}/{}", run.dev.name),
            None => run.dev.name.clone(),
        };
        let count = seen.entry((run.program.clone(), dev.clone())).or_default();
        *count += 1;
        let same = |judged: &Judged| judged.listing == *run.listing;
        let named = |judged: &Judged| judged.listing.program == run.program;
        let program = programs.iter().rposition(same);
        let program = program.or_else(|| programs.iter().rposition(named));
        if len > 0 {
            out.push(RunInfo {
                run: number,
                program: program.unwrap_or(0) as u32,
                hook: run.hook.to_owned(),
                dev,
                occurrence: *count,
                len,
                verdict: run.verdict,
            });
        }
    }
    out
}
