//! The work kept: in this browser, in a link, in a file.

use std::time::Duration;

use headroom_core::share::{self, Program, ProgramText, Work};
use headroom_protocol::Object;
use headroom_web::address::{self, Address};
use headroom_web::platform;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::state::{KEY, Lab, later, never};
use crate::browser;

/// Roughly, in bytes; never 0.
pub(super) fn size_of_work(work: &Work) -> usize {
    let program = |program: &Program| match &program.text {
        ProgramText::Object(bytes) => bytes.len(),
        ProgramText::Assembler(text) => text.len(),
    };
    let programs: usize = work.programs.iter().map(program).sum();
    let packets: usize = work.packets.iter().map(|frame| frame.bytes.len()).sum();
    1024 + work.commands.len() + programs + packets
}

/// The programs as files: what the simulator and the verifier take.
pub(super) fn objects(work: &Work) -> Vec<Object> {
    let object = |program: &Program| Object {
        name: program.name.clone(),
        bytes: match &program.text {
            ProgramText::Object(bytes) => bytes.clone(),
            ProgramText::Assembler(text) => text.as_bytes().to_vec(),
        },
    };
    work.programs.iter().map(object).collect()
}

impl Lab {
    /// Keeps the work in this browser, at once: the page may go.
    pub(super) fn keep(&self) {
        never(self.storing);
        self.store(&self.work.with_untracked(share::to_text_quickly));
    }

    /// The same in two turns: to write a large text and to store it take their time each.
    pub(super) fn keep_soon(&self) {
        let (lab, text) = (*self, self.work.with_untracked(share::to_text_quickly));
        later(self.storing, Duration::ZERO, move || {
            lab.storing.set_value(None);
            lab.store(&text);
        });
    }

    fn store(&self, text: &str) {
        if browser::try_store(KEY, text) {
            leave_the_link();
        } else {
            let full = "This browser keeps nothing here (its storage is full or closed): copy the link or save a file to keep the work.";
            self.notices.update(|all| {
                if !all.iter().any(|text| text == full) {
                    all.push(full.into());
                }
            });
        }
    }

    /// The link to the work, in the address and on the clipboard.
    pub fn share(&self) {
        let lab = *self;
        let place = self.model.place.get_untracked();
        match self.link(&place) {
            Err(text) => self.notices.set(vec![text]),
            Ok(address) => {
                platform::write_address(&address, false);
                let whole = platform::full_address(&address);
                let len = whole.len();
                spawn_local(async move {
                    let text = if platform::copy(whole).await {
                        format!(
                            "The link is on the clipboard; it has {len} characters and holds everything."
                        )
                    } else {
                        "The link is in the address bar.".into()
                    };
                    lab.notices.try_set(vec![text]);
                });
            }
        }
    }

    /// The work as a file.
    pub fn save(&self) {
        let bytes = self.work.with_untracked(share::to_bytes);
        browser::save("work.headroom", "application/octet-stream", &bytes);
    }
}

/// Takes the template or the link that the work began with out of the address: it has become the
/// reader's own, and a reload has to find it as it was left. What else stands there stays.
pub(super) fn leave_the_link() {
    let Address::Lab(rest) = Address::parse(&platform::current_address()).0 else {
        return;
    };
    let query = rest.split('#').next().unwrap_or_default();
    let kept: Vec<String> = address::pairs(query)
        .into_iter()
        .filter(|(key, _)| key != "s")
        .map(|(key, value)| format!("{key}={}", address::encode(&value)))
        .collect();
    let joint = if kept.is_empty() { "" } else { "?" };
    platform::write_address(&format!("/lab{joint}{}", kept.join("&")), false);
}
