//! The last step of the site's build (`trunk.toml` names it): writes what the pages read below
//! `data/`, so that no page has to simulate what is known beforehand.
//!
//! `headroom-prepare [FOLDER]`; without one, the folder that trunk names in `TRUNK_STAGING_DIR`.

mod catalogue;
mod designs;
mod drawn;
mod lines;
mod offline;
mod page;
mod recorded;
mod spec;
mod story;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, thread};

use headroom_core::design::DesignName;
use headroom_core::scene::names;
use headroom_core::spec::Check;
use headroom_protocol::{encode, encode_trace, files};
use serde::Serialize;

fn main() -> ExitCode {
    let site = env::args_os()
        .nth(1)
        .or_else(|| env::var_os("TRUNK_STAGING_DIR"));
    let Some(site) = site else {
        eprintln!("headroom-prepare: expected the folder of the built site");
        return ExitCode::from(2);
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match prepare(&root, &PathBuf::from(site)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("headroom-prepare: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes everything.
fn prepare(root: &Path, site: &Path) -> Result<(), String> {
    let content = &root.join("content");
    let scenarios = catalogue::read(content)?;
    let entries = scenarios.iter().map(catalogue::Scenario::entry).collect();
    write(site, files::CATALOGUE, &files::Catalogue { entries })?;
    let mut jobs = files::Jobs::default();
    for scenario in &scenarios {
        put_scenario(site, scenario)?;
        jobs.push(&scenario.job(Vec::new()));
    }
    write(site, files::JOBS, &jobs)?;
    let rows = judged(&scenarios)?;
    let designs = DesignName::EVERY
        .map(|design| design.as_str().to_owned())
        .to_vec();
    write(site, files::MATRIX, &files::MatrixFile { designs, rows })?;
    let recorded = recorded::read(&root.join("tests/recordings"))?;
    for experiment in &recorded {
        put_scenario(site, &experiment.scenario)?;
        for (column, trace) in &experiment.kernels {
            let name = files::trace(&experiment.scenario.texts.id, column);
            put(site, &name, &encode_trace(trace))?;
        }
    }
    let entries = recorded.iter().map(|one| one.scenario.entry()).collect();
    write(site, files::RECORDED, &files::Catalogue { entries })?;
    write(site, files::DESIGN_PAGES, &designs::read(content)?)?;
    let rules = spec::rendered(&spec::read(content)?, &|check| {
        rule_picture(&scenarios, check)
    });
    put(site, files::SPEC, rules.as_bytes())?;
    let ids: Vec<&str> = scenarios.iter().map(|one| one.texts.id.as_str()).collect();
    put(site, files::IDS, ids.join("\n").as_bytes())?;
    write(site, files::STORY, &story::story())?;

    let index = site.join("index.html");
    let text = fs::read_to_string(&index).map_err(|e| format!("{}: {e}", index.display()))?;
    let template = page::without_inline_scripts(site, &text)?;
    for scenario in &scenarios {
        let traces = scenario.first_shown();
        let id = &scenario.texts.id;
        let page = page::with_drawn(&template, &drawn::scenario(scenario, &traces))?;
        put(site, &format!("/s/{id}/index.html"), page.as_bytes())?;
        if id == "seed" {
            let page = page::with_drawn(&template, &drawn::start(scenario, &traces))?;
            put(site, "/index.html", page.as_bytes())?;
            // Every other address: a host gives this page where it has none.
            put(site, "/404.html", template.as_bytes())?;
        }
    }

    lines::scripts(site)?;
    let loader = site.join("headroom-worker_loader.js");
    let text = fs::read_to_string(&loader).map_err(|e| format!("{}: {e}", loader.display()))?;
    let text = page::loader_with_options(&text)?;
    put(site, "/headroom-worker_loader.js", text.as_bytes())?;

    let worker = root.join("static/sw.js");
    let text = fs::read_to_string(&worker).map_err(|e| format!("{}: {e}", worker.display()))?;
    put(site, "/sw.js", offline::worker(site, &text)?.as_bytes())
}

/// The step of a rule's check, drawn; that there is one is a test.
fn rule_picture(scenarios: &[catalogue::Scenario], check: &Check) -> String {
    let is = |scenario: &&catalogue::Scenario| scenario.texts.id == check.scenario;
    let design = check.design.as_str();
    let trace = scenarios
        .iter()
        .find(is)
        .and_then(|scenario| scenario.trace(design).ok());
    let Some(trace) = trace else {
        return String::new();
    };
    let step = names(&trace).iter().position(|name| *name == check.step);
    step.map_or_else(String::new, |step| drawn::step(&trace, design, step))
}

/// The rows of the matrix, on all cores: they are most of the work.
fn judged(scenarios: &[catalogue::Scenario]) -> Result<Vec<files::MatrixRow>, String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = scenarios.len().div_ceil(cores).max(1);
    let row = |scenario: &catalogue::Scenario| scenario.judged().map_err(|e| e.message);
    let rows = |part: &[catalogue::Scenario]| part.iter().map(row).collect::<Vec<_>>();
    thread::scope(|scope| {
        let parts: Vec<_> = scenarios
            .chunks(share)
            .map(|part| scope.spawn(move || rows(part)))
            .collect();
        let ended = |part: thread::ScopedJoinHandle<'_, Vec<_>>| {
            part.join()
                .unwrap_or_else(|_| vec![Err("the simulator panicked in a scenario".into())])
        };
        parts.into_iter().flat_map(ended).collect()
    })
}

/// A scenario's texts, traces and objects.
fn put_scenario(site: &Path, scenario: &catalogue::Scenario) -> Result<(), String> {
    let id = &scenario.texts.id;
    let mut traces = Vec::new();
    for (design, trace) in scenario.traces() {
        if let Err(problem) = &trace {
            eprintln!("headroom-prepare: {id} under {design}: {}", problem.message);
        }
        traces.push((design.to_owned(), trace.map(|trace| encode_trace(&trace))));
    }
    let texts = scenario.texts.clone();
    write(
        site,
        &files::scenario(id),
        &files::Opening { texts, traces },
    )?;
    for (file, object) in scenario.texts.programs.iter().zip(&scenario.objects) {
        put(site, &format!("/data/{}", file.path), &object.bytes)?;
    }
    Ok(())
}

fn write<T: Serialize>(site: &Path, name: &str, value: &T) -> Result<(), String> {
    put(site, name, &encode(value))
}

/// Writes a file of the site; `name` is its address.
fn put(site: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    let path = site.join(name.trim_start_matches('/'));
    let cannot = |e: std::io::Error| format!("{}: {e}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(cannot)?;
    }
    fs::write(&path, bytes).map_err(cannot)
}
