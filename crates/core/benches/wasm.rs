//! The engine, and steps per second of the seed experiment, in WebAssembly, under Node.js: `cargo xtask bench`. On the
//! host this file is empty.
#![cfg(target_arch = "wasm32")]

#[path = "shared/mod.rs"]
mod shared;

use js_sys::{Function, Reflect};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn steps_in_wasm() {
    let now = || cpu_time().unwrap_or_default();
    shared::report("wasm", &now);
    shared::engine::report("wasm", &now);
    shared::path::quiet("wasm", &now);
    shared::path::traced("wasm", &now);
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
