//! The scenarios of `content/scenarios/`, and what the simulator makes of them.

use std::fs;
use std::path::Path;

use headroom_core::design::DesignName;
use headroom_core::scenario::ScenarioFile;
use headroom_core::trace::Trace;
use headroom_protocol::{DESIGNS, Job, Object, Problem, files};

/// A scenario with its object files read.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What the page reads.
    pub texts: files::Scenario,
    /// The object files, in the order of `texts.programs`.
    pub objects: Vec<Object>,
    /// Its tags, for the list.
    pub tags: Vec<String>,
}

/// Reads all scenarios: the seed first, the others by their id.
///
/// # Errors
/// The first file that is wrong, or whose name is not its id.
pub fn read(content: &Path) -> Result<Vec<Scenario>, String> {
    let folder = content.join("scenarios");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let mut out = paths
        .iter()
        .map(|path| one(content, path))
        .collect::<Result<Vec<_>, _>>()?;
    out.sort_by_key(|scenario| scenario.texts.id != "seed");
    Ok(out)
}

fn one(content: &Path, path: &Path) -> Result<Scenario, String> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let file = ScenarioFile::read(&name, &text).map_err(|error| error.to_string())?;
    let stem = path.file_stem().unwrap_or_default();
    if *stem != *file.id || !files::is_id(&file.id) {
        return Err(format!(
            "{name}: its id is {}, and a file is named after its id",
            file.id
        ));
    }
    let lines = if file.paste.is_empty() {
        &file.commands
    } else {
        &file.paste
    };
    let mut programs = Vec::new();
    let mut objects = Vec::new();
    let parsed = file.parse().map_err(|error| format!("{name}: {error}"))?;
    for (program, path) in file.objects(&parsed.lines) {
        let bytes = fs::read(content.join(path)).map_err(|e| format!("{name}: {path}: {e}"))?;
        objects.push(Object {
            name: program.to_owned(),
            bytes,
        });
        programs.push(files::ProgramFile {
            name: program.to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(Scenario {
        texts: files::Scenario {
            commands: lines.join("\n"),
            id: file.id,
            title: file.title,
            explanation: file.explanation,
            programs,
            recordings: Vec::new(),
            recorded_as: super::recorded::shown_of(&file.recordings),
        },
        objects,
        tags: file.tags,
    })
}

impl Scenario {
    /// What stands in the list.
    #[must_use]
    pub fn entry(&self) -> files::Entry {
        let summary = self.texts.explanation.split("\n\n").next();
        files::Entry {
            id: self.texts.id.clone(),
            title: self.texts.title.clone(),
            summary: summary.unwrap_or_default().to_owned(),
            tags: self.tags.clone(),
        }
    }

    /// Its row of the matrix.
    ///
    /// # Errors
    /// Commands or objects that can't be read.
    pub fn judged(&self) -> Result<files::MatrixRow, Problem> {
        let designs = DesignName::EVERY.map(|design| design.as_str().to_owned());
        let mut cells = Vec::new();
        headroom_worker::judge(&self.job(designs.to_vec()), &mut |cell| cells.push(cell))?;
        Ok(files::MatrixRow {
            scenario: self.texts.id.clone(),
            title: self.texts.title.clone(),
            cells,
        })
    }

    /// What it takes to run it.
    #[must_use]
    pub fn job(&self, designs: Vec<String>) -> Job {
        Job {
            scenario: self.texts.id.clone(),
            commands: self.texts.commands.clone(),
            objects: self.objects.clone(),
            designs,
        }
    }

    /// The trace under each design of which the pages have files, or why there is none.
    #[must_use]
    pub fn traces(&self) -> Vec<(&'static str, Result<Trace, Problem>)> {
        DESIGNS
            .iter()
            .take(headroom_protocol::FIRST_SHOWN)
            .map(|design| (design.name, self.trace(design.name)))
            .collect()
    }

    /// The traces that its page shows first, as far as there are any.
    #[must_use]
    pub fn first_shown(&self) -> Vec<(&'static str, Trace)> {
        let first = DESIGNS.iter().take(headroom_protocol::FIRST_SHOWN);
        first
            .filter_map(|design| Some((design.name, self.trace(design.name).ok()?)))
            .collect()
    }

    /// The trace under a design, or why there is none.
    ///
    /// # Errors
    /// As [`headroom_worker::run`].
    pub fn trace(&self, design: &str) -> Result<Trace, Problem> {
        let job = self.job(vec![design.to_owned()]);
        let mut whole = None;
        headroom_worker::run(&job, &mut |_, trace| whole = Some(trace.clone()))?;
        whole.ok_or_else(|| Problem::whole("nothing was simulated"))
    }
}
