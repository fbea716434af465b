//! What the verifier says of the programs, asked anew at each change of one, in a worker of its own.

use std::sync::Arc;
use std::time::Duration;

use headroom_protocol::Object;
use headroom_protocol::program::{Ask, Checked, Reply};
use headroom_web::data::files;
use headroom_web::designs::asked;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::keep::objects;
use super::opening::scenario;
use super::state::{Lab, later, never};
use crate::program::link::{self, Whose};

/// How long to wait after the last change.
const PAUSE: Duration = Duration::from_millis(300);

/// What was asked: programs, and names of designs.
type Asked = (Vec<Object>, Vec<String>);

/// Id of a scenario, and its objects or why there are none.
type Own = (String, Result<Arc<Vec<Object>>, String>);

/// What is known of the programs.
#[derive(Clone, Copy)]
pub struct Checks {
    /// The scenario's own objects, once they were wanted.
    pub own: RwSignal<Option<Own>>,
    said: RwSignal<Option<Arc<Said>>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// What was asked last.
    asked: StoredValue<Asked>,
    /// The worker is there, and it is at work.
    worker: StoredValue<(bool, bool)>,
}

struct Said {
    asked: Asked,
    answer: Result<Vec<Checked>, String>,
}

/// What is known of one file.
#[derive(Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet of it as it is now.
    Waits,
    /// The verifier ended by a mistake of its own.
    Broken(String),
    /// Its programs.
    Said(Vec<Checked>),
}

impl Checks {
    /// Nothing known.
    pub fn new() -> Self {
        Self {
            own: RwSignal::new(None),
            said: RwSignal::new(None),
            timer: StoredValue::new(None),
            asked: StoredValue::new(Asked::default()),
            worker: StoredValue::new((false, false)),
        }
    }

    /// What is known of a file as it is now.
    pub fn of(&self, name: &str, bytes: &[u8]) -> Verdict {
        self.said.with(|said| {
            let Some(said) = said else {
                return Verdict::Waits;
            };
            let same = |object: &Object| object.name == name && object.bytes == bytes;
            let Some(number) = said.asked.0.iter().position(same) else {
                return Verdict::Waits;
            };
            match &said.answer {
                Err(text) => Verdict::Broken(text.clone()),
                Ok(all) => {
                    let of = all
                        .iter()
                        .filter(|checked| checked.object as usize == number);
                    Verdict::Said(of.cloned().collect())
                }
            }
        })
    }

    /// Names of the programs that were judged.
    pub fn names(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        self.said.with(|said| {
            let all = said.iter().filter_map(|said| said.answer.as_ref().ok());
            for checked in all.flatten() {
                if !out.contains(&checked.program) {
                    out.push(checked.program.clone());
                }
            }
        });
        out
    }

    /// Gets a scenario's own objects, to be shown and judged.
    pub fn want_own(self, id: &str) {
        let known = |own: &Option<Own>| own.as_ref().is_some_and(|(known, _)| known == id);
        if self.own.with_untracked(known) {
            return;
        }
        let id = id.to_owned();
        spawn_local(async move {
            let objects = match scenario(&id).await {
                Ok(loaded) => files::objects(&loaded.0).await.map(Arc::new),
                Err(text) => Err(text),
            };
            self.own.try_set(Some((id, objects)));
        });
    }

    /// Asks at each change of a program, of the scenario and of the designs that are shown.
    pub fn follow(self, lab: Lab) {
        let wanted = Memo::new(move |_| {
            let own = self.own.get().and_then(|(_, objects)| objects.ok());
            let mut all: Vec<Object> = own.iter().flat_map(|own| own.iter().cloned()).collect();
            all.extend(lab.work.with(objects));
            let designs = lab.model.place.with(|place| {
                let name = |column: &usize| asked(*column, &place.policy);
                place.designs.iter().filter_map(name).collect::<Vec<_>>()
            });
            (all, designs)
        });
        Effect::new(move |_| {
            if wanted.with(|(all, _)| all.is_empty()) {
                return never(self.timer);
            }
            later(self.timer, PAUSE, move || {
                self.timer.set_value(None);
                self.ask(wanted.get_untracked());
            });
        });
        on_cleanup(move || {
            never(self.timer);
            link::close(Whose::Checker);
        });
    }

    fn ask(self, asked: Asked) {
        let same = |said: &Option<Arc<Said>>| {
            said.as_ref()
                .is_some_and(|said| said.asked == asked && said.answer.is_ok())
        };
        if self.said.with_untracked(same) {
            return;
        }
        // A long walk through what is another program by now is ended with its worker.
        if self.worker.get_value() != (true, false) {
            link::open(Whose::Checker, move |reply| self.hear(reply));
        }
        self.worker.set_value((true, true));
        self.asked.set_value(asked.clone());
        let (objects, designs) = asked;
        link::ask(Whose::Checker, &Ask::Check { objects, designs });
    }

    fn hear(self, reply: Result<Reply, String>) {
        let answer = match reply {
            Ok(Reply::Checked(all)) => Ok(all),
            Ok(_) => return,
            Err(text) => Err(text),
        };
        self.worker.try_set_value((answer.is_ok(), false));
        if let Some(asked) = self.asked.try_get_value() {
            self.said.try_set(Some(Arc::new(Said { asked, answer })));
        }
    }
}
