//! What both benchmarks do: the whole experiment, under each design, again and again.
//!
//! Times are for reading, never for a gate; the ratio between the designs is from one run.

pub mod decap;
pub mod engine;
pub mod matrix;
pub mod path;

use headroom_core::design::DesignName;
use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::{Input, simulate};
use headroom_core::trace::Cursor;

const SEED: &str = include_str!("../../../../content/scenarios/seed.json");
const PROGS: &[u8] = include_bytes!("../../../../content/programs/seed/progs.bpf.o");
/// Runs of the experiment for one figure.
const RUNS: usize = 200;
/// Walks for each run: they are that much faster.
const WALKS: usize = 20;

/// Measures and prints. `now` gives milliseconds from any zero.
pub fn report(target: &str, now: Now<'_>) {
    let scenario = ScenarioFile::read("seed.json", SEED).expect("the seed scenario");
    let objects = [("progs.bpf.o".to_owned(), PROGS.to_vec())];
    let input =
        Input::new("seed", scenario.parse().expect("commands"), &objects).expect("an input");
    for design in DesignName::ALL {
        let start = now();
        let mut steps = 0;
        for _ in 0..RUNS {
            steps += simulate(&input, design).expect("a trace").steps.len();
        }
        let run = now() - start;
        let rate = |steps: usize, ms: f64| steps as f64 / ms * 1000.0;
        let name = |what: &str| format!("{}.{what}", design.as_str());
        print(target, &name("simulated"), rate(steps, run), "steps/s");

        let trace = simulate(&input, design).expect("a trace");
        let mut cursor = Cursor::new(&trace).expect("steps");
        let start = now();
        for _ in 0..RUNS * WALKS {
            // there and back: what holding an arrow key does
            (0..trace.steps.len()).for_each(|to| cursor.go(to));
            (0..trace.steps.len()).rev().for_each(|to| cursor.go(to));
        }
        let walked = rate(2 * RUNS * WALKS * trace.steps.len(), now() - start);
        print(target, &name("walked"), walked, "steps/s");
    }
}

/// Milliseconds from any zero.
pub type Now<'n> = &'n dyn Fn() -> f64;

/// Milliseconds that `runs` runs take, after one that does not count.
pub fn time<T>(now: Now<'_>, runs: usize, mut run: impl FnMut() -> T) -> f64 {
    std::hint::black_box(run());
    let start = now();
    for _ in 0..runs {
        std::hint::black_box(run());
    }
    now() - start
}

/// One figure; `cargo xtask bench` reads these lines: target, name, number, unit.
pub fn print(target: &str, name: &str, figure: f64, unit: &str) {
    let line = format!("{target} {name:<28} {figure:>14.3} {unit}");
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_test::console_log!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    println!("{line}");
}
