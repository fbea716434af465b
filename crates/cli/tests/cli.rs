//! The command line as a contract: what it prints, where it says no, and with which exit code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn headroom(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headroom"))
        .args(args)
        .current_dir(root())
        .output()
        .expect("headroom starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exit code 2, nothing on standard output, and the message on standard error.
fn refused(args: &[&str]) -> String {
    let output = headroom(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(
        output.stdout.is_empty(),
        "{args:?} prints although it fails: {}",
        out(&output)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file of its own for each test.
fn scratch(name: &str, content: &[u8]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(dir.join("programs")).expect("a directory");
    let file = dir.join("input.json");
    fs::write(&file, content).expect("a file");
    file
}

fn seed_with(from: &str, to: &str) -> String {
    let text =
        fs::read_to_string(root().join("content/scenarios/seed.json")).expect("the seed scenario");
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn the_seed_experiment_ends_with_42_and_524288() {
    let output = headroom(&[
        "run",
        "content/scenarios/seed.json",
        "--design",
        "mac_header",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    assert!(text.contains("\n  rx: 42\n"), "{text}");
    assert!(text.contains("\n  decap: 524288\n"));
    assert!(text.contains(
        "The four bytes at 290–293 are the GRE header (flags and version 0x0000, protocol 0x0800)."
    ));
    assert!(text.contains("  290  00  GRE header, flags and version, byte 0; written by gre_build_header on encap (netns tx)"));
    assert!(text.contains(
        "  292  08  GRE header, protocol, byte 0; written by gre_build_header on encap (netns tx)"
    ));
    assert!(
        !text.contains("meta_end\n  rx"),
        "only the design that was asked for"
    );
}

#[test]
fn meta_end_reads_42_behind_the_tunnel() {
    let output = headroom(&["run", "seed", "--design", "meta_end"]);
    let text = out(&output);
    assert!(text.contains("\n  decap: 42\n"), "{text}");
    assert!(text.contains("bpf_skb_meta_realign moved them there from 252–255, 38 bytes up."));
}

/// The dynptr twin: the same two numbers, and under `meta_end` no byte has moved.
#[test]
fn a_dynptr_reads_where_the_design_says() {
    let text = out(&headroom(&["run", "seed-dynptr"]));
    assert!(text.contains("decap: 524288"), "{text}");
    assert!(
        text.ends_with("bpf_trace_printk: 42\n  bpf_trace_printk: 42\n  bpf_trace_printk: 42\n")
    );
    assert!(text.contains("get_tag_dynptr on decap read 42. The four bytes at 252–255 are the ones set_tag wrote on rx."));
}

#[test]
fn json_has_the_recordings_shape() {
    let output = headroom(&["run", "seed", "--design", "mac_header", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["schema"], "headroom-trace/1");
    assert_eq!(json["printk"], serde_json::json!(["42", "42", "524288"]));
    assert_eq!(json["reads"][2]["value"], "00000800");
    assert_eq!(json["reads"][2]["verdict"], "garbage");
    assert_eq!(json["events"][0]["seq"], 1);
}

#[test]
fn recordings_are_equal() {
    let output = headroom(&["check", "tests/recordings/E2-gre-veth-full.mac_header.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(
        out(&output)
            .ends_with("1 recordings: 1 passed, 0 failed; events 217/217, fields 8192/8192\n")
    );
}

/// One bit of one byte: the check fails, and names event, field and offset.
#[test]
fn a_changed_recording_fails_the_check() {
    let recordings = root().join("tests/recordings");
    let text = fs::read_to_string(recordings.join("E2-gre-veth-full.mac_header.json"))
        .expect("a recording");
    let changed = text.replacen("\"mac_header\":294", "\"mac_header\":295", 1);
    assert!(changed != text, "the recording has the field");
    let file = scratch("changed", changed.as_bytes());
    for name in ["set_tag.bpf.o", "get_tag.bpf.o"] {
        let programs = file.parent().expect("a directory").join("programs");
        fs::copy(recordings.join("programs").join(name), programs.join(name)).expect("a copy");
    }
    let output = headroom(&["check", &file.display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let text = out(&output);
    assert!(
        text.contains("ip_tunnel_rcv:entry, mac_header: expected 295, got 294"),
        "{text}"
    );
}

#[test]
fn usage_that_is_wrong() {
    assert!(refused(&["walk"]).contains("unrecognized subcommand 'walk'"));
    assert!(refused(&["run", "seed", "--colour"]).contains("unexpected argument '--colour'"));
    assert!(
        refused(&["run", "seed", "--design", "best"]).contains("there are: mac_header, meta_end")
    );
    assert!(
        refused(&["run", "nowhere"])
            .contains("there is no scenario `nowhere` and no file of that name; scenarios: ")
    );
    assert!(refused(&["check", "nowhere.json"]).contains("nowhere.json"));
}

#[test]
fn a_cut_off_scenario_names_line_and_column() {
    let whole = seed_with("{", "{");
    let half = &whole[..whole.len() / 2];
    let file = scratch("cut-off-json", half.as_bytes());
    let message = refused(&["run", &file.display().to_string()]);
    let lines = half.lines().count();
    assert!(
        message.contains(&format!("input.json:{lines}:")),
        "{message}"
    );
}

#[test]
fn an_unknown_option_of_a_command_names_its_place() {
    let file = scratch(
        "bad-option",
        seed_with("# ip link set dev rx up", "# ip link set dev rx upp").as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    // behind the prompt "# ", "upp" is the 19th character
    assert!(
        message.contains("Line 3, column 22: `upp`") || message.contains("`upp`"),
        "{message}"
    );
    assert!(message.contains("Line 3, column "), "{message}");
}

#[test]
fn a_bad_hex_packet_names_the_digit() {
    let send = "# orc send tx 0200zz tx";
    let file = scratch(
        "bad-hex",
        seed_with("# ip netns exec tx ping -c1 192.0.2.1", send).as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    assert!(message.contains("bad hex at digit 4"), "{message}");
}

#[test]
fn a_command_that_is_not_simulated_is_named() {
    let veth = "# ip link add rx type veth peer name tx netns tx";
    let file = scratch(
        "no-wireguard",
        seed_with(veth, "# ip link add rx type wireguard").as_bytes(),
    );
    let message = refused(&["run", &file.display().to_string()]);
    assert!(message.contains("line 2: `ip link add rx type wireguard`: the simulator has no device of type `wireguard`; it has: veth, gre"), "{message}");
}

/// Two tunnels that carry each other: the run ends, with the kernel's own words.
#[test]
fn a_loop_of_devices_ends() {
    let commands = [
        "ip link add a type veth peer name b",
        "ip link set dev a up",
        "ip link set dev b up",
        "ip addr add 10.0.0.1/24 dev a",
        "ip tun add t1 mode gre local 10.0.0.1 remote 10.1.0.2",
        "ip tun add t2 mode gre local 10.0.0.1 remote 10.2.0.2",
        "ip link set dev t1 up",
        "ip link set dev t2 up",
        "ip route add 10.1.0.0/24 dev t2",
        "ip route add 10.2.0.0/24 dev t1",
        "ip addr add 192.0.2.1/24 dev t1",
        "ping -c1 192.0.2.2",
    ];
    let scenario = serde_json::json!({
        "schema": "headroom-scenario/1", "id": "loop", "title": "A loop", "explanation": "", "commands": commands,
    });
    let file = scratch("loop", scenario.to_string().as_bytes());
    let output = headroom(&["run", &file.display().to_string(), "--design", "mac_header"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).contains("WARNING: Dead loop on virtual device"),
        "{}",
        out(&output)
    );
}

#[test]
fn a_cut_off_object_names_file_and_place() {
    let object = fs::read(root().join("content/programs/seed/progs.bpf.o")).expect("an object");
    let file = scratch("cut-off-object", b"");
    let cut = file.with_file_name("cut.bpf.o");
    fs::write(&cut, &object[..object.len() / 2]).expect("a file");
    let message = refused(&["disasm", &cut.display().to_string()]);
    assert!(message.contains("cut.bpf.o"), "{message}");
}

#[test]
fn the_listing_shows_the_prologue_of_meta_end_only() {
    let object = "content/programs/seed/progs.bpf.o";
    let xlated = out(&headroom(&[
        "disasm", object, "--xlated", "--design", "meta_end",
    ]));
    assert!(xlated.contains("call bpf_skb_meta_realign"), "{xlated}");
    let today = out(&headroom(&["disasm", object, "--xlated"]));
    assert!(!today.contains("realign"), "{today}");
    assert!(out(&headroom(&["disasm", object])).contains("get_tag"));
}

#[test]
fn out_writes_a_file_for_each_design() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("out");
    let output = headroom(&[
        "run",
        "seed",
        "--format",
        "json",
        "--out",
        &dir.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(0));
    for design in ["mac_header", "meta_end"] {
        let text = fs::read_to_string(dir.join(format!("seed.{design}.json"))).expect("a file");
        assert!(text.starts_with("{\"schema\":\"headroom-trace/1\""));
    }
}

#[test]
fn list_names_scenarios_and_designs() {
    let text = out(&headroom(&["list"]));
    assert!(text.contains("seed") && text.contains("mac_header") && text.contains("meta_end"));
}
