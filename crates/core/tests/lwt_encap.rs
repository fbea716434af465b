//! `bpf_lwt_push_encap()`: headers that programs of light-weight tunnels put in front, and where the packet goes then. What is
//! expected is counted from `net/core/lwt_bpf.c`, `net/core/filter.c` and `net/ipv6/seg6_iptunnel.c` of Linux 7.2.

mod world;

use headroom_core::design::DesignName::MacHeader;
use headroom_core::trace::{Cursor, Edge, PacketFields, Step, StepKind, Trace};
use world::{WIRE, at, drops, functions, whole};

/// UDP, 10.0.0.2:4000 to 192.0.2.9:5000, 24 bytes of data: 52 bytes of IPv4, ttl 64.
const ON: &str = "0200000000010200000000020800450000342222000040118c8c0a000002c00002090fa013880020fb596162636465666768696a6b6c6d6e6f707172737475767778";
const OUT: &str = "sysctl -w net.ipv4.ip_forward=1\nip link add d0 type dummy\nip link set d0 up\nip addr add 192.0.3.1/24 dev d0\nip neigh add 192.0.3.9 lladdr 02:00:00:00:00:09 dev d0\n";
/// A network of IPv6 behind `out`, and a way to fd60::/64 for the sender.
const SIX: &str = "\
sysctl -w net.ipv6.conf.all.forwarding=1
ip -n tx -6 route add fd60::/64 via 2001:db8::1 dev tx
ip netns add far
ip link add out address 02:00:00:00:00:03 type veth peer name in address 02:00:00:00:00:04 netns far
ip link set dev out up
ip -n far link set dev in up
ip -6 addr add fd00::2/64 dev out nodad
ip -n far -6 addr add fd00::1/64 dev in nodad
";

fn udp(more: &str, programs: &str) -> Trace {
    let route = format!("ip route add 192.0.2.0/24 encap bpf {programs} via 192.0.3.9 dev d0\n");
    whole(
        &format!("{WIRE}{OUT}{more}{route}orc send tx {ON} tx"),
        MacHeader,
    )
}

/// An echo request to fd60::9, which would leave by `d0`: 40 bytes of IPv6 and 64.
fn ping(program: &str) -> Trace {
    let route = format!(
        "ip -6 route add fd60::/64 encap bpf in pinned /sys/fs/bpf/{program} via fd70::9 dev d0\n"
    );
    whole(
        &format!("{WIRE}{OUT}{SIX}{route}ip netns exec tx ping -6 -c1 fd60::9"),
        MacHeader,
    )
}

fn pinned(hook: &str, name: &str) -> String {
    format!("{hook} pinned /sys/fs/bpf/{name}")
}

/// The packet's bytes at the first entry of a function on a device.
fn bytes(trace: &Trace, function: &str, dev: &str) -> Vec<u8> {
    let entry = |step: &Step| {
        let here = step.dev.as_ref().is_some_and(|d| d.name == dev);
        here && matches!(step.kind, StepKind::Function { name, edge: Edge::Entry, .. } if name == function)
    };
    let place = trace.steps.iter().position(entry).expect("the function");
    let mut cursor = Cursor::new(trace).expect("steps");
    cursor.go(place);
    let view = cursor.packet();
    let Some(PacketFields::Skb(skb)) = view.fields else {
        panic!("an skb")
    };
    view.buffer.expect("a buffer").bytes[skb.data as usize..skb.tail as usize].to_vec()
}

/// One's complement sum of a header that is right.
fn sums_up(header: &[u8]) -> bool {
    let words = header
        .chunks(2)
        .map(|w| u32::from(u16::from_be_bytes([w[0], w[1]])));
    let sum: u32 = words.sum();
    (sum & 0xffff) + (sum >> 16) == 0xffff
}

/// At input: the packet is routed and forwarded by the header that was pushed; the inner one is not touched.
#[test]
fn gre_at_input() {
    let trace = udp("", &pinned("in", "encap_in"));
    let path = functions(&trace, "rx");
    let count = |name: &str| path.iter().filter(|known| **known == name).count();
    assert_eq!(
        (count("bpf_lwt_push_ip_encap"), count("ip_forward")),
        (1, 1)
    );
    let sent = bytes(&trace, "dummy_xmit", "d0");
    assert_eq!(sent.len(), 14 + 24 + 52);
    let (outer, inner) = (&sent[14..34], &sent[38..58]);
    // 64 and a hop; 76 bytes; 10.0.0.77 to 192.0.3.9
    assert_eq!((outer[8], outer[2..4].to_vec()), (63, vec![0, 76]));
    assert_eq!(outer[12..], [10, 0, 0, 77, 192, 0, 3, 9]);
    assert!(sums_up(outer) && sums_up(inner));
    assert_eq!(inner[8], 64);
    let skb = at(&trace, "dummy_xmit", "d0");
    assert!(skb.encapsulation);
}

