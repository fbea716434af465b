//! The browser of the tests: one that is there, or Debian's package.

use super::on_path;
use super::setup::{announce, done, run_or_fail};
use crate::{Failure, Result};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Chromium: `$CHROMIUM`, one on the PATH, or Debian's package.
pub fn ensure_chromium() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if path.is_file() {
            return Ok(path);
        }
        return Err(Failure::usage(format!(
            "the variable CHROMIUM names {}, which is no file",
            path.display()
        )));
    }
    let known = || {
        [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ]
        .into_iter()
        .find_map(on_path)
    };
    if let Some(path) = known() {
        return Ok(path);
    }
    let advice =
        "install Chromium and run the command again, or name one: CHROMIUM=/path/to/chromium";
    if on_path("apt-get").is_none() {
        return Err(Failure::usage(format!("no Chromium on the PATH: {advice}")));
    }
    announce("installing Debian's chromium with apt-get", "1 minute");
    let since = Instant::now();
    let prefix: &[&str] = if is_root() {
        &[]
    } else if on_path("sudo").is_some() {
        &["sudo"]
    } else {
        return Err(Failure::usage(format!(
            "no Chromium on the PATH, and installing it needs root or sudo: {advice}"
        )));
    };
    for arguments in [
        &["apt-get", "update", "-qq"][..],
        // A font too: without any, a machine that has none draws no letters.
        &[
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "chromium",
            "fonts-dejavu-core",
        ][..],
    ] {
        let mut words = prefix.iter().chain(arguments);
        let Some(program) = words.next() else {
            continue;
        };
        let mut command = Command::new(program);
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        run_or_fail(
            &mut command,
            &format!("`{}` failed; {advice}", arguments.join(" ")),
        )?;
    }
    done(since);
    known().ok_or_else(|| {
        Failure::failed(format!(
            "apt-get installed chromium, but it is not on the PATH; {advice}"
        ))
    })
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "0")
}
