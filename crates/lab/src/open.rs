//! `/open`: a recording or a trace file of the reader's, in the same stepper. The file stays here.

use std::cell::RefCell;

use headroom_core::compare::MAX_COLUMNS;
use headroom_core::recording::{OpenedFile, open_all};
use headroom_protocol::files::Scenario;
use headroom_web::address::Place;
use headroom_web::app;
use headroom_web::data::{Outcome, Seen};
use headroom_web::designs::{FILE, column_of};
use headroom_web::model::{Kind, Model};
use headroom_web::parts::part;
use headroom_web::parts::stepper::Stepper;
use headroom_web::parts::verdicts::Verdicts;
use headroom_web::platform;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::browser::{self, Looks, looks};

thread_local! {
    /// What was opened last, and where one was in it: Back and Forward lead to it again. A file is nothing that an
    /// address could hold.
    static LAST: RefCell<Option<(Vec<OpenedFile>, Place)>> = const { RefCell::new(None) };
}

/// The page.
pub fn page() -> AnyView {
    app::show();
    document().set_title("Open a recording · Headroom");
    let shown_file = RwSignal::new(None::<Vec<OpenedFile>>);
    let wrong = RwSignal::new(None::<String>);
    let take = move |files: Vec<web_sys::File>| {
        let Some(file) = files.into_iter().next() else {
            return;
        };
        spawn_local(async move {
            let read = browser::read(&file).await;
            if let Ok((name, bytes)) = &read
                && (matches!(looks(bytes), Looks::Object | Looks::Capture)
                    || name.ends_with(".headroom"))
            {
                return browser::hand_over(&file, "/lab");
            }
            let opened = read.and_then(|(name, bytes)| {
                let text = String::from_utf8(bytes).map_err(|e| {
                    format!(
                        "{name}: byte {} is no UTF-8; a recording is JSON.",
                        e.utf8_error().valid_up_to()
                    )
                })?;
                open_all(&name, &text).map_err(|error| error.to_string())
            });
            // What was there stays, if this file is none.
            match opened {
                Ok(opened) => {
                    wrong.try_set(None);
                    LAST.with_borrow_mut(|last| *last = Some((opened.clone(), start_of(&opened))));
                    shown_file.try_set(Some(opened));
                }
                Err(text) => {
                    wrong.try_set(Some(text));
                }
            }
        });
    };
    match headroom_web::drop::waiting() {
        Some(file) => take(vec![file]),
        None => {
            shown_file.set(LAST.with_borrow(|last| last.as_ref().map(|(opened, _)| opened.clone())))
        }
    }
    let dropped = window_event_listener(ev::drop, move |event: web_sys::DragEvent| {
        event.prevent_default();
        take(browser::files(
            event.data_transfer().and_then(|data| data.files()),
        ));
    });
    on_cleanup(move || dropped.remove());
    let input = NodeRef::<leptos::html::Input>::new();
    let chosen = move |_: web_sys::Event| {
        take(browser::files(
            input.get_untracked().and_then(|input| input.files()),
        ))
    };
    let picker = move || {
        view! { <label class="tab file">"Choose a file"<input type="file" class="sr" accept=".json,application/json" node_ref=input on:change=chosen/></label> }
    };
    let body = move || match shown_file.get() {
        None => hint(picker().into_any()),
        Some(opened) => shown(opened),
    };
    let again = move || shown_file.with(Option::is_some).then(picker);
    let problem = move || {
        let kept = shown_file.with(|file| file.as_ref().map(|file| title_of(file)));
        wrong.get().map(|text| {
            let kept = kept.map(
                |title| view! { <span class="kept">{format!(" Below is still “{title}”.")}</span> },
            );
            view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{text}{kept}</p> }
        })
    };
    view! {
        <main id="main" class="wrap open">
            <div class="title"><div><h1>"Open a recording or a trace"</h1></div>
                {part(again)}
            </div>
            {part(problem)}
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
    model.linear.set(headroom_web::model::to_scale());
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
