//! A capture that is read. A large one is read in a worker, which is given the file: the page shows how far that is, and a
//! button that ends it.

use std::cell::RefCell;
use std::rc::Rc;

use headroom_protocol::capture::{self, Capture, Most};
use headroom_protocol::program::{Ask, Reply};
use headroom_web::parts::{part, sig};
use js_sys::{Function, Promise};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::progress::lasts;
use super::state::Lab;
use crate::browser;
use crate::program::link::{self, Whose};

/// Most that is taken of a capture. The work is kept at each change, with those before it.
const MOST: Most = Most {
    packets: 500,
    bytes: 1 << 20,
};

/// Most bytes of a capture that the page reads by itself: to start a worker takes longer than these.
const SMALL: f64 = 1024.0 * 1024.0;

/// What is read in the worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Name of the file.
    name: String,
    /// Its bytes.
    size: f64,
    /// Those that were read.
    done: u64,
}

/// What became of it; nothing when the reader ended it.
type Read = Option<Result<Capture, String>>;

thread_local! {
    /// What goes on with the work when it is read, or was ended.
    static GOES_ON: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Reads a capture; nothing when the reader ended that.
pub async fn capture(lab: Lab, file: &File) -> Read {
    if file.size() <= SMALL || file.size() > browser::MOST_BYTES {
        let read = browser::read(file).await;
        return Some(read.and_then(|(name, bytes)| of(&name, capture::read(&bytes, MOST))));
    }
    let reading = Reading {
        name: file.name(),
        size: file.size(),
        done: 0,
    };
    lab.reading.set(Some(reading));
    let read = in_worker(lab, file).await;
    lab.reading.try_set(None);
    read.map(|read| of(&file.name(), read))
}

fn of(name: &str, read: Result<Capture, String>) -> Result<Capture, String> {
    read.map_err(|error| format!("{name}: {error}."))
}

async fn in_worker(lab: Lab, file: &File) -> Read {
    let slot = Rc::new(RefCell::new(None));
    let ended = Promise::new(&mut |goes_on, _| GOES_ON.set(Some(goes_on)));
    let told = Rc::clone(&slot);
    let packets = RefCell::new(Vec::new());
    link::open(Whose::Reader, move |reply| {
        let read = match reply {
            Ok(Reply::Reading(done)) => {
                let to = |reading: &mut Option<Reading>| {
                    if let Some(reading) = reading {
                        reading.done = done;
                    }
                };
                lab.reading.try_update(to);
                return;
            }
            Ok(Reply::Packets(part)) => return packets.borrow_mut().extend(part),
            Ok(Reply::Captured(read)) => read.map(|read| Capture {
                packets: packets.take(),
                ..read
            }),
            Ok(_) => Err("the worker answered something else".to_owned()),
            Err(text) => Err(format!("the worker that reads it: {text}")),
        };
        told.replace(Some(read));
        end();
    });
    link::ask_of(Whose::Reader, &Ask::Capture(MOST), file);
    let _ = JsFuture::from(ended).await;
    slot.take()
}

/// Ends what is read in the worker, and the worker.
pub fn end() {
    link::close(Whose::Reader);
    if let Some(goes_on) = GOES_ON.take() {
        let _ = goes_on.call0(&JsValue::NULL);
    }
}

/// How far it is, and the button that ends it; empty when nothing takes long.
pub fn bar(lab: Lab) -> AnyView {
    let name = Memo::new(move |_| {
        lab.reading.with(|reading| {
            reading
                .as_ref()
                .map(|reading| (reading.name.clone(), reading.size))
        })
    });
    let long = lasts(move || name.with(Option::is_some));
    let done = sig(move || {
        lab.reading
            .with(|reading| reading.as_ref().map_or(0, |reading| reading.done))
            .to_string()
    });
    part(move || {
        let (name, size) = name.get().filter(|_| long.get())?;
        let words = format!("Reading {name} ({:.0} MB)", size / 1e6);
        Some(view! {
            <p class="busy reading" role="status"><progress max=size.to_string() value=done aria-label="Bytes that are read"></progress>
                <span>{words}</span>" "<button class="tab" on:click=|_| end()>"Cancel"</button></p>
        })
    })
}
