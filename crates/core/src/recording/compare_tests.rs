//! Each rule has a test that fails when the rule is broken. The "simulator" is a recording played back.

use std::path::{Path, PathBuf};

use super::*;
use crate::recording::event::{Ret, SkbEvent, Stage};
use crate::recording::model::{Frame, HelperResult, Read};
use crate::trace::origin::{Layer, Source};
use crate::trace::read::{Report as Said, ReportWhat};
use crate::trace::{
    DevRef, Edge, MetadataRead, Outcome, PacketFields, Recorder, SkbNo, StepKind, TapFrame, Verdict,
};

const WRITTEN: OriginId = OriginId { source: 1, byte: 2 };
const UNWRITTEN: OriginId = OriginId { source: 0, byte: 0 };

pub(super) fn load(name: &str) -> Recording {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/recordings")
        .join(name);
    Recording::read(name, &std::fs::read_to_string(file).unwrap()).unwrap()
}

pub(super) fn played(recording: &Recording) -> (Trace, Vec<TracedEvent>) {
    let head = &recording.head;
    let mut trace = Recorder::new(&head.id, &head.design).trace;
    trace.sources.add(Source {
        layer: Layer::Gre,
        label: "GRE header".into(),
        writer: "gre_build_header".into(),
        dev: None,
        step: 0,
        len: 4,
    });
    trace.printk.clone_from(&head.printk);
    trace.warnings.clone_from(&head.warnings);
    let held = |frame: &Frame| TapFrame {
        dev: DevRef {
            name: frame.dev.clone(),
            netns: frame.netns.clone(),
        },
        bytes: frame.bytes.clone(),
    };
    trace.taps = head.taps.iter().map(held).collect();
    trace.reports = head
        .reads
        .iter()
        .map(said)
        .chain(head.helper_results.iter().map(result))
        .collect();
    let traced = |event: &Event| {
        let (bytes, meta) = match &event.packet {
            Packet::Skb(skb) => (skb.bytes.bytes.len(), skb.meta_bytes.len()),
            Packet::Xdp(xdp) => (xdp.bytes.bytes.len(), 0),
            Packet::Result => (0, 0),
        };
        let (origins, meta_origins) = (vec![WRITTEN; bytes], vec![WRITTEN; meta]);
        TracedEvent {
            caller: None,
            event: event.clone(),
            step: 0,
            origins,
            meta_origins,
        }
    };
    (trace, recording.events.iter().map(traced).collect())
}

fn result(result: &HelperResult) -> Said {
    Said {
        program: result.program.clone(),
        dev: DevRef {
            name: result.dev.clone(),
            netns: result.netns.clone(),
        },
        hook: hook(&result.hook),
        after_step: result.after_seq,
        what: ReportWhat::HelperResult {
            helper: result.helper.clone(),
            ret: result.ret,
        },
    }
}

fn hook(name: &str) -> &'static str {
    ["xdp", "ingress", "egress"]
        .into_iter()
        .find(|hook| *hook == name)
        .unwrap()
}

fn said(read: &Read) -> Said {
    Said {
        program: read.program.clone(),
        dev: DevRef {
            name: read.dev.clone(),
            netns: read.netns.clone(),
        },
        hook: hook(&read.hook),
        after_step: read.after_seq,
        what: ReportWhat::Read {
            how: read.how,
            len: read.len,
            value: read.value.clone(),
            ret: read.ret,
        },
    }
}

/// E2's report when the played-back events are changed.
pub(super) fn changed(change: impl FnOnce(&mut Vec<TracedEvent>)) -> Report {
    let recording = load("E2-gre-veth-full.mac_header.json");
    let (trace, mut events) = played(&recording);
    change(&mut events);
    compare_events(&recording, &trace, &events, &Scope::All)
}

pub(super) fn skb(event: &mut TracedEvent) -> &mut SkbEvent {
    match &mut event.event.packet {
        Packet::Skb(skb) => skb,
        other => panic!("{other:?}"),
    }
}

