//! `/compare/<scenario>`: two to four columns side by side, designs and recordings of real kernels.
//! One scale for all, rows lined up by function, device and occurrence, every difference marked.

mod index;
mod list;
mod now;

use std::sync::Arc;

use headroom_core::compare::{Column, Compared, compare, next_difference, previous_difference};
use headroom_web::data::Scenario;
use headroom_web::designs::{COLUMNS, FIRST_SHOWN, can_be_had, column_title, is_recorded};
use headroom_web::model::{By, Kind, Model};
use headroom_web::pages::load::views::with_model;
use headroom_web::parts::chips;
use headroom_web::parts::prose::ticks;
use headroom_web::parts::stepper::Stepper;
use headroom_web::parts::verdicts::Verdicts;
use headroom_web::parts::{part, sig};
use headroom_web::platform;
use leptos::ev;
use leptos::prelude::*;

/// The comparison of the shown columns, row by row as the model has them.
pub(crate) type Rows = Memo<Arc<Vec<Compared>>>;

/// The page.
pub fn page(id: &str) -> AnyView {
    if id.is_empty() {
        return index::page();
    }
    with_model(id, Kind::Compare, draw)
}

/// The recorded experiments that confirm the scenario, beside the simulator.
fn beside(model: Model) -> Vec<AnyView> {
    let link = |id: String| {
        let address = format!("/compare/{id}{}", index::COLUMNS_OF_RECORDED);
        view! { " · "<a href=address>"Beside the kernel's own run of such commands"</a> }.into_any()
    };
    let ids = model.scenario.with_value(|texts| texts.recorded_as.clone());
    ids.into_iter().map(link).collect()
}

/// Compares what a model shows.
pub(crate) fn rows_of(model: Model) -> Rows {
    Memo::new_with_compare(
        move |_| {
            let zoom = model.place.with(|place| place.zoom);
            let shown = model.designs.get();
            let traces: Vec<_> = shown
                .iter()
                .filter_map(|column| Some((model.trace(*column)?, is_recorded(*column))))
                .collect();
            let columns: Vec<Column<'_>> = traces
                .iter()
                .map(|(trace, recorded)| Column {
                    trace: trace.as_ref(),
                    recorded: *recorded,
                })
                .collect();
            Arc::new(compare(&columns, zoom))
        },
        |old, new| !matches!((old, new), (Some(old), Some(new)) if Arc::ptr_eq(old, new)),
    )
}

/// Which columns stand in for the recording of a kernel: for each column, the index of the recorded
/// column of the same design, if both are shown.
pub(crate) fn against(model: Model) -> Vec<Option<usize>> {
    let shown = model.designs.get();
    let recorded: Vec<(usize, String)> = shown
        .iter()
        .enumerate()
        .filter(|(_, column)| is_recorded(**column))
        .filter_map(|(at, column)| Some((at, model.trace(*column)?.design.clone())))
        .collect();
    shown
        .iter()
        .map(|column| {
            let own = model.trace(*column)?.design.clone();
            let (at, _) = recorded.iter().find(|(_, design)| *design == own)?;
            (!is_recorded(*column)).then_some(*at)
        })
        .collect()
}

fn draw(model: Model) -> AnyView {
    let (title, explanation) = model
        .scenario
        .with_value(|scenario| (scenario.title.clone(), scenario.explanation.clone()));
    document().set_title(&format!("Compare: {title} · Headroom"));
    let first = explanation
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .to_owned();
    let id = model.scenario.with_value(|scenario| scenario.id.clone());
    let rows = rows_of(model);
    let address = format!("/s/{id}");
    view! {
        <main id="main" class="wrap compare">
            <div class="title">
                <div>
                    <p class="crumb"><a href="/compare">"Compare"</a>" · "<a href=address>"The scenario"</a>{beside(model)}</p>
                    <h1>{title}</h1>
                </div>
                {chips(model)}
            </div>
            {lacking(model)}
            {crate::policy::panel::panel(model, move || platform::write_address(&model.address().print(), true))}
            <Verdicts model/>
            {bar(model, rows)}
            {beside_words(model, rows)}
            <Stepper model/>
            {crate::take::step(model)}
            <p class="lead">{ticks(&first)}</p>
            {list::table(model, rows)}
        </main>
    }
    .into_any()
}

/// What differs at this step. Its place is in the stepper, behind the words, on the screen and for those who hear the page.
fn beside_words(model: Model, rows: Rows) -> AnyView {
    let table = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        let slot = document()
            .query_selector(".compare > .stepper > .slot")
            .ok()
            .flatten();
        if let (Some(slot), Some(table)) = (slot, table.get()) {
            let _ = slot.append_child(&table);
        }
    });
    view! { <div class="slot" node_ref=table>{now::table(model, rows)}</div> }.into_any()
}

