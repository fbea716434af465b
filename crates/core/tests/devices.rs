//! What section 6 of patch-series.md says of tunnels, VLANs, forwarding, MPLS and GRO, one test a line. The commands
//! are those of recordings; the values are the mail's and the recorded kernels'.

use std::fs;
use std::path::Path;

use headroom_core::design::DesignName;
use headroom_core::recording::Recording;
use headroom_core::scenario::{Parsed, parse_setup};
use headroom_core::simulate::{Input, simulate_partial};
use headroom_core::trace::Trace;

/// Runs the commands of a recording, with those that begin with `from` replaced, under a design.
fn run_with(id: &str, design: DesignName, edit: impl Fn(&mut Vec<String>)) -> Trace {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let path = dir.join(format!("{id}.{}.json", design.as_str()));
    let text = fs::read_to_string(&path).expect("a recording");
    let recording = Recording::read(id, &text).expect("a recording");
    let object = |source: &String| {
        let object = dir.join("programs").join(source).with_extension("o");
        (source.clone(), fs::read(object).expect("an object"))
    };
    let objects: Vec<_> = recording.head.programs.values().map(object).collect();
    let mut setup = recording.head.setup.clone();
    edit(&mut setup);
    let parsed = Parsed {
        lines: parse_setup(&setup).expect("commands"),
        skipped: Vec::new(),
    };
    let input = Input::new(id, parsed, &objects).expect("an input");
    simulate_partial(&input, design).trace
}

fn printk(id: &str, design: DesignName) -> Vec<String> {
    run_with(id, design, |_| {}).printk
}

use DesignName::{MacHeader, MetaEnd};

/// 6a: gretap `00 00 65 58`, VXLAN and GENEVE with VNI 42 `00 00 2a 00`, IPIP the outer destination address.
#[test]
fn garbage_by_tunnel() {
    for (id, garbage) in [
        ("E4-gretap-4b-native", 1_483_014_144_u32),
        ("E5-vxlan-4b-native", 2_752_512),
        ("E7-geneve-4b-native", 2_752_512),
        ("E6-ipip-4b-native", 16_777_226),
    ] {
        let lines = |value: u32| {
            [
                format!("get_tag_dynptr: ret 0 size 4 value {value}"),
                format!("get_meta: {value}"),
            ]
        };
        assert_eq!(printk(id, MacHeader), lines(garbage), "{id}");
        assert_eq!(printk(id, MetaEnd), lines(42), "{id}");
    }
}

/// 6a: `skb_reorder_vlan_header()` moves metadata 4 bytes up; 6b: a 4-byte gap stays, readers still get 42.
#[test]
fn vlan_untag_in_software() {
    for design in [MacHeader, MetaEnd] {
        for id in ["E3-vlan-4b-native", "E3-qinq-native"] {
            let lines = printk(id, design);
            assert!(
                lines.len() == 4 && lines.iter().all(|line| line.ends_with("42")),
                "{id}: {lines:?}"
            );
        }
    }
}

/// 6a: hardware-accelerated VLAN: no bytes move.
#[test]
fn vlan_beside_the_packet_moves_no_bytes() {
    for design in [MacHeader, MetaEnd] {
        let trace = run_with("E3-vlan-hwaccel-native", design, |_| {});
        assert_eq!(trace.cost.metadata_bytes_moved, 0);
        assert!(trace.printk.iter().all(|line| line.ends_with("42")));
    }
}

/// 6a: MPLS pop and loopback: the window is shifted by 4, the first 4 metadata bytes are lost.
#[test]
fn mpls_pop_shifts_the_window_by_four() {
    let id = "E11-mpls-pop-lo-native";
    assert_eq!(
        printk(id, MacHeader)[1],
        "get_meta: 2",
        "02:00:00:00 of the MAC address"
    );
    assert_eq!(printk(id, MetaEnd)[1], "get_meta: 42");
}

/// 6a: plain L3 forwarding (pull 14, push 14): metadata intact at TC egress.
#[test]
fn plain_forwarding_keeps_metadata() {
    for design in [MacHeader, MetaEnd] {
        let lines = printk("E10-fwd-plain-4b-native", design);
        assert!(lines.iter().all(|line| line.ends_with("42")), "{lines:?}");
    }
}

/// 6a: a pushed header overwrites adjacent metadata silently; 6b: a `data_meta` reader then warns.
#[test]
fn encapsulation_overwrites_metadata() {
    let id = "E10-fwd-gre-lower-only";
    let silent = run_with(id, MacHeader, |_| {});
    assert_eq!(silent.printk, ["get_meta: 0"]);
    assert!(silent.warnings.is_empty());
    let loud = run_with(id, MetaEnd, |_| {});
    assert_eq!(loud.warnings[0], "skb metadata end past mac header");
}

/// 6a, LWT from 7.2: length 0 after `lwtunnel_xmit`.
#[test]
fn light_weight_tunnels_clear_metadata() {
    for id in ["E11-lwt-mpls-4b", "E11-lwt-bpf-4b"] {
        for design in [MacHeader, MetaEnd] {
            let lines = printk(id, design);
            let all = lines.join("\n");
            assert!(all.contains("get_meta: no metadata"), "{id}: {all}");
        }
    }
}

/// 6a, GRO: same length, different bytes: no merge; equal: merge, and the first packet's metadata stay.
#[test]
fn gro_merges_only_equal_metadata() {
    let reads = |id| printk(id, MacHeader).len();
    assert_eq!(reads("E11-gro-different"), 6, "three packets, two readers");
    assert_eq!(reads("E11-gro-equal"), 4, "two packets, two readers");
}

/// 6a: `skb_scrub_packet()` does not touch headroom metadata, across namespaces neither.
#[test]
fn scrubbing_keeps_metadata() {
    let lines = printk("E11-gre-netns", MetaEnd);
    assert!(lines.iter().all(|line| line.ends_with("42")), "{lines:?}");
}

/// Not in section 6: the second packet to a neighbour gets a cached link header, a block of 16 bytes of which 2 stand
/// in front of it, over the end of the metadata (`neigh_hh_output()`).
#[test]
fn a_cached_link_header_overwrites_two_bytes_of_metadata() {
    let trace = run_with("E10-fwd-plain-32b-native", MacHeader, |setup| {
        let send = setup.last().cloned().unwrap_or_default();
        setup.push(send);
    });
    let ends: Vec<_> = trace
        .reads
        .iter()
        .filter(|read| read.bytes.len() == 32)
        .map(|read| read.bytes[30..].to_vec())
        .collect();
    assert!(ends.len() >= 2, "{}", ends.len());
    assert_ne!(ends[0], [0, 0], "the first packet's metadata are whole");
    assert_eq!(ends[ends.len() - 1], [0, 0]);
}
