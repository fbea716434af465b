//! `tc` actions on tags and labels, and processes behind tun and tap. Values are from the kernel functions named at each
//! test, and arithmetic on headers.

mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{ECHO4, WIRE, at, drops, error, functions, whole};

/// The action at ingress of `rx`, for a frame with this between the addresses and the IP packet.
fn ingress(design: DesignName, action: &str, types: &str, more: &str) -> Trace {
    let text = format!(
        "{WIRE}tc qdisc add dev rx clsact
orc xdp set_tag rx native
tc filter add dev rx ingress pref 1 matchall action {action}
{more}
orc send tx 020000000001020000000002{types}{ECHO4} tx"
    );
    whole(&text, design)
}

/// The action at egress of `tx`, and what a packet socket there hears of the frame: 14 bytes on.
fn egress(action: &str, types: &str, len: usize) -> (Trace, String) {
    let text = format!(
        "{WIRE}tc -n tx qdisc add dev tx clsact
tc -n tx filter add dev tx egress matchall action {action}
orc tap tx tx
orc send tx 020000000001020000000002{types}{ECHO4} tx"
    );
    let trace = whole(&text, MacHeader);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let seen = trace
        .taps
        .first()
        .map_or(String::new(), |tap| hex(&tap.bytes[..len]));
    (trace, seen)
}

/// `tcf_vlan_act()`, TCF_VLAN_ACT_MODIFY: the id is replaced, the priority only when one is given (3 << 13 | 9 = 6009);
/// without one it stays (5 << 13 | 9 = a009). A frame without a tag stays as it is.
#[test]
fn vlan_modify() {
    let device = "ip link add link rx name rx.9 type vlan id 9\nip link set dev rx.9 up";
    for (action, tci) in [
        ("vlan modify id 9", 0xa009),
        ("vlan modify id 9 priority 3", 0x6009),
    ] {
        let trace = ingress(MacHeader, action, "8100a0050800", device);
        let fields = at(&trace, "vlan_do_receive", "rx");
        assert_eq!(
            (fields.vlan_tci, fields.vlan_proto),
            (tci, 0x8100),
            "{action}"
        );
        assert!(functions(&trace, "rx.9").contains(&"ip_rcv_core"));
    }
    let trace = ingress(MacHeader, "vlan modify id 9", "0800", device);
    assert!(!at(&trace, "ip_rcv_core", "rx").vlan_present);
}

/// `skb_eth_pop()`: the MAC header is where the network header is; metadata stay 14 bytes below. A reader of Linux 7.2 takes
/// the end of the Ethernet header for them: 00 02 of the source address and 08 00, as a number 0x00080200.
#[test]
fn pop_eth_leaves_metadata_behind() {
    // the comment has the object loaded
    let reader = "# get_tag_dynptr\ntc filter add dev rx ingress pref 2 bpf da pinned /sys/fs/bpf/get_tag_dynptr";
    for (design, value) in [(MacHeader, 0x0008_0200), (MetaEnd, 42)] {
        let trace = ingress(design, "vlan pop_eth continue", "0800", reader);
        assert_eq!(
            trace.printk,
            [format!("get_tag_dynptr: ret 0 size 4 value {value}")]
        );
        let fields = at(&trace, "ip_rcv_core", "rx");
        assert_eq!(
            (fields.mac_header, fields.mac_len),
            (fields.network_header, 0)
        );
    }
    // with a tag: EPROTO, so TC_ACT_SHOT, TC_INGRESS (70)
    assert_eq!(
        drops(&ingress(MacHeader, "vlan pop_eth", "810000050800", "")),
        [70]
    );
}

/// `skb_eth_push()`: an Ethernet header in front of a packet that has none, with the packet's protocol. A second one is
/// refused (`skb_network_offset() != 0`): TC_EGRESS (62).
#[test]
fn push_eth() {
    let run = |actions: &str| {
        let text = format!(
            "ip tuntap add dev t mode tun\nip link set dev t up\ntc qdisc add dev t clsact\ntc filter add dev t egress matchall {actions}\norc tap t\norc send t {ECHO4}"
        );
        whole(&text, MacHeader)
    };
    let push = "action vlan push_eth dst_mac 02:00:00:00:00:0a src_mac 02:00:00:00:00:0b";
    let trace = run(push);
    let fields = at(&trace, "tun_net_xmit", "t");
    assert_eq!((fields.len, fields.mac_len), (14 + 52, 14));
    let header = [2, 0, 0, 0, 0, 0x0a, 2, 0, 0, 0, 0, 0x0b, 8, 0];
    assert_eq!(trace.taps[0].bytes[..14], header);
    assert_eq!(drops(&run(&format!("{push} pipe {push}"))), [62]);
}

/// `tcf_mpls_act()`: label 100, bottom, ttl 64 (RFC 3032: 00064140). `modify` replaces what it names, `dec_ttl` takes one
/// off and drops at 1.
#[test]
fn mpls_modify_and_dec_ttl() {
    for (action, entry) in [
        ("mpls modify label 200", "000c8140"),
        ("mpls modify tc 3 ttl 9", "00064709"),
        ("mpls modify bos 0", "00064040"),
        ("mpls dec_ttl", "0006413f"),
    ] {
        let (_, seen) = egress(action, "884700064140", 18);
        assert_eq!(&seen[24..], format!("8847{entry}"), "{action}");
    }
    assert_eq!(drops(&egress("mpls dec_ttl", "884700064101", 0).0), [62]);
    // a packet without a label
    assert_eq!(drops(&egress("mpls dec_ttl", "0800", 0).0), [62]);
}

