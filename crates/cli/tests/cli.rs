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

/// A file that is no recording is named; the others are compared all the same, and the exit code is 2.
#[test]
fn an_unreadable_recording_does_not_end_the_check() {
    let bad = scratch("unreadable", b"{}").display().to_string();
    let good = "tests/recordings/E1-veth-4b-native.mac_header.json";
    let output = headroom(&["check", &bad, good]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        out(&output).contains("2 recordings: 1 passed, 1 failed;"),
        "{}",
        out(&output)
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

#[test]
fn vm_prints_r0() {
    let mov = "b7 00 00 00 2a 00 00 00\n95 00 00 00 00 00 00 00 ";
    let output = headroom_with(&["vm"], mov);
    assert_eq!(
        (out(&output).as_str(), output.status.code()),
        ("2a\n", Some(0))
    );
    // r0 = r2; r0 <<= 8; r0 |= *(u8 *)(r1 + 1)
    let program =
        "bf20000000000000 6700000008000000 7112010000000000 4f20000000000000 9500000000000000";
    let output = headroom_with(&["vm", "aa bb cc"], program);
    assert_eq!(out(&output), "3bb\n", "{}", err(&output));
    let output = headroom(&["vm", "--program", "bf10000000000000 9500000000000000"]);
    assert_eq!(out(&output), "0\n");
    let minus_one = headroom(&["vm", "--program", "b7000000ffffffff 9500000000000000"]);
    assert_eq!(out(&minus_one), "ffffffffffffffff\n");
}

/// A fault of the program is exit code 1, one that cannot be read 2; nothing on standard output.
#[test]
fn vm_refuses_in_one_sentence() {
    let fault = headroom_with(&["vm", "00"], "7110010000000000 9500000000000000");
    assert_eq!((out(&fault).as_str(), fault.status.code()), ("", Some(1)));
    assert_eq!(
        err(&fault),
        "headroom: instruction 0: invalid access to packet, off=1 size=1\n"
    );
    let endless = headroom_with(&["vm", "--budget", "100"], "0500ffff00000000");
    assert_eq!(endless.status.code(), Some(1));
    assert!(err(&endless).contains("did not end within 100 instructions"));
    let cases = [
        (
            "b7",
            "headroom: program, byte 0: length of the program is not a multiple of 8 bytes\n",
        ),
        (
            "",
            "headroom: program, byte 0: length of the program is not a multiple of 8 bytes\n",
        ),
        (
            "b70000000000000g",
            "headroom: program: line 1, column 16: expected a hex digit, found `g`\n",
        ),
        (
            "b7 0",
            "headroom: program: line 1, column 4: the byte `0` lacks its second hex digit\n",
        ),
        (
            "b700000000000000",
            "headroom: program, byte 0: last insn is not an exit or jmp\n",
        ),
        (
            "ff00000000000000 9500000000000000",
            "headroom: program, byte 0: unknown opcode ff\n",
        ),
        (
            "0500050000000000 9500000000000000",
            "headroom: program, byte 0: jump out of range from insn 0 to 6\n",
        ),
        (
            "8501000001000000 9500000000000000",
            "headroom: program, byte 0: BPF_CALL uses reserved fields\n",
        ),
    ];
    for (program, message) in cases {
        let output = headroom_with(&["vm"], program);
        assert_eq!(
            (err(&output).as_str(), output.status.code()),
            (message, Some(2))
        );
        assert_eq!(out(&output), "");
    }
    assert!(refused(&["vm", "zz", "--program", "00"]).contains("memory: line 1, column 1"));
}

#[test]
fn exec_shows_verdict_packet_and_metadata() {
    let output = headroom(&[
        "exec",
        "--object",
        SEED,
        "--program",
        "set_tag",
        "--packet",
        FRAME,
    ]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(
        text.starts_with("verdict   XDP_PASS (2)\nr0        0x2\n"),
        "{text}"
    );
    assert!(
        text.contains("metadata  4 bytes\n  0000    2a 00 00 00\n"),
        "{text}"
    );
    let json = headroom(&[
        "exec",
        "--object",
        SEED,
        "--program",
        "get_tag",
        "--packet",
        FRAME,
        "--meta",
        "2a000000",
        "--design",
        "meta_end",
        "--trace",
        "--format",
        "json",
    ]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["schema"], "headroom-exec/1");
    assert_eq!(
        (&json["verdict"], &json["prologue_instructions"]),
        (&0.into(), &3.into())
    );
    assert_eq!(json["reads"][0]["verdict"], "ok");
    assert_eq!(json["printk"], serde_json::json!(["42"]));
    assert_eq!(json["steps"][1]["text"], "call bpf_skb_meta_realign");
    assert_eq!(json["packet"], FRAME);
}

/// The same program as assembler text of two styles and as bytes.
#[test]
fn exec_takes_text_and_hex() {
    let kernel = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr4 = r2\nr4 += 14\nr0 = 1\n\
        if r4 > r3 goto pc+2\n*(u8 *)(r2 +0) = 170\nr0 = 2\nexit\n";
    let rbpf = "ldxw r2, [r1+0]\nldxw r3, [r1+4]\nmov r4, r2\nadd r4, 14\nmov r0, 1\n\
        jgt r4, r3, +2\nstb [r2+0], 170\nmov r0, 2\nexit\n";
    for text in [kernel, rbpf] {
        let output = headroom_with(
            &[
                "exec", "--asm", "-", "--hook", "xdp", "--packet", FRAME, "--trace",
            ],
            text,
        );
        let text = out(&output);
        assert!(
            text.contains("r2 = pkt\n")
                && text.contains("pkt +14 > pkt_end does not hold: goes on\n")
                && text.contains("XDP_PASS"),
            "{text}{}",
            err(&output)
        );
        assert!(text.contains("  0000    aa 00 00 00 00 01"), "{text}");
    }
    let hex = "b700000002000000 9500000000000000";
    let output = headroom(&["exec", "--hex", hex, "--hook", "tc", "--packet", FRAME]);
    assert!(
        out(&output).starts_with("verdict   TCX_DROP (2)\n"),
        "{}",
        err(&output)
    );
}

#[test]
fn exec_reads_pcap_files() {
    let bytes: Vec<u8> = (0..FRAME.len() / 2)
        .map(|i| u8::from_str_radix(&FRAME[2 * i..2 * i + 2], 16).expect("hex"))
        .collect();
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([0, 0, 4, 0, 1, 0, 0, 0]);
    file.extend([0, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 42, 0, 0, 0]);
    file.extend(bytes);
    let path = scratch("pcap", b"").with_file_name("one.pcap");
    fs::write(&path, &file).expect("a file");
    let name = path.display().to_string();
    let args = [
        "exec",
        "--object",
        SEED,
        "--program",
        "set_tag",
        "--packet",
        &name,
    ];
    assert!(out(&headroom(&args)).contains("packet    42 bytes"));
    assert!(
        refused(&[&args[..], &["--nth", "2"]].concat())
            .contains("there is no packet 2; the file has 1")
    );
    fs::write(&path, &file[..50]).expect("a file");
    let message = refused(&args);
    assert!(
        message.ends_with("one.pcap: offset 24: the file ends inside packet 1\n"),
        "{message}"
    );
}

/// Bad input: one message with its place, exit code 2, nothing on standard output.
#[test]
fn exec_refuses_bad_input() {
    let exec = |more: &[&str]| refused(&[&["exec", "--packet", FRAME][..], more].concat());
    assert!(
        exec(&["--object", SEED])
            .contains("--program must name one of its programs: set_tag, get_tag")
    );
    assert!(exec(&["--object", SEED, "--program", "x"]).contains("there is no program `x`"));
    assert!(
        exec(&["--object", SEED, "--program", "get_tag", "--hook", "xdp"])
            .contains("is no XDP program")
    );
    assert!(exec(&["--object", "nowhere.o"]).contains("nowhere.o"));
    assert!(exec(&["--hex", "9500"]).contains("--hook"));
    assert!(exec(&["--hook", "xdp"]).contains("--object"));
    assert!(exec(&["--hex", "95x", "--hook", "xdp"]).contains("--hex: line 1, column 3"));
    assert!(
        exec(&[
            "--hex",
            "8d01000000000000 9500000000000000",
            "--hook",
            "xdp"
        ])
        .contains("unknown opcode 8d")
    );
    let exit = [
        "--hex",
        "b700000000000000 9500000000000000",
        "--hook",
        "xdp",
    ];
    let with = |more: &[&str]| refused(&[&["exec"][..], &exit, more].concat());
    assert!(with(&["--packet", "00"]).contains("a packet of 1 bytes"));
    assert!(with(&["--packet", "0x00"]).contains("--packet: line 1, column 2"));
    assert!(with(&["--packet", "nowhere.pcap"]).contains("nowhere.pcap"));
    assert!(with(&["--packet", FRAME, "--meta", "2a"]).contains("metadata of 1 bytes"));
    let object = fs::read(root().join(SEED)).expect("an object");
    let cut = scratch("exec-cut", b"").with_file_name("cut.bpf.o");
    fs::write(&cut, &object[..object.len() / 2]).expect("a file");
    assert!(
        exec(&["--object", &cut.display().to_string()]).contains("cut.bpf.o: not a BPF object")
    );
    let unchecked = "6112000000000000 7120000000000000 9500000000000000";
    assert!(exec(&["--hex", unchecked, "--hook", "xdp"]).contains(
        "instruction 1: invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0); R2 min value is outside of the allowed memory range"
    ));
    let text = scratch("exec-asm", b"r0 = 1\nr0 += r11\nexit\n");
    let message = exec(&["--asm", &text.display().to_string(), "--hook", "xdp"]);
    assert!(
        message.contains("line 2, column 7: expected a register or a number, found `r11`"),
        "{message}"
    );
}

/// What the program did until its fault is shown; exit code 1.
#[test]
fn exec_shows_a_fault() {
    let text = "r2 = *(u32 *)(r1 +0)\nr0 = *(u64 *)(r10 -8)\nexit";
    let output = headroom_with(
        &[
            "exec", "--asm", "-", "--hook", "xdp", "--packet", FRAME, "--trace",
        ],
        text,
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("r2 = pkt\n"));
    assert!(
        err(&output).contains("instruction 1: invalid access to stack, off=-8 size=8"),
        "{}",
        err(&output)
    );
}

#[test]
fn the_matrix_in_each_format() {
    let text = out(&headroom(&["matrix", "seed"]));
    assert!(text.contains("mac_header  524288 garbage"), "{text}");
    assert!(text.contains("ip_tunnel_rcv.entry@rx#2"), "{text}");
    let json = out(&headroom(&["matrix", "seed", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json).expect("json");
    assert_eq!(json["rows"][0]["cells"][1]["value"], 42);
    let csv = out(&headroom(&[
        "matrix", "seed", "--format", "csv", "--design", "meta_end",
    ]));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    let table = out(&headroom(&["matrix", "seed", "--format", "markdown"]));
    assert!(
        table.starts_with("| scenario | mac_header | meta_end |"),
        "{table}"
    );
    assert!(refused(&["matrix", "nowhere"]).contains("there is no scenario `nowhere`"));
}

#[test]
fn why_a_read_is_wrong() {
    let text = out(&headroom(&[
        "run",
        "seed",
        "--why",
        "--design",
        "mac_header",
    ]));
    assert!(
        text.contains("skb_pull: data +4, len -4; __iptunnel_pull_header"),
        "{text}"
    );
    let chain = text.split("why · ").nth(1).expect("one wrong read");
    for part in [
        "written at 252–255 by set_tag",
        "pointer reset by __ipgre_rcv",
        "read at 290–293",
    ] {
        assert!(chain.contains(part), "{chain}");
    }
    assert_eq!(text.matches("why · ").count(), 1);
}

/// r0 = 42 in two instructions; the memory is untouched.
#[test]
fn vm_in_json() {
    let program = "b7000000 2a000000 9500000000000000";
    let output = headroom_with(&["vm", "aa bb", "--format", "json"], program);
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let expected = serde_json::json!({
        "schema": "headroom-vm/1", "r0": "2a", "instructions": 2, "memory": "aabb"
    });
    assert_eq!(json, expected);
}

/// Each line of the listing, with the prologue of series v3 (three instructions) in front of `get_tag`.
#[test]
fn disasm_in_json() {
    let object = format!(
        "{}/../../content/programs/seed/progs.bpf.o",
        env!("CARGO_MANIFEST_DIR")
    );
    let args = [
        "disasm", &object, "--xlated", "--design", "meta_end", "--format", "json",
    ];
    let output = headroom_with(&args, "");
    let json: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["design"], "meta_end");
    let programs = json["programs"].as_array().unwrap();
    let program = programs.iter().find(|p| p["program"] == "get_tag").unwrap();
    let lines = program["lines"].as_array().unwrap();
    let prologue = lines.iter().take_while(|line| line["note"] == "prologue");
    assert_eq!(prologue.count(), 3);
    assert_eq!(lines[1]["text"], "call bpf_skb_meta_realign");
    assert_eq!(lines[1]["written"], serde_json::Value::Null);
}

#[test]
fn a_scenario_as_a_script() {
    let text = out(&headroom(&["script", "seed"]));
    assert!(text.starts_with("#!/bin/sh\n"), "{text}");
    for part in [
        "exec unshare --net --mount",
        "needs='ping'",
        "nothing was done",
        "unpack progs.bpf.o <<'OBJECT'\n7f454c46",
        "ip link add rx type veth peer name tx netns tx",
        "bpftool net attach xdp pinned /sys/fs/bpf/set_tag dev rx",
        "ip netns exec tx ping -c1 192.0.2.1 || true",
        "orc xdp set_tag rx native",
    ] {
        assert!(text.contains(part), "no `{part}`");
    }
    let frames = out(&headroom(&["script", "decap-gre-netns"]));
    assert!(
        frames.contains("nsenter --net=/run/netns/inner bpftool net attach tcx_ingress"),
        "{frames}"
    );
    assert!(frames.contains("\nframes tx tx 0200000000"), "{frames}");
    assert!(refused(&["script", "nowhere"]).contains("there is no scenario `nowhere`"));
    let card = refused(&["script", "nic-nfp"]);
    assert!(card.contains("no command makes a network card"), "{card}");
}

/// All scenarios' scripts, if shellcheck is there; without it the test says so and passes.
#[test]
fn scripts_pass_shellcheck() {
    let Ok(version) = Command::new("shellcheck").arg("--version").output() else {
        eprintln!("skipped: shellcheck is not there");
        return;
    };
    assert!(version.status.success());
    let folder = std::env::temp_dir().join(format!("headroom-scripts-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let mut scripts = Vec::new();
    for entry in fs::read_dir(root().join("content/scenarios")).expect("scenarios") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let output = headroom(&["script", &name]);
        if output.status.success() {
            let script = folder.join(format!("{name}.sh"));
            fs::write(&script, &output.stdout).expect("a script");
            scripts.push(script);
        } else {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(why.contains("can't be in a script"), "{name}: {why}");
        }
    }
    assert!(scripts.len() >= 60, "{}", scripts.len());
    let checked = Command::new("shellcheck")
        .args(&scripts)
        .output()
        .expect("shellcheck");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    fs::remove_dir_all(&folder).expect("the folder goes");
    assert!(checked.status.success(), "{said}");
}

#[test]
fn coverage_is_up_to_date() {
    let page = fs::read_to_string(root().join("docs/COVERAGE.md")).expect("docs/COVERAGE.md");
    let now = out(&headroom(&["coverage"]));
    assert!(page == now, "run `headroom coverage > docs/COVERAGE.md`");
    assert!(
        now.contains("| gre | receive | recorded | recorded | derived |"),
        "{now}"
    );
}
