use serde_json::json;

use super::*;
use crate::recording::run_json::RunJson;
use crate::trace::origin::{Layer, Source};
use crate::trace::recorder::Moment;
use crate::trace::{
    BufferNo, ByteWrite, DevRef, MetaFields, MetadataRead, ReadHow, Recorder, SkbNo, Verdict,
};

/// The first packet of E1-veth-4b-generic (mac_header), data at 2: a header that is not set, metadata of 4 bytes at 80.
fn fields() -> SkbFields {
    SkbFields {
        data: 90,
        tail: 94,
        end: 384,
        len: 4,
        data_len: 0,
        mac_header: Some(84),
        network_header: Some(90),
        transport_header: None,
        inner_mac_header: Some(0),
        inner_network_header: Some(0),
        mac_len: 0,
        protocol: 2048,
        pkt_type: 0,
        vlan_present: false,
        vlan_tci: 0,
        vlan_proto: 0,
        encapsulation: false,
        cloned: false,
        ip_summed: 0,
        gso_size: 0,
        nr_frags: 0,
        dataref: 1,
        users: 1,
        meta: MetaFields {
            len: 4,
            start: Some(80),
            end: Some(84),
        },
        meta_end: None,
        fragments: Vec::new(),
    }
}

fn moment(kind: StepKind, fields: Option<PacketFields>) -> Moment {
    Moment {
        kind,
        dev: Some(std::sync::Arc::new(DevRef {
            name: "decap".into(),
            netns: Some("tx".into()),
        })),
        skb: Some(SkbNo(3)),
        buffer: Some(BufferNo(2)),
        fields,
        outcome: Outcome::None,
        freed: false,
    }
}

fn function(edge: Edge) -> StepKind {
    StepKind::Function {
        name: "ip_rcv",
        file: "net/ipv4/ip_input.c",
        edge,
    }
}

fn recorded() -> Recorder {
    let mut recorder = Recorder::new("x", "mac_header");
    let tag = recorder.source(Source {
        layer: Layer::Metadata,
        label: "tag".into(),
        writer: "set_tag".into(),
        dev: None,
        step: 0,
        len: 4,
    });
    let zero = (0u8, OriginId::default());
    let mut new = vec![zero; 384];
    for (byte, value) in (0u16..).zip([42, 0, 0, 0]) {
        new[80 + usize::from(byte)] = (value, OriginId { source: tag, byte });
    }
    new[93] = (0xff, OriginId::default());
    let mut writes = vec![ByteWrite {
        buffer: BufferNo(2),
        offset: 0,
        old: vec![],
        new,
        moved_from: None,
        copied_from: None,
    }];
    recorder.step(
        moment(function(Edge::Entry), Some(PacketFields::Skb(fields()))),
        &mut writes,
    );
    recorder
}

#[test]
fn an_skb_event_has_the_recordings_shape() {
    let recorder = recorded();
    let traced = traced_events(&recorder.trace);
    let bytes = format!("{}2a000000{}ff", "00".repeat(64), "00".repeat(9));
    let wanted = json!({
        "seq": 1, "stage": "ip_rcv:entry", "dev": "decap", "netns": "tx", "kind": "skb", "skb": 3, "head": 2,
        "data": 90, "tail": 94, "end": 384, "len": 4, "data_len": 0, "head_off": 0, "mac_header": 84,
        "network_header": 90, "transport_header": null, "inner_mac_header": 0, "inner_network_header": 0,
        "mac_len": 0, "protocol": 2048, "pkt_type": 0, "vlan_present": false, "vlan_tci": 0, "vlan_proto": 0,
        "encapsulation": false, "cloned": false, "ip_summed": 0, "gso_size": 0, "nr_frags": 0, "dataref": 1,
        "users": 1, "meta": {"len": 4, "start": 80, "end": 84, "bytes": "2a000000"}, "bytes_off": 16, "bytes": bytes
    });
    assert_eq!(serde_json::to_value(&traced[0].event).unwrap(), wanted);
    assert_eq!(traced[0].origins.len(), 78);
    assert_eq!(traced[0].meta_origins[1], OriginId { source: 1, byte: 1 });
    assert_eq!(traced[0].origins[65], OriginId { source: 1, byte: 1 });
}

