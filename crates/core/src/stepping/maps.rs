//! The maps of an object as they were after any step: made anew from its definitions, then every call
//! and store that changed them is done again, by the same code as in the run.

use crate::bpf::{MapKind, MapState, Maps, Object, map_at};
use crate::trace::map_calls::KNOB;
use crate::trace::{MapCall, StepKind, Trace};

/// Snapshots over the whole trace.
const SNAPSHOTS: usize = 16;
/// Maps that are larger than this, in bytes, are not kept in snapshots.
const MOST: usize = 1 << 20;

/// A call or a store: both are kept in the order of steps.
#[derive(Debug, Clone, Copy)]
enum Change {
    Call(usize),
    Store(usize),
}

/// The maps of one object, at a step.
#[derive(Debug, Clone)]
pub struct MapsAt {
    object: u32,
    maps: Maps,
    changes: Vec<(usize, Change)>,
    /// How many changes are done.
    done: usize,
    /// Changes done, and the maps then; the first is the start.
    snapshots: Vec<(usize, Maps)>,
}

impl MapsAt {
    /// Before the first step. `object` is its number in the order of loading. `None` if its maps can't be made.
    #[must_use]
    pub fn new(trace: &Trace, number: u32, object: &Object) -> Option<Self> {
        let maps = Maps::new(object).ok()?;
        let mut of = Self {
            object: number,
            snapshots: vec![(0, maps.clone())],
            maps,
            changes: changes(trace, number),
            done: 0,
        };
        let bytes: u64 = object
            .maps
            .iter()
            .map(|def| u64::from(def.value_size) * u64::from(def.max_entries))
            .sum();
        if bytes < MOST as u64 && of.changes.len() > SNAPSHOTS * 64 {
            for part in 1..SNAPSHOTS {
                of.play(trace, of.changes.len() * part / SNAPSHOTS);
                of.snapshots.push((of.done, of.maps.clone()));
            }
        }
        Some(of)
    }

    /// The maps before the last change that a step made; as [`MapsAt::state`] when it made none.
    pub fn state_before(&mut self, trace: &Trace, step: usize) -> Vec<MapState> {
        let first = self.changes.partition_point(|(at, _)| *at < step);
        self.play(trace, first);
        self.shown(trace)
    }

    /// The maps after a step. Ring buffers and perf events hold what the whole run sent, maps of programs what
    /// they begin with.
    pub fn state(&mut self, trace: &Trace, step: usize) -> Vec<MapState> {
        let wanted = self.changes.partition_point(|(at, _)| *at <= step);
        self.play(trace, wanted);
        self.shown(trace)
    }

    fn shown(&self, trace: &Trace) -> Vec<MapState> {
        let mut state = self.maps.state();
        for map in &mut state {
            if map.def.kind == MapKind::ProgArray {
                let entry = |(index, name): &(u32, String)| {
                    (index.to_le_bytes().to_vec(), name.clone().into_bytes())
                };
                map.entries = map.def.programs.iter().map(entry).collect();
            }
            let left = trace.maps.iter().rev().find(|left| left.def == map.def);
            map.records = left.map(|left| left.records.clone()).unwrap_or_default();
        }
        state
    }

    /// Goes to so many changes done.
    fn play(&mut self, trace: &Trace, wanted: usize) {
        let best = self
            .snapshots
            .iter()
            .rev()
            .find(|(done, _)| *done <= wanted);
        if let Some((done, maps)) = best
            && (self.done > wanted || *done > self.done)
        {
            self.maps.clone_from(maps);
            self.done = *done;
        }
        while self.done < wanted {
            let change = self.changes.get(self.done).map(|(_, change)| *change);
            match change {
                Some(Change::Call(index)) => {
                    if let Some(call) = trace.map_calls.get(index) {
                        repeat(&mut self.maps, call);
                    }
                }
                Some(Change::Store(index)) => {
                    if let Some(store) = trace.stores.get(index) {
                        self.maps.restore(store.address, store.bytes);
                    }
                }
                None => {}
            }
            self.done += 1;
        }
    }

    /// Number of the object.
    #[must_use]
    pub fn object(&self) -> u32 {
        self.object
    }
}

fn repeat(maps: &mut Maps, call: &MapCall) {
    if call.helper == KNOB {
        let four = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
        maps.set_u32("cfg", four(&call.key), four(&call.value));
        return;
    }
    maps.repeat(
        call.map as usize,
        call.helper,
        &call.key,
        &call.value,
        call.flags,
    );
}

/// Calls and stores that concern the maps of an object, in order.
fn changes(trace: &Trace, object: u32) -> Vec<(usize, Change)> {
    let mut calls = trace.map_calls.iter().enumerate().peekable();
    let mut out = Vec::new();
    let mut of = ObjectOf {
        trace,
        at: 0,
        run: None,
    };
    for index in 0..trace.stores.len() {
        let Some(store) = trace.stores.get(index) else {
            break;
        };
        while let Some((number, call)) = calls.next_if(|(_, call)| call.step as usize <= store.step)
        {
            take(&mut out, number, call, object);
        }
        let in_map = matches!(map_at(store.address), Some((_, Some(_))));
        if in_map && of.step(store.step) == Some(object) {
            out.push((store.step, Change::Store(index)));
        }
    }
    for (number, call) in calls {
        take(&mut out, number, call, object);
    }
    out
}

fn take(out: &mut Vec<(usize, Change)>, number: usize, call: &MapCall, object: u32) {
    if call.helper == KNOB || call.object == object {
        out.push((call.step as usize, Change::Call(number)));
    }
}

/// Which object a store belongs to: that of the next instruction's run.
struct ObjectOf<'t> {
    trace: &'t Trace,
    at: usize,
    run: Option<usize>,
}

impl ObjectOf<'_> {
    /// Steps are asked for in order.
    fn step(&mut self, step: usize) -> Option<u32> {
        if self.run.is_none() || self.at < step {
            let steps = self.trace.steps.iter().enumerate().skip(step);
            let next = steps.filter_map(|(at, step)| match step.kind {
                StepKind::Insn { run, .. } => Some((at, run)),
                _ => None,
            });
            let (at, run) = next.take(1).last()?;
            (self.at, self.run) = (at, Some(run));
        }
        self.trace.run_objects.get(self.run?).copied()
    }
}
