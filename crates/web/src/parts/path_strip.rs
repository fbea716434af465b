//! The way of the packet, from the trace: devices, programs, and where the formula changed.

use headroom_core::scene::path::{Station, StationKind, stations};
use leptos::prelude::*;

use super::{part, sig};
use crate::model::{By, Model};

#[derive(Clone, PartialEq)]
struct Stop {
    row: usize,
    station: Station,
    /// Only some of the shown designs have it.
    partial: bool,
}

fn stops(model: Model) -> Vec<Stop> {
    let rows = model.rows.get();
    let shown = model.designs.get();
    let here = model.rows_here();
    let mut out: Vec<Stop> = Vec::new();
    for (column, design) in shown.iter().enumerate() {
        let Some(trace) = model.trace(*design) else {
            continue;
        };
        // Steps of a column are in order.
        let steps: Vec<(usize, usize)> = rows
            .iter()
            .enumerate()
            .skip(here.start)
            .take(here.len())
            .filter_map(|(row, cells)| Some((cells.steps.get(column).copied().flatten()?, row)))
            .collect();
        for station in stations(&trace) {
            let row = steps
                .binary_search_by_key(&station.step, |(step, _)| *step)
                .ok()
                .and_then(|index| steps.get(index))
                .map(|(_, row)| *row);
            let Some(row) = row.filter(|row| out.iter().all(|stop| stop.row != *row)) else {
                continue;
            };
            let partial = rows
                .get(row)
                .is_some_and(headroom_core::scene::Row::differs);
            out.push(Stop {
                row,
                station,
                partial,
            });
        }
    }
    out.sort_by_key(|stop| stop.row);
    out
}

/// One button for each packet that was sent.
fn sends(model: Model) -> impl IntoView {
    let one = move |(index, start): (usize, usize)| {
        view! {
            <button class="tab" aria-pressed=sig(move || (model.send.get() == index).to_string())
                on:click=move |_| model.go(start, By::Jump)>{format!("packet {}", index + 1)}</button>
        }
    };
    move || {
        let starts: Vec<usize> = model
            .sends
            .with(|sends| sends.iter().map(|send| send.start).collect());
        (starts.len() > 1).then(|| {
            view! { <div class="tabs sends" role="group" aria-label="Packet">{starts.into_iter().enumerate().map(one).collect_view()}</div> }
        })
    }
}

fn class(kind: StationKind) -> &'static str {
    match kind {
        StationKind::Device => "device",
        StationKind::Program => "program",
        StationKind::Change => "change",
        StationKind::End => "end",
    }
}

fn hook(note: &str) -> &str {
    match note {
        "xdp" => "XDP",
        "ingress" => "TC ingress",
        "egress" => "TC egress",
        other => other,
    }
}

/// Runs of stations on one device: name, first, how many.
fn devices(stops: &[Stop]) -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    for stop in stops {
        let station = &stop.station;
        let name = if station.netns.is_empty() {
            station.dev.clone()
        } else {
            format!("{}/{}", station.netns, station.dev)
        };
        match out.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => out.push((name, 1)),
        }
    }
    out
}

/// The strip.
#[component]
pub fn PathStrip(model: Model) -> impl IntoView {
    let all = Memo::new(move |_| stops(model));
    // The station one is at, or has passed last.
    let now = Memo::new(move |_| {
        all.with(|all| {
            all.iter()
                .rposition(|stop| stop.row <= model.at.get())
                .unwrap_or(0)
        })
    });
    let exact = move |row: usize| model.at.get() == row;
    let stop = move |index: usize, stop: Stop| {
        let row = stop.row;
        let state = move || match index.cmp(&now.get()) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "todo",
        };
        let class = class(stop.station.kind);
        view! {
            <li class=sig(move || format!("{class} {}", state())) class:exact=sig(move || exact(row)) class:partial=stop.partial>
                <button on:click=move |_| model.go(row, By::Jump) aria-current=sig(move || (now.get() == index).then_some("step"))>
                    <i class="dot" aria-hidden="true"></i>
                    <span class="sn">{stop.station.name.clone()}</span>
                    <span class="ss">{hook(&stop.station.note).to_owned()}</span>
                </button>
            </li>
        }
    };
    let bands = move || {
        let band = |(name, count): (String, usize)| view! { <span style:flex-grow=count.to_string()><b>{name}</b></span> };
        all.with(|all| devices(all))
            .into_iter()
            .map(band)
            .collect_view()
    };
    let stations = move || {
        all.get()
            .into_iter()
            .enumerate()
            .map(|(i, s)| stop(i, s))
            .collect_view()
    };
    let short = move || {
        all.with(|all| {
            all.get(now.get())
                .map(|s| format!("{} on {}", s.station.name, s.station.dev))
        })
    };
    view! {
        <nav class="way" aria-label="The way of the packet">
            <div class="rail">
                <div class="bands" aria-hidden="true">{part(bands)}</div>
                <ol>{part(stations)}</ol>
                <p class="short" aria-hidden="true">{short}</p>
            </div>
            {sends(model)}
        </nav>
    }
}
