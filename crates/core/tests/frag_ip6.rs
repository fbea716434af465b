//! Reassembly of IPv6 and of what is left of metadata then. Expected values are arithmetic: 256 bytes of headroom,
//! Ethernet 14, IPv6 40, fragment header 8.

mod catalogue;
mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::simulate::simulate;
use headroom_core::trace::{Trace, Verdict};
use world::{WIRE, at, functions, whole};

/// A fragment of an ICMPv6 message: where it begins, whether more follow, its bytes.
fn fragment(offset: u16, more: bool, part: &[u8]) -> String {
    let mut bytes = vec![
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0,
    ];
    bytes.extend((part.len() as u16 + 8).to_be_bytes());
    bytes.extend([44, 64]);
    for host in [2, 1] {
        bytes.extend([
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host,
        ]);
    }
    bytes.extend([58, 0]);
    bytes.extend((offset | u16::from(more)).to_be_bytes());
    bytes.extend([0, 0, 0, 7]);
    bytes.extend_from_slice(part);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An echo reply of 40 bytes, which nobody waits for; its checksum over the pseudo header of the two hosts.
fn message() -> Vec<u8> {
    let mut message = vec![129, 0, 0, 0, 0, 7, 0, 1];
    message.extend(0x41..0x61);
    let words = |bytes: &[u8]| -> u32 {
        let pairs = bytes.chunks(2);
        pairs
            .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
            .sum()
    };
    let host = 0x2001 + 0x0db8;
    let mut sum = words(&message) + 2 * host + 1 + 2 + 40 + 58;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    message[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    message
}

fn receive(frames: &[String], design: DesignName) -> Trace {
    let sends: String = frames
        .iter()
        .map(|frame| format!("orc send tx {frame} tx\n"))
        .collect();
    whole(&format!("{WIRE}orc xdp set_tag rx native\n{sends}"), design)
}

fn saw(trace: &Trace, function: &str) -> usize {
    let all = functions(trace, "rx");
    all.iter().filter(|name| **name == function).count()
}

/// `ip6_frag_reasm()`: what is in front of the fragment header moves 8 bytes up, over it: the MAC header from 256 to 264,
/// the tag from 252 to 256. The message is 24 + 16 bytes, with a right checksum, so that it comes to its handler.
#[test]
fn the_headers_move_over_the_fragment_header() {
    let message = message();
    let first = fragment(0, true, &message[..24]);
    let last = fragment(24, false, &message[24..]);
    for frames in [[first.clone(), last.clone()], [last.clone(), first.clone()]] {
        for design in [MacHeader, MetaEnd] {
            let trace = receive(&frames, design);
            assert_eq!(saw(&trace, "ipv6_frag_rcv"), 2);
            let packet = at(&trace, "icmpv6_rcv", "rx");
            assert_eq!(packet.len, 40, "{design:?}");
            assert_eq!(packet.mac_header, Some(264));
            assert_eq!(packet.network_header, Some(264 + 14));
            assert_eq!(packet.transport_header, Some(264 + 14 + 40));
            assert_eq!(packet.data, 264 + 14 + 40);
            // v3, patch 7: veth records 256, while `data` is at the MAC header
            let end = if design == MetaEnd { 256 } else { 264 };
            assert_eq!(packet.meta.end, Some(end));
            assert_eq!(saw(&trace, "icmpv6_rcv"), 1);
            assert!(world::drops(&trace).iter().all(|reason| *reason != 83));
        }
    }
}

/// A hole leaves all waiting; a fragment that is not the last one and no multiple of 8 is answered (RFC 8200, 4.5), as is a
/// first one without the whole upper header; an atomic fragment needs nobody else.
#[test]
fn what_is_not_put_together() {
    let message = message();
    let alone = receive(&[fragment(0, true, &message[..24])], MacHeader);
    assert_eq!(
        (saw(&alone, "icmpv6_rcv"), saw(&alone, "icmp6_send")),
        (0, 0)
    );
    let odd = receive(&[fragment(0, true, &message[..23])], MacHeader);
    assert_eq!((saw(&odd, "icmpv6_rcv"), saw(&odd, "icmp6_send")), (0, 1));
    let cut = receive(&[fragment(0, true, &message[..0])], MacHeader);
    assert_eq!(saw(&cut, "icmp6_send"), 1);
    let atomic = receive(&[fragment(0, false, &message)], MacHeader);
    assert_eq!(saw(&atomic, "icmpv6_rcv"), 1);
    assert_eq!(at(&atomic, "icmpv6_rcv", "rx").mac_header, Some(256));
}

/// Behind a tunnel: `mac_header` reads the GRE header as ever; `meta_end` was not told that everything moved, and reads the
/// four bytes in front of the tag.
#[test]
fn reassembly_moves_metadata_away_from_meta_end() {
    let read = |design| {
        let trace = simulate(&catalogue::input("reassembly-ip6gre"), design).expect("a run");
        let reads = trace.reads.iter().map(|read| (read.value(), read.verdict));
        reads.collect::<Vec<_>>()
    };
    assert_eq!(read(MacHeader), [(Some(524_288), Verdict::Garbage); 2]);
    assert_eq!(read(MetaEnd), [(Some(0), Verdict::Garbage); 2]);
}
