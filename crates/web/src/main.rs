//! Starts the site in the browser. On the host there is nothing to start.

fn main() {
    if cfg!(target_arch = "wasm32") {
        headroom_web::app::start();
    } else {
        eprintln!(
            "This is the site's program for browsers. `cargo xtask serve` builds and serves it."
        );
    }
}
