//! `cargo xtask test`: every check there is, a table, and one line that sums up.

use crate::report::{self, Counts};
use crate::serve;
use crate::size;
use crate::stage::{self, Output, Running, Stage, Verdict};
use crate::term;
use crate::tools::{self, Needs, Tools, WASM};
use crate::traces;
use crate::{Result, unknown_option};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    quick: bool,
}

impl Options {
    /// Reads the words after `test`.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self { quick: false };
        for word in words {
            match word.as_str() {
                "--quick" => options.quick = true,
                other => return Err(unknown_option("test", other)),
            }
        }
        Ok(options)
    }
}

/// Runs the stages, one after the other, all of them.
pub fn run(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    // First what a person has to put right, so that they learn it now and not in ten minutes.
    tools::require_node()?;
    let chromium = if options.quick {
        None
    } else {
        Some(tools::ensure_chromium()?)
    };
    let tools = Tools::ensure(Needs {
        trunk: !options.quick,
        wasm_opt: !options.quick,
    })?;

    let mut stages = vec![
        formatting(),
        clippy_host(),
        clippy_wasm(),
        host_tests(),
        doc_tests(),
        recordings(),
        wasm_tests(&tools),
        traces::same_traces(&tools),
    ];
    if let Some(chromium) = chromium {
        stages.extend(site_stages(&tools, &chromium));
    }

    println!("\n{}", report::table(&stages));
    println!("total time {}", term::time(start.elapsed()));
    let Counts { passed, failed } = report::sum(&stages);
    let line = format!("{passed} passed, {failed} failed");
    println!(
        "{}",
        if failed == 0 {
            term::green(&line)
        } else {
            term::red(&line)
        }
    );
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn formatting() -> Stage {
    let mut stage = stage::begin("format");
    let output = stage.run(tools::cargo().args(["fmt", "--all", "--check"]));
    stage.end_by_exit(&output)
}

fn clippy_host() -> Stage {
    let mut stage = stage::begin("clippy, host");
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    let output = stage.run(tools::cargo().args(arguments));
    stage.end_by_exit(&output)
}

fn clippy_wasm() -> Stage {
    let mut stage = stage::begin("clippy, wasm32");
    let output = stage.run(tools::cargo().args([
        "clippy",
        "-p",
        "headroom-core",
        "-p",
        "headroom-web",
        "-p",
        "headroom-worker",
        "-p",
        "headroom-lab",
        "--target",
        WASM,
        "--locked",
        "--",
        "-D",
        "warnings",
    ]));
    stage.end_by_exit(&output)
}

fn host_tests() -> Stage {
    let mut stage = stage::begin("tests, host");
    let nextest = tools::cargo()
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if nextest {
        let arguments = [
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
            "--locked",
        ];
        let output = stage.run(tools::cargo().args(arguments));
        let counts = report::nextest(&output.lines);
        end_counted(stage, &output, counts, "cargo nextest")
    } else {
        let arguments = [
            "test",
            "--workspace",
            "--all-targets",
            "--no-fail-fast",
            "--locked",
        ];
        let output = stage.run(tools::cargo().args(arguments));
        let counts = report::cargo_test(&output.lines);
        end_counted(stage, &output, counts, "cargo test")
    }
}

fn doc_tests() -> Stage {
    let mut stage = stage::begin("tests, documentation");
    let arguments = ["test", "--workspace", "--doc", "--no-fail-fast", "--locked"];
    let output = stage.run(tools::cargo().args(arguments));
    match report::cargo_test(&output.lines) {
        // Here alone none is no failure: examples in documentation come and go.
        Some(
            counts @ Counts {
                passed: 0,
                failed: 0,
            },
        ) if output.success => stage.end_with(&output, counts, "none yet".to_string()),
        counts => end_counted(stage, &output, counts, "cargo test"),
    }
}

/// The recordings of a real kernel, by the same command that a user has.
fn recordings() -> Stage {
    let mut stage = stage::begin("recordings");
    const FOLDERS: [&str; 2] = ["tests/recordings", "tests/recordings-own"];
    for folder in FOLDERS {
        if !tools::root().join(folder).is_dir() {
            return stage.end_failed(&format!(
                "{folder} is missing: there is nothing to compare with"
            ));
        }
    }
    let arguments = [
        "run", "--quiet", "--locked", "-p", "headroom", "--", "check",
    ];
    let output = stage.run(tools::cargo().args(arguments).args(FOLDERS));
    let counts = report::headroom_check(&output.lines);
    end_counted(stage, &output, counts, "headroom check")
}

/// The core in WebAssembly, under Node.js: `crates/core/tests/wasm.rs`.
fn wasm_tests(tools: &Tools) -> Stage {
    let mut stage = stage::begin("tests, wasm32 in node");
    let runner = match tools.path("wasm-bindgen-test-runner") {
        Ok(runner) => runner,
        Err(failure) => return stage.end_failed(&failure.to_string()),
    };
    let output = stage.run(
        tools::cargo()
            .args([
                "test",
                "-p",
                "headroom-core",
                "--test",
                "wasm",
                "--target",
                WASM,
                "--locked",
            ])
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner),
    );
    let counts = report::cargo_test(&output.lines);
    end_counted(stage, &output, counts, "wasm-bindgen-test-runner")
}

/// The site: built as it is published, weighed, and used in a browser.
fn site_stages(tools: &Tools, chromium: &Path) -> Vec<Stage> {
    // Not `dist/`: that one belongs to a `serve` that may be running in another terminal.
    let site = tools::dir().join("site");
    let build = site_build(tools, &site);
    let built = build.verdict == Verdict::Passed;
    let mut stages = vec![build];
    if built {
        stages.push(site_size(&site));
        stages.push(browser(&site, chromium));
    } else {
        for name in ["site size", "site, Chromium"] {
            stages.push(Stage::skipped(name, "the site was not built"));
        }
    }
    stages
}

