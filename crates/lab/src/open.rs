//! `/open`: a recording or a trace file of the reader's, in the same stepper. The file stays here.

use std::cell::RefCell;

use headroom_core::compare::MAX_COLUMNS;
use headroom_core::recording::{OpenedFile, open_all};
use headroom_protocol::files::Scenario;
use headroom_web::address::{Address, Place};
use headroom_web::app;
use headroom_web::data::{Outcome, Seen};
use headroom_web::designs::{FILE, column_of};
use headroom_web::model::{Kind, Model};
use headroom_web::parts::part;
use headroom_web::parts::prose::ticks;
use headroom_web::parts::stepper::Stepper;
use headroom_web::parts::verdicts::Verdicts;
use headroom_web::platform;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::arriving;
use crate::browser;
use crate::opened_files;

thread_local! {
    /// What was opened last, and where one was in it: Back and Forward lead to it again. A file is nothing that an
    /// address could hold.
    static LAST: RefCell<Option<(Vec<OpenedFile>, Place)>> = const { RefCell::new(None) };
}

/// What the page shows.
#[derive(Clone, Copy)]
struct Page {
    shown: RwSignal<Option<Vec<OpenedFile>>>,
    /// What is wrong with a file.
    wrong: RwSignal<Option<String>>,
    /// What else is to be said of what was opened.
    said: RwSignal<Vec<String>>,
}

impl Page {
    /// Takes files: the first that is a recording or a trace, and others that are runs of the same under other designs.
    fn take(self, files: Vec<web_sys::File>) {
        spawn_local(async move {
            let Some(arrived) = browser::arrived(files, arriving::Page::Open).await else {
                return;
            };
            let mut texts = Vec::new();
            for file in &arrived.here {
                texts.push(read(file).await);
            }
            match open_files(texts) {
                // What was there stays, if none of these is a recording.
                Err(text) => {
                    let all = [vec![text], arrived.left_out].concat();
                    self.wrong.try_set(Some(all.join(" ")));
                }
                Ok(opened) => {
                    let start = start_of(&opened.runs);
                    let said = [opened.said, arrived.left_out].concat();
                    self.show(opened.runs, start, said);
                    if opened_files::keep(&opened.kept).await.is_err() {
                        let words = "This browser keeps no files: after a reload it has to be opened again.";
                        self.said.try_update(|all| all.push(words.into()));
                    }
                }
            }
        });
    }

    fn show(self, opened: Vec<OpenedFile>, place: Place, said: Vec<String>) {
        self.wrong.try_set(None);
        self.said.try_set(said);
        LAST.with_borrow_mut(|last| *last = Some((opened.clone(), place)));
        self.shown.try_set(Some(opened));
    }

    /// Shows again what was shown before: of this visit, else of the one before a reload.
    fn again(self) {
        let last = LAST.with_borrow(|last| last.as_ref().map(|(opened, _)| opened.clone()));
        if last.is_some() {
            return self.shown.set(last);
        }
        spawn_local(async move {
            let kept = opened_files::kept().await;
            let nothing_yet = self.shown.try_with_untracked(Option::is_none) == Some(true);
            if kept.is_empty() || !nothing_yet {
                return;
            }
            if let Ok(opened) = open_files(kept.into_iter().map(Ok).collect()) {
                let start = start_of(&opened.runs);
                let address = opened_files::kept_step().unwrap_or_default();
                let place = Address::parse(&address).0.place().cloned();
                let same = |place: &Place| {
                    (&place.scenario, &place.designs) == (&start.scenario, &start.designs)
                };
                let place = place.filter(same).unwrap_or(start);
                self.show(opened.runs, place, opened.said);
            }
        });
    }

    /// Closes what is shown, and forgets it.
    fn close(self) {
        LAST.with_borrow_mut(|last| *last = None);
        self.wrong.set(None);
        self.said.set(Vec::new());
        self.shown.set(None);
        spawn_local(opened_files::forget());
    }
}

/// The name and the text of a file.
async fn read(file: &web_sys::File) -> Result<opened_files::File, String> {
    let (name, bytes) = browser::read(file).await?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("{name}: byte {at} is no UTF-8; a recording is JSON.")
    })?;
    Ok((name, text))
}

/// What became of files.
#[derive(Default)]
struct Opened {
    /// The runs, which stand side by side.
    runs: Vec<OpenedFile>,
    /// The files that they are from: they are kept over a reload.
    kept: Vec<opened_files::File>,
    /// What is to be said of the other files.
    said: Vec<String>,
}

