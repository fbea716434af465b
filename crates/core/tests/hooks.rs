//! XDP verdicts, tcx beside clsact, classifiers and their actions. Values are arithmetic on header sizes and the rules
//! named at each test.

mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{WIRE, at, drops, functions, whole};

/// The echo request of the recordings (golden E1), 10.0.0.2 to 10.0.0.1, 52 bytes.
const PING: &str = "4500003422220000400144a50a0000020a0000010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778";

/// Commands, then the echo request on the wire from `tx` to `rx`; nobody answers it.
fn run_as(design: DesignName, commands: &str) -> Trace {
    let frame = format!("0200000000010200000000020800{PING}");
    let quiet = "sysctl -w net.ipv4.icmp_echo_ignore_all=1";
    whole(
        &format!("{WIRE}{quiet}\n{commands}\norc send tx {frame} tx"),
        design,
    )
}

fn run(commands: &str) -> Trace {
    run_as(MacHeader, commands)
}

const CLSACT: &str = "tc qdisc add dev rx clsact\n";

/// `veth_xdp_tx()`, `__xdp_build_skb_from_frame()`: a frame that goes back keeps its metadata, which the other end's
/// program and TC see.
#[test]
fn xdp_tx_takes_metadata_along() {
    for design in [MacHeader, MetaEnd] {
        let trace = run_as(
            design,
            "orc xdp tag_tx rx native\norc xdp xdp_pass tx native tx\norc tcx get_meta tx ingress tx\norc tcx get_tag_dynptr tx ingress tx",
        );
        assert_eq!(
            trace.printk,
            ["get_meta: 42", "get_tag_dynptr: ret 0 size 4 value 42"]
        );
        // 10.0.0.1 is not here, and this host does not forward: IP_INADDRERRORS
        assert_eq!(drops(&trace), [85]);
        // the same buffer comes back: the frame still stands at 256
        let fields = at(&trace, "__netif_receive_skb_core", "tx");
        assert_eq!((fields.mac_header, fields.data), (Some(256), 270));
    }
}

/// `veth_xdp_xmit()`: without NAPI on the other end the frame is returned, and the kernel says nothing.
#[test]
fn xdp_tx_to_an_end_without_napi() {
    let trace = run("orc xdp tag_tx rx native\norc tcx get_meta tx ingress tx");
    assert!(trace.printk.is_empty() && drops(&trace).is_empty());
    assert!(functions(&trace, "rx").contains(&"xdp_return_frame"));
}

/// `generic_xdp_tx()`: the driver gets the skb at once, so a classifier at egress does not see it.
#[test]
fn generic_xdp_tx_goes_past_tc() {
    let trace = run(
        "orc xdp tag_tx rx generic\norc tcx get_meta rx egress\norc tcx get_meta tx ingress tx",
    );
    // metadata are in front of the packet, but nobody told the skb (`skb_metadata_set()` is for XDP_PASS)
    assert_eq!(trace.printk, ["get_meta: no metadata"]);
    let path = functions(&trace, "rx");
    assert!(path.contains(&"generic_xdp_tx") && !path.contains(&"__dev_queue_xmit"));
}

/// `XDP_ABORTED` drops without a reason of its own (NOT_SPECIFIED), in both modes.
#[test]
fn an_aborted_program_drops() {
    for mode in ["native", "generic"] {
        let trace = run(&format!(
            "orc xdp xdp_aborted rx {mode}\norc tcx get_meta rx ingress"
        ));
        assert_eq!(drops(&trace), [2], "{mode}");
        assert!(trace.printk.is_empty());
    }
}

/// `tcx_run()` and `tc_run()`: tcx first; only TCX_NEXT lets clsact decide, and a filter that says UNSPEC the next one.
#[test]
fn tcx_and_clsact_side_by_side() {
    let both = |tcx: &str, filters: &[&str]| {
        let mut commands = format!("{CLSACT}orc tcx {tcx} rx ingress\n");
        for (pref, filter) in (1..).zip(filters) {
            commands += &format!(
                "tc filter add dev rx ingress pref {pref} bpf da pinned /sys/fs/bpf/{filter}\n"
            );
        }
        let trace = run(&commands);
        (trace.printk.join(" "), drops(&trace))
    };
    let passed = vec![2_u32; 0];
    assert_eq!(
        both("says_ok", &["says_shot"]),
        ("says_ok".into(), passed.clone())
    );
    // TC_INGRESS is 70
    assert_eq!(
        both("says_next", &["says_shot"]),
        ("says_next says_shot".into(), vec![70])
    );
    assert_eq!(
        both("says_next", &["says_next", "says_ok", "says_shot"]),
        ("says_next says_next says_ok".into(), passed.clone())
    );
    // cls_bpf does not know PIPE: it counts as UNSPEC, so the next filter is asked
    assert_eq!(
        both("says_next", &["says_pipe", "says_stolen", "says_shot"]),
        ("says_next says_pipe says_stolen".into(), passed)
    );
}

