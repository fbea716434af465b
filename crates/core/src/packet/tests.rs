//! The frames are those that were sent in the recordings of `tests/recordings/`; the kernel took
//! them as valid, so lengths and checksums in them are right.

use proptest::prelude::*;

use super::build;
use crate::packet::{Kind, parse, print, take_apart};
use crate::recording::Recording;

fn made(text: &str) -> Vec<u8> {
    let layers = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    build(&layers).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The frame of that number, from 1, that was sent in a recording.
fn sent(recording: &str, number: usize) -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    let file = format!("{root}/../../tests/recordings/{recording}.mac_header.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let recording = Recording::read(&file, &text).expect("a recording");
    recording.head.packets[number - 1].bytes.clone()
}

/// How a person would write the frame of a recording.
fn written() -> Vec<(&'static str, usize, String)> {
    let echo = "icmp / payload 6162636465666768696a6b6c6d6e6f707172737475767778";
    let inner = format!("ipv4 saddr=192.0.2.2 daddr=192.0.2.1 / {echo}");
    let outer = "ethernet / ipv4 id=0x1111";
    let tap = format!("ethernet h_dest=02:00:00:00:00:05 h_source=02:00:00:00:00:06 / {inner}");
    vec![
        ("E1-veth-0b-native", 1, format!("ethernet / ipv4 / {echo}")),
        ("E2-gre-veth-full", 1, inner.clone()),
        ("E11-gre-netns", 1, format!("{outer} / gre / {inner}")),
        (
            "E2-gre-veth-key-native",
            1,
            format!("{outer} / gre key=5 / {inner}"),
        ),
        (
            "E3-qinq-native",
            1,
            format!("ethernet / vlan id=8 / vlan / {inner}"),
        ),
        (
            "E3-vlan-4b-generic",
            1,
            format!("ethernet / vlan / {inner}"),
        ),
        (
            "E11-mpls-pop-lo-native",
            1,
            format!("ethernet / mpls / {inner}"),
        ),
        ("E6-ipip-4b-native", 1, format!("{outer} / {inner}")),
        ("E4-gretap-32b-native", 1, format!("{outer} / gre / {tap}")),
        (
            "E5-vxlan-4b-native",
            1,
            format!("{outer} / udp check=0 / vxlan / {tap}"),
        ),
        (
            "E7-geneve-4b-native",
            1,
            format!("{outer} / udp check=0 / geneve / {tap}"),
        ),
    ]
}

#[test]
fn frames_of_the_recordings() {
    for (name, number, text) in written() {
        assert_eq!(made(&text), sent(name, number), "{name}");
    }
}

#[test]
fn tcp_segments_of_a_recording() {
    for number in [2, 3] {
        let frame = sent("E11-gro-equal", number);
        let layers = take_apart(&frame);
        let kinds: Vec<Kind> = layers.iter().map(|layer| layer.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Ethernet, Kind::Ipv4, Kind::Tcp, Kind::Payload]
        );
        // No checksum is given: both are computed.
        assert_eq!(layers[1].given("check"), None);
        assert_eq!(layers[2].given("check"), None);
        assert_eq!(build(&layers), Ok(frame));
    }
}

#[test]
fn taken_apart_only_what_is_unusual_is_given() {
    let text = |name, number| print(&take_apart(&sent(name, number)));
    let outer = "ethernet / ipv4 id=0x1111";
    let inner = "ipv4 saddr=192.0.2.2 daddr=192.0.2.1 / icmp / payload 6162636465666768696a6b6c6d6e6f707172737475767778";
    let tap = format!("ethernet h_dest=02:00:00:00:00:05 h_source=02:00:00:00:00:06 / {inner}");
    assert_eq!(
        text("E2-gre-veth-key-native", 1),
        format!("{outer} / gre key=5 / {inner}")
    );
    assert_eq!(
        text("E5-vxlan-4b-native", 1),
        format!("{outer} / udp check=0x0000 / vxlan / {tap}")
    );
    assert_eq!(
        text("E3-qinq-native", 1),
        format!("ethernet / vlan id=8 / vlan / {inner}")
    );
}

