//! The engine, and steps per second of the seed experiment, on the host: `cargo bench -p headroom-core --bench steps`.

#[path = "shared/mod.rs"]
mod shared;

use std::time::Instant;

fn main() {
    let start = Instant::now();
    let elapsed = || start.elapsed().as_secs_f64() * 1000.0;
    let now = || cpu_time().unwrap_or_else(elapsed);
    shared::report("host", &now);
    shared::engine::report("host", &now);
    shared::path::report("host", &now);
}

/// Milliseconds that this thread has been on a processor, where Linux tells: on a busy machine the
/// clock on the wall says little.
fn cpu_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}
