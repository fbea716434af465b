//! The way of the packet, from the trace: devices, programs, and where the formula changed.

use std::cell::Cell;
use std::rc::Rc;

use crate::prelude::*;
use headroom_core::scene::order::by_key;
use headroom_core::scene::path::{Station, StationKind, stations_in};

use crate::dom::{El, Row, Rows, Said, div, el};
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
            .filter(|(_, cells)| cells.name.write == 0)
            .filter_map(|(row, cells)| Some((cells.steps.get(column).copied().flatten()?, row)))
            .collect();
        // A packet's first step is an outermost call, where the stations begin anew.
        let outermost = |step: usize| {
            let before = trace.steps.get(..=step).unwrap_or_default();
            before.iter().rposition(|step| step.depth == 0).unwrap_or(0)
        };
        let from = steps.first().map_or(0, |(step, _)| outermost(*step));
        let to = steps.last().map_or(0, |(step, _)| step + 1);
        for station in stations_in(&trace, from..to) {
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
    by_key(&mut out, |stop| stop.row);
    out
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

/// The device of a station, with its network namespace.
fn device(stop: &Stop) -> String {
    let station = &stop.station;
    if station.netns.is_empty() {
        station.dev.clone()
    } else {
        format!("{}/{}", station.netns, station.dev)
    }
}

/// Runs of stations on one device: name, first, how many.
fn devices(stops: &[Stop]) -> Vec<(String, usize)> {
    let mut out: Vec<(String, usize)> = Vec::new();
    for stop in stops {
        let name = device(stop);
        match out.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => out.push((name, 1)),
        }
    }
    out
}

/// One button for each packet that was sent; of very many, those around the current one.
fn sends(model: Model) -> El {
    const MOST: usize = 12;
    let buttons = move || {
        let starts: Vec<usize> = model
            .sends
            .with(|sends| sends.iter().map(|send| send.start).collect());
        if starts.len() < 2 {
            return Vec::new();
        }
        let from = if starts.len() > MOST {
            model
                .send
                .get()
                .saturating_sub(MOST / 2)
                .min(starts.len() - MOST)
        } else {
            0
        };
        let one = |(index, start): (usize, usize)| {
            el("button")
                .class("tab")
                .tells("aria-pressed", move || model.send.get() == index)
                .on("click", move |_| model.go(start, By::Jump))
                .text(&format!("packet {}", index + 1))
        };
        let all = starts
            .into_iter()
            .enumerate()
            .skip(from)
            .take(MOST)
            .map(one);
        let group = div("tabs sends")
            .set("role", "group")
            .set("aria-label", "Packet");
        vec![group.all(all)]
    };
    div("packets").part(buttons)
}

/// The strip.
#[must_use]
pub fn path_strip(model: Model) -> El {
    let (bands, list) = (div("bands").set("aria-hidden", "true"), el("ol"));
    let short = el("p").class("short").set("aria-hidden", "true");
    let all = Memo::new(move |_| stops(model));
    let (mut rows, mut names) = (Rows::new(&list), Rows::new(&bands));
    let (short_now, mut drawn, mut last) = (short.clone(), None::<Vec<Stop>>, None);
    follow(move || {
        let at = model.at.get();
        all.with(|all| {
            let stations = rows.show(all.len(), &mut |_| Node::new(model));
            if drawn.as_ref() != Some(all) {
                let devices = devices(all);
                let bands = names.show(devices.len(), &mut Band::new);
                for (band, device) in bands.iter_mut().zip(&devices) {
                    band.show(device);
                }
                for (node, stop) in stations.iter_mut().zip(all) {
                    node.show(stop);
                }
                (drawn, last) = (Some(all.clone()), None);
            }
            // The station one is at, or has passed last.
            let now = all.iter().rposition(|stop| stop.row <= at).unwrap_or(0);
            let exact = all.get(now).is_some_and(|stop| stop.row == at);
            if last == Some((now, exact)) {
                return;
            }
            mark(stations, all, now, exact);
            let words = all
                .get(now)
                .map(|s| format!("{} on {}", s.station.name, s.station.dev));
            short_now.say(&words.unwrap_or_default());
            last = Some((now, exact));
        });
    });
    let rail = div("rail").child(bands).child(list).child(short);
    el("nav")
        .class("way")
        .set("aria-label", "The way of the packet")
        .child(rail)
        .child(sends(model))
}

/// Marks what is done, where one is, and what is to come.
fn mark(nodes: &mut [Node], all: &[Stop], now: usize, exact: bool) {
    for (index, (node, stop)) in nodes.iter_mut().zip(all).enumerate() {
        let state = match index.cmp(&now) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal if exact => "now exact",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "todo",
        };
        let partial = if stop.partial { " partial" } else { "" };
        let class = format!("{} {state}{partial}", class(stop.station.kind));
        if node.class != class {
            node.item.put("class", &class);
            node.class = class;
        }
        if node.here != (index == now) {
            node.here = index == now;
            let here = node.here.then_some("step");
            node.button.maybe("aria-current", here);
        }
    }
}

/// The nodes of a station.
struct Node {
    item: El,
    button: El,
    row: Rc<Cell<usize>>,
    name: Said,
    note: Said,
    device: String,
    class: String,
    here: bool,
}

impl Row for Node {
    fn element(&self) -> &El {
        &self.item
    }

    fn hidden(&mut self) {
        self.class.clear();
        self.item.put("class", "");
        if std::mem::take(&mut self.here) {
            self.button.maybe("aria-current", None);
        }
    }
}

impl Node {
    fn new(model: Model) -> Self {
        let row = Rc::<Cell<usize>>::default();
        let (name, note, to) = (el("span").class("sn"), el("span").class("ss"), row.clone());
        let button = el("button")
            .on("click", move |_| model.go(to.get(), By::Jump))
            .child(el("i").class("dot").set("aria-hidden", "true"))
            .child(name.clone())
            .child(note.clone());
        Self {
            item: el("li").child(button.clone()),
            button,
            row,
            name: Said::new(&name),
            note: Said::new(&note),
            device: String::new(),
            class: String::new(),
            here: false,
        }
    }

    fn show(&mut self, stop: &Stop) {
        self.row.set(stop.row);
        // The names over the stations are not heard: each station says its own.
        let device = device(stop);
        if device != self.device {
            self.button.put("title", &device);
            self.device = device;
        }
        self.name.say(&stop.station.name);
        self.note.say(hook(&stop.station.note));
    }
}

/// The nodes of a device's name over its stations.
struct Band {
    element: El,
    name: Said,
    count: usize,
}

impl Row for Band {
    fn element(&self) -> &El {
        &self.element
    }
}

impl Band {
    fn new(_: usize) -> Self {
        let name = el("b");
        Self {
            element: el("span").child(name.clone()),
            name: Said::new(&name),
            count: 0,
        }
    }

    fn show(&mut self, (name, count): &(String, usize)) {
        self.name.say(name);
        if self.count != *count {
            self.count = *count;
            self.element.style("flex-grow", &count.to_string());
        }
    }
}
