//! Recordings of real kernels beside the simulator: for some of `tests/recordings/` the pages get the
//! set-up as a scenario of its own, the traces that the simulator makes of it, and what the kernel did.

use std::fs;
use std::path::Path;

use headroom_core::recording::{Recording, open};
use headroom_core::trace::Trace;
use headroom_protocol::{DESIGNS, Object, files};

use super::catalogue::Scenario;

/// The recordings that the site has: at least one for each kind of device. All of them together are
/// larger than the site.
const SHOWN: [&str; 12] = [
    "E1-veth-32b-native",
    "E1-veth-32b-generic",
    "E2-gre-veth-full",
    "E2-gre-veth-key-native",
    "E3-vlan-4b-generic",
    "E3-qinq-native",
    "E4-gretap-32b-native",
    "E5-vxlan-4b-native",
    "E6-ipip-4b-native",
    "E7-geneve-4b-native",
    "E11-gro-equal",
    "E11-mpls-pop-lo-native",
];

/// A recorded experiment.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its set-up as a scenario.
    pub scenario: Scenario,
    /// What each kernel did: column, trace.
    pub kernels: Vec<(String, Trace)>,
}

/// The id that a recorded experiment has on the site.
fn id_of(name: &str) -> String {
    format!("{}{}", files::RECORDED_PREFIX, name.to_lowercase())
}

/// Those of some recordings that the site shows.
#[must_use]
pub fn shown_of(names: &[String]) -> Vec<String> {
    let shown = names.iter().filter(|name| SHOWN.contains(&name.as_str()));
    shown.map(|name| id_of(name)).collect()
}

/// Reads the recordings that are shown.
///
/// # Errors
/// The first one that is missing or wrong.
pub fn read(tests: &Path) -> Result<Vec<Recorded>, String> {
    SHOWN.iter().map(|name| one(tests, name)).collect()
}

fn one(tests: &Path, name: &str) -> Result<Recorded, String> {
    let mut kernels = Vec::new();
    let mut scenario = None;
    for design in DESIGNS {
        let path = tests.join(format!("{name}.{}.json", design.name));
        let file = path.display().to_string();
        let Ok(text) = fs::read_to_string(&path) else {
            // Not every experiment was recorded under every design.
            continue;
        };
        let recording = Recording::read(&file, &text).map_err(|error| error.to_string())?;
        let opened = open::of_recording(&recording);
        kernels.push((format!("recording:{}", design.name), opened.trace));
        if scenario.is_none() {
            scenario = Some(of_setup(tests, &recording)?);
        }
    }
    let mut scenario = scenario.ok_or_else(|| format!("there is no recording {name}"))?;
    scenario.texts.recordings = kernels.iter().map(|(column, _)| column.clone()).collect();
    Ok(Recorded { scenario, kernels })
}

/// The set-up as a scenario that can be run.
fn of_setup(tests: &Path, recording: &Recording) -> Result<Scenario, String> {
    let head = &recording.head;
    let mut objects = Vec::new();
    for (program, source) in &head.programs {
        let path = tests.join("programs").join(source).with_extension("o");
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        objects.push(Object {
            name: program.clone(),
            bytes,
        });
    }
    let id = id_of(&head.id);
    let program = |object: &Object| files::ProgramFile {
        name: object.name.clone(),
        path: format!("programs/recorded/{}.o", object.name),
    };
    Ok(Scenario {
        tags: Vec::new(),
        texts: files::Scenario {
            title: head.title.clone(),
            explanation: format!(
                "Recorded on Linux {} as `{}`; the simulator runs the same commands and packets.",
                head.kernel, head.id
            ),
            commands: head.setup.join("\n"),
            programs: objects.iter().map(program).collect(),
            recordings: Vec::new(),
            recorded_as: Vec::new(),
            id,
        },
        objects,
    })
}
