//! What `ip link` says of a device beside its addresses: `arp`, `promisc`, `reorder_hdr`. Values are from the kernel functions named at
//! each test.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{ECHO4, WIRE, at, drops, functions, whole};

/// `OTHERHOST` and `NOT_SPECIFIED` of `include/net/dropreason-core.h`.
const OTHERHOST: u32 = 13;
const NOT_SPECIFIED: u32 = 2;

fn run(commands: &str) -> Trace {
    whole(&format!("{WIRE}{commands}"), MacHeader)
}

/// `arp_constructor()`: with `IFF_NOARP` a neighbour has the device's own address, so that the other end takes the frame for somebody
/// else's. A neighbour that is named afterwards counts; one that was named before is forgotten (`arp_netdev_event()`).
#[test]
fn without_arp_a_neighbour_has_the_devices_own_address() {
    const NEIGH: &str = "ip -n tx neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev tx\n";
    const OFF: &str = "ip -n tx link set dev tx arp off\n";
    let ping = "ip netns exec tx ping -c1 10.0.0.1";
    let refused = |before: &str, after: &str| drops(&run(&format!("{before}{OFF}{after}{ping}")));
    assert_eq!(refused("", ""), [OTHERHOST]);
    assert_eq!(refused(NEIGH, ""), [OTHERHOST]);
    assert!(!refused("", NEIGH).contains(&OTHERHOST));
    let on = format!("{OFF}ip -n tx link set dev tx arp on\n{ping}");
    assert!(!drops(&run(&on)).contains(&OTHERHOST));
}

/// `arp_rcv()`: a device with `IFF_NOARP` hears no question, so nobody answers.
#[test]
fn without_arp_no_question_is_answered() {
    // who has 10.0.0.1? tell 10.0.0.2
    let ask = "orc send tx ffffffffffff020000000002080600010800060400010200000000020a0000020000000000000a000001 tx";
    let answered = |commands: &str| {
        let trace = run(&format!("{commands}{ask}"));
        assert!(functions(&trace, "rx").contains(&"arp_rcv"));
        functions(&trace, "rx").contains(&"veth_xmit")
    };
    assert!(answered(""));
    assert!(!answered("ip link set dev rx arp off\n"));
}

/// [`WIRE`], and a bridge over `rx` and `b`, whose other end has sent a frame: the bridge knows where 02:00:00:00:0b:00 is.
const SWITCH: &str = "\
ip netns add nb
ip link add b address 02:00:00:00:00:0b type veth peer name far_b address 02:00:00:00:0b:00 netns nb
ip link set dev b up
ip -n nb link set dev far_b up
ip link add br0 type bridge stp_state 0 mcast_snooping 0
ip link set dev br0 up
ip link set dev rx master br0
ip link set dev b master br0
";

/// `br_handle_frame_finish()`: a bridge that takes all frames gets those for others too, and the port a clone (`br_forward()` with
/// `local_rcv`). Devices above ask for it: `vlan_dev_change_rx_flags()`, `macvlan_open()`.
#[test]
fn a_bridge_in_promiscuous_mode_gets_what_is_for_others() {
    let learn = format!("orc send far_b 020000000002020000000b000800{ECHO4} nb\n");
    let send = format!("orc send tx 020000000b000200000000020800{ECHO4} tx");
    let seen = |commands: &str| {
        let trace = run(&format!("{SWITCH}{commands}{learn}{send}"));
        let up = functions(&trace, "br0");
        let clone = at(&trace, "br_dev_queue_push_xmit", "b").cloned;
        (up.contains(&"netif_receive_skb"), clone, drops(&trace))
    };
    let up = seen("ip link set dev br0 promisc on\n");
    assert!(up.0 && up.1, "{up:?}");
    // what goes up is for somebody else
    assert!(up.2.contains(&OTHERHOST), "{up:?}");
    let plain = seen("");
    assert!(!plain.0 && !plain.1, "{plain:?}");
    assert!(!seen("ip link set dev br0 promisc on\nip link set dev br0 promisc off\n").0);
    // rx and b are in promiscuous mode anyway
    assert!(!seen("ip link set dev b promisc on\n").0);
    let vlan = "ip link add link br0 name v type vlan id 5\nip link set dev v promisc on\n";
    assert!(!seen(vlan).0, "it is down");
    assert!(seen(&format!("{vlan}ip link set dev v up\n")).0);
    let macvlan = "ip link add link br0 name m type macvlan mode passthru\nip link set dev m up\n";
    assert!(seen(macvlan).1);
}

