//! The simulator, in a worker of the browser. It is loaded when something is first simulated, not
//! with the page. One job at a time: a new one ends the one before it.

use std::cell::RefCell;
use std::rc::Rc;

use headroom_protocol::{Answer, Job, Message, Problem, Request, decode, decode_trace, encode};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

use super::{Outcome, Seen};
use crate::designs::column_of;

/// The script that starts the worker's module; trunk writes it.
const SCRIPT: &str = "/headroom-worker_loader.js";

/// Who waits for answers.
type Listener = Rc<dyn Fn(Answer)>;

struct Running {
    worker: Worker,
    /// It has said that it listens.
    listens: bool,
    /// What is sent as soon as it does.
    waiting: Option<Vec<u8>>,
    /// The job it works on, and who waits for it.
    job: Option<(u32, Listener)>,
    heard: Closure<dyn FnMut(MessageEvent)>,
    failed: Closure<dyn FnMut(web_sys::Event)>,
}

thread_local! {
    static WORKER: RefCell<Option<Running>> = const { RefCell::new(None) };
    static LAST_JOB: RefCell<u32> = const { RefCell::new(0) };
}

/// Asks; `tell` gets each answer, the last of which is anything but a trace. A request that is
/// still being worked on ends, without an answer.
pub fn ask(request: Request, tell: impl Fn(Answer) + 'static) {
    cancel();
    let job = LAST_JOB.with_borrow_mut(|last| {
        *last = last.wrapping_add(1).max(1);
        *last
    });
    let bytes = encode(&Message { job, body: request });
    let tell: Listener = Rc::new(tell);
    let started = WORKER.with_borrow_mut(|slot| {
        let running = match slot {
            Some(running) => running,
            None => slot.insert(start()?),
        };
        running.job = Some((job, tell.clone()));
        if running.listens {
            post(&running.worker, &bytes);
        } else {
            running.waiting = Some(bytes);
        }
        Ok::<(), JsValue>(())
    });
    if started.is_err() {
        tell(Answer::Broken(
            "this browser starts no worker here (a frame on another site has none)".into(),
        ));
    }
}

/// Runs a job and gives the whole outcome; `each` is called when a design's trace is there.
pub fn run(job: Job, each: impl Fn() + 'static, done: impl Fn(Result<Outcome, Problem>) + 'static) {
    let outcome = RefCell::new(Ok(Outcome::default()));
    ask(Request::Run(job), move |answer| match answer {
        Answer::Trace { design, trace } => {
            each();
            let design = column_of(&design);
            match (design, decode_trace(&trace), &mut *outcome.borrow_mut()) {
                (Some(design), Ok(trace), Ok(outcome)) => outcome.put(design, Seen::new(trace)),
                (_, Err(error), outcome) => *outcome = Err(broken(&error.to_string())),
                _ => {}
            }
        }
        Answer::Cell(_) | Answer::Program(_) => {}
        Answer::Done => done(outcome.replace(Ok(Outcome::default()))),
        Answer::Problem(problem) => done(Err(problem)),
        Answer::Broken(text) => done(Err(broken(&text))),
    });
}

/// A mistake of the simulator's own, as a reader is told of it.
#[must_use]
pub fn broken(text: &str) -> Problem {
    Problem {
        message: format!(
            "The simulator ended by a mistake of its own ({text}). The input is kept; the next change starts it again."
        ),
        line: None,
        column: None,
    }
}

/// Ends the job that is being worked on, if any.
pub fn cancel() {
    WORKER.with_borrow_mut(|slot| {
        if slot.as_ref().is_some_and(|running| running.job.is_some()) {
            end(slot);
        }
    });
}

fn end(slot: &mut Option<Running>) -> Option<Listener> {
    let running = slot.take()?;
    running.worker.terminate();
    running.worker.set_onmessage(None);
    running.worker.set_onerror(None);
    // A closure may be what is running now; it must not go before it returns.
    running.heard.forget();
    running.failed.forget();
    running.job.map(|(_, tell)| tell)
}

fn post(worker: &Worker, bytes: &[u8]) {
    let buffer = Uint8Array::from(bytes).buffer();
    let _ = worker.post_message_with_transfer(&buffer, &Array::of1(&buffer));
}

fn start() -> Result<Running, JsValue> {
    let worker = Worker::new(SCRIPT)?;
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| hear(&event.data()));
    let failed = Closure::<dyn FnMut(web_sys::Event)>::new(|_| {
        let tell = WORKER.with_borrow_mut(end);
        if let Some(tell) = tell {
            tell(Answer::Broken(
                "it can't be loaded, or stopped without a word".into(),
            ));
        }
    });
    worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    worker.set_onerror(Some(failed.as_ref().unchecked_ref()));
    Ok(Running {
        worker,
        listens: false,
        waiting: None,
        job: None,
        heard,
        failed,
    })
}

/// A message of the worker: nothing says that it listens, everything else is an answer.
fn hear(data: &JsValue) {
    if data.is_null() {
        WORKER.with_borrow_mut(|slot| {
            if let Some(running) = slot {
                running.listens = true;
                if let Some(bytes) = running.waiting.take() {
                    post(&running.worker, &bytes);
                }
            }
        });
        return;
    }
    let message = decode::<Message<Answer>>(&Uint8Array::new(data).to_vec());
    let Message { job, body } = message.unwrap_or_else(|error| Message {
        job: 0,
        body: Answer::Broken(format!("its answer can't be read: {error}")),
    });
    let tell = WORKER.with_borrow_mut(|slot| match &body {
        Answer::Broken(_) => end(slot),
        _ => {
            let running = slot.as_mut()?;
            let (_, tell) = running.job.clone().filter(|(number, _)| *number == job)?;
            if !matches!(body, Answer::Trace { .. } | Answer::Cell(_)) {
                running.job = None;
            }
            Some(tell)
        }
    });
    if let Some(tell) = tell {
        tell(body);
    }
}
