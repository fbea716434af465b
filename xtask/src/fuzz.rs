//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzz/`, with stable Rust and a C++ compiler.
//!
//! The gate runs the same targets over the committed corpus and over changes of it that are the same in
//! every run (`crates/core/tests/fuzz.rs`); this one looks for more, as long as one lets it.

use crate::tools;
use crate::{Failure, Result};
use std::process::ExitCode;

/// The targets, as in `fuzz/Cargo.toml`.
const TARGETS: [&str; 6] = ["elf", "asm", "program", "commands", "recording", "capture"];
/// What cargo-fuzz asks rustc for; all of it is there in stable Rust.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";
/// One input may not take longer, in seconds, nor more memory, in MB.
const LIMITS: [&str; 3] = ["-timeout=20", "-rss_limit_mb=2048", "-max_len=65536"];

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Wanted {
    seconds: u64,
    targets: Vec<&'static str>,
}

/// Builds the targets and runs each for some time. New inputs go to `target/fuzz/<target>/`, one that
/// fails beside them; put it into `fuzz/corpus/<target>/` once it is mended.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let wanted = wanted(arguments)?;
    let root = tools::root();
    let target_dir = root.join("target/fuzz-build");
    let build = tools::cargo()
        .args(["build", "--release", "--manifest-path"])
        .arg(root.join("fuzz/Cargo.toml"))
        .args(["--target", HOST, "--target-dir"])
        .arg(&target_dir)
        .env("RUSTFLAGS", COVERAGE)
        .status();
    if !build.is_ok_and(|status| status.success()) {
        return Err(Failure::failed(
            "the fuzz targets can't be built; they need a C++ compiler (apt: g++)",
        ));
    }
    for target in wanted.targets {
        println!("fuzz: {target}, {} s", wanted.seconds);
        let found = root.join("target/fuzz").join(target);
        std::fs::create_dir_all(&found)
            .map_err(|error| Failure::failed(format!("{}: {error}", found.display())))?;
        let binary = target_dir.join(HOST).join("release").join(target);
        let status = std::process::Command::new(&binary)
            .arg(format!("-max_total_time={}", wanted.seconds))
            .arg(format!("-artifact_prefix={}/fails-", found.display()))
            .args(LIMITS)
            .arg(&found)
            .arg(root.join("fuzz/corpus").join(target))
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(Failure::failed(format!(
                "{target} failed; the input is in {}",
                found.display()
            )));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// With a target of its own, RUSTFLAGS leave build scripts alone.
const HOST: &str = "x86_64-unknown-linux-gnu";

fn wanted(arguments: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted {
        seconds: 30,
        targets: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let seconds = rest.next().and_then(|text| text.parse().ok());
            wanted.seconds =
                seconds.ok_or_else(|| Failure::usage("--seconds wants a number of seconds"))?;
            continue;
        }
        let known = TARGETS.iter().find(|target| *target == argument);
        wanted.targets.push(known.ok_or_else(|| {
            let known = TARGETS.join(", ");
            Failure::usage(format!(
                "there is no fuzz target `{argument}`; there are: {known}"
            ))
        })?);
    }
    if wanted.targets.is_empty() {
        wanted.targets = TARGETS.to_vec();
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Wanted> {
        wanted(
            &words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn arguments() {
        let all = of(&[]).expect("all");
        assert_eq!((all.seconds, all.targets.len()), (30, 6));
        let one = of(&["elf", "--seconds", "5"]).expect("one");
        assert_eq!((one.seconds, one.targets), (5, vec!["elf"]));
        assert!(of(&["--seconds"]).is_err());
        assert!(of(&["elfs"]).is_err());
    }

    #[test]
    fn the_targets_are_those_of_the_manifest() {
        let manifest = std::fs::read_to_string(tools::root().join("fuzz/Cargo.toml")).expect("it");
        let bins = manifest.matches("[[bin]]").count();
        assert_eq!(bins, TARGETS.len());
        for target in TARGETS {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")));
        }
    }
}
