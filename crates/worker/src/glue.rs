//! Messages of the browser to requests, and answers to messages.

use headroom_protocol::program::{Ask, Reply};
use headroom_protocol::{Answer, Message, Request, decode, encode};
use headroom_worker::capture;
use headroom_worker::program::Studio;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, File, FileReaderSync, MessageEvent};

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Posts an answer; its bytes are handed over, not copied.
fn post(job: u32, body: Answer) {
    let bytes = Uint8Array::from(encode(&Message { job, body }).as_slice());
    let buffer = bytes.buffer();
    let _ = scope().post_message_with_transfer(&buffer, &Array::of1(&buffer));
}

/// Bytes of a request, and the file that comes with it: such a message is a list of both.
fn parts(data: JsValue) -> (Vec<u8>, Option<File>) {
    let (bytes, file) = match data.dyn_into::<Array>() {
        Ok(parts) => (parts.get(0), parts.get(1).dyn_into::<File>().ok()),
        Err(bytes) => (bytes, None),
    };
    (Uint8Array::new(&bytes).to_vec(), file)
}

/// Listens; an empty message says that it does.
pub fn start() {
    std::panic::set_hook(Box::new(|info| post(0, Answer::Broken(info.to_string()))));
    let mut studio = Studio::default();
    let listen = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let (bytes, file) = parts(event.data());
        let Message { job, body } = match decode::<Message<Request>>(&bytes) {
            Ok(message) => message,
            Err(error) => {
                let text = format!("a request can't be read: {error}");
                return post(0, Answer::Broken(text));
            }
        };
        match (file, &body) {
            (Some(file), Request::Program(ask)) => read(job, ask, &file),
            _ => headroom_worker::answer(&mut studio, &body, &mut |answer| post(job, answer)),
        }
    });
    scope().set_onmessage(Some(listen.as_ref().unchecked_ref()));
    listen.forget();
    let _ = scope().post_message(&JsValue::NULL);
}

/// Reads a capture, each slice when its turn comes.
fn read(job: u32, ask: &[u8], file: &File) {
    let mut say = |reply: Reply| post(job, Answer::Program(encode(&reply)));
    let (Ok(Ask::Capture(most)), Ok(reader)) = (decode::<Ask>(ask), FileReaderSync::new()) else {
        return say(Reply::Gone);
    };
    let mut slice = |from: usize, into: &mut [u8]| {
        let (from, len) = (from as f64, into.len());
        let part = file.slice_with_f64_and_f64(from, from + len as f64);
        let Ok(bytes) = part.and_then(|part| reader.read_as_array_buffer(&part)) else {
            return false;
        };
        let bytes = Uint8Array::new(&bytes);
        let whole = bytes.length() as usize == len;
        if whole {
            bytes.copy_to(into);
        }
        whole
    };
    capture::answer(file.size() as usize, most, &mut slice, &mut say);
}