/// Filters are asked by preference, and `matchall` with `action drop` ends it.
#[test]
fn actions_that_only_say_a_verdict() {
    let verdict = |actions: &str| {
        drops(&run(&format!(
            "{CLSACT}tc filter add dev rx ingress pref 2 matchall action drop\ntc filter add dev rx ingress pref 1 matchall {actions}"
        )))
    };
    assert_eq!(verdict("action pass"), [0_u32; 0]);
    assert_eq!(verdict("action continue"), [70]);
    assert_eq!(verdict("action pipe action drop"), [70]);
    // PIPE at the end of a list is an answer: the packet goes on
    assert_eq!(verdict("action pipe"), [0_u32; 0]);
}

/// `tcf_vlan_act()`: a tag beside the packet, and out of the packet again; metadata are where they were.
#[test]
fn vlan_actions() {
    let push =
        "tc filter add dev rx ingress pref 1 matchall action vlan push id 7 action vlan push id 8";
    let commands = format!(
        "{CLSACT}orc xdp set_tag rx native\n{push} pipe action mirred egress mirror dev out"
    );
    let world = format!("ip link add out type dummy\nip link set dev out up\n{commands}");
    for design in [MacHeader, MetaEnd] {
        let trace = run_as(design, &world);
        // the first tag went into the frame: 4 bytes below 256
        let fields = at(&trace, "__dev_queue_xmit", "out");
        assert_eq!((fields.data, fields.len), (252, 70));
        assert_eq!((fields.vlan_tci, fields.vlan_proto), (8, 0x8100));
        assert_eq!(fields.meta.len, 4);
    }
}

/// `skb_mpls_push()`: a plain memmove of the link header over the metadata. What a reader then takes for metadata are
/// the four bytes in front of the frame that moved 4 down: the bytes of nobody, under both designs.
#[test]
fn an_mpls_label_overwrites_metadata() {
    let commands = format!(
        "ip link add out type dummy\nip link set dev out up\n{CLSACT}orc xdp set_tag rx native
tc filter add dev rx ingress pref 1 matchall action mpls push label 100 ttl 64 action mirred egress redirect dev out
orc tcx get_meta out egress"
    );
    let trace = run(&commands);
    assert_eq!(trace.printk, ["get_meta: 0"]);
    let fields = at(&trace, "__dev_queue_xmit", "out");
    assert_eq!((fields.data, fields.mac_header), (252, Some(252)));
    assert_eq!(
        (fields.network_header, fields.protocol),
        (Some(266), 0x8847)
    );
    assert_eq!(fields.inner_network_header, Some(270));
    // what goes out: the addresses, the new type, label 100 at the bottom with ttl 64 (0006 4140), the packet
    let trace = run(&format!("{commands}\norc tap out"));
    let sent: String = trace.taps[0]
        .bytes
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(sent, format!("020000000001020000000002884700064140{PING}"));
}

/// `skb_mpls_pop()`: the frame moves 4 up, the metadata stay: `mac_header` reads 4 bytes of the old frame, the first
/// of the destination address.
#[test]
fn an_mpls_pop_leaves_a_gap() {
    let label = "00064140";
    let frame = format!("0200000000010200000000028847{label}{PING}");
    let text = format!(
        "{WIRE}ip link add out type dummy\nip link set dev out up\n{CLSACT}orc xdp set_tag rx native
tc filter add dev rx ingress protocol mpls_uc pref 1 matchall action mpls pop protocol ip action mirred egress redirect dev out
orc tcx get_tag_dynptr out egress
orc send tx {frame} tx"
    );
    let read = |design| whole(&text, design).printk;
    // 02:00:00:00 as a number in host order
    assert_eq!(read(MacHeader), ["get_tag_dynptr: ret 0 size 4 value 2"]);
    assert_eq!(read(MetaEnd), ["get_tag_dynptr: ret 0 size 4 value 42"]);
}

/// `tcf_mirred_to_dev()`: to a device that is down or has no carrier, as a veth whose other end is down, a redirect is SHOT.
/// Recorded: E16-mirred-out-down; a packet sent to such a veth: E16-fwd-down.
#[test]
fn devices_that_are_down() {
    let redirect = "tc filter add dev rx ingress matchall action mirred egress redirect dev out";
    let to = |state: &str| {
        drops(&run(&format!(
            "ip link add out type veth peer name far\n{state}\n{CLSACT}{redirect}"
        )))
    };
    assert_eq!(to("ip link set dev out up\nip link set dev far up"), [13]);
    assert_eq!(to("ip link set dev out up"), [70]);
    assert_eq!(to("ip link set dev far up"), [70]);
}

