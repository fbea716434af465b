//! `/matrix`: scenarios × designs, each cell a link to the step that decided it; and the workshop, in
//! which a design's policy points are set by hand and the matrix is made anew.

use std::sync::Arc;

use headroom_protocol::files::{MatrixCell, MatrixFile, MatrixRow};
use headroom_web::address::{Address, encode, pairs};
use headroom_web::app::{self, Location};
use headroom_web::data::files;
use headroom_web::pages::load::views::with_file;
use headroom_web::parts::{part, sig};
use headroom_web::platform;
use leptos::prelude::*;

use crate::filter::{Sort, View, family, is_wrong};
use crate::{render, take};

/// The page's state.
#[derive(Clone, Copy)]
pub(crate) struct Matrix {
    /// As the build made it.
    file: StoredValue<Arc<MatrixFile>>,
    /// What is shown.
    view: RwSignal<View>,
    /// The workshop's cells by scenario, as far as they are there.
    custom: RwSignal<Vec<(String, MatrixCell)>>,
}

/// The page.
pub fn page() -> AnyView {
    document().set_title("Matrix · Headroom");
    let location = expect_context::<Location>();
    let page = with_file(files::matrix(), move |file: MatrixFile| {
        draw(file, location)
    });
    view! { <main id="main" class="wrap matrix">{page}</main> }.into_any()
}

fn draw(file: MatrixFile, location: Location) -> AnyView {
    app::show();
    let read = move || {
        location.0.with(|(address, _)| match address {
            Address::Matrix(rest) => View::read(&pairs(rest)),
            _ => View::default(),
        })
    };
    let matrix = Matrix {
        file: StoredValue::new(Arc::new(file)),
        view: RwSignal::new(untrack(read)),
        custom: RwSignal::new(Vec::new()),
    };
    Effect::new(move |seen: Option<()>| {
        let view = read();
        if seen.is_some() {
            matrix.view.set(view);
        }
    });
    let address = Memo::new(move |_| {
        matrix
            .view
            .with(|view| format!("/matrix{}", view.query(encode)))
    });
    Effect::new(move |seen: Option<()>| {
        let address = address.get();
        if seen.is_some() {
            platform::write_address(&address, false);
        }
    });
    let (scenarios, designs) = matrix
        .file
        .with_value(|file| (file.rows.len(), file.designs.len()));
    view! {
        <div class="title"><div><h1>"Matrix"</h1>
            <p class="sub">{format!("{scenarios} scenarios under {designs} designs: what became of the metadata, and what it cost. Costs are counts, never times.")}</p></div></div>
        {controls(matrix)}
        {part(move || table(matrix))}
        {takes(matrix)}
    }
    .into_any()
}

fn takes(matrix: Matrix) -> AnyView {
    let shown = move || untrack(|| matrix.shown());
    view! {
        <p class="takes">
            {take::copy_button("Copy Markdown", move || render::markdown(&shown()))}
            {take::copy_button("Copy CSV", move || render::csv(&shown()))}
            {take::save_button("Save CSV", "matrix.csv", "text/csv", move || render::csv(&shown()).into_bytes())}
            {take::save_button("Save SVG", "matrix.svg", "image/svg+xml", move || render::svg(&shown()).into_bytes())}
            {take::copy_button("Copy link", move || platform::full_address(&platform::current_address()))}
        </p>
    }
    .into_any()
}

impl Matrix {
    /// The rows of the file, with the workshop's cells behind the others.
    fn rows(&self) -> Vec<MatrixRow> {
        let mut rows = self.file.with_value(|file| file.rows.clone());
        self.custom.with(|custom| {
            for row in &mut rows {
                let cell = custom
                    .iter()
                    .find(|(scenario, _)| *scenario == row.scenario);
                row.cells.extend(cell.map(|(_, cell)| cell.clone()));
            }
        });
        rows
    }