pub(super) fn find(events: &[TracedEvent], stage: &str, dev: &str) -> usize {
    let stage = Stage::parse(stage).unwrap();
    events
        .iter()
        .position(|traced| traced.event.stage == stage && traced.event.dev.as_deref() == Some(dev))
        .unwrap()
}

/// All recordings of the repository and of the directory `HEADROOM_RECORDINGS`: so the tables of visible
/// functions hide nothing that was recorded.
#[test]
fn a_recording_equals_itself() {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings")];
    dirs.extend(std::env::var_os("HEADROOM_RECORDINGS").map(PathBuf::from));
    for entry in dirs.iter().flat_map(|dir| std::fs::read_dir(dir).unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let recording = load(path.to_str().unwrap());
        let (trace, events) = played(&recording);
        let report = compare_events(&recording, &trace, &events, &Scope::All);
        assert!(report.passed(), "{report}");
        assert_eq!(
            (report.events_covered, report.fields_equal),
            (events.len(), report.fields_compared)
        );
    }
}

#[test]
fn numbers_of_skbs_and_buffers_are_identity_only() {
    let report = changed(|events| {
        for traced in events.iter_mut() {
            traced.event.skb = traced.event.skb.map(|skb| 100 - skb);
            traced.event.ret_skb = traced.event.ret_skb.map(|skb| skb.map(|skb| 100 - skb));
            if let Packet::Skb(skb) = &mut traced.event.packet {
                skb.head += 7;
            }
        }
    });
    assert!(report.passed(), "{report}");
    let report = changed(|events| {
        let at = find(events, "ip_rcv_core:entry", "decap");
        skb(&mut events[at]).head = 77;
    });
    assert_eq!(report.differences[0].field, "head");
    let report = changed(|events| {
        let at = find(events, "ip_rcv_core:exit", "decap");
        events[at].event.ret_skb = Some(None);
    });
    assert_eq!(
        (
            report.differences[0].field.as_str(),
            report.differences[0].got.as_str()
        ),
        ("ret_skb", "null")
    );
}

#[test]
fn a_field_that_differs_is_named() {
    let report = changed(|events| {
        let at = find(events, "get_tag:entry", "decap");
        skb(&mut events[at]).fields.mac_header = None;
    });
    assert_eq!(report.differences_total, 1);
    assert_eq!(report.fields_equal + 1, report.fields_compared);
    let text = report.to_string();
    assert!(
        text.contains("E2-gre-veth-full.mac_header: FAILED, events 217/217"),
        "{text}"
    );
    let first = "event 92 get_tag:entry, mac_header: expected 294, got null";
    assert!(text.ends_with(first), "{text}");
}

#[test]
fn a_return_value_too_many_is_a_difference() {
    let report = changed(|events| {
        let at = find(events, "ip_rcv_core:entry", "decap");
        events[at].event.ret = Some(Ret::Number(0));
    });
    assert_eq!(
        (
            report.differences_total,
            report.differences[0].field.as_str()
        ),
        (1, "ret")
    );
}

#[test]
fn a_written_byte_that_differs_has_an_origin() {
    let report = changed(|events| {
        let at = find(events, "get_tag:entry", "decap");
        skb(&mut events[at]).bytes.bytes[3] ^= 1;
    });
    let difference = &report.differences[0];
    let recording = load("E2-gre-veth-full.mac_header.json");
    let at = find(&played(&recording).1, "get_tag:entry", "decap");
    let Packet::Skb(skb) = &recording.events[at].packet else {
        panic!()
    };
    assert_eq!(difference.field, format!("bytes[{}]", skb.bytes.offset + 3));
    assert_eq!(
        difference.origin.as_deref(),
        Some("GRE header, protocol, byte 0")
    );
    assert!(!report.passed());
}

