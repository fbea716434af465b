//! Runs: the scenario's own come from files, what the reader changed is simulated in the worker.

use std::sync::Arc;

use headroom_protocol::Job;
use headroom_protocol::files::Scenario;
use wasm_bindgen_futures::spawn_local;

use super::Model;
use crate::crash;
use crate::data::{Input, Outcome, Problem, files, simulator};
use crate::designs::{CUSTOM, FIRST_SHOWN, asked, can_be_had, is_file, is_recorded};

impl Model {
    /// The scenario's own input.
    #[must_use]
    pub fn own_input(&self) -> Input {
        Input {
            commands: self
                .scenario
                .with_value(|scenario| scenario.commands.clone()),
            objects: Arc::default(),
        }
    }

    /// What the build, or a run, has made of the scenario's own input.
    #[must_use]
    pub fn own(&self) -> Arc<Outcome> {
        self.own.get_value()
    }

    /// Another scenario takes the place of this one: its texts, and what the build has simulated of it.
    pub fn take(&self, scenario: Scenario, outcome: Outcome) {
        self.scenario.set_value(scenario);
        self.own.set_value(Arc::new(outcome));
    }

    /// Runs an input; what worked last stays when this does not.
    pub fn run(&self, input: Input) {
        crash::keep(&input.commands);
        self.input.set(input.clone());
        if input == self.own_input() {
            self.begin();
            simulator::cancel();
            self.busy.set(false);
            self.problem.set(None);
            self.outcome.set(self.own.get_value());
        } else {
            self.simulate(input, Outcome::default());
        }
    }

    /// Gets the traces of shown designs that are not there yet.
    pub(super) fn fill(&self) {
        let wanted = self.place.with(|place| place.designs.clone());
        let mut missing = self.outcome.with(|outcome| outcome.missing(&wanted));
        // A recording that there is none of can't be had in any way; the page says so.
        self.scenario
            .with_value(|texts| missing.retain(|column| can_be_had(texts, *column)));
        let input = self.input.get_untracked();
        if input != self.own_input() {
            // A recording is of the scenario as it stands.
            missing.retain(|column| !is_recorded(*column));
        }
        if missing.is_empty() || self.problem.with_untracked(Option::is_some) || self.busy.get() {
            return;
        }
        // Of the scenario's own input the build has traces under some designs; those come first.
        missing.retain(|column| is_file(*column));
        if input != self.own_input() || missing.is_empty() {
            let known = self.outcome.get_untracked();
            self.simulate(input, (*known).clone());
            return;
        }
        let (model, run) = (*self, self.begin());
        let id = self.scenario.with_value(|scenario| scenario.id.clone());
        self.busy.set(true);
        spawn_local(async move {
            for design in missing {
                match files::trace(&id, design).await {
                    _ if !model.is_latest(run) => return,
                    Ok(seen) => {
                        let mut outcome = (*model.own.get_value()).clone();
                        outcome.put(design, seen);
                        let outcome = Arc::new(outcome);
                        model.own.set_value(outcome.clone());
                        model.outcome.set(outcome);
                    }
                    Err(problem) => model.problem.set(Some(problem)),
                }
            }
            model.busy.set(false);
        });
    }

    /// Simulates an input under the shown designs that `known` lacks.
    fn simulate(&self, input: Input, known: Outcome) {
        let (model, run) = (*self, self.begin());
        let scenario = self.scenario.get_value();
        let (shown, policy) = self
            .place
            .with_untracked(|place| (place.designs.clone(), place.policy.clone()));
        let designs: Vec<String> = known
            .missing(&shown)
            .into_iter()
            .filter_map(|column| asked(column, &policy))
            .collect();
        self.progress.set((0, designs.len()));
        self.busy.set(true);
        spawn_local(async move {
            let objects = files::objects(&scenario).await;
            if !model.is_latest(run) {
                return;
            }
            let mut objects = match objects {
                Ok(objects) => objects,
                Err(text) => {
                    return model.end(
                        run,
                        Err(Problem {
                            message: text,
                            line: None,
                            column: None,
                        }),
                    );
                }
            };
            objects.extend(input.objects.iter().cloned());
            let job = Job {
                scenario: scenario.id,
                commands: input.commands,
                objects,
                designs,
            };
            let each = move || {
                if model.is_latest(run) {
                    model.progress.update(|(done, _)| *done += 1);
                }
            };
            simulator::run(job, each, move |outcome| {
                let whole = outcome.map(|new| new.over(&known));
                model.end(run, whole);
            });
        });
    }

    /// The end of a run, if it is still the latest.
    fn end(&self, run: u32, outcome: Result<Outcome, Problem>) {
        if !self.is_latest(run) {
            return;
        }
        self.busy.set(false);
        match outcome {
            Ok(outcome) => {
                self.problem.set(None);
                let outcome = Arc::new(outcome);
                if self.input.get_untracked() == self.own_input() {
                    self.own.set_value(outcome.clone());
                }
                self.outcome.set(outcome);
            }
            // The link holds a design of the reader's that can't be read, and nothing else is shown.
            Err(problem)
                if problem.line.is_none()
                    && self.place.with_untracked(|place| place.designs == [CUSTOM]) =>
            {
                self.notices.set(vec![problem.message]);
                self.place
                    .update(|place| place.designs = (0..FIRST_SHOWN).collect());
            }
            Err(problem) => self.problem.set(Some(problem)),
        }
    }

    /// Counts a run; whatever was begun before changes nothing any more.
    fn begin(&self) -> u32 {
        let next = self.begun.get_value().wrapping_add(1);
        self.begun.set_value(next);
        next
    }

    /// Whether a run is the latest, and the page still there.
    fn is_latest(&self, run: u32) -> bool {
        self.begun.try_get_value() == Some(run)
    }
}
