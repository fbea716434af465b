//! The objects of `tests/objects/built` and of `tests/recordings/programs`.

#![allow(dead_code)] // each test file uses a part

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn in_folder(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join(folder);
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "o"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

/// Name and bytes of our own objects.
pub fn built() -> Vec<(String, Vec<u8>)> {
    in_folder("tests/objects/built")
}

/// Name and bytes of the recordings' objects.
pub fn recorded() -> Vec<(String, Vec<u8>)> {
    in_folder("tests/recordings/programs")
}

/// Names of the objects that were built from a source, by one compiler each: `maps` gives `maps.o`, `maps.clang14.o`
/// and so on.
pub fn each(source: &str) -> Vec<String> {
    const COMPILERS: [&str; 8] = ["14", "15", "16", "17", "18", "20", "21", "22"];
    let others = COMPILERS.iter().map(|n| format!("{source}.clang{n}.o"));
    [format!("{source}.o")].into_iter().chain(others).collect()
}

/// One of our own.
pub fn one(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/objects/built").join(name)).unwrap()
}
