//! How much a visitor's browser has to load before the page is there.

use crate::stage;
use crate::tools;
use crate::{Failure, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the first load may have, compressed, in bytes: the project's aim, reached with decision 0040.
pub const BUDGET: u64 = 200_000;

/// What fails the stage: what was reached, and a little. It is lowered with each gain. (It was 198,500 before the
/// picture had names on phones, programs their calls, and broken addresses their sentences.)
pub const CEILING: u64 = 199_900;

/// What is named in a page's scripts and not loaded with it. The service worker starts seconds after the page is there,
/// and what it names it keeps for later; palette and sheet of keys are loaded when a key or a button asks for them, what lights words when the pointer or the
/// focus comes to one.
const LATER: [&str; 4] = ["sw.js", "find.js", "words.js", "focus.js"];

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

/// What a reader's browser loads.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Opening a scenario page: what every page needs, and the data of the largest scenario.
    /// Largest file first.
    pub first: Vec<File>,
    /// What is loaded when something is simulated for the first time.
    pub simulator: Vec<File>,
}

/// What opening a scenario page loads, and what the simulator is.
pub fn measure(site: &Path) -> Result<Load> {
    let files = read_site(site)?;
    let common = first_load(&files);
    if common.is_empty() {
        return Err(Failure::failed(format!(
            "{} has no index.html",
            site.display()
        )));
    }
    let mut first = weigh(site, common)?;
    let scenarios: Vec<Vec<String>> = scenario_data(&files);
    let mut largest: Vec<File> = Vec::new();
    for data in scenarios {
        let data = weigh(site, data)?;
        if total(&data) > total(&largest) {
            largest = data;
        }
    }
    first.extend(largest);
    first.sort_by(|a, b| {
        b.compressed
            .cmp(&a.compressed)
            .then_with(|| a.name.cmp(&b.name))
    });
    let of_worker = |name: &&String| name.starts_with("headroom-worker");
    let simulator = weigh(site, files.keys().filter(of_worker).cloned().collect())?;
    Ok(Load { first, simulator })
}

/// Compressed size of some files together.
pub fn total(files: &[File]) -> u64 {
    files.iter().map(|file| file.compressed).sum()
}

/// For each scenario the file that its page opens with: its texts, and its traces under the designs shown first.
fn scenario_data(files: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let is_opening =
        |name: &&String| name.starts_with("data/s/") && name.ends_with("/scenario.bin");
    files
        .keys()
        .filter(is_opening)
        .map(|name| vec![name.clone()])
        .collect()
}

fn weigh(site: &Path, names: Vec<String>) -> Result<Vec<File>> {
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
    Ok(names
        .into_iter()
        .zip(sizes)
        .map(|(name, (raw, compressed))| File {
            name,
            raw,
            compressed,
        })
        .collect())
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
            if !LATER.contains(&name.as_str())
                && loads_at_once(name)
                && !found.contains(name)
                && text.contains(base)
            {
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
                "<link href=\"/site-1.css\"> import '/web-1.js' '/start.js'",
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
            (
                "start.js",
                "navigator.serviceWorker.register('/sw.js'); import('/find.js')",
            ),
            ("find.js", ""),
            ("sw.js", "const FILES = ['/worker.js']"),
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
                "start.js",
                "web-1.js",
                "web-1_bg.wasm"
            ]
        );
        assert!(first_load(&BTreeMap::new()).is_empty());
    }
}
