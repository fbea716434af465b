//! What leaves in pieces. Expected values are arithmetic: Ethernet 14, IPv4 20, IPv6 40, fragment header 8, GRE 4 bytes; the
//! rules are those of `ip_do_fragment()` (`net/ipv4/ip_output.c`) and `ip6_fragment()` (`net/ipv6/ip6_output.c`).

mod packets;
mod world;

use headroom_core::design::DesignName::{self, MacHeader};
use headroom_core::trace::{Trace, Verdict};
use packets::{hex, ipv4, packets, payload, saw, sum_of, word};
use world::{drops, functions, whole};

/// From `tx` by way of this host to `far`, whose link takes 1400 bytes.
const ROUTER: &str = "\
ip netns add tx
ip netns add far
ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx
ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far
ip link set dev rx mtu 9000
ip -n tx link set dev tx mtu 9000
ip link set dev out mtu 1400
ip link set dev rx up
ip -n tx link set dev tx up
ip link set dev out up
ip -n far link set dev far up
ip addr add 10.0.0.1/24 dev rx
ip addr add 10.0.9.1/24 dev out
ip -n far addr add 10.0.9.2/24 dev far
ip neigh add 10.0.9.2 lladdr 02:00:00:00:00:04 dev out nud permanent
sysctl -q -w net.ipv4.ip_forward=1
";

fn send(packet: &[u8]) -> String {
    let ethernet = "0200000000010200000000020800";
    format!("orc send tx {ethernet}{} tx\n", hex(packet))
}

/// Lengths, `frag_off` words and payload of IPv4 packets.
fn taken_apart(packets: &[Vec<u8>]) -> (Vec<usize>, Vec<u16>, Vec<u8>) {
    for packet in packets {
        assert_eq!(word(packet, 2) as usize, packet.len());
        assert_eq!(sum_of(&packet[..20]), 0xffff);
    }
    let payload = packets.iter().flat_map(|packet| packet[20..].to_vec());
    (
        packets.iter().map(Vec::len).collect(),
        packets.iter().map(|packet| word(packet, 6)).collect(),
        payload.collect(),
    )
}

/// 4000 bytes of payload in a page and a fragment: 1400 - 20 = 1380, of which 1376 are a multiple of 8.
#[test]
fn payload_in_a_page_fragment_is_copied() {
    let bytes = payload(4000);
    let packet = ipv4([[10, 0, 0, 2], [10, 0, 9, 2]], 253, 0, &bytes);
    let text = format!("{ROUTER}orc xdp frags_tag rx native\n{}", send(&packet));
    let trace = whole(&text, MacHeader);
    let before = packets(&trace, "ip_forward", "rx");
    assert_eq!(before[0].len(), 4020);
    let (lens, offsets, sent) = taken_apart(&packets(&trace, "ip_finish_output2", "out"));
    assert_eq!(lens, [1396, 1396, 20 + 4000 - 2 * 1376]);
    assert_eq!(offsets, [0x2000, 0x2000 | 172, 344]);
    assert!(sent == bytes);
}

/// A packet with 2400 bytes of payload in a GRE tunnel that came in two fragments: `first` bytes of the outer payload in the
/// first. 24 of them are the GRE and the inner header.
fn tunnelled(first: usize, design: DesignName) -> (Vec<u8>, Trace) {
    let bytes = payload(2400);
    let mut outer = vec![0, 0, 8, 0];
    outer.extend(ipv4([[192, 0, 2, 2], [10, 0, 9, 2]], 253, 0, &bytes));
    let hosts = [[10, 0, 0, 2], [10, 0, 0, 1]];
    let last = ipv4(hosts, 47, first as u16 / 8, &outer[first..]);
    let first = ipv4(hosts, 47, 0x2000, &outer[..first]);
    let text = format!(
        "{ROUTER}ip link add decap type gre local 10.0.0.1 remote 10.0.0.2\nip link set dev decap up\n\
         ip addr add 192.0.2.1/24 dev decap\n{}{}",
        send(&first),
        send(&last)
    );
    (bytes, whole(&text, design))
}

/// The fast path: what was reassembled in a list leaves as it came. The first has 1200 - 4 = 1196 bytes of the inner packet:
/// 1176 of payload, a multiple of 8; the other 1224.
#[test]
fn a_list_of_fitting_packets_is_not_copied() {
    let (bytes, trace) = tunnelled(1200, MacHeader);
    let (lens, offsets, sent) = taken_apart(&packets(&trace, "ip_finish_output2", "out"));
    assert_eq!(lens, [1196, 1244]);
    assert_eq!(offsets, [0x2000, 147]);
    assert!(sent == bytes);
    assert_eq!(saw(&trace, "ip_finish_output2"), 2);
    // No piece is given up. What the far host reassembles has no protocol there (IP_NOPROTO); `__kfree_skb()` gives the packet
    // in its list no reason of its own (NOT_SPECIFIED).
    assert_eq!(drops(&trace), [19, 2]);
}

/// What is left of a tag: a fragment that is a copy has none of its own, but for an extension, which `ip_copy_metadata()`
/// shares; a map has no entry for its address, as no hook fires.
#[test]
fn a_copied_fragment_has_an_extension_only() {
    let packet = ipv4([[10, 0, 0, 2], [10, 0, 9, 2]], 253, 0, &payload(2000));
    let router = ROUTER.replace("mtu 9000", "mtu 3000");
    let text = format!(
        "{router}orc xdp set_tag rx native\norc tcx get_tag_dynptr out egress\n{}",
        send(&packet)
    );
    for design in DesignName::EVERY {
        // 6.12 has no dynptr of metadata
        if design == DesignName::MacHeader6_12 {
            continue;
        }
        let trace = whole(&text, design);
        let verdicts: Vec<_> = trace.reads.iter().map(|read| read.verdict).collect();
        let expected = match design {
            DesignName::SkbExt => vec![Verdict::Ok; 2],
            // what is shared is refused, so that the program has nothing to read
            DesignName::SkbLocalStorage => vec![],
            _ => vec![Verdict::Lost; 2],
        };
        assert_eq!(verdicts, expected, "{design:?}");
    }
}

