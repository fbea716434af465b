//! The tools that build the site: found where they are, or installed into `.tools/`.
//!
//! Nothing is installed outside the project, but for the wasm target (a component of the Rust
//! toolchain) and Chromium with its libraries (a Debian package). A tool on the PATH is used when
//! it has the version that this repository wants.

mod chromium;
mod node;
mod rust;
mod setup;

pub use chromium::ensure_chromium;
pub use node::{ensure_playwright, require_node};

use crate::{Failure, Result};
use rust::Crate;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// trunk 0.22 wants a newer Rust than ours.
const TRUNK: &str = "0.21.14";
/// The npm package that brings `wasm-opt`; Debian's is too old for today's WebAssembly.
const BINARYEN: &str = "132";
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
        rust::ensure_wasm_target()?;

        let bindgen = rust::wasm_bindgen_version()?;
        let missing = ["wasm-bindgen", "wasm-bindgen-test-runner"]
            .into_iter()
            .any(|name| !tools.find(name, &bindgen));
        if missing {
            rust::cargo_install(&Crate {
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
            rust::cargo_install(&Crate {
                name: "trunk",
                version: TRUNK,
                locked: true,
                about: "4 minutes on two cores",
                crates: 390,
            })?;
            tools.find_or_fail("trunk", TRUNK)?;
        }
        if needs.wasm_opt && !tools.find("wasm-opt", BINARYEN) {
            node::npm_install_binaryen()?;
            tools.find_or_fail("wasm-opt", BINARYEN)?;
        }
        rust::fetch_crates()?;
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

/// The cargo that runs xtask, in the repository's folder.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
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
}