/// Opens the first file that is a recording or a trace, and of the others those that stand beside it: of the same scenario,
/// under other designs. An error if there is none: what is wrong with each.
fn open_files(files: Vec<Result<opened_files::File, String>>) -> Result<Opened, String> {
    let mut opened = Opened::default();
    let mut wrong = Vec::new();
    for file in files {
        let runs = file.and_then(|(name, text)| {
            let runs = open_all(&name, &text).map_err(|error| error.to_string())?;
            Ok((runs, (name, text)))
        });
        match runs {
            Err(text) => wrong.push(text),
            Ok((runs, file)) if beside(&opened.runs, &runs) => {
                opened.runs.extend(runs);
                opened.kept.push(file);
            }
            Ok((_, (name, _))) => opened.said.push(format!(
                "{name} is left out: it is no run of the same scenario under another design."
            )),
        }
    }
    if opened.runs.is_empty() {
        return Err(wrong.join(" "));
    }
    let left_out = wrong.iter().map(|text| format!("Left out: {text}"));
    opened.said.extend(left_out);
    Ok(opened)
}

/// Whether runs can stand beside those that are open.
fn beside(opened: &[OpenedFile], runs: &[OpenedFile]) -> bool {
    let Some(first) = opened.first() else {
        return !runs.is_empty();
    };
    let fits = |run: &OpenedFile| {
        run.id == first.id
            && opened
                .iter()
                .all(|one| one.trace.design != run.trace.design)
    };
    runs.iter().all(fits) && opened.len() + runs.len() <= MAX_COLUMNS
}

/// The page.
pub fn page() -> AnyView {
    app::show();
    document().set_title("Open a recording · Headroom");
    let page = Page {
        shown: RwSignal::new(None),
        wrong: RwSignal::new(None),
        said: RwSignal::new(Vec::new()),
    };
    let (shown_file, wrong) = (page.shown, page.wrong);
    let take = move |files: Vec<web_sys::File>| {
        if !files.is_empty() {
            page.take(files);
        }
    };
    let waiting = headroom_web::drop::waiting();
    if waiting.is_empty() {
        page.again();
    }
    take(waiting);
    let dropped = window_event_listener(ev::drop, move |event: web_sys::DragEvent| {
        event.prevent_default();
        take(browser::files(
            event.data_transfer().and_then(|data| data.files()),
        ));
    });
    let leaves = window_event_listener(ev::pagehide, |_| {
        LAST.with_borrow(|last| {
            let place = last.as_ref().map(|(_, place)| place.clone());
            opened_files::keep_step(
                place
                    .map(|place| Address::Scenario(place).print())
                    .as_deref(),
            );
        });
    });
    on_cleanup(move || {
        dropped.remove();
        leaves.remove();
    });
    let input = NodeRef::<leptos::html::Input>::new();
    let chosen = move |_: web_sys::Event| {
        take(browser::files(
            input.get_untracked().and_then(|input| input.files()),
        ))
    };
    let picker = move || {
        view! { <label class="tab file">"Choose a file"<input type="file" class="sr" multiple accept=".json,application/json" node_ref=input on:change=chosen/></label> }
    };
    let body = move || match shown_file.get() {
        None => hint(picker().into_any()),
        Some(opened) => shown(opened),
    };
    let again = move || {
        let close =
            || view! { <button class="tab" on:click=move |_| page.close()>"Close it"</button> };
        shown_file
            .with(Option::is_some)
            .then(|| view! { <div class="tabs">{picker()}{close()}</div> })
    };
    let said = move || {
        let all = page.said.get();
        (!all.is_empty())
            .then(|| view! { <p class="notice" role="status">{ticks(&all.join(" "))}</p> })
    };
    let problem = move || {
        let kept = shown_file.with(|file| file.as_ref().map(|file| title_of(file)));
        wrong.get().map(|text| {
            let kept = kept.map(
                |title| view! { <span class="kept">{format!(" Below is still “{title}”.")}</span> },
            );
            view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{ticks(&text)}{kept}</p> }
        })
    };
    view! {
        <main id="main" class="wrap open">
            <div class="title"><div><h1>"Open a recording or a trace"</h1></div>
                {part(again)}
            </div>
            {part(problem)}
            {part(said)}
            {part(body)}
        </main>
    }
    .into_any()
}

