//! What holds of every trace, on random set-ups; `random_setups` says what these are.

mod random_setups;

use headroom_core::design::DesignName;
use headroom_core::stack::MAX_STEPS;
use random_setups::{Setup, invariants, mark, run};

/// Set-ups of the gate; `RANDOM_SETUPS` asks for more.
const SETUPS: u64 = 300;

/// Every set-up ends without a panic and within the budget, with a whole trace or an error that names its line; and of every
/// trace hold the [`invariants`]. Each design gets its turn.
#[test]
fn traces_of_random_topologies() {
    let wanted = std::env::var("RANDOM_SETUPS").ok();
    let setups = wanted.and_then(|n| n.parse().ok()).unwrap_or(SETUPS);
    let (mut whole, mut runs, mut steps) = (0, 0, 0);
    for number in 0..setups {
        let text = Setup::text(number);
        let every = DesignName::EVERY;
        let designs = [
            DesignName::ALL[number as usize % 2],
            every[number as usize % every.len()],
        ];
        for design in designs {
            let partial = run(&text, design);
            let error = partial.error.as_ref().map(ToString::to_string);
            let broken = invariants::broken(&partial.trace, error.is_none());
            assert!(
                broken.is_empty(),
                "set-up {number} under {}:\n{}\n{text}",
                design.as_str(),
                broken.join("\n")
            );
            assert!(partial.trace.steps.len() < MAX_STEPS, "set-up {number}");
            if let Some(error) = &error {
                assert!(error.starts_with("line "), "set-up {number}: {error}");
            }
            runs += 1;
            whole += u64::from(error.is_none());
            steps += partial.trace.steps.len();
        }
    }
    println!("{runs} runs, {whole} whole, {steps} steps");
    assert!(
        whole * 10 > runs * 8,
        "only {whole} of {runs} ran to their end"
    );
    assert!(
        steps as u64 > runs * 60,
        "only {steps} steps: packets end early"
    );
}

/// The same set-up gives the same trace, and quite another one gives another. The stage `traces, host and wasm32` of
/// `cargo xtask test` compares what this prints with what `wasm.rs` prints.
#[test]
fn same_traces() {
    let line = mark(SETUPS_FOR_BOTH);
    println!("{line}");
    assert_eq!(line, mark(SETUPS_FOR_BOTH));
    assert_ne!(line, mark(SETUPS_FOR_BOTH - 1));
}

/// Set-ups whose traces are compared with those in WebAssembly.
const SETUPS_FOR_BOTH: u64 = random_setups::FOR_BOTH;
