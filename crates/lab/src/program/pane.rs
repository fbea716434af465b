//! The pane's state, and the few actions that change it.

use std::sync::Arc;
use std::time::Duration;

use headroom_protocol::Job;
use headroom_protocol::program::{Ask, Judged, Moment, Reply, RunInfo, Stops, Study, Way};
use headroom_web::address::{self, Address};
use headroom_web::app::Location;
use headroom_web::data::files;
use headroom_web::designs::DESIGNS;
use headroom_web::model::Model;
use headroom_web::platform;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::link::{self, Whose};
use super::place::{Place, find, name};
use super::rows::{self, Form, Row};

/// All of it.
#[derive(Clone, Copy)]
pub struct Pane {
    /// The lab's model: what is studied.
    pub model: Model,
    /// It is there.
    pub open: RwSignal<bool>,
    /// Design under which the work is studied.
    pub design: RwSignal<usize>,
    /// What the worker made of the work.
    pub study: RwSignal<Option<Arc<Study>>>,
    /// Index into the study's programs.
    pub program: RwSignal<Option<usize>>,
    /// The run that is stepped through.
    pub run: RwSignal<Option<RunInfo>>,
    /// Where in it one is.
    pub moment: RwSignal<Option<Arc<Moment>>>,
    /// Where a run is to be stopped.
    pub stops: RwSignal<Stops>,
    /// Which BPF is shown.
    pub form: RwSignal<Form>,
    /// The row that the pointer or the keys are at, and the line of C that it belongs to.
    pub pointed: RwSignal<Option<(Row, Option<u32>)>>,
    /// The register of which one sees what made its value.
    pub of: RwSignal<Option<u8>>,
    /// The work is being studied.
    pub busy: RwSignal<bool>,
    /// Why the worker is gone.
    pub broken: RwSignal<Option<String>>,
    /// Where the address wants to be.
    wanted: StoredValue<Place>,
    /// A way that waits until the worker has answered, and whether it still is to answer.
    next: StoredValue<(bool, Option<Way>)>,
    /// The address is to be written.
    writes: StoredValue<Option<TimeoutHandle>>,
}

/// How long steps must rest before the address is written.
const REST: Duration = Duration::from_millis(250);

fn rest() -> String {
    match Address::parse(&platform::current_address()).0 {
        Address::Lab(rest) => rest,
        _ => String::new(),
    }
}

fn query(rest: &str) -> Vec<(String, String)> {
    address::pairs(rest.split('#').next().unwrap_or_default())
}

impl Pane {
    /// As the address says.
    pub fn new(model: Model) -> Self {
        let wanted = Place::read(query(&rest()));
        let design = wanted.under.as_deref();
        let design = design.and_then(|name| DESIGNS.iter().position(|known| *known == name));
        let pane = Self {
            model,
            open: RwSignal::new(wanted.run.is_some()),
            design: RwSignal::new(design.unwrap_or(0)),
            study: RwSignal::new(None),
            program: RwSignal::new(None),
            run: RwSignal::new(None),
            moment: RwSignal::new(None),
            stops: RwSignal::new(Stops::default()),
            form: RwSignal::new(Form::AsRun),
            pointed: RwSignal::new(None),
            of: RwSignal::new(None),
            busy: RwSignal::new(false),
            broken: RwSignal::new(None),
            wanted: StoredValue::new(wanted),
            next: StoredValue::new((false, None)),
            writes: StoredValue::new(None),
        };
        // Each change of the work is studied anew, at the same place.
        Effect::new(move |_| {
            model.outcome.track();
            model.problem.track();
            pane.design.track();
            if pane.open.get() && !model.busy.get() {
                pane.begin();
            }
        });
        if let Some(location) = use_context::<Location>() {
            Effect::new(move |before: Option<()>| {
                location.0.track();
                if before.is_some() {
                    pane.follow();
                }
            });
        }
        on_cleanup(|| link::close(Whose::Pane));
        pane
    }

    /// The program that is shown.
    pub fn judged(&self) -> Option<Judged> {
        let index = self.program.get()?;
        self.study
            .with(|study| study.as_ref()?.programs.get(index).cloned())
    }

