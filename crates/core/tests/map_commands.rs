//! `bpftool map update` before a packet comes: what a program then finds in its map.

mod recorded;

use headroom_core::simulate::{Partial, simulate_partial};
use headroom_core::{design::DesignName, trace::Trace};

use recorded::input_with;

/// The helper programs of the recorder take their device from the array map `cfg`; recordings set it with
/// `orc cfg KEY DEV`. The same bytes by `bpftool map update` must give the same run.
const RECORDING: &str = "E9-h_redirect-rx";

fn with(line: impl Fn(&str) -> String) -> Partial {
    let input = input_with(RECORDING, DesignName::MacHeader, |setup| {
        for command in setup {
            if command.starts_with("orc cfg") {
                *command = line(command);
            }
        }
    });
    simulate_partial(&input, DesignName::MacHeader)
}

fn entries(trace: &Trace) -> Vec<(Vec<u8>, Vec<u8>)> {
    // Each object has its own; all are set.
    let cfg = trace.maps.iter().filter(|map| map.def.name == "cfg");
    let mut all: Vec<_> = cfg.flat_map(|map| map.entries.clone()).collect();
    all.dedup();
    all
}

fn hex(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.join(" ")
}

#[test]
fn a_map_set_by_bpftool_is_what_the_program_finds() {
    let recorded = with(str::to_owned);
    assert!(recorded.error.is_none(), "{:?}", recorded.error);
    let [(key, ifindex)] = entries(&recorded.trace).try_into().expect("one entry");
    assert_eq!(key, [0, 0, 0, 0]);
    let update = |value: &[u8]| {
        let value = hex(value);
        move |_: &str| format!("bpftool map update name cfg key hex 00 00 00 00 value hex {value}")
    };
    let same = with(update(&ifindex));
    assert!(same.error.is_none(), "{:?}", same.error);
    assert_eq!(same.trace, recorded.trace);
    // Another device number, and the packet goes elsewhere.
    let other = with(update(&[99, 0, 0, 0]));
    assert_eq!(entries(&other.trace), [(vec![0; 4], vec![99, 0, 0, 0])]);
    assert_ne!(other.trace.steps, recorded.trace.steps);
}

#[test]
fn what_a_map_refuses_is_said_with_the_line() {
    let said = |line: &str| {
        let line = line.to_owned();
        with(move |_| line.clone())
            .error
            .expect("an error")
            .to_string()
    };
    let unknown = said("bpftool map update name tags key 0 0 0 0 value 1 0 0 0");
    assert!(unknown.contains("there is no map `tags`"), "{unknown}");
    let short = said("bpftool map update name cfg key 0 value 1 0 0 0");
    assert!(short.contains("key of 1 bytes; it must have 4"), "{short}");
    // An array of eight: the ninth is E2BIG, and no key can be deleted (EINVAL).
    let far = said("bpftool map update name cfg key 8 0 0 0 value 1 0 0 0");
    assert!(far.contains("error -7"), "{far}");
    let delete = said("bpftool map delete name cfg key 0 0 0 0");
    assert!(delete.contains("error -22"), "{delete}");
    assert!(delete.starts_with("line "), "{delete}");
}
