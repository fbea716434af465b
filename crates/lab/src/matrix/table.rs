//! The table: a row a scenario, a column a design, a cell a link to the step that decided.

use std::collections::HashMap;

use headroom_core::design::DesignName;
use headroom_core::scene::{Point, StepName};
use headroom_protocol::files::{MatrixCell, MatrixRow};
use headroom_web::address::encode;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::Matrix;
use crate::filter::{CUSTOM, family, is_wrong, turned};
use crate::render;

/// With more columns than that the table is drawn narrow, so that all of them are in sight on a laptop's screen.
const ROOMY: usize = 7;

/// More digits than that do not fit into a narrow column at its size of type.
const LONG: usize = 7;

/// What stands in the table's body.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Item {
    /// The rows of a device family follow.
    Group(String),
    /// A row of the file.
    Row(usize),
}

/// The table of what is shown.
pub fn table(matrix: Matrix) -> AnyView {
    let designs = matrix.designs.get();
    let columns = (designs.len() + 1).to_string();
    let head = |design: &String| {
        let class = if design == CUSTOM { "own" } else { "" };
        let page = DesignName::parse(design).map_or(CUSTOM, DesignName::page);
        view! { <th scope="col" class=class><a href=format!("/designs#{page}")><code>{breakable(design)}</code></a>{share(matrix, design.clone())}</th> }
    };
    let class = if designs.len() > ROOMY {
        "cells packed"
    } else {
        "cells"
    };
    let grouped = Memo::new(move |_| matrix.view.with(|view| view.grouped));
    let items = Memo::new(move |_| items(matrix, grouped.get()));
    let own = StoredValue::new(designs.clone());
    let line = move |item: Item| {
        match item {
        Item::Group(title) => view! { <tr class="group"><th scope="rowgroup" colspan=columns.clone()>{title}</th></tr> }.into_any(),
        Item::Row(at) => {
            let row = matrix.file.with_value(|file| file.rows.get(at).cloned());
            row.map_or_else(|| ().into_any(), |row| own.with_value(|designs| line(matrix, &row, designs)))
        }
    }
    };
    let nothing = move || {
        items
            .with(Vec::is_empty)
            .then(|| view! { <p class="lead">"No scenario is like that. Take a word out of the search, or show more verdicts."</p> })
    };
    view! {
        <p class="hint legend">{render::COST}" Tab goes to the designs' names, arrow keys from there to the cells."</p>
        <div class="scroll" tabindex="0" role="region" aria-label="The matrix, to be scrolled" on:keydown=arrows><table class=class>
            <caption class="sr">"Scenarios under designs; each cell leads to the step that decided it"</caption>
            <thead><tr><th scope="col">"scenario"</th>{designs.iter().map(head).collect_view()}</tr></thead>
            <tbody><For each=move || items.get() key=Clone::clone children=line/></tbody>
        </table></div>
        {part(nothing)}
    }
    .into_any()
}

/// Arrows go from cell to cell; from a design's or a scenario's name too.
fn arrows(event: web_sys::KeyboardEvent) {
    let (across, down) = match event.key().as_str() {
        "ArrowLeft" => (-1, 0),
        "ArrowRight" => (1, 0),
        "ArrowUp" => (0, -1),
        "ArrowDown" => (0, 1),
        _ => return,
    };
    let link = document().active_element();
    let cell = link.and_then(|link| link.closest("th, td").ok().flatten());
    let Some(next) = cell.and_then(|cell| neighbour(&cell, across, down)) else {
        return;
    };
    event.prevent_default();
    let _ = next.focus();
}

/// The link in the cell beside one; rows that head a group are passed over.
fn neighbour(cell: &Element, across: i32, down: i32) -> Option<HtmlElement> {
    let mut column = across;
    let mut before = cell.previous_element_sibling();
    while let Some(one) = before {
        column += 1;
        before = one.previous_element_sibling();
    }
    let mut row = cell.parent_element()?;
    loop {
        row = match down {
            0 => row,
            1 => row.next_element_sibling().or_else(|| {
                let below = row.parent_element()?.next_element_sibling()?;
                below.first_element_child()
            })?,
            _ => row.previous_element_sibling().or_else(|| {
                let above = row.parent_element()?.previous_element_sibling()?;
                above.last_element_child()
            })?,
        };
        let mut at = row.first_element_child().filter(|_| column >= 0);
        for _ in 0..column {
            at = at.and_then(|cell| cell.next_element_sibling());
        }
        let link = at.and_then(|cell| cell.query_selector("a").ok().flatten());
        match link {
            Some(link) => return link.dyn_into().ok(),
            None if down == 0 => return None,
            None => {}
        }
    }
}

