//! Messages of the browser to requests, and answers to messages.

use headroom_protocol::{Answer, Message, Request, decode, encode};
use headroom_worker::program::Studio;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts an answer; its bytes are handed over, not copied.
fn post(job: u32, body: Answer) {
    let bytes = Uint8Array::from(encode(&Message { job, body }).as_slice());
    let buffer = bytes.buffer();
    let _ = scope().post_message_with_transfer(&buffer, &Array::of1(&buffer));
}

/// Listens; an empty message says that it does.
pub fn start() {
    std::panic::set_hook(Box::new(|info| post(0, Answer::Broken(info.to_string()))));
    let mut studio = Studio::default();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let bytes = Uint8Array::new(&event.data()).to_vec();
        match decode::<Message<Request>>(&bytes) {
            Ok(Message { job, body }) => {
                headroom_worker::answer(&mut studio, &body, &mut |answer| post(job, answer));
            }
            Err(error) => post(
                0,
                Answer::Broken(format!("a request can't be read: {error}")),
            ),
        }
    });
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    let _ = scope().post_message(&JsValue::NULL);
}
