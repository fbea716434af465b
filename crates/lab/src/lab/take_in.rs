//! Files that come in: objects, captures, saved work, recordings; and scenarios as templates.

use std::collections::VecDeque;

use headroom_core::share::{self, Frame, Program, ProgramText, ShareError};
use headroom_web::data::files;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::reading;
use super::state::{Lab, Tab};
use crate::arriving::{ASM, Looks, Page, SAVED, looks};
use crate::browser;
use crate::foreign::looks_like;
use crate::listing::timed;

/// Takes in files, whatever they are, one after the other; those that come meanwhile wait.
pub fn files(lab: Lab, files: Vec<File>) {
    // What was said of the files before is over.
    lab.notices.set(Vec::new());
    spawn_local(async move {
        let Some(arrived) = browser::arrived(files, Page::Lab).await else {
            return;
        };
        let says = |all: &mut Vec<String>| all.extend(arrived.left_out);
        lab.notices.try_update(says);
        let first = lab.arriving.try_update_value(|waiting| {
            let first = waiting.is_empty();
            waiting.extend(arrived.here);
            first
        });
        while first == Some(true) {
            let next = lab
                .arriving
                .try_with_value(|waiting| waiting.front().cloned());
            let Some(file) = next.flatten() else { return };
            if let Err(text) = take(lab, &file).await {
                lab.notices.try_update(|all| all.push(text));
            }
            lab.arriving.try_update_value(VecDeque::pop_front);
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

async fn take(lab: Lab, file: &File) -> Result<(), String> {
    if looks(&browser::beginning(file).await) == Looks::Capture {
        return capture(lab, file).await;
    }
    let (name, bytes) = browser::read(file).await?;
    // The reader may be on another page by now.
    if lab.tab.try_get_untracked().is_none() {
        return Ok(());
    }
    if looks(&bytes) == Looks::Object {
        headroom_core::bpf::load_object(&name, &bytes).map_err(|error| error.to_string())?;
        put(lab, name, ProgramText::Object(bytes));
        return Ok(());
    }
    if name.ends_with(ASM) {
        return assembler(lab, name, bytes);
    }
    let opened = share::from_bytes(&bytes).map_err(|error| foreign(&name, &bytes, &error))?;
    lab.notices.update(|all| all.extend(opened.broken));
    lab.replace(opened.work);
    Ok(())
}

/// What is said of a file that nothing here reads.
fn foreign(name: &str, bytes: &[u8], error: &ShareError) -> String {
    if name.ends_with(SAVED) {
        let why = error.to_string().replacen("the link", "the file", 1);
        return format!("{name}: {why}.");
    }
    format!(
        "{name} looks like {}. The lab takes BPF objects of clang (ELF), assembler ({ASM}), Ethernet captures (.pcap, .pcapng), \
         work that was saved here ({SAVED}), recordings and traces (JSON).",
        looks_like(bytes)
    )
}

/// A file of assembler. The word before its ending says its type; without one it is for TC.
fn assembler(lab: Lab, name: String, bytes: Vec<u8>) -> Result<(), String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        format!(
            "{name}: byte {} is no UTF-8.",
            error.utf8_error().valid_up_to()
        )
    })?;
    put(lab, name, ProgramText::Assembler(text));
    Ok(())
}

/// A program in the place of one of its name, or behind the others.
fn put(lab: Lab, name: String, text: ProgramText) {
    lab.change(None, |work| {
        work.programs.retain(|program| program.name != name);
        work.programs.push(Program { name, text });
    });
    lab.tab.set(Tab::Programs);
}

/// A capture may be large: between reading it, keeping and drawing its packets the page has its turn.
async fn capture(lab: Lab, file: &File) -> Result<(), String> {
    let name = file.name();
    let Some(read) = reading::capture(lab, file).await else {
        return Err(format!("Cancelled: nothing of {name} is here."));
    };
    let read = read?;
    browser::turn().await;
    if lab.tab.try_get_untracked().is_none() {
        return Ok(());
    }
    let (taken, all) = (read.packets.len(), read.whole as usize);
    let mut said = Vec::new();
    if let Some(error) = &read.first {
        let left = match read.broken {
            1 => "one packet was left out".to_owned(),
            broken => format!("{broken} packets were left out"),
        };
        said.push(format!("{name}: {left}: {error}."));
    }
    if all == 0 {
        said.push(format!("{name} is a capture without packets."));
    } else if taken < all {
        said.push(format!(
            "{name} has {all} packets; the first {taken} are here."
        ));
    }
    let first = lab.work.with_untracked(|work| work.packets.len());
    lab.change(None, |work| {
        for packet in read.packets {
            let name = format!("{name} {}", packet.number);
            work.packets.push(Frame {
                name: timed(&name, packet.time),
                bytes: packet.bytes,
            });
        }
    });
    if taken > 0 {
        lab.packet.set(first);
    }
    lab.notices.update(|notices| notices.extend(said));
    browser::turn().await;
    lab.tab.try_set(Tab::Packets);
    Ok(())
}

/// Every scenario as a template.
pub fn templates(lab: Lab) -> AnyView {
    let picked = move |event: web_sys::Event| {
        let id = event_target_value(&event);
        if id.is_empty() {
            return;
        }
        // Its opening picture; the designs that are shown stay.
        lab.model.place.update(|place| place.at = None);
        lab.begin_with(id);
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
