//! `cargo xtask bench`: the benchmarks in `crates/core/benches`, on the host and in WebAssembly.
//!
//! `benches/wasm.rs` is the one that runs in WebAssembly (under Node.js, by wasm-bindgen's runner);
//! all others run on the host.

use crate::tools::{self, Needs, Tools, WASM};
use crate::{Failure, Result};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

/// One figure of a benchmark, as it prints it: `host loop.ratio 1.7 times plain rbpf`.
#[derive(Debug, PartialEq)]
struct Figure {
    target: String,
    name: String,
    number: f64,
    unit: String,
}

/// Runs them.
pub fn run() -> Result<ExitCode> {
    let folder = tools::root().join("crates/core/benches");
    let names = match std::fs::read_dir(&folder) {
        Ok(entries) => bench_names(
            entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned()),
        ),
        Err(_) => Vec::new(),
    };
    if names.is_empty() {
        println!(
            "bench: no benchmarks ({} has no .rs file)",
            folder.display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    let mut figures = Vec::new();
    for name in &names {
        println!("bench: {name}");
        let mut command = tools::cargo();
        if name != "wasm" {
            command.args(["bench", "-p", "headroom-core", "--bench", name]);
        } else {
            tools::require_node()?;
            let tools = Tools::ensure(Needs {
                trunk: false,
                wasm_opt: false,
            })?;
            // wasm-bindgen's runner knows tests; the profile is the one the site is published with
            command.args(["test", "-p", "headroom-core", "--bench", name]);
            command.args(["--profile", "wasm-release", "--target", WASM]);
            command.args(["--", "--nocapture"]).env(
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
                tools.path("wasm-bindgen-test-runner")?,
            );
        }
        figures.extend(run_shown(&mut command)?);
    }
    print!("{}", wasm_by_host(&figures));
    Ok(ExitCode::SUCCESS)
}

/// The names of the benchmarks, the one in WebAssembly last.
fn bench_names(files: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = files
        .filter_map(|file| file.strip_suffix(".rs").map(String::from))
        .collect();
    names.sort_by_key(|name| (name == "wasm", name.clone()));
    names
}

/// Runs a benchmark, shows what it prints, and gives its figures.
fn run_shown(command: &mut Command) -> Result<Vec<Figure>> {
    let cannot = |error| Failure::failed(format!("cargo can't be started: {error}"));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(cannot)?;
    let mut figures = Vec::new();
    for line in BufReader::new(child.stdout.take().ok_or_else(no_output)?).lines() {
        let line = line.map_err(cannot)?;
        println!("{line}");
        figures.extend(figure(&line));
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(figures),
        Ok(_) => Err(Failure::failed(
            "the benchmark failed; its last lines are above",
        )),
        Err(error) => Err(cannot(error)),
    }
}

fn no_output() -> Failure {
    Failure::failed("cargo's output can't be read")
}

/// The figure in a line, if it holds one.
fn figure(line: &str) -> Option<Figure> {
    let mut words = line.split_whitespace();
    let target = words
        .next()
        .filter(|word| matches!(*word, "host" | "wasm"))?;
    Some(Figure {
        target: target.into(),
        name: words.next()?.into(),
        number: words.next()?.parse().ok()?,
        unit: words.collect::<Vec<_>>().join(" "),
    })
}

/// Each figure of both targets, and how many times slower WebAssembly is.
fn wasm_by_host(figures: &[Figure]) -> String {
    let of = |target| -> BTreeMap<&str, &Figure> {
        let own = figures.iter().filter(|figure| figure.target == target);
        own.map(|figure| (figure.name.as_str(), figure)).collect()
    };
    let wasm = of("wasm");
    let mut out = String::from(
        "\nname                                   host           wasm  wasm slower by\n",
    );
    for (name, host) in of("host") {
        let Some(wasm) = wasm.get(name) else { continue };
        let slower = if host.unit.contains("/s") {
            host.number / wasm.number
        } else {
            wasm.number / host.number
        };
        let (a, b) = (host.number, wasm.number);
        out += &format!(
            "{name:<28} {a:>14.2} {b:>14.2} {slower:>8.2}  {}\n",
            host.unit
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wasm_bench_comes_last() {
        let files = ["wasm.rs", "steps.rs", "notes.md", "zzz.rs"].map(String::from);
        assert_eq!(bench_names(files.into_iter()), ["steps", "zzz", "wasm"]);
    }

    #[test]
    fn figures_of_both_targets_are_divided_by_what_is_better() {
        let lines = [
            "host loop.rbpf 4.0 ns an instruction",
            "wasm loop.rbpf 10.0 ns an instruction",
            "host walked 300.0 steps/s",
            "wasm walked 100.0 steps/s",
            "host only.here 1.0 ms",
            "     Running benches/steps.rs",
        ];
        let figures: Vec<_> = lines.iter().filter_map(|line| figure(line)).collect();
        assert_eq!(figures.len(), 5);
        assert_eq!(figures[0].unit, "ns an instruction");
        let text = wasm_by_host(&figures);
        let words = |name| -> Vec<&str> {
            let line = text.lines().find(|line| line.starts_with(name));
            line.unwrap_or_default()
                .split_whitespace()
                .take(4)
                .collect()
        };
        assert_eq!(words("loop.rbpf"), ["loop.rbpf", "4.00", "10.00", "2.50"]);
        assert_eq!(words("walked"), ["walked", "300.00", "100.00", "3.00"]);
        assert!(!text.contains("only.here"));
    }
}
