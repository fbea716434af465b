//! Tunnel devices in external mode: what a program or a route tells them, and what they tell. Values are from the kernel
//! functions named at each test, and arithmetic on headers.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{ECHO4, WIRE, at, drops, error, functions, whole};

/// A device `ext` on both hosts, made by `kind`; that of `tx` tells what it was told.
fn pair(kind: &str) -> String {
    format!(
        "{WIRE}ip link add ext {kind}
ip -n tx link add ext {kind}
ip link set dev ext up
ip -n tx link set dev ext up
orc tcx get_key ext ingress tx
ip netns exec tx sysctl -q -w net.ipv4.icmp_echo_ignore_all=1
"
    )
}

/// An echo request, without Ethernet header or in a frame to the other `ext`.
fn send(frame: bool) -> String {
    let header = if frame {
        "0200000000aa0200000000bb0800"
    } else {
        ""
    };
    format!("\norc send ext {header}{ECHO4}")
}

fn told(trace: &Trace) -> Vec<&str> {
    trace.printk.iter().map(String::as_str).collect()
}

/// `gre_fb_xmit()`, `ip_md_tunnel_xmit()`, `ip_tun_rx_dst()`: id, address, tos and ttl of the program are those of the
/// outer header, and the other side's program reads them. tos b8 with ECN bits of the inner header (0).
#[test]
fn a_program_says_where_a_packet_goes() {
    for (kind, frame, id) in [
        ("type gre external", false, 42),
        ("type gretap external", true, 42),
        ("type ipip external", false, 0),
        ("type vxlan dstport 4789 external", true, 42),
        ("type geneve external", true, 42),
    ] {
        let trace = whole(
            &format!("{}orc tcx set_key ext egress{}", pair(kind), send(frame)),
            MacHeader,
        );
        let lines = [
            format!("get_key: ret 0 id {id}"),
            "get_key: remote a000001 tos b8".to_owned(),
            "get_key: ttl 33".to_owned(),
        ];
        assert_eq!(told(&trace), lines, "{kind}");
    }
}

/// The seed mail's garbage, in external mode: the last four bytes in front of the inner packet are GRE's key
/// (00 00 00 2a), VXLAN's VNI and the reserved byte (00 00 2a 00), the last bytes of GENEVE's option (de ad be ef).
#[test]
fn garbage_of_external_tunnels() {
    for (kind, frame, program, garbage) in [
        ("type gre external", false, "set_key", 0x2a00_0000_u32),
        (
            "type vxlan dstport 4789 external",
            true,
            "set_key",
            0x002a_0000,
        ),
        ("type geneve external", true, "set_opt", 0xefbe_adde),
    ] {
        for (design, value) in [(MacHeader, garbage), (MetaEnd, 42)] {
            let text = format!(
                "{}orc tcx {program} ext egress\norc xdp set_tag tx native tx\norc tcx get_tag_dynptr ext ingress tx{}",
                pair(kind).replace("orc tcx get_key ext ingress tx\n", ""),
                send(frame)
            );
            let line = format!("get_tag_dynptr: ret 0 size 4 value {value}");
            assert_eq!(told(&whole(&text, design)), [line.as_str()], "{kind}");
        }
    }
}

/// `geneve_xmit_skb()`: in external mode a ttl of 0 is sent as it is; `geneve_rx()` hands the options over.
#[test]
fn options_of_geneve() {
    let text = format!(
        "{}orc tcx set_opt ext egress\norc tcx get_opt ext ingress tx{}",
        pair("type geneve external"),
        send(true)
    );
    let trace = whole(&text, MacHeader);
    assert_eq!(
        told(&trace)[2..],
        ["get_key: ttl 0", "get_opt: ret 8 first 1 last ef"]
    );
    // UDP 8 + GENEVE 8 + option 8, and the inner frame of 66 bytes, behind 20 of IPv4
    assert_eq!(
        at(&trace, "__netif_receive_skb_core", "tx").len,
        20 + 24 + 66
    );
}

/// Without a word about where to go: GRE and ipip drop (NOT_SPECIFIED), VXLAN too (TUNNEL_TXINFO, 114), GENEVE frees the
/// packet without a reason (`dev_kfree_skb()`).
#[test]
fn a_packet_that_says_nothing() {
    for (kind, frame, reasons) in [
        ("type gre external", false, vec![2]),
        ("type gretap external", true, vec![2]),
        ("type ipip external", false, vec![2]),
        ("type vxlan dstport 4789 external", true, vec![114]),
        ("type geneve external", true, vec![]),
    ] {
        let trace = whole(&format!("{}{}", pair(kind), send(frame)), MacHeader);
        assert_eq!(drops(&trace), reasons, "{kind}");
        assert!(functions(&trace, "tx").is_empty());
    }
}

/// `ip_tun_build_state()`: the route tells the device, for every packet that goes by it. Without `key`, GRE sends none, and
/// the id is 0 there.
#[test]
fn a_route_says_where_packets_go() {
    let run = |words: &str| {
        let text = format!(
            "{}ip addr add 198.51.100.1/32 dev ext\nip route add 192.0.2.0/24 encap ip {words} dev ext\nping -c1 192.0.2.1",
            pair("type gre external")
        );
        whole(&text, MacHeader).printk
    };
    assert_eq!(
        run("id 42 dst 10.0.0.2 ttl 9 key"),
        [
            "get_key: ret 0 id 42",
            "get_key: remote a000001 tos 0",
            "get_key: ttl 9"
        ]
    );
    // ttl 0: that of the inner packet, 64
    assert_eq!(
        run("id 42 dst 10.0.0.2"),
        [
            "get_key: ret 0 id 0",
            "get_key: remote a000001 tos 0",
            "get_key: ttl 64"
        ]
    );
}