/// `TCA_MPLS_ACT_MAC_PUSH`: the label stands in front of the Ethernet header; it is the bottom, and the packet is one of
/// MPLS. 300 << 12 | 1 << 8 | 255 = 0012c1ff.
#[test]
fn mpls_mac_push() {
    let (trace, seen) = egress("mpls mac_push label 300", "0800", 18);
    assert_eq!(seen, "0012c1ff0200000000010200000000020800");
    let fields = at(&trace, "dev_hard_start_xmit", "tx");
    assert_eq!(
        (fields.protocol, fields.mac_len, fields.len),
        (0x8847, 0, 4 + 66)
    );
    assert_eq!(fields.mac_header, fields.network_header);
}

/// `tun_build_skb()`: NET_SKB_PAD (64) in front of the frame, with XDP 256 more. Metadata are said while `data` is at the
/// MAC header, so every design finds them.
#[test]
fn a_process_writes_to_a_tap_device() {
    let base =
        "ip tuntap add dev tap0 mode tap\nip link set dev tap0 address 02:00:00:00:00:07 up\n";
    let frame = format!("orc tun tap0 0200000000070200000000080800{ECHO4}");
    for design in [MacHeader, MetaEnd] {
        let text = format!(
            "{base}orc xdp set_tag tap0 native\norc tcx get_meta tap0 ingress\norc tcx get_tag_dynptr tap0 ingress\n{frame}"
        );
        let trace = whole(&text, design);
        assert_eq!(
            trace.printk,
            ["get_meta: 42", "get_tag_dynptr: ret 0 size 4 value 42"]
        );
        let fields = at(&trace, "netif_receive_skb", "tap0");
        assert_eq!(
            (fields.mac_header, fields.data, fields.pkt_type),
            (Some(320), 334, 0)
        );
    }
    let trace = whole(&format!("{base}{frame}"), MacHeader);
    assert_eq!(at(&trace, "netif_receive_skb", "tap0").mac_header, Some(64));
    // SKB_DATA_ALIGN(66 + 64) = 192 bytes in front of the shared info
    assert_eq!(at(&trace, "netif_receive_skb", "tap0").end, 192);
    let dropped = whole(
        &format!("{base}orc xdp xdp_aborted tap0 native\n{frame}"),
        MacHeader,
    );
    assert!(functions(&dropped, "tap0").is_empty());
}

/// `tun_alloc_skb()`: a packet without link header at 64; the IP version says the protocol. What is sent is read by the
/// process (`tun_net_xmit()`). A device that is down: DEV_READY (77).
#[test]
fn a_process_behind_a_tun_device() {
    let base = "ip tuntap add dev tun0 mode tun\nip addr add 192.0.2.1/24 dev tun0\n";
    let up = format!("{base}ip link set dev tun0 up\norc tun tun0 {ECHO4}");
    let trace = whole(&up, MacHeader);
    let fields = at(&trace, "netif_receive_skb", "tun0");
    assert_eq!((fields.data, fields.protocol, fields.len), (64, 0x0800, 52));
    let path = functions(&trace, "tun0");
    assert!(
        path.contains(&"icmp_rcv") && path.contains(&"tun_net_xmit"),
        "the answer: {path:?}"
    );
    assert_eq!(
        drops(&whole(&format!("{base}orc tun tun0 {ECHO4}"), MacHeader)),
        [77]
    );
    assert!(error(&format!("{base}orc tun tun0 00")).contains("EINVAL"));
    assert!(error(&format!("{WIRE}orc tun rx {ECHO4}")).contains("rx is no tun or tap device"));
}

/// `EEXIST`: an address, a neighbour and a route are there once; `replace` takes the place of what is there.
#[test]
fn what_is_there_already() {
    for (command, what) in [
        (
            "ip addr add 10.0.0.1/24 dev rx",
            "address 10.0.0.1/24 on rx",
        ),
        ("ip route add 10.0.0.0/24 dev rx", "route to 10.0.0.0/24"),
        ("ip route add blackhole 10.0.0.0/24", "route to 10.0.0.0/24"),
    ] {
        let said = error(&format!("{WIRE}{command}"));
        assert!(
            said.contains(&format!(
                "there is a {what} already, so Linux answers *File exists*"
            )),
            "{said}"
        );
    }
    let neigh = "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev rx\n";
    assert!(error(&format!("{WIRE}{neigh}{neigh}")).contains("neighbour 10.0.0.9 on rx"));
    let replaced = "ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:08 dev rx\nip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev rx\nip route replace 10.0.0.0/24 dev rx\nping -c1 10.0.0.2";
    let trace = whole(&format!("{WIRE}{replaced}"), MacHeader);
    // the frame is for 02:00:00:00:00:99, and tx is not that: OTHERHOST (13)
    assert_eq!(drops(&trace), [13]);
}