    /// The pointer or the keys come to a row: what belongs to its line of C is lit in both lists.
    pub fn point(&self, row: Option<Row>) {
        let pointed = row.map(|row| {
            let judged = untrack(|| self.judged());
            let line = rows::line_of(judged.as_ref(), &row);
            (row, line)
        });
        if self.pointed.with_untracked(|known| *known != pointed) {
            self.pointed.set(pointed);
        }
    }

    /// Leaves only what made a register's value, or everything again.
    pub fn trace_back(&self, register: u8) {
        let same = self.of.get_untracked() == Some(register);
        self.of.set((!same).then_some(register));
        let at = self.moment.with_untracked(|m| m.as_ref().map(|m| m.at));
        if let Some(at) = at {
            self.go(Way::To(at));
        }
    }

    /// What made the value of the register one asked for: positions and lines of the listing. `None` where none was asked for.
    pub fn made(&self) -> Option<Vec<(u32, u32)>> {
        self.of.get()?;
        self.moment.with(|m| m.as_ref().map(|m| m.chain.clone()))
    }

    /// Opens the pane, at a run by its name.
    pub fn show(&self, wanted: String) {
        self.wanted.update_value(|place| {
            *place = Place {
                run: Some(wanted),
                at: 0,
                under: place.under.take(),
            };
        });
        self.write(true);
        if self.open.get_untracked() {
            self.settle();
        } else {
            self.open.set(true);
        }
    }

    /// Closes it.
    pub fn close(&self) {
        self.open.set(false);
        self.wanted.set_value(Place::default());
        self.write(true);
        link::close(Whose::Pane);
        self.study.set(None);
        self.moment.set(None);
        self.run.set(None);
    }

    /// Another design.
    pub fn under(&self, design: usize) {
        self.wanted.update_value(|place| {
            place.under = DESIGNS.get(design).map(|name| (*name).to_owned());
        });
        self.write(false);
        self.design.set(design);
    }

    /// The address has become another one: Back or Forward.
    fn follow(&self) {
        let place = Place::read(query(&rest()));
        if self.wanted.with_value(|known| *known == place) {
            return;
        }
        let (open, at) = (place.run.is_some(), place.at);
        let same = self.wanted.with_value(|known| known.run == place.run);
        self.wanted.set_value(place);
        if !open {
            self.open.set(false);
        } else if !self.open.get_untracked() {
            self.open.set(true);
        } else if same {
            self.go(Way::To(at));
        } else {
            self.settle();
        }
    }

    /// Writes the address once the steps have come to rest: a browser takes so many changes and no more.
    fn write_later(&self) {
        let pane = *self;
        if let Some(Some(waiting)) = self.writes.try_get_value() {
            waiting.clear();
        }
        let act = move || {
            if pane.open.try_get_untracked() == Some(true) {
                pane.write(false);
            }
        };
        self.writes
            .try_set_value(set_timeout_with_handle(act, REST).ok());
    }

    fn write(&self, push: bool) {
        let rest = rest();
        let pairs = self.wanted.with_value(|place| place.write(query(&rest)));
        let mut out = String::from("/lab");
        for (index, (key, value)) in pairs.iter().enumerate() {
            out.push(if index == 0 { '?' } else { '&' });
            out.push_str(key);
            out.push('=');
            out.push_str(&address::encode(value));
        }
        if let Some((_, fragment)) = rest.split_once('#') {
            out.push('#');
            out.push_str(fragment);
        }
        platform::write_address(&out, push);
    }

    /// Has the work studied.
    fn begin(&self) {
        let pane = *self;
        let scenario = self.model.scenario.get_value();
        let input = self.model.input.get_untracked();
        let design = DESIGNS.get(self.design.get_untracked()).copied();
        self.busy.set(true);
        self.broken.set(None);
        spawn_local(async move {
            let objects = files::objects(&scenario).await;
            let mut objects = match objects {
                Ok(objects) => objects,
                Err(text) => {
                    pane.busy.try_set(false);
                    pane.broken.try_set(Some(text));
                    return;
                }
            };
            if !pane.open.try_get_untracked().unwrap_or(false) {
                return;
            }
            objects.extend(input.objects.iter().cloned());
            let job = Job {
                scenario: scenario.id,
                commands: input.commands,
                objects,
                designs: design.map(str::to_owned).into_iter().collect(),
            };
            link::open(Whose::Pane, move |reply| pane.hear(reply));
            pane.next.try_set_value((true, None));
            link::ask(Whose::Pane, &Ask::Study(job));
        });
    }

