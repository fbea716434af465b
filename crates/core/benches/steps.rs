//! The engine, and steps per second of the seed experiment, on the host: `cargo bench -p headroom-core --bench steps`.

#[path = "shared/mod.rs"]
mod shared;

use std::path::{Path, PathBuf};
use std::time::Instant;

fn main() {
    let start = Instant::now();
    let elapsed = || start.elapsed().as_secs_f64() * 1000.0;
    let now = || cpu_time().unwrap_or_else(elapsed);
    // `cargo bench … -- quiet` measures that part only; `-- quiet 1000` with so many packets
    let wanted = std::env::args()
        .nth(1)
        .filter(|part| !part.starts_with('-'));
    let is_wanted = |part: &str| wanted.as_deref().is_none_or(|wanted| wanted == part);
    if is_wanted("steps") {
        shared::report("host", &now);
    }
    if is_wanted("engine") {
        shared::engine::report("host", &now);
    }
    if is_wanted("quiet") {
        let packets = std::env::args().nth(2).and_then(|count| count.parse().ok());
        let packets = packets.unwrap_or(shared::path::PACKETS);
        shared::path::quiet("host", &now, packets);
    }
    if is_wanted("traced") {
        shared::path::traced("host", &now);
    }
    if is_wanted("matrix") {
        shared::matrix::report("host", &now, &Project);
    }
}

/// The project's files.
struct Project;

impl Project {
    fn path(relative: &str) -> PathBuf {
        let core = Path::new(env!("CARGO_MANIFEST_DIR"));
        core.join("../..").join(relative)
    }
}

impl shared::matrix::Files for Project {
    fn list(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(Self::path(folder)).expect("a folder");
        let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        entries
            .map(|entry| name(entry.expect("an entry")))
            .collect()
    }

    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(Self::path(file)).expect("a file")
    }
}

/// Milliseconds that this thread has been on a processor, where Linux tells: on a busy machine the
/// clock on the wall says little.
fn cpu_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e6)
}
