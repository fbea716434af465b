//! IPv6: what of metadata arrives behind tunnels over IPv6 and of IPv6, forwarding, ICMPv6 and drop reasons.
//! Values are arithmetic on header sizes, or the bytes of the headers themselves.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use world::{ECHO4, WIRE, at, drops, functions, whole};

/// Where XDP has the frame in veth's buffer (`XDP_PACKET_HEADROOM`), bytes from `head`.
const FRAME: u32 = 256;
/// Lengths of headers, bytes: Ethernet, IPv6, destination options with an encapsulation limit.
const ETH: u32 = 14;
const V6: u32 = 40;
const LIMIT: u32 = 8;
/// An echo request from fd00::2 to fd00::1 without data: 48 bytes. Its checksum by hand: fd00 twice and 2 + 1 of the
/// addresses, 8 of the length, 3a of the next header, 8000 + 7 + 1 of the message: fd00+fd00+3+8+3a+8000+8 = 27a4d,
/// folded 7a4f, inverted 85b0.
fn echo6() -> String {
    let header = "6000000000083a40";
    let addrs = "fd000000000000000000000000000002fd000000000000000000000000000001";
    format!("{header}{addrs}800085b000070001")
}

/// Tunnel devices `encap` (in `tx`) and `decap`, a tag set on `rx`, read behind the tunnel in both ways.
fn tunnel(kind: &str, options: &str) -> String {
    let ends = |near: u8, far: u8| match kind {
        "sit" => format!("local 10.0.0.{near} remote 10.0.0.{far}"),
        _ => format!("local 2001:db8::{near} remote 2001:db8::{far}"),
    };
    format!(
        "{WIRE}ip link add decap type {kind} {} {options}
ip -n tx link add encap type {kind} {} {options}
ip link set dev decap up
ip -n tx link set dev encap up
orc xdp set_tag rx native
orc tcx get_tag_dynptr decap ingress
orc tcx get_meta decap ingress
",
        ends(1, 2),
        ends(2, 1)
    )
}

/// What both readers on `decap` see.
fn both(value: u32) -> [String; 2] {
    [
        format!("get_tag_dynptr: ret 0 size 4 value {value}"),
        format!("get_meta: {value}"),
    ]
}

/// Runs a tunnel with a packet and compares what the readers see: under `mac_header` the last four bytes in front of
/// the inner packet, under `meta_end` the tag.
fn garbage(kind: &str, options: &str, packet: &str, value: u32, mac_header: u32) {
    let text = format!("{}orc send encap {packet} tx", tunnel(kind, options));
    for (design, value) in [(MacHeader, value), (MetaEnd, 42)] {
        let trace = whole(&text, design);
        assert_eq!(
            trace.printk,
            both(value),
            "{kind} {options} {}",
            trace.design
        );
        let fields = at(&trace, "__netif_receive_skb_core", "decap");
        assert_eq!(fields.mac_header, Some(mac_header), "{kind} {options}");
    }
}

/// GRE over IPv6: the garbage is the GRE header, as over IPv4, whatever is in front of it.
#[test]
fn gre_over_ipv6() {
    let four = FRAME + ETH + V6 + LIMIT + 4;
    garbage("ip6gre", "", ECHO4, 0x0008_0000, four);
    garbage(
        "ip6gre",
        "encaplimit none",
        ECHO4,
        0x0008_0000,
        four - LIMIT,
    );
    // the header's type is 86dd for an IPv6 packet
    garbage("ip6gre", "", &echo6(), 0xdd86_0000, four);
    // a key stands behind the type
    garbage("ip6gre", "key 7", ECHO4, 0x0700_0000, four + 4);
}

/// ip6gretap: an Ethernet frame inside, type 6558.
#[test]
fn an_ethernet_frame_in_gre_over_ipv6() {
    let frame = format!("0200000000030200000000040800{ECHO4}");
    let at = FRAME + ETH + V6 + LIMIT + 4;
    garbage("ip6gretap", "", &frame, 0x5865_0000, at);
}

