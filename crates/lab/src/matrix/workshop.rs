//! The design workshop: take a design, change its policy points, and see at once which cells of the
//! matrix turn. The worker judges scenario after scenario, those in sight first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use headroom_core::design::DesignName;
use headroom_core::design::policy::Policy;
use headroom_protocol::files::{Jobs, MatrixCell, MatrixFile, MatrixRow};
use headroom_protocol::{Answer, Request, sentence};
use headroom_web::data::{files, simulator};
use headroom_web::parts::{part, sig};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::Matrix;
use crate::filter::{CUSTOM, View, turns};
use crate::history::History;
use crate::{policy, take};

/// How long to wait after the last change.
const PAUSE: Duration = Duration::from_millis(150);

/// What the workshop works on.
#[derive(Clone, Copy)]
pub struct Workshop {
    file: StoredValue<Arc<MatrixFile>>,
    view: RwSignal<View>,
    custom: RwSignal<HashMap<String, MatrixCell>>,
    order: Memo<Vec<usize>>,
    /// What is judged, once it has been fetched.
    jobs: StoredValue<Option<Arc<Jobs>>>,
    /// Scenarios that still have to be judged.
    waiting: StoredValue<VecDeque<String>>,
    /// Grows with each policy: answers for an older one are dropped.
    round: StoredValue<u32>,
    /// The worker is on it.
    running: StoredValue<bool>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// The policies that were set, with the design each was made from.
    history: StoredValue<History<Own>>,
    /// Counts changes of the history, for the buttons.
    changes: RwSignal<u32>,
    /// How many scenarios are done, of how many.
    done: RwSignal<(usize, usize)>,
    /// What is wrong: points that contradict each other, a file that can't be had.
    problem: RwSignal<Option<String>>,
}

impl Workshop {
    /// Follows the view: whenever its policy is another one, the workshop's column is made anew.
    pub fn new(
        file: StoredValue<Arc<MatrixFile>>,
        view: RwSignal<View>,
        custom: RwSignal<HashMap<String, MatrixCell>>,
        order: Memo<Vec<usize>>,
    ) -> Self {
        let workshop = Self {
            file,
            view,
            custom,
            order,
            jobs: StoredValue::new(None),
            waiting: StoredValue::new(VecDeque::new()),
            round: StoredValue::new(0),
            running: StoredValue::new(false),
            timer: StoredValue::new(None),
            history: StoredValue::new(History::new(view.with_untracked(own_of))),
            changes: RwSignal::new(0),
            done: RwSignal::new((0, 0)),
            problem: RwSignal::new(None),
        };
        let wanted = Memo::new(move |_| {
            view.with(|view| (!view.base.is_empty()).then(|| view.policy.clone()))
        });
        Effect::new(move |_| workshop.judge(wanted.get()));
        // However it came to be set: by a hand, a link, Back. What is taken back is known already.
        let own = Memo::new(move |_| view.with(own_of));
        Effect::new(move |_| workshop.remember(own.get()));
        let keys = window_event_listener(ev::keydown, move |event| workshop.undo_keys(&event));
        on_cleanup(move || {
            keys.remove();
            if let Some(waiting) = workshop.timer.get_value() {
                waiting.clear();
            }
            simulator::cancel();
        });
        workshop
    }

    /// Makes the column anew for a policy; nothing for a workshop that is closed.
    fn judge(self, policy: Option<String>) {
        self.round
            .update_value(|round| *round = round.wrapping_add(1));
        if let Some(Some(timer)) = self.timer.try_get_value() {
            timer.clear();
        }
        let Some(policy) = policy else {
            self.waiting.update_value(VecDeque::clear);
            self.problem.set(None);
            return self.custom.update(HashMap::clear);
        };
        if let Err(error) = Policy::parse(&policy) {
            // The column of the last policy that held together stays.
            self.waiting.update_value(VecDeque::clear);
            return self.problem.set(Some(sentence(&error.to_string())));
        }
        self.problem.set(None);
        let round = self.round.get_value();
        let timer = set_timeout_with_handle(
            move || {
                spawn_local(async move { self.begin(round).await });
            },
            PAUSE,
        );
        self.timer.set_value(timer.ok());
    }

