//! The design workshop: policy points, one choice each. The matrix is made anew cell by cell, in the
//! worker; the cells that turned are marked.

use headroom_core::design::policy::Policy;
use headroom_protocol::{Answer, Job, Request};
use headroom_web::data::{files, simulator};
use headroom_web::parts::{part, sig};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::Matrix;

/// The designs one may begin with, and their policies.
const BASES: [(&str, Policy); 2] = [("mac_header", Policy::MAC_HEADER), ("meta_end", Policy::META_END)];

impl Matrix {
    /// Scenarios whose verdict is another one than under the nearest design with a name.
    pub(super) fn turned(&self) -> Vec<String> {
        let Some(policy) = self.policy() else { return Vec::new() };
        let base = base_of(&policy);
        self.file.with_value(|file| {
            self.custom.with(|custom| {
                let other = |(scenario, cell): &(String, headroom_protocol::files::MatrixCell)| {
                    let row = file.rows.iter().find(|row| row.scenario == *scenario)?;
                    let own = row.cells.iter().find(|own| own.design == base)?;
                    (own.verdict != cell.verdict).then(|| scenario.clone())
                };
                custom.iter().filter_map(other).collect()
            })
        })
    }

    fn policy(&self) -> Option<Policy> {
        self.view.with(|view| if view.policy.is_empty() { None } else { Policy::parse(&view.policy).ok() })
    }
}

/// The named design from which a policy differs in the fewest points.
fn base_of(policy: &Policy) -> &'static str {
    let distance = |base: &Policy| {
        let (own, other) = (policy.points(), base.points());
        own.iter().zip(&other).filter(|(a, b)| a.1 != b.1).count()
    };
    BASES.iter().min_by_key(|(_, base)| distance(base)).map_or("mac_header", |(name, _)| name)
}

/// The panel.
pub fn panel(matrix: Matrix) -> AnyView {
    let view = matrix.view;
    let busy = RwSignal::new(0usize);
    let run = StoredValue::new(0u32);
    let policy = Memo::new(move |_| view.with(|view| view.policy.clone()));
    Effect::new(move |_| {
        let text = policy.get();
        let number = run.get_value().wrapping_add(1);
        run.set_value(number);
        simulator::cancel();
        matrix.custom.set(Vec::new());
        busy.set(0);
        if !text.is_empty() && Policy::parse(&text).is_ok() {
            all(matrix, text, run, number, busy);
        }
    });
    on_cleanup(simulator::cancel);
    let wrong = move || {
        let text = policy.get();
        let error = if text.is_empty() { None } else { Policy::parse(&text).err() };
        error.map(|error| view! { <p class="problem" role="alert"><b aria-hidden="true">"✗ "</b>{error.to_string()}"."</p> })
    };
    let start = move |(name, base): (&'static str, Policy)| {
        view! { <button class="tab" on:click=move |_| view.update(|view| view.policy = base.to_string())>{name}</button> }
    };
    let points = move || {
        let now = matrix.policy()?;
        let point = |(name, value, all): (&'static str, &'static str, &'static [&'static str])| point(matrix, name, value, all);
        Some(now.points().into_iter().map(point).collect_view())
    };
    let status = move || match (busy.get(), policy.with(String::is_empty)) {
        (_, true) => String::new(),
        (0, _) => {
            let (turned, base) = (matrix.turned().len(), matrix.policy().map_or("", |policy| base_of(&policy)));
            format!("{turned} {} other than under {base}.", if turned == 1 { "cell is" } else { "cells are" })
        }
        (left, _) => format!("{left} scenarios to go…"),
    };
    view! {
        <details class="workshop" open=untrack(|| !policy.with(String::is_empty))>
            <summary>"Design workshop"</summary>
            <p>"Take a design and change what it does at each point; the matrix gets a column of its own, and the address holds the design. Begin with "
                {BASES.map(start).collect_view()}" "
                {part(move || (!policy.with(String::is_empty)).then(|| view! { <button class="tab" on:click=move |_| view.update(|view| view.policy.clear())>"none"</button> }))}</p>
            {part(wrong)}
            <div class="points">{part(points)}</div>
            <p role="status">{sig(status)}</p>
        </details>
    }
    .into_any()
}

fn point(matrix: Matrix, name: &'static str, value: &'static str, all: &'static [&'static str]) -> AnyView {
    let option = |word: &&'static str| view! { <option value=*word selected=*word == value>{*word}</option> };
    let changed = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        if let Some(mut policy) = untrack(|| matrix.policy())
            && policy.set(name, &word).is_ok()
        {
            matrix.view.update(|view| view.policy = policy.to_string());
        }
    };
    view! { <label><code>{name}</code><select on:change=changed>{all.iter().map(option).collect_view()}</select></label> }.into_any()
}

/// Judges every scenario, one after the other.
fn all(matrix: Matrix, policy: String, run: StoredValue<u32>, number: u32, busy: RwSignal<usize>) {
    let scenarios: Vec<String> = matrix.file.with_value(|file| file.rows.iter().map(|row| row.scenario.clone()).collect());
    busy.set(scenarios.len());
    let design = format!("custom:{policy}");
    next(matrix, scenarios.into(), design, run, number, busy);
}

fn next(
    matrix: Matrix,
    mut left: std::collections::VecDeque<String>,
    design: String,
    run: StoredValue<u32>,
    number: u32,
    busy: RwSignal<usize>,
) {
    let Some(id) = left.pop_front() else {
        busy.try_set(0);
        return;
    };
    busy.try_set(left.len() + 1);
    spawn_local(async move {
        let texts = files::scenario(&id, &[]).await;
        let Ok((texts, ..)) = texts else { return next(matrix, left, design, run, number, busy) };
        let objects = files::objects(&texts).await.unwrap_or_default();
        // The reader may have changed the policy, or gone on, by now.
        if run.try_get_value() != Some(number) {
            return;
        }
        let job = Job {
            scenario: id.clone(),
            commands: texts.commands,
            objects,
            designs: vec![design.clone()],
        };
        let rest = StoredValue::new_local(Some((left, design)));
        simulator::ask(Request::Judge(job), move |answer| {
            if run.try_get_value() != Some(number) {
                return;
            }
            match answer {
                Answer::Cell(cell) => matrix.custom.update(|all| all.push((id.clone(), cell))),
                Answer::Trace { .. } => {}
                Answer::Done | Answer::Problem(_) | Answer::Broken(_) => {
                    let mut taken = None;
                    rest.try_update_value(|rest| taken = rest.take());
                    if let Some((left, design)) = taken {
                        next(matrix, left, design, run, number, busy);
                    }
                }
            }
        });
    });
}
