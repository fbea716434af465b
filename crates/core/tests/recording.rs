//! Recordings are read in full, and what they show follows the rules by which a trace is shown.

use std::path::{Path, PathBuf};

use headroom_core::recording::events::bytes_off;
use headroom_core::recording::{Packet, Recording, Stage};
use headroom_core::trace::Edge;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The recordings of the repository and, if `HEADROOM_RECORDINGS` names a directory, those there.
fn recordings() -> Vec<(String, String)> {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings")];
    dirs.extend(std::env::var_os("HEADROOM_RECORDINGS").map(PathBuf::from));
    let files = dirs
        .iter()
        .flat_map(|dir| std::fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().path());
    let json = files.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    json.map(|path| {
        (
            path.display().to_string(),
            std::fs::read_to_string(path).unwrap(),
        )
    })
    .collect()
}

fn read(text: &str) -> Result<Recording, String> {
    Recording::read("r.json", text).map_err(|error| error.to_string())
}

/// `expand.py`, line by line.
fn expand_py(events: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    let always = [
        "seq",
        "stage",
        "prog",
        "dev",
        "netns",
        "kind",
        "skb",
        "ret",
        "ret_skb",
        "end_of_life",
        "drop_reason",
        "freed",
    ];
    let mut full: Vec<Map<String, Value>> = Vec::new();
    for event in events {
        let mut x = Map::new();
        if let Some(base) = event
            .get("as")
            .map(|n| &full[n.as_u64().unwrap() as usize - 1])
        {
            x.extend(
                base.iter()
                    .filter(|(k, _)| !always.contains(&k.as_str()))
                    .map(|(k, v)| (k.clone(), v.clone())),
            );
        }
        let own = event
            .iter()
            .filter(|(k, _)| *k != "as" && *k != "bytes_same_as");
        x.extend(own.map(|(k, v)| (k.clone(), v.clone())));
        if let Some(same) = event.get("bytes_same_as") {
            x.insert(
                "bytes".into(),
                full[same.as_u64().unwrap() as usize - 1]["bytes"].clone(),
            );
        }
        full.push(x);
    }
    full
}

#[test]
fn events_in_full_are_what_expand_py_prints() {
    for (name, text) in recordings() {
        let raw: Value = serde_json::from_str(&text).unwrap();
        let compact: Vec<Map<String, Value>> =
            serde_json::from_value(raw["events"].clone()).unwrap();
        let recording = read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recording.events.len(), compact.len());
        for (event, wanted) in recording.events.iter().zip(expand_py(&compact)) {
            assert_eq!(
                serde_json::to_value(event).unwrap(),
                Value::Object(wanted),
                "{name}, event {}",
                event.seq
            );
        }
        let head = serde_json::to_value(&recording.head).unwrap();
        for (key, value) in head.as_object().unwrap() {
            let written = raw.get(key).cloned().unwrap_or_else(|| json!([]));
            assert_eq!(*value, written, "{name}, {key}");
        }
    }
}

#[test]
fn what_recordings_show_of_a_buffer_follows_from_the_fields() {
    let (mut skbs, mut xdps) = (0, 0);
    for (name, text) in recordings() {
        let recording = read(&text).unwrap();
        for event in &recording.events {
            match &event.packet {
                Packet::Skb(skb) => {
                    skbs += 1;
                    assert_eq!(
                        skb.bytes.offset,
                        bytes_off(&skb.fields),
                        "{name}, event {}",
                        event.seq
                    );
                    assert_eq!(
                        skb.bytes.offset as usize + skb.bytes.bytes.len(),
                        skb.fields.tail as usize
                    );
                    let meta = skb.fields.meta;
                    assert_eq!(skb.meta_bytes.len(), meta.len as usize);
                    let start = meta.end.map(|end| end - meta.len);
                    assert_eq!(meta.start, start);
                    let end = if recording.head.design == "meta_end" {
                        skb.fields.meta_end
                    } else {
                        skb.fields.mac_header
                    };
                    assert_eq!(meta.end, end, "{name}, event {}", event.seq);
                    assert_eq!(
                        skb.fields.meta_end.is_some(),
                        recording.head.design == "meta_end"
                    );
                }
                Packet::Xdp(xdp) => {
                    xdps += 1;
                    assert_eq!(xdp.bytes.offset, xdp.fields.data_meta.saturating_sub(64));
                    assert_eq!(
                        xdp.bytes.offset as usize + xdp.bytes.bytes.len(),
                        xdp.fields.data_end as usize
                    );
                    assert_eq!(event.skb, None);
                }
                Packet::Result => {
                    let entry = Stage {
                        edge: Edge::Entry,
                        ..event.stage.clone()
                    };
                    let before = &recording.events[..event.seq as usize - 1];
                    let entry = before
                        .iter()
                        .rev()
                        .find(|other| other.stage == entry && other.skb == event.skb)
                        .unwrap();
                    assert_eq!(
                        (&event.dev, event.freed),
                        (&entry.dev, true),
                        "{name}, event {}",
                        event.seq
                    );
                    assert_eq!(event.netns, None);
                }
            }
        }
        for read in &recording.head.reads {
            let shown = (read.value.len() != read.len as usize).then_some(read.value.len() as u32);
            assert_eq!(read.shown, shown, "{name}");
        }
    }
    assert!(skbs > 2000 && xdps > 200, "{skbs} {xdps}");
}

