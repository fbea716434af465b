//! The matrix and the chain behind a read. Facts are the seed mail's and arithmetic by hand.

mod catalogue;

use catalogue::input;
use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use headroom_core::matrix::{CellVerdict, Matrix, cell, csv, json, markdown, row, text};
use headroom_core::scene::names;
use headroom_core::simulate::simulate;
use headroom_core::why::{Event, all_changes, chain, lines};

/// The seed mail: decap prints 524288 today, 42 with the series. The series moves the 4 bytes once; `get_tag` runs
/// three times (rx twice, decap once) behind a prologue of three instructions; `meta_end` is a u16.
#[test]
fn the_seed_row() {
    let row = row("seed", &input("seed"), &[MacHeader, MetaEnd]);
    let [today, series] = row.cells.as_slice() else {
        panic!("two cells: {row:?}")
    };
    assert_eq!(
        (
            today.verdict,
            today.value,
            today.reads_ok,
            today.reads_wrong
        ),
        (CellVerdict::Garbage, Some(524_288), 2, 1)
    );
    assert_eq!(
        (
            series.verdict,
            series.value,
            series.reads_ok,
            series.reads_wrong
        ),
        (CellVerdict::Ok, Some(42), 3, 0)
    );
    let cost = |cell: &headroom_core::matrix::Cell| {
        let cost = cell.cost;
        (
            cost.metadata_bytes_moved,
            cost.structure_bytes,
            cost.prologue_instructions,
        )
    };
    assert_eq!((cost(today), cost(series)), ((0, 0, 0), (4, 2, 9)));
}

/// The MAC header is reset in front of `ip_tunnel_rcv()`, for the second packet that comes in on rx.
#[test]
fn a_wrong_cell_names_the_step_that_parted_bytes_and_pointer() {
    let cell = cell(&input("seed"), MacHeader);
    assert_eq!(cell.step.as_deref(), Some("ip_tunnel_rcv.entry@rx#2"));
    assert!(cell.read.is_some_and(|read| read.contains("@decap#1")));
}

/// Headroom 256, L 4, Ethernet 14 + IPv4 20 + GRE 4: written at 252, looked for at 290.
#[test]
fn the_chain_of_the_seed_read() {
    let trace = simulate(&input("seed"), MacHeader).expect("a run");
    let read = trace.reads.last().expect("a read");
    let events: Vec<Event> = chain(&trace, read).iter().map(|link| link.event).collect();
    let [
        Event::Written { at: 252 },
        Event::PointerReset {
            from: Some(252),
            to: Some(290),
        },
        Event::Read { at: Some(290), .. },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    let lines = lines(&trace, &names(&trace), read);
    assert!(
        lines[0].contains("written at 252–255 by set_tag on rx"),
        "{lines:?}"
    );
    assert!(lines[1].contains("pointer reset by"), "{lines:?}");
    assert!(lines[1].contains("ip_gre.c"), "{lines:?}");
    assert!(
        lines[2].contains("read at 290–293 by get_tag on decap"),
        "{lines:?}"
    );
}

/// The true read of the series: the realign prologue moved the bytes 38 up.
#[test]
fn the_chain_of_a_true_read_names_the_move() {
    let trace = simulate(&input("seed"), MetaEnd).expect("a run");
    let read = trace.reads.last().expect("a read");
    let links = chain(&trace, read);
    let moved = links
        .iter()
        .find(|link| link.event == Event::Moved { from: 252, to: 290 });
    assert_eq!(
        moved.map(|link| link.actor.function.as_str()),
        Some("bpf_skb_meta_realign")
    );
}

/// Every changed field of every step has a rule and somebody who carried it out.
#[test]
fn every_change_has_a_rule() {
    for design in [MacHeader, MetaEnd] {
        let trace = simulate(&input("seed"), design).expect("a run");
        let changes = all_changes(&trace);
        assert!(changes.len() > 50, "{}", changes.len());
        for (step, changes) in &changes {
            for change in changes {
                assert!(!change.rule.is_empty(), "{step} {change:?}");
                assert!(!change.actor.function.is_empty(), "{step} {change:?}");
            }
        }
    }
}

/// `__iptunnel_pull_header()` takes outer IPv4 and GRE: 24 bytes.
#[test]
fn a_pull_is_called_a_pull() {
    let trace = simulate(&input("seed"), MacHeader).expect("a run");
    let rules: Vec<String> = all_changes(&trace)
        .into_values()
        .flatten()
        .filter(|change| {
            change.actor.function == "__iptunnel_pull_header" && change.change.name == "data"
        })
        .map(|change| change.rule)
        .collect();
    assert!(
        rules
            .iter()
            .all(|rule| rule.starts_with("skb_pull: data +")),
        "{rules:?}"
    );
    assert!(!rules.is_empty());
}

/// The packet leaves `veth_xdp_rcv_skb()` under another number, so no step inside shows what is set behind
/// `eth_type_trans()`; the driver did it all the same (`drivers/net/veth.c`).
#[test]
fn the_driver_hands_the_metadata_over() {
    let trace = simulate(&input("seed"), MacHeader).expect("a run");
    let by: Vec<String> = all_changes(&trace)
        .into_values()
        .flatten()
        .filter(|change| change.rule.starts_with("skb_metadata_set"))
        .map(|change| change.actor.to_string())
        .collect();
    assert!(!by.is_empty());
    assert!(
        by.iter()
            .all(|by| by == "veth_xdp_rcv_skb (drivers/net/veth.c) on rx"),
        "{by:?}"
    );
}

/// Rendering: the shape of each format, not its facts.
#[test]
fn the_formats() {
    let designs = [MacHeader, MetaEnd];
    let matrix = Matrix::new(
        &designs,
        vec![row("A, \"quoted\" title", &input("seed"), &designs)],
    );
    assert!(text(&matrix).contains("  mac_header  524288 garbage"));
    assert!(markdown(&matrix).contains("| seed | 524288 garbage "));
    let csv = csv(&matrix);
    let columns: Vec<usize> = csv.lines().map(|line| line.matches(',').count()).collect();
    assert_eq!(columns, [13, 13, 13]);
    let json: serde_json::Value =
        serde_json::from_str(&json(&matrix).expect("json")).expect("json");
    assert_eq!(json["schema"], "headroom-matrix/1");
    assert_eq!(json["rows"][0]["cells"][0]["verdict"], "garbage");
}
