//! Files that come in: objects, captures, saved work, recordings; and scenarios as templates.

use headroom_core::net::pcap;
use headroom_core::share::{self, Frame, Program, ProgramText};
use headroom_web::data::files;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::state::{Lab, Tab, scenario, template};
use crate::browser;

/// Most packets that are taken of a capture.
const MOST_PACKETS: usize = 500;

/// Takes in files, whatever they are.
pub fn files(lab: Lab, files: Vec<File>) {
    spawn_local(async move {
        for file in files {
            let taken = browser::read(&file)
                .await
                .and_then(|(name, bytes)| take(lab, name, bytes));
            if let Err(text) = taken {
                lab.notices.try_update(|all| all.push(text));
            }
        }
    });
}

/// The files of an input element.
pub fn chosen(lab: Lab, event: &web_sys::Event) {
    let input = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
    if let Some(input) = input {
        files(lab, browser::files(input.files()));
        input.set_value("");
    }
}

fn take(lab: Lab, name: String, bytes: Vec<u8>) -> Result<(), String> {
    match bytes.as_slice() {
        [0x7f, b'E', b'L', b'F', ..] => {
            headroom_core::bpf::load_object(&name, &bytes).map_err(|error| error.to_string())?;
            lab.change(None, |work| {
                work.programs.retain(|program| program.name != name);
                work.programs.push(Program {
                    name,
                    text: ProgramText::Object(bytes),
                });
            });
            lab.tab.set(Tab::Programs);
            Ok(())
        }
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x0a, 0x0d, 0x0d, 0x0a, ..] => capture(lab, &name, &bytes),
        [b'{', ..] => Err(format!(
            "{name} is JSON: a recording or a trace is opened by the page “Open”."
        )),
        _ => {
            let opened = share::from_bytes(&bytes).map_err(|error| {
                format!("{name} is no object file, capture or saved work: {error}.")
            })?;
            lab.notices.set(opened.broken);
            lab.replace(opened.work);
            Ok(())
        }
    }
}

fn capture(lab: Lab, name: &str, bytes: &[u8]) -> Result<(), String> {
    let packets = pcap::packets(bytes).map_err(|error| format!("{name}: {error}."))?;
    let all = packets.len();
    lab.change(None, |work| {
        for (number, packet) in (1..).zip(packets.into_iter().take(MOST_PACKETS)) {
            work.packets.push(Frame {
                name: format!("{name} {number}"),
                bytes: packet,
            });
        }
    });
    if all > MOST_PACKETS {
        lab.notices.update(|notices| {
            notices.push(format!(
                "{name} has {all} packets; the first {MOST_PACKETS} are here."
            ))
        });
    }
    lab.tab.set(Tab::Packets);
    Ok(())
}

/// Every scenario as a template.
pub fn templates(lab: Lab) -> AnyView {
    let picked = move |event: web_sys::Event| {
        let id = event_target_value(&event);
        if id.is_empty() {
            return;
        }
        spawn_local(async move {
            match scenario(&id).await {
                Ok((texts, _)) => {
                    // Its opening picture; the designs that are shown stay.
                    lab.model.place.update(|place| place.at = None);
                    lab.replace(template(&texts));
                }
                Err(text) => lab.notices.update(|all| all.push(text)),
            }
        });
    };
    let option = |id: &&str| view! { <option value=*id>{*id}</option> };
    view! {
        <select class="tab" aria-label="Begin with a scenario" on:change=picked>
            <option value="">"Begin with…"</option>
            {files::IDS.iter().map(option).collect_view()}
        </select>
    }
    .into_any()
}
