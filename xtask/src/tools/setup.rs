//! Saying what is set up, and running the commands that do it.

use crate::stage;
use crate::term;
use crate::{Failure, Result};
use std::process::Command;
use std::time::Instant;

/// Says what is about to happen.
pub(super) fn announce(what: &str, about: &str) {
    println!("{} {what} (about {about})", term::bold("setup:"));
}

pub(super) fn done(since: Instant) {
    println!("       done in {}", term::time(since.elapsed()));
}

/// Runs a short set-up command; on failure shows what it said.
pub(super) fn run_or_fail(command: &mut Command, sentence: &str) -> Result<()> {
    let output = stage::run(
        command,
        |_| {},
        |line| term::rewrite_line(&format!("       {}", line.trim())),
    );
    term::clear_line();
    if output.success {
        return Ok(());
    }
    print_tail(&output.lines);
    Err(Failure::failed(sentence))
}

pub(super) fn print_tail(lines: &[String]) {
    for line in &lines[lines.len().saturating_sub(25)..] {
        println!("       {line}");
    }
}
