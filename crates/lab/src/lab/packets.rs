//! The packets: written as layers or as hex, or dropped as a capture; sent by a command.

use std::time::Duration;

use headroom_core::export;
use headroom_core::packet;
use headroom_core::share::Frame;
use headroom_protocol::sentence;
use headroom_web::parts::{part, sig};
use leptos::prelude::*;

use super::state::{Lab, later};
use super::{attach, layers};
use crate::listing::{self, Row};
use crate::take;

/// What a new packet begins as.
const FIRST: &str = "ethernet / ipv4 / icmp / payload 6162636465666768";

/// Lines of the list that are drawn at once: more than are in sight.
const AT_ONCE: usize = 50;

/// The panel.
pub fn panel(lab: Lab) -> AnyView {
    let chosen = lab.packet;
    let names = Memo::new(move |_| lab.work.with(|work| listing::rows(&work.packets)));
    let add = move |_| {
        let layers = packet::parse(FIRST).unwrap_or_default();
        let bytes = packet::build(&layers).unwrap_or_default();
        lab.change(None, |work| {
            let name = format!("packet {}", work.packets.len() + 1);
            work.packets.push(Frame { name, bytes });
        });
        chosen.set(
            lab.work
                .with_untracked(|work| work.packets.len().saturating_sub(1)),
        );
    };
    let row = move |row: Row| {
        let at = row.at;
        let way = format!("{} → {}", row.source, row.destination);
        view! {
            <tr class:on=sig(move || chosen.get() == at)>
                <td class="num">{at + 1}</td>
                <td class="num">{row.time}</td>
                <td class="who"><button class="link" aria-current=sig(move || (chosen.get() == at).to_string()) on:click=move |_| chosen.set(at)>{way}" "<span class="hint">{row.name}</span></button></td>
                <td>{row.protocols}</td><td class="num">{row.len}</td>
            </tr>
        }
    };
    let some = Memo::new(move |_| names.with(|names| !names.is_empty()));
    let drawn = drawn(move || names.with(Vec::len));
    let shown_rows =
        move || names.with(|names| names.iter().take(drawn.get()).cloned().collect::<Vec<_>>());
    let list = move || {
        some.get().then(|| {
            view! {
                <div class="scroll packets-list"><table aria-label="Packets of the work">
                    <thead><tr><th scope="col" class="num">"#"</th><th scope="col" class="num">"seconds"</th><th scope="col">"source → destination"</th><th scope="col">"protocols"</th><th scope="col" class="num">"bytes"</th></tr></thead>
                    <tbody><For each=shown_rows key=Clone::clone children=row/></tbody>
                </table></div>
            }
        })
    };
    // What is typed into a packet changes the list; the packet itself is drawn anew only for another one.
    let shown = Memo::new(move |_| Some(chosen.get()).filter(|at| *at < names.with(Vec::len)));
    let detail = move || shown.get().map(|at| one(lab, at));
    view! {
        <section class="packets" aria-label="Packets"><h2 class="sr">"Packets"</h2>
            <p class="add">"Drop a capture ("<code>".pcap"</code>", "<code>".pcapng"</code>"), or "<button class="tab" on:click=add>"make a packet"</button></p>
            {part(list)}
            {part(detail)}
        </section>
    }
    .into_any()
}

/// How many lines of a list are drawn: all, but not all at once, so that the page answers meanwhile.
fn drawn(all: impl Fn() -> usize + 'static) -> RwSignal<usize> {
    // The packet below a long list is drawn first.
    let few = untrack(&all) <= AT_ONCE;
    let drawn = RwSignal::new(if few { AT_ONCE } else { 0 });
    let timer = StoredValue::new(None);
    Effect::new(move |_| {
        if drawn.get() < all() {
            later(timer, Duration::ZERO, move || {
                drawn.try_update(|drawn| *drawn += AT_ONCE);
            });
        }
    });
    drawn
}

fn bytes_of(lab: Lab, at: usize) -> Vec<u8> {
    lab.work.with(|work| {
        work.packets
            .get(at)
            .map(|frame| frame.bytes.clone())
            .unwrap_or_default()
    })
}

fn put(lab: Lab, at: usize, about: &'static str, bytes: Vec<u8>) {
    lab.change(Some(about), |work| {
        if let Some(frame) = work.packets.get_mut(at) {
            frame.bytes = bytes;
        }
    });
}

