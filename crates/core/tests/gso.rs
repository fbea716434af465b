//! Merged packets that are sent on. Expected values are arithmetic: Ethernet 14, IPv4 20, TCP 20, payload 100 bytes each; the
//! rules are those of `validate_xmit_skb()`, `ip_finish_output_gso()` and `skb_segment()` of Linux 7.2.

mod packets;
mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::trace::{Trace, Verdict};
use packets::{hex, packets, payload, saw, sum_of, word};
use world::{at, drops, whole};

/// From `tx` by way of this host, which merges, to `far`.
const ROUTER: &str = "\
ip netns add tx
ip netns add far
ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx
ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far
ip link set dev rx up
ip -n tx link set dev tx up
ip link set dev out up
ip -n far link set dev far up
ip addr add 10.0.0.1/24 dev rx
ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev rx nud permanent
ip addr add 10.0.9.1/24 dev out
ip -n far addr add 10.0.9.2/24 dev far
ip neigh add 10.0.9.2 lladdr 02:00:00:00:00:04 dev out nud permanent
sysctl -q -w net.ipv4.ip_forward=1
ethtool -K rx gro on
echo 2 > /sys/class/net/rx/napi_defer_hard_irqs
echo 200000000 > /sys/class/net/rx/gro_flush_timeout
orc xdp set_tag rx native
";

const HOSTS: [[u8; 4]; 2] = [[10, 0, 0, 2], [10, 0, 9, 2]];
const DF: u16 = 0x4000;
/// PSH and ACK.
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// The sum of TCP's pseudo header over IPv4.
fn pseudo(len: usize) -> u16 {
    let mut bytes = HOSTS.concat();
    bytes.extend([0, 6, (len >> 8) as u8, len as u8]);
    sum_of(&bytes)
}

fn added(a: u16, b: u16) -> u16 {
    sum_of(&[a.to_be_bytes(), b.to_be_bytes()].concat())
}

/// A frame from `tx`: segment `i`, 100 bytes of payload.
fn frame(i: u32, frag_off: u16, flags: u8) -> String {
    let mut tcp = vec![0x03, 0xe8, 0x07, 0xd0];
    tcp.extend((1000 + 100 * i).to_be_bytes());
    tcp.extend([0, 0, 0, 1, 0x50, flags, 3, 0xe8, 0, 0, 0, 0]);
    tcp.extend(&payload(300)[100 * i as usize..][..100]);
    let check = !added(sum_of(&tcp), pseudo(tcp.len()));
    tcp[16..18].copy_from_slice(&check.to_be_bytes());
    let mut ip = vec![0x45, 0, 0, 140, 0x22, 0x20 + i as u8];
    ip.extend(frag_off.to_be_bytes());
    ip.extend([64, 6, 0, 0]);
    ip.extend(HOSTS.concat());
    let check = !sum_of(&ip);
    ip[10..12].copy_from_slice(&check.to_be_bytes());
    format!("0200000000010200000000020800{}{}", hex(&ip), hex(&tcp))
}

/// Three segments in one round; the last one is pushed.
fn burst(frag_off: u16) -> String {
    let frames = [(0, ACK), (1, ACK), (2, ACK | PSH)];
    let frames = frames.map(|(i, flags)| frame(i, frag_off, flags));
    format!("orc burst tx tx {}\n", frames.join(" "))
}

fn run(more: &str, frag_off: u16, design: DesignName) -> Trace {
    whole(&format!("{ROUTER}{more}{}", burst(frag_off)), design)
}

/// What every segment has of its own: id, sequence number, flags, payload.
fn check_segments(packets: &[Vec<u8>], sums: impl Fn(&[u8])) {
    assert_eq!(packets.len(), 3);
    for (i, packet) in packets.iter().enumerate() {
        let ip = &packet[packet.len() - 140..];
        assert_eq!((word(ip, 2), word(ip, 4)), (140, 0x2220 + i as u16));
        assert_eq!(sum_of(&ip[..20]), 0xffff);
        let seq = 1000 + 100 * i as u32;
        assert_eq!(ip[24..28], seq.to_be_bytes());
        assert_eq!(ip[33], if i == 2 { ACK | PSH } else { ACK }, "{i}");
        assert!(ip[40..] == payload(300)[100 * i..][..100]);
        sums(&ip[20..]);
    }
}

/// The checksum is left to the device: the pseudo header's sum with the segment's own length, 120 bytes.
fn partial(tcp: &[u8]) {
    assert_eq!(word(tcp, 16), pseudo(120));
}