/// What both readers see on a card with a driver, and where the skb's metadata end.
fn card(driver: &str, design: DesignName) -> (Vec<String>, Option<u32>, Option<u32>) {
    let trace = whole(&card_commands(driver, "set_tag"), design);
    seen_on_card(trace)
}

fn seen_on_card(trace: Trace) -> (Vec<String>, Option<u32>, Option<u32>) {
    let fields = at(&trace, "__netif_receive_skb_core", "eth0");
    (trace.printk, fields.meta.end, fields.mac_header)
}

fn card_commands(driver: &str, program: &str) -> String {
    let frame = format!("0200000000010200000000020800{PING}");
    format!(
        "nic add eth0 driver {driver} address 02:00:00:00:00:01\nip link set dev eth0 up\nip addr add 10.0.0.1/24 dev eth0
orc xdp {program} eth0 native\norc tcx get_tag_dynptr eth0 ingress\norc tcx get_meta eth0 ingress
sysctl -w net.ipv4.icmp_echo_ignore_all=1\nnic rx eth0 {frame}"
    )
}

/// patch-series.md, section 3, patches 1–6 and 8: the drivers that copy metadata and frame in one piece. Both kernels
/// read 42; the metadata end where the frame begins: 64 of headroom and 4 of metadata, or in place at 256.
#[test]
fn drivers_that_keep_metadata_in_front_of_the_frame() {
    for (driver, end) in [
        ("bnxt", 68),
        ("i40e-zc", 68),
        ("igb-zc", 68),
        ("igc-copy", 68),
        ("igc-zc", 68),
        ("ixgbe-zc", 68),
        ("mlx5-zc", 68),
        ("xsk", 68),
        ("i40e", 256),
        ("igb", 256),
        ("igc", 256),
        ("ixgbe", 256),
        ("mlx5", 256),
    ] {
        for design in [MacHeader, MetaEnd] {
            let lines = ["get_tag_dynptr: ret 0 size 4 value 42", "get_meta: 42"];
            let (read, meta_end, mac) = card(driver, design);
            assert_eq!(read, lines, "{driver}");
            assert_eq!((meta_end, mac), (Some(end), Some(end)), "{driver}");
        }
    }
}

/// 6b: nfp sets metadata after `eth_type_trans()`: `meta_end` is 14 too high, the dynptr reads the end of the MAC
/// header (00 02 08 00 is 524800), and realign warns and clears: so the second reader sees nothing afterwards. Under
/// 7.2 it makes no difference.
#[test]
fn nfp_sets_metadata_too_late_for_meta_end() {
    let (read, end, mac) = card("nfp", MetaEnd);
    assert_eq!((end, mac), (Some(270), Some(256)));
    assert_eq!(read[0], "get_tag_dynptr: ret 0 size 4 value 524800");
    assert_eq!(card("nfp", MacHeader).0[1], "get_meta: 42");
}

/// 6b: nfp with AF_XDP has no metadata: no bytes in front of `data`. `xdp_set_data_meta_invalid()` makes
/// `bpf_xdp_adjust_meta()` -ENOTSUPP (-524), and the skb is told of -1 bytes in a `u8`, 255: with 64 bytes of headroom they
/// would begin 191 below `head`. `nfp_nfd3_xsk_rx()` and `nfp_nfd3_xsk_rx_skb()`, `nfd3/xsk.c`.
#[test]
fn nfp_with_af_xdp_tells_of_metadata_it_refused() {
    // set_tag drops the frame when it gets no room for its tag
    let refused = whole(&card_commands("nfp-zc", "set_tag"), MacHeader);
    assert!(refused.printk.is_empty(), "{:?}", refused.printk);
    let passed = |design| seen_on_card(whole(&card_commands("nfp-zc", "xdp_pass"), design));
    let (read, end, mac) = passed(MacHeader);
    assert_eq!((end, mac), (Some(64), Some(64)));
    assert_eq!(read[0], "get_tag_dynptr: ret 0 size 255 value 0");
    let (_, end, mac) = passed(MetaEnd);
    assert_eq!((end, mac), (Some(78), Some(64)));
}

