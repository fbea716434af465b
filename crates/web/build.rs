//! Names the scenarios of `content/scenarios/` for the pages: an address that names none of them is
//! known to lead nowhere without asking anybody.

use std::path::Path;
use std::{env, fs, process};

fn main() {
    if let Err(message) = write_ids() {
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
