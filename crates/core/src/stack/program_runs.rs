//! Runs of programs: opened in the trace, and carried out over a packet.

use super::{Kernel, Run, Stop, not_covered};
use crate::bpf::{Fault, Host, Prepared, Workshop, run_in};
use crate::scenario::topology::{DevId, ProgId};
use crate::trace::{DevRef, Run as ProgramRun};

/// A name for the trace, if there is one.
fn name_unless(quiet: bool, name: &str) -> String {
    if quiet { String::new() } else { name.into() }
}

impl Kernel {
    /// Opens a run of a program in the trace; without a trace nobody asks for its names.
    pub(super) fn open_run(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
    ) -> Run<usize> {
        let loaded = &self.programs[program.0];
        let prepared = match &loaded.prepared {
            Ok(prepared) => prepared,
            Err(error) => return not_covered(error.to_string()),
        };
        let quiet = self.recorder.quiet;
        let run = ProgramRun {
            program: name_unless(quiet, &loaded.name),
            hook,
            dev: match quiet {
                true => DevRef::default(),
                false => self.topology.dev_ref(dev),
            },
            listing: prepared.listing(),
            verdict: None,
        };
        let object = loaded.maps as u32;
        self.recorder.trace.run_objects.push(object);
        self.recorder.trace.runs.push(run);
        Ok(self.recorder.trace.runs.len() - 1)
    }

    /// A tail call: another program goes on in the place of run `before`, at the same hook.
    pub(super) fn tail_run(&mut self, before: usize, program: &Prepared) -> usize {
        let listing = program.listing();
        let runs = &mut self.recorder.trace.runs;
        let run = ProgramRun {
            program: name_unless(self.recorder.quiet, &listing.program),
            hook: runs[before].hook,
            dev: runs[before].dev.clone(),
            listing,
            verdict: None,
        };
        runs.push(run);
        let now = runs.len() - 1;
        // A map of programs holds programs of its own object.
        let objects = &mut self.recorder.trace.run_objects;
        let object = objects.get(before).copied().unwrap_or(0);
        objects.push(object);
        now
    }

    fn take_workshop(&mut self, program: ProgId) -> Box<Workshop> {
        if self.workshops.len() <= program.0 {
            self.workshops.resize_with(program.0 + 1, || None);
        }
        self.workshops[program.0].take().unwrap_or_default()
    }

    /// Runs `program` over the packet behind `host`; gives r0.
    pub(super) fn bpf_prog_run<'k, H: Host>(
        &'k mut self,
        program: ProgId,
        dev: DevId,
        host: impl FnOnce(&'k mut Self) -> H,
        finish: impl FnOnce(H) -> (&'k mut Self, Option<Box<Stop>>),
    ) -> Run<u64> {
        let maps_of = self.programs[program.0].maps;
        let (Ok(prepared), Some(mut maps)) = (
            self.programs[program.0].prepared.clone(),
            self.maps[maps_of].take(),
        ) else {
            return not_covered("a program that runs while it runs");
        };
        let prologue = prepared.prologue_len() as u64;
        let budget = self.limits.instructions;
        let mut workshop = self.take_workshop(program);
        let mut host = host(self);
        let (result, _) = run_in(&mut workshop, &prepared, &mut maps, &mut host, budget);
        let (kernel, stop) = finish(host);
        kernel.maps[maps_of] = Some(maps);
        kernel.workshops[program.0] = Some(workshop);
        kernel.recorder.trace.cost.prologue_instructions += prologue;
        if let Some(stop) = stop {
            return Err(stop);
        }
        result.map_err(|fault: Fault| {
            Box::new(Stop::Program {
                program: kernel.programs[program.0].name.clone(),
                dev: kernel.topology.dev(dev).name.clone(),
                fault,
            })
        })
    }
}