/// How many of the rows that are shown a design keeps, as a fraction and as a bar: what is seen from afar. A row counts in
/// which a program read something, so none that was refused and none without a reader.
fn share(matrix: Matrix, design: String) -> AnyView {
    let counted = Memo::new(move |_| {
        let rows = matrix.order.get();
        let own = design == CUSTOM;
        let cell = |row: &MatrixRow| match own {
            true => matrix.custom.with(|all| all.get(&row.scenario).cloned()),
            false => row.cells.iter().find(|cell| cell.design == design).cloned(),
        };
        matrix.file.with_value(|file| {
            let cells: Vec<MatrixCell> = rows
                .iter()
                .filter_map(|at| file.rows.get(*at).and_then(cell))
                .collect();
            let ok = cells.iter().filter(|cell| cell.verdict == "ok").count();
            let wrong = cells.iter().filter(|cell| is_wrong(cell)).count();
            (ok, ok + wrong)
        })
    });
    let words = move || {
        let (ok, all) = counted.get();
        format!("{ok} of {all}")
    };
    let part = move || {
        let (ok, all) = counted.get();
        format!("{}%", ok * 100 / all.max(1))
    };
    view! { <span class="share">{sig(words)}<i title="reads that are ok, of those that are shown" style=("--ok-share", sig(part))></i></span> }.into_any()
}

/// A design's name that may be broken behind each underscore.
fn breakable(name: &str) -> AnyView {
    let parts = name.split_inclusive('_').map(str::to_owned);
    parts
        .map(|part| view! { {part}<wbr/> })
        .collect_view()
        .into_any()
}

fn items(matrix: Matrix, grouped: bool) -> Vec<Item> {
    let order = matrix.order.get();
    if !grouped {
        return order.into_iter().map(Item::Row).collect();
    }
    let mut out = Vec::new();
    let mut latest = String::new();
    for at in order {
        let own = matrix
            .file
            .with_value(|file| {
                file.rows
                    .get(at)
                    .map(|row| family(&row.scenario).to_owned())
            })
            .unwrap_or_default();
        if own != latest {
            out.push(Item::Group(own.clone()));
            latest = own;
        }
        out.push(Item::Row(at));
    }
    out
}

fn line(matrix: Matrix, row: &MatrixRow, designs: &[String]) -> AnyView {
    let by_design: HashMap<&str, &MatrixCell> = row
        .cells
        .iter()
        .map(|cell| (cell.design.as_str(), cell))
        .collect();
    let cell = |design: &String| match by_design.get(design.as_str()) {
        Some(found) => {
            let design = format!("d={}", encode(&found.design));
            one(found, &address(row, &design, found), None)
        }
        None if design == CUSTOM => custom(matrix, row.clone()),
        None => view! { <td class="gap">"–"</td> }.into_any(),
    };
    let cells = designs.iter().map(cell).collect_view();
    let address = format!("/s/{}", row.scenario);
    view! { <tr><th scope="row"><a href=address tabindex="-1" title=row.title.clone()>{row.scenario.clone()}</a><span>{row.title.clone()}</span></th>{cells}</tr> }.into_any()
}

/// The run under a design, at the step that decided the cell; at its opening picture, where no step did.
fn address(row: &MatrixRow, design: &str, cell: &MatrixCell) -> String {
    let step = cell.step.as_deref().map(at).unwrap_or_default();
    format!("/s/{}?{design}{step}", row.scenario)
}

/// The step in an address, at the zoom level at which it is one.
fn at(step: &str) -> String {
    let name = step.parse::<StepName>();
    let zoom = match name.map(|name| name.point) {
        Ok(Point::Insn(_) | Point::Prologue(_)) => "instructions",
        _ => "functions",
    };
    format!("&at={}&z={zoom}", encode(step))
}

/// The workshop's cell: as soon as it is there, and marked when it has turned.
fn custom(matrix: Matrix, row: MatrixRow) -> AnyView {
    let scenario = row.scenario.clone();
    let cell = Memo::new(move |_| matrix.custom.with(|all| all.get(&scenario).cloned()));
    part(move || {
        let Some(cell) = cell.get() else {
            return view! { <td class="gap own">"…"</td> }.into_any();
        };
        let mut whole = row.clone();
        whole.cells.push(cell.clone());
        let (policy, base) = matrix
            .view
            .with_untracked(|view| (view.policy.clone(), view.base.clone()));
        let was = turned(&whole, &base).map(|(was, _)| was.to_owned());
        let design = format!("d=custom&policy={}", encode(&policy));
        one(&cell, &address(&row, &design, &cell), was)
    })
}

/// A cell; `was` is the verdict that it had under the design the workshop's was made from.
fn one(cell: &MatrixCell, address: &str, was: Option<String>) -> AnyView {
    let sign = render::sign(cell);
    let class = match sign {
        "✓" => "ok",
        "✗" => "bad",
        "⊘" => "refused",
        _ => "none",
    };
    let class = if cell.design == CUSTOM {
        format!("{class} own")
    } else {
        class.to_owned()
    };
    let value = cell.value.filter(|_| cell.verdict != "refused");
    let value = value.map(|value| value.to_string()).unwrap_or_default();
    // The sign and what was read stay on one line; a number of many digits is drawn narrower.
    let class_of_value = if value.len() > LONG { "v long" } else { "v" };
    let joint = if value.is_empty() { "" } else { " " };
    let title = format!("{} {}", cell.step.clone().unwrap_or_default(), cell.note);
    view! {
        <td class=class><a href=address.to_owned() tabindex="-1" title=title.trim().to_owned()>
            <span class=class_of_value><b aria-hidden="true">{sign}</b>" "{value}</span>{joint}<span>{cell.verdict.clone()}</span>
            {was.map(|was| view! { " "<b class="turned">{format!("← {was}")}</b> })}
            <small>{render::cost(cell)}</small>
        </a></td>
    }
    .into_any()
}
