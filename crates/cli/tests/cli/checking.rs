//! `headroom check`.

use super::*;

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