/// Columns of the address that this scenario does not have: a link was typed, or the design of another page kept.
fn lacking(model: Model) -> AnyView {
    let columns = Memo::new(move |_| {
        let wanted = model.place.with(|place| place.designs.clone());
        let lacks = |column: &usize| {
            let texts = |texts: &Scenario| !can_be_had(texts, *column);
            model.scenario.with_value(texts)
        };
        wanted.into_iter().filter(lacks).collect::<Vec<_>>()
    });
    part(move || {
        let names: Vec<&str> = columns.get().into_iter().map(column_title).collect();
        let out = move |_| {
            let mut place = model.place.get_untracked();
            let lacks = columns.get_untracked();
            place.designs.retain(|column| !lacks.contains(column));
            if place.designs.is_empty() {
                place.designs = (0..FIRST_SHOWN).collect();
            }
            model.follow(place);
            platform::write_address(&model.address().print(), true);
        };
        (!names.is_empty()).then(|| {
            let words = format!("There is no recording of this scenario for the column {}.", names.join(" and "));
            view! {
                <p class="notice" role="status">{words}" "<a href="/compare">"What was recorded"</a>" "
                    <button class="tab" on:click=out>"Without it"</button></p>
            }
        })
    })
}

/// The columns that can be shown; four at most at a time.
fn chips(model: Model) -> AnyView {
    let there = model
        .scenario
        .with_value(|scenario| scenario.recordings.clone());
    let all = move || {
        let shown = model.place.with(|place| place.designs.clone());
        let offered = |column: &usize| {
            *column < FIRST_SHOWN
                || shown.contains(column)
                || there.iter().any(|name| name == COLUMNS[*column])
        };
        (0..COLUMNS.len())
            .filter(offered)
            .map(|column| chips::chip(model, column))
            .collect_view()
    };
    view! {
        <div class="chips" role="group" aria-label="Columns, two to four">{part(all)}{part(move || chips::more(model))}</div>
    }
    .into_any()
}

/// How much differs, and the way from one difference to the next.
fn bar(model: Model, rows: Rows) -> AnyView {
    let count = Memo::new(move |_| {
        rows.with(|rows| rows.iter().filter(|row| !row.difference.is_empty()).count())
    });
    let words = move || {
        let all = rows.with(|rows| rows.len());
        match (model.designs.with(Vec::len), count.get()) {
            (0 | 1, _) => "Choose a second column.".to_owned(),
            (_, 0) => format!("Nothing differs in {all} steps."),
            (_, 1) => format!("One of {all} steps differs."),
            (_, count) => format!("{count} of {all} steps differ."),
        }
    };
    let to = move |row: Option<usize>| {
        if let Some(row) = row {
            model.go(row, By::Jump);
        }
    };
    let first = move || to(rows.with_untracked(|rows| next_difference(rows, 0)));
    let next = move || {
        let at = model.at.get_untracked();
        to(rows.with_untracked(|rows| next_difference(rows, at + 1)));
    };
    let previous = move || {
        let at = model.at.get_untracked();
        to(rows.with_untracked(|rows| previous_difference(rows, at)));
    };
    let keys = window_event_listener(ev::keydown, move |event| {
        if headroom_web::parts::stepper::taken(&event) {
            return;
        }
        match event.key().as_str() {
            "]" => next(),
            "[" => previous(),
            "f" => first(),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || keys.remove());
    let none = move || count.get() == 0;
    view! {
        <div class="diffbar" role="group" aria-label="Differences">
            <p role="status">{sig(words)}</p>
            <button class="quiet first" disabled=sig(none) on:click=move |_| first()>"First difference "<kbd>"f"</kbd></button>
            <button class="quiet" disabled=sig(none) on:click=move |_| previous()>"Previous "<kbd>"["</kbd></button>
            <button class="quiet" disabled=sig(none) on:click=move |_| next()>"Next "<kbd>"]"</kbd></button>
            {part(move || ticks_bar(model, rows))}
        </div>
    }
    .into_any()
}

/// Every difference as a mark on one line, at its place in the run.
fn ticks_bar(model: Model, rows: Rows) -> AnyView {
    /// More marks than that can't be told apart.
    const MOST: usize = 240;
    let marks: Vec<(usize, f64)> = rows.with(|rows| {
        let all = rows.len().max(1) as f64;
        let differ = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| !row.difference.is_empty());
        differ
            .map(|(at, _)| (at, at as f64 / all * 100.0))
            .collect()
    });
    let every = marks.len().div_ceil(MOST).max(1);
    let mark = |(at, x): (usize, f64)| {
        view! { <rect x=format!("{x:.2}") y="0" width="0.35" height="10" on:click=move |_| model.go(at, By::Jump)/> }
    };
    let now = move || {
        let all = rows.with(|rows| rows.len()).max(1) as f64;
        format!("{:.2}", model.at.get() as f64 / all * 100.0)
    };
    view! {
        <svg class="ticks" viewBox="0 -2 100 14" preserveAspectRatio="none" aria-hidden="true">
            <rect class="base" x="0" y="4.6" width="100" height="0.8"/>
            {marks.into_iter().step_by(every).map(mark).collect_view()}
            <rect class="now" x=sig(now) y="-2" width="0.5" height="14"/>
        </svg>
    }
    .into_any()
}
