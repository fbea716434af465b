//! The page: a search, tags, and below chapter headings a line for each scenario.

use std::collections::HashMap;
use std::sync::Arc;

use headroom_protocol::files::{Catalogue, Entry, MatrixCell, MatrixFile};
use headroom_protocol::{DESIGNS, FIRST_SHOWN};
use headroom_web::address::{Address, encode, pairs};
use headroom_web::app::{self, Location};
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::prose::ticks;
use headroom_web::parts::{part, sig};
use headroom_web::platform;
use leptos::prelude::*;

use super::choose::{Choice, chapters, tags};
use crate::filter::is_wrong;

/// The page.
pub fn page() -> AnyView {
    document().set_title("Scenarios · Headroom");
    let location = expect_context::<Location>();
    let load = async { Ok((files::catalogue().await?, files::matrix().await?)) };
    let list = with_file(load, move |(catalogue, matrix): (Catalogue, MatrixFile)| {
        app::show();
        draw(catalogue, matrix, location)
    });
    view! { <main id="main" class="wrap scenarios catalogue"><h1>"Scenarios"</h1>{list}</main> }
        .into_any()
}

fn draw(catalogue: Catalogue, matrix: MatrixFile, location: Location) -> AnyView {
    let read = move || {
        location.0.with(|(address, _)| match address {
            Address::Scenarios(rest) => Choice::read(&pairs(rest)),
            _ => Choice::default(),
        })
    };
    let choice = RwSignal::new(untrack(read));
    Effect::new(move |seen: Option<()>| {
        let read = read();
        if seen.is_some() {
            choice.set(read);
        }
    });
    Effect::new(move |seen: Option<()>| {
        let address = format!("/s{}", choice.with(|choice| choice.query(encode)));
        if seen.is_some() {
            platform::write_address(&address, false);
        }
    });
    let entries = Arc::new(catalogue.entries);
    let cells: Arc<HashMap<String, Vec<MatrixCell>>> = Arc::new(
        matrix
            .rows
            .into_iter()
            .map(|row| (row.scenario, row.cells))
            .collect(),
    );
    let controls = controls(&entries, choice);
    let list = part(
        move || match choice.with(|choice| no_such_tag(&entries, choice)) {
            Some(tag) => unknown(&tag, choice),
            None => list(&entries, &cells, &choice.get()),
        },
    );
    view! { {controls} {list} }.into_any()
}

fn controls(entries: &Arc<Vec<Entry>>, choice: RwSignal<Choice>) -> AnyView {
    let all = entries.len();
    let counted = Arc::clone(entries);
    let count = move || {
        let shown =
            choice.with(|choice| counted.iter().filter(|entry| choice.shows(entry)).count());
        format!("{shown} of {all}")
    };
    let button = move |tag: String| {
        let (own, shown) = (tag.clone(), tag.clone());
        let pressed = move || choice.with(|choice| choice.tag == own).to_string();
        let press = move |_| {
            choice.update(|choice| {
                let off = choice.tag == tag;
                choice.tag = if off { String::new() } else { tag.clone() };
            })
        };
        view! { <button class="tab" aria-pressed=sig(pressed) on:click=press>{shown}</button> }
    };
    view! {
        <div class="matrix-controls">
            <label>"Find "<input type="search" prop:value=sig(move || choice.with(|choice| choice.find.clone()))
                on:input=move |event| { let text = event_target_value(&event); choice.update(|choice| choice.find = text); }/></label>
            <div class="tagline" role="group" aria-label="Tag">{tags(entries).into_iter().map(button).collect_view()}</div>
            <span class="count" role="status">{sig(count)}</span>
        </div>
    }
    .into_any()
}

/// The tag of an address that no scenario has.
fn no_such_tag(entries: &[Entry], choice: &Choice) -> Option<String> {
    let known =
        choice.tag.is_empty() || entries.iter().any(|entry| entry.tags.contains(&choice.tag));
    (!known).then(|| choice.tag.clone())
}

fn unknown(tag: &str, choice: RwSignal<Choice>) -> AnyView {
    let all = move |_| choice.update(|choice| choice.tag.clear());
    view! { <p class="notice" role="status">{format!("No scenario has the tag “{tag}”. ")}<button class="tab" on:click=all>"Show without it"</button></p> }
        .into_any()
}

fn list(entries: &[Entry], cells: &HashMap<String, Vec<MatrixCell>>, choice: &Choice) -> AnyView {
    let chapters = chapters(entries, choice);
    if chapters.is_empty() {
        return view! { <p class="lead">"No scenario is like that. Take a word out of the search, or the tag off."</p> }.into_any();
    }
    let chapter = |(heading, shown): (&'static str, Vec<usize>)| {
        let lines = shown.into_iter().map(|at| {
            let entry = &entries[at];
            line(entry, cells.get(&entry.id).map_or(&[], Vec::as_slice))
        });
        view! { <section><h2>{heading}</h2><ul>{lines.collect_view()}</ul></section> }
    };
    chapters.into_iter().map(chapter).collect_view().into_any()
}

fn line(entry: &Entry, cells: &[MatrixCell]) -> AnyView {
    let address = format!("/s/{}", entry.id);
    let verdict = |design: &headroom_protocol::Design| {
        let cell = cells.iter().find(|cell| cell.design == design.name);
        cell.map(|cell| verdict(&entry.id, cell))
    };
    let verdicts = DESIGNS.iter().take(FIRST_SHOWN).map(verdict).collect_view();
    view! {
        <li><div><h3><a href=address>{entry.title.clone()}</a></h3><p>{ticks(&entry.summary)}</p></div><p class="came">{verdicts}</p></li>
    }
    .into_any()
}

/// What became of the metadata under a design: a link to the step that decided it.
fn verdict(id: &str, cell: &MatrixCell) -> AnyView {
    let (sign, class) = match cell.verdict.as_str() {
        "ok" => ("✓", "ok"),
        _ if is_wrong(cell) => ("✗", "bad"),
        _ => ("–", "none"),
    };
    let value = match cell.value {
        Some(value) if cell.verdict != "refused" => format!("{value} {}", cell.verdict),
        _ => cell.verdict.clone(),
    };
    let said = view! { <code>{cell.design.clone()}</code><span class=class><b aria-hidden="true">{sign}</b>" "{value}</span> };
    match &cell.step {
        Some(step) => {
            let address = format!(
                "/s/{id}?d={}&at={}&z=functions",
                encode(&cell.design),
                encode(step)
            );
            view! { <a href=address>{said}</a> }.into_any()
        }
        None => view! { <span class="line">{said}</span> }.into_any(),
    }
}