/// `ip_tunnel_rcv()`: a checksum that the device did not ask for drops the packet, in external mode too; so
/// `bpf_skb_set_tunnel_key()` wants `BPF_F_ZERO_CSUM_TX` for GRE.
#[test]
fn gre_with_a_checksum_is_not_taken() {
    let trace = whole(
        &format!(
            "{}orc tcx set_opt ext egress{}",
            pair("type gre external"),
            send(false)
        ),
        MacHeader,
    );
    assert_eq!(drops(&trace), [2]);
    assert!(told(&trace).is_empty());
}

/// `ip_tunnel_lookup()`: devices with addresses come first. `ipgre_rcv()`: a frame without a gretap device is for a GRE
/// device, as a packet of protocol 6558 (`raw_proto`).
#[test]
fn who_gets_a_packet() {
    let text = format!(
        "{}ip -n tx link add own type gre local 10.0.0.2 remote 10.0.0.1 key 42\nip -n tx link set dev own up\norc tcx set_key ext egress{}",
        pair("type gre external"),
        send(false)
    );
    let trace = whole(&text, MacHeader);
    assert!(told(&trace).is_empty() && functions(&trace, "own").contains(&"ip_rcv_core"));
    let text = format!(
        "{}ip link add tap type gretap external\nip link set dev tap up\norc tcx set_key tap egress\norc send tap 0200000000aa0200000000bb0800{ECHO4}",
        pair("type gre external")
    );
    let trace = whole(&text, MacHeader);
    assert_eq!(
        at(&trace, "__netif_receive_skb_core", "ext").protocol,
        0x6558
    );
    // UNHANDLED_PROTO
    assert_eq!(drops(&trace), [71]);
}

/// Over IPv6 (`ipxip6_tnl_xmit()`, `__gre6_xmit()`, `vxlan_xmit_one()`): the other side's key is one of IPv6, which a
/// program that does not ask for one is refused (`EPROTO`, −71).
#[test]
fn over_ipv6() {
    for (kind, frame) in [
        ("type ip6gre external", false),
        ("type ip6gretap external", true),
        ("type ip6tnl external", false),
        ("type vxlan dstport 4789 external udp6zerocsumrx", true),
        ("type geneve external udp6zerocsumrx", true),
    ] {
        let trace = whole(
            &format!("{}orc tcx set_key6 ext egress{}", pair(kind), send(frame)),
            MacHeader,
        );
        let first = told(&trace).first().copied();
        assert_eq!(
            first,
            Some("get_key: ret -71 id 0"),
            "{kind}: {:?}",
            drops(&trace)
        );
        let outer = at(&trace, "__netif_receive_skb_core", "tx");
        assert_eq!(outer.protocol, 0x86dd, "{kind}");
        // no encapsulation limit goes along: 40 bytes, and the tunnel's own
        let own = match kind {
            _ if kind.contains("ip6gre") => 8,
            _ if kind.contains("ip6tnl") => 0,
            _ => 16,
        };
        assert_eq!(
            outer.len,
            40 + own + 52 + if frame { 14 } else { 0 },
            "{kind}"
        );
    }
}

/// `bpf_skb_set_tunnel_opt()`: only behind a key that a program set, not one that the packet came with (`EINVAL`);
/// `bpf_skb_get_tunnel_key()` without any: `EINVAL`.
#[test]
fn a_packet_without_a_key() {
    let trace = whole(
        &format!(
            "{WIRE}orc tcx get_key rx ingress\norc send tx 0200000000010200000000020800{ECHO4} tx"
        ),
        MacHeader,
    );
    assert_eq!(told(&trace)[0], "get_key: ret -22 id 0");
}

/// `geneve_configure()`, `vxlan_config_apply()`: external devices leave room for IPv6: 14 + 84 bytes of GENEVE are 96 + 16
/// for the rounding, 14 + 14 + 70 of VXLAN too. `geneve_link_config()`: an MTU of 65535 − 16 − 14 − 40 bytes.
#[test]
fn room_and_mtu() {
    for kind in ["type geneve external", "type vxlan dstport 4789 external"] {
        let trace = whole(&format!("{}{}", pair(kind), send(true)), MacHeader);
        // LL_RESERVED_SPACE: (14 + 84) rounded down to 96, plus 16, less the link header
        assert_eq!(
            at(&trace, "__dev_queue_xmit", "ext").data,
            112 - 14,
            "{kind}"
        );
    }
    let big = |len: usize| {
        format!(
            "{}\norc send ext 0200000000aa0200000000bb0800{}",
            pair("type geneve external"),
            "00".repeat(len)
        )
    };
    assert!(error(&big(65_466)).contains("EMSGSIZE"));
}

/// What is said of a device whose packets say it all is of no use; a device that says nothing wants it.
#[test]
fn what_external_mode_needs_not() {
    assert!(
        error(&format!("{WIRE}orc tcx set_key nowhere egress")).contains("no device `nowhere`")
    );
    let refused =
        headroom_core::scenario::parse("ip link add v type vxlan dstport 4789").unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("expected id and a VNI, or external"),
        "{refused}"
    );
    let refused = headroom_core::scenario::parse("ip route add 192.0.2.0/24 encap ip id 1 dev g")
        .unwrap_err();
    assert!(
        refused.to_string().contains("dst and an address"),
        "{refused}"
    );
}
