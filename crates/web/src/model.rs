//! The state of a scenario page and everything derived from it. Components read, and call the
//! few actions here; nothing else changes state.

use std::ops::Range;
use std::sync::Arc;

use headroom_core::scene::align::find;
use headroom_core::scene::explain::reads_at;
use headroom_core::scene::name::{Point, StepName};
use headroom_core::scene::{Row, Scale, Zoom, align, sentence};
use headroom_core::trace::{Trace, Verdict};
use leptos::prelude::*;

use crate::address::{Address, Place};
use crate::engine::{self, DESIGNS, Input, Outcome, Problem, Scenario};
use crate::frame::Frame;
use crate::platform;

/// How a step was reached: what Back does, and what is said aloud, depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A deliberate jump: Back returns from it.
    Jump,
    /// Stepping or scrubbing.
    Step,
    /// Playing.
    Play,
}

/// Where the stepper is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On the scenario's page.
    Page,
    /// Alone, in a frame.
    Embed,
    /// As a picture on the start page, whose address is not its own.
    Picture,
}

/// A byte that the reader looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Index into [`DESIGNS`].
    pub design: usize,
    /// Offset from `head`.
    pub offset: u32,
}

/// All state of a scenario page.
#[derive(Clone, Copy)]
pub struct Model {
    /// The scenario's own texts.
    pub scenario: StoredValue<Scenario>,
    /// Where one is.
    pub place: RwSignal<Place>,
    /// Where it is shown.
    pub kind: Kind,
    /// What is simulated, as the reader left it.
    pub input: RwSignal<Input>,
    /// The last run that worked.
    pub outcome: RwSignal<Option<Arc<Outcome>>>,
    /// What is wrong with the input now.
    pub problem: RwSignal<Option<Problem>>,
    /// What is wrong with the address.
    pub notices: RwSignal<Vec<String>>,
    /// The shown designs.
    pub designs: Memo<Vec<usize>>,
    /// Steps of the shown designs, lined up.
    pub rows: Memo<Arc<Vec<Row>>>,
    /// Index of the current row.
    pub at: Memo<usize>,
    /// The rows of each packet that was sent: what happens from one outermost call to the next.
    pub sends: Memo<Vec<Range<usize>>>,
    /// Index into `sends` of the current row.
    pub send: Memo<usize>,
    /// What each shown design shows.
    pub frames: Memo<Vec<Arc<Frame>>>,
    /// Offsets to places, common to the shown designs.
    pub scale: Memo<Arc<Scale>>,
    /// Draw to scale, nothing folded.
    pub linear: RwSignal<bool>,
    /// The design whose bytes and program are shown in the lower panels.
    pub front: RwSignal<usize>,
    /// The byte the reader points at or has chosen.
    pub selected: RwSignal<Option<Selected>>,
    /// Steps follow each other by themselves.
    pub playing: RwSignal<bool>,
    /// What the live region says.
    pub spoken: RwSignal<String>,
}

fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    a.zip(b).is_some_and(|(a, b)| Arc::ptr_eq(a, b))
}

