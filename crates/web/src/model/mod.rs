//! The state of a scenario page and everything derived from it. Components read, and call the
//! few actions here; nothing else changes state.

mod actions;
mod derive;
mod runs;
mod search;

use std::ops::Range;
use std::sync::Arc;

use crate::prelude::*;
use headroom_core::scene::align::find;
use headroom_core::scene::name::StepName;
use headroom_core::scene::opening::opening;
use headroom_core::scene::{Row, Scale, align};
use headroom_core::trace::Trace;

use self::derive::{sends, sentences, traces};
use crate::address::Place;
use crate::data::{Input, Outcome, Problem, Scenario};
use crate::frame::{Frame, Kept};
use crate::platform;
use crate::view::{Show, View};

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
    /// Beside others, on the page that compares.
    Compare,
    /// As a picture on the start page, whose address is not its own.
    Picture,
}

impl Kind {
    /// Whether the reader's habits hold there.
    fn remembers(self) -> bool {
        matches!(self, Self::Page | Self::Compare)
    }
}

/// A byte that the reader looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Index into [`DESIGNS`].
    pub design: usize,
    /// Offset from `head`.
    pub offset: u32,
}

impl Selected {
    /// The one that an address names.
    fn of(place: &Place) -> Option<Self> {
        let design = place.front();
        place.byte.map(|offset| Self { design, offset })
    }
}

/// What a page starts from: a scenario's texts, its traces, and what was wrong with one.
pub type Loaded = (Scenario, Outcome, Option<Problem>);

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
    pub outcome: RwSignal<Arc<Outcome>>,
    /// The run of the scenario's own input.
    own: StoredValue<Arc<Outcome>>,
    /// Counts the runs that were begun, so that the end of an old one changes nothing.
    begun: StoredValue<u32>,
    /// A run is being made.
    pub busy: RwSignal<bool>,
    /// Of the designs that it was asked for: how many are there, and how many there will be.
    pub progress: RwSignal<(usize, usize)>,
    /// What is wrong with the input now.
    pub problem: RwSignal<Option<Problem>>,
    /// What is wrong with the address.
    pub notices: RwSignal<Vec<String>>,
    /// The shown designs: those of the place whose traces are there.
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
    /// What to say of the step, and of which designs.
    pub said: Memo<Vec<(Vec<usize>, String)>>,
    /// Offsets to places, common to the shown designs.
    pub scale: Memo<Arc<Scale>>,
    /// What is shown, to scale or folded, and how fast it plays.
    pub view: Memo<View>,
    /// The design whose bytes and program are shown in the lower panels.
    pub front: Memo<usize>,
    /// The byte the reader points at or has chosen. What was chosen is in the place too.
    pub selected: RwSignal<Option<Selected>>,
    /// Steps follow each other by themselves.
    pub playing: RwSignal<bool>,
    /// What the reader looks for.
    pub query: RwSignal<String>,
    /// Where that is; playing stops there.
    pub found: Memo<search::Found>,
    /// What the live region says.
    pub spoken: RwSignal<String>,
    /// How a page whose address is not all of it makes its link.
    pub own_link: StoredValue<Option<Callback<Option<String>>>>,
}

/// Whether the reader drew to scale last time.
#[must_use]
pub fn to_scale() -> bool {
    platform::stored(SCALE).is_some()
}

/// Who draws to scale does so on every page that remembers it, whatever its address says.
pub fn keep_habits(place: &mut Place, remembers: bool) {
    if remembers && to_scale() && !place.view.has(Show::Scale) {
        place.view = place.view.toggled(Show::Scale);
    }
}

/// Where that is kept.
pub const SCALE: &str = "scale";

fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    a.zip(b).is_some_and(|(a, b)| Arc::ptr_eq(a, b))
}