fn small(events: &str) -> String {
    format!(
        r#"{{"schema":"headroom-recording/1","id":"x","title":"","design":"meta_end","kernel":"","xdp_mode":"none",
        "setup":[],"programs":{{}},"packets":[],"reads":[],"printk":[],"warnings":[],"later":1,
        "events":[{events}]}}"#
    )
}

const XDP: &str = r#"{"seq":1,"stage":"p:entry","prog":true,"dev":"rx","kind":"xdp","data_hard_start":0,"data_meta":0,"data":0,"data_end":1,"frame_sz":9,"bytes_off":0,"bytes":"00"}"#;

#[test]
fn mistakes_name_event_and_field() {
    assert!(read(&small(XDP)).is_ok());
    let cases = [
        (
            XDP.replace("\"data\":0", "\"data\":-1"),
            "r.json: Event 1, field `data`: -1 is no number in its range.",
        ),
        (
            XDP.replace("\"data\":0,", ""),
            "r.json: Event 1, field `data`: it is missing or null, expected a number.",
        ),
        (
            XDP.replace("\"00\"", "\"0\""),
            "r.json: Event 1, field `bytes`: an odd number of hex digits (1).",
        ),
        (
            XDP.replace("p:entry", "p"),
            "r.json: Event 1, field `stage`: expected function:entry or function:exit.",
        ),
        (
            XDP.replace("\"seq\":1", "\"seq\":2"),
            "r.json: Event 1, field `seq`: it is 2, events count 1, 2, 3 ….",
        ),
        (
            r#"{"seq":1,"stage":"p:exit","dev":null,"kind":"xdp","as":1}"#.into(),
            "r.json: Event 1, field `as`: it names event 1, which does not come before this one.",
        ),
        (
            format!(
                r#"{XDP},{{"seq":2,"stage":"p:exit","dev":"rx","kind":"xdp","as":1,"bytes_same_as":3}}"#
            ),
            "r.json: Event 2, field `bytes_same_as`: it names event 3, which does not come before this one.",
        ),
    ];
    for (events, sentence) in cases {
        assert_eq!(read(&small(&events)).unwrap_err(), sentence);
    }
    assert!(
        read(&small(XDP).replace("recording/1", "recording/9"))
            .unwrap_err()
            .contains("headroom-recording/9")
    );
    assert!(
        read(&small(XDP).replace("\"none\"", "\"fast\""))
            .unwrap_err()
            .starts_with("r.json:1:")
    );
}

#[test]
fn a_small_file_cannot_become_a_large_one() {
    let bytes = "00".repeat(1 << 20);
    let first = XDP.replace("\"00\"", &format!("\"{bytes}\""));
    let more = (2..200)
        .map(|n| format!(r#",{{"seq":{n},"stage":"p:exit","dev":"rx","kind":"xdp","as":1}}"#));
    let error = read(&small(&(first + &more.collect::<String>()))).unwrap_err();
    assert!(
        error.contains("field `bytes`: the events together are too large"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn reading_never_panics(place in 0usize..9000, byte in any::<u8>(), cut in 0usize..9000) {
        let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings/E1-veth-4b-generic.mac_header.json"));
        let mut text = text.unwrap();
        let place = place % text.len();
        text[place] = byte;
        let _ = read(&String::from_utf8_lossy(&text));
        text.truncate(cut);
        let _ = read(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn changed_numbers_never_panic(which in 0usize..60, number in prop_oneof![Just(-1i64), Just(0), Just(i64::MAX), any::<i64>()]) {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings/E1-veth-4b-native.meta_end.json")).unwrap();
        let mut raw: Value = serde_json::from_str(&text).unwrap();
        let events = raw["events"].as_array_mut().unwrap();
        let count = events.len();
        let event = events[which % count].as_object_mut().unwrap();
        let keys: Vec<String> = event.keys().cloned().collect();
        for key in keys {
            event.insert(key, json!(number));
            event.insert("as".into(), json!(number));
        }
        let _ = read(&raw.to_string());
    }
}