/// L2TPv3 (RFC 3931): what is taken for metadata are the last four bytes in front of the inner frame: the sublayer's
/// zeros, or without it the session id in network order. Over IP and over UDP.
#[test]
fn l2tp_pseudowires() {
    let inner = format!("0200000000030200000000040800{PING}");
    for (encap, outer) in [("ip", 20), ("udp", 20 + 8 + 4)] {
        for (l2spec, garbage, header) in [("default", 0_u32, 8), ("none", 0x0700_0000, 4)] {
            let end = |netns: &str, near: u8, far: u8, name: &str| {
                let ports = if encap == "udp" {
                    "udp_sport 5000 udp_dport 5000"
                } else {
                    ""
                };
                format!(
                    "ip {netns} l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap {encap} local 10.0.0.{near} remote 10.0.0.{far} {ports}
ip {netns} l2tp add session name {name} tunnel_id 1 session_id 7 peer_session_id 7 l2spec_type {l2spec}
ip {netns} link set dev {name} up\n"
                )
            };
            let text = format!(
                "{WIRE}{}{}orc xdp set_tag rx native\norc tcx get_tag_dynptr decap ingress\norc send encap {inner} tx",
                end("", 1, 2, "decap"),
                end("-n tx", 2, 1, "encap"),
            );
            for (design, value) in [(MacHeader, garbage), (MetaEnd, 42)] {
                let trace = whole(&text, design);
                let line = format!("get_tag_dynptr: ret 0 size 4 value {value}");
                assert_eq!(trace.printk, [line], "{encap} {l2spec}");
                let fields = at(&trace, "__netif_receive_skb_core", "decap");
                assert_eq!(fields.mac_header, Some(256 + 14 + outer + header));
            }
        }
    }
}

/// L2TPv3 over IPv6 (`l2tp_ip6_recv()`, `inet6_csk_xmit()`): the same behind an outer header of 40 bytes, and with UDP a checksum
/// that holds. A packet without one is not taken, unless the tunnel says so.
#[test]
fn l2tp_pseudowires_over_ipv6() {
    let inner = format!("0200000000030200000000040800{PING}");
    let ends = |encap: &str, rx: &str| {
        let end = |netns: &str, near: u8, far: u8, name: &str, more: &str| {
            format!(
                "ip {netns} l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap {encap} local 2001:db8::{near} remote 2001:db8::{far} {more}
ip {netns} l2tp add session name {name} tunnel_id 1 session_id 7 peer_session_id 7
ip {netns} link set dev {name} up\n"
            )
        };
        let ports = if encap == "udp" {
            "udp_sport 5000 udp_dport 5000"
        } else {
            ""
        };
        format!(
            "{WIRE}{}{}orc xdp set_tag rx native\norc tcx get_tag_dynptr decap ingress\norc send encap {inner} tx",
            end("", 1, 2, "decap", &format!("{ports} {rx}")),
            end(
                "-n tx",
                2,
                1,
                "encap",
                &format!(
                    "{ports} {}",
                    if rx.is_empty() {
                        ""
                    } else {
                        "udp6_csum_tx off"
                    }
                )
            ),
        )
    };
    for (encap, outer) in [("ip", 40), ("udp", 40 + 8 + 4)] {
        for (design, value) in [(MacHeader, 0), (MetaEnd, 42)] {
            let trace = whole(&ends(encap, ""), design);
            let line = format!("get_tag_dynptr: ret 0 size 4 value {value}");
            assert_eq!(trace.printk, [line], "{encap}");
            let fields = at(&trace, "__netif_receive_skb_core", "decap");
            assert_eq!(fields.mac_header, Some(256 + 14 + outer + 8), "{encap}");
        }
    }
    let unchecked = whole(&ends("udp", "udp6_csum_rx off"), MetaEnd);
    assert_eq!(unchecked.printk.len(), 1);
    // SKB_DROP_REASON_UDP_CSUM
    let refused = whole(&ends("udp", "udp6_csum_rx on"), MetaEnd);
    assert_eq!(drops(&refused)[0], 11);
}

/// Programs that send packets on, to device 3 of the namespace: `out`, whose other end `in` is in `far`.
fn redirected(commands: &str) -> Trace {
    run(&format!(
        "ip netns add far
ip link add out type veth peer name in address 02:00:00:00:00:01 netns far
ip link set dev out up
ip -n far link set dev in up
ip netns exec far ethtool -K in gro on
orc tcx get_tag_dynptr in ingress far
{commands}"
    ))
}

/// `bpf_redirect()` of XDP and `__xdp_build_skb_from_frame()`, `bpf_redirect_peer()`: the tag arrives in the other
/// namespace; `in` has the frame's address, so the packet is for it, and it has no such IPv4 address (IP_INADDRERRORS).
#[test]
fn metadata_behind_a_redirect() {
    let read = ["get_tag_dynptr: ret 0 size 4 value 42"];
    let xdp = redirected("orc xdp tag_redirect rx native");
    assert_eq!(xdp.printk, read);
    assert_eq!(drops(&xdp), [85]);
    let peer = redirected("orc xdp set_tag rx native\norc tcx to_peer rx ingress");
    assert_eq!(peer.printk, read);
    assert!(
        !functions(&peer, "out").contains(&"veth_xmit"),
        "no hop over the wire"
    );
    let generic = redirected("orc xdp tag_redirect rx generic");
    assert!(
        functions(&generic, "out").contains(&"generic_xdp_tx")
            || functions(&generic, "rx").contains(&"generic_xdp_tx")
    );
}