fn hint(picker: AnyView) -> AnyView {
    view! {
        <div class="drop">
            <p class="big">"Drop a file here"</p>
            <p>"A recording of a kernel ("<code>"headroom-recording/1"</code>"), or what "<code class="whole">"headroom run --format json"</code>
                " printed ("<code>"headroom-trace/1"</code>"). It is read in this page and goes nowhere."</p>
            {picker}
        </div>
        <p>"Recordings that come with Headroom: "<a href="/compare">"Compare"</a>" shows them beside the simulator. Objects, captures and saved work are opened in the "<a href="/lab">"lab"</a>"."</p>
    }
    .into_any()
}

/// The columns of a file's runs: a single one is the file itself; of several each has the column of its design, as far as
/// there are columns.
fn columns_of(opened: &[OpenedFile]) -> Vec<(usize, &OpenedFile)> {
    if let [one] = opened {
        return vec![(FILE, one)];
    }
    let mut out: Vec<(usize, &OpenedFile)> = Vec::new();
    for run in opened {
        let column = column_of(&run.trace.design).unwrap_or(FILE);
        if out.len() < MAX_COLUMNS && out.iter().all(|(known, _)| *known != column) {
            out.push((column, run));
        }
    }
    out.sort_by_key(|(column, _)| *column);
    out
}

/// The opening picture of a file.
fn start_of(opened: &[OpenedFile]) -> Place {
    let columns = columns_of(opened);
    let id = columns.first().map_or("", |(_, run)| run.id.as_str());
    Place {
        designs: columns.iter().map(|(column, _)| *column).collect(),
        ..Place::of(id)
    }
}

/// What is over a file.
fn title_of(opened: &[OpenedFile]) -> String {
    match opened {
        [one] => one.title.clone(),
        [first, ..] => format!("Runs of {}", first.id),
        [] => String::new(),
    }
}

/// Where a file comes from.
fn about(opened: &[OpenedFile]) -> String {
    let columns = columns_of(opened);
    let designs: Vec<&str> = columns
        .iter()
        .map(|(_, run)| run.trace.design.as_str())
        .collect();
    let (designs, source) = (
        designs.join(", "),
        opened.first().map_or("", |run| run.source.as_str()),
    );
    if opened.iter().any(|run| run.recorded) {
        return format!(
            "A recording of {source}, under {designs}. Whether a read is true was found by comparing its bytes with those the XDP program left."
        );
    }
    let rest = match opened.len() - columns.len() {
        0 => String::new(),
        rest => format!(" {rest} more of its runs are not shown."),
    };
    format!("What {source} printed, under {designs}.{rest}")
}

fn shown(opened: Vec<OpenedFile>) -> AnyView {
    let title = title_of(&opened);
    let start = start_of(&opened);
    let from = about(&opened);
    let lines = opened
        .first()
        .map(|run| run.setup.clone())
        .unwrap_or_default();
    let commands = lines.join("\n");
    let scenario = Scenario {
        id: start.scenario.clone(),
        title: title.clone(),
        explanation: from.clone(),
        commands: commands.clone(),
        programs: Vec::new(),
        recordings: Vec::new(),
        recorded_as: Vec::new(),
    };
    let mut outcome = Outcome::default();
    for (column, run) in columns_of(&opened) {
        outcome.put(column, Seen::new(run.trace.clone()));
    }
    let place = LAST
        .with_borrow(|last| last.as_ref().map(|(_, place)| place.clone()))
        .unwrap_or(start);
    let model = Model::new((scenario, outcome, None), place, Kind::Picture, Vec::new());
    // No link leads to a step of a file that only this reader has.
    let link = headroom_web::react::Callback::new(|| Some(platform::full_address("/open")));
    model.own_link.set_value(Some(link));
    Effect::new(move |_| {
        let place = model.address().place().cloned();
        LAST.with_borrow_mut(|last| {
            if let (Some(last), Some(place)) = (last, place) {
                last.1 = place;
            }
        });
    });
    model.keep_habits();
    let setup = (!lines.is_empty()).then(|| {
        view! {
            <details class="setup"><summary>"The commands that made it"</summary><pre><code>{commands}</code></pre></details>
        }
    });
    view! {
        <h2 class="opened"><b>{title}</b></h2>
        <p class="lead">{from}</p>
        <Verdicts model/>
        <Stepper model/>
        {crate::take::step(model)}
        {setup}
    }
    .into_any()
}