/// The checksum is there.
fn complete(tcp: &[u8]) {
    assert_eq!(added(sum_of(tcp), pseudo(120)), 0xffff);
}

/// veth has `GSO_SOFTWARE`: what was merged arrives at the other end as one packet, 20 + 20 + 300 bytes, though the
/// link takes 200 only.
#[test]
fn veth_takes_the_whole() {
    for frag_off in [0, DF] {
        let mtu = "ip link set dev out mtu 200\n";
        let trace = run(mtu, frag_off, MacHeader);
        assert_eq!(saw(&trace, "__skb_gso_segment"), 0);
        assert_eq!(packets(&trace, "veth_xmit", "out").len(), 1);
        let there = at(&trace, "ip_rcv_core", "far");
        assert_eq!((there.len, there.data_len, there.gso_size), (340, 200, 100));
        // out of 192.. the sum is still for a device to finish
        assert_eq!(there.ip_summed, 3);
    }
}

/// `veth_fix_features()`: a veth whose other end has an XDP program has no TSO, so that the program sees packets as they
/// were sent. `skb_segment()` takes no metadata along, and a fresh shared info says that there are none.
#[test]
fn an_xdp_program_at_the_other_end_gets_segments() {
    for design in [MacHeader, MetaEnd] {
        let xdp = "ip netns exec far orc xdp xdp_pass far native\n";
        let trace = run(xdp, 0, design);
        assert_eq!(saw(&trace, "skb_segment"), 1);
        let sent = packets(&trace, "veth_xmit", "out");
        check_segments(&sent, partial);
        let before = at(&trace, "__skb_gso_segment", "out");
        assert_eq!((before.meta.len, before.len), (4, 354));
        let after = at(&trace, "veth_xmit", "out");
        assert_eq!((after.meta.len, after.len, after.gso_size), (0, 154, 0));
        // headroom as the whole had it; what was a fragment is still one
        assert_eq!(
            (after.data, after.mac_header),
            (before.data, Some(before.data))
        );
        assert_eq!(after.mac_len, 14);
        let whole = before.fragments.iter().map(|part| part.len);
        assert_eq!(whole.collect::<Vec<_>>(), [100, 100]);
    }
}

/// A tap has no checksum offload where the process did not ask for it: it gets segments with their sums.
#[test]
fn a_device_that_does_not_sum_gets_sums() {
    let tap = "ip tuntap add dev tap0 mode tap\nip link set dev tap0 up\n\
               ip addr add 10.0.8.1/24 dev tap0\nip route add 10.0.9.2/32 via 10.0.8.2\n\
               ip neigh add 10.0.8.2 lladdr 02:00:00:00:00:08 dev tap0 nud permanent\n";
    let trace = run(tap, 0, MacHeader);
    check_segments(&packets(&trace, "tun_net_xmit", "tap0"), complete);
    assert_eq!(at(&trace, "tun_net_xmit", "tap0").ip_summed, 0);
}

/// `ip_exceeds_mtu()`: with DF, segments of 140 bytes do not fit into 139, and the sender is told once.
#[test]
fn with_df_segments_must_fit() {
    let trace = run("ip link set dev out mtu 139\n", DF, MacHeader);
    assert_eq!(drops(&trace)[0], 91);
    assert_eq!(saw(&trace, "veth_xmit"), 3 + 1);
    let trace = run("ip link set dev out mtu 140\n", DF, MacHeader);
    assert_eq!(packets(&trace, "veth_xmit", "out").len(), 1);
}

/// `ip_finish_output_gso()`: without DF the whole is cut into segments, and each of them into fragments: 120 - 20 = 100, of
/// which 96 are a multiple of 8, and 24 are left of 120.
#[test]
fn without_df_each_segment_is_cut_again() {
    let trace = run("ip link set dev out mtu 120\n", 0, MacHeader);
    let sent = packets(&trace, "ip_finish_output2", "out");
    let lens: Vec<_> = sent.iter().map(Vec::len).collect();
    assert_eq!(lens, [116, 44, 116, 44, 116, 44]);
    let place: Vec<_> = sent.iter().map(|ip| (word(ip, 4), word(ip, 6))).collect();
    assert_eq!(place[..2], [(0x2220, 0x2000), (0x2220, 12)]);
    assert_eq!(place[4..], [(0x2222, 0x2000), (0x2222, 12)]);
    // ip_do_fragment() fills in sums that were left to a device
    for pair in sent.chunks(2) {
        complete(&[&pair[0][20..], &pair[1][20..]].concat());
    }
}

