//! The engine, and steps per second of the seed experiment, in WebAssembly, under Node.js: `cargo xtask bench`. On the
//! host this file is empty.
#![cfg(target_arch = "wasm32")]

#[path = "shared/mod.rs"]
mod shared;

use js_sys::{Array, Function, Reflect, Uint8Array};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn steps_in_wasm() {
    let now = || cpu_time().unwrap_or_default();
    shared::report("wasm", &now);
    shared::engine::report("wasm", &now);
    shared::path::quiet("wasm", &now, shared::path::PACKETS);
    shared::path::traced("wasm", &now);
    shared::matrix::report("wasm", &now, &Node::new().expect("Node.js 20.16 or newer"));
}

/// Milliseconds that this process has been on a processor (`process.cpuUsage()`, user and system, in microseconds): on a busy
/// machine the clock on the wall says little.
fn cpu_time() -> Option<f64> {
    let process = Reflect::get(&js_sys::global(), &"process".into()).ok()?;
    let usage = Reflect::get(&process, &"cpuUsage".into()).ok()?;
    let usage = Function::from(usage).call0(&process).ok()?;
    let of = |name: &str| Reflect::get(&usage, &name.into()).ok()?.as_f64();
    Some((of("user")? + of("system")?) / 1000.0)
}

/// The project's files, by Node.js's module `fs`.
struct Node {
    list: Function,
    read: Function,
}

impl Node {
    fn new() -> Option<Self> {
        let process = Reflect::get(&js_sys::global(), &"process".into()).ok()?;
        let module = Reflect::get(&process, &"getBuiltinModule".into()).ok()?;
        let fs = Function::from(module).call1(&process, &"fs".into()).ok()?;
        let function = |name: &str| Reflect::get(&fs, &name.into()).ok().map(Function::from);
        Some(Self {
            list: function("readdirSync")?,
            read: function("readFileSync")?,
        })
    }

    fn path(relative: &str) -> String {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../").to_owned() + relative
    }
}

impl shared::matrix::Files for Node {
    fn list(&self, folder: &str) -> Vec<String> {
        let path = Self::path(folder).into();
        let names = self.list.call1(&js_sys::global(), &path).expect("a folder");
        let name = |name: js_sys::JsString| String::from(name);
        let names = Array::from(&names).to_vec().into_iter();
        names.map(|value| name(value.into())).collect()
    }

    fn read(&self, file: &str) -> Vec<u8> {
        let path = Self::path(file).into();
        let bytes = self.read.call1(&js_sys::global(), &path).expect("a file");
        Uint8Array::new(&bytes).to_vec()
    }
}
