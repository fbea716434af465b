//! Designs as data: a policy does what the hand-written design does, and the designs that are not recorded do what
//! patch-series.md says of them.

mod catalogue;
mod recorded;

use headroom_core::design::DesignName::{self, *};
use headroom_core::design::Policy;
use headroom_core::matrix::{CellVerdict, cell};
use headroom_core::recording::RunJson;
use headroom_core::simulate::simulate_partial;
use headroom_core::trace::Trace;

use recorded::input;

/// What a trace says, apart from the name of its design.
fn said(mut trace: Trace) -> String {
    trace.design = "same".into();
    let run = RunJson::new(&trace);
    serde_json::to_string(&run).expect("json")
}

/// `custom` with the policy of a recorded design gives the same trace for every third recorded set-up: every event, byte, read
/// and cost, but for the bytes that `mac_header` adds to structures (none) and the prologue's name.
#[test]
fn a_policy_is_as_good_as_the_design() {
    let mut compared = 0;
    for (design, policy) in [(MacHeader, Policy::MAC_HEADER), (MetaEnd, Policy::META_END)] {
        for id in recorded::ids(design).into_iter().step_by(3) {
            let input = input(&id, design);
            let by_hand = said(simulate_partial(&input, design).trace);
            let by_policy = said(simulate_partial(&input, Custom(policy)).trace);
            assert!(by_hand == by_policy, "{id} {}", design.as_str());
            compared += 1;
        }
    }
    assert!(compared >= 80, "{compared}");
}

/// v2 and v3 differ in how the prologue calls realign, not in what it does.
#[test]
fn meta_end_v2_does_what_v3_does() {
    for id in [
        "E2-gre-veth-both-native",
        "E8-w_slice-gap-4b",
        "E10-fwd-gre-lower-only",
    ] {
        let input = input(id, MetaEnd);
        let v3 = said(simulate_partial(&input, MetaEnd).trace);
        assert!(
            v3 == said(simulate_partial(&input, MetaEndV2).trace),
            "{id}"
        );
    }
}

fn verdict(id: &str, design: DesignName) -> (CellVerdict, Option<u32>) {
    let cell = cell(&input(id, MacHeader), design);
    assert_ne!(cell.verdict, CellVerdict::NotCovered, "{id}: {}", cell.note);
    (cell.verdict, cell.value)
}

/// Behind GRE decap with both readers on the tunnel device: `mac_header` 256 → 294, written at 252.
#[test]
fn gre_decap_under_every_design() {
    let id = "E2-gre-veth-decap-both-readers-native";
    use CellVerdict::{Garbage, Lost, Ok, Refused};
    for (design, wanted) in [
        (MacHeader, (Garbage, Some(524_288))),
        (MetaEnd, (Ok, Some(42))),
        // no dynptr before 6.18: the reader can't be loaded
        (MacHeader6_12, (Refused, None)),
        (MacHeader6_18, (Garbage, Some(524_288))),
        (MacHeader6_19, (Garbage, Some(524_288))),
        (MetaEndV2, (Ok, Some(42))),
        (MemmoveOnDecap, (Ok, Some(42))),
        (SkbExt, (Ok, Some(42))),
        // ip_tunnel_rcv() scrubs, and scrubbing drops the extension
        (SkbLocalStorage, (Lost, None)),
        (MapStash, (Ok, Some(42))),
        (MapStashGated, (Ok, Some(42))),
        (MapStashBare, (Ok, Some(42))),
        (Traits, (Ok, Some(42))),
    ] {
        assert_eq!(verdict(id, design), wanted, "{}", design.as_str());
    }
}

/// The RFC has no patch for veth: `meta_end` is 270, 14 past the MAC header, so a dynptr shows the last bytes of the MAC
/// header: source address …00:01 and type 08 00 → the four bytes at 266–269.
#[test]
fn the_rfc_reads_the_mac_header_on_veth() {
    let id = "E2-gre-veth-dynptr-native";
    assert_eq!(verdict(id, MetaEndRfc).0, CellVerdict::Garbage);
    let trace = simulate_partial(&input(id, MetaEnd), MetaEndRfc).trace;
    let read = trace.reads.iter().find(|read| read.dev.name == "rx");
    if let Some(read) = read {
        assert_eq!(read.offset, Some(266));
    }
    let first = &trace.reads[0];
    assert_eq!(first.offset, Some(266));
}

/// Scenarios of Linux 7.2 that older kernels answer in another way.
#[test]
fn older_kernels() {
    // bpf_skb_change_head() over adjacent metadata: 6.18 zeroes what it pushes over them
    assert_eq!(
        verdict("E8-h_change_head-aligned-4b", MacHeader),
        (CellVerdict::Ok, Some(42))
    );
    let old = verdict("E8-h_change_head-aligned-4b", MacHeader6_18).0;
    assert!(
        old == CellVerdict::Garbage || old == CellVerdict::Overwritten,
        "{old:?}"
    );
    // a tap makes a clone; the unclone prologue of 6.18 loses the metadata
    let id = "E9-tap-rx-w_data_meta";
    assert_eq!(verdict(id, MacHeader6_19), (CellVerdict::Ok, Some(43)));
    let old = cell(&input(id, MacHeader), MacHeader6_18);
    assert_eq!(old.verdict, CellVerdict::Lost);
    assert_eq!(old.step.as_deref(), Some("pskb_expand_head.exit@rx#1"));
    // light-weight tunnels: cleared since 7.2, overwritten before
    assert_eq!(verdict("E11-lwt-mpls-4b", MacHeader).0, CellVerdict::Lost);
    let old = verdict("E11-lwt-mpls-4b", MacHeader6_19).0;
    assert!(
        old > CellVerdict::Refused && old != CellVerdict::Lost,
        "{old:?}"
    );
}

/// Cost by hand: one packet with 4 bytes, one decapsulation.
#[test]
fn costs_of_one_decapsulation() {
    let cost = |design| cell(&input("E2-gre-veth-dynptr-native", MacHeader), design).cost;
    let (today, moved) = (cost(MacHeader), cost(MemmoveOnDecap));
    assert_eq!(
        (today.metadata_bytes_moved, moved.metadata_bytes_moved),
        (0, 4)
    );
    assert_eq!(
        (today.metadata_allocations, moved.metadata_allocations),
        (0, 0)
    );
    let (ext, local) = (cost(SkbExt), cost(SkbLocalStorage));
    assert_eq!((ext.metadata_bytes_moved, ext.metadata_allocations), (4, 1));
    assert_eq!(local.metadata_allocations, 3);
}

/// Every design has a page, and the page says how sure one can be of it.
#[test]
fn every_design_has_a_page() {
    for design in DesignName::EVERY {
        let page = catalogue::content().join(format!("designs/{}.md", design.page()));
        let text = std::fs::read_to_string(&page)
            .unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let line = format!("| `{}` | {} |", design.as_str(), design.mark().words());
        assert!(text.contains(&line), "{}: no line {line}", page.display());
    }
    let custom =
        std::fs::read_to_string(catalogue::content().join("designs/custom.md")).expect("a page");
    for (point, _, values) in Policy::MAC_HEADER.points() {
        assert!(custom.contains(&format!("`{point}`")), "{point}");
        for value in values {
            assert!(custom.contains(&format!("`{value}`")), "{point}={value}");
        }
    }
}
