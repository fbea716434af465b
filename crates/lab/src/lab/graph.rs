//! The topology as a picture, with the packet's way on it.

use std::sync::Arc;

use headroom_core::scenario::graph::{Device, Edge, Graph};
use headroom_core::scenario::parse;
use headroom_core::trace::DevRef;
use headroom_web::parts::{part, px};
use leptos::prelude::*;

use super::device;
use super::state::Lab;
use crate::layout::{Layout, Place, layout};
use crate::way;

/// On a narrow screen the picture is drawn smaller, down to this part of its width; then it is scrolled.
const SMALLEST: f64 = 0.8;

/// A device as the picture knows it when the commands change: namespace and name.
type Chosen = RwSignal<Option<(Option<String>, String)>>;

/// The figure.
pub fn picture(lab: Lab) -> AnyView {
    // While a line can't be read, the picture is the one before: half a line is not half a topology.
    let unread = Memo::new(move |_| lab.work.with(|work| parse(&work.commands).is_err()));
    let graph = Memo::new(move |before: Option<&Graph>| match before {
        Some(before) if unread.get() && !before.devices.is_empty() => before.clone(),
        _ => {
            lab.work.track();
            lab.graph()
        }
    });
    let way = Memo::new(move |_| graph.with(|graph| way_here(lab, graph)));
    let stale = Memo::new(move |_| unread.get() || lab.model.problem.with(Option::is_some));
    let here = Memo::new(move |_| {
        let frame = lab.model.front_frame()?;
        let dev = frame.trace.steps.get(frame.step)?.dev.clone()?;
        graph.with(|graph| graph.device(dev.netns.as_deref(), &dev.name))
    });
    let chosen: Chosen = RwSignal::new(None);
    let at = Memo::new(move |_| {
        let (netns, name) = chosen.get()?;
        graph.with(|graph| graph.device(netns.as_deref(), &name))
    });
    let figure = part(move || {
        let (graph, way) = (graph.get(), way.get());
        if graph.devices.is_empty() {
            return view! { <p class="hint">"Devices that the commands make are drawn here."</p> }
                .into_any();
        }
        let picture = layout(&graph, &way);
        let marks = Marks {
            here,
            at,
            chosen,
            stale: stale.get(),
        };
        draw(lab, &graph, &picture, &way, marks)
    });
    let panel = part(move || {
        let at = at.get()?;
        lab.model.outcome.track();
        Some(graph.with(|graph| device::panel(lab, graph, at, chosen)))
    });
    view! { {figure}{panel} }.into_any()
}

/// The devices that the packet passes that is shown, one after the other, under the first design: while the input is
/// wrong those of the last that ran, as far as they are still there.
fn way_here(lab: Lab, graph: &Graph) -> Vec<usize> {
    let model = lab.model;
    let first = model.designs.with(|designs| designs.first().copied());
    let Some(trace) = first.and_then(|design| model.trace(design)) else {
        return Vec::new();
    };
    let range = model.rows_here();
    model.rows.with(|rows| {
        let rows = rows.get(range).unwrap_or_default().iter();
        let steps = rows.filter_map(|row| {
            let at = row.steps.first().copied().flatten()?;
            Some((at, trace.steps.get(at)?))
        });
        let device =
            |(_, dev): (usize, &Arc<DevRef>)| graph.device(dev.netns.as_deref(), &dev.name);
        way::stays(steps).into_iter().filter_map(device).collect()
    })
}

/// What is marked in the picture.
#[derive(Clone, Copy)]
struct Marks {
    /// Where the packet is.
    here: Memo<Option<usize>>,
    /// Which device is looked at.
    at: Memo<Option<usize>>,
    chosen: Chosen,
    /// The way is that of an earlier input.
    stale: bool,
}

fn draw(lab: Lab, graph: &Graph, picture: &Layout, way: &[usize], marks: Marks) -> AnyView {
    let (width, height) = (picture.width, picture.height);
    let group = |(namespace, place): &(usize, Place)| {
        let label = namespace_words(graph, *namespace);
        view! {
            <g class="ns"><rect x=px(place.x + 0.5) y="0.5" width=px(place.w - 1.0) height=px(place.h - 1.0) rx="6"/>
                <text x=px(place.x + 12.0) y="19">{label}</text></g>
        }
    };
    let edge = |edge: &Edge| {
        let (class, a, b) = match edge {
            Edge::Wire(a, b) => ("wire", *a, *b),
            Edge::On(a, b) => ("on", *a, *b),
        };
        let (from, to) = (picture.boxes.get(a)?, picture.boxes.get(b)?);
        Some(view! { <path class=class d=line(from, to)/> })
    };
    let device = |(at, device): (usize, &Device)| {
        let place = picture.boxes.get(at).copied().unwrap_or_default();
        let netns = graph.namespaces.get(device.namespace).cloned().flatten();
        one(at, device, netns, place, way, marks)
    };
    let packets = lab.model.sends.with(Vec::len);
    let said = words(graph, way, lab.model.send.get() + 1, packets);
    let stale = marks.stale && !way.is_empty();
    let old = stale.then_some(
        " The commands can't be run as they are: this is the way of the last input that worked.",
    );
    view! {
        <figure class="topology" class:stale=stale>
            <div class="scroll"><svg style:min-width=format!("{}px", px(width * SMALLEST)) width=px(width) height=px(height) viewBox=format!("0 0 {width:.0} {height:.0}") role="group" aria-label="Devices and the packet's way; each device is a button">
                {picture.groups.iter().map(group).collect_view()}
                {graph.edges.iter().filter_map(edge).collect_view()}
                <path class="way" d=way_path(picture, way)/>
                {graph.devices.iter().enumerate().map(device).collect_view()}
            </svg></div>
            <figcaption class="hint">{said}{old}</figcaption>
            {table(graph)}
        </figure>
    }
    .into_any()
}

