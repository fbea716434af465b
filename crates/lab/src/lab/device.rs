//! What a device of the topology is: its commands, its programs, and where the packets pass it.

use headroom_core::scenario::graph::Graph;
use headroom_core::scenario::syntax::{Kind, tokens};
use headroom_core::scene::StepName;
use headroom_core::trace::DevRef;
use headroom_web::model::By;
use leptos::prelude::*;

use super::state::Lab;
use crate::way;

/// Most commands and visits that are listed.
const MOST: usize = 40;

/// The panel below the picture for the device that is chosen.
pub fn panel(
    lab: Lab,
    graph: &Graph,
    at: usize,
    chosen: RwSignal<Option<(Option<String>, String)>>,
) -> AnyView {
    let Some(device) = graph.devices.get(at) else {
        return ().into_any();
    };
    let netns = graph.namespaces.get(device.namespace).cloned().flatten();
    let place = match &netns {
        Some(netns) => format!("in netns {netns}"),
        None => "where the commands start".to_owned(),
    };
    let lines = lab
        .work
        .with_untracked(|work| lines_of(&work.commands, &device.name));
    let line = |(number, text): (usize, String)| {
        let words = format!("Line {number}");
        view! { <li><button class="link" on:click=move |_| lab.show_line(number)>{words}</button>" "<code>{text}</code></li> }
    };
    let count = lines.len();
    let visits = visits(lab, netns.as_deref(), &device.name);
    let passed = visits.len();
    let visit = |name: StepName| {
        let words = name.to_string();
        view! { <li><button class="link" on:click=move |_| lab.model.go_to(name.clone(), By::Jump)><code>{words}</code></button></li> }
    };
    let visits = visits.into_iter().take(MOST).map(visit).collect_view();
    let passes = match passed {
        0 => "No packet passes it.".to_owned(),
        1 => "Packets come here once, at this step:".to_owned(),
        _ => format!("Packets come here {passed} times, at these steps:"),
    };
    let about: Vec<String> = [device.kind.clone(), place]
        .into_iter()
        .chain(device.addresses.iter().cloned())
        .chain(device.programs.iter().cloned())
        .chain((!device.up).then(|| "down".to_owned()))
        .collect();
    let named = format!("Device {}", device.name);
    view! {
        <section class="device-panel" aria-label=named>
            <h3><b><code>{device.name.clone()}</code></b>" "<span class="hint">{about.join(" · ")}</span>
                <button class="tab" on:click=move |_| chosen.set(None)>"Close"</button></h3>
            <div class="device-parts">
                <div><p class="hint">{format!("{count} {} it:", if count == 1 { "command names" } else { "commands name" })}</p>
                    <ol>{lines.into_iter().take(MOST).map(line).collect_view()}</ol></div>
                <div><p class="hint">{passes}</p><ol>{visits}</ol></div>
            </div>
        </section>
    }
    .into_any()
}

/// The commands in which the name stands as a word, with their 1-based lines.
fn lines_of(commands: &str, name: &str) -> Vec<(usize, String)> {
    let of_line = tokens(commands);
    let named = |(index, text): (usize, &str)| {
        let words = of_line.get(index)?;
        let is = words.iter().any(|token| {
            !matches!(token.kind, Kind::Comment) && text.get(token.range.clone()) == Some(name)
        });
        is.then(|| {
            (
                index + 1,
                text.trim_start_matches(['#', '$', ' ']).to_owned(),
            )
        })
    };
    commands.split('\n').enumerate().filter_map(named).collect()
}

/// The first step of each stay of a packet on the device, under the first design that is shown.
fn visits(lab: Lab, netns: Option<&str>, dev: &str) -> Vec<StepName> {
    let design = lab.model.designs.with(|designs| designs.first().copied());
    let Some((design, trace)) = design.and_then(|at| Some((at, lab.model.trace(at)?))) else {
        return Vec::new();
    };
    let names = lab.model.names(design);
    let here = |place: &DevRef| place.name == dev && place.netns.as_deref() == netns;
    let stays = way::stays(trace.steps.iter().enumerate());
    let stays = stays.into_iter().filter(|(_, place)| here(place));
    stays.filter_map(|(at, _)| names.get(at).cloned()).collect()
}
