//! The worker's module. On the host there is nothing to start.

#[cfg(target_arch = "wasm32")]
mod glue;

fn main() {
    #[cfg(target_arch = "wasm32")]
    glue::start();
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!(
        "This is the simulator for a worker of the browser. `cargo xtask serve` builds and serves the site."
    );
}
