//! What comes through npm: `wasm-opt` and the packages of the browser tests.

use super::setup::{announce, done, run_or_fail};
use super::{BINARYEN, dir, on_path, root, version_of};
use crate::{Failure, Result};
use std::fs;
use std::process::Command;
use std::time::Instant;

/// The oldest Node.js that the browser tests and their runner work with.
const NODE_MAJOR: u64 = 20;

pub(super) fn npm_install_binaryen() -> Result<()> {
    require_node()?;
    announce(
        &format!("installing wasm-opt (npm's binaryen {BINARYEN}) into .tools/"),
        "10 seconds",
    );
    let since = Instant::now();
    let node = dir().join("node");
    let manifest = node.join("package.json");
    // With a package.json of its own, npm does not look for one further up.
    fs::create_dir_all(&node)
        .and_then(|()| fs::write(&manifest, "{ \"private\": true }\n"))
        .map_err(|e| Failure::failed(format!("{} can't be written: {e}", manifest.display())))?;
    let mut command = Command::new("npm");
    command
        .args([
            "install",
            "--no-save",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
        ])
        .arg(format!("binaryen@{BINARYEN}.0.0"))
        .current_dir(&node);
    run_or_fail(
        &mut command,
        "`npm install binaryen` failed (it needs the network once)",
    )?;
    done(since);
    Ok(())
}

/// A sentence when Node.js or npm is missing or too old.
pub fn require_node() -> Result<()> {
    let advice = format!(
        "install Node.js {NODE_MAJOR} or newer with npm (nodejs.org, or your distribution's \
         packages) and run the command again"
    );
    for name in ["node", "npm"] {
        if on_path(name).is_none() {
            return Err(Failure::usage(format!(
                "{name} is not on the PATH: {advice}"
            )));
        }
    }
    let version = on_path("node")
        .and_then(|node| version_of(&node))
        .unwrap_or_default();
    let major: u64 = version
        .split('.')
        .next()
        .and_then(|m| m.parse().ok())
        .unwrap_or(0);
    if major < NODE_MAJOR {
        return Err(Failure::usage(format!(
            "node is version {version}, too old: {advice}"
        )));
    }
    Ok(())
}

/// Playwright in `e2e/node_modules`, as its lock file says.
pub fn ensure_playwright() -> Result<()> {
    require_node()?;
    let e2e = root().join("e2e");
    let lock = fs::read(e2e.join("package-lock.json"))
        .map_err(|e| Failure::failed(format!("e2e/package-lock.json can't be read: {e}")))?;
    // A copy of the lock file that was installed; npm's own is written differently.
    let stamp = e2e.join("node_modules/.headroom-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    announce(
        "installing the browser tests' packages into e2e/node_modules",
        "10 seconds",
    );
    let since = Instant::now();
    let mut command = Command::new("npm");
    command
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&e2e);
    run_or_fail(
        &mut command,
        "`npm ci` in e2e/ failed (it needs the network once)",
    )?;
    fs::write(&stamp, lock)
        .map_err(|e| Failure::failed(format!("{} can't be written: {e}", stamp.display())))?;
    done(since);
    Ok(())
}
