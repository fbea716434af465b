//! FOU and GUE (`net/ipv4/fou_core.c`): tunnels over IPv4 in UDP. Values are from the kernel functions named at each test.

mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::trace::{Cursor, Edge, PacketFields, Step, StepKind, Trace};
use world::{WIRE, at, drops, error, functions, whole};

/// A tunnel of a type between both ends of [`WIRE`], in UDP to port 5555, and an echo request through it from `tx`.
fn tunnel(kind: &str, port: &str, encap: &str) -> String {
    format!(
        "{WIRE}ip fou add port 5555 {port}\n\
         ip link add decap type {kind} local 10.0.0.1 remote 10.0.0.2\n\
         ip link set dev decap up\n\
         ip addr add 192.0.2.1/24 dev decap\n\
         ip -n tx link add encap type {kind} local 10.0.0.2 remote 10.0.0.1 encap {encap} encap-sport 4000 encap-dport 5555\n\
         ip -n tx link set dev encap up\n\
         ip -n tx addr add 192.0.2.2/24 dev encap\n\
         sysctl -q -w net.ipv4.icmp_echo_ignore_all=1\n"
    )
}

const PING: &str = "ip netns exec tx ping -c1 192.0.2.1\n";

/// The bytes from the network header on, at the first entry of a function on a device.
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
    let start = skb.network_header.expect("a network header") as usize;
    view.buffer.expect("a buffer").bytes[start..skb.tail as usize].to_vec()
}

/// What leaves by `tx`, from the IP header on.
fn sent(trace: &Trace) -> Vec<u8> {
    bytes(trace, "veth_xmit", "tx")
}

fn run(text: &str, design: DesignName) -> Trace {
    whole(&format!("{text}{PING}"), design)
}

/// `fou_build_udp()`: UDP is the outer protocol, and what the tunnel would have sent stands behind eight bytes; `gue_build_header()` puts
/// four more in between, with the protocol's number. Received, `fou_udp_recv()` and `gue_udp_recv()` hand on what is behind.
#[test]
fn tunnels_in_udp() {
    for (kind, protocol, inner) in [("gre", 47, 4), ("ipip", 4, 0)] {
        for (encap, port, header) in [
            ("fou", format!("ipproto {protocol}"), 0),
            ("gue", "gue".into(), 4),
        ] {
            let trace = run(&tunnel(kind, &port, encap), MacHeader);
            let ip = sent(&trace);
            let udp = &ip[20..28];
            assert_eq!(ip[9], 17, "{kind} {encap}");
            assert_eq!(udp[..4], [0x0f, 0xa0, 0x15, 0xb3]);
            // 84 bytes of echo request
            let len = 8 + header + inner + 84;
            assert_eq!(usize::from(u16::from_be_bytes([udp[4], udp[5]])), len);
            assert_eq!(udp[6..], [0, 0], "no checksum unless asked for");
            if header > 0 {
                assert_eq!(ip[28..32], [0, protocol, 0, 0]);
            }
            assert!(
                functions(&trace, "decap").contains(&"icmp_rcv"),
                "{kind} {encap}"
            );
            assert!(drops(&trace).is_empty());
        }
    }
}

/// `ipip6_tunnel_xmit()` and `tunnel64_rcv()`: IPv6 in IPv4, in UDP.
#[test]
fn ipv6_in_udp() {
    let text = tunnel("sit", "ipproto ipv6", "fou")
        + "ip -6 addr add 2001:db8:9::1/64 dev decap nodad\nip -n tx -6 addr add 2001:db8:9::2/64 dev encap nodad\n\
           ip netns exec tx ping -6 -c1 2001:db8:9::1\n";
    let trace = whole(&text, MacHeader);
    let ip = sent(&trace);
    assert_eq!((ip[9], ip[28] >> 4), (17, 6));
    assert!(functions(&trace, "rx").contains(&"tunnel64_rcv"));
    assert!(!functions(&trace, "decap").is_empty());
}

