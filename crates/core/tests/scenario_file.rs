//! The mail's commands, scenario files, and the set-ups of recordings.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use headroom_core::scenario::command::{Command, LinkKind, PingParms, TcHook, TunnelParms};
use headroom_core::scenario::{ScenarioFile, parse_setup};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn seed() -> ScenarioFile {
    let file = root().join("content/scenarios/seed.json");
    ScenarioFile::read("seed.json", &std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The scenario's commands as they come out of a terminal: with a file shown, with output, with `^C`.
fn terminal() -> Vec<String> {
    let mut lines = seed().paste;
    let shown = [
        "# cat progs.bpf.c",
        "#include <linux/bpf.h>",
        "SEC(\"xdp\")",
        "{",
        "}",
    ];
    lines.splice(12..12, shown.map(String::from));
    let output = [
        "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.",
        "",
        "1 packets transmitted, 1 received",
    ];
    let ping = lines.iter().position(|line| line.contains("ping")).unwrap();
    lines.splice(ping + 1..ping + 1, output.map(String::from));
    lines.extend(["  ping-1 [000] ..s2. 1.0: bpf_trace_printk: 42", "^C#"].map(String::from));
    lines
}

#[test]
fn the_mail_is_a_scenario() {
    let paste = terminal();
    let parsed = headroom_core::scenario::parse(&paste.join("\n")).unwrap();
    let commands: Vec<&Command> = parsed.lines.iter().map(|line| &line.command).collect();
    // 12 lines up to the addresses, cat, loadall, 2 attaches, ping, tracelog, attach, ping, tracelog.
    assert_eq!(commands.len(), 21);
    let not_covered = commands
        .iter()
        .find(|command| matches!(command, Command::NotCovered { .. }));
    assert_eq!(not_covered, None);
    let ends = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let parms = TunnelParms {
        local: Some(ends.0),
        remote: Some(ends.1),
        ..TunnelParms::default()
    };
    assert_eq!(
        *commands[6],
        Command::LinkAdd {
            netns: None,
            name: "decap".into(),
            address: None,
            index: None,
            kind: LinkKind::Gre(parms)
        }
    );
    assert_eq!(
        *commands[13],
        Command::ProgLoadAll {
            object: "progs.bpf.o".into(),
            dir: "/sys/fs/bpf".into()
        }
    );
    assert_eq!(
        *commands[14],
        Command::AttachXdp {
            netns: None,
            program: "set_tag".into(),
            dev: "rx".into(),
            mode: None,
            force: false
        }
    );
    // The command behind `^C# `.
    assert_eq!(
        *commands[18],
        Command::AttachTcx {
            netns: None,
            program: "get_tag".into(),
            dev: "decap".into(),
            hook: TcHook::Ingress
        }
    );
    let ping = Command::Ping {
        netns: Some("tx".into()),
        addr: Ipv4Addr::new(192, 0, 2, 1),
        parms: PingParms::default(),
    };
    assert_eq!((commands[16], commands[19]), (&ping, &ping));
    // Nothing is dropped: every line is a command, blank, or skipped with its number.
    let blank = paste.iter().filter(|line| line.trim().is_empty()).count();
    assert_eq!(
        parsed.lines.len() + parsed.skipped.len() + blank,
        paste.len()
    );
    assert!(
        parsed
            .skipped
            .iter()
            .any(|(number, text)| paste[number - 1] == *text && text.contains("#include"))
    );
    assert_eq!(
        parsed.skipped.last().map(|(_, text)| text.as_str()),
        Some("^C#")
    );
}

#[test]
fn scenario_files_name_the_place_of_a_mistake() {
    let read = |text: &str| ScenarioFile::read("x.json", text).unwrap_err().to_string();
    assert_eq!(
        read("{\n \"schema\": 1}"),
        "x.json:2:12: invalid type: integer `1`, expected a string."
    );
    let with = |change: &str| {
        format!(
            r#"{{"schema":"headroom-scenario/1","id":"x","title":"","explanation":"","commands":["ls"]{change}}}"#
        )
    };
    assert!(ScenarioFile::read("x.json", &with("")).is_ok());
    assert!(read(&with(",\"oops\":1")).contains("unknown field `oops`"));
    assert!(read(&with(r#","programs":{"p":"../secret"}"#)).contains("programs.p is `../secret`"));
    assert!(read(&with(r#","paste":["ls"]"#)).contains("either `commands` or `paste`"));
    assert!(read(&with(r#","focus":{"stage":"ip_rcv"}"#)).contains("focus.stage"));
    let seed = seed();
    let again = ScenarioFile::read("seed.json", &serde_json::to_string(&seed).unwrap()).unwrap();
    assert_eq!(again, seed);
}

#[test]
fn every_setup_in_the_recordings_is_understood() {
    let mut dirs = vec![root().join("tests/recordings")];
    dirs.extend(std::env::var_os("HEADROOM_RECORDINGS").map(PathBuf::from));
    for path in dirs
        .iter()
        .flat_map(|dir| std::fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().path())
    {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let setup: Vec<String> = serde_json::from_value(json["setup"].clone()).unwrap();
        let lines = parse_setup(&setup).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(lines.len() >= setup.len(), "{name}");
        if !name.starts_with("E1-") && !name.starts_with("E2-") {
            continue;
        }
        for line in lines {
            let unknown = matches!(
                &line.command,
                Command::NotCovered { .. }
                    | Command::LinkAdd {
                        kind: LinkKind::Unknown(_),
                        ..
                    }
            );
            assert!(
                !unknown,
                "{name}: {} is not covered: {:?}",
                line.text, line.command
            );
        }
    }
}

/// An object that `programs` calls otherwise than its file: commands may name it either way.
#[test]
fn an_object_is_loaded_by_its_name_or_by_its_file() {
    let file = |object: &str| {
        let text = format!(
            r#"{{"schema": "headroom-scenario/1", "id": "a", "title": "t", "explanation": "e",
            "commands": ["bpftool prog load {object} /sys/fs/bpf/p"], "programs": {{"tagger.o": "programs/seed/progs.bpf.o"}}}}"#
        );
        let file = ScenarioFile::read("a.json", &text).unwrap();
        let parsed = file.parse().unwrap();
        let name = file.objects(&parsed.lines)[0].0.to_owned();
        let object = std::fs::read(root().join("content/programs/seed/progs.bpf.o")).unwrap();
        let input =
            headroom_core::simulate::Input::new("a", parsed, &[(name.clone(), object)]).unwrap();
        let ran =
            headroom_core::simulate::simulate(&input, headroom_core::design::DesignName::MacHeader);
        (name, ran.map(|_| ()).map_err(|error| error.to_string()))
    };
    assert_eq!(file("tagger.o"), ("tagger.o".into(), Ok(())));
    assert_eq!(file("/root/progs.bpf.o"), ("progs.bpf.o".into(), Ok(())));
    let (name, ran) = file("other.o");
    assert_eq!(name, "tagger.o");
    assert!(
        ran.unwrap_err()
            .contains("there is no object file `other.o`")
    );
}
