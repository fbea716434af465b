//! What comes through rustup and cargo: the wasm target, the tools that are crates, the project's crates.

use super::setup::{announce, done, print_tail, run_or_fail};
use super::{WASM, cargo, dir, on_path, root};
use crate::stage;
use crate::term;
use crate::{Failure, Result};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The version to which the workspace pins `wasm-bindgen`.
pub(super) fn wasm_bindgen_version() -> Result<String> {
    let path = root().join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .map_err(|e| Failure::failed(format!("{} can't be read: {e}", path.display())))?;
    pinned_version(&text, "wasm-bindgen").ok_or_else(|| {
        Failure::failed(format!(
            "{} must pin wasm-bindgen exactly, as in `wasm-bindgen = \"=0.2.130\"`: \
             the crate and the tool of that name have to be one version",
            path.display()
        ))
    })
}

/// `0.2.130` for `wasm-bindgen = "=0.2.130"` or `wasm-bindgen = { version = "=0.2.130", … }` under
/// `[workspace.dependencies]`.
fn pinned_version(manifest: &str, name: &str) -> Option<String> {
    let mut inside = false;
    for line in manifest.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
            continue;
        }
        if !inside {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        if key.trim() != name {
            continue;
        }
        let (_, after) = value.split_once("\"=")?;
        let (version, _) = after.split_once('"')?;
        return Some(version.trim().to_string());
    }
    None
}

pub(super) fn ensure_wasm_target() -> Result<()> {
    // Asking rustc works with any toolchain, also one that rustup knows nothing of.
    let libdir = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| {
            Failure::usage(format!(
                "rustc can't be run ({e}): install Rust with rustup"
            ))
        })?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&libdir.stdout).trim());
    if !libdir.as_os_str().is_empty() && libdir.is_dir() {
        return Ok(());
    }
    if on_path("rustup").is_none() {
        return Err(Failure::usage(format!(
            "the Rust toolchain has no {WASM} target, and rustup is not on the PATH to add it: \
             install Rust with rustup, or add the target as your distribution does it"
        )));
    }
    announce(&format!("adding the Rust target {WASM}"), "10 seconds");
    let since = Instant::now();
    let mut command = Command::new("rustup");
    command.args(["target", "add", WASM]).current_dir(root());
    run_or_fail(&mut command, "`rustup target add` failed")?;
    done(since);
    Ok(())
}

pub(super) struct Crate<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'a str,
    pub(super) locked: bool,
    pub(super) about: &'static str,
    /// How many crates it compiles, roughly, so that the counter says how far it is.
    pub(super) crates: usize,
}

pub(super) fn cargo_install(what: &Crate<'_>) -> Result<()> {
    let Crate {
        name,
        version,
        locked,
        about,
        crates,
    } = *what;
    announce(&format!("installing {name} {version} into .tools/"), about);
    let since = Instant::now();
    let build = dir().join("build");
    let mut command = cargo();
    command
        .args(["install", name, "--version", version, "--root"])
        .arg(dir());
    if locked {
        command.arg("--locked");
    }
    command
        // A build of their own: nothing of it may end up in the project's target folder.
        .env("CARGO_TARGET_DIR", &build)
        // These run for seconds a day and are compiled once: three times faster to install.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_TERM_PROGRESS_WHEN", "never");

    let mut compiled = 0usize;
    let mut shown = 0usize;
    let output = stage::run(
        &mut command,
        |line| {
            if line.trim_start().starts_with("Compiling ") {
                compiled += 1;
            }
            if term::is_tty() {
                let seconds = since.elapsed().as_secs();
                term::rewrite_line(&format!(
                    "       {compiled} of about {crates} crates, {seconds} s: {}",
                    line.trim()
                ));
            } else if compiled >= shown + 50 {
                shown = compiled;
                let time = term::time(since.elapsed());
                println!("       {compiled} of about {crates} crates, {time}");
            }
        },
        |line| {
            let seconds = since.elapsed().as_secs();
            term::rewrite_line(&format!("       {seconds} s: {}", line.trim()));
        },
    );
    term::clear_line();
    if !output.success {
        print_tail(&output.lines);
        return Err(Failure::failed(format!(
            "installing {name} {version} failed (cargo's last lines are above); it needs the \
             network once. Run the command again: what was compiled so far is kept"
        )));
    }
    // A folder that can't be deleted costs space and nothing else.
    let _ = fs::remove_dir_all(&build);
    done(since);
    Ok(())
}

/// trunk builds offline, so that it never downloads a tool; the crates have to be there before.
pub(super) fn fetch_crates() -> Result<()> {
    let mut offline = cargo();
    offline.args(["fetch", "--locked", "--offline", "--quiet"]);
    if stage::run(&mut offline, |_| {}, |_| {}).success {
        return Ok(());
    }
    announce("downloading the crates that the project uses", "a minute");
    let since = Instant::now();
    let mut online = cargo();
    online.arg("fetch");
    run_or_fail(
        &mut online,
        "`cargo fetch` failed (it needs the network once)",
    )?;
    done(since);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_read_from_the_manifest() {
        let pinned = |dependency: &str| {
            let manifest = format!(
                "[package]\nwasm-bindgen = \"=9.9.9\"\n[workspace.dependencies]\n# text\nserde = \"1\"\n{dependency}\n[profile.release]\n"
            );
            pinned_version(&manifest, "wasm-bindgen")
        };
        assert_eq!(
            pinned("wasm-bindgen = \"=0.2.130\"").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(
            pinned("wasm-bindgen = { version = \"=0.2.130\", features = [\"x\"] }").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(pinned("wasm-bindgen = \"0.2\""), None);
        assert_eq!(pinned("wasm-bindgen-futures = \"=0.4.1\""), None);
    }

    #[test]
    fn this_repository_pins_it() {
        assert!(wasm_bindgen_version().is_ok());
    }
}
