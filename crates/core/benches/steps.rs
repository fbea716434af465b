//! Steps per second of the seed experiment on the host: `cargo bench -p headroom-core --bench steps`.

#[path = "shared/mod.rs"]
mod shared;

use std::time::Instant;

fn main() {
    let start = Instant::now();
    shared::report("host", || start.elapsed().as_secs_f64() * 1000.0);
}