#[test]
fn an_unwritten_byte_may_differ_unless_a_program_read_it() {
    let recording = load("E2-gre-veth-full.mac_header.json");
    let (mut trace, mut events) = played(&recording);
    let at = find(&events, "get_tag:entry", "decap");
    let (offset, head) = (skb(&mut events[at]).bytes.offset, skb(&mut events[at]).head);
    skb(&mut events[at]).bytes.bytes[3] ^= 1;
    events[at].origins[3] = UNWRITTEN;
    let report = compare_events(&recording, &trace, &events, &Scope::All);
    assert!(report.passed(), "{report}");
    assert_eq!(
        (report.unwritten_differences, report.unwritten_read),
        (1, 0)
    );

    let mut recorder = Recorder::new("", "mac_header");
    recorder.step(
        crate::trace::recorder::Moment {
            kind: StepKind::Function {
                name: "x",
                file: "",
                edge: Edge::Entry,
            },
            dev: None,
            skb: Some(SkbNo(1)),
            buffer: Some(BufferNo(head)),
            fields: None::<PacketFields>,
            outcome: Outcome::None,
            freed: false,
        },
        &mut Vec::new(),
    );
    trace.steps = recorder.trace.steps;
    trace.reads = vec![MetadataRead {
        run: 0,
        program: "get_tag".into(),
        dev: DevRef {
            name: "decap".into(),
            netns: None,
        },
        hook: "ingress",
        how: crate::trace::ReadHow::DataMeta,
        step: 0,
        buffer: BufferNo(1),
        offset: Some(offset),
        bytes: vec![0; 4],
        origins: vec![UNWRITTEN; 4],
        verdict: Verdict::Garbage,
        expected: None,
    }];
    let report = compare_events(&recording, &trace, &events, &Scope::All);
    assert_eq!((report.passed(), report.unwritten_read), (false, 1));
}

#[test]
fn reads_printk_and_warnings_are_compared_in_order() {
    let recording = load("E2-gre-veth-full.mac_header.json");
    let check = |change: &dyn Fn(&mut Trace)| {
        let (mut trace, events) = played(&recording);
        change(&mut trace);
        let report = compare_events(&recording, &trace, &events, &Scope::All);
        report
            .differences
            .iter()
            .map(|d| format!("{} {}: {} {}", d.stage, d.field, d.expected, d.got))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        check(&|trace| trace.printk[1] = "42".into()),
        ["printk [1].line: 524288 42"]
    );
    assert_eq!(
        check(&|trace| drop(trace.printk.pop())),
        ["printk [1].line: 524288 nothing"]
    );
    assert_eq!(
        check(&|trace| trace.warnings.push("oops".into())),
        ["warnings [0].line: nothing oops"]
    );
    assert_eq!(
        check(&|trace| trace.reports[1].after_step += 1),
        ["reads [1].after_seq: 92 93"]
    );
    let value = |trace: &mut Trace| {
        if let ReportWhat::Read { value, .. } = &mut trace.reports[1].what {
            *value = vec![42, 0, 0, 0];
        }
    };
    assert_eq!(check(&value), ["reads [1].value: 00000800 2a000000"]);
    assert_eq!(
        check(&|trace| trace.design = "meta_end".into()),
        ["design design: mac_header meta_end"]
    );
}

#[test]
fn places_of_reads_are_compared_only_when_all_events_are_covered() {
    let recording = load("E2-gre-veth-full.mac_header.json");
    let (mut trace, mut events) = played(&recording);
    trace.reports[1].after_step += 1;
    events.retain(|traced| traced.event.stage.name != "eth_header");
    assert_eq!(
        compare_events(&recording, &trace, &events, &Scope::All).differences_total,
        0
    );
}

/// What a packet socket held is compared: E9-tap-rx-gre-native.meta_end's tap has the metadata where the GRE header
/// was (realign on a clone).
#[test]
fn what_taps_held_is_compared() {
    let recording = load("E9-tap-rx-gre-native.meta_end.json");
    let (mut trace, events) = played(&recording);
    assert_eq!(trace.taps[0].bytes[34..38], [42, 0, 0, 0]);
    trace.taps[0].bytes[34..38].copy_from_slice(&[0, 0, 8, 0]);
    let report = compare_events(&recording, &trace, &events, &Scope::All);
    assert_eq!(report.differences_total, 1);
    assert_eq!(report.differences[0].stage, "taps");
}