/// ip6tnl: with the default encapsulation limit of 4 the last bytes are `04 01 01 00` of the options; without, they
/// are the end of the outer destination address, `00 00 00 01`.
#[test]
fn packets_in_ipv6() {
    let at = FRAME + ETH + V6;
    for (mode, packet) in [("ipip6", ECHO4.to_owned()), ("ip6ip6", echo6())] {
        garbage(
            "ip6tnl",
            &format!("mode {mode}"),
            &packet,
            0x0001_0104,
            at + LIMIT,
        );
        let options = format!("mode {mode} encaplimit none");
        garbage("ip6tnl", &options, &packet, 0x0100_0000, at);
    }
}

/// sit: the end of the outer IPv4 destination, 10.0.0.1, as behind ipip.
#[test]
fn ipv6_in_ipv4() {
    garbage("sit", "", &echo6(), 0x0100_000a, FRAME + ETH + 20);
}

/// VXLAN and GENEVE over IPv6: the VNI, 42, as over IPv4. 40 + 8 + 8 bytes stand between the two Ethernet headers.
#[test]
fn udp_tunnels_over_ipv6() {
    let frame = format!("0200000000030200000000040800{ECHO4}");
    let at = FRAME + ETH + V6 + 8 + 8;
    garbage("vxlan", "id 42 dstport 4789", &frame, 0x002a_0000, at);
    let geneve = tunnel("geneve", "id 42")
        .replace("local 2001:db8::1 ", "")
        .replace("local 2001:db8::2 ", "");
    let text = format!("{geneve}orc send encap {frame} tx");
    assert_eq!(whole(&text, MacHeader).printk, both(0x002a_0000));
    assert_eq!(whole(&text, MetaEnd).printk, both(42));
}

/// `ip6_tnl_link_config()`, `ip6gre_tnl_link_config_route()`: MTU and headroom over a veth (MTU 1500, header 14).
#[test]
fn a_sender_leaves_room_for_the_outer_headers() {
    // LL_RESERVED_SPACE is rounded up to the next multiple of 16
    for (kind, options, needed) in [
        ("ip6tnl", "mode any", 14 + 40),
        ("ip6gre", "", 14 + 44),
        ("sit", "", 14 + 20),
    ] {
        let text = format!("{}orc send encap {} tx", tunnel(kind, options), echo6());
        let fields = at(&whole(&text, MacHeader), "__dev_queue_xmit", "encap");
        assert_eq!(fields.data, (needed / 16 + 1) * 16, "{kind}");
    }
}

/// Forwarding IPv6: metadata readable at egress as for IPv4, the hop limit one less, and the reason where it ends.
fn router(send: &str) -> String {
    format!(
        "{WIRE}ip netns add far
ip link add out address 02:00:00:00:00:03 type veth peer name in address 02:00:00:00:00:04 netns far
ip link set dev out up
ip -n far link set dev in up
ip -6 addr add fd00::ffff/64 dev out
ip -n far -6 addr add fd00::1/64 dev in
sysctl -w net.ipv6.conf.all.forwarding=1
orc xdp set_tag rx native
orc tcx get_tag_dynptr out egress
{send}"
    )
}

/// A frame from fd01::2 to `daddr` with a hop limit; the checksum of the message is not looked at on the way.
fn frame(daddr: &str, hop_limit: u8) -> String {
    let saddr = "fd010000000000000000000000000002";
    format!(
        "02000000000102000000000286dd6000000000083b{hop_limit:02x}{saddr}{daddr}8000000000070001"
    )
}

const FAR: &str = "fd000000000000000000000000000001";

#[test]
fn forwarding() {
    for design in [MacHeader, MetaEnd] {
        let text = router(&format!("orc send tx {} tx", frame(FAR, 64)));
        let trace = whole(&text, design);
        assert_eq!(trace.printk, ["get_tag_dynptr: ret 0 size 4 value 42"]);
        let path = functions(&trace, "in");
        assert!(path.contains(&"ip6_input"), "{path:?}");
        // one hop less to live, and new addresses in front
        let tapped = whole(
            &text.replace("orc send", "orc tap in far\norc send"),
            design,
        );
        let frame = &tapped.taps[0].bytes;
        assert_eq!((frame[5], frame[11], frame[14 + 7]), (4, 3, 63));
        // next header 59: nothing follows, and the packet ends
        assert_eq!(drops(&trace), [2]);
    }
}