    /// The designs that are shown, in order.
    fn designs(&self) -> Vec<String> {
        let mut all = self.file.with_value(|file| file.designs.clone());
        if self.view.with(|view| !view.policy.is_empty()) {
            all.push("custom".into());
        }
        self.view.with(|view| {
            let wanted = |name: &String| {
                view.designs.is_empty() || view.designs.contains(name) || name == "custom"
            };
            all.into_iter().filter(wanted).collect()
        })
    }

    /// The matrix as it is shown, for taking along.
    fn shown(&self) -> MatrixFile {
        let rows = self.rows();
        let order = self.view.with(|view| view.rows(&rows));
        let designs = self.designs();
        let keep = |at: usize| {
            let mut row = rows[at].clone();
            row.cells.retain(|cell| designs.contains(&cell.design));
            row
        };
        MatrixFile {
            rows: order.into_iter().map(keep).collect(),
            designs,
        }
    }
}

fn controls(matrix: Matrix) -> AnyView {
    let view = matrix.view;
    let verdicts = matrix.file.with_value(|file| {
        let mut all: Vec<String> = file
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().map(|cell| cell.verdict.clone()))
            .collect();
        all.sort();
        all.dedup();
        all
    });
    let verdict_option =
        |word: String| view! { <option value=word.clone()>{word.clone()}</option> };
    let sort_option = |(_, word, said): (Sort, &'static str, &'static str)| view! { <option value=word>{said}</option> };
    let sort_word = move || {
        view.with(|view| {
            Sort::ALL
                .iter()
                .find(|(sort, ..)| *sort == view.sort)
                .map_or("catalogue", |(_, word, _)| word)
        })
        .to_owned()
    };
    let sorted = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        if let Some((sort, ..)) = Sort::ALL.into_iter().find(|(_, known, _)| *known == word) {
            view.update(|view| view.sort = sort);
        }
    };
    let all = matrix.file.with_value(|file| file.designs.clone());
    let chip = move |name: String| {
        let (shown, pressed) = (name.clone(), name.clone());
        let on =
            move || view.with(|view| view.designs.is_empty() || view.designs.contains(&pressed));
        let every = matrix.file.with_value(|file| file.designs.clone());
        let turn = move |_| {
            view.update(|view| {
                if view.designs.is_empty() {
                    view.designs.clone_from(&every);
                }
                if view.designs.contains(&name) {
                    view.designs.retain(|design| *design != name);
                } else {
                    view.designs.push(name.clone());
                }
                // In the file's order; all of them is none in the address.
                let order: Vec<String> = every
                    .iter()
                    .filter(|design| view.designs.contains(design))
                    .cloned()
                    .collect();
                view.designs = if order.len() == every.len() {
                    Vec::new()
                } else {
                    order
                };
            })
        };
        view! { <button class="chip" aria-pressed=sig(move || on().to_string()) on:click=turn>{shown}</button> }
    };
    let count = move || {
        let rows = matrix.rows();
        let shown = view.with(|view| view.rows(&rows).len());
        format!("{shown} of {} scenarios", rows.len())
    };
    view! {
        <div class="matrix-controls">
            <label>"Find "<input type="search" prop:value=sig(move || view.with(|view| view.find.clone()))
                on:input=move |event| { let text = event_target_value(&event); view.update(|view| view.find = text); }/></label>
            <label>"Verdict "<select prop:value=sig(move || view.with(|view| view.verdict.clone()))
                on:change=move |event| { let word = event_target_value(&event); view.update(|view| view.verdict = word); }>
                <option value="">"any"</option>{verdicts.into_iter().map(verdict_option).collect_view()}</select></label>
            <label>"Order "<select prop:value=sig(sort_word) on:change=sorted>{Sort::ALL.map(sort_option).collect_view()}</select></label>
            <button class="tab" aria-pressed=sig(move || view.with(|view| view.differing).to_string())
                on:click=move |_| view.update(|view| view.differing = !view.differing)>"only where designs differ"</button>
            <button class="tab" aria-pressed=sig(move || view.with(|view| view.grouped).to_string())
                on:click=move |_| view.update(|view| view.grouped = !view.grouped)>"grouped"</button>
            <span class="count" role="status">{sig(count)}</span>
        </div>
        <div class="chips" role="group" aria-label="Designs">{all.into_iter().map(chip).collect_view()}</div>
    }
    .into_any()
}

