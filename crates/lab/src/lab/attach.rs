//! A program's way to a hook: where it is by the commands, and a click that writes one more.

use headroom_core::bpf::{ProgType, Program};
use headroom_core::scenario::command::Command;
use headroom_core::scenario::graph::{Device, Graph};
use headroom_web::parts::part;
use leptos::html::Select;
use leptos::prelude::*;

use super::check::Verdict;
use super::state::Lab;
use super::verdict;

/// How a program gets to a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To a device: words between `orc` and the program, and the hooks.
    Device(&'static str, &'static [&'static str]),
    /// To a namespace's netfilter.
    Netfilter,
    /// By a command that one writes: which.
    Written(&'static str),
}

const FAMILIES: [&str; 10] = [
    "ip prerouting",
    "ip input",
    "ip forward",
    "ip output",
    "ip postrouting",
    "ip6 prerouting",
    "ip6 input",
    "ip6 forward",
    "ip6 output",
    "ip6 postrouting",
];

fn way(program: &Program) -> Way {
    match program.prog_type {
        ProgType::Xdp => Way::Device("xdp", &["native", "generic"]),
        ProgType::SchedCls if program.section.contains("netkit") => {
            Way::Device("netkit", &["primary", "peer"])
        }
        ProgType::SchedCls => Way::Device("tcx", &["ingress", "egress"]),
        ProgType::Netfilter => Way::Netfilter,
        ProgType::LwtIn | ProgType::LwtOut | ProgType::LwtXmit => {
            Way::Written("A route takes it: ip route add … encap bpf …")
        }
        ProgType::SocketFilter => Way::Written("A socket takes it: orc sock … filter …"),
        _ => Way::Written("No device takes it."),
    }
}

/// A program of an object: its mark, what it is, where it is attached, and where it may be; with `words` also what the
/// verifier says of it.
pub fn program(
    lab: Lab,
    program: &Program,
    verdict: impl Fn() -> Verdict + Copy + Send + Sync + 'static,
    words: bool,
) -> AnyView {
    let name = StoredValue::new(program.name.clone());
    let about = format!("{}, {} instructions", program.section, program.insns.len());
    let form = match way(program) {
        Way::Written(how) => view! { <span class="hint attach">{how}</span> }.into_any(),
        way => form(lab, name.get_value(), way),
    };
    view! {
        <li>
            {part(move || name.with_value(|name| verdict::mark(&verdict(), name)))}<code>{program.name.clone()}</code>" "<span class="hint">{about}</span>
            {form}
            {part(move || name.with_value(|name| attached(lab, name)))}
            {words.then(|| part(move || name.with_value(|name| verdict::of_object(&verdict(), name))))}
        </li>
    }
    .into_any()
}

/// Device and hook, and the button that writes the command.
fn form(lab: Lab, name: String, way: Way) -> AnyView {
    let (place, hook) = (NodeRef::<Select>::new(), NodeRef::<Select>::new());
    let (verb, hooks): (&str, &[&str]) = match way {
        Way::Device(verb, hooks) => (verb, hooks),
        _ => ("nf", &FAMILIES),
    };
    let target = name.clone();
    let press = move |_| {
        let (Some(place), Some(hook)) = (place.get_untracked(), hook.get_untracked()) else {
            return;
        };
        let (place, hook) = (place.value(), hook.value());
        let (netns, dev) = place.split_once('/').unwrap_or(("", &place));
        let line = match way {
            Way::Device(..) if dev.is_empty() => return,
            Way::Device(..) => format!("orc {verb} {target} {dev} {hook} {netns}"),
            _ => format!("orc {verb} {target} {hook} {netns}"),
        };
        lab.add_for_device(line.trim_end(), netns, dev);
    };
    let places = move || {
        let graph = lab.graph();
        let all = match way {
            Way::Device(..) => graph.devices.iter().map(|d| named(&graph, d)).collect(),
            _ => namespaces(&graph),
        };
        let option =
            |(value, words): (String, String)| view! { <option value=value>{words}</option> };
        all.into_iter().map(option).collect_view()
    };
    let hook_option = |word: &&'static str| view! { <option value=*word>{*word}</option> };
    let word = match way {
        Way::Device(..) => "Device",
        _ => "Namespace",
    };
    view! {
        <span class="attach">
            <select node_ref=place aria-label=format!("{word} for {name}")>{part(places)}</select>
            <select node_ref=hook aria-label=format!("Hook for {name}")>{hooks.iter().map(hook_option).collect_view()}</select>
            <button class="tab" on:click=press aria-label=format!("Attach {name}")>"Attach"</button>
        </span>
    }
    .into_any()
}

/// `netns/device`, as value and as words.
pub fn named(graph: &Graph, device: &Device) -> (String, String) {
    let netns = graph.namespaces.get(device.namespace).cloned().flatten();
    let value = netns.map_or_else(
        || device.name.clone(),
        |netns| format!("{netns}/{}", device.name),
    );
    (value.clone(), value)
}

fn namespaces(graph: &Graph) -> Vec<(String, String)> {
    let one = |netns: &Option<String>| match netns {
        Some(netns) => (format!("{netns}/"), format!("netns {netns}")),
        None => (String::new(), "where the commands start".to_owned()),
    };
    graph.namespaces.iter().map(one).collect()
}

/// The commands that attach it.
fn attached(lab: Lab, name: &str) -> AnyView {
    let at = |line: headroom_core::scenario::command::Line| {
        let (program, netns, dev, hook) = match line.command {
            Command::AttachXdp {
                program,
                netns,
                dev,
                ..
            } => (program, netns, dev, "xdp"),
            Command::AttachTcx {
                program,
                netns,
                dev,
                ..
            } => (program, netns, dev, "tcx"),
            Command::AttachNetkit {
                program,
                netns,
                dev,
                ..
            } => (program, netns, dev, "netkit"),
            _ => return None,
        };
        let dev = netns.map_or_else(|| dev.clone(), |netns| format!("{netns}/{dev}"));
        (program == name).then(|| (line.number, format!("{dev} ({hook})")))
    };
    let all: Vec<(usize, String)> = lab.parsed().lines.into_iter().filter_map(at).collect();
    if all.is_empty() {
        return ().into_any();
    }
    let one = |(line, place): (usize, String)| {
        view! { " "<button class="link" on:click=move |_| lab.show_line(line)>{place}", line "{line}</button> }
    };
    view! { <span class="hint attached">"Attached:"{all.into_iter().map(one).collect_view()}</span> }
        .into_any()
}