/// RFC 8200 and RFC 4443 by hand. Addresses fc00::2 → fc00::1, ICMPv6 echo of 8 bytes, id 0x0707,
/// sequence 1. Sum of words: fc00 + 0002 + fc00 + 0001 = 0x1f803; length 8, next header 58 = 0x3a:
/// 0x1f845; header 8000 + 0707 + 0001 = 0x8708: 0x27f4d, folded 0x7f4f, inverted 0x80b0.
#[test]
fn an_echo_over_ipv6() {
    let frame = made("ethernet / ipv6 / icmp");
    assert_eq!(frame[12..14], [0x86, 0xdd]);
    assert_eq!(frame[14..22], [0x60, 0, 0, 0, 0, 8, 58, 64]);
    assert_eq!(frame[54..62], [128, 0, 0x80, 0xb0, 7, 7, 0, 1]);
}

/// RFC 768: a sum that comes out as zero is sent as ffff. Addresses 0.0.0.0, ports 0, length 8 + 2:
/// pseudo header 17 + 10 = 27, length 10, so a payload of ffff − 37 = ffda makes the sum ffff.
#[test]
fn a_udp_checksum_of_zero_is_all_ones() {
    let udp = |payload: &str| {
        let text =
            format!("ipv4 saddr=0.0.0.0 daddr=0.0.0.0 / udp source=0 dest=0 / payload {payload}");
        made(&text)[26..28].to_vec()
    };
    assert_eq!(udp("ffda"), [0xff, 0xff]);
    assert_eq!(udp("ffd9"), [0, 1]);
}

#[test]
fn what_is_given_stays_as_given() {
    let frame = made("ipv4 check=0xbeef tot_len=1 ttl=3 / payload 00");
    assert_eq!(
        (frame[10..12].to_vec(), frame[3], frame[8]),
        (vec![0xbe, 0xef], 1, 3)
    );
}

#[test]
fn what_is_wrong_has_a_place() {
    let parse = |text: &str| parse(text).expect_err(text).to_string();
    assert_eq!(
        parse("ethernet / ipx"),
        "column 12: “ipx” is no layer; there are ethernet, vlan, mpls, ipv4, ipv6, gre, udp, vxlan, geneve, icmp, tcp, payload"
    );
    assert_eq!(
        parse("vlan id=4096"),
        "column 6: id is 4096, at most 4095 fits"
    );
    assert_eq!(
        parse("ipv4 ttl=x"),
        "column 6: “x” is no ttl; ttl is a number"
    );
    assert_eq!(
        parse("ipv4 / "),
        "column 8: a layer is missing behind the /"
    );
    assert_eq!(
        parse("/ ipv4"),
        "column 1: a layer is missing in front of the /"
    );
    assert_eq!(parse("payload 0g"), "column 9: digit 2 of the hex is “g”");
    assert_eq!(
        parse("udp saddr=10.0.0.1"),
        "column 5: udp has no field “saddr”; it has source, dest, len, check"
    );
    let build = |text: &str| build(&super::super::parse(text).expect(text)).expect_err(text);
    assert_eq!(
        build("ethernet / tcp").to_string(),
        "layer 1, ethernet: tcp can't stand behind it; a h_proto of your own makes it so"
    );
    // 65,508 + 8 bytes fit UDP; with 20 more they don't fit IPv4.
    let long = format!("ipv4 / udp / payload {}", "00".repeat(65_508));
    assert_eq!(
        build(&long).to_string(),
        "layer 1, ipv4: tot_len is 65536, at most 65535 fits"
    );
}

proptest! {
    #[test]
    fn any_frame_taken_apart_builds_itself(
        pick in 0usize..11, flips in proptest::collection::vec((0usize..120, any::<u8>()), 0..4), cut in 0usize..110,
    ) {
        let (name, number, _) = &written()[pick];
        let mut frame = sent(name, *number);
        for (at, value) in flips {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        frame.truncate(cut);
        prop_assert_eq!(build(&take_apart(&frame)), Ok(frame));
    }

    #[test]
    fn text_there_and_back(pick in 0usize..11) {
        let (name, number, _) = &written()[pick];
        let layers = take_apart(&sent(name, *number));
        prop_assert_eq!(parse(&print(&layers)), Ok(layers));
    }

    #[test]
    fn any_text_is_read_without_a_fall(text in "[a-z0-9=:. /]{0,60}") {
        if let Ok(layers) = parse(&text) {
            let _ = build(&layers);
        }
    }
}