/// A GRE device that numbers its packets has no TSO (`__gre_tunnel_init()`), so that segments are made before they are
/// numbered; `get_meta` reads them at the egress of the device below.
const NUMBERED: &str = "\
ip addr add 10.0.7.1/24 dev out
ip neigh add 10.0.7.2 lladdr 02:00:00:00:00:04 dev out nud permanent
ip link add gre9 type gre local 10.0.7.1 remote 10.0.7.2 oseq
ip link set dev gre9 up
ip route add 10.0.9.2/32 dev gre9
orc tcx get_meta out egress
";

fn verdicts(trace: &Trace) -> Vec<Verdict> {
    trace.reads.iter().map(|read| read.verdict).collect()
}

/// What a program left for the whole is in front of its headers, and no segment has it. GRE 8 bytes: flags, type, number.
#[test]
fn segments_have_no_metadata() {
    for design in [MacHeader, MetaEnd] {
        let trace = run(NUMBERED, 0, design);
        let sent = packets(&trace, "veth_xmit", "out");
        check_segments(&sent, partial);
        for (i, frame) in sent.iter().enumerate() {
            let gre = &frame[14 + 20..][..8];
            assert_eq!(gre, [0x10, 0, 8, 0, 0, 0, 0, i as u8]);
        }
        assert_eq!(verdicts(&trace), [Verdict::Lost; 3], "{design:?}");
        // the whole was cut behind the link, as the GRE device has none
        assert_eq!(at(&trace, "skb_segment", "gre9").mac_len, 0);
    }
}

/// igc copies a short frame into a head from kmalloc, which can't become a fragment: the packets lie in `frag_list`.
fn run_listed(more: &str, design: DesignName) -> Trace {
    let pair = "ip link add rx address 02:00:00:00:00:01 type veth peer name tx address 02:00:00:00:00:02 netns tx";
    let card = ROUTER
        .replace(pair, "nic add rx driver igc-copy address 02:00:00:00:00:01")
        .replace("ip -n tx link set dev tx up\n", "");
    let frames = burst(0).replace("orc burst tx tx", "nic rx rx");
    whole(&format!("{card}{more}{frames}"), design)
}

/// A segment is a clone of a member, with the metadata that XDP left for it, in front of headers that are as long as its own
/// were. A VLAN on a tunnel has no scatter/gather and no checksums (`vlan_dev_fix_features()`: `vlan_features` are 0), so
/// that the whole is cut there; the tag is beside the packet until the tunnel.
#[test]
fn a_member_of_the_list_keeps_its_own() {
    let vlan = NUMBERED
        .replace("gre local", "gretap local")
        .replace(" oseq", "")
        .replace(
            "ip route add 10.0.9.2/32 dev gre9\n",
            "ip link add link gre9 name gre9.7 type vlan id 7\nip link set dev gre9.7 up\n\
             ip addr add 10.0.6.1/24 dev gre9.7\nip route add 10.0.9.2/32 via 10.0.6.2\n\
             ip neigh add 10.0.6.2 lladdr 02:00:00:00:00:06 dev gre9.7 nud permanent\n",
        );
    let vlan = vlan.replace("get_meta out egress", "get_meta gre9 egress");
    for design in [MacHeader, MetaEnd] {
        let trace = run_listed(&vlan, design);
        let whole = at(&trace, "__skb_gso_segment", "gre9.7");
        let members = whole.fragments.iter().filter(|part| part.skb.is_some());
        assert_eq!(members.count(), 2);
        check_segments(&packets(&trace, "veth_xmit", "out"), complete);
        let expected = [Verdict::Lost, Verdict::Ok, Verdict::Ok];
        assert_eq!(verdicts(&trace), expected, "{design:?}");
    }
}

/// Behind a GRE device without a link header the same headers are 40 bytes long, and were 54: who counts from the MAC header
/// looks 14 bytes too far. The outer headers (14, 20 and 8 bytes in front of 82) are written over the 4 bytes at 64, where
/// they really were.
#[test]
fn shorter_headers_lead_astray() {
    for design in [MacHeader, MetaEnd] {
        let trace = run_listed(NUMBERED, design);
        check_segments(&packets(&trace, "veth_xmit", "out"), partial);
        let expected = [Verdict::Lost, Verdict::Garbage, Verdict::Garbage];
        assert_eq!(verdicts(&trace), expected, "{design:?}");
    }
}

