//! The run as a table: a row for each step that differs (or each at all), a column for each design.
//! A column in which a step is missing stays visibly empty there.

use headroom_core::compare::{Compared, Presence};
use headroom_core::scene::explain::span;
use headroom_web::designs::column_title;
use headroom_web::model::{By, Model};
use headroom_web::parts::{part, sig};
use headroom_web::view::{Show, View};
use leptos::prelude::*;

use super::{Rows, against};

/// Most rows on the page at once.
const PAGE: usize = 200;

/// The table.
pub fn table(model: Model, rows: Rows) -> AnyView {
    let all = Memo::new(move |_| model.view.get().has(Show::Steps));
    let chosen = Memo::new(move |_| {
        let everything = all.get();
        rows.with(|rows| {
            let wanted = |(_, row): &(usize, &Compared)| everything || !row.difference.is_empty();
            rows.iter()
                .enumerate()
                .filter(wanted)
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        })
    });
    let pages = move || chosen.with(|chosen| chosen.len().div_ceil(PAGE));
    // An address may name a page that there is not.
    let page = Memo::new(move |_| model.view.get().page.min(pages().saturating_sub(1)));
    let body = move || {
        let against = against(model);
        let from = page.get() * PAGE;
        let shown: Vec<usize> =
            chosen.with(|chosen| chosen.iter().skip(from).take(PAGE).copied().collect());
        rows.with(|rows| {
            let one = |at: usize| rows.get(at).map(|row| line(model, at, row, &against));
            shown.into_iter().filter_map(one).collect_view()
        })
    };
    let head = move || {
        model.designs.with(|shown| {
            let one = |column: &usize| view! { <th scope="col">{column_title(*column)}</th> };
            shown.iter().map(one).collect_view()
        })
    };
    let turn = move |by: isize| {
        let view = model.view.get_untracked();
        let page = page.get_untracked().saturating_add_signed(by);
        let page = page.min(pages().saturating_sub(1));
        model.look(View { page, ..view });
    };
    let pager = move || {
        (pages() > 1).then(|| {
            view! {
                <p class="pager">
                    <button class="tab" on:click=move |_| turn(-1)>"Earlier"</button>
                    <span>{sig(move || format!("{} of {}", page.get() + 1, pages()))}</span>
                    <button class="tab" on:click=move |_| turn(1)>"Later"</button>
                </p>
            }
        })
    };
    view! {
        <section class="steps" aria-labelledby="steps-title">
            <h2 id="steps-title"><b>"Step by step"</b>
                <button class="tab" aria-pressed=sig(move || (!all.get()).to_string())
                    on:click=move |_| model.look(View { page: 0, ..model.view.get_untracked().toggled(Show::Steps) })>"only what differs"</button>
            </h2>
            <div class="scroll">
                <table class="steplist" aria-labelledby="steps-title">
                    <thead><tr><th scope="col">"step"</th>{part(head)}</tr></thead>
                    <tbody>{part(body)}</tbody>
                </table>
            </div>
            {part(pager)}
        </section>
    }
    .into_any()
}

fn line(model: Model, at: usize, row: &Compared, against: &[Option<usize>]) -> AnyView {
    let name = row.row.name.to_string();
    let cell = |(column, presence): (usize, &Presence)| {
        let kernel = against.get(column).copied().flatten();
        let wrong = kernel.is_some_and(|kernel| not_as_recorded(row, column, kernel));
        let text = match presence {
            Presence::Absent => "no such step".to_owned(),
            Presence::Hidden => "not to be seen".to_owned(),
            Presence::Here => values(row, column),
        };
        let class = match presence {
            Presence::Here if wrong => "wrong",
            Presence::Here => "",
            Presence::Absent | Presence::Hidden => "gap",
        };
        view! { <td class=class>{text}</td> }
    };
    let cells = row.presence.iter().enumerate().map(cell).collect_view();
    let here = move || model.at.get() == at;
    view! {
        <tr class:on=sig(here)>
            <th scope="row"><button class="link" on:click=move |_| model.go(at, By::Jump)><code>{name}</code></button></th>
            {cells}
        </tr>
    }
    .into_any()
}

/// The column has something else than the recorded one: a field, what was read or returned; or bytes, which
/// are compared over all columns and so are told of two alone.
fn not_as_recorded(row: &Compared, column: usize, kernel: usize) -> bool {
    let difference = &row.difference;
    let other = |values: &Option<Vec<Option<String>>>| {
        let value = |at: usize| values.as_ref()?.get(at)?.as_ref();
        value(column)
            .zip(value(kernel))
            .is_some_and(|(own, recorded)| own != recorded)
    };
    let field = difference
        .fields
        .iter()
        .any(|field| field.differs_from(column, kernel));
    let bytes = row.presence.len() == 2 && !difference.bytes.is_empty();
    field || bytes || other(&difference.reads) || other(&difference.outcomes)
}

/// The differing values of a column, the most telling first.
fn values(row: &Compared, column: usize) -> String {
    const MOST: usize = 3;
    let difference = &row.difference;
    let of = |values: &Option<Vec<Option<String>>>| values.as_ref()?.get(column)?.clone();
    let mut out: Vec<String> = Vec::new();
    out.extend(of(&difference.reads).map(|value| format!("read {value}")));
    out.extend(of(&difference.outcomes).map(|value| format!("returned {value}")));
    let fields = difference.fields.iter();
    out.extend(fields.filter_map(|field| {
        Some(format!(
            "{} {}",
            field.name,
            field.values.get(column)?.as_ref()?
        ))
    }));
    let first = difference.bytes.first();
    if let (Some(range), Some(Some(hex))) = (first, difference.first_bytes.get(column)) {
        let word = if range.len() == 1 { "byte" } else { "bytes" };
        let place = span(range.start, range.end);
        out.push(format!("{word} {place}: {hex}"));
        let rest = difference
            .bytes
            .iter()
            .skip(1)
            .map(|range| range.len())
            .sum();
        match rest {
            0usize => {}
            1 => out.push("1 more byte".into()),
            rest => out.push(format!("{rest} more bytes")),
        }
    }
    let more = out.len().saturating_sub(MOST);
    out.truncate(MOST);
    if more > 0 {
        out.push(format!("and {more} more"));
    }
    out.join(", ")
}