impl Model {
    /// A page for a scenario, at a place.
    #[must_use]
    pub fn new(scenario: Scenario, place: Place, kind: Kind, notices: Vec<String>) -> Self {
        let input = RwSignal::new(scenario.input.clone());
        let (outcome, problem) = match engine::run(&scenario.id, &scenario.input) {
            Ok(outcome) => (Some(Arc::new(outcome)), None),
            Err(problem) => (None, Some(problem)),
        };
        let outcome = RwSignal::new(outcome);
        let place = RwSignal::new(place);
        let notices = RwSignal::new(notices);

        let designs = Memo::new(move |_| place.with(|place| place.designs.clone()));
        let shown = Memo::new(move |_| place.with(|place| (place.designs.clone(), place.zoom)));
        let rows = Memo::new_with_compare(
            move |_| {
                let (designs, zoom) = shown.get();
                let traces: Vec<Arc<Trace>> = traces(outcome, &designs);
                let borrowed: Vec<&Trace> = traces.iter().map(AsRef::as_ref).collect();
                Arc::new(align(&borrowed, zoom))
            },
            |a, b| !same(a, b),
        );
        let at = Memo::new(move |_| {
            let rows = rows.get();
            place.with(|place| match &place.at {
                Some(name) => find(&rows, name).map_or(0, |(row, _)| row),
                None => opening(&rows, &traces(outcome, &place.designs)),
            })
        });
        let sends = Memo::new(move |_| {
            let (designs, _) = shown.get();
            sends(&rows.get(), &traces(outcome, &designs))
        });
        let send = Memo::new(move |_| {
            sends.with(|sends| {
                sends
                    .iter()
                    .rposition(|send| send.start <= at.get())
                    .unwrap_or(0)
            })
        });
        let frames = Memo::new(move |_| {
            let (designs, _) = shown.get();
            let (rows, row) = (rows.get(), at.get());
            let traces = traces(outcome, &designs);
            let of = |(column, (design, trace)): (usize, (&usize, &Arc<Trace>))| {
                Frame::new(*design, trace, &rows, row, column).map(Arc::new)
            };
            designs
                .iter()
                .zip(&traces)
                .enumerate()
                .filter_map(of)
                .collect::<Vec<_>>()
        });
        let linear = RwSignal::new(false);
        let buffers = Memo::new(move |_| {
            frames.with(|frames| {
                frames
                    .iter()
                    .map(|f| (f.design, f.buffer_no))
                    .collect::<Vec<_>>()
            })
        });
        let scale = Memo::new(move |_| {
            let shown = buffers.get();
            let all = outcome.get();
            let pairs: Vec<_> = shown
                .iter()
                .filter_map(|(design, buffer)| {
                    Some((all.as_ref()?.traces.get(*design)?.as_ref(), (*buffer)?))
                })
                .collect();
            let scale = Scale::compressed(&pairs);
            let end = scale.pieces.last().map_or(1, |piece| piece.end);
            Arc::new(if linear.get() {
                Scale::linear(end)
            } else {
                scale
            })
        });
        let front = RwSignal::new(
            place.with_untracked(|place| place.designs.first().copied().unwrap_or(0)),
        );
        Self {
            scenario: StoredValue::new(scenario),
            place,
            kind,
            input,
            outcome,
            problem: RwSignal::new(problem),
            notices,
            designs,
            rows,
            at,
            sends,
            send,
            frames,
            scale,
            linear,
            front,
            selected: RwSignal::new(None),
            playing: RwSignal::new(false),
            spoken: RwSignal::new(String::new()),
        }
    }

    /// The trace of a design in the last run that worked.
    #[must_use]
    pub fn trace(&self, design: usize) -> Option<Arc<Trace>> {
        self.outcome
            .with(|outcome| outcome.as_ref()?.traces.get(design).cloned())
    }

    /// The names of a design's steps.
    #[must_use]
    pub fn names(&self, design: usize) -> Arc<Vec<StepName>> {
        self.outcome
            .with(|outcome| {
                outcome
                    .as_ref()
                    .and_then(|outcome| outcome.names.get(design).cloned())
            })
            .unwrap_or_default()
    }

    /// The frame of a design, if it is shown.
    #[must_use]
    pub fn frame(&self, design: usize) -> Option<Arc<Frame>> {
        self.frames
            .with(|frames| frames.iter().find(|frame| frame.design == design).cloned())
    }

    /// The frame of the design in front.
    #[must_use]
    pub fn front_frame(&self) -> Option<Arc<Frame>> {
        let front = self.front.get();
        self.frame(front)
            .or_else(|| self.frames.with(|frames| frames.first().cloned()))
    }

    /// What to say when the step of the address is not in this run.
    #[must_use]
    pub fn check_step(&self) -> Option<String> {
        let name = self.place.with_untracked(|place| place.at.clone())?;
        let rows = self.rows.get_untracked();
        let found = find(&rows, &name);
        let instead = rows
            .get(found.map_or(0, |(row, _)| row))
            .map(|row| row.name.to_string())
            .unwrap_or_default();
        match found {
            Some((_, true)) => None,
            _ => Some(format!(
                "There is no step {name} in this run; this is {instead}."
            )),
        }
    }

    /// The rows of the packet that the current row belongs to.
    #[must_use]
    pub fn rows_here(&self) -> Range<usize> {
        let send = self.send.get();
        self.sends
            .with(|sends| sends.get(send).cloned())
            .unwrap_or(0..self.rows.with(|rows| rows.len()))
    }

    /// Goes to a row.
    pub fn go(&self, row: usize, by: By) {
        let rows = self.rows.get_untracked();
        let Some(row) = rows.get(row.min(rows.len().saturating_sub(1))) else {
            return;
        };
        self.go_to(row.name.clone(), by);
    }

