//! Single programs: `exec`, `vm`, `disasm`.

use super::*;

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
        ("", "headroom: program, byte 0: the program is empty\n"),
        (
            "95\0",
            "headroom: program: line 1, column 3: expected a hex digit, found `\\0`\n",
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

/// A loop of 1,000 rounds of two instructions, one before it and one behind: 2,002 instructions. A budget of 2,002 is enough.
#[test]
fn budgets_are_settable() {
    // r0 = 1000; do { r0 -= 1 } while (r0 != 0); exit
    let looped = "b7000000e8030000 17000000 01000000 5500feff00000000 9500000000000000";
    let vm = |budget: &str| headroom(&["vm", "--budget", budget, "--program", looped]);
    assert_eq!(out(&vm("2002")), "0\n");
    let over = vm("2001");
    assert_eq!((out(&over).as_str(), over.status.code()), ("", Some(1)));
    assert!(err(&over).contains("2001"), "{}", err(&over));
    let exec = |budget: &str, memory: &str| {
        let limits = ["--budget", budget, "--memory", memory];
        let rest = ["exec", "--hook", "xdp", "--packet", FRAME, "--hex", looped];
        headroom(&[&rest[..], &limits].concat())
    };
    assert!(out(&exec("2002", "512")).contains("XDP_ABORTED (0)"));
    let over = exec("2001", "512");
    assert_eq!(over.status.code(), Some(1));
    assert!(err(&over).contains("2001"), "{}", err(&over));
    let none = exec("2002", "0");
    assert_eq!(none.status.code(), Some(1));
    let message = err(&none);
    assert!(
        message.contains("the trace takes more than 0 bytes"),
        "{message}"
    );
    let run = headroom(&["run", "seed", "--budget", "5"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(err(&run).contains("program set_tag on rx"), "{}", err(&run));
}

/// Colours are for terminals; into a pipe nothing but text goes.
#[test]
fn no_colours_into_a_pipe() {
    for args in [
        &["run", "seed"][..],
        &["list"],
        &["exec", "--help"],
        &["vm", "--program", "x"],
    ] {
        let output = headroom(args);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty() && !all.contains(&0x1b), "{args:?}");
    }
}

/// What the colours are around is the same text; JSON and files have none.
#[test]
fn colours_where_they_are_asked_for() {
    let exec = "exec --object content/programs/seed/progs.bpf.o --program set_tag --trace --packet";
    let disasm = "disasm content/programs/seed/progs.bpf.o --xlated --verify";
    for line in ["run seed --why", &format!("{exec} {FRAME}"), disasm] {
        let args: Vec<&str> = line.split_whitespace().collect();
        let plain = out(&headroom(&[&args[..], &["--color", "never"]].concat()));
        let painted = out(&headroom(&[&args[..], &["--color", "always"]].concat()));
        assert!(!plain.contains('\x1b'), "{line}");
        assert!(painted.matches('\x1b').count() > 10, "{line}");
        let mut text = String::new();
        let mut parts = painted.split('\x1b');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let (code, rest) = part.split_once('m').expect("the end of a colour");
            assert!(code.starts_with('['), "{line}: {code}");
            text.push_str(rest);
        }
        assert_eq!(text, plain, "{line}");
        let json = [&args[..], &["--color", "always", "--format", "json"]].concat();
        assert!(!out(&headroom(&json)).contains('\x1b'), "{line}");
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-colours");
    let dir = dir.to_str().expect("a name");
    headroom(&["run", "seed", "--color", "always", "--out", dir]);
    let text = fs::read(Path::new(dir).join("seed.mac_header.txt")).expect("the file");
    assert!(!text.is_empty() && !text.contains(&0x1b));
}

/// The help of each command that has examples: each is carried out by a shell, and ends as it says.
#[test]
fn the_examples_of_the_help_work() {
    let own = Path::new(env!("CARGO_BIN_EXE_headroom"));
    let folder = own.parent().expect("its folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").expect("a PATH"));
    let mut tried = 0;
    for command in ["run", "exec", "vm", "disasm"] {
        let help = out(&headroom(&[command, "--help"]));
        let (_, examples) = help.split_once("Examples:\n").expect("examples");
        for example in examples.lines().filter(|line| line.starts_with("  ")) {
            let example = example.replace(" | less -R", "");
            let shell = Command::new("sh")
                .args(["-c", &example])
                .env("PATH", &path)
                .current_dir(root())
                .output()
                .expect("a shell");
            let wanted = i32::from(example.ends_with("exit code 1"));
            assert_eq!(
                shell.status.code(),
                Some(wanted),
                "{example}\n{}",
                err(&shell)
            );
            assert!(wanted == 1 || !shell.stdout.is_empty(), "{example}");
            tried += 1;
        }
    }
    assert_eq!(tried, 15);
}
