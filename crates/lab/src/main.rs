//! Starts the module in the browser. On the host there is nothing to start.

fn main() {
    #[cfg(target_arch = "wasm32")]
    headroom_lab::app::start();
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!(
        "This is a part of the site, for browsers. `cargo xtask serve` builds and serves it."
    );
}