/// A tunnel to `far`, by way of which the packets go.
fn tunnel(kind: &str) -> String {
    format!(
        "ip addr add 10.0.7.1/24 dev out\nip neigh add 10.0.7.2 lladdr 02:00:00:00:00:04 dev out nud permanent\n\
         ip -6 addr add 2001:db8:7::1/64 dev out nodad\n\
         ip -6 neigh add 2001:db8:7::2 lladdr 02:00:00:00:00:04 dev out nud permanent\n\
         ip link add t9 address 02:00:00:00:00:09 type {kind}\nip link set dev t9 up\n\
         ip addr add 10.0.6.1/24 dev t9\nip route add 10.0.9.2/32 via 10.0.6.2 dev t9\n\
         ip neigh add 10.0.6.2 lladdr 02:00:00:00:00:06 dev t9 nud permanent\n"
    )
}

/// Tunnels, and the length of what they put around a packet, their own Ethernet header included.
const TUNNELS: [(&str, usize); 8] = [
    ("gre local 10.0.7.1 remote 10.0.7.2", 20 + 4),
    ("gre local 10.0.7.1 remote 10.0.7.2 csum", 20 + 8),
    ("gretap local 10.0.7.1 remote 10.0.7.2 key 7", 20 + 8 + 14),
    ("ipip local 10.0.7.1 remote 10.0.7.2", 20),
    (
        "vxlan id 7 local 10.0.7.1 remote 10.0.7.2 dstport 4789 dev out noudpcsum",
        20 + 8 + 8 + 14,
    ),
    (
        "vxlan id 7 local 10.0.7.1 remote 10.0.7.2 dstport 4789 dev out udpcsum",
        20 + 8 + 8 + 14,
    ),
    ("geneve id 7 remote 10.0.7.2 udpcsum", 20 + 8 + 8 + 14),
    (
        "ip6gre local 2001:db8:7::1 remote 2001:db8:7::2 encaplimit none",
        40 + 4,
    ),
];

/// A tunnel has TSO, and so has veth for what is in tunnels (`hw_enc_features`): one packet passes both.
#[test]
fn a_tunnel_over_veth_takes_the_whole() {
    for (kind, around) in TUNNELS {
        let trace = run(&tunnel(kind), 0, MacHeader);
        assert_eq!(saw(&trace, "__skb_gso_segment"), 0, "{kind}");
        let sent = packets(&trace, "veth_xmit", "out");
        assert_eq!(sent.len(), 1, "{kind}");
        assert_eq!(sent[0].len(), 14 + around + 340, "{kind}");
        assert_eq!(at(&trace, "veth_xmit", "out").gso_size, 100, "{kind}");
    }
}

/// The sums of GRE and UDP hold once the inner sum is there, which the device fills in; 0 says that there is none.
fn outer_sum_holds(kind: &str, frame: &[u8]) {
    let (ip, inner) = (&frame[14..], frame.len() - 120);
    let mut whole = frame.to_vec();
    let check = !sum_of(&frame[inner..]);
    whole[inner + 16..inner + 18].copy_from_slice(&check.to_be_bytes());
    let transport = &whole[14 + 20..];
    if kind.contains("noudpcsum") {
        assert_eq!(word(transport, 6), 0, "{kind}");
    } else if kind.contains("udpcsum") {
        assert_ne!(word(transport, 6), 0, "{kind}");
        let mut pseudo = ip[12..20].to_vec();
        pseudo.extend([0, 17]);
        pseudo.extend((transport.len() as u16).to_be_bytes());
        assert_eq!(added(sum_of(&pseudo), sum_of(transport)), 0xffff, "{kind}");
    } else if kind.ends_with("csum") {
        assert_eq!(sum_of(transport), 0xffff, "{kind}");
    }
    if ip[9] == 17 {
        assert_eq!(word(transport, 4) as usize, transport.len(), "{kind}");
    }
}

/// Where the device below has no TSO, the whole is cut with all that is around it: each segment has an outer header of its own
/// length, with an id that counts.
#[test]
fn segments_with_a_tunnel_around_them() {
    for (kind, around) in TUNNELS {
        let xdp = "ip netns exec far orc xdp xdp_pass far native\n";
        let trace = run(&format!("{xdp}{}", tunnel(kind)), 0, MacHeader);
        assert_eq!(saw(&trace, "skb_segment"), 1, "{kind}");
        let sent = packets(&trace, "veth_xmit", "out");
        check_segments(&sent, partial);
        let first = word(&sent[0][14..], 4);
        for (i, frame) in sent.iter().enumerate() {
            let ip = &frame[14..];
            assert_eq!(ip.len(), around + 140, "{kind}");
            if ip[0] == 0x60 {
                assert_eq!(word(ip, 4) as usize, ip.len() - 40, "{kind}");
                continue;
            }
            assert_eq!(word(ip, 2) as usize, ip.len(), "{kind}");
            assert_eq!(word(ip, 4), first + i as u16, "{kind}");
            assert_eq!(sum_of(&ip[..20]), 0xffff, "{kind}");
            outer_sum_holds(kind, frame);
        }
        let after = at(&trace, "veth_xmit", "out");
        assert_eq!((after.mac_len, after.encapsulation), (14, true), "{kind}");
        let inner = after.inner_network_header.expect("a header");
        assert_eq!(inner - after.data, 14 + around as u32, "{kind}");
    }
}