#[test]
fn metadata_that_are_not_there_do_not_count_for_where_the_bytes_begin() {
    let mut fields = fields();
    assert_eq!(bytes_off(&fields), 16);
    fields.meta = MetaFields {
        len: 0,
        start: Some(70),
        end: Some(70),
    };
    assert_eq!(bytes_off(&fields), 20);
    fields.mac_header = None;
    assert_eq!(bytes_off(&fields), 26);
    fields.data = 10;
    assert_eq!(bytes_off(&fields), 0);
}

#[test]
fn an_xdp_event_has_no_skb_and_begins_before_data_meta() {
    let mut recorder = recorded();
    let xdp = XdpFields {
        data_meta: 80,
        data: 84,
        data_end: 94,
        frame_sz: 1024,
        fragments: Vec::new(),
    };
    recorder.step(
        moment(function(Edge::Entry), Some(PacketFields::Xdp(xdp))),
        &mut Vec::new(),
    );
    let event = serde_json::to_value(&events(&recorder.trace)[1]).unwrap();
    assert_eq!(
        (&event["kind"], &event["bytes_off"], event.get("skb")),
        (&json!("xdp"), &json!(16), None)
    );
    assert_eq!(
        (&event["data_hard_start"], &event["data_meta"]),
        (&json!(0), &json!(80))
    );
    assert_eq!(event["bytes"].as_str().map(str::len), Some(2 * 78));
}

#[test]
fn ends_of_life_results_and_instructions() {
    let mut recorder = recorded();
    let insn = StepKind::Insn {
        run: 0,
        insn: 0,
        registers: 0,
    };
    recorder.step(
        moment(insn, Some(PacketFields::Skb(fields()))),
        &mut Vec::new(),
    );
    let end = StepKind::EndOfLife {
        name: "kfree_skb",
        drop_reason: Some(3),
    };
    recorder.step(
        moment(end, Some(PacketFields::Skb(fields()))),
        &mut Vec::new(),
    );
    let gone = Moment {
        outcome: Outcome::Ret(1),
        freed: true,
        dev: Some(std::sync::Arc::new(DevRef {
            name: "rx".into(),
            netns: Some("tx".into()),
        })),
        ..moment(function(Edge::Exit), None)
    };
    recorder.step(gone, &mut Vec::new());
    let nobody = Moment {
        skb: None,
        ..moment(function(Edge::Exit), None)
    };
    recorder.step(nobody, &mut Vec::new());
    let events = serde_json::to_value(events(&recorder.trace)).unwrap();
    assert_eq!(events.as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&events[1]["stage"], &events[1]["drop_reason"]),
        (&json!("kfree_skb:entry"), &json!(3))
    );
    assert_eq!(
        (&events[1]["end_of_life"], &events[1]["kind"]),
        (&json!(true), &json!("skb"))
    );
    // As `{"seq":48,"stage":"icmp_rcv:exit","dev":"rx","kind":"result","skb":1,"ret":0,"freed":true}`.
    let result = json!({"seq": 3, "stage": "ip_rcv:exit", "dev": "decap", "kind": "result", "skb": 3, "ret": 1, "freed": true});
    assert_eq!(events[2], result);
}

#[test]
fn the_json_of_a_run_has_the_contracts_fields() {
    let mut recorder = recorded();
    recorder.trace.reads.push(MetadataRead {
        run: 0,
        program: "get_tag".into(),
        dev: DevRef {
            name: "rx".into(),
            netns: None,
        },
        hook: "ingress",
        how: ReadHow::DataMeta,
        step: 0,
        buffer: BufferNo(1),
        offset: Some(80),
        bytes: vec![42, 0, 0, 0],
        origins: (0..4).map(|byte| OriginId { source: 1, byte }).collect(),
        verdict: Verdict::Ok,
        expected: None,
    });
    let json = serde_json::to_value(RunJson::new(&recorder.trace)).unwrap();
    assert_eq!(
        (&json["schema"], &json["scenario"], &json["design"]),
        (
            &json!("headroom-trace/1"),
            &json!("x"),
            &json!("mac_header")
        )
    );
    let read = json!({
        "program": "get_tag", "dev": "rx", "hook": "ingress", "after_seq": 1, "how": "data_meta", "len": 4,
        "value": "2a000000", "verdict": "ok", "offset": 80,
        "origins": ["tag, byte 0", "tag, byte 1", "tag, byte 2", "tag, byte 3"]
    });
    assert_eq!(json["reads"][0], read);
    assert_eq!(json["verdict"], json!("ok"));
    for key in ["events", "maps", "printk", "cost", "warnings"] {
        assert!(json.get(key).is_some(), "{key}");
    }
}
