//! The whole matrix: all scenarios of `content/scenarios/` under every design that has a name, from their commands and objects to
//! the table as text.

use headroom_core::design::DesignName;
use headroom_core::matrix::{Matrix, row, text};
use headroom_core::scenario::ScenarioFile;
use headroom_core::simulate::Input;

use super::{Now, print, time};

/// Where files are read: both paths are below the project's root.
pub trait Files {
    /// Names of the files of a folder.
    fn list(&self, folder: &str) -> Vec<String>;
    /// A file's bytes.
    fn read(&self, file: &str) -> Vec<u8>;
}

const SCENARIOS: &str = "content/scenarios";

/// Measures the matrix once more than it is computed for warmth; reading files does not count.
pub fn report(target: &str, now: Now<'_>, files: &dyn Files) {
    let mut names = files.list(SCENARIOS);
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    let scenarios: Vec<_> = names.iter().map(|name| scenario(files, name)).collect();
    let mut cells = 0;
    let ms = time(now, 3, || {
        let rows = scenarios.iter().map(|(file, objects)| {
            let parsed = file.parse().expect("commands");
            let input = Input::new(&file.id, parsed, objects).expect("an input");
            row(&file.title, &input, &DesignName::EVERY)
        });
        let rows: Vec<_> = rows.collect();
        cells = rows.iter().map(|row| row.cells.len()).sum();
        text(&Matrix::new(&DesignName::EVERY, rows))
    });
    assert!(cells > 1000, "only {cells} cells");
    print(target, "matrix", ms / 3.0, "ms");
    print(target, "matrix.cells", cells as f64, "cells");
}

/// A scenario's file and the objects it names.
fn scenario(files: &dyn Files, name: &str) -> (ScenarioFile, Vec<(String, Vec<u8>)>) {
    let bytes = files.read(&format!("{SCENARIOS}/{name}"));
    let text = String::from_utf8(bytes).expect("text");
    let file = ScenarioFile::read(name, &text).expect("a scenario");
    let object = |path: &String| (path.clone(), files.read(&format!("content/{path}")));
    let objects = file.programs.values().map(object).collect();
    (file, objects)
}