/// Labels are the same on all segments; veth cuts what is behind them itself (`mpls_features`), without TSO the host does.
#[test]
fn segments_behind_labels() {
    let labels = "ip addr add 10.0.7.1/24 dev out\n\
                  ip neigh add 10.0.7.2 lladdr 02:00:00:00:00:04 dev out nud permanent\n\
                  ip route add 10.0.9.2/32 encap mpls 100/200 via 10.0.7.2 dev out\n";
    let trace = run(labels, 0, MacHeader);
    assert_eq!(packets(&trace, "veth_xmit", "out").len(), 1);
    let xdp = "ip netns exec far orc xdp xdp_pass far native\n";
    let trace = run(&format!("{xdp}{labels}"), 0, MacHeader);
    let sent = packets(&trace, "veth_xmit", "out");
    check_segments(&sent, partial);
    for frame in &sent {
        // labels 100 and 200, the last one marked, with the ttl that was left
        assert_eq!(
            frame[12..22],
            [0x88, 0x47, 0, 6, 0x40, 63, 0, 0x0c, 0x81, 63]
        );
    }
}

/// Addresses of IPv6, the first ends with 2, the second with `last`.
fn hosts6(last: u8) -> Vec<u8> {
    let host = |net: u8, last: u8| {
        let mut address = vec![0x20, 1, 0x0d, 0xb8, 0, net];
        address.resize(15, 0);
        address.push(last);
        address
    };
    [host(0, 2), host(9, last)].concat()
}

/// Segment `i` over IPv6, 100 bytes of payload.
fn frame6(i: u32) -> String {
    let hosts = hosts6(2);
    let mut tcp = vec![0x03, 0xe8, 0x07, 0xd0];
    tcp.extend((1000 + 100 * i).to_be_bytes());
    tcp.extend([0, 0, 0, 1, 0x50, ACK, 3, 0xe8, 0, 0, 0, 0]);
    tcp.extend(&payload(300)[100 * i as usize..][..100]);
    let pseudo = sum_of(&[&hosts[..], &[0, 6, 0, 120]].concat());
    let check = !added(sum_of(&tcp), pseudo);
    tcp[16..18].copy_from_slice(&check.to_be_bytes());
    let ip = [&[0x60, 0, 0, 0, 0, 120, 6, 64][..], &hosts].concat();
    format!("02000000000102000000000286dd{}{}", hex(&ip), hex(&tcp))
}

/// `ipv6_gso_segment()`: the length of the payload is each segment's own, and so is what the checksum starts from.
#[test]
fn segments_over_ipv6() {
    let frames = [0, 1, 2].map(frame6).join(" ");
    let trace = whole(
        &format!(
            "{ROUTER}ip -6 addr add 2001:db8::1/64 dev rx nodad\nip -6 addr add 2001:db8:9::1/64 dev out nodad\n\
             ip -6 neigh add 2001:db8:9::2 lladdr 02:00:00:00:00:04 dev out nud permanent\n\
             sysctl -q -w net.ipv6.conf.all.forwarding=1\nip netns exec far orc xdp xdp_pass far native\n\
             orc burst tx tx {frames}\n"
        ),
        MacHeader,
    );
    let sent = packets(&trace, "veth_xmit", "out");
    assert_eq!(sent.len(), 3);
    for (i, frame) in sent.iter().enumerate() {
        let ip = &frame[14..];
        assert_eq!((ip.len(), word(ip, 4), ip[7]), (160, 120, 63));
        assert_eq!(ip[44..48], (1000 + 100 * i as u32).to_be_bytes());
        let pseudo = sum_of(&[&hosts6(2)[..], &[0, 6, 0, 120]].concat());
        assert_eq!(word(ip, 40 + 16), pseudo);
        assert!(ip[60..] == payload(300)[100 * i..][..100]);
    }
}
