//! The engine, and steps per second of the seed experiment, on the host: `cargo bench -p headroom-core --bench steps`.

#[path = "shared/mod.rs"]
mod shared;

use std::time::Instant;

fn main() {
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64() * 1000.0;
    shared::report("host", &now);
    shared::engine::report("host", &now);
}
