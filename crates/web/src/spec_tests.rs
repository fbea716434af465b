//! Each check of a rule names a step that the site has: a link from a rule shows the very step, not one near it.

use std::fs;
use std::path::Path;

use headroom_core::scene::names;
use headroom_core::spec::parse;

use crate::engine::{self, DESIGNS};

#[test]
fn every_check_names_a_step_of_its_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/spec");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("content/spec").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a chapter");
        let chapter = parse(&entry.path().display().to_string(), &text)
            .unwrap_or_else(|error| panic!("{error}"));
        for check in chapter.rules.iter().flat_map(|rule| &rule.checks) {
            let scenario = engine::scenario(&check.scenario).unwrap_or_else(|| panic!("{check}"));
            let outcome = engine::run(&scenario.id, &scenario.input).expect("a run");
            let design = DESIGNS
                .iter()
                .position(|name| *name == check.design.as_str());
            let trace = &outcome.traces[design.unwrap_or_else(|| panic!("{check}"))];
            assert!(names(trace).contains(&check.step), "{check}");
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} checks");
}
