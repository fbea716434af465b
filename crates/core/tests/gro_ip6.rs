//! GRO of TCP over IPv6. Expected values are arithmetic on the lengths sent: IPv6 40, TCP 20, payload 40 bytes.

mod catalogue;
mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::simulate::simulate;
use headroom_core::trace::{SkbFields, Trace};
use world::{WIRE, at, functions, whole};

/// The Internet checksum of a TCP segment between `2001:db8::2` and `2001:db8::1`.
fn checksum(segment: &[u8]) -> u16 {
    let mut bytes = Vec::new();
    for host in [2, 1] {
        bytes.extend([
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host,
        ]);
    }
    bytes.extend([0, 0, 0, segment.len() as u8, 0, 0, 0, 6]);
    bytes.extend_from_slice(segment);
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A frame with 40 bytes of payload; `word` is the first word of the IPv6 header.
fn frame(sequence: u32, word: u32, hop_limit: u8) -> String {
    let mut segment = Vec::new();
    segment.extend([0x03, 0xe8, 0x07, 0xd0]);
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 1, 0x50, 0x10, 3, 0xe8, 0, 0, 0, 0]);
    segment.extend([0x41; 40]);
    let check = checksum(&segment);
    segment[16..18].copy_from_slice(&check.to_be_bytes());
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd];
    bytes.extend(word.to_be_bytes());
    bytes.extend([0, segment.len() as u8, 6, hop_limit]);
    for host in [2, 1] {
        bytes.extend([
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host,
        ]);
    }
    bytes.extend(segment);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Two frames in one round, under a program that writes metadata.
fn burst(writer: &str, second: &str, design: DesignName) -> Trace {
    let first = frame(1, 0x6000_0000, 64);
    whole(
        &format!(
            "{WIRE}ethtool -K rx gro on\n\
             echo 2 > /sys/class/net/rx/napi_defer_hard_irqs\n\
             echo 200000000 > /sys/class/net/rx/gro_flush_timeout\n\
             orc xdp {writer} rx native\norc tcx get_meta rx ingress\norc burst tx tx {first} {second}\n"
        ),
        design,
    )
}

/// How many packets came up.
fn arrived(trace: &Trace) -> usize {
    let all = functions(trace, "rx");
    all.iter().filter(|name| **name == "tcp_v6_rcv").count()
}

/// One packet of 20 + 80 bytes behind the IPv6 header, whose payload length says so (`ip6_rcv_core()` would cut it
/// otherwise); the second payload is a fragment; the sum is left to the device.
#[test]
fn two_segments_become_one_packet() {
    for design in [MacHeader, MetaEnd] {
        let trace = burst("set_tag", &frame(41, 0x6000_0000, 64), design);
        assert_eq!(arrived(&trace), 1, "{design:?}");
        let SkbFields {
            len,
            data_len,
            nr_frags,
            gso_size,
            ip_summed,
            fragments,
            ..
        } = at(&trace, "tcp_v6_rcv", "rx");
        assert_eq!((len, data_len, nr_frags), (100, 40, 1));
        assert_eq!((gso_size, ip_summed), (40, 3));
        assert_eq!(fragments.len(), 1);
        assert_eq!(fragments[0].len, 40);
        // 256 of headroom, Ethernet 14, IPv6 40, TCP 20: where the payload lies in the head that was taken
        assert_eq!(fragments[0].offset, 256 + 14 + 40 + 20);
        assert_eq!(at(&trace, "tcp_v6_rcv", "rx").meta.len, 4);
    }
}

/// `gro_list_prepare()` compares metadata before any header.
#[test]
fn different_tags_keep_segments_apart() {
    let mut file = catalogue::scenario("gro-ipv6");
    for command in &mut file.commands {
        *command = command.replace("tag_4", "tag_counting");
    }
    let trace = simulate(&catalogue::input_of(&file), MacHeader).expect("a run");
    assert_eq!(arrived(&trace), 2);
}

/// `ipv6_gro_receive()` compares version, flow label and addresses;
/// `ipv6_gro_flush()` traffic class and hop limit; TCP the sequence number.
#[test]
fn what_keeps_segments_apart() {
    for (second, what) in [
        (frame(41, 0x6000_0001, 64), "flow label"),
        (frame(41, 0x6010_0000, 64), "traffic class"),
        (frame(41, 0x6000_0000, 63), "hop limit"),
        (frame(42, 0x6000_0000, 64), "sequence"),
    ] {
        assert_eq!(arrived(&burst("set_tag", &second, MacHeader)), 2, "{what}");
    }
}