fn namespace_words(graph: &Graph, namespace: usize) -> String {
    let name = graph.namespaces.get(namespace).cloned().flatten();
    name.map_or_else(
        || "where the commands start".to_owned(),
        |name| format!("netns {name}"),
    )
}

fn one(
    at: usize,
    device: &Device,
    netns: Option<String>,
    place: Place,
    way: &[usize],
    marks: Marks,
) -> AnyView {
    let second = if device.addresses.is_empty() {
        device.kind.clone()
    } else {
        format!("{} · {}", device.kind, device.addresses.join(", "))
    };
    let programs = device.programs.join(", ");
    let class = if way.contains(&at) {
        "dev passed"
    } else {
        "dev"
    };
    let down = (!device.up).then(|| view! { <text class="down" x=px(place.x + place.w - 8.0) y=px(place.y + 17.0)>"down"</text> });
    let own = (netns, device.name.clone());
    let choose = move || {
        let same = marks
            .chosen
            .with_untracked(|now| now.as_ref() == Some(&own));
        marks.chosen.set((!same).then(|| own.clone()));
    };
    let pressed = choose.clone();
    let keyed = move |event: web_sys::KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            event.stop_propagation();
            pressed();
        }
    };
    view! {
        <g class=class class:now=move || marks.here.get() == Some(at) role="button" tabindex="0"
            aria-pressed=move || (marks.at.get() == Some(at)).to_string() on:click=move |_| choose() on:keydown=keyed>
            <rect x=px(place.x) y=px(place.y) width=px(place.w) height=px(place.h) rx="4"/>
            <text class="n" x=px(place.x + 9.0) y=px(place.y + 18.0)>{device.name.clone()}</text>{down}
            <text x=px(place.x + 9.0) y=px(place.y + 33.0)>{shortened(&second)}</text>
            <text class="p" x=px(place.x + 9.0) y=px(place.y + 49.0)>{shortened(&programs)}</text>
        </g>
    }
    .into_any()
}

/// The picture as a table: everything that is drawn.
fn table(graph: &Graph) -> AnyView {
    let name = |at: usize| graph.devices.get(at).map(|device| device.name.clone());
    let joined = |at: usize| {
        let of = |edge: &Edge| match edge {
            Edge::Wire(a, b) if *a == at => Some(format!("a wire to {}", name(*b)?)),
            Edge::Wire(a, b) if *b == at => Some(format!("a wire to {}", name(*a)?)),
            Edge::On(upper, lower) if *upper == at => Some(format!("stands on {}", name(*lower)?)),
            Edge::On(upper, lower) if *lower == at => Some(format!("carries {}", name(*upper)?)),
            _ => None,
        };
        graph
            .edges
            .iter()
            .filter_map(of)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let row = |(at, device): (usize, &Device)| {
        let state = if device.up { "up" } else { "down" };
        let cells = [
            namespace_words(graph, device.namespace),
            device.kind.clone(),
            state.to_owned(),
            device.addresses.join(", "),
            device.programs.join(", "),
            joined(at),
        ];
        view! { <tr><th scope="row"><code>{device.name.clone()}</code></th>{cells.map(|text| view! { <td>{text}</td> }).collect_view()}</tr> }
    };
    let heads = [
        "device",
        "namespace",
        "kind",
        "state",
        "addresses",
        "programs",
        "joined by",
    ];
    let head = |text: &'static str| view! { <th scope="col">{text}</th> };
    view! {
        <details class="as-table"><summary>"The picture as a table"</summary>
            <div class="scroll"><table class="map-table" aria-label="Devices"><thead><tr>{heads.map(head).collect_view()}</tr></thead>
                <tbody>{graph.devices.iter().enumerate().map(row).collect_view()}</tbody></table></div>
        </details>
    }
    .into_any()
}

/// A text that fits a box.
fn shortened(text: &str) -> String {
    const MOST: usize = 23;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

fn line(from: &Place, to: &Place) -> String {
    let ((ax, ay), (bx, by)) = (from.middle(), to.middle());
    format!("M{ax:.1} {ay:.1} L{bx:.1} {by:.1}")
}

/// Through the middles, a little below the lines.
fn way_path(picture: &Layout, way: &[usize]) -> String {
    let mut out = String::new();
    for place in way.iter().filter_map(|at| picture.boxes.get(*at)) {
        let (x, y) = place.middle();
        out.push_str(&format!(
            "{}{x:.1} {:.1} ",
            if out.is_empty() { "M" } else { "L" },
            y + 6.0
        ));
    }
    out
}

/// The picture in words.
fn words(graph: &Graph, way: &[usize], packet: usize, packets: usize) -> String {
    let name = |at: &usize| {
        graph
            .devices
            .get(*at)
            .map(|device| device.name.clone())
            .unwrap_or_default()
    };
    if way.is_empty() {
        let all: Vec<String> = graph
            .devices
            .iter()
            .map(|device| device.name.clone())
            .collect();
        return format!("Devices: {}.", all.join(", "));
    }
    const MOST: usize = 24;
    let mut names: Vec<String> = way.iter().take(MOST).map(name).collect();
    if way.len() > MOST {
        names.push("…".into());
    }
    let names = names.join(" → ");
    match packets {
        0 | 1 => format!("The packet's way: {names}."),
        _ => format!("Packet {packet} of {packets}, its way: {names}."),
    }
}
