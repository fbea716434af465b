use super::*;
use crate::recording::events;
use crate::scene::names;
use crate::trace::Layer;

fn recording(name: &str) -> (String, Recording) {
    let root = env!("CARGO_MANIFEST_DIR");
    let file = format!("{root}/../../tests/recordings/{name}.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let read = Recording::read(&file, &text).expect("a recording");
    (text, read)
}

/// Every event, field and byte of the recording is in the trace: its events are the recording's own.
#[test]
fn a_recording_comes_out_as_it_went_in() {
    for name in [
        "E1-veth-32b-native.mac_header",
        "E1-veth-32b-generic.meta_end",
        "E2-gre-veth-full.mac_header",
        "E2-gre-veth-full.meta_end",
        "E5-vxlan-4b-native.meta_end",
        "E11-gro-equal.mac_header",
        "E11-mpls-pop-lo-native.mac_header",
    ] {
        let (text, read) = recording(name);
        let opened = open(name, &text).expect("a recording");
        assert!(opened.recorded);
        let got = events(&opened.trace);
        for (want, got) in read.events.iter().zip(&got) {
            // Of an XDP event the trace has the buffer, of a packet that is gone no namespace.
            assert_eq!(
                (&want.stage, want.skb, want.freed),
                (&got.stage, got.skb, got.freed),
                "{name} {}",
                want.seq
            );
            assert_eq!(
                want.packet, got.packet,
                "{name} event {} {}",
                want.seq, want.stage
            );
            assert_eq!(
                (want.ret_skb, want.end_of_life),
                (got.ret_skb, got.end_of_life)
            );
        }
        assert_eq!(read.events.len(), got.len(), "{name}");
    }
}

/// E2-gre-veth-full, the seed experiment: 42 and 524288 (`shared/golden/README.md`).
#[test]
fn reads_are_judged_by_their_bytes() {
    let verdicts = |name: &str| {
        let (text, _) = recording(name);
        let trace = open(name, &text).expect("a recording").trace;
        let mut seen: Vec<(String, Option<u32>, Verdict)> = Vec::new();
        for read in &trace.reads {
            seen.push((read.dev.name.clone(), read.value(), read.verdict));
        }
        seen
    };
    let of = |rows: Vec<(String, Option<u32>, Verdict)>, dev: &str| {
        let mut rows: Vec<_> = rows
            .into_iter()
            .filter(|row| row.0 == dev)
            .map(|row| (row.1, row.2))
            .collect();
        rows.dedup();
        rows
    };
    let mac = verdicts("E2-gre-veth-full.mac_header");
    assert!(
        of(mac.clone(), "rx")
            .iter()
            .all(|row| *row == (Some(42), Verdict::Ok)),
        "{mac:?}"
    );
    assert!(
        of(mac.clone(), "decap").contains(&(Some(524_288), Verdict::Garbage)),
        "{mac:?}"
    );
    let end = verdicts("E2-gre-veth-full.meta_end");
    assert!(
        of(end.clone(), "decap")
            .iter()
            .all(|row| *row == (Some(42), Verdict::Ok)),
        "{end:?}"
    );
}

#[test]
fn bytes_belong_to_the_header_they_stand_in() {
    let (text, _) = recording("E2-gre-veth-full.mac_header");
    let trace = open("r", &text).expect("a recording").trace;
    let garbage = trace
        .reads
        .iter()
        .find(|read| read.verdict == Verdict::Garbage)
        .expect("the wrong read");
    let layers: Vec<Layer> = garbage
        .origins
        .iter()
        .map(|origin| trace.sources.source(*origin).layer)
        .collect();
    assert_eq!(layers, [Layer::Gre; 4]);
    let unique: std::collections::HashSet<_> = names(&trace).into_iter().collect();
    assert_eq!(unique.len(), trace.steps.len(), "step names are unique");
    let depths: Vec<u16> = trace.steps.iter().map(|step| step.depth).collect();
    assert!(depths.iter().any(|depth| *depth > 2) && depths[0] == 0);
}

#[test]
fn what_headroom_run_prints_is_opened_too() {
    let (text, _) = recording("E2-gre-veth-full.mac_header");
    let trace = open("r", &text).expect("a recording").trace;
    let printed = crate::recording::RunJson::new(&trace);
    let json = serde_json::to_string(&printed).expect("JSON");
    let opened = open("run.json", &json).expect("a trace file");
    assert!(!opened.recorded);
    assert_eq!(events(&opened.trace), events(&trace));
    let values = |trace: &Trace| {
        trace
            .reads
            .iter()
            .map(|r| (r.value(), r.verdict, r.offset))
            .collect::<Vec<_>>()
    };
    assert_eq!(values(&opened.trace), values(&trace));
}

#[test]
fn the_runs_of_several_designs_are_opened_together() {
    let printed = |name: &str| {
        let (text, _) = recording(name);
        let trace = open("r", &text).expect("a recording").trace;
        serde_json::to_string(&crate::recording::RunJson::new(&trace)).expect("JSON")
    };
    let (first, second) = (
        printed("E2-gre-veth-full.mac_header"),
        printed("E2-gre-veth-full.meta_end"),
    );
    let all = open_all("two.json", &format!("{first}\n{second}\n")).expect("two runs");
    let designs: Vec<&str> = all.iter().map(|one| one.trace.design.as_str()).collect();
    assert_eq!(designs, ["mac_header", "meta_end"]);
    assert_eq!(open_all("one.json", &first).expect("one run").len(), 1);
    let cut = second.get(..200).expect("longer");
    let error = open_all("cut.json", &format!("{first}\n{cut}")).expect_err("cut off");
    assert!(error.to_string().starts_with("cut.json:2:"), "{error}");
    let error = open_all("odd.json", &format!("{first}\n{{}}")).expect_err("no trace");
    assert!(
        error.to_string().starts_with("odd.json, run 2: it has no"),
        "{error}"
    );
}

#[test]
fn what_is_no_such_file_is_said() {
    let message = |text: &str| open("x.json", text).expect_err(text).to_string();
    assert_eq!(
        message("{"),
        "x.json:1:1: EOF while parsing an object; recordings and traces are JSON."
    );
    assert_eq!(
        message("42"),
        "x.json:1:2: invalid type: integer `42`, expected an object with a field `schema`; recordings and traces are JSON."
    );
    for none in ["{}", "[]"] {
        let said = message(none);
        assert!(
            said.contains("schema") && !said.contains("``") && !said.contains("Peek"),
            "{said}"
        );
    }
    assert_eq!(
        message("{\"schema\": \"a/1\"}"),
        "x.json: schema is `a/1`, expected `headroom-recording/1` or `headroom-trace/1`."
    );
    assert!(message("{\"schema\": \"headroom-trace/1\"}").contains("missing field"));
    let (text, _) = recording("E1-veth-32b-native.mac_header");
    for cut in (0..text.len()).step_by(text.len() / 40) {
        assert!(
            open("x.json", text.get(..cut).unwrap_or("")).is_err(),
            "{cut}"
        );
    }
}

/// What realign moved is a move, with the bytes that differ and those that were the same before: 00 00 08 00 at 290–293 became
/// 2a 00 00 00. Under `mac_header` the formula alone goes there: no byte moves.
#[test]
fn metadata_that_a_kernel_has_elsewhere_with_the_same_bytes_were_moved() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings");
    let moves = |design: &str| {
        let file = format!("{folder}/E2-gre-veth-full.{design}.json");
        let text = std::fs::read_to_string(&file).expect("a recording");
        let trace = open(&file, &text).expect("it opens").trace;
        let moved = trace
            .writes
            .iter()
            .filter(|write| write.moved_from.is_some());
        let told = |write: &crate::trace::ByteWrite| {
            let new: Vec<u8> = write.new.iter().map(|(byte, _)| *byte).collect();
            (write.moved_from, write.offset, new)
        };
        let moved: Vec<_> = moved.map(told).collect();
        let at = crate::scene::testing::step_at(&trace, "get_tag.exit@decap#1");
        let says = (0..=at).map(|step| crate::scene::sentence(&trace, step));
        let said = says
            .filter(|said| said.contains("It moved"))
            .collect::<Vec<_>>();
        (moved, said)
    };
    let (moved, said) = moves("meta_end");
    assert!(!moved.is_empty());
    for (from, to, new) in &moved {
        assert_eq!(
            (*from, *to, new.as_slice()),
            (Some(252), 290, [0x2a, 0, 0, 0].as_slice())
        );
    }
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("It moved four bytes from 252–255 to 290–293."),
        "{said:?}"
    );
    assert_eq!(moves("mac_header").0, []);
}
