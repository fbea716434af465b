//! Numbers out of what test programs print, and the table at the end.

use crate::stage::{Stage, Verdict};
use crate::term;
use std::ops::AddAssign;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed.
    pub failed: u64,
}

impl Counts {
    /// One thing that passed or failed.
    pub fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The text without terminal colours.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // `ESC [ … letter`
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The number right before `word` in `text`: 3 for `passed` in `4 failed, 3 passed (1 slow)`.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",;:()[].".contains(c))
        .filter(|w| !w.is_empty())
        .collect();
    words
        .windows(2)
        .find(|pair| pair[1] == word)
        .and_then(|pair| pair[0].parse().ok())
}

/// Reads `Summary [ 0.3s] 12 tests run: 11 passed (1 slow), 1 failed, 2 skipped` of `cargo nextest`.
/// What was meant to run and did not (the run was cut short) counts as failed.
pub fn nextest(lines: &[String]) -> Option<Counts> {
    let line = lines
        .iter()
        .rev()
        .map(|l| plain(l))
        .find(|l| l.trim_start().starts_with("Summary ["))?;
    let (_, after) = line.split_once(']')?;
    let (run, results) = after.split_once(':')?;
    let run = run.split_whitespace().next()?;
    // `3/5 tests run` when it was cancelled.
    let total: u64 = run.rsplit('/').next()?.parse().ok()?;
    let passed = number_before(results, "passed").unwrap_or(0);
    Some(Counts {
        passed,
        failed: total.saturating_sub(passed),
    })
}

/// Sums the `test result: ok. 3 passed; 0 failed; …` lines of `cargo test` and of
/// wasm-bindgen's test runner.
pub fn cargo_test(lines: &[String]) -> Option<Counts> {
    let mut sum: Option<Counts> = None;
    for line in lines {
        let line = plain(line);
        let Some(result) = line.trim_start().strip_prefix("test result:") else {
            continue;
        };
        *sum.get_or_insert_default() += Counts {
            passed: number_before(result, "passed").unwrap_or(0),
            failed: number_before(result, "failed").unwrap_or(0),
        };
    }
    sum
}

/// Reads the summary of `node --test`: `# pass 3` (TAP) or `ℹ pass 3` (spec), and so on. Cancelled
/// tests count as failed; tests marked to be skipped or still to be done, as neither.
pub fn node_test(lines: &[String]) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut seen = false;
    for line in lines {
        let line = plain(line);
        let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) else {
            continue;
        };
        let Some((key, Ok(number))) = rest
            .split_once(' ')
            .map(|(k, n)| (k, n.trim().parse::<u64>()))
        else {
            continue;
        };
        match key {
            "pass" => {
                counts.passed = number;
                seen = true;
            }
            "fail" | "cancelled" => counts.failed += number,
            _ => {}
        }
    }
    seen.then_some(counts)
}

/// Reads the last line of `headroom check`: `84 recordings: 80 passed, 4 failed; …`.
pub fn headroom_check(lines: &[String]) -> Option<Counts> {
    let line = lines
        .iter()
        .rev()
        .map(|l| plain(l))
        .find(|l| !l.trim().is_empty())?;
    Some(Counts {
        passed: number_before(&line, "passed")?,
        failed: number_before(&line, "failed")?,
    })
}

/// The table of stages.
pub fn table(stages: &[Stage]) -> String {
    let width = stages
        .iter()
        .map(|s| s.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(5);
    let mut out = String::new();
    let head = format!(
        "{:width$}  result   {:>12}  {:>6}  {:>6}",
        "stage", "time", "passed", "failed"
    );
    out.push_str(&term::bold(&head));
    out.push('\n');
    for stage in stages {
        let result = match stage.verdict {
            Verdict::Passed => term::green("passed "),
            Verdict::Failed => term::red("failed "),
            Verdict::Skipped => term::yellow("skipped"),
        };
        let row = format!(
            "{:width$}  {result}  {:>12}  {:>6}  {:>6}  {}",
            stage.name,
            term::time(stage.time),
            stage.counts.passed,
            stage.counts.failed,
            stage.note
        );
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// All stages together.
pub fn sum(stages: &[Stage]) -> Counts {
    let mut sum = Counts::default();
    for stage in stages {
        sum += stage.counts;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(String::from).collect()
    }

    fn counts(passed: u64, failed: u64) -> Option<Counts> {
        Some(Counts { passed, failed })
    }

    #[test]
    fn nextest_summaries() {
        let ok = "        PASS [   0.004s] a::b\n────\n     Summary [   0.012s] 5 tests run: 5 passed, 0 skipped";
        assert_eq!(nextest(&lines(ok)), counts(5, 0));
        let some = "     Summary [   1.2s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped";
        assert_eq!(nextest(&lines(some)), counts(3, 2));
        let one = "\x1b[32;1m     Summary\x1b[0m [   0.1s] \x1b[1m1\x1b[0m test run: \x1b[1m1\x1b[0m \x1b[32;1mpassed\x1b[0m, 0 skipped";
        assert_eq!(nextest(&lines(one)), counts(1, 0));
        let none_passed = "     Summary [   0.1s] 2 tests run: 0 passed, 2 failed, 0 skipped\nerror: test run failed";
        assert_eq!(nextest(&lines(none_passed)), counts(0, 2));
        let cut_short = "     Summary [   0.1s] 3/5 tests run: 2 passed, 1 failed, 0 skipped";
        assert_eq!(nextest(&lines(cut_short)), counts(2, 3));
        assert_eq!(nextest(&lines("error: could not compile `x`")), None);
    }

    #[test]
    fn cargo_test_results_are_summed() {
        let text = "running 2 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 1 passed; 3 failed; 0 ignored";
        assert_eq!(cargo_test(&lines(text)), counts(3, 3));
        assert_eq!(cargo_test(&lines("no tests to run!")), None);
    }

    #[test]
    fn node_summaries_in_both_styles() {
        let spec = "✔ opens (12ms)\nℹ tests 4\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 95.1";
        assert_eq!(node_test(&lines(spec)), counts(3, 1));
        let tap = "# Subtest: opens\nok 1 - opens\n1..1\n# tests 2\n# pass 1\n# fail 0\n# cancelled 1\n# duration_ms 9.5";
        assert_eq!(node_test(&lines(tap)), counts(1, 1));
        assert_eq!(node_test(&lines("Error: Cannot find module")), None);
    }

    #[test]
    fn last_line_of_check() {
        let text = "E1-veth …  ok\n3 recordings: 2 passed, 1 failed; 10/12 events covered\n\n";
        assert_eq!(headroom_check(&lines(text)), counts(2, 1));
        assert_eq!(headroom_check(&lines("error: no such file")), None);
        assert_eq!(headroom_check(&[]), None);
    }

    #[test]
    fn the_table_has_a_row_for_each_stage() {
        let stage = |name, verdict, passed, failed| Stage {
            name,
            verdict,
            time: Duration::from_secs(1),
            counts: Counts { passed, failed },
            note: String::new(),
        };
        let stages = [
            stage("fmt", Verdict::Passed, 1, 0),
            stage("site", Verdict::Failed, 2, 1),
        ];
        let table = plain(&table(&stages));
        assert_eq!(table.lines().count(), 3);
        assert!(
            table.contains("fmt    passed          1.0 s       1       0"),
            "{table}"
        );
        assert_eq!(
            sum(&stages),
            Counts {
                passed: 3,
                failed: 1
            }
        );
    }
}