/// The first part would be longer than the link takes: all is copied. 1400 - 20 = 1380, thus 1376 and 1024.
#[test]
fn a_list_that_does_not_fit_is_copied() {
    for first in [1600, 800] {
        let (bytes, trace) = tunnelled(first, MacHeader);
        let (lens, offsets, sent) = taken_apart(&packets(&trace, "ip_finish_output2", "out"));
        assert_eq!(lens, [1396, 1044], "{first}");
        assert_eq!(offsets, [0x2000, 172]);
        assert!(sent == bytes);
    }
}

/// An ICMPv6 echo request of `message` bytes in two IPv6 fragments, as frames to `rx`.
fn echo6(message: &[u8], first: usize) -> String {
    let hosts = |host: u8| {
        [
            0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host,
        ]
    };
    let part = |word: u16, part: &[u8]| {
        let mut bytes = vec![
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0,
        ];
        bytes.extend((part.len() as u16 + 8).to_be_bytes());
        bytes.extend([44, 64]);
        bytes.extend([hosts(2), hosts(1)].concat());
        bytes.extend([58, 0]);
        bytes.extend(word.to_be_bytes());
        bytes.extend([0, 0, 0, 7]);
        bytes.extend_from_slice(part);
        format!("orc send tx {} tx\n", hex(&bytes))
    };
    part(1, &message[..first]) + &part(first as u16, &message[first..])
}

/// An echo request whose checksum, over the pseudo header too, holds.
fn request(len: usize) -> Vec<u8> {
    let mut message = vec![128, 0, 0, 0, 0, 7, 0, 1];
    message.extend(payload(len - 8));
    let mut pseudo = [0x2001u16, 0x0db8, 1, 0x2001, 0x0db8, 2, len as u16, 58]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect::<Vec<_>>();
    pseudo.extend_from_slice(&message);
    let check = !sum_of(&pseudo);
    message[2..4].copy_from_slice(&check.to_be_bytes());
    message
}

/// The answer to 2008 bytes: `__ip6_append_data()` leaves room for the fragment header, 1500 - 40 = 1460, 1456 - 8 = 1448 and
/// 560 bytes. `ip6_fragment()` sends them as they are: 48 bytes of headers each, without a copy.
#[test]
fn a_long_answer_leaves_in_ipv6_fragments() {
    let message = request(2008);
    let trace = whole(
        &format!("{}{}", world::WIRE, echo6(&message, 1200)),
        MacHeader,
    );
    let sent = packets(&trace, "ip6_finish_output2", "rx");
    let lens: Vec<_> = sent.iter().map(Vec::len).collect();
    assert_eq!(lens, [1496, 608]);
    let mut answer = Vec::new();
    for (packet, offset) in sent.iter().zip([1, 1448]) {
        assert_eq!(word(packet, 4) as usize, packet.len() - 40);
        assert_eq!((packet[6], packet[40], packet[41]), (44, 58, 0));
        assert_eq!(word(packet, 42), offset);
        assert_eq!(packet[44..48], sent[0][44..48]);
        answer.extend_from_slice(&packet[48..]);
    }
    assert_eq!(answer[0], 129);
    assert!(answer[4..] == message[4..]);
    // and the other host puts them together again
    let got = packets(&trace, "icmpv6_rcv", "tx");
    assert_eq!(got.last().map(Vec::len), Some(2008));
}

/// A tunnel's packet has no socket (`ignore_df` is 0), and a link of 1280 bytes can't take an inner packet of 1280 with
/// headers around it: `ip6_fragment()` tells the sender, which is this host, and drops it. 1281 the tunnel refuses itself.
#[test]
fn a_tunnel_packet_is_not_put_into_ipv6_fragments() {
    let inner = |len: u16| {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend((len - 40).to_be_bytes());
        packet.extend([253, 64]);
        for net in [2, 3] {
            packet.extend([0x20, 0x01, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        }
        packet.extend(payload(usize::from(len) - 40));
        packet
    };
    let send = |len| {
        let frame = hex(&inner(len));
        format!(
            "{ROUTER}ip link set dev out mtu 1280\nip -6 addr add 2001:db8:9::1/64 dev out nodad\n\
             ip -6 addr add 2001:db8:2::1/64 dev rx nodad\nsysctl -q -w net.ipv6.conf.all.forwarding=1\n\
             ip link add encap type ip6gre local 2001:db8:9::1 remote 2001:db8:9::2\nip link set dev encap up\n\
             ip link set dev encap mtu 1280\nip -6 route add 2001:db8:3::/64 dev encap\n\
             orc send tx 02000000000102000000000286dd{frame} tx\n"
        )
    };
    let trace = whole(&send(1280), MacHeader);
    assert_eq!(saw(&trace, "ip6gre_tunnel_xmit"), 1);
    let out = functions(&trace, "out");
    assert!(out.contains(&"ip6_finish_output") && !out.contains(&"ip6_finish_output2"));
    assert_eq!(saw(&trace, "icmp6_send"), 1);
    // the sender is the tunnel's own address
    assert!(functions(&trace, "lo").contains(&"icmpv6_rcv"));
    assert_eq!(drops(&trace)[0], 2);
}