/// `__ipgre_rcv()` resets the MAC header as it does for plain GRE: what is read of the tag that XDP left is the same.
#[test]
fn metadata_behind_fou_and_gre() {
    let programs = "orc xdp set_tag rx native\norc tcx get_tag_dynptr decap ingress\n";
    for design in [MacHeader, MetaEnd] {
        let read = |encap: &str| {
            let text = tunnel("gre", "ipproto 47", encap) + programs;
            run(&text, design).printk
        };
        assert_eq!(read("fou"), read("none"));
    }
    let text = tunnel("gre", "ipproto 47", "fou") + programs;
    let found = run(&text, MetaEnd).printk;
    assert_eq!(found, ["get_tag_dynptr: ret 0 size 4 value 42"]);
}

/// `fou_recv_pull()`: the IP header in front counts the bytes behind it no more, and the transport header is behind the UDP header.
#[test]
fn the_outer_header_loses_what_was_pulled() {
    let trace = run(&tunnel("gre", "ipproto 47", "fou"), MacHeader);
    let before = at(&trace, "udp_queue_rcv_skb", "rx");
    let after = at(&trace, "gre_rcv", "rx");
    assert_eq!((after.data, after.len), (before.data + 8, before.len - 8));
    assert_eq!(after.transport_header, Some(after.data));
    let ip = bytes(&trace, "gre_rcv", "rx");
    assert_eq!(u16::from_be_bytes([ip[2], ip[3]]), 20 + 4 + 84);
}

/// `udp_set_csum()` with `encap-csum`: the device has to finish it; received, it is right.
#[test]
fn a_checksum_of_udp() {
    let with =
        tunnel("gre", "gue", "gue").replace("encap-dport 5555", "encap-dport 5555 encap-csum");
    let trace = run(&with, MacHeader);
    assert_ne!(sent(&trace)[26..28], [0, 0]);
    assert!(functions(&trace, "decap").contains(&"icmp_rcv"));
    assert!(drops(&trace).is_empty());
}

/// `ip_tunnel_bind_dev()`: the device's MTU leaves room for it: 1500 − 20 − 4 − 12.
#[test]
fn the_mtu_leaves_room() {
    let ping = "ip netns exec tx ping -c1 -s 1437 -M do 192.0.2.1\n";
    let text = tunnel("gre", "gue", "gue") + ping;
    let message = error(&text);
    assert!(message.contains("1464"), "{message}");
}

/// `gue_udp_recv()`: control messages, unknown flags and versions, and protocol 0 are dropped; version 1 is an IP packet without a header.
#[test]
fn what_gue_refuses() {
    let receive = |payload: &str| {
        let bytes = payload.len() as u16 / 2;
        let mut ip = vec![
            0x45,
            0,
            0,
            (28 + bytes) as u8,
            0,
            0,
            0,
            0,
            64,
            17,
            0,
            0,
            10,
            0,
            0,
            2,
            10,
            0,
            0,
            1,
        ];
        let check = headroom_core::net::checksum::internet(&ip).to_be_bytes();
        ip[10..12].copy_from_slice(&check);
        ip.extend([0x0f, 0xa0, 0x15, 0xb3, 0, (8 + bytes) as u8, 0, 0]);
        let hex: String = ip.iter().map(|byte| format!("{byte:02x}")).collect();
        let frame = format!("orc send tx 0200000000010200000000020800{hex}{payload} tx\n");
        let text = tunnel("ipip", "gue", "gue") + &frame;
        let trace = whole(&text, MacHeader);
        (
            drops(&trace),
            functions(&trace, "rx").contains(&"tunnel4_rcv"),
        )
    };
    let inner = "4500001c00000000400100000a0000020a00000108000000000000000000";
    for header in ["20040000", "00040002", "80040000", "00000000"] {
        let (drops, taken) = receive(&format!("{header}{inner}"));
        assert_eq!((drops, taken), (vec![2], false), "{header}");
    }
    assert!(receive(&format!("00040000{inner}")).1);
    assert!(receive(inner).1, "version 1");
}

/// `fou_create()`: a port has one socket (`EADDRINUSE`).
#[test]
fn a_port_is_given_once() {
    let twice = format!("{WIRE}ip fou add port 5555 gue\nip fou add port 5555 ipproto 4\n");
    assert!(
        error(&twice).contains("UDP port 5555 is taken"),
        "{}",
        error(&twice)
    );
}
