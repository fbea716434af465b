//! Starts the site in the browser. On the host there is nothing to start.

/// Smaller and faster than the standard library's.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

fn main() {
    if cfg!(target_arch = "wasm32") {
        headroom_web::app::start();
    } else {
        eprintln!(
            "This is the site's program for browsers. `cargo xtask serve` builds and serves it."
        );
    }
}
