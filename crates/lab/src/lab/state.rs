//! The lab's state: the work with its history, kept in the browser, run at each change.

use std::collections::VecDeque;
use std::time::Duration;

use headroom_core::scenario::graph::Graph;
use headroom_core::scenario::{Parsed, parse};
use headroom_core::share::Work;
use headroom_web::data::{Input, simulator};
use headroom_web::model::{Loaded, Model};
use leptos::ev::Custom;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::check::Checks;
use super::keep::{leave_the_link, objects, size_of_work};
use super::opening::{nothing_of, scenario, template};
use super::reading::Reading;
use super::seen;
use crate::edit;
use crate::history::History;

/// Where the work is kept.
pub(super) const KEY: &str = "lab-work";
/// Most bytes of packets and programs that the states of the history hold together.
const MOST_KEPT: usize = 48 << 20;
/// Bytes of work from which on it is written and stored in turns of their own.
const LARGE: usize = 64 << 10;
/// How long to wait after the last change.
const PAUSE: Duration = Duration::from_millis(300);
/// A pause in typing after which it is a new step of the history.
const LONG_PAUSE: Duration = Duration::from_millis(1500);

/// What the left side shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// The commands.
    Commands,
    /// The programs.
    Programs,
    /// The packets.
    Packets,
    /// The programs' maps.
    Maps,
}

impl Tab {
    /// All, in their order, with their words.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Commands, "Commands"),
        (Self::Programs, "Programs"),
        (Self::Maps, "Maps"),
        (Self::Packets, "Packets"),
    ];

    /// The word in addresses; none for the first.
    pub fn word(self) -> Option<String> {
        let found = Self::ALL.iter().skip(1).find(|(tab, _)| *tab == self);
        found.map(|(_, word)| word.to_lowercase())
    }

    /// The tab of a word; the first, if there is none like that.
    pub fn of(word: &str) -> Self {
        let is = |(_, known): &&(Self, &str)| known.eq_ignore_ascii_case(word);
        Self::ALL
            .iter()
            .find(is)
            .map_or(Self::Commands, |(tab, _)| *tab)
    }
}

/// All of it.
#[derive(Clone, Copy)]
pub struct Lab {
    /// The work as it is now.
    pub work: RwSignal<Work>,
    history: StoredValue<History<Work>>,
    /// Counts changes of the history, for the buttons.
    changes: RwSignal<u32>,
    /// What is shown of the result.
    pub model: Model,
    /// Which tab.
    pub tab: RwSignal<Tab>,
    /// The reader ended the last run before its end.
    pub stopped: RwSignal<bool>,
    /// Index of the packet that is looked at.
    pub packet: RwSignal<usize>,
    /// A line of the commands, 1-based, that the editor is to show.
    pub line: RwSignal<Option<usize>>,
    /// What a reader should know: broken parts of a link, a full storage.
    pub notices: RwSignal<Vec<String>>,
    /// What the verifier says of the programs.
    pub checks: Checks,
    /// The capture that is read in a worker.
    pub reading: RwSignal<Option<Reading>>,
    /// Files that were dropped: the one that is taken in, and those that wait for it.
    pub arriving: StoredValue<VecDeque<File>, LocalStorage>,
    /// The reader has changed something.
    own: StoredValue<bool>,
    /// A change waits for its run.
    timer: StoredValue<Option<TimeoutHandle>>,
    pause: StoredValue<Option<TimeoutHandle>>,
    /// The text of the work waits to be stored.
    pub(super) storing: StoredValue<Option<TimeoutHandle>>,
}

impl Lab {
    /// Starts with a piece of work.
    pub fn new(mut work: Work, loaded: Loaded, mut notices: Vec<String>) -> Self {
        let (place, unread) = seen::read(&loaded.0.id, &mut work);
        notices.extend(unread);
        let own = template(&loaded.0) == work;
        let model = Model::new(loaded, place, super::KIND, Vec::new());
        // What the template became says nothing of work that is no longer it.
        if !own {
            model.outcome.set(std::sync::Arc::default());
        }
        let lab = Self {
            work: RwSignal::new(work.clone()),
            history: StoredValue::new(History::new(work)),
            changes: RwSignal::new(0),
            model,
            tab: RwSignal::new(Tab::of(
                &seen::value(&seen::now().0, "tab").unwrap_or_default(),
            )),
            stopped: RwSignal::new(false),
            packet: RwSignal::new(0),
            line: RwSignal::new(None),
            notices: RwSignal::new(notices),
            checks: Checks::new(),
            reading: RwSignal::new(None),
            arriving: StoredValue::new_local(VecDeque::new()),
            own: StoredValue::new(false),
            timer: StoredValue::new(None),
            pause: StoredValue::new(None),
            storing: StoredValue::new(None),
        };
        lab.run();
        lab.checks.follow(lab);
        lab.follow_address();
        lab.keep_in_time();
        lab
    }

    /// What was typed last is kept also when the page goes before the pause is over.
    fn keep_in_time(self) {
        let going = move |_: web_sys::Event| {
            if self.own.try_get_value() == Some(true) {
                self.keep();
            }
        };
        let left = window_event_listener(Custom::<web_sys::Event>::new("pagehide"), going);
        let hidden =
            window_event_listener(Custom::<web_sys::Event>::new("visibilitychange"), going);
        on_cleanup(move || {
            left.remove();
            hidden.remove();
            let waits = self.timer.get_value().is_some() || self.storing.get_value().is_some();
            never(self.timer);
            never(self.pause);
            if waits {
                self.keep();
            }
        });
    }