    fn hear(&self, reply: Result<Reply, String>) {
        match reply {
            Ok(Reply::Study(study)) => {
                self.busy.set(false);
                self.next.set_value((false, None));
                self.study.set(Some(Arc::new(study)));
                self.settle();
            }
            Ok(Reply::Moment(moment)) => {
                let at = moment.at;
                self.moment.set(Some(Arc::new(*moment)));
                self.wanted.update_value(|place| place.at = at);
                self.write_later();
                let waits = self.next.try_update_value(|next| std::mem::take(next).1);
                if let Some(Some(way)) = waits {
                    self.go(way);
                }
            }
            // Nobody asks this worker for one.
            Ok(Reply::Checked(_) | Reply::Reading(_) | Reply::Packets(_) | Reply::Captured(_)) => {}
            Ok(Reply::Gone) => {
                self.next.set_value((false, None));
                self.moment.set(None);
            }
            Err(text) => {
                self.next.set_value((false, None));
                self.busy.set(false);
                self.broken.set(Some(text));
                link::close(Whose::Pane);
            }
        }
    }

    /// Goes to where the address wants to be in the study that is there.
    fn settle(&self) {
        let Some(study) = self.study.get_untracked() else {
            return;
        };
        let (wanted, at) = self
            .wanted
            .with_value(|place| (place.run.clone().unwrap_or_default(), place.at));
        let found = find(&study, &wanted);
        let program = found.as_ref().map(|(program, _)| *program as usize);
        if self.program.get_untracked() != program {
            self.stops.set(Stops::default());
        }
        self.program.set(program);
        let run = found.and_then(|(_, run)| run);
        let named = run.as_ref().map(|run| name(&study, run));
        self.run.set(run.clone());
        match (run, named) {
            (Some(_), named) => {
                self.wanted.update_value(|place| place.run = named);
                self.go(Way::To(at));
            }
            _ => self.moment.set(None),
        }
    }

    /// Goes a way; while the worker works, the latest way waits.
    pub fn go(&self, way: Way) {
        let Some(run) = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| run.run))
        else {
            return;
        };
        let (waits, _) = self.next.get_value();
        if waits {
            self.next.set_value((true, Some(way)));
            return;
        }
        self.next.set_value((true, None));
        let from = self
            .moment
            .with_untracked(|m| m.as_ref().map_or(0, |m| m.at));
        let of = self.of.get_untracked();
        link::ask(Whose::Pane, &Ask::Go { run, from, way, of });
    }

    /// To the next stop or the end.
    pub fn run_on(&self) {
        self.go(Way::Run(self.stops.get_untracked()));
    }

    /// To the stop before or the beginning.
    pub fn run_back(&self) {
        self.go(Way::RunBack(self.stops.get_untracked()));
    }

    /// On to a line of C or of the listing, past all stops.
    pub fn run_to(&self, row: &Row) {
        let stops = match row {
            Row::C(line, ..) => Stops {
                lines: vec![*line],
                insns: Vec::new(),
            },
            Row::Insn(insn) => Stops {
                lines: Vec::new(),
                insns: vec![*insn as u32],
            },
            _ => return,
        };
        self.go(Way::Run(stops));
    }

    /// Sets a stop, or takes it away.
    pub fn toggle_stop(&self, row: &Row) {
        fn toggle(all: &mut Vec<u32>, one: u32) {
            match all.iter().position(|known| *known == one) {
                Some(at) => drop(all.remove(at)),
                None => all.push(one),
            }
        }
        self.stops.update(|stops| match row {
            Row::C(line, ..) => toggle(&mut stops.lines, *line),
            Row::Insn(insn) => toggle(&mut stops.insns, *insn as u32),
            _ => {}
        });
    }

    /// Whether there is a stop.
    pub fn has_stop(&self, row: &Row) -> bool {
        self.stops.with(|stops| match row {
            Row::C(line, ..) => stops.lines.contains(line),
            Row::Insn(insn) => stops.insns.contains(&(*insn as u32)),
            _ => false,
        })
    }
}