#[test]
fn where_a_forwarded_packet_ends() {
    let reasons = |send: String| drops(&whole(&router(&send), MacHeader));
    let send = |daddr, hop_limit| format!("orc send tx {} tx", frame(daddr, hop_limit));
    // hop limit used up: IP_INHDR
    assert_eq!(reasons(send(FAR, 1))[0], 15);
    // no way: IP_INNOROUTES
    assert_eq!(reasons(send("fd990000000000000000000000000001", 64))[0], 86);
    // a host that does not forward: IP_INADDRERRORS
    let host = format!(
        "sysctl -w net.ipv6.conf.all.forwarding=0\n{}",
        send(FAR, 64)
    );
    assert_eq!(reasons(host), [85]);
    // IPv6 off: IPV6DISABLED
    let off = format!(
        "sysctl -w net.ipv6.conf.all.disable_ipv6=1\n{}",
        send(FAR, 64)
    );
    assert_eq!(reasons(off), [56]);
    // refused by a route
    let blackhole = format!("ip -6 route add blackhole fd00::1/128\n{}", send(FAR, 64));
    assert_eq!(reasons(blackhole), [2]);
}

/// A packet to this host from 2001:db8::2, with what stands behind the header in hex.
fn to_us(next: u8, rest: &str, payload_len: usize) -> Vec<u32> {
    let addrs = "20010db800000000000000000000000220010db8000000000000000000000001";
    let frame =
        format!("02000000000102000000000286dd60000000{payload_len:04x}{next:02x}40{addrs}{rest}");
    drops(&whole(&format!("{WIRE}orc send tx {frame} tx"), MacHeader))
}

/// `ip6_rcv_core()` and the protocols behind it: packets that are too short, wrong or wanted by nobody.
#[test]
fn what_is_dropped_on_arrival() {
    // payload_len says more than there is: PKT_TOO_SMALL
    assert_eq!(to_us(58, "8000000000070001", 9), [9]);
    // a wrong checksum: ICMP_CSUM
    assert_eq!(to_us(58, "8000000100070001", 8), [83]);
    // UDP without checksum: UDP_CSUM (RFC 8200, section 8.1)
    assert_eq!(to_us(17, "03e807d000080000", 8), [11]);
    // a UDP length below its header: PKT_TOO_SMALL
    assert_eq!(to_us(17, "03e807d000070000", 8), [9]);
    // a protocol nobody knows: IP_NOPROTO; the answer ends at the sender, which has nobody waiting
    assert_eq!(to_us(200, "0000000000000000", 8), [19]);
    // options whose padding holds a byte: IP_INHDR
    assert_eq!(to_us(60, "3b00010400000001", 8), [15]);
    // options as a tunnel writes them, and then nothing
    assert_eq!(to_us(60, "3b00040104010100", 8), [2]);
}

/// An echo request is answered, and the answer arrives: 40 + 8 + 56 bytes each way (RFC 4443, section 4).
#[test]
fn ping() {
    let trace = whole(&format!("{WIRE}ping -c1 2001:db8::2"), MacHeader);
    assert!(functions(&trace, "tx").contains(&"icmpv6_echo_reply"));
    let reply = at(&trace, "icmpv6_rcv", "rx");
    assert_eq!((reply.len, reply.protocol), (64, 0x86dd));
    // no ping socket waits for it: NO_SOCKET
    assert_eq!(drops(&trace), [3]);
}

/// A closed TCP port: the reset is as long as its headers, 40 + 20, and arrives with a right checksum.
#[test]
fn a_reset_over_ipv6() {
    let addrs = "20010db800000000000000000000000220010db8000000000000000000000001";
    // by hand: 2·(2001 + db8) + 3, 14, 6, 3e8 + 7d0 + 1 + 1 + 5010 folded and inverted
    let sum: u32 = 2 * (0x2001 + 0x0db8) + 3 + 0x14 + 6 + 0x3e8 + 0x7d0 + 1 + 1 + 0x5010;
    let check = !((sum & 0xffff) + (sum >> 16)) as u16;
    let tcp = format!("03e807d000000001000000015010000{}{check:04x}0000", 0);
    let frame = format!(
        "02000000000102000000000286dd600000000014{:02x}40{addrs}{tcp}",
        6
    );
    let trace = whole(&format!("{WIRE}orc send tx {frame} tx"), MacHeader);
    let reset = at(&trace, "tcp_v6_rcv", "tx");
    assert_eq!(reset.len, 20);
    // both segments end without a socket
    assert_eq!(drops(&trace), [3, 3]);
}