fn one(lab: Lab, at: usize) -> AnyView {
    let text = RwSignal::new(packet::print(&packet::take_apart(&untrack(|| {
        bytes_of(lab, at)
    }))));
    let wrong = RwSignal::new(None::<String>);
    // Bytes that no text here made: another packet of the same number, or a change that was taken back.
    let bytes = Memo::new(move |_| bytes_of(lab, at));
    Effect::new(move |_| {
        let bytes = bytes.get();
        let built = |text: &String| {
            packet::parse(text)
                .ok()
                .and_then(|layers| packet::build(&layers).ok())
        };
        if text.with_untracked(built).as_ref() != Some(&bytes) {
            wrong.set(None);
            text.set(packet::print(&packet::take_apart(&bytes)));
        }
    });
    let typed = move |event: web_sys::Event| {
        let now = event_target_value(&event);
        let built = packet::parse(&now)
            .map_err(|e| e.to_string())
            .and_then(|layers| packet::build(&layers).map_err(|e| e.to_string()));
        text.set(now);
        match built {
            Ok(bytes) => {
                wrong.set(None);
                put(lab, at, "packet", bytes);
            }
            Err(what) => wrong.set(Some(sentence(&what))),
        }
    };
    let hex_typed = move |event: web_sys::Event| match read_hex(&event_target_value(&event)) {
        Ok(bytes) => {
            wrong.set(None);
            text.set(packet::print(&packet::take_apart(&bytes)));
            put(lab, at, "hex", bytes);
        }
        Err(what) => wrong.set(Some(sentence(&what))),
    };
    let layers_changed = move |layers: Vec<packet::Layer>| {
        text.set(packet::print(&layers));
        match packet::build(&layers) {
            Ok(bytes) => {
                wrong.set(None);
                put(lab, at, "layers", bytes);
            }
            Err(what) => wrong.set(Some(sentence(&what.to_string()))),
        }
    };
    let name = move || {
        lab.work.with(|work| {
            work.packets
                .get(at)
                .map(|frame| frame.name.clone())
                .unwrap_or_default()
        })
    };
    let renamed = move |event: web_sys::Event| {
        let now = event_target_value(&event);
        lab.change(Some("name"), |work| {
            if let Some(frame) = work.packets.get_mut(at) {
                frame.name = now;
            }
        });
    };
    let remove = move |_| {
        lab.change(None, |work| {
            if at < work.packets.len() {
                work.packets.remove(at);
            }
        })
    };
    view! {
        <article class="packet">
            <h3><input class="name" aria-label="Name of the packet" prop:value=sig(name) on:input=renamed/>
                <button class="tab" on:click=remove>"Remove"</button></h3>
            <label class="field-line">"As layers"
                <textarea class="asm" rows="2" spellcheck="false" prop:value=text on:input=typed></textarea></label>
            {part(move || wrong.get().map(|what| view! { <p class="problem" role="status"><b aria-hidden="true">"✗ "</b>{what}</p> }))}
            {layers::form(text, layers_changed)}
            <label class="field-line">"As bytes"
                <textarea class="asm hex" rows="5" spellcheck="false" prop:value=sig(move || spaced(&bytes.get())) on:change=hex_typed></textarea></label>
            <p class="takes">
                {take::copy_button("Copy hex", move || export::hex(&untrack(|| bytes_of(lab, at))))}
                {take::copy_button("Copy C array", move || export::c_array(&untrack(name), &untrack(|| bytes_of(lab, at))))}
                {take::copy_button("Copy Scapy", move || export::scapy(&untrack(|| bytes_of(lab, at))))}
            </p>
            {send(lab, at)}
        </article>
    }
    .into_any()
}

/// Sixteen bytes a line.
fn spaced(bytes: &[u8]) -> String {
    let line = |line: &[u8]| {
        line.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    bytes.chunks(16).map(line).collect::<Vec<_>>().join("\n")
}

fn read_hex(text: &str) -> Result<Vec<u8>, String> {
    match headroom_core::bpf::parse_hex(text) {
        Ok(bytes) if bytes.is_empty() => Err("a packet without bytes can't be sent".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

/// The command that sends it.
fn send(lab: Lab, at: usize) -> AnyView {
    let device = NodeRef::<leptos::html::Select>::new();
    let press = move |_| {
        let Some(device) = device.get_untracked() else {
            return;
        };
        let place = device.value();
        let (netns, dev) = place.split_once('/').unwrap_or(("", &place));
        if dev.is_empty() {
            return;
        }
        let hex = export::hex(&untrack(|| bytes_of(lab, at)));
        lab.add_command(format!("send {dev} {hex} {netns}").trim_end());
    };
    let devices = move || {
        let graph = lab.graph();
        let option = |device: &headroom_core::scenario::graph::Device| {
            let (value, words) = attach::named(&graph, device);
            view! { <option value=value>{words}</option> }
        };
        graph.devices.iter().map(option).collect_view()
    };
    view! {
        <p class="attach">"Send it on " <select node_ref=device aria-label="Device to send on">{part(devices)}</select>
            " "<button class="tab" on:click=press>"Add the command"</button></p>
    }
    .into_any()
}