fn site_build(tools: &Tools, site: &Path) -> Stage {
    let mut stage = stage::begin("site build");
    let page = tools::root().join("crates/web/index.html");
    match std::fs::read_to_string(&page) {
        Ok(text) => {
            if let Some(problem) = wasm_opt_problem(&text) {
                return stage.end_failed(&problem);
            }
        }
        Err(error) => {
            return stage.end_failed(&format!("{} can't be read: {error}", page.display()));
        }
    }
    let mut command = match serve::trunk(tools) {
        Ok(command) => command,
        Err(failure) => return stage.end_failed(&failure.to_string()),
    };
    command
        .args([
            "build",
            "--offline",
            "--skip-version-check",
            "--locked",
            "--dist",
        ])
        .arg(site);
    serve::add_release(&mut command);
    let output = stage.run(&mut command);
    stage.end_by_exit(&output)
}

/// What wasm-opt may use: what Rust emits for wasm32 by itself, and every browser of today has.
const WASM_OPT_PARAMS: &str = "--enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue \
    --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types \
    --enable-sign-ext";

/// What is wrong with how the page asks for wasm-opt. Without it the module is half again as large;
/// with all features it uses what browsers don't have yet, and the page stays empty.
fn wasm_opt_problem(page: &str) -> Option<String> {
    let wrong = if !page.contains("data-wasm-opt=\"z\"") {
        "crates/web/index.html does not ask for wasm-opt"
    } else if page.contains("--all-features") {
        "crates/web/index.html lets wasm-opt use all features, and then Chromium refuses the module"
    } else {
        return None;
    };
    Some(format!(
        "{wrong}: the link of rel=\"rust\" needs data-wasm-opt=\"z\" \
         data-wasm-opt-params=\"{WASM_OPT_PARAMS}\""
    ))
}

fn site_size(site: &Path) -> Stage {
    let stage = stage::begin("site size");
    let load = match size::measure(site) {
        Ok(load) => load,
        Err(failure) => return stage.end_failed(&failure.to_string()),
    };
    term::clear_line();
    let print = |files: &[size::File]| {
        for file in files {
            println!(
                "     {:>10} {:>10} brotli  {}",
                size::kilobytes(file.raw),
                size::kilobytes(file.compressed),
                file.name
            );
        }
    };
    print(&load.first);
    println!("     and when something is simulated:");
    print(&load.simulator);
    let total = size::total(&load.first);
    let over = total.saturating_sub(size::BUDGET);
    let mut note = format!(
        "{} of {}",
        size::kilobytes(total),
        size::kilobytes(size::BUDGET)
    );
    if over > 0 {
        note += &format!(", OVER BUDGET by {}", size::kilobytes(over));
    }
    let success = total <= size::CEILING;
    let lines = if success {
        Vec::new()
    } else {
        vec![format!(
            "the first load has grown: {note}, and it was below {}",
            size::kilobytes(size::CEILING)
        )]
    };
    stage.end_with(&Output { success, lines }, Counts::one(success), note)
}

fn browser(site: &Path, chromium: &Path) -> Stage {
    let mut stage = stage::begin("site, Chromium");
    if let Err(failure) = tools::ensure_playwright() {
        return stage.end_failed(&failure.to_string());
    }
    let output = stage.run(
        Command::new("node")
            .arg("run.mjs")
            .current_dir(tools::root().join("e2e"))
            .env("HEADROOM_SITE", site)
            .env("CHROMIUM", chromium),
    );
    let counts = report::node_test(&output.lines);
    end_counted(stage, &output, counts, "node --test")
}

/// Ends a stage that must say how many tests it ran. Zero tests is a failure: a stage that tests
/// nothing would otherwise look well for ever.
fn end_counted(stage: Running, output: &Output, counts: Option<Counts>, who: &str) -> Stage {
    let problem = match counts {
        None if output.success => Some(format!("{who} did not say how many tests it ran")),
        Some(Counts {
            passed: 0,
            failed: 0,
        }) if output.success => Some(format!("{who} found no tests")),
        _ => None,
    };
    match problem {
        None => stage.end_with(output, counts.unwrap_or_default(), String::new()),
        Some(problem) => {
            let mut lines = output.lines.clone();
            lines.push(problem);
            stage.end_with(
                &Output {
                    success: false,
                    lines,
                },
                Counts::default(),
                String::new(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_page_asks_for_wasm_opt() {
        let good = format!("data-wasm-opt=\"z\" data-wasm-opt-params=\"{WASM_OPT_PARAMS}\"");
        assert_eq!(wasm_opt_problem(&good), None);
        assert!(!WASM_OPT_PARAMS.contains("  "));
        for bad in [
            "",
            "data-wasm-opt=\"z\" data-wasm-opt-params=\"--all-features\"",
        ] {
            let sentence = wasm_opt_problem(bad).unwrap_or_default();
            assert!(sentence.contains("--enable-bulk-memory"), "{sentence}");
        }
    }

    #[test]
    fn options() {
        let parse = |words: &[&str]| {
            Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(parse(&[]).ok(), Some(Options { quick: false }));
        assert_eq!(parse(&["--quick"]).ok(), Some(Options { quick: true }));
        let sentence = parse(&["--fast"])
            .err()
            .map(|failure| failure.to_string())
            .unwrap_or_default();
        assert!(sentence.contains("`--fast`"), "{sentence}");
    }
}