/// `vlan_do_receive()` without `VLAN_FLAG_REORDER_HDR`: the tag that `skb_vlan_untag()` took out goes into the frame again, with the
/// metadata in front of it (`__vlan_insert_inner_tag()` of Linux 7.2); `mac_len` counts it.
#[test]
fn a_vlan_device_may_have_the_tag_in_the_frame() {
    for design in [MacHeader, MetaEnd] {
        let frame = format!("020000000001020000000002810000070800{ECHO4}");
        let text = format!(
            "{WIRE}ip link add link rx name v type vlan id 7 reorder_hdr off\nip link set dev v up\n\
             orc xdp set_tag rx native\norc tcx get_tag_dynptr v ingress\norc send tx {frame} tx"
        );
        let trace = whole(&text, design);
        assert_eq!(trace.printk, ["get_tag_dynptr: ret 0 size 4 value 42"]);
        let ip = at(&trace, "ip_rcv_core", "v");
        assert_eq!((ip.mac_len, ip.vlan_present), (18, false));
        assert_eq!(ip.mac_header.map(|mac| ip.data - mac), Some(18));
        // beside the packet it is with the flag, which is there unless somebody takes it
        let plain = whole(&text.replace(" reorder_hdr off", ""), design);
        assert_eq!(at(&plain, "ip_rcv_core", "v").mac_len, 14);
    }
}

/// `vlan_dev_hard_header()` and `vlan_dev_hard_start_xmit()` without `VLAN_FLAG_REORDER_HDR`: the tag is written with the header, and
/// none stands beside the packet. A frame without it, from a packet socket, gets one beside it.
#[test]
fn a_vlan_device_may_send_the_tag_in_the_frame() {
    let vlan = "ip -n tx link add link tx name v type vlan id 7 reorder_hdr off\nip -n tx link set dev v up\n";
    let to = "ip -n tx addr add 10.7.0.2/24 dev v\nip -n tx neigh add 10.7.0.1 lladdr 02:00:00:00:00:01 dev v\n\
              ip netns exec tx ping -c1 10.7.0.1";
    let sent = at(&run(&format!("{vlan}{to}")), "veth_xmit", "tx");
    assert_eq!((sent.protocol, sent.vlan_present), (0x8100, false));
    assert_eq!(sent.network_header, Some(sent.data + 18));
    let raw = run(&format!(
        "{vlan}orc send v 0200000000010200000000020800{ECHO4} tx"
    ));
    let sent = at(&raw, "veth_xmit", "tx");
    assert_eq!((sent.vlan_present, sent.vlan_tci), (true, 7));
}

/// `vlan_do_receive()`: a device that is down takes the packet and drops it.
#[test]
fn a_vlan_device_that_is_down_drops() {
    let frame = format!("orc send tx 020000000001020000000002810000070800{ECHO4} tx");
    let trace = run(&format!(
        "ip link add link rx name v type vlan id 7\n{frame}"
    ));
    assert_eq!(drops(&trace), [NOT_SPECIFIED]);
    assert!(!functions(&trace, "rx").contains(&"ip_rcv"));
}

/// `netif_receive_skb_list_internal()`: with CPUs for a queue, what NAPI hands up waits in a backlog and is taken up by itself
/// (`process_backlog()`), not in a list; a mask of none is as before. The packet has a hash from then on (`get_rps_cpu()`).
#[test]
fn receive_packet_steering_takes_packets_to_a_backlog() {
    let run = |mask: &str| {
        let set = format!("echo {mask} > /sys/class/net/rx/queues/rx-0/rps_cpus\n");
        let send = format!(
            "orc xdp set_tag rx native\norc send tx 0200000000010200000000020800{ECHO4} tx"
        );
        run(&format!("{set}{send}"))
    };
    let alone = |trace: &Trace| functions(trace, "rx").contains(&"ip_rcv");
    assert!(alone(&run("1")));
    assert!(alone(&run("00000000,00000003")));
    assert!(!alone(&run("0")));
    assert_eq!(drops(&run("1")), drops(&run("0")));
}
