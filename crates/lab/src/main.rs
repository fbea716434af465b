//! Starts the module in the browser. On the host there is nothing to start.

fn main() {
    if cfg!(target_arch = "wasm32") {
        headroom_lab::app::start();
    } else {
        eprintln!(
            "This is a part of the site, for browsers. `cargo xtask serve` builds and serves it."
        );
    }
}
