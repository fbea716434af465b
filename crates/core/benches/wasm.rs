//! Steps per second of the seed experiment in WebAssembly, under Node.js: `cargo xtask bench`. On the
//! host this file is empty.
#![cfg(target_arch = "wasm32")]

#[path = "shared/mod.rs"]
mod shared;

#[wasm_bindgen_test::wasm_bindgen_test]
fn steps_in_wasm() {
    shared::report("wasm", js_sys::Date::now);
}