    async fn begin(self, round: u32) {
        if self.jobs.with_value(Option::is_none) {
            match files::jobs().await {
                Ok(jobs) => {
                    self.jobs.try_set_value(Some(Arc::new(jobs)));
                }
                Err(text) => {
                    self.problem.try_set(Some(text));
                    return;
                }
            }
        }
        if self.round.try_get_value() != Some(round) {
            return;
        }
        // In the order of the table, then the rows that are not shown.
        let rows = self
            .file
            .with_value(|file| file.rows.iter().map(|row| row.scenario.clone()).collect());
        let rows: Vec<String> = rows;
        let shown = self.order.get_untracked();
        let hidden = (0..rows.len()).filter(|at| !shown.contains(at));
        let all: VecDeque<String> = shown
            .iter()
            .copied()
            .chain(hidden)
            .filter_map(|at| rows.get(at).cloned())
            .collect();
        self.done.set((0, all.len()));
        self.waiting.set_value(all);
        if !self.running.get_value() {
            self.next();
        }
    }

    /// Judges the next scenario that waits.
    fn next(self) {
        let next = self.waiting.try_update_value(VecDeque::pop_front).flatten();
        self.running.try_set_value(next.is_some());
        let Some(scenario) = next else { return };
        let design = self
            .view
            .with_untracked(|view| format!("{CUSTOM}:{}", view.policy));
        let round = self.round.get_value();
        let jobs = self.jobs.get_value();
        let Some(job) = jobs.and_then(|jobs| jobs.job(&scenario, vec![design])) else {
            return self.next();
        };
        simulator::ask(Request::Judge(job), move |answer| {
            self.heard(round, &scenario, answer);
        });
    }

    fn heard(self, round: u32, scenario: &str, answer: Answer) {
        let Some(now) = self.round.try_get_value() else {
            return;
        };
        let put = |cell: MatrixCell| {
            if now == round {
                self.custom.update(|all| {
                    all.insert(scenario.to_owned(), cell);
                });
            }
        };
        match answer {
            Answer::Cell(cell) => put(cell),
            Answer::Trace { .. } | Answer::Program(_) => {}
            Answer::Done => self.go_on(now == round),
            Answer::Problem(problem) => {
                put(MatrixCell {
                    design: CUSTOM.into(),
                    verdict: "not covered".into(),
                    note: problem.message,
                    ..MatrixCell::default()
                });
                self.go_on(now == round);
            }
            Answer::Broken(text) => {
                self.running.set_value(false);
                self.waiting.update_value(VecDeque::clear);
                self.problem.set(Some(simulator::broken(&text).message));
            }
        }
    }

    fn go_on(self, counts: bool) {
        if counts {
            self.done.update(|(done, _)| *done += 1);
        }
        self.next();
    }

    fn set(self, act: impl FnOnce(&mut View)) {
        self.view.update(act);
    }

    fn remember(self, own: Own) {
        self.history
            .update_value(|history| history.change(own, None));
        self.changes.update(|n| *n = n.wrapping_add(1));
    }

    /// One change back or on.
    fn go(self, way: fn(&mut History<Own>) -> bool) {
        let to = self.history.try_update_value(|history| {
            let moved = way(history);
            moved.then(|| history.now().clone())
        });
        if let Some(Some((policy, base))) = to {
            self.set(|view| (view.policy, view.base) = (policy, base));
        }
    }

    fn can(self, way: fn(&History<Own>) -> bool) -> bool {
        self.changes.track();
        self.history.with_value(way)
    }

    /// Ctrl or Cmd with Z and Shift+Z, while the workshop is open and no text field takes them.
    fn undo_keys(self, event: &web_sys::KeyboardEvent) {
        if self.view.with_untracked(|view| view.base.is_empty()) || !crate::browser::is_undo(event)
        {
            return;
        }
        event.prevent_default();
        self.go(if event.shift_key() {
            History::redo
        } else {
            History::undo
        });
    }
}

/// The workshop's design: its policy, and the design that it was made from.
type Own = (String, String);

fn own_of(view: &View) -> Own {
    (view.policy.clone(), view.base.clone())
}

impl Matrix {
    /// Of each scenario that is judged, the cells of a design and of the workshop's.
    fn pairs(&self, base: &str) -> Vec<MatrixRow> {
        let both = |row: &MatrixRow, own: &MatrixCell| MatrixRow {
            cells: row
                .cells
                .iter()
                .filter(|cell| cell.design == base)
                .chain([own])
                .cloned()
                .collect(),
            ..MatrixRow::default()
        };
        self.custom.with(|custom| {
            self.file.with_value(|file| {
                let judged = |row: &MatrixRow| Some(both(row, custom.get(&row.scenario)?));
                file.rows.iter().filter_map(judged).collect()
            })
        })
    }
}

