//! Names the scenarios of `content/scenarios/` for the pages: an address that names none of them is
//! known to lead nowhere without asking anybody. And for each kernel function that a rule of
//! `content/spec/` names as its source or checks, that rule.

use std::path::Path;
use std::{env, fs, process};

fn main() {
    if let Err(message) = write_ids().and_then(|()| write_rules()) {
        eprintln!("{message}");
        process::exit(1);
    }
}

fn write_ids() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let folder = Path::new(&root).join("../../content/scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut ids: Vec<String> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    ids.sort();
    let target = Path::new(&env::var("OUT_DIR").map_err(|e| e.to_string())?).join("ids.rs");
    fs::write(target, format!("&{ids:?}")).map_err(|e| e.to_string())
}

/// `(function, rule)`, sorted by function; of several rules the one that names it as its source comes first.
fn write_rules() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|e| e.to_string())?;
    let folder = Path::new(&root).join("../../content/spec");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.sort();
    let (mut sources, mut checked) = (Vec::new(), Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let mut rule = String::new();
        for line in text.lines() {
            if let Some(id) = line.strip_prefix("## HR-") {
                rule = format!("HR-{id}");
            } else if let Some(source) = line.strip_prefix("source: ") {
                let names = source.split('`').filter_map(|name| name.strip_suffix("()"));
                sources.extend(names.map(|name| (name.to_owned(), rule.clone())));
            } else if let Some(check) = line.strip_prefix("check: ") {
                let step = check.split(' ').nth(2).unwrap_or_default();
                let name = step.split('.').next().unwrap_or_default();
                checked.push((name.to_owned(), rule.clone()));
            }
        }
    }
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, rule) in sources.into_iter().chain(checked) {
        if all.iter().all(|(known, _)| *known != name) {
            all.push((name, rule));
        }
    }
    all.sort();
    let text = format!(
        "/// Kernel functions, and the rule that speaks of each.\nconst RULES: &[(&str, &str)] = &{all:?};\n"
    );
    let target = Path::new(&env::var("OUT_DIR").map_err(|e| e.to_string())?).join("rules.rs");
    fs::write(target, text).map_err(|e| e.to_string())
}
