//! Workers of one's own: a run of the lab, which ends the worker of the page, leaves them alone. The pane's holds the
//! trace that is stepped through and is started when the pane is first opened; the checker's judges programs while
//! they are written; the reader's reads a large capture.

use std::cell::RefCell;

use headroom_protocol::program::{Ask, Reply};
use headroom_protocol::{Answer, Message, Request, decode, encode};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{File, MessageEvent, Worker};

/// The script that starts the worker's module; trunk writes it.
const SCRIPT: &str = "/headroom-worker_loader.js";

struct Running {
    worker: Worker,
    listens: bool,
    waiting: Vec<Sent>,
    job: u32,
    tell: Box<dyn Fn(Result<Reply, String>)>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _failed: Closure<dyn FnMut(web_sys::Event)>,
}

/// A request that goes to a worker: its bytes, and a file that it is about.
type Sent = (Vec<u8>, Option<File>);

/// Whose worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The program pane's.
    Pane,
    /// The one that judges programs.
    Checker,
    /// The one that reads a capture.
    Reader,
}

thread_local! {
    static WORKERS: RefCell<[Option<Running>; 3]> = const { RefCell::new([None, None, None]) };
}

fn with<T>(whose: Whose, act: impl FnOnce(&mut Option<Running>) -> T) -> T {
    WORKERS.with_borrow_mut(|[pane, checker, reader]| {
        act(match whose {
            Whose::Pane => pane,
            Whose::Checker => checker,
            Whose::Reader => reader,
        })
    })
}

/// Starts a worker anew; `tell` gets each answer to what was asked last.
pub fn open(whose: Whose, tell: impl Fn(Result<Reply, String>) + 'static) {
    close(whose);
    match start(whose, Box::new(tell)) {
        Ok(running) => with(whose, |slot| *slot = Some(running)),
        Err(tell) => tell(Err("this browser starts no worker here".into())),
    }
}

/// Ends it.
pub fn close(whose: Whose) {
    if let Some(running) = with(whose, Option::take) {
        running.worker.terminate();
        running.worker.set_onmessage(None);
        running.worker.set_onerror(None);
        // A closure may be what is running now.
        std::mem::forget(running);
    }
}

/// Asks. An answer to what was asked before is not told any more.
pub fn ask(whose: Whose, ask: &Ask) {
    send(whose, ask, None);
}

/// Asks about a file: the worker reads it by itself.
pub fn ask_of(whose: Whose, ask: &Ask, file: &File) {
    send(whose, ask, Some(file.clone()));
}

fn send(whose: Whose, ask: &Ask, file: Option<File>) {
    with(whose, |slot| {
        let Some(running) = slot else { return };
        running.job = running.job.wrapping_add(1).max(1);
        let body = Request::Program(encode(ask));
        let bytes = encode(&Message {
            job: running.job,
            body,
        });
        if running.listens {
            post(&running.worker, (bytes, file));
        } else {
            running.waiting.push((bytes, file));
        }
    });
}

fn post(worker: &Worker, (bytes, file): Sent) {
    let buffer = Uint8Array::from(bytes.as_slice()).buffer();
    let handed_over = Array::of1(&buffer);
    let _ = match file {
        None => worker.post_message_with_transfer(&buffer, &handed_over),
        Some(file) => worker.post_message_with_transfer(&Array::of2(&buffer, &file), &handed_over),
    };
}

type Tell = Box<dyn Fn(Result<Reply, String>)>;

fn start(whose: Whose, tell: Tell) -> Result<Running, Tell> {
    let Ok(worker) = Worker::new(SCRIPT) else {
        return Err(tell);
    };
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(whose, &event.data())
    });
    let failed = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| {
        say(
            whose,
            Err("it can't be loaded, or stopped without a word".into()),
        );
    });
    worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
    Ok(Running {
        worker,
        listens: false,
        waiting: Vec::new(),
        job: 0,
        tell,
        _heard: heard,
        _failed: failed,
    })
}

fn hear(whose: Whose, data: &JsValue) {
    if data.is_null() {
        with(whose, |slot| {
            if let Some(running) = slot {
                running.listens = true;
                for sent in running.waiting.drain(..) {
                    post(&running.worker, sent);
                }
            }
        });
        return;
    }
    let message = decode::<Message<Answer>>(&Uint8Array::new(data).to_vec());
    let (job, reply) = match message {
        Ok(Message {
            job,
            body: Answer::Program(bytes),
        }) => (job, decode(&bytes).map_err(|error| error.to_string())),
        Ok(Message {
            body: Answer::Broken(text),
            ..
        }) => (0, Err(text)),
        Ok(_) => (0, Err("it answered something else".into())),
        Err(error) => (0, Err(format!("its answer can't be read: {error}"))),
    };
    let latest = with(whose, |slot| {
        slot.as_ref().is_some_and(|r| job == 0 || r.job == job)
    });
    if latest {
        say(whose, reply);
    }
}

/// Tells, with nothing borrowed: what is told may ask again.
fn say(whose: Whose, reply: Result<Reply, String>) {
    let tell = with(whose, |slot| {
        let running = slot.as_mut()?;
        Some(std::mem::replace(&mut running.tell, Box::new(|_| {})))
    });
    let Some(tell) = tell else { return };
    tell(reply);
    with(whose, |slot| {
        if let Some(running) = slot {
            running.tell = tell;
        }
    });
}
