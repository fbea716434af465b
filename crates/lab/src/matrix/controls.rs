//! What is shown of the matrix: search, verdict, order, designs.

use headroom_web::parts::sig;
use leptos::prelude::*;

use super::Matrix;
use crate::filter::Sort;

/// The controls over the table.
pub fn controls(matrix: Matrix) -> AnyView {
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
    let designs = all.len();
    let columns = move || match view.with(|view| view.designs.len()) {
        0 => format!("Columns: all {designs} designs"),
        shown => format!("Columns: {shown} of {designs} designs"),
    };
    // Where all are shown the table's head names them; while the workshop is open the table has to be in sight.
    let chosen = view.with_untracked(|view| !view.designs.is_empty());
    let wide = chosen && crate::browser::window_width() > 700.0;
    let open = Memo::new(move |_| wide && view.with(|view| view.base.is_empty()));
    let all_rows = matrix.file.with_value(|file| file.rows.len());
    let count = move || format!("{} of {all_rows} scenarios", matrix.order.with(Vec::len));
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
        <details class="columns" open=move || open.get()>
            <summary>{sig(columns)}</summary>
            <div class="chips" role="group" aria-label="Designs">{all.into_iter().map(chip).collect_view()}</div>
        </details>
    }
    .into_any()
}
