//! Where Linux may refuse a program that runs here: the first example of docs/verifier.md, by each command that
//! loads programs.

use serde_json::{Value, json};

use super::*;

/// As the page words it behind `accepted, but: `.
const WHY: &str = "R0 leaks a pointer: Linux refuses it to a loader without CAP_PERFMON";
const LEAK: &str = "crates/cli/tests/objects/leak.bpf.o";

/// The page has this program, and says this of it.
#[test]
fn the_example_is_the_pages() {
    let page = fs::read_to_string(root().join("docs/verifier.md")).expect("docs/verifier.md");
    let example = format!(
        "```bpf weak r10 returned\nr0 = r10\nexit\nLinux: refused 1: R0 leaks addr as return value\n\
         here:  accepted, but: {WHY}\n```"
    );
    assert!(page.contains(&example), "{page}");
}

fn line(file: &str, program: &str) -> String {
    format!("headroom: {file}, program {program}, instruction 1: Linux may refuse this: {WHY}\n")
}

fn list(file: &str, program: &str) -> Value {
    json!([{ "file": file, "program": program, "insn": 1, "why": WHY }])
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn exec_says_where_linux_may_refuse() {
    let args = ["exec", "--hook", "xdp", "--packet", FRAME, "--asm", "-"];
    let text = "r0 = r10\nexit\n";
    let output = headroom_with(&args, text);
    assert_eq!(output.status.code(), Some(0));
    let said = err(&output);
    assert!(
        said.starts_with("headroom: <stdin>, program ")
            && said.ends_with(&format!(", instruction 1: Linux may refuse this: {WHY}\n")),
        "{said}"
    );
    let object = ["exec", "--object", LEAK, "--packet", FRAME];
    assert_eq!(err(&headroom(&object)), line(LEAK, "leak"));
    let output = headroom(&[&object[..], &["--format", "json"]].concat());
    assert_eq!(err(&output), "");
    assert_eq!(json_of(&output)["verifier_warnings"], list(LEAK, "leak"));
    // one that Linux takes in any case
    let clean = headroom_with(&args, "r0 = 2\nexit\n");
    assert_eq!((err(&clean).as_str(), clean.status.code()), ("", Some(0)));
}

#[test]
fn disasm_verify_says_where_linux_may_refuse() {
    let plain = out(&headroom(&["disasm", LEAK]));
    assert_eq!(
        plain,
        "leak (section xdp)\n    0: r0 = r10\n    1: exit\n\n"
    );
    let verified = format!(
        "leak (section xdp)\n    0: r0 = r10\n    1: exit\n       ^ Linux may refuse this: {WHY}\n\
         verifier: accepted, 2 instructions walked\n\n"
    );
    assert_eq!(out(&headroom(&["disasm", LEAK, "--verify"])), verified);
    let json = json_of(&headroom(&["disasm", LEAK, "--verify", "--format", "json"]));
    let program = &json["programs"][0];
    assert_eq!(program["verifier_warnings"], list(LEAK, "leak"));
    assert_eq!(program["walked"], 2);
    let json = json_of(&headroom(&["disasm", LEAK, "--format", "json"]));
    assert_eq!(json["programs"][0]["verifier_warnings"], Value::Null);
}

#[test]
fn run_says_where_linux_may_refuse() {
    let scenario = with_program("leak_run", "leak");
    let output = headroom(&["run", &scenario, "--design", "mac_header"]);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.ends_with(&format!(
            "leak.bpf.o, program leak, instruction 1: Linux may refuse this: {WHY}\n"
        )) && said.lines().count() == 1,
        "{said}"
    );
    let json = json_of(&headroom(&[
        "run",
        &scenario,
        "--design",
        "mac_header",
        "--format",
        "json",
    ]));
    let warnings = &json["verifier_warnings"];
    assert_eq!(
        (&warnings[0]["program"], &warnings[0]["insn"]),
        (&json!("leak"), &json!(1))
    );
    assert_eq!(warnings[0]["why"], WHY);
    assert_eq!(
        err(&headroom(&["run", "seed", "--design", "mac_header"])),
        ""
    );
}

#[test]
fn help_mentions_it() {
    for command in ["run", "exec", "disasm"] {
        let help = out(&headroom(&[command, "--help"]));
        assert!(help.contains("Linux may"), "{command}: {help}");
    }
}

/// A listing needs no verdict; `--verify` says it below, and the exit code is 1. `--xlated` is what the kernel runs.
#[test]
fn disasm_of_what_linux_refuses() {
    const REFUSED: &str = "crates/cli/tests/objects/refused.bpf.o";
    const WHY: &str = "program unchecked, instruction 1: invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0); R1 min value is outside of the allowed memory range";
    let plain = headroom(&["disasm", REFUSED]);
    assert_eq!((plain.status.code(), err(&plain).as_str()), (Some(0), ""));
    let text = out(&plain);
    assert!(text.contains("unchecked (section xdp)"), "{text}");
    assert!(text.contains("    0: r1 = *(u32 *)(r1 +0)\n    1: "));
    assert!(text.contains("elsewhere (section kprobe/do_nothing)"));
    let verified = headroom(&["disasm", REFUSED, "--verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let text = out(&verified);
    assert!(
        text.contains(&format!("verifier: {REFUSED}: {WHY}\n")),
        "{text}"
    );
    assert!(text.contains("section kprobe/do_nothing names no program type"));
    let json = json_of(&headroom(&[
        "disasm", REFUSED, "--verify", "--format", "json",
    ]));
    assert_eq!(json["programs"][0]["refused"], format!("{REFUSED}: {WHY}"));
    // r1 became the packet's start, and nothing was compared; the frame is there in every program.
    let held = serde_json::json!({"r1": "pkt, compared with no end", "r10": "fp"});
    assert_eq!(json["programs"][0]["registers"], held);
    assert!(
        text.contains("\n  r1: pkt, compared with no end\n  r10: fp\n"),
        "{text}"
    );
    assert!(refused(&["disasm", REFUSED, "--xlated"]).contains(WHY));
}
