//! The command line as a contract: what it prints, where it says no, and with which exit code.

mod bad_input;
mod checking;
mod maps;
mod programs;
mod running;
mod verifier;

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

/// A scenario of its own for each test: one packet comes into `rx`, where the program of
/// `tests/objects/<program>.bpf.o` is attached as XDP. Gives the scenario's file.
fn with_program(name: &str, program: &str) -> String {
    let content = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(name)
        .join("content");
    fs::create_dir_all(content.join("programs")).expect("a directory");
    let object = format!("{program}.bpf.o");
    let built = root().join("crates/cli/tests/objects").join(&object);
    fs::copy(built, content.join("programs").join(&object)).expect("an object");
    let commands = [
        "ip netns add tx",
        "ip link add rx type veth peer name tx netns tx",
        "ip link set dev rx up",
        "ip -n tx link set dev tx up",
        &format!("bpftool prog loadall {object} /sys/fs/bpf"),
        &format!("bpftool net attach xdp pinned /sys/fs/bpf/{program} dev rx"),
        &format!("send tx {FRAME} tx"),
    ];
    let scenario = serde_json::json!({
        "schema": "headroom-scenario/1", "id": "own", "title": "One program", "explanation": "", "commands": commands,
        "programs": { &object: format!("programs/{object}") },
    });
    let file = content.join("own.json");
    fs::write(&file, scenario.to_string()).expect("a file");
    file.display().to_string()
}

/// An Ethernet frame with an IPv4 header of 42 bytes in all.
const FRAME: &str =
    "020000000001020000000002080045000020000100004001b6d9c0000201c000020208000000aabbccdd";
const SEED: &str = "content/programs/seed/progs.bpf.o";

/// Runs with text on standard input.
fn headroom_with(args: &[&str], input: &str) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_headroom"))
        .args(args)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("headroom starts");
    // a child that refuses its arguments does not read
    let _ = child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("headroom ends")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
