//! `cargo xtask serve | test | bench`: everything one does with this repository, in one program.
//!
//! It needs nothing but the standard library, so that it compiles in seconds on a fresh machine.

mod bench;
mod fuzz;
mod report;
mod serve;
mod size;
mod stage;
mod term;
mod test;
mod tools;
mod traces;

use std::fmt;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command> [options]

  serve [--release] [--port N] [--no-open]
        Installs what is missing into .tools/, builds the site and serves it.
        --release   the small build (wasm-opt -Oz) instead of the quick one
        --port N    default 8080
        --no-open   don't open a browser
  test [--quick]
        Runs all checks: formatting, clippy, tests on the host and in WebAssembly, recordings of a
        real kernel, and the site in Chromium.
        --quick     only what needs neither a browser nor a build of the site
  bench
        Runs the benchmarks on the host and in WebAssembly.
  fuzz [TARGET...] [--seconds N]
        Runs the fuzz targets under libFuzzer, 30 seconds each. Needs a C++ compiler.
";

/// Why a command ends: a sentence for the person who typed it, and an exit code for their script.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Something that was tried did not work (exit code 1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }

    /// Something must be put right before trying makes sense: an option, a port, a missing tool
    /// (exit code 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What every step here returns.
pub type Result<T> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(args: &[String]) -> Result<ExitCode> {
    let Some((command, options)) = args.split_first() else {
        return Err(Failure::usage(format!("a command is missing\n\n{USAGE}")));
    };
    if options.iter().any(|o| o == "--help" || o == "-h") {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    match command.as_str() {
        "serve" => serve::run(&serve::Options::parse(options)?),
        "test" => test::run(&test::Options::parse(options)?),
        "bench" => match options {
            [] => bench::run(),
            [option, ..] => Err(unknown_option("bench", option)),
        },
        "fuzz" => fuzz::run(options),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        // Not for people: the helper process of `serve` that says when the address answers.
        serve::ANNOUNCE => serve::announce(options),
        other => Err(Failure::usage(format!(
            "unknown command `{other}`\n\n{USAGE}"
        ))),
    }
}

/// The one wording for an option that a command doesn't have.
pub fn unknown_option(command: &str, option: &str) -> Failure {
    Failure::usage(format!(
        "`{command}` has no option `{option}`; `cargo xtask --help` lists the options"
    ))
}