    /// Goes to a named step.
    pub fn go_to(&self, name: StepName, by: By) {
        if by != By::Play {
            self.playing.set(false);
        }
        self.notices.update(Vec::clear);
        if self
            .place
            .with_untracked(|place| place.at.as_ref() == Some(&name))
        {
            return;
        }
        self.place.update(|place| place.at = Some(name));
        self.write(by == By::Jump);
        if by != By::Play {
            self.speak();
        }
    }

    /// Goes some rows on or back.
    pub fn step(&self, by: isize) {
        let at = self.at.get_untracked();
        self.go(at.saturating_add_signed(by), By::Step);
    }

    /// Goes to the last row.
    pub fn last(&self) {
        self.go(usize::MAX, By::Step);
    }

    /// Starts or stops playing; at the end it starts over.
    pub fn toggle_play(&self) {
        let playing = !self.playing.get_untracked();
        if playing && self.at.get_untracked() + 1 >= self.rows.with_untracked(|rows| rows.len()) {
            self.go(0, By::Play);
        }
        self.playing.set(playing);
    }

    /// One step of playing; stops at the end.
    pub fn play_on(&self) {
        let at = self.at.get_untracked();
        if at + 1 < self.rows.with_untracked(|rows| rows.len()) {
            self.go(at + 1, By::Play);
        } else {
            self.playing.set(false);
        }
    }

    /// Sets the zoom level and stays at the same moment.
    pub fn zoom(&self, zoom: Zoom) {
        if self.place.with_untracked(|place| place.zoom == zoom) {
            return;
        }
        let name = self.rows.with_untracked(|rows| {
            rows.get(self.at.get_untracked())
                .map(|row| row.name.clone())
        });
        self.place.update(|place| {
            place.zoom = zoom;
            place.at = name.map(|name| settle(name, zoom));
        });
        self.write(true);
        self.speak();
    }

    /// Shows or hides a design; one always stays.
    pub fn toggle_design(&self, design: usize) {
        let shown = self.place.with_untracked(|place| place.designs.clone());
        let mut next: Vec<usize> = shown.iter().copied().filter(|d| *d != design).collect();
        if next.len() == shown.len() {
            next.push(design);
            next.sort_unstable();
        }
        self.show_designs(next);
    }

    /// Both, the first alone, the second alone, both.
    pub fn next_designs(&self) {
        let shown = self.place.with_untracked(|place| place.designs.clone());
        let next = match shown.as_slice() {
            [one] if one + 1 < DESIGNS.len() => vec![one + 1],
            [_] => (0..DESIGNS.len()).collect(),
            _ => vec![0],
        };
        self.show_designs(next);
    }

    fn show_designs(&self, designs: Vec<usize>) {
        let Some(first) = designs.first().copied() else {
            return;
        };
        if !designs.contains(&self.front.get_untracked()) {
            self.front.set(first);
        }
        let here = self.rows.with_untracked(|rows| {
            rows.get(self.at.get_untracked())
                .map(|row| row.name.clone())
        });
        self.place.update(|place| {
            place.designs = designs;
            place.at = here;
        });
        self.write(true);
    }

    /// The next row after this one at which a shown design reads something that is not the metadata.
    pub fn next_wrong_read(&self) {
        let (rows, at) = (self.rows.get_untracked(), self.at.get_untracked());
        let traces = traces(
            self.outcome,
            &self.place.with_untracked(|place| place.designs.clone()),
        );
        let wrong = wrong_rows(&rows, &traces);
        match wrong.iter().find(|row| **row > at).or(wrong.first()) {
            Some(row) => self.go(*row, By::Jump),
            None => self
                .spoken
                .set("No program reads anything wrong in this run.".into()),
        }
    }

    /// Runs an input; what worked last stays when this does not.
    pub fn run(&self, input: Input) {
        self.input.set(input.clone());
        match engine::run(&self.scenario.with_value(|s| s.id.clone()), &input) {
            Ok(outcome) => {
                self.problem.set(None);
                self.outcome.set(Some(Arc::new(outcome)));
            }
            Err(problem) => self.problem.set(Some(problem)),
        }
    }

