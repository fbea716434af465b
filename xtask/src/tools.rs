//! The tools that build the site: found where they are, or installed into `.tools/`.
//!
//! Nothing is installed outside the project, but for the wasm target (a component of the Rust
//! toolchain) and Chromium with its libraries (a Debian package). A tool on the PATH is used when
//! it has the version that this repository wants.

use crate::stage;
use crate::term;
use crate::{Failure, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// trunk 0.22 wants a newer Rust than ours.
const TRUNK: &str = "0.21.14";
/// The npm package that brings `wasm-opt`; Debian's is too old for today's WebAssembly.
const BINARYEN: &str = "132";
/// The oldest Node.js that the browser tests and their runner work with.
const NODE_MAJOR: u64 = 20;
/// The target of the site.
pub const WASM: &str = "wasm32-unknown-unknown";

/// The repository's folder.
pub fn root() -> PathBuf {
    // Where the sources were when xtask was compiled, unless cargo says otherwise.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The project-local folder for tools; git ignores it.
pub fn dir() -> PathBuf {
    root().join(".tools")
}

/// A tool of the wanted version.
struct Tool {
    name: &'static str,
    path: PathBuf,
}

/// The tools that were found or installed.
#[derive(Default)]
pub struct Tools {
    found: Vec<Tool>,
}

/// What a command needs.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// `trunk`.
    pub trunk: bool,
    /// `wasm-opt`, for small builds.
    pub wasm_opt: bool,
}

impl Tools {
    /// Finds the tools, and installs what is missing. Says what it does before it does it.
    pub fn ensure(needs: Needs) -> Result<Self> {
        let mut tools = Self::default();
        ensure_wasm_target()?;

        let bindgen = wasm_bindgen_version()?;
        let missing = ["wasm-bindgen", "wasm-bindgen-test-runner"]
            .into_iter()
            .any(|name| !tools.find(name, &bindgen));
        if missing {
            cargo_install(&Crate {
                name: "wasm-bindgen-cli",
                version: &bindgen,
                // Its own lock file names a crate version that registries no longer serve.
                locked: false,
                about: "2 minutes on two cores",
                crates: 160,
            })?;
            for name in ["wasm-bindgen", "wasm-bindgen-test-runner"] {
                tools.find_or_fail(name, &bindgen)?;
            }
        }
        if needs.trunk && !tools.find("trunk", TRUNK) {
            cargo_install(&Crate {
                name: "trunk",
                version: TRUNK,
                locked: true,
                about: "4 minutes on two cores",
                crates: 390,
            })?;
            tools.find_or_fail("trunk", TRUNK)?;
        }
        if needs.wasm_opt && !tools.find("wasm-opt", BINARYEN) {
            npm_install_binaryen()?;
            tools.find_or_fail("wasm-opt", BINARYEN)?;
        }
        fetch_crates()?;
        Ok(tools)
    }

    /// Where a tool is that [`Tools::ensure`] was asked for.
    pub fn path(&self, name: &str) -> Result<&Path> {
        self.found
            .iter()
            .find(|tool| tool.name == name)
            .map(|tool| tool.path.as_path())
            .ok_or_else(|| Failure::failed(format!("{name} was not prepared")))
    }

    /// A PATH on which the found tools come first, so that trunk finds these and no others.
    pub fn search_path(&self) -> Result<OsString> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        for tool in &self.found {
            let Some(dir) = tool.path.parent() else {
                continue;
            };
            if !dirs.iter().any(|d| d == dir) {
                dirs.push(dir.to_path_buf());
            }
        }
        dirs.extend(path_dirs());
        std::env::join_paths(dirs)
            .map_err(|e| Failure::failed(format!("a folder name can't be put on the PATH: {e}")))
    }

    fn find(&mut self, name: &'static str, version: &str) -> bool {
        let ours = [dir().join("bin"), dir().join("node/node_modules/.bin")];
        let found = ours
            .into_iter()
            .chain(path_dirs())
            .map(|dir| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
            .find(|path| path.is_file() && version_of(path).as_deref() == Some(version));
        match found {
            Some(path) => {
                self.found.push(Tool { name, path });
                true
            }
            None => false,
        }
    }

    fn find_or_fail(&mut self, name: &'static str, version: &str) -> Result<()> {
        if self.find(name, version) {
            return Ok(());
        }
        Err(Failure::failed(format!(
            "{name} {version} was installed into {}, but it does not run there; \
             delete that folder and try again",
            dir().display()
        )))
    }
}

fn path_dirs() -> Vec<PathBuf> {
    std::env::var_os("PATH")
        .map(|p| std::env::split_paths(&p).collect())
        .unwrap_or_default()
}

/// The full path of a program on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    path_dirs()
        .into_iter()
        .map(|dir| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}

/// What a tool says its version is.
fn version_of(tool: &Path) -> Option<String> {
    let output = Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    version_in(&String::from_utf8_lossy(&output.stdout))
}

/// The first word of a version line that starts with a digit: `0.21.14` in `trunk 0.21.14`, `132`
/// in `wasm-opt version 132 (version_132)`, `20.1.0` in `v20.1.0`.
fn version_in(text: &str) -> Option<String> {
    text.lines().next()?.split_whitespace().find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        word.starts_with(|c: char| c.is_ascii_digit())
            .then(|| word.to_string())
    })
}

/// The version to which the workspace pins `wasm-bindgen`.
fn wasm_bindgen_version() -> Result<String> {
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

/// Says what is about to happen.
fn announce(what: &str, about: &str) {
    println!("{} {what} (about {about})", term::bold("setup:"));
}

fn done(since: Instant) {
    println!("       done in {}", term::time(since.elapsed()));
}

fn ensure_wasm_target() -> Result<()> {
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

struct Crate<'a> {
    name: &'static str,
    version: &'a str,
    locked: bool,
    about: &'static str,
    /// How many crates it compiles, roughly, so that the counter says how far it is.
    crates: usize,
}

fn cargo_install(what: &Crate<'_>) -> Result<()> {
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

fn npm_install_binaryen() -> Result<()> {
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

/// trunk builds offline, so that it never downloads a tool; the crates have to be there before.
fn fetch_crates() -> Result<()> {
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

/// The cargo that runs xtask, in the repository's folder.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
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

/// Runs a short set-up command; on failure shows what it said.
fn run_or_fail(command: &mut Command, sentence: &str) -> Result<()> {
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

fn print_tail(lines: &[String]) {
    for line in &lines[lines.len().saturating_sub(25)..] {
        println!("       {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_lines() {
        for (text, version) in [
            ("trunk 0.21.14\n", "0.21.14"),
            ("wasm-bindgen 0.2.130\n", "0.2.130"),
            ("wasm-opt version 132 (version_132)\n", "132"),
            ("v20.1.0\n", "20.1.0"),
        ] {
            assert_eq!(version_in(text).as_deref(), Some(version));
        }
        assert_eq!(version_in(""), None);
        assert_eq!(version_in("what?\n"), None);
    }

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
