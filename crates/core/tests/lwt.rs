//! Light-weight tunnels: programs at input, output and xmit, segment routing into and around packets. What is expected is
//! counted from `net/core/lwtunnel.c`, `lwt_bpf.c` and `net/ipv6/seg6_iptunnel.c`.

mod packets;
mod world;

use headroom_core::design::DesignName::{self, MacHeader, MacHeader6_19, SkbExt};
use headroom_core::scenario::parse;
use headroom_core::trace::Trace;
use packets::packets;
use world::{WIRE, at, drops, functions, whole};

/// UDP, 10.0.0.2:4000 to 192.0.2.9:5000, 24 bytes of data: 52 bytes of IPv4.
const ON: &str = "0200000000010200000000020800450000342222000040118c8c0a000002c00002090fa013880020fb596162636465666768696a6b6c6d6e6f707172737475767778";
const OUT: &str = "sysctl -w net.ipv4.ip_forward=1\nip link add d0 type dummy\nip link set d0 up\nip addr add 192.0.3.1/24 dev d0\nip neigh add 192.0.3.9 lladdr 02:00:00:00:00:09 dev d0\n";

fn run_as(design: DesignName, commands: &str) -> Trace {
    whole(&format!("{WIRE}{OUT}{commands}orc send tx {ON} tx"), design)
}

fn route(programs: &str) -> String {
    format!("ip route add 192.0.2.0/24 encap bpf {programs} via 192.0.3.9 dev d0\n")
}

fn program(hook: &str, name: &str) -> String {
    format!("{hook} pinned /sys/fs/bpf/{name}")
}

/// `bpf_input()` stands in front of `ip_forward()`, `bpf_output()` in front of `ip_output()`.
#[test]
fn programs_at_input_and_output_of_a_forwarded_packet() {
    let both = format!(
        "{} {}",
        program("in", "lwt_in_show"),
        program("out", "lwt_out_show")
    );
    let trace = run_as(MacHeader, &route(&both));
    // show() prints the length: nothing is changed between
    assert_eq!(
        trace.printk,
        ["lwt in: version 4 len 52", "lwt out: version 4 len 52"]
    );
    let path = functions(&trace, "rx");
    let place = |name: &str| {
        path.iter()
            .position(|known| *known == name)
            .unwrap_or(usize::MAX)
    };
    assert!(place("lwtunnel_input") < place("bpf_input"));
    assert!(place("bpf_input") < place("ip_forward"));
    assert!(place("ip_forward_finish") < place("lwtunnel_output"));
    assert!(place("bpf_output") < place("ip_output"));
    assert!(functions(&trace, "d0").contains(&"dummy_xmit"));
}

/// `kfree_skb()` without a reason: NOT_SPECIFIED is 2.
#[test]
fn what_a_program_drops() {
    for (hook, name) in [("in", "lwt_in_drop"), ("out", "lwt_out_drop")] {
        let trace = run_as(MacHeader, &route(&program(hook, name)));
        assert_eq!(drops(&trace), [2], "{name}");
    }
    let trace = run_as(MacHeader, &route(&program("in", "lwt_in_drop")));
    assert!(!functions(&trace, "rx").contains(&"ip_forward"));
}

/// Packets of this host come by `lwtunnel_output()` only.
#[test]
fn a_packet_of_this_host_has_no_input() {
    let both = format!(
        "{} {}",
        program("in", "lwt_in_show"),
        program("out", "lwt_out_show")
    );
    let trace = whole(
        &format!("{WIRE}{OUT}{}ping -c1 192.0.2.9", route(&both)),
        MacHeader,
    );
    assert_eq!(trace.printk, ["lwt out: version 4 len 84"]);
}

/// `lwtunnel_input()` of 7.2 clears metadata before the program runs (patch-series.md, 6a); before, and where they lie
/// elsewhere and may be asked for, they are there.
#[test]
fn metadata_are_cleared_before_the_program() {
    let text = |assume: &str| {
        format!(
            "{assume}orc xdp tag_4 rx native\n{}",
            route(&program("in", "meta_lwt_in"))
        )
    };
    let assumed = text("headroom assume dynptr-everywhere\n");
    let cleared = run_as(MacHeader, &assumed);
    assert_eq!(cleared.printk, ["lwt in: no metadata"]);
    assert_eq!(at(&cleared, "bpf_input", "rx").meta.len, 0);
    assert_eq!(at(&cleared, "lwtunnel_input", "rx").meta.len, 4);
    assert_eq!(run_as(MacHeader6_19, &assumed).printk, ["lwt in: 42"]);
    assert_eq!(run_as(SkbExt, &text("")).printk, ["lwt in: 42"]);
}

const SEG6: &str = "\
sysctl -w net.ipv6.conf.all.forwarding=1
ip -n tx -6 route add fd50::/64 via 2001:db8::1 dev tx
ip netns add far
ip link add out address 02:00:00:00:00:03 type veth peer name in address 02:00:00:00:00:04 netns far
ip link set dev out up
ip -n far link set dev in up
ip -6 addr add fd00::2/64 dev out nodad
ip -n far -6 addr add fd00::1/64 dev in nodad
";

