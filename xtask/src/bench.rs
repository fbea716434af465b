//! `cargo xtask bench`: the benchmarks in `crates/core/benches`, on the host and in WebAssembly.
//!
//! `benches/wasm.rs` is the one that runs in WebAssembly (under Node.js, by wasm-bindgen's runner);
//! all others run on the host.

use crate::tools::{self, Needs, Tools, WASM};
use crate::{Failure, Result};
use std::process::{Command, ExitCode};

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
        run_shown(&mut command)?;
    }
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

fn run_shown(command: &mut Command) -> Result<()> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::failed(
            "the benchmark failed; its last lines are above",
        )),
        Err(error) => Err(Failure::failed(format!("cargo can't be started: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wasm_bench_comes_last() {
        let files = ["wasm.rs", "steps.rs", "notes.md", "zzz.rs"].map(String::from);
        assert_eq!(bench_names(files.into_iter()), ["steps", "zzz", "wasm"]);
    }
}
