//! The lab's state: the work with its history, kept in the browser, run at each change.

use std::time::Duration;

use headroom_core::scenario::graph::Graph;
use headroom_core::scenario::{Parsed, parse};
use headroom_core::share::{self, ProgramText, Work};
use headroom_protocol::Object;
use headroom_protocol::files::Scenario;
use headroom_web::address::{self, Address};
use headroom_web::data::{Input, Outcome, files, simulator};
use headroom_web::model::Model;
use headroom_web::platform;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::seen;
use crate::browser;
use crate::edit;
use crate::history::History;

/// Where the work is kept.
const KEY: &str = "lab-work";
/// How long to wait after the last change.
const PAUSE: Duration = Duration::from_millis(300);
/// A pause in typing after which it is a new step of the history.
const LONG_PAUSE: Duration = Duration::from_millis(1500);
/// Ending of the name of an assembler program, behind its type (`mine.tcx.s`).
pub const ASM: &str = ".s";

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
    /// A line of the commands, 1-based, that the editor is to show.
    pub line: RwSignal<Option<usize>>,
    /// What a reader should know: broken parts of a link, a full storage.
    pub notices: RwSignal<Vec<String>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    pause: StoredValue<Option<TimeoutHandle>>,
}

/// What the page starts from: the link, a template, the work of last time, or the seed scenario.
/// What can't be had is said, and the rest is there.
pub async fn begin() -> (Work, Scenario, Outcome, Vec<String>) {
    let mut notices = Vec::new();
    let (pairs, fragment) = seen::now();
    let wanted = seen::value(&pairs, "s");
    let mut work = None;
    if !fragment.is_empty() {
        match share::from_link(&fragment) {
            Ok(opened) => {
                notices = opened.broken;
                work = Some(opened.work);
            }
            Err(error) => notices.push(format!(
                "The link can't be opened: {error}. This is the work that was here before."
            )),
        }
    }
    if work.is_none() && wanted.is_none() {
        work = platform::stored(KEY)
            .and_then(|text| share::from_link(&text).ok())
            .map(|opened| opened.work);
    }
    let id = match &work {
        Some(work) => work.scenario.clone(),
        None => wanted.unwrap_or_else(|| "seed".into()),
    };
    // A link whose scenario is broken, or of another build, opens all the same: without that scenario's programs.
    let (scenario, outcome) = match scenario(&id).await {
        Ok(known) => known,
        Err(text) => {
            notices.push(text);
            Default::default()
        }
    };
    let mut work = work.unwrap_or_else(|| template(&scenario));
    // What was typed last, if the page then ended by a mistake of its own.
    if let Some(commands) = headroom_web::crash::kept() {
        work.commands = commands;
    }
    (work, scenario, outcome, notices)
}

/// The texts of a scenario, and what the build has simulated of it; without a name, an empty one.
///
/// # Errors
/// A sentence.
pub async fn scenario(id: &str) -> Result<(Scenario, Outcome), String> {
    if id.is_empty() {
        return Ok(Default::default());
    }
    let (scenario, outcome, _) = files::scenario(id, &[]).await?;
    Ok((scenario, outcome))
}

/// The work that a scenario is.
#[must_use]
pub fn template(scenario: &Scenario) -> Work {
    Work {
        commands: scenario.commands.clone(),
        scenario: scenario.id.clone(),
        ..Work::default()
    }
}