/// IPv4 in segment routing: 14 bytes of link header, 40 of IPv6, 24 of segments; protocol 4 inside, hop limit 64, no flow
/// label, as `__seg6_do_srh_encap()` has it.
#[test]
fn segments_around_ipv4() {
    let (trace, packet) = in_segments("mode encap segs fd00::1");
    let path = functions(&trace, "rx");
    assert!(path.contains(&"lwtunnel_input") && path.contains(&"seg6_input_core"));
    assert!(!path.contains(&"ip_forward"));
    // version 6 without class and label; 24 and 52 bytes, a routing header, a hop less than 64
    assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 76, 43, 63]);
    assert_eq!(packet[8..24], ip6("fd00::2"));
    assert_eq!(packet[24..40], ip6("fd00::1"));
    // two units of 8 behind the first, type 4, nothing left, last entry 0
    assert_eq!(packet[40..48], [4, 2, 4, 0, 0, 0, 0, 0]);
    assert_eq!(packet[48..64], ip6("fd00::1"));
    // the packet inside has the hop limit that it came with
    assert_eq!(
        (packet.len(), packet[64], packet[64 + 8]),
        (64 + 52, 0x45, 64)
    );
    let received = at(&trace, "ip6_rcv_core", "in");
    assert_eq!(received.len, 40 + 24 + 52);
}

fn ip6(address: &str) -> [u8; 16] {
    let address: std::net::Ipv6Addr = address.parse().expect("an address");
    address.octets()
}

/// `__seg6_do_srh_inline()`: 8 bytes and two segments, the last one the old destination.
#[test]
fn segments_into_ipv6() {
    let trace = whole(
        &format!(
            "{WIRE}{SEG6}ip -n tx -6 route add fd60::/64 via 2001:db8::1 dev tx\nip -6 route add fd60::/64 encap seg6 mode inline segs fd00::1 dev out\nip netns exec tx ping -6 -c1 fd60::9"
        ),
        MacHeader,
    );
    assert!(functions(&trace, "rx").contains(&"seg6_input_core"));
    let sent = packets(&trace, "__dev_queue_xmit", "out");
    let packet = &sent.first().expect("a packet")[14..];
    // an echo request of 64 bytes behind 40 of the routing header
    assert_eq!(
        (packet.len(), packet[4..7].to_vec()),
        (40 + 40 + 64, vec![0, 104, 43])
    );
    assert_eq!(packet[8..24], ip6("2001:db8::2"));
    assert_eq!(packet[24..40], ip6("fd00::1"));
    // ICMPv6 follows; four units behind the first, type 4, one left, last entry 1
    assert_eq!(packet[40..48], [58, 4, 4, 1, 1, 0, 0, 0]);
    assert_eq!(
        (&packet[48..64], &packet[64..80]),
        (&ip6("fd60::9")[..], &ip6("fd00::1")[..])
    );
    assert_eq!(packet[80], 128);
}

/// A route of 192.0.2.0/24 with segments, and what it sends of the packet by `out`: from the outer IPv6 header on.
fn in_segments(segs: &str) -> (Trace, Vec<u8>) {
    let trace = whole(
        &format!(
            "{WIRE}{OUT}{SEG6}ip route add 192.0.2.0/24 encap seg6 {segs} dev out\norc send tx {ON} tx"
        ),
        MacHeader,
    );
    let sent = packets(&trace, "__dev_queue_xmit", "out");
    let packet = sent.first().expect("a packet")[14..].to_vec();
    (trace, packet)
}

/// `seg6_do_srh_encap_red()` (RFC 8986, section 5.2): the first segment is the destination alone. Of two, the other is in a
/// header of 8 + 16 bytes (2 units of 8 behind the first, one segment left, last entry 0); of one nothing is left, and IPv4
/// (4) follows.
#[test]
fn reduced_segments() {
    let (_, packet) = in_segments("mode encap.red segs fd00::1,fd50::9");
    assert_eq!(packet.len(), 40 + 24 + 52);
    assert_eq!((packet[5], packet[6]), (76, 43));
    assert_eq!(packet[24..40], ip6("fd00::1"));
    assert_eq!(packet[40..48], [4, 2, 4, 1, 0, 0, 0, 0]);
    assert_eq!(packet[48..64], ip6("fd50::9"));
    let (_, packet) = in_segments("mode encap.red segs fd00::1");
    assert_eq!(packet.len(), 40 + 52);
    assert_eq!((packet[5], packet[6], packet[39]), (52, 4, 1));
}

/// Mode `l2encap` puts the frame as it came into the packet: 143 is Ethernet (RFC 8986, section 9), 14 bytes more. It is at
/// input only (`seg6_build_state()`); `pskb_expand_head()` makes room for the Ethernet header once more.
#[test]
fn frames_in_segments() {
    for (mode, header) in [("l2encap", 24), ("l2encap.red", 0)] {
        let (trace, packet) = in_segments(&format!("mode {mode} segs fd00::1"));
        assert_eq!(packet.len(), 40 + header + 14 + 52, "{mode}");
        let next = if header == 0 { packet[6] } else { packet[40] };
        assert_eq!(next, 143, "{mode}");
        let frame = &packet[40 + header..];
        let came: Vec<_> = (0..14).map(|at| &ON[2 * at..2 * at + 2]).collect();
        assert_eq!(packets::hex(&frame[..14]), came.concat(), "{mode}");
        assert!(
            functions(&trace, "rx").contains(&"seg6_input_core"),
            "{mode}"
        );
    }
}

#[test]
fn what_a_route_can_not_do_is_said() {
    let error = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(
        error("ip route add 192.0.2.0/24 encap seg6 mode inline segs fd00::1 dev out"),
        "Line 1, column 43: `inline` does not fit here, expected encap, as Linux refuses inline for IPv4."
    );
    assert_eq!(
        error("ip route add 192.0.2.0/24 encap bfp in obj a.o section s dev d"),
        "Line 1, column 33: `bfp` does not fit here (did you mean `bpf`?), expected mpls, ip, ip6, bpf, seg6, seg6local, ioam6, ila, rpl or xfrm."
    );
    assert_eq!(
        error("ip route add 192.0.2.0/24 encap bpf dev d"),
        "Line 1, column 37: `dev` does not fit here, expected in, out or xmit."
    );
}
