use super::*;
use crate::design::DesignName;
use crate::recording::open::of_recording;
use crate::recording::{Packet, Recording};
use crate::scenario::{Parsed, parse_setup};
use crate::scene::testing::decap;
use crate::simulate::{Input, simulate};

fn simulated(trace: &Trace) -> Column<'_> {
    Column {
        trace,
        recorded: false,
    }
}

/// By hand from the testing trace: until the tunnel all is equal; then `ip_tunnel_rcv` moves
/// `mac_header`, and with it the metadata of the design that keeps them there.
#[test]
fn the_first_difference_of_the_designs_is_the_decapsulation() {
    let (mac, end) = (decap("mac_header"), decap("meta_end"));
    let rows = compare(&[simulated(&mac), simulated(&end)], Zoom::Functions);
    let first = next_difference(&rows, 0).expect("a difference");
    assert_eq!(
        rows[first].row.name.to_string(),
        "ip_tunnel_rcv.exit@decap#1"
    );
    let metadata = &rows[first].difference.fields[0];
    assert_eq!(metadata.name, "metadata");
    assert_eq!(
        metadata.values,
        [Some("290–293".to_owned()), Some("252–255".to_owned())]
    );
    assert!(metadata.differs_from(0, 1) && !metadata.differs_from(0, 0));
    let exit = rows
        .iter()
        .find(|row| row.row.name.to_string() == "get_tag.exit@decap#1")
        .expect("the read");
    assert_eq!(
        exit.difference.reads,
        Some(vec![Some("524288, garbage".into()), Some("42, ok".into())])
    );
    let absent: Vec<String> = rows
        .iter()
        .filter(|row| row.difference.absent)
        .map(|row| row.row.name.to_string())
        .collect();
    assert_eq!(
        absent,
        [
            "bpf_skb_meta_realign.entry@decap#1",
            "bpf_skb_meta_realign.exit@decap#1"
        ]
    );
    assert_eq!(previous_difference(&rows, first), None);
    assert_eq!(previous_difference(&rows, rows.len()), Some(rows.len() - 1));
}

/// The realigned tag overwrites the GRE header in one design only: 2a 00 00 00 where 00 00 08 00 is.
#[test]
fn bytes_are_compared_one_by_one() {
    let (mac, end) = (decap("mac_header"), decap("meta_end"));
    let rows = compare(&[simulated(&mac), simulated(&end)], Zoom::Functions);
    let exit = rows.last().expect("the read");
    assert_eq!(exit.row.name.to_string(), "get_tag.exit@decap#1");
    assert_eq!(exit.difference.bytes, [290..291, 292..293]);
    let first = &exit.difference.first_bytes;
    assert_eq!(first, &[Some("00".to_owned()), Some("2a".to_owned())]);
}

fn load(name: &str, design: &str) -> (Recording, Trace) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/recordings");
    let file = format!("{folder}/{name}.{design}.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let recording = Recording::read(&file, &text).expect("a recording");
    let object = |source: &String| {
        let path = std::path::Path::new(folder)
            .join("programs")
            .join(source)
            .with_extension("o");
        (source.clone(), std::fs::read(path).expect("an object"))
    };
    let objects: Vec<_> = recording.head.programs.values().map(object).collect();
    let lines = parse_setup(&recording.head.setup).expect("commands");
    let input = Input::new(
        &recording.head.id,
        Parsed {
            lines,
            skipped: Vec::new(),
        },
        &objects,
    )
    .expect("an input");
    let trace = simulate(&input, DesignName::parse(design).expect("a design")).expect("a run");
    (recording, trace)
}

/// `headroom check` finds these recordings equal, so the page must too: no field, no byte, no return
/// value, and no step but those the kernel's compiler hid.
#[test]
fn a_recording_beside_its_own_design_shows_no_difference() {
    for (name, design) in [
        ("E2-gre-veth-full", "mac_header"),
        ("E2-gre-veth-full", "meta_end"),
        ("E5-vxlan-4b-native", "mac_header"),
        ("E1-veth-32b-generic", "meta_end"),
    ] {
        let (recording, trace) = load(name, design);
        let seen = of_recording(&recording).trace;
        let columns = [
            simulated(&trace),
            Column {
                trace: &seen,
                recorded: true,
            },
        ];
        let rows = compare(&columns, Zoom::Functions);
        let both = rows
            .iter()
            .filter(|row| row.presence == [Presence::Here; 2])
            .count();
        assert_eq!(
            both,
            seen.steps.len(),
            "{name}.{design}: every recorded step has its row"
        );
        for row in &rows {
            assert_eq!(
                row.difference,
                Difference::default(),
                "{name}.{design}: {}",
                row.row.name
            );
        }
    }
}

#[test]
fn a_recording_that_is_changed_differs_where_it_was_changed() {
    let (mut recording, trace) = load("E2-gre-veth-full", "mac_header");
    let moved = recording
        .events
        .iter_mut()
        .find_map(|event| match &mut event.packet {
            Packet::Skb(skb) if event.stage.name == "ip_tunnel_rcv" => {
                Some(&mut skb.fields.mac_header)
            }
            _ => None,
        });
    *moved.expect("the tunnel's event") = Some(295);
    let seen = of_recording(&recording).trace;
    let rows = compare(
        &[
            simulated(&trace),
            Column {
                trace: &seen,
                recorded: true,
            },
        ],
        Zoom::Functions,
    );
    let first = next_difference(&rows, 0).expect("a difference");
    assert!(
        rows[first]
            .row
            .name
            .to_string()
            .starts_with("ip_tunnel_rcv.entry@"),
        "{}",
        rows[first].row.name
    );
    let field = &rows[first].difference.fields[0];
    assert_eq!(
        (field.name, field.values.clone()),
        ("mac_header", vec![Some("294".into()), Some("295".into())])
    );
    assert_eq!(next_difference(&rows, first + 1), None);
}