impl Lab {
    /// Starts with a piece of work.
    pub fn new(work: Work, scenario: Scenario, outcome: Outcome, mut notices: Vec<String>) -> Self {
        let (place, unread) = seen::read(&scenario.id);
        notices.extend(unread);
        let own = template(&scenario) == work;
        let model = Model::new((scenario, outcome, None), place, super::KIND, Vec::new());
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
            line: RwSignal::new(None),
            notices: RwSignal::new(notices),
            timer: StoredValue::new(None),
            pause: StoredValue::new(None),
        };
        lab.run();
        lab.follow_address();
        lab
    }

    /// Changes the work; `about` as in [`History::change`].
    pub fn change(&self, about: Option<&'static str>, change: impl FnOnce(&mut Work)) {
        let mut work = self.work.get_untracked();
        change(&mut work);
        if work == self.work.get_untracked() {
            return;
        }
        self.history
            .update_value(|history| history.change(work.clone(), about));
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
        later(self.timer, PAUSE, move || {
            lab.keep();
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
        let Some(work) = now else { return };
        let known = self.model.scenario.with_value(|texts| texts.id.clone());
        if work.scenario == known {
            return self.set(work);
        }
        // Back to work that began as another scenario: its programs and traces come with it.
        let lab = *self;
        spawn_local(async move {
            if let Ok((texts, outcome)) = scenario(&work.scenario).await {
                lab.model.take(texts, outcome);
            }
            lab.set(work);
        });
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
        let lab = *self;
        if work.scenario == self.work.with_untracked(|now| now.scenario.clone()) {
            return self.change(None, |now| *now = work);
        }
        spawn_local(async move {
            match scenario(&work.scenario).await {
                Ok((texts, outcome)) => {
                    lab.model.take(texts, outcome);
                    lab.change(None, |now| *now = work);
                }
                Err(text) => lab.notices.update(|all| all.push(text)),
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
        let objects = work.programs.iter().map(|program| Object {
            name: program.name.clone(),
            bytes: match &program.text {
                ProgramText::Object(bytes) => bytes.clone(),
                ProgramText::Assembler(text) => text.as_bytes().to_vec(),
            },
        });
        self.model.run(Input {
            commands: work.commands,
            objects: std::sync::Arc::new(objects.collect()),
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

    /// Keeps the work in this browser.
    fn keep(&self) {
        let text = self.work.with_untracked(share::to_text);
        if browser::try_store(KEY, &text) {
            leave_the_link();
        } else {
            let full = "This browser keeps nothing here (its storage is full or closed): copy the link or save a file to keep the work.";
            self.notices.update(|all| {
                if !all.iter().any(|text| text == full) {
                    all.push(full.into());
                }
            });
        }
    }

    /// The link to the work, in the address and on the clipboard.
    pub fn share(&self) {
        let lab = *self;
        let place = self.model.place.get_untracked();
        match self.link(&place) {
            Err(text) => self.notices.set(vec![text]),
            Ok(address) => {
                platform::write_address(&address, false);
                let whole = platform::full_address(&address);
                let len = whole.len();
                spawn_local(async move {
                    let text = if platform::copy(whole).await {
                        format!(
                            "The link is on the clipboard; it has {len} characters and holds everything."
                        )
                    } else {
                        "The link is in the address bar.".into()
                    };
                    lab.notices.try_set(vec![text]);
                });
            }
        }
    }

    /// The work as a file.
    pub fn save(&self) {
        let bytes = self.work.with_untracked(share::to_bytes);
        browser::save("work.headroom", "application/octet-stream", &bytes);
    }
}

/// Takes the template or the link that the work began with out of the address: it has become the
/// reader's own, and a reload has to find it as it was left. What else stands there stays.
fn leave_the_link() {
    let Address::Lab(rest) = Address::parse(&platform::current_address()).0 else {
        return;
    };
    let query = rest.split('#').next().unwrap_or_default();
    let kept: Vec<String> = address::pairs(query)
        .into_iter()
        .filter(|(key, _)| key != "s")
        .map(|(key, value)| format!("{key}={}", address::encode(&value)))
        .collect();
    let joint = if kept.is_empty() { "" } else { "?" };
    platform::write_address(&format!("/lab{joint}{}", kept.join("&")), false);
}

/// Does something later, unless it is asked for again before.
pub fn later(slot: StoredValue<Option<TimeoutHandle>>, after: Duration, act: impl Fn() + 'static) {
    if let Some(Some(waiting)) = slot.try_get_value() {
        waiting.clear();
    }
    slot.try_set_value(set_timeout_with_handle(act, after).ok());
}
