//! What both benchmarks do: the whole experiment, under each design, again and again.
//!
//! Times are for reading, never for a gate; the ratio between the designs is from one run.

use headroom_core::design::DesignName;
use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::{Input, simulate};
use headroom_core::trace::Cursor;

const SEED: &str = include_str!("../../../../content/scenarios/seed.json");
const PROGS: &[u8] = include_bytes!("../../../../content/programs/seed/progs.bpf.o");
/// Runs of the experiment for one figure.
const RUNS: usize = 200;

/// Measures and prints. `now` gives milliseconds from any zero.
pub fn report(target: &str, now: impl Fn() -> f64) {
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
        print_line(target, design.as_str(), "simulated", steps, run);

        let trace = simulate(&input, design).expect("a trace");
        let mut cursor = Cursor::new(&trace).expect("steps");
        let start = now();
        for _ in 0..RUNS {
            // there and back: what holding an arrow key does
            (0..trace.steps.len()).for_each(|to| cursor.go(to));
            (0..trace.steps.len()).rev().for_each(|to| cursor.go(to));
        }
        print_line(
            target,
            design.as_str(),
            "walked",
            2 * RUNS * trace.steps.len(),
            now() - start,
        );
    }
}

fn print_line(target: &str, design: &str, what: &str, steps: usize, milliseconds: f64) {
    let rate = steps as f64 / milliseconds * 1000.0;
    let line = format!(
        "{target} {design:<10} {what:<9} {steps:>7} steps, {milliseconds:>8.1} ms, {rate:>12.0} steps/s"
    );
    #[cfg(target_arch = "wasm32")]
    wasm_bindgen_test::console_log!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    println!("{line}");
}
