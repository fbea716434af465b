//! The engine, and steps per second of the seed experiment, in WebAssembly, under Node.js: `cargo xtask bench`. On the
//! host this file is empty.
#![cfg(target_arch = "wasm32")]

#[path = "shared/mod.rs"]
mod shared;

#[wasm_bindgen_test::wasm_bindgen_test]
fn steps_in_wasm() {
    // milliseconds with a fraction, in Node.js as in a browser
    let performance = js_sys::Reflect::get(&js_sys::global(), &"performance".into());
    let performance = performance.expect("performance");
    let clock = js_sys::Reflect::get(&performance, &"now".into()).expect("performance.now");
    let clock = js_sys::Function::from(clock);
    let now = || {
        clock
            .call0(&performance)
            .ok()
            .and_then(|n| n.as_f64())
            .unwrap_or(0.0)
    };
    shared::report("wasm", &now);
    shared::engine::report("wasm", &now);
    shared::path::quiet("wasm", &now);
    shared::path::traced("wasm", &now);
}