fn table(matrix: Matrix) -> AnyView {
    let shown = matrix.shown();
    let grouped = matrix.view.with(|view| view.grouped);
    if shown.rows.is_empty() {
        return view! { <p class="lead">"No scenario is like that. Take a word out of the search, or show more verdicts."</p> }.into_any();
    }
    let columns = shown.designs.len() + 1;
    let head = shown
        .designs
        .iter()
        .map(|design| view! { <th scope="col"><code>{design.clone()}</code></th> })
        .collect_view();
    let turned: Vec<String> = Vec::new();
    let mut body = Vec::new();
    let mut latest = String::new();
    for row in &shown.rows {
        let own = family(&row.scenario).to_owned();
        if grouped && own != latest {
            let title = own.clone();
            body.push(view! { <tr class="group"><th scope="rowgroup" colspan=columns.to_string()>{title}</th></tr> }.into_any());
            latest = own;
        }
        body.push(line(row, &shown.designs, &turned));
    }
    view! {
        <div class="scroll"><table class="cells">
            <caption class="sr">"Scenarios under designs; each cell leads to the step that decided it"</caption>
            <thead><tr><th scope="col">"scenario"</th>{head}</tr></thead>
            <tbody>{body.collect_view()}</tbody>
        </table></div>
        <p class="hint legend">"Cost: metadata bytes moved / buffers allocated / bytes added to structures / prologue instructions."</p>
    }
    .into_any()
}

fn line(row: &MatrixRow, designs: &[String], turned: &[String]) -> AnyView {
    let cell = |design: &String| match row.cells.iter().find(|cell| cell.design == *design) {
        Some(cell) => one(
            row,
            cell,
            design == "custom" && turned.contains(&row.scenario),
        ),
        None => view! { <td class="gap">"…"</td> }.into_any(),
    };
    let cells = designs.iter().map(cell).collect_view();
    let address = format!("/s/{}", row.scenario);
    view! { <tr><th scope="row"><a href=address title=row.title.clone()>{row.scenario.clone()}</a><span>{row.title.clone()}</span></th>{cells}</tr> }.into_any()
}

fn one(row: &MatrixRow, cell: &MatrixCell, turned: bool) -> AnyView {
    let (sign, class) = match cell.verdict.as_str() {
        "ok" => ("✓", "ok"),
        _ if is_wrong(cell) => ("✗", "bad"),
        "refused" => ("⊘", "refused"),
        _ => ("–", "none"),
    };
    let value = cell
        .value
        .filter(|_| cell.verdict != "refused")
        .map(|value| format!("{value} "))
        .unwrap_or_default();
    let cost = render::cost(cell);
    let said = format!("{value}{}", cell.verdict);
    let text = view! {
        <b aria-hidden="true">{sign}</b>" "<span>{said}</span>
        {turned.then(|| view! { <b class="turned" title="another verdict than under the design it was made from">" ↻"</b> })}
        <small>{cost}</small>
    };
    let custom = cell.design == "custom";
    match &cell.step {
        // A custom design is in no address of a scenario: its cell says where, without a link.
        Some(step) if !custom => {
            let address = format!(
                "/s/{}?d={}&at={}&z=functions",
                row.scenario,
                encode(&cell.design),
                encode(step)
            );
            view! { <td class=class><a href=address title=format!("{step} {}", cell.note)>{text}</a></td> }.into_any()
        }
        step => {
            let title = format!("{} {}", step.clone().unwrap_or_default(), cell.note);
            view! { <td class=class title=title><span class="cell">{text}</span></td> }.into_any()
        }
    }
}
