//! Which event is which, and what is in the scope.

use super::tests::{changed, find, load, played, skb};
use super::*;
use crate::recording::event::Stage;
use crate::trace::Edge;

#[test]
fn an_event_the_simulator_lacks_is_not_covered_by_name() {
    let report = changed(|events| events.retain(|traced| traced.event.stage.name != "eth_header"));
    // One tunnel packet out and one back, each with entry and exit.
    assert_eq!(
        report.not_covered,
        BTreeMap::from([("eth_header".to_owned(), 4)])
    );
    assert_eq!((report.events, report.events_covered), (217, 213));
    assert_eq!(report.differences_total, 0, "{report}");
    assert!(!report.passed());
}

#[test]
fn a_whole_packet_that_is_missing_does_not_shift_the_others() {
    let report = changed(|events| events.retain(|traced| traced.event.skb != Some(1)));
    assert_eq!(report.differences_total, 0, "{report}");
    assert!(!report.not_covered.is_empty());
}

fn with_extra(name: &str, edge: Edge) -> Report {
    changed(|events| {
        let at = find(events, "ip_rcv_core:entry", "decap");
        let mut extra = events[at].clone();
        extra.event.stage = Stage {
            name: name.into(),
            edge,
        };
        events.insert(at, extra);
    })
}

#[test]
fn an_extra_event_is_a_difference_if_a_recording_could_have_it() {
    let report = with_extra("skb_clone", Edge::Entry);
    assert_eq!(
        (
            report.differences_total,
            report.differences[0].field.as_str()
        ),
        (1, "event")
    );
    // Inlined in this kernel; inlined at the call; left out of all recordings; the inside of freeing.
    for (name, edge) in [
        ("skb_data_move", Edge::Entry),
        ("bpf_skb_meta_realign", Edge::Entry),
        ("ip_rcv_finish", Edge::Entry),
        ("__dev_queue_xmit", Edge::Exit),
        ("skb_release_data", Edge::Entry),
        ("consume_skb", Edge::Entry),
    ] {
        let report = with_extra(name, edge);
        assert!(report.passed(), "{name}: {report}");
    }
}

#[test]
fn the_order_of_one_packets_events_must_be_the_same() {
    let report = changed(|events| {
        let at = find(events, "ip_rcv_core:entry", "decap");
        events.swap(at, at + 1);
    });
    assert_eq!(
        (
            report.differences_total,
            report.differences[0].field.as_str()
        ),
        (1, "order")
    );
    assert_eq!(report.events_covered, 217);
}

#[test]
fn xdp_runs_at_its_place_between_the_skb_events() {
    let report = changed(|events| {
        let at = find(events, "set_tag:entry", "rx");
        let xdp: Vec<TracedEvent> = events.drain(at..at + 4).collect();
        events.splice(at + 1..at + 1, xdp);
    });
    assert_eq!(
        (
            report.differences_total,
            report.differences[0].field.as_str()
        ),
        (4, "order"),
        "{report}"
    );
}

#[test]
fn the_same_function_on_another_device_is_a_difference_of_the_device() {
    let report = changed(|events| {
        let at = find(events, "ip_rcv_core:entry", "decap");
        events[at].event.dev = Some("rx".into());
    });
    let first = &report.differences[0];
    assert_eq!(
        (
            first.field.as_str(),
            first.expected.as_str(),
            first.got.as_str()
        ),
        ("dev", "decap", "rx")
    );
    assert_eq!((report.differences_total, report.events_covered), (1, 217));
}

#[test]
fn the_receive_side_alone() {
    for (name, dev) in [
        ("E2-gre-veth-full.mac_header.json", "rx"),
        ("E1-veth-4b-generic.meta_end.json", "rx"),
    ] {
        let recording = load(name);
        let (trace, mut events) = played(&recording);
        // A simulator without any transmit side.
        let transmit = [
            "ipgre_xmit",
            "ip_output",
            "veth_xmit",
            "dev_hard_start_xmit",
            "neigh_resolve_output",
            "icmp_reply",
        ];
        events.retain(|traced| !transmit.contains(&traced.event.stage.name.as_str()));
        let scope = Scope::Receive { dev: dev.into() };
        let report = compare_events(&recording, &trace, &events, &scope);
        assert!(report.passed() && report.events > 20, "{report}");
        assert!(!compare_events(&recording, &trace, &events, &Scope::All).passed());
        let at = events
            .iter()
            .position(|traced| traced.event.stage.to_string() == "icmp_rcv:entry")
            .unwrap();
        skb(&mut events[at]).fields.data += 1;
        assert!(!compare_events(&recording, &trace, &events, &scope).passed());
    }
}

#[test]
fn a_buffers_number_may_be_reused_after_its_packet_ended() {
    // skb 1 ends inside skb_pp_cow_data(), which copies it into skb 2.
    let mut recording = load("E2-gre-veth-full.mac_header.json");
    for event in &mut recording.events {
        if let (Some(2), Packet::Skb(skb)) = (event.skb, &mut event.packet) {
            (skb.head, skb.fields.dataref) = (1, 2);
        }
    }
    let (trace, mut events) = played(&recording);
    for traced in events
        .iter_mut()
        .filter(|traced| traced.event.skb == Some(2) && traced.event.kind() == "skb")
    {
        skb(traced).head = 9;
    }
    let report = compare_events(&recording, &trace, &events, &Scope::All);
    assert!(report.passed(), "{report}");
}
