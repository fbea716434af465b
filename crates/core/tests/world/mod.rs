//! A small world for tests of devices and protocols: commands as text, the programs of the recordings.

use std::fs;
use std::path::Path;

use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, Partial, SimulateError, simulate_partial};
use headroom_core::trace::{Edge, PacketFields, SkbFields, Step, StepKind, Trace};

#[allow(dead_code, reason = "not every test file needs it")]
/// Two hosts at a wire: `rx` here, `tx` in the namespace of that name; IPv4 and IPv6 on both ends.
pub const WIRE: &str = "\
ip netns add tx
ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx
ip link set dev rx up
ip -n tx link set dev tx up
ip addr add 10.0.0.1/24 dev rx
ip -n tx addr add 10.0.0.2/24 dev tx
ip -6 addr add 2001:db8::1/64 dev rx nodad
ip -n tx -6 addr add 2001:db8::2/64 dev tx nodad
";

#[allow(dead_code, reason = "not every test file needs it")]
/// An echo request from 192.0.2.2 to 192.0.2.1, 52 bytes, as the recordings send it.
pub const ECHO4: &str = "45000034222200004001d4a3c0000202c00002010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778";

/// Objects of this folder's own programs, which every world has.
const OWN: [&str; 7] = [
    "tag_tx",
    "xdp_pass",
    "xdp_aborted",
    "cls_verdict",
    "redirects",
    "push_encap",
    "csum",
];

/// One of those that were recorded, and what only kernels of designs load.
const OTHERS: [&str; 2] = [
    "../../tests/recordings-own/programs/tunnel_key.bpf.o",
    "tests/world/traits.bpf.o",
];

/// Runs commands under a design, whole or as far as they go.
pub fn run(text: &str, design: DesignName) -> Partial {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/programs");
    let parsed = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let mut names: Vec<_> = fs::read_dir(&dir)
        .expect("programs")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "o"))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            let program = name.and_then(|name| name.split('.').next()).unwrap_or("");
            text.split_whitespace().any(|word| word == program)
        })
        .collect();
    names.sort();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let own = OWN.map(|name| own.join(name).with_extension("bpf.o"));
    names.extend(own);
    names.extend(OTHERS.map(|path| Path::new(env!("CARGO_MANIFEST_DIR")).join(path)));
    // programs for hooks behind TC, of the catalogue
    let behind = ["orc nf", "orc sock", "cgroup attach", "encap bpf"];
    if behind.iter().any(|words| text.contains(words)) {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/programs");
        let catalogue = ["tag", "hooks", "anywhere"];
        names.extend(catalogue.map(|name| content.join(name).join(name).with_extension("bpf.o")));
    }
    if text.contains("frags_tag") {
        let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/programs");
        names.push(content.join("frags/frags.bpf.o"));
    }
    let object = |path: &std::path::PathBuf| {
        let name = path.display().to_string();
        (name, fs::read(path).expect("an object"))
    };
    let objects: Vec<_> = names.iter().map(object).collect();
    let input = Input::new("test", parsed, &objects).expect("an input");
    simulate_partial(&input, design)
}

/// As [`run`], all of it.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn whole(text: &str, design: DesignName) -> Trace {
    let partial = run(text, design);
    match partial.error {
        None => partial.trace,
        Some(error) => panic!("{error}"),
    }
}

/// What stopped a run.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn error(text: &str) -> String {
    let error: SimulateError = run(text, DesignName::MacHeader).error.expect("an error");
    error.to_string()
}

/// Kernel functions on a device, in order of entry.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn functions<'t>(trace: &'t Trace, dev: &str) -> Vec<&'t str> {
    let on = |step: &&Step| step.dev.as_ref().is_some_and(|found| found.name == dev);
    trace.steps.iter().filter(on).filter_map(entry).collect()
}

/// Why packets were dropped, in order.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn drops(trace: &Trace) -> Vec<u32> {
    let reason = |step: &Step| match step.kind {
        StepKind::EndOfLife { drop_reason, .. } => drop_reason,
        _ => None,
    };
    trace.steps.iter().filter_map(reason).collect()
}

/// The packet's fields at the first entry of a function on a device.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn at(trace: &Trace, function: &str, dev: &str) -> SkbFields {
    let step = trace
        .steps
        .iter()
        .find(|step| {
            entry(step) == Some(function) && step.dev.as_ref().is_some_and(|d| d.name == dev)
        })
        .unwrap_or_else(|| panic!("no {function} on {dev}"));
    match step.fields.map(|fields| &trace.fields[fields]) {
        Some(PacketFields::Skb(fields)) => fields.clone(),
        other => panic!("{other:?}"),
    }
}

/// `len` at each entry of a function on a device.
#[allow(dead_code, reason = "not every test file needs it")]
pub fn lens_at(trace: &Trace, function: &str, dev: &str) -> Vec<u32> {
    let len = |step: &Step| {
        let here =
            entry(step) == Some(function) && step.dev.as_ref().is_some_and(|d| d.name == dev);
        match step.fields.map(|fields| &trace.fields[fields]) {
            Some(PacketFields::Skb(fields)) if here => Some(fields.len),
            _ => None,
        }
    };
    trace.steps.iter().filter_map(len).collect()
}

fn entry(step: &Step) -> Option<&'static str> {
    match step.kind {
        StepKind::Function {
            name,
            edge: Edge::Entry,
            ..
        } => Some(name),
        _ => None,
    }
}
