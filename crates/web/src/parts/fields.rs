//! The fields of the packet, under each design, old → new.

use std::sync::Arc;

use headroom_core::scene::sentence::changes_at;
use headroom_core::scene::{FieldChange, FieldValue, values};
use leptos::prelude::*;

use super::{part, sig};
use crate::designs::COLUMNS;
use crate::frame::Frame;
use crate::model::Model;

/// Fields that are always shown; the others only when they are opened or change.
const FIRST: [&str; 14] = [
    "metadata",
    "meta_len",
    "meta_end",
    "data_meta",
    "data",
    "data_end",
    "tail",
    "end",
    "len",
    "mac_header",
    "network_header",
    "transport_header",
    "mac_len",
    "protocol",
];

type Column = (usize, Vec<FieldValue>, Vec<FieldChange>);

fn column(frame: &Arc<Frame>) -> Column {
    let changes = if frame.present {
        changes_at(&frame.trace, frame.step)
    } else {
        Vec::new()
    };
    (
        frame.design,
        frame.fields().map(values).unwrap_or_default(),
        changes,
    )
}

/// Names in the order in which the columns have them.
fn names(columns: &[Column]) -> Vec<&'static str> {
    let mut out: Vec<&'static str> = Vec::new();
    for (_, values, _) in columns {
        let mut at = 0;
        for value in values {
            match out.iter().position(|name| *name == value.name) {
                Some(place) => at = place + 1,
                None => {
                    out.insert(at.min(out.len()), value.name);
                    at += 1;
                }
            }
        }
    }
    out
}

/// The table.
#[component]
pub fn Fields(model: Model) -> impl IntoView {
    let columns = Memo::new(move |_| {
        model
            .frames
            .with(|frames| frames.iter().map(column).collect::<Vec<_>>())
    });
    let all = RwSignal::new(false);
    let order = Memo::new(move |_| {
        let changed = |name: &str| {
            columns.with(|c| {
                c.iter()
                    .any(|(_, _, changes)| changes.iter().any(|c| c.name == name))
            })
        };
        let keep = |name: &&'static str| all.get() || FIRST.contains(name) || changed(name);
        columns
            .with(|c| names(c))
            .into_iter()
            .filter(keep)
            .collect::<Vec<_>>()
    });
    let designs = Memo::new(move |_| {
        columns.with(|c| c.iter().map(|(design, ..)| *design).collect::<Vec<_>>())
    });
    let cell = move |design: usize, name: &'static str| {
        let here = Memo::new(move |_| {
            columns.with(|columns| {
                let (_, values, changes) = columns.iter().find(|(d, ..)| *d == design)?;
                let value = values
                    .iter()
                    .find(|value| value.name == name)?
                    .value
                    .clone();
                let old = changes
                    .iter()
                    .find(|change| change.name == name)
                    .map(|change| change.old.clone());
                Some((old, value))
            })
        });
        let text = move || {
            match here.get() {
            None => view! { <span class="absent" title="this design has no such field here">"–"</span> }.into_any(),
            Some((None, value)) => value.into_any(),
            Some((Some(old), value)) => {
                view! { <span class="old">{old}</span><span class="to" aria-label="to">" → "</span><b>{value}</b> }.into_any()
            }
        }
        };
        let changed = move || here.with(|here| here.as_ref().is_some_and(|(old, _)| old.is_some()));
        view! { <td class:changed=sig(changed)>{part(text)}</td> }
    };
    let row = move |name: &'static str| {
        let differs = move || {
            columns.with(|columns| {
                let of = |(_, values, _): &Column| {
                    values
                        .iter()
                        .find(|v| v.name == name)
                        .map(|v| v.value.clone())
                };
                let mut found = columns.iter().filter_map(of);
                let first = found.next();
                found.any(|value| Some(value) != first)
            })
        };
        view! {
            <tr class:differs=sig(differs) class:key=name == "metadata">
                <th scope="row">{name}</th>
                <For each=move || designs.get() key=|d| *d children=move |design| cell(design, name)/>
            </tr>
        }
    };
    let head = move || {
        designs
            .get()
            .into_iter()
            .map(|d| view! { <th scope="col">{COLUMNS.get(d).copied().unwrap_or_default()}</th> })
            .collect_view()
    };
    view! {
        <section class="panel fields" aria-labelledby="fields-title">
            <h2 id="fields-title"><b>"Fields"</b>
                <button class="tab" aria-pressed=sig(move || all.get().to_string()) on:click=move |_| all.update(|all| *all = !*all)>"all"</button>
            </h2>
            <table>
                <thead><tr><th scope="col"><span class="sr">"field"</span></th>{part(head)}</tr></thead>
                <tbody><For each=move || order.get() key=|name| *name children=row/></tbody>
            </table>
        </section>
    }
}