impl Model {
    /// A page for a scenario, at a place.
    #[must_use]
    pub fn new(loaded: Loaded, place: Place, kind: Kind, notices: Vec<String>) -> Self {
        let (scenario, outcome, problem) = loaded;
        let input = RwSignal::new(Input {
            commands: scenario.commands.clone(),
            objects: Arc::default(),
        });
        let own = Arc::new(outcome);
        let outcome = RwSignal::new(own.clone());
        let place = RwSignal::new(place);
        let notices = RwSignal::new(notices);

        let designs = Memo::new(move |_| {
            let wanted = place.with(|place| place.designs.clone());
            let there = |design: &usize| outcome.with(|o| o.trace(*design).is_some());
            wanted.into_iter().filter(there).collect::<Vec<_>>()
        });
        let zoom = Memo::new(move |_| place.with(|place| place.zoom));
        let shown = Memo::new(move |_| (designs.get(), zoom.get()));
        let rows = Memo::new_with_compare(
            move |_| {
                let (designs, zoom) = shown.get();
                let traces: Vec<Arc<Trace>> = traces(outcome, &designs);
                let borrowed: Vec<&Trace> = traces.iter().map(AsRef::as_ref).collect();
                Arc::new(align(&borrowed, zoom))
            },
            |a, b| !same(a, b),
        );
        let at = Memo::new(move |before: Option<&usize>| {
            let rows = rows.get();
            // A step goes to a neighbour; only a jump is looked for in the whole run.
            let near = |name: &StepName| {
                let from = before?.saturating_sub(1);
                let nearby = rows.get(from..(from + 3).min(rows.len()))?;
                Some(from + nearby.iter().position(|row| row.name == *name)?)
            };
            place.with(|place| match &place.at {
                Some(name) => {
                    near(name).unwrap_or_else(|| find(&rows, name).map_or(0, |(row, _)| row))
                }
                None => opening(&rows, &traces(outcome, &designs.get())),
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
        let mut kept = Kept::default();
        let frames = Memo::new(move |_| {
            let (designs, _) = shown.get();
            let (rows, row) = (rows.get(), at.get());
            let traces = traces(outcome, &designs);
            let of = |(column, (design, trace)): (usize, (&usize, &Arc<Trace>))| {
                Frame::new(*design, trace, &rows, row, column, &mut kept).map(Arc::new)
            };
            designs
                .iter()
                .zip(&traces)
                .enumerate()
                .filter_map(of)
                .collect::<Vec<_>>()
        });
        let said = Memo::new(move |_| {
            let (rows, row) = (rows.get(), at.get());
            frames.with(|frames| sentences(rows.get(row), frames))
        });
        // What the build drew of the start page is folded, and a slide has no storage.
        place.update(|place| keep_habits(place, kind.remembers()));
        let view = Memo::new(move |_| place.with(|place| place.view));
        let buffers = Memo::new(move |_| {
            let of = |frame: &Arc<Frame>| Some((frame.design, frame.buffer_no?, frame.reach()));
            frames.with(|frames| frames.iter().filter_map(of).collect::<Vec<_>>())
        });
        let scale = Memo::new(move |_| {
            let shown = buffers.get();
            let all = outcome.get();
            let pairs: Vec<_> = shown
                .into_iter()
                .filter_map(|(design, buffer, reach)| {
                    Some((all.trace(design)?.as_ref(), buffer, reach))
                })
                .collect();
            let scale = Scale::compressed_in(&pairs);
            let end = scale.pieces.last().map_or(1, |piece| piece.end);
            Arc::new(if view.get().has(Show::Scale) {
                Scale::linear(end)
            } else {
                scale
            })
        });
        let query = RwSignal::new(place.with_untracked(|place| place.find.clone()));
        let found = Memo::new(move |_| {
            let (designs, _) = shown.get();
            query.with(|text| search::found(text, &rows.get(), outcome, &designs))
        });
        let front = Memo::new(move |_| place.with(Place::front));
        let model = Self {
            scenario: StoredValue::new(scenario),
            place,
            kind,
            input,
            outcome,
            own: StoredValue::new(own),
            begun: StoredValue::new(0),
            busy: RwSignal::new(false),
            progress: RwSignal::new((0, 0)),
            problem: RwSignal::new(problem),
            notices,
            designs,
            rows,
            at,
            sends,
            send,
            frames,
            said,
            scale,
            view,
            front,
            selected: RwSignal::new(place.with_untracked(Selected::of)),
            playing: RwSignal::new(false),
            query,
            found,
            spoken: RwSignal::new(String::new()),
            own_link: StoredValue::new(None),
        };
        effect(move || model.fill());
        model
    }

    /// The trace of a design in the last run that worked.
    #[must_use]
    pub fn trace(&self, design: usize) -> Option<Arc<Trace>> {
        self.outcome.with(|outcome| outcome.trace(design).cloned())
    }

    /// The names of a design's steps.
    #[must_use]
    pub fn names(&self, design: usize) -> Arc<Vec<StepName>> {
        self.outcome
            .with(|outcome| outcome.names(design).cloned())
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
}
