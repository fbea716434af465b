//! The format of the rules, and that each of their checks names a step that is there.

use std::fs;
use std::path::Path;

use headroom_core::scene::names;

use crate::engine::{self, DESIGNS};
use crate::spec_format::parse;

const GOOD: &str = "# Title\n\nIntro.\n\n## HR-A-1\ntext: One MUST.\nholds: both\nsource: x\ncheck: seed mac_header f.entry@rx#1: a=1\n\nBody.\n";

#[test]
fn a_chapter() {
    let chapter = parse("a.md", GOOD).expect("a chapter");
    assert_eq!(
        (chapter.title.as_str(), chapter.intro.trim()),
        ("Title", "Intro.")
    );
    let rule = &chapter.rules[0];
    assert_eq!(
        (rule.id.as_str(), rule.key("holds"), rule.body.trim()),
        ("HR-A-1", Some("both"), "Body.")
    );
    let check = &rule.checks[0];
    assert_eq!(
        (check.scenario.as_str(), check.design.as_str()),
        ("seed", "mac_header")
    );
    assert_eq!(
        (check.step.as_str(), check.holds.as_str()),
        ("f.entry@rx#1", "a=1")
    );
}

#[test]
fn mistakes_stop_the_build_and_name_their_line() {
    for (from, to, said) in [
        ("holds:", "hold:", "a.md:7: unknown key “hold”"),
        ("text: One MUST.\n", "", "rule HR-A-1 has no `text`"),
        ("## HR-A-1", "## Rule 1", "a.md:5: “Rule 1” is no rule id"),
        ("source: x", "source:", "a.md:8: `source` is empty"),
        ("check: seed mac_header", "check: seed", "a.md:9: check"),
        ("# Title", "Title", "the first line must be"),
        (
            "source: x",
            "source: x\nsource: y",
            "`source` is there twice",
        ),
    ] {
        let error = parse("a.md", &GOOD.replace(from, to)).expect_err(to);
        assert!(error.contains(said), "{error}");
    }
}

/// A link from a rule must show the very step, not one near it.
#[test]
fn every_check_names_a_step_of_its_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/spec");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("content/spec").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a chapter");
        let chapter = parse(&entry.path().display().to_string(), &text)
            .unwrap_or_else(|error| panic!("{error}"));
        for (rule, check) in chapter
            .rules
            .iter()
            .flat_map(|rule| rule.checks.iter().map(move |check| (rule, check)))
        {
            let scenario = engine::scenario(&check.scenario)
                .unwrap_or_else(|| panic!("{}: scenario", rule.id));
            let outcome = engine::run(&scenario.id, &scenario.input).expect("a run");
            let design = DESIGNS.iter().position(|name| *name == check.design);
            let trace = &outcome.traces[design.unwrap_or_else(|| panic!("{}: design", rule.id))];
            let step = check
                .step
                .parse()
                .unwrap_or_else(|error| panic!("{}: {error}", rule.id));
            assert!(
                names(trace).contains(&step),
                "{}: {} has no step {step}",
                rule.id,
                check.design
            );
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} checks");
}
