//! `bpftool map update` before a packet comes: what a program then finds in its map.

mod recorded;

use headroom_core::bpf::load_object;
use headroom_core::design::DesignName;
use headroom_core::simulate::{Input, Partial, simulate_partial};
use headroom_core::stepping::MapsAt;
use headroom_core::trace::Trace;

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
    // How the maps came to be so is told otherwise: a knob, and a call for each object.
    let without_calls = |trace: &Trace| Trace {
        map_calls: Vec::new(),
        ..trace.clone()
    };
    assert_eq!(without_calls(&same.trace), without_calls(&recorded.trace));
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

/// The change is among those that are played again when a run is stepped through.
#[test]
fn the_map_is_as_it_was_set_at_every_step() {
    let path = format!(
        "{}/../../tests/recordings/programs/h_redirect.bpf.o",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(path).expect("an object");
    let object = load_object("h_redirect.bpf.o", &bytes).expect("an object");
    let text = "ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up
orc tcx h_redirect rx ingress
bpftool map update name cfg key 0 0 0 0 value 1 0 0 0
bpftool map update name cfg key 3 0 0 0 value hex 2a 00 00 00
send tx 02000000000102000000000208004500001c000000004001f9de0a0000010a0000010800f7ff00000000";
    let parsed = headroom_core::scenario::parse(text).expect("commands");
    let input =
        Input::new("maps", parsed, &[("h_redirect.bpf.o".into(), bytes)]).expect("an input");
    let done = simulate_partial(&input, DesignName::MacHeader);
    assert!(done.error.is_none(), "{:?}", done.error);
    let wanted = [
        (vec![0; 4], vec![1, 0, 0, 0]),
        (vec![3, 0, 0, 0], vec![42, 0, 0, 0]),
    ];
    assert_eq!(entries(&done.trace), wanted);
    let mut maps = MapsAt::new(&done.trace, 0, &object).expect("maps");
    let last = done.trace.steps.len() - 1;
    for step in [last, 0, last / 2] {
        let state = maps.state(&done.trace, step);
        let cfg = state.iter().find(|map| map.def.name == "cfg").expect("cfg");
        assert_eq!(cfg.entries, wanted, "step {step}");
    }
}
