//! The stage that compares the traces of random set-ups on both targets.

use crate::stage::{self, Output, Stage};
use crate::tools::{self, Tools, WASM};

/// Random set-ups give the same traces on both targets: a mark of all of them, printed by `random_topologies.rs` on the
/// host and by `wasm.rs` under Node.js.
pub fn same_traces(tools: &Tools) -> Stage {
    const TEST: &str = "same_traces";
    let mut stage = stage::begin("traces, host and wasm32");
    let runner = match tools.path("wasm-bindgen-test-runner") {
        Ok(runner) => runner,
        Err(failure) => return stage.end_failed(&failure.to_string()),
    };
    let core = ["test", "-p", "headroom-core", "--locked", "--test"];
    let host =
        stage.run(
            tools::cargo()
                .args(core)
                .args(["random_topologies", "--", TEST, "--nocapture"]),
        );
    let wasm = stage.run(
        tools::cargo()
            .args(core)
            .args(["wasm", "--target", WASM, "--", TEST, "--nocapture"])
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner),
    );
    let marks = (mark_of_traces(&host.lines), mark_of_traces(&wasm.lines));
    let output = Output {
        success: host.success && wasm.success && marks.0.is_some() && marks.0 == marks.1,
        lines: [host.lines, wasm.lines].concat(),
    };
    stage.end_by_exit(&output)
}

/// `traces of 60 set-ups: 0123456789abcdef`, wherever it stands in a line.
fn mark_of_traces(lines: &[String]) -> Option<String> {
    let mark = |line: &String| {
        let (_, rest) = line.split_once("traces of ")?;
        let (count, mark) = rest.split_once(" set-ups: ")?;
        let digits = mark.get(..16)?;
        let is_mark = digits.chars().all(|c| c.is_ascii_hexdigit());
        is_mark.then(|| format!("{count} {digits}"))
    };
    lines.iter().find_map(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_of_traces_in_what_tests_print() {
        let of = |line: &str| mark_of_traces(&["test x ... ok".to_owned(), line.to_owned()]);
        let mark = of("    traces of 60 set-ups: 0123456789abcdef").expect("a mark");
        assert_eq!(mark, "60 0123456789abcdef");
        assert_ne!(of("traces of 60 set-ups: 0123456789abcdee"), Some(mark));
        assert_eq!(of("traces of 60 set-ups: none of them"), None);
        assert_eq!(of("test same_traces ... ok"), None);
    }
}
