//! What a run of a scenario prints, and what is made of scenarios.

use super::*;

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

/// A scenario of one's own, outside of the project: its object lies beside it. Where there is none, the error names the place.
#[test]
fn an_object_lies_beside_its_scenario() {
    let text = seed_with("\"programs/seed/progs.bpf.o\"", "\"progs.bpf.o\"");
    let file = scratch("beside", text.as_bytes());
    let object = fs::read(root().join("content/programs/seed/progs.bpf.o")).expect("an object");
    let beside = file.with_file_name("progs.bpf.o");
    fs::write(&beside, object).expect("a file");
    let run = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_headroom"))
            .args(["run", name, "--design", "mac_header"])
            .current_dir("/")
            .output()
            .expect("headroom starts")
    };
    let name = file.display().to_string();
    assert!(out(&run(&name)).contains("\n  decap: 524288\n"));
    fs::remove_file(&beside).expect("a file");
    let missing = run(&name);
    assert_eq!(missing.status.code(), Some(2));
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("progs.bpf.o"), "{said}");
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

/// A real kernel speaks IPv6 by itself, and would have resolved the neighbour before the first packet: on Debian 7.2.13 the
/// recording of `seed` lacked the ARP exchange for that reason.
#[test]
fn a_script_keeps_the_kernel_quiet() {
    let text = out(&headroom(&["script", "seed"]));
    let off = "sysctl -q -w net.ipv6.conf.all.disable_ipv6=1\n";
    let own = format!("{off}ip netns add tx\nip netns exec tx {off}ip link add rx");
    assert!(text.contains(&format!("@seed\n{own}")), "{text}");
    assert!(text.contains(&format!(
        "# the scenario\nip netns add tx\nip netns exec tx {off}"
    )));
    assert!(text.contains(&format!("\n{off}\n# the scenario\n")));
    let six = out(&headroom(&["script", "gro-ipv6"]));
    assert!(!six.contains("disable_ipv6"), "{six}");
    assert!(six.contains("ip netns exec tx sysctl -q -w net.ipv6.conf.default.addr_gen_mode=1"));
}

/// Programs are attached by the path at which the commands pin them.
#[test]
fn a_script_pins_where_the_commands_say() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pinned.json");
    let text = r#"{"schema":"headroom-scenario/1","id":"pinned","title":"Pinned elsewhere","explanation":"",
        "commands":["ip netns add tx","ip link add rx type veth peer name tx netns tx",
        "bpftool prog loadall tag.bpf.o /sys/fs/bpf/mine","bpftool net attach xdp pinned /sys/fs/bpf/mine/tag_4 dev rx",
        "ip netns exec tx bpftool net attach tcx_ingress pinned /sys/fs/bpf/mine/tag_by_pointer dev tx"],
        "programs":{"tag.bpf.o":"programs/tag/tag.bpf.o"},"tags":[],"recordings":[]}"#;
    fs::write(&file, text).expect("a file");
    let script = out(&headroom(&["script", file.to_str().expect("a path")]));
    for line in [
        "\nbpftool net attach xdp pinned /sys/fs/bpf/mine/tag_4 dev rx\n",
        "\nnsenter --net=/run/netns/tx bpftool net attach tcx_ingress pinned /sys/fs/bpf/mine/tag_by_pointer dev tx\n",
    ] {
        assert!(script.contains(line), "no {line:?} in {script}");
    }
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

/// The four bytes that the seed mail's reader gets are `00 00 08 00` (shared/seed), in the middle of the picture.
#[test]
fn a_picture_of_the_wrong_read() {
    let picture = headroom(&["run", "seed", "--design", "mac_header", "--format", "svg"]);
    assert!(picture.status.success());
    let svg = out(&picture);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("✗ reads 00 00 08 00 = 524288 · garbage: the GRE header"));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    let dir = dir.to_str().expect("a path");
    let step = "get_tag.exit@decap#1";
    let both = headroom(&[
        "run", "seed", "--format", "svg", "--step", step, "--out", dir,
    ]);
    assert!(both.status.success());
    let path = format!("{dir}/seed.meta_end.svg");
    let svg = fs::read_to_string(path).expect("the picture of meta_end");
    assert!(svg.contains("reads 2a 00 00 00 = 42"));
    assert!(svg.contains(step));
}

/// On the way out of GRE the formula of `mac_header` points below everything that was written.
#[test]
fn a_picture_of_bytes_that_nobody_wrote() {
    let args = [
        "run",
        "encap-gre",
        "--design",
        "mac_header",
        "--format",
        "svg",
        "--step",
        "tag_by_pointer.exit@out#1",
    ];
    let svg = out(&headroom(&args));
    assert!(svg.contains("reads 00 00 00 00 = 0 · garbage: bytes that this packet never wrote"));
}

#[test]
fn a_picture_that_cannot_be_drawn() {
    let several = refused(&["run", "seed", "--format", "svg"]);
    assert!(several.contains("2 designs make 2 files"), "{several}");
    let none = [
        "run", "seed", "--design", "meta_end", "--format", "svg", "--step",
    ];
    let unknown = refused(&[&none[..], &["ip_rcv.entry@rx#99"]].concat());
    assert!(
        unknown.contains("no step `ip_rcv.entry@rx#99`"),
        "{unknown}"
    );
    let text = refused(&["run", "seed", "--step", "ip_rcv.entry@rx"]);
    assert!(text.contains("only --format svg"), "{text}");
}

/// `bpf_dynptr_from_skb_meta()` came with Linux 6.18: 6.12 refuses its reader, and the others run all the same.
#[test]
fn a_kernel_that_refuses_is_a_result_beside_the_others() {
    let all = headroom(&[
        "run",
        "decap-gre",
        "--design",
        "mac_header_6.12",
        "--design",
        "meta_end",
    ]);
    assert!(all.status.success());
    assert!(out(&all).contains("meta_end"));
    let said = String::from_utf8_lossy(&all.stderr);
    let refusal = "design mac_header_6.12: line 17: ";
    assert!(
        said.contains(refusal) && said.contains("bpf_dynptr_from_skb_meta"),
        "{said}"
    );
    let alone = refused(&["run", "decap-gre", "--design", "mac_header_6.12"]);
    assert!(alone.contains(refusal), "{alone}");
}
