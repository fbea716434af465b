//! The program pane's side of the worker: it keeps the trace of the work that was studied last, and shows
//! any moment of a run of it. A trace of a million instructions stays here; the page gets one moment.

mod check;
mod moment;
mod packet;
mod study;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_core::bpf::Object;
use headroom_core::limits::Limits;
use headroom_core::stepping::{MapsAt, RunIndex, Stepper};
use headroom_core::trace::Trace;
use headroom_core::trace::replay::Memory;
use headroom_protocol::program::{Ask, Reply, Way};
use headroom_protocol::{decode, encode};

/// What was studied last.
pub struct Studio {
    work: Option<Work>,
    /// What each answer may take.
    pub limits: Limits,
}

/// Bytes that a trace may take in a browser: one of a million instructions takes less than 200 MB, and while it is handed
/// over there are two of it.
const MEMORY: usize = 256 << 20;

impl Default for Studio {
    fn default() -> Self {
        let limits = Limits {
            memory: MEMORY,
            ..Limits::default()
        };
        Self { work: None, limits }
    }
}

/// A piece of work that ran.
struct Work {
    objects: Vec<Object>,
    trace: Trace,
    /// Runs that were looked at.
    indexes: BTreeMap<u32, Arc<RunIndex>>,
    /// Maps that were looked at, by object.
    maps: BTreeMap<u32, MapsAt>,
    /// The buffers after a step.
    memory: Option<(usize, Memory)>,
}

impl Studio {
    /// Answers an encoded [`Ask`] with an encoded [`Reply`].
    pub fn answer(&mut self, ask: &[u8]) -> Vec<u8> {
        encode(&match decode::<Ask>(ask) {
            Ok(ask) => self.reply(ask),
            Err(_) => Reply::Gone,
        })
    }

    /// Answers.
    pub fn reply(&mut self, ask: Ask) -> Reply {
        match ask {
            Ask::Study(job) => {
                // The old trace goes before the new one is made: both together could be too large.
                self.work = None;
                let (study, work) = study::study(&job, self.limits);
                self.work = work;
                Reply::Study(study)
            }
            Ask::Go { run, from, way, of } => {
                let work = self.work.as_mut();
                let moment = work.and_then(|work| work.go(run, from, way, of));
                moment.map_or(Reply::Gone, |moment| Reply::Moment(Box::new(moment)))
            }
            Ask::Check { objects, designs } => {
                Reply::Checked(check::check(&objects, &designs, self.limits))
            }
            // It comes with a file, and is answered in `crate::capture`.
            Ask::Capture(_) => Reply::Gone,
        }
    }
}

impl Work {
    fn index(&mut self, run: u32) -> Option<Arc<RunIndex>> {
        if let Some(index) = self.indexes.get(&run) {
            return Some(Arc::clone(index));
        }
        let index = Arc::new(RunIndex::new(&self.trace, run as usize)?);
        self.indexes.insert(run, Arc::clone(&index));
        Some(index)
    }

    fn go(
        &mut self,
        run: u32,
        from: u32,
        way: Way,
        of: Option<u8>,
    ) -> Option<headroom_protocol::program::Moment> {
        let index = self.index(run)?;
        let mut stepper = Stepper::resume(&self.trace, index, from as usize)?;
        let insns = |stops: &[u32]| stops.iter().map(|insn| *insn as usize).collect::<Vec<_>>();
        match way {
            Way::To(at) => stepper.go(at as usize),
            Way::Into => drop(stepper.step_into()),
            Way::Over => drop(stepper.step_over()),
            Way::Out => drop(stepper.step_out()),
            Way::Back => drop(stepper.back()),
            Way::BackOver => drop(stepper.back_over()),
            Way::Run(stops) => drop(stepper.run_to(&stops.lines, &insns(&stops.insns))),
            Way::RunBack(stops) => drop(stepper.run_back_to(&stops.lines, &insns(&stops.insns))),
        }
        let moment = moment::of(&stepper, run);
        let object = self.trace.run_objects.get(run as usize);
        let object = object.and_then(|number| self.objects.get(*number as usize));
        let maps = object.map_or(&[][..], |object| &object.maps);
        let made = of.map(|register| moment::chain(&stepper, register, maps));
        let step = stepper.step();
        let (packet, marks) = packet::rows(&stepper, &self.trace, &mut self.memory);
        Some(headroom_protocol::program::Moment {
            packet,
            marks,
            maps: self.maps_after(run, step),
            chain: made.unwrap_or_default(),
            ..moment
        })
    }

    /// The maps of a run's object after a step, with what the step changed.
    fn maps_after(&mut self, run: u32, step: usize) -> Vec<headroom_protocol::program::MapView> {
        let trace = &self.trace;
        let number = trace.run_objects.get(run as usize).copied();
        let Some((number, object)) = number.and_then(|n| Some((n, self.objects.get(n as usize)?)))
        else {
            return Vec::new();
        };
        if object.maps.is_empty() {
            return Vec::new();
        }
        if !self.maps.contains_key(&number)
            && let Some(maps) = MapsAt::new(trace, number, object)
        {
            self.maps.insert(number, maps);
        }
        let Some(maps) = self.maps.get_mut(&number) else {
            return Vec::new();
        };
        let before = maps.state_before(trace, step);
        let after = maps.state(trace, step);
        moment::maps(&before, &after)
    }
}