/// The panel above the table: closed, one button.
pub fn panel(matrix: Matrix) -> AnyView {
    let workshop = matrix.workshop;
    let open = Memo::new(move |_| matrix.view.with(|view| !view.base.is_empty()));
    part(move || {
        if open.get() {
            return opened(matrix);
        }
        let start = move |_| workshop.set(|view| take_design(view, "meta_end"));
        view! {
            <p class="workshop-door"><button class="quiet" on:click=start>"Design workshop"</button>
                <span class="hint">"Take a design, change where it keeps, moves or drops metadata, and see which cells turn."</span></p>
        }
        .into_any()
    })
}

/// Begins anew with a design as it is.
fn take_design(view: &mut View, name: &str) {
    let design = DesignName::parse(name).unwrap_or(DesignName::MacHeader);
    view.base = design.as_str().into();
    view.policy = design.policy().to_string();
}

fn opened(matrix: Matrix) -> AnyView {
    let workshop = matrix.workshop;
    let base = Memo::new(move |_| matrix.view.with(|view| view.base.clone()));
    let option = |design: DesignName| {
        let (name, title) = (design.as_str(), design.title());
        view! { <option value=name selected=move || base.get() == name>{name}" · "{title}</option> }
    };
    let picked = move |event: web_sys::Event| {
        let name = event_target_value(&event);
        workshop.set(|view| take_design(view, &name));
    };
    let close = move |_| {
        workshop.set(|view| {
            view.base.clear();
            view.policy.clear();
            view.turned = false;
        });
    };
    let back = move |_| {
        let name = base.get_untracked();
        workshop.set(|view| take_design(view, &name));
    };
    let policy = sig(move || matrix.view.with(|view| view.policy.clone()));
    let usual = sig(move || policy::of_design(&base.get()));
    let command = move || {
        let policy = matrix.view.with_untracked(|view| view.policy.clone());
        format!("headroom matrix --design custom:{policy}")
    };
    view! {
        <section class="workshop" aria-labelledby="workshop-title">
            <div class="workshop-head">
                <h2 id="workshop-title"><b>"Design workshop"</b></h2>
                <label>"Made from "<select on:change=picked>{DesignName::EVERY.map(option).collect_view()}</select></label>
                <span class="undoing">
                    <button class="tab" disabled=sig(move || !workshop.can(History::can_undo)) on:click=move |_| workshop.go(History::undo)>"Undo"</button>
                    <button class="tab" disabled=sig(move || !workshop.can(History::can_redo)) on:click=move |_| workshop.go(History::redo)>"Redo"</button>
                </span>
                <button class="tab" on:click=back>"All points as there"</button>
                {take::copy_button("Copy command", command)}
                <button class="tab" on:click=close>"Close"</button>
            </div>
            {policy::view::points(policy, usual, move |policy| workshop.set(|view| view.policy = policy))}
            {part(move || workshop.problem.get().map(|text| view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{text}" The column is that of the last policy that held together."</p> }))}
            {summary(matrix)}
        </section>
    }
    .into_any()
}

/// How far it is, and what turned.
fn summary(matrix: Matrix) -> AnyView {
    let workshop = matrix.workshop;
    let progress = move || {
        let (done, all) = workshop.done.get();
        (done < all).then(|| {
            view! { <p class="progress"><progress max=all.to_string() value=done.to_string() aria-label="Scenarios judged"></progress>{format!(" {done} of {all} scenarios judged")}</p> }
        })
    };
    let words = move || {
        let (done, all) = workshop.done.get();
        let base = matrix.view.with(|view| view.base.clone());
        let turns = turns(&matrix.pairs(&base), &base);
        let count: usize = turns.iter().map(|(.., count)| count).sum();
        let each: Vec<String> = turns
            .iter()
            .map(|(was, is, count)| format!("{count} from {was} to {is}"))
            .collect();
        let so_far = if done < all { "So far, " } else { "" };
        let each = each.join(", ");
        match count {
            _ if done == 0 => String::new(),
            0 if done < all => String::new(),
            0 => format!("No cell turned against {base}."),
            1 => format!("{so_far}1 cell turned against {base}: {each}."),
            _ => format!("{so_far}{count} cells turned against {base}: {each}."),
        }
    };
    let only = move || matrix.view.with(|view| view.turned).to_string();
    view! {
        <div class="turns">
            {part(progress)}
            <p role="status">{sig(words)}</p>
            <button class="tab" aria-pressed=sig(only) on:click=move |_| workshop.set(|view| view.turned = !view.turned)>"only what turned"</button>
            <p class="hint">"Derived from policy points, not recorded."</p>
        </div>
    }
    .into_any()
}
