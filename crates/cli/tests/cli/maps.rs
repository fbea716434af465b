//! `--map`: what a map holds before the run.

use super::*;

/// The program prints the value under the key 0x0102, little-endian, of a hash with keys of two and values of four bytes.
fn run(name: &str, maps: &[&str]) -> Output {
    let scenario = with_program(name, "reader");
    let maps = maps.iter().flat_map(|map| ["--map", map]);
    let args = [
        "run",
        &scenario,
        "--design",
        "mac_header",
        "--format",
        "json",
    ];
    headroom(&args.into_iter().chain(maps).collect::<Vec<_>>())
}

fn json(output: &Output) -> serde_json::Value {
    assert_eq!(output.status.code(), Some(0), "{}", err(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// 0x00010203 is 66051.
#[test]
fn run_begins_with_what_map_says() {
    let nothing = json(&run("map_nothing", &[]));
    assert_eq!(nothing["printk"], serde_json::json!(["nothing"]));
    let set = json(&run("map_set", &["settings=0201:03020100"]));
    assert_eq!(set["printk"], serde_json::json!(["found 66051"]));
    // the later one of two for a key, and another key beside it
    let both = [
        "settings=0201:03020100",
        "settings=ff ff:01000000",
        "settings=0201:05000000",
    ];
    let both = json(&run("map_both", &both));
    assert_eq!(both["printk"], serde_json::json!(["found 5"]));
}

#[test]
fn run_refuses_what_a_map_does_not_take() {
    let scenario = with_program("map_bad", "reader");
    let said = |map: &str| refused(&["run", &scenario, "--map", map]);
    let cases = [
        (
            "settings=02:03020100",
            "--map: map `settings`: key of 1 bytes; it must have 2",
        ),
        (
            "settings=0201:0302",
            "--map: map `settings`: value of 2 bytes; it must have 4",
        ),
        (
            "settings=0201:",
            "--map: map `settings`: value of 0 bytes; it must have 4",
        ),
        ("nobody=0201:03020100", "--map: there is no map `nobody`"),
        (
            "settings",
            "--map settings: it must be NAME=KEY:VALUE, key and value as hex",
        ),
        (
            "settings=0201",
            "--map settings=0201: it must be NAME=KEY:VALUE, key and value as hex",
        ),
        (
            "settings=0x:00000000",
            "--map, key: line 1, column 2: expected a hex digit, found `x`",
        ),
    ];
    for (map, message) in cases {
        assert_eq!(said(map), format!("headroom: {message}\n"), "{map}");
    }
}

/// Four entries fit; the fifth gets what `bpftool map update` gets, `-E2BIG`.
#[test]
fn run_refuses_more_than_a_map_holds() {
    let scenario = with_program("map_full", "reader");
    let entries = ["00", "01", "02", "03", "04"].map(|key| format!("settings={key}00:00000000"));
    let maps = entries.iter().flat_map(|entry| ["--map", entry]);
    let args: Vec<&str> = ["run", &scenario].into_iter().chain(maps).collect();
    let said = refused(&args);
    assert!(said.contains("map `settings`: error -7"), "{said}");
    assert!(headroom(&args[..args.len() - 2]).status.success());
}