    /// The address of what is shown, the step named.
    #[must_use]
    pub fn address(&self) -> Address {
        let mut place = self.place.get();
        let name = self
            .rows
            .with(|rows| rows.get(self.at.get()).map(|row| row.name.clone()));
        place.at = name.or(place.at);
        self.wrap(place)
    }

    fn wrap(&self, place: Place) -> Address {
        match self.kind {
            Kind::Embed => Address::Embed(place),
            Kind::Page | Kind::Picture => Address::Scenario(place),
        }
    }

    fn write(&self, push: bool) {
        if self.kind != Kind::Picture {
            let address = self.wrap(self.place.get_untracked());
            platform::write_address(&address.print(), push);
        }
    }

    /// Says the current step in the live region.
    pub fn speak(&self) {
        self.spoken.set(untrack(|| self.words()));
    }

    /// The current step in words, for each shown design.
    #[must_use]
    pub fn words(&self) -> String {
        let said = self.sentences();
        let many = said.len() > 1;
        let one = |(designs, text): &(Vec<usize>, String)| {
            let names: Vec<&str> = designs
                .iter()
                .filter_map(|d| DESIGNS.get(*d).copied())
                .collect();
            if many {
                format!("{}: {text}", names.join(" and "))
            } else {
                text.clone()
            }
        };
        said.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// What to say, and of which designs; designs of which the same is true are said together.
    #[must_use]
    pub fn sentences(&self) -> Vec<(Vec<usize>, String)> {
        let mut out: Vec<(Vec<usize>, String)> = Vec::new();
        let rows = self.rows.get();
        let name = rows
            .get(self.at.get())
            .map(|row| row.name.what.clone())
            .unwrap_or_default();
        for frame in self.frames.get() {
            let text = if frame.present {
                sentence(&frame.trace, frame.step)
            } else {
                format!("There is no {name} at this point.")
            };
            match out.iter_mut().find(|(_, said)| *said == text) {
                Some((designs, _)) => designs.push(frame.design),
                None => out.push((vec![frame.design], text)),
            }
        }
        out
    }
}

/// The traces of some designs.
fn traces(outcome: RwSignal<Option<Arc<Outcome>>>, designs: &[usize]) -> Vec<Arc<Trace>> {
    outcome.with(|outcome| {
        let all = outcome
            .as_ref()
            .map(|outcome| outcome.traces.as_slice())
            .unwrap_or_default();
        designs
            .iter()
            .filter_map(|design| all.get(*design).cloned())
            .collect()
    })
}

/// Cuts the rows where an outermost call begins.
fn sends(rows: &[Row], traces: &[Arc<Trace>]) -> Vec<Range<usize>> {
    let outermost = |row: &Row| {
        let steps = row
            .steps
            .iter()
            .zip(traces)
            .filter_map(|(step, trace)| trace.steps.get((*step)?));
        row.name.point == Point::Entry && steps.map(|step| step.depth).min() == Some(0)
    };
    let starts: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| outermost(row))
        .map(|(index, _)| index)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([rows.len()]);
    let mut out: Vec<Range<usize>> = starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect();
    match out.first_mut() {
        Some(first) => first.start = 0,
        None => out.push(0..rows.len()),
    }
    out
}

/// Where a scenario opens: at the first wrong read, which is what it is about; else at the start.
fn opening(rows: &[Row], traces: &[Arc<Trace>]) -> usize {
    wrong_rows(rows, traces).first().copied().unwrap_or(0)
}

/// Rows at which a program run has ended that read something else than its metadata.
#[must_use]
pub fn wrong_rows(rows: &[Row], traces: &[Arc<Trace>]) -> Vec<usize> {
    let wrong = |row: &Row| {
        row.name.point == Point::Exit
            && row.steps.iter().zip(traces).any(|(step, trace)| {
                let reads = step.map(|step| reads_at(trace, step)).unwrap_or_default();
                reads
                    .iter()
                    .any(|read| !matches!(read.verdict, Verdict::Ok | Verdict::None))
            })
    };
    rows.iter()
        .enumerate()
        .filter(|(_, row)| wrong(row))
        .map(|(index, _)| index)
        .collect()
}

/// An instruction has no row at the coarse level; its program's exit stands for it.
fn settle(name: StepName, zoom: Zoom) -> StepName {
    match (name.point, zoom) {
        (Point::Insn(_) | Point::Prologue(_), Zoom::Functions) => StepName {
            point: Point::Exit,
            ..name
        },
        _ => name,
    }
}