/// Where it is sent: the hop is counted already, of the inner header.
#[test]
fn gre_at_xmit() {
    let trace = udp("", &pinned("xmit", "encap_xmit"));
    let sent = bytes(&trace, "dummy_xmit", "d0");
    assert_eq!(sent.len(), 14 + 24 + 52);
    assert_eq!((sent[14 + 8], sent[38 + 8]), (64, 63));
    assert!(sums_up(&sent[14..34]));
    let path = functions(&trace, "d0");
    assert!(path.contains(&"bpf_xmit") && path.contains(&"ip_output"));
}

/// IPv4 in IPv6 and UDP: 40 and 8 bytes, sent by the route of IPv6.
#[test]
fn ipv6_at_xmit() {
    let trace = udp(SIX, &pinned("xmit", "encap6_xmit"));
    let sent = bytes(&trace, "__dev_queue_xmit", "out");
    assert_eq!(sent.len(), 14 + 48 + 52);
    assert_eq!(sent[12..14], [0x86, 0xdd]);
    assert_eq!(sent[18..20], [0, 60]);
    let skb = at(&trace, "ip6_output", "d0");
    let network = skb.network_header.expect("a header");
    assert_eq!(skb.transport_header, Some(network + 40));
    assert_eq!(skb.inner_network_header, Some(network + 48));
    assert_eq!(skb.protocol, 0x86dd);
}

/// Two segments around IPv6: 40 and 40 bytes, to the first of them.
#[test]
fn segments_around_ipv6() {
    let trace = ping("seg6_in");
    let sent = bytes(&trace, "__dev_queue_xmit", "out");
    assert_eq!(sent.len(), 14 + 40 + 40 + 104);
    // routing header; fd00::1
    assert_eq!(sent[14 + 6], 43);
    assert_eq!(sent[14 + 24..14 + 26], [0xfd, 0]);
    assert_eq!(sent[14 + 39], 1);
    // inside IPv6, 5 times 8 bytes, type 4, one segment left
    assert_eq!(sent[54..59], [41, 4, 4, 1, 1]);
    // the hop limit is that of the packet inside, less one hop
    assert_eq!((sent[14 + 7], sent[94 + 7]), (63, 64));
    assert!(functions(&trace, "in").contains(&"ip6_rcv_core"));
}

/// The same in the packet: the destination becomes the last segment.
#[test]
fn segments_into_ipv6() {
    let trace = ping("seg6_inline_in");
    let sent = bytes(&trace, "__dev_queue_xmit", "out");
    assert_eq!(sent.len(), 14 + 40 + 40 + 64);
    // ICMPv6 behind it
    assert_eq!(sent[54..59], [58, 4, 4, 1, 1]);
    assert_eq!(sent[62..65], [0xfd, 0x60, 0]);
    assert_eq!((sent[77], sent[14 + 39]), (9, 1));
}

/// -EINVAL 22, -EBADMSG 74.
#[test]
fn what_is_refused() {
    let trace = udp("", &pinned("in", "refused_in"));
    assert_eq!(
        trace.printk,
        ["short -22 mode -22", "inline in IPv4 -74 type -22"]
    );
    assert!(drops(&trace).is_empty());
    let trace = udp("", &pinned("xmit", "refused_xmit"));
    assert_eq!(trace.printk, ["seg6 at xmit -22"]);
}

/// A new destination that nobody knows: -ENETUNREACH, and the packet is gone.
#[test]
fn a_destination_without_route() {
    let trace = whole(
        &format!(
            "{WIRE}{OUT}{}orc send tx {ON} tx",
            "ip route add 192.0.2.0/24 encap bpf xmit pinned /sys/fs/bpf/encap6_xmit via 192.0.3.9 dev d0\n"
        ),
        MacHeader,
    );
    assert_eq!(drops(&trace), [2]);
    assert!(!functions(&trace, "d0").contains(&"dummy_xmit"));
}
