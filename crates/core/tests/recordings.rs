//! The simulator equals the recordings of real kernels in `tests/recordings` and `tests/recordings-own`: every event, every
//! field, every byte. A new file there is a new test.

use std::fs;
use std::path::{Path, PathBuf};

use headroom_core::design::DesignName;
use headroom_core::recording::{Packet, Recording, Report, compare};
use headroom_core::scenario::Parsed;
use headroom_core::simulate::{Input, simulate_partial};
use headroom_core::trace::Trace;

/// Functions that recordings show and the simulator does not have yet. This list only shrinks.
const MAY_BE_MISSING: [&str; 0] = [];

fn recordings() -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let folders = ["recordings", "recordings-own"].map(|name| tests.join(name));
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of recordings"));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    files
}

fn run(path: &Path) -> (Recording, Report) {
    let (recording, trace) = simulate(path);
    let report = compare(&recording, &trace);
    (recording, report)
}

fn simulate(path: &Path) -> (Recording, Trace) {
    let text = fs::read_to_string(path).expect("a file");
    let recording = Recording::read(&path.display().to_string(), &text).expect("a recording");
    let programs = path.parent().expect("a directory").join("programs");
    let object = |source: &String| {
        let object = programs.join(source).with_extension("o");
        (source.clone(), fs::read(object).expect("an object"))
    };
    let objects: Vec<_> = recording.head.programs.values().map(object).collect();
    let lines = recording.commands().expect("commands");
    let parsed = Parsed {
        lines,
        skipped: Vec::new(),
    };
    let input = Input::new(&recording.head.id, parsed, &objects)
        .expect("an input")
        .drawn_as_in(&recording);
    let design = DesignName::parse(&recording.head.design).expect("a design");
    let trace = simulate_partial(&input, design).trace;
    (recording, trace)
}

#[test]
fn all_recordings_are_equal() {
    let files = recordings();
    assert!(
        files.len() >= 86,
        "E1 and E2 in both designs are 86 recordings, here are {}",
        files.len()
    );
    let mut failed = Vec::new();
    for path in files {
        let (_, report) = run(&path);
        let missing = report
            .not_covered
            .keys()
            .filter(|name| !MAY_BE_MISSING.contains(&name.as_str()));
        if report.differences_total > 0 || report.unwritten_read > 0 || missing.count() > 0 {
            failed.push(report.to_string());
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The comparison sees one offset that is another one, and names its event and field.
#[test]
fn a_recording_that_is_changed_is_not_equal() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let (mut recording, trace) = simulate(&dir.join("E2-gre-veth-full.mac_header.json"));
    assert!(compare(&recording, &trace).passed());
    assert_eq!(
        recording.head.printk,
        ["42", "524288"],
        "the mail's two numbers"
    );
    let moved = recording
        .events
        .iter_mut()
        .find_map(|event| match &mut event.packet {
            Packet::Skb(skb) if event.stage.name == "ip_tunnel_rcv" => {
                Some(&mut skb.fields.mac_header)
            }
            _ => None,
        });
    *moved.expect("the tunnel's event") = Some(295);
    let report = compare(&recording, &trace);
    let first = &report.differences[0];
    assert_eq!(report.differences_total, 1, "{report}");
    assert_eq!(
        (first.stage.as_str(), first.field.as_str()),
        ("ip_tunnel_rcv:entry", "mac_header")
    );
    assert_eq!(
        (first.expected.as_str(), first.got.as_str()),
        ("295", "294")
    );
}

/// Bytes that no packet wrote are zero in a fresh buffer on both sides, so none may differ.
#[test]
fn no_unwritten_byte_differs() {
    for path in recordings() {
        let (_, report) = run(&path);
        assert_eq!(report.unwritten_differences, 0, "{report}");
    }
}
