//! The topology as a picture, with the packet's way on it.

use headroom_core::scenario::graph::{Device, Edge, Graph};
use headroom_web::parts::{part, px};
use leptos::prelude::*;

use super::state::Lab;
use crate::layout::{Layout, Place, layout};

/// The figure.
pub fn picture(lab: Lab) -> AnyView {
    let graph = Memo::new(move |_| {
        lab.work.track();
        lab.graph()
    });
    let way = Memo::new(move |_| {
        let graph = graph.get();
        let first = lab.model.designs.with(|designs| designs.first().copied());
        let trace = first.and_then(|design| lab.model.trace(design));
        trace.map(|trace| graph.way(&trace)).unwrap_or_default()
    });
    let here = Memo::new(move |_| {
        let frame = lab.model.front_frame()?;
        let dev = frame.trace.steps.get(frame.step)?.dev.clone()?;
        graph.with(|graph| graph.device(dev.netns.as_deref(), &dev.name))
    });
    part(move || {
        let (graph, way) = (graph.get(), way.get());
        if graph.devices.is_empty() {
            return view! { <p class="hint">"Devices that the commands make are drawn here."</p> }
                .into_any();
        }
        let picture = layout(&graph, &way);
        draw(&graph, &picture, &way, here)
    })
}

fn draw(graph: &Graph, picture: &Layout, way: &[usize], here: Memo<Option<usize>>) -> AnyView {
    let (width, height) = (picture.width, picture.height);
    let group = |(namespace, place): &(usize, Place)| {
        let name = graph.namespaces.get(*namespace).cloned().flatten();
        let label = name.map_or_else(
            || "where the commands start".to_owned(),
            |name| format!("netns {name}"),
        );
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
        one(
            at,
            device,
            picture.boxes.get(at).copied().unwrap_or_default(),
            way,
            here,
        )
    };
    let said = words(graph, way);
    view! {
        <figure class="topology">
            <div class="scroll"><svg width=px(width) height=px(height) viewBox=format!("0 0 {width:.0} {height:.0}") role="img" aria-label=said.clone()>
                {picture.groups.iter().map(group).collect_view()}
                {graph.edges.iter().filter_map(edge).collect_view()}
                <path class="way" d=way_path(picture, way)/>
                {graph.devices.iter().enumerate().map(device).collect_view()}
            </svg></div>
            <figcaption class="hint">{said}</figcaption>
        </figure>
    }
    .into_any()
}

fn one(
    at: usize,
    device: &Device,
    place: Place,
    way: &[usize],
    here: Memo<Option<usize>>,
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
    view! {
        <g class=class class:now=move || here.get() == Some(at)>
            <rect x=px(place.x) y=px(place.y) width=px(place.w) height=px(place.h) rx="4"/>
            <text class="n" x=px(place.x + 9.0) y=px(place.y + 18.0)>{device.name.clone()}</text>{down}
            <text x=px(place.x + 9.0) y=px(place.y + 33.0)>{shortened(&second)}</text>
            <text class="p" x=px(place.x + 9.0) y=px(place.y + 49.0)>{shortened(&programs)}</text>
        </g>
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
fn words(graph: &Graph, way: &[usize]) -> String {
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
    format!("The packets’ way: {}.", names.join(" → "))
}
