//! How much a visitor's browser has to load before the page is there.

use crate::stage;
use crate::tools;
use crate::{Failure, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the first load may have, compressed, in bytes: the project's budget.
pub const BUDGET: u64 = 300_000;

/// What fails the stage. The site is over its budget, and every run says by how much; until it is
/// mended, this keeps it from growing. It is lowered with each gain and goes away at [`BUDGET`].
pub const CEILING: u64 = 440_000;

/// Prints, for each file named as an argument, its size and its size in brotli's best quality.
const MEASURE: &str = r#"
const fs = require('fs'), zlib = require('zlib');
for (const file of process.argv.slice(1)) {
  const bytes = fs.readFileSync(file);
  const params = {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11,
    [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  console.log(bytes.length, zlib.brotliCompressSync(bytes, { params }).length);
}
"#;

/// One file of the first load.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the site.
    pub name: String,
    /// Its size.
    pub raw: u64,
    /// Its size compressed.
    pub compressed: u64,
}

/// The files that opening `/` loads, largest first.
pub fn measure(site: &Path) -> Result<Vec<File>> {
    let names = first_load(&read_site(site)?);
    if names.is_empty() {
        return Err(Failure::failed(format!(
            "{} has no index.html",
            site.display()
        )));
    }
    let mut command = Command::new("node");
    command
        .args(["-e", MEASURE, "--"])
        .args(names.iter().map(|name| site.join(name)));
    command.current_dir(tools::root());
    let output = stage::run(&mut command, |_| {}, |_| {});
    let sizes: Vec<(u64, u64)> = output.lines.iter().filter_map(|line| pair(line)).collect();
    if !output.success || sizes.len() != names.len() {
        return Err(Failure::failed(format!(
            "node could not compress the files: {}",
            output.lines.join(" ")
        )));
    }
    let mut files: Vec<File> = names
        .into_iter()
        .zip(sizes)
        .map(|(name, (raw, compressed))| File {
            name,
            raw,
            compressed,
        })
        .collect();
    files.sort_by(|a, b| {
        b.compressed
            .cmp(&a.compressed)
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(files)
}

fn pair(line: &str) -> Option<(u64, u64)> {
    let (raw, compressed) = line.split_once(' ')?;
    Some((raw.parse().ok()?, compressed.parse().ok()?))
}

/// Every file of the site: the text of those that can name others, nothing for the rest.
fn read_site(site: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let full = site.join(&folder);
        let cannot =
            |e: std::io::Error| Failure::failed(format!("{} can't be read: {e}", full.display()));
        for entry in fs::read_dir(&full).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let path = folder.join(entry.file_name());
            if entry.file_type().map_err(cannot)?.is_dir() {
                folders.push(path);
                continue;
            }
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            let text = match extension {
                "html" | "js" | "mjs" | "css" => {
                    let bytes = fs::read(site.join(&path)).map_err(cannot)?;
                    String::from_utf8_lossy(&bytes).into_owned()
                }
                _ => String::new(),
            };
            files.insert(path.to_string_lossy().replace('\\', "/"), text);
        }
    }
    Ok(files)
}

/// `index.html`, and what is named in it, and what is named in that: pages, scripts, modules,
/// styles and fonts. (What a page only shows later, such as a picture, is no part of it.)
fn first_load(files: &BTreeMap<String, String>) -> Vec<String> {
    let loads_at_once = |name: &str| {
        ["js", "mjs", "wasm", "css", "woff2", "woff"]
            .iter()
            .any(|extension| name.rsplit('.').next() == Some(extension))
    };
    let mut found: Vec<String> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    if files.contains_key("index.html") {
        found.push("index.html".to_string());
        open.push("index.html");
    }
    while let Some(page) = open.pop() {
        let Some(text) = files.get(page) else {
            continue;
        };
        for name in files.keys() {
            let base = name.rsplit('/').next().unwrap_or(name);
            if loads_at_once(name) && !found.contains(name) && text.contains(base) {
                found.push(name.clone());
                open.push(name);
            }
        }
    }
    found
}

/// A number of bytes as people read it.
pub fn kilobytes(bytes: u64) -> String {
    format!("{:.1} KB", bytes as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_load_is_what_is_named_from_the_page_on() {
        let files: BTreeMap<String, String> = [
            (
                "index.html",
                "<link href=\"/site-1.css\"> import '/web-1.js'",
            ),
            ("site-1.css", "src: url(fonts/mono.woff2)"),
            (
                "web-1.js",
                "import './snippets/a/inline0.js'; fetch('web-1_bg.wasm')",
            ),
            ("snippets/a/inline0.js", ""),
            ("web-1_bg.wasm", ""),
            ("fonts/mono.woff2", ""),
            ("fonts/unused.woff2", ""),
            ("worker.js", ""),
            ("icon.svg", ""),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_string(), text.to_string()))
        .collect();
        let mut found = first_load(&files);
        found.sort();
        assert_eq!(
            found,
            [
                "fonts/mono.woff2",
                "index.html",
                "site-1.css",
                "snippets/a/inline0.js",
                "web-1.js",
                "web-1_bg.wasm"
            ]
        );
        assert!(first_load(&BTreeMap::new()).is_empty());
    }
}