/// `ip6_tnl_xmit()`: what does not fit is reported to the sender, and dropped. 1500 − 40 − 8 = 1452.
#[test]
fn a_packet_that_does_not_fit_into_the_tunnel() {
    let text = format!(
        "{}ip -n tx link set dev encap mtu 1500\norc send encap 6000000005a43b40{}{} tx",
        tunnel("ip6tnl", "mode any"),
        "fd000000000000000000000000000002fd000000000000000000000000000001",
        "00".repeat(1444)
    );
    let trace = whole(&text, MacHeader);
    assert!(functions(&trace, "encap").contains(&"icmp6_send"));
    assert_eq!(drops(&trace), [2]);
}

/// Where IPv6 is off, an address is refused as Linux does.
#[test]
fn an_address_where_ipv6_is_off() {
    let text = "ip link add rx type veth peer name tx\nsysctl -w net.ipv6.conf.all.disable_ipv6=1\nip -6 addr add fd00::1/64 dev rx";
    let error = world::error(text);
    assert!(
        error.starts_with("line 3:") && error.contains("IPv6 is disabled on rx"),
        "{error}"
    );
}

/// Segment routing. Before `lwtunnel_input()` of 7.2 pushes 40 + 24 bytes, metadata are cleared (patch-series.md,
/// section 5); at the last segment the inner packet is received anew with the MAC header of the outer one, so its
/// metadata are still in front of that: 256, and `data` 14 + 40 + 24 bytes on.
#[test]
fn segments_clear_metadata_on_the_way_in_and_keep_them_at_the_end() {
    let inner = "fd500000000000000000000000000001";
    let text = router(&format!(
        "ip -6 route add fd50::/64 encap seg6 mode encap segs fd00::1 dev out
ip -n far -6 addr add fd50::1/128 dev in
ip netns exec far sysctl -w net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.in.seg6_enabled=1
orc tcx get_meta out egress
orc xdp set_tag in native far
orc tcx get_tag_dynptr in ingress far
orc send tx {} tx",
        frame(inner, 64)
    ));
    for design in [MacHeader, MetaEnd] {
        let trace = whole(&text, design);
        let lines: Vec<_> = trace.printk.iter().map(String::as_str).collect();
        let read = "get_tag_dynptr: ret 0 size 4 value 42";
        assert_eq!(
            lines[1..],
            ["get_meta: no metadata", read, read],
            "{lines:?}"
        );
        let inner = at(&trace, "netif_rx", "in");
        assert_eq!(
            (inner.mac_header, inner.data),
            (Some(FRAME), FRAME + ETH + V6 + 24)
        );
        // the inner packet has arrived, and nothing follows its header
        assert_eq!(drops(&trace), [2]);
    }
    // without seg6_enabled the header is refused
    let refused = text.replace("seg6_enabled=1", "seg6_enabled=0");
    assert!(!functions(&whole(&refused, MacHeader), "in").contains(&"netif_rx"));
}

/// `ipv6_srh_rcv()`, *looped_back*: mode *inline* leaves the packet's own destination as the last segment. Where that is the
/// same host as the one before, the way to it is a hop like any other: the packet has the hop limit 3 − 1 on arrival, 1
/// at the second segment, and with one less it is refused with an ICMPv6 error. Checksum of the message by hand: fd01 + 2 +
/// fd50 + 1 of the addresses, 8, 3a, 8000 + 7 + 1: 27a9e, folded 7aa0, inverted 855f.
#[test]
fn two_segments_of_one_host() {
    let routes = "ip -6 route add fd50::/64 encap seg6 mode inline segs fd00::1 dev out
ip -n far -6 addr add fd50::1/128 dev in
ip netns exec far sysctl -w net.ipv6.conf.all.seg6_enabled=1 net.ipv6.conf.in.seg6_enabled=1
orc send tx";
    for (hop_limit, arrives) in [(64, true), (3, true), (2, false)] {
        let echo = frame("fd500000000000000000000000000001", hop_limit)
            .replace("00083b", "00083a")
            .replace("8000000000070001", "8000855f00070001");
        let trace = whole(&router(&format!("{routes} {echo} tx")), MacHeader);
        let names = functions(&trace, "in");
        assert_eq!(names.contains(&"icmpv6_rcv"), arrives, "{hop_limit}");
        assert_eq!(names.contains(&"icmp6_send"), !arrives, "{hop_limit}");
    }
}
