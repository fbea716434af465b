//! XDP_TX and XDP_REDIRECT on network cards and taps, and otx2's way of building an skb. What is expected is counted from
//! the drivers' sources and `net/core/filter.c`.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{at, error, functions, whole};

/// The echo request of the recordings (golden E1), with its Ethernet header.
const FRAME: &str = "02000000000102000000000208004500003422220000400144a50a0000020a0000010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778";

fn card(driver: &str, commands: &str) -> String {
    format!(
        "nic add eth0 driver {driver} address 02:00:00:00:00:01\nip link set dev eth0 up\n{commands}nic rx eth0 {FRAME}"
    )
}

/// `v0` is device 3 here, where `tag_redirect` sends to; `v1` polls, as it has a program.
const WIRE: &str = "ip netns add far\nip link add v0 type veth peer name v1 netns far\nip link set v0 up\nip -n far link set v1 up\norc xdp xdp_pass v1 native far\norc tcx get_meta v1 ingress far\n";

fn names(trace: &Trace) -> Vec<&str> {
    functions(trace, "eth0")
}

/// Each driver's function for `XDP_TX`: the frame goes back by the card, and no skb is made.
#[test]
fn a_card_sends_back() {
    for (driver, tx) in [
        ("bnxt", "__bnxt_xmit_xdp"),
        ("i40e", "i40e_xmit_xdp_tx_ring"),
        ("i40e-zc", "i40e_xmit_xdp_tx_ring"),
        ("igb", "igb_xdp_xmit_back"),
        ("igc-copy", "igc_xdp_xmit_back"),
        ("ixgbe-zc", "ixgbe_xmit_xdp_ring"),
        ("mlx5", "mlx5e_xmit_xdp_buff"),
        ("nfp", "nfp_nfd3_tx_xdp_buf"),
        ("otx2", "otx2_xdp_sq_append_pkt"),
    ] {
        let trace = whole(&card(driver, "orc xdp tag_tx eth0 native\n"), MacHeader);
        assert!(names(&trace).contains(&tx), "{driver}: {:?}", names(&trace));
        assert!(!names(&trace).contains(&"eth_type_trans"), "{driver}");
    }
    let told = error(&card("xsk", "orc xdp tag_tx eth0 native\n"));
    assert!(told.contains("not covered: XDP_TX of xsk"), "{told}");
}

/// `xdp_do_redirect()` to a veth: the frame keeps its metadata (`xdp_frame.metasize`).
#[test]
fn a_card_redirects_to_a_veth() {
    for driver in ["igc", "igc-zc", "nfp", "otx2", "xsk"] {
        let text = card(driver, &format!("{WIRE}orc xdp tag_redirect eth0 native\n"));
        for design in [MacHeader, MetaEnd] {
            assert_eq!(whole(&text, design).printk, ["get_meta: 42"], "{driver}");
        }
    }
}

/// `NETDEV_XDP_ACT_NDO_XMIT`: a card takes frames while it has a program; nfp never does.
#[test]
fn a_card_takes_frames_of_another() {
    let to = |driver: &str, program: &str| {
        let commands = format!(
            "nic add eth1 driver {driver} address 02:00:00:00:00:05\nip link set dev eth1 up\n{program}orc xdp tag_redirect eth0 native\n"
        );
        whole(&card("igc", &commands), MacHeader)
    };
    let own = "orc xdp xdp_pass eth1 native\n";
    for (driver, xmit) in [
        ("ixgbe", "ixgbe_xdp_xmit"),
        ("bnxt", "bnxt_xdp_xmit"),
        ("mlx5", "mlx5e_xdp_xmit"),
        ("otx2", "otx2_xdp_xmit"),
    ] {
        assert!(
            functions(&to(driver, own), "eth1").contains(&xmit),
            "{driver}"
        );
        let none = to(driver, "");
        assert!(functions(&none, "eth1").is_empty(), "{driver}");
        assert!(names(&none).contains(&"xdp_return_frame"), "{driver}");
    }
    let nfp = to("nfp", own);
    assert!(names(&nfp).contains(&"xdp_return_frame"));
}

/// `tun_xdp_act()`: back to the process, or on to a device; a tap takes frames as well.
#[test]
fn a_tap_sends_back_and_redirects() {
    let tap = "ip tuntap add dev eth0 mode tap\nip link set eth0 up\n";
    let write = format!("orc tun eth0 {FRAME}");
    let back = whole(
        &format!("{tap}orc xdp tag_tx eth0 native\n{write}"),
        MacHeader,
    );
    assert!(names(&back).contains(&"tun_xdp_xmit"));
    assert!(!names(&back).contains(&"netif_receive_skb"));
    let on = whole(
        &format!("{tap}{WIRE}orc xdp tag_redirect eth0 native\n{write}"),
        MacHeader,
    );
    assert_eq!(on.printk, ["get_meta: 42"]);
    let into = card(
        "igc",
        "ip tuntap add dev tap1 mode tap\nip link set tap1 up\norc xdp tag_redirect eth0 native\n",
    );
    assert!(functions(&whole(&into, MacHeader), "tap1").contains(&"tun_xdp_xmit"));
}

/// 6b: otx2 says that there are metadata on an skb whose head holds none of them; 64 is `NET_SKB_PAD`. Series v3 does not
/// mend it: a fresh head reads as 0.
#[test]
fn otx2_forgets_the_bytes() {
    let text = card(
        "otx2",
        "ip addr add 10.0.0.1/24 dev eth0\norc xdp set_tag eth0 native\norc tcx get_tag_dynptr eth0 ingress\nsysctl -w net.ipv4.icmp_echo_ignore_all=1\n",
    );
    for design in [MacHeader, MetaEnd] {
        let trace = whole(&text, design);
        let fields = at(&trace, "__netif_receive_skb_core", "eth0");
        assert_eq!((fields.meta.end, fields.mac_header), (Some(64), Some(64)));
        assert_eq!(trace.printk, ["get_tag_dynptr: ret 0 size 4 value 0"]);
    }
}
