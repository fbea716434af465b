use std::path::PathBuf;

use headroom_core::trace::Trace;

use super::*;

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content")
}

/// A link from a rule shows the very step, not one near it.
#[test]
fn every_check_of_a_rule_names_a_step_of_its_run() {
    let scenarios = catalogue::read(&content()).expect("the scenarios");
    let mut seen = 0;
    for (_, chapter) in spec::read(&content()).expect("the chapters") {
        for check in chapter.rules.iter().flat_map(|rule| &rule.checks) {
            let scenario = scenarios
                .iter()
                .find(|scenario| scenario.texts.id == check.scenario);
            let scenario = scenario.unwrap_or_else(|| panic!("{check}"));
            let trace = scenario
                .trace(check.design.as_str())
                .unwrap_or_else(|problem| panic!("{check}: {problem:?}"));
            assert!(names(&trace).contains(&check.step), "{check}");
            seen += 1;
        }
    }
    assert!(seen >= 10, "{seen} checks");
}

/// The rule of the seed mail's wrong read has the picture of it: the GRE header, read as 524288.
#[test]
fn a_rule_has_the_picture_of_its_step() {
    let scenarios = catalogue::read(&content()).expect("the scenarios");
    let chapters = spec::read(&content()).expect("the chapters");
    let html = spec::rendered(&chapters, &|check| rule_picture(&scenarios, check));
    let of = |id: &str| {
        let start = format!("<section class=\"rule\" id=\"{id}\">");
        let rest = html.split_once(&start).expect(id).1;
        rest.split_once("</section>").expect(id).0.to_owned()
    };
    let rule = of("HR-DECAP-3");
    assert!(
        rule.contains("class=\"read bad\"") && rule.contains("read 524288."),
        "{rule}"
    );
    assert!(rule.contains("data-scale=\"0,0 "), "{rule}");
    for rule in chapters.iter().flat_map(|(_, chapter)| &chapter.rules) {
        assert!(of(&rule.id).contains("<svg "), "{}", rule.id);
    }
}

#[test]
fn every_scenario_runs_under_the_designs_that_are_shown_first() {
    let scenarios = catalogue::read(&content()).expect("the scenarios");
    assert_eq!(
        scenarios.first().map(|scenario| scenario.texts.id.as_str()),
        Some("seed")
    );
    for scenario in &scenarios {
        for (design, trace) in scenario.traces() {
            assert!(
                trace.is_ok(),
                "{} under {design}: {trace:?}",
                scenario.texts.id
            );
        }
    }
}

/// HTML that stands in a rule is text in the page.
#[test]
fn html_in_a_rule_is_text() {
    let text = "# T\n\n<script>alert(1)</script> and <b>bold</b>\n";
    let chapter = headroom_core::spec::parse("t.md", text).expect("a chapter");
    let html = spec::rendered(&[("t".into(), chapter)], &|_| String::new());
    assert!(
        !html.contains("<script") && !html.contains("<b>") && html.contains("&lt;script"),
        "{html}"
    );
}

/// What a page reads is what the simulator made, for every scenario and every recording of the site.
#[test]
fn a_trace_comes_back_from_its_bytes() {
    let root = content().join("..");
    let mut traces = Vec::new();
    for scenario in catalogue::read(&content()).expect("the scenarios") {
        traces.extend(scenario.first_shown().into_iter().map(|(_, trace)| trace));
    }
    for experiment in recorded::read(&root.join("tests/recordings")).expect("recordings") {
        traces.extend(experiment.kernels.into_iter().map(|(_, trace)| trace));
    }
    assert!(traces.len() > 200, "{}", traces.len());
    for mut trace in traces {
        let read = Trace::unpack(&trace.pack());
        trace.checkpoints.clear();
        assert_eq!(read.as_ref(), Ok(&trace), "{}", trace.scenario);
    }
}