    /// Changes the work; `about` as in [`History::change`].
    pub fn change(&self, about: Option<&'static str>, change: impl FnOnce(&mut Work)) {
        let mut work = self.work.get_untracked();
        change(&mut work);
        if work == self.work.get_untracked() {
            return;
        }
        let most = (MOST_KEPT / size_of_work(&work)).max(2);
        self.history.update_value(|history| {
            history.change(work.clone(), about);
            history.keep_at_most(most);
        });
        self.set(work);
        let history = self.history;
        later(self.pause, LONG_PAUSE, move || {
            history.try_update_value(History::pause);
        });
    }

    fn set(&self, work: Work) {
        self.work.set(work);
        self.changes.update(|n| *n = n.wrapping_add(1));
        let lab = *self;
        // The first change takes the template out of the address, so that a reload finds the reader's own. Together with
        // the change this would keep the page busy where the work is large.
        if !self.own.get_value() {
            self.own.set_value(true);
            if self.work.with_untracked(size_of_work) < LARGE {
                self.keep();
            } else {
                leave_the_link();
                later(self.storing, Duration::ZERO, move || lab.keep_soon());
            }
        }
        later(self.timer, PAUSE, move || {
            lab.timer.set_value(None);
            lab.keep_soon();
            lab.run();
        });
    }

    /// One change back.
    pub fn undo(&self) {
        self.go(History::undo);
    }

    /// One change on.
    pub fn redo(&self) {
        self.go(History::redo);
    }

    fn go(&self, way: fn(&mut History<Work>) -> bool) {
        let mut now = None;
        self.history.update_value(|history| {
            if way(history) {
                now = Some(history.now().clone());
            }
        });
        if let Some(work) = now {
            self.set(work);
        }
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        self.changes.track();
        self.history.with_value(History::can_undo)
    }

    /// Whether there is something taken back.
    pub fn can_redo(&self) -> bool {
        self.changes.track();
        self.history.with_value(History::can_redo)
    }

    /// Takes another piece of work; the one before is one step back.
    pub fn replace(&self, work: Work) {
        self.change(None, |now| *now = work);
    }

    /// Takes a scenario as the work.
    pub fn begin_with(self, id: String) {
        spawn_local(async move {
            match scenario(&id).await {
                Ok(loaded) => {
                    let work = template(&loaded.0);
                    self.model.take(loaded.0, loaded.1);
                    self.replace(work);
                }
                Err(text) => {
                    self.notices.try_update(|all| all.push(text));
                }
            }
        });
    }

    /// Runs the work when its scenario is there: another one, or the one before a template was taken.
    fn run_with(self, id: String) {
        spawn_local(async move {
            let loaded = match scenario(&id).await {
                Ok(loaded) => loaded,
                Err(text) => {
                    self.notices.try_update(|all| all.push(text));
                    nothing_of(&id)
                }
            };
            // It may be another one again by now.
            let wanted = self.work.try_with_untracked(|work| work.scenario == id);
            if wanted == Some(true) {
                self.model.take(loaded.0, loaded.1);
                self.run();
            }
        });
    }

    /// Shows a line of the commands.
    pub fn show_line(&self, line: usize) {
        self.tab.set(Tab::Commands);
        self.line.set(Some(line));
    }

    /// Appends a command.
    pub fn add_command(&self, line: &str) {
        self.change(None, |work| {
            work.commands = edit::at_end(&work.commands, line);
        });
    }

    /// Adds a command for a device, before the first packet if it is there by then.
    pub fn add_for_device(&self, line: &str, netns: &str, dev: &str) {
        let netns = (!netns.is_empty()).then_some(netns);
        self.change(None, |work| {
            work.commands = edit::for_device(&work.commands, line, netns, dev);
        });
    }

    /// Runs the work as it is.
    pub fn run(&self) {
        self.stopped.set(false);
        let work = self.work.get_untracked();
        let known = self.model.scenario.with_value(|texts| texts.id.clone());
        if known != work.scenario {
            return self.run_with(work.scenario);
        }
        self.model.run(Input {
            objects: std::sync::Arc::new(objects(&work)),
            commands: work.commands,
        });
    }

    /// Ends the run that is being made.
    pub fn cancel(&self) {
        simulator::cancel();
        self.model.busy.set(false);
    }

    /// What the commands say, as far as they are understood.
    pub fn parsed(&self) -> Parsed {
        let text = self.work.with(|work| work.commands.clone());
        if let Ok(parsed) = parse(&text) {
            return parsed;
        }
        // Up to the line that is being typed.
        let mut parsed = Parsed::default();
        for line in text.lines() {
            parsed
                .lines
                .extend(parse(line).map(|parsed| parsed.lines).unwrap_or_default());
        }
        parsed
    }

    /// The topology of the commands.
    pub fn graph(&self) -> Graph {
        Graph::of(&self.parsed().lines)
    }
}

/// What was to be done later is not done.
pub fn never(slot: StoredValue<Option<TimeoutHandle>>) {
    if let Some(Some(waiting)) = slot.try_update_value(Option::take) {
        waiting.clear();
    }
}

/// Does something later, unless it is asked for again before.
pub fn later(slot: StoredValue<Option<TimeoutHandle>>, after: Duration, act: impl Fn() + 'static) {
    never(slot);
    slot.try_set_value(set_timeout_with_handle(act, after).ok());
}
