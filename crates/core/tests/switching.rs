//! Bridges with several ports and VLANs, MACVLAN and netkit. Values are from the kernel functions named at each test.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use headroom_core::trace::Trace;
use world::{ECHO4, WIRE, at, drops, error, functions, whole};

/// [`WIRE`] with two more wires, `b` to `far_b` and `c` to `far_c`, and a bridge over `rx`, `b` and `c`, in this order.
/// Nobody has an address on the bridge.
const SWITCH: &str = "\
ip netns add nb
ip netns add nc
ip link add b address 02:00:00:00:00:0b type veth peer name far_b address 02:00:00:00:0b:00 netns nb
ip link add c address 02:00:00:00:00:0c type veth peer name far_c address 02:00:00:00:0c:00 netns nc
ip link set dev b up
ip link set dev c up
ip -n nb link set dev far_b up
ip -n nc link set dev far_c up
ip link add br0 type bridge stp_state 0 mcast_snooping 0
ip link set dev br0 up
ip link set dev rx master br0
ip link set dev b master br0
ip link set dev c master br0
";

const NOBODY: &str = "020000000099";

/// An echo request in a frame from `tx` to `to`, which is 12 hex digits; with `tag` in front of the protocol.
fn send(to: &str, tag: &str) -> String {
    format!("\norc send tx {to}020000000002{tag}0800{ECHO4} tx")
}

fn run(commands: &str, frame: &str) -> Trace {
    whole(&format!("{WIRE}{SWITCH}{commands}{frame}"), MacHeader)
}

/// `br_flood()`: the port list has the newest port first (`br_add_if()`); all ports but the last one get a clone, the
/// last one the packet; none goes back to where it came from. Clones share the buffer, and so the metadata.
#[test]
fn a_frame_to_nobody_known_goes_to_all_ports() {
    for design in [MacHeader, MetaEnd] {
        let text = format!(
            "{WIRE}{SWITCH}orc xdp set_tag rx native\norc tcx get_tag_dynptr b egress\norc tcx get_tag_dynptr c egress{}",
            send(NOBODY, "")
        );
        let trace = whole(&text, design);
        assert_eq!(trace.printk, ["get_tag_dynptr: ret 0 size 4 value 42"; 2]);
        let forwards: Vec<_> = trace
            .steps
            .iter()
            .filter(|step| format!("{:?}", step.kind).contains("br_dev_queue_push_xmit"))
            .filter_map(|step| Some((step.dev.as_ref()?.name.clone(), step.skb?.0)))
            .collect();
        let devs: Vec<_> = forwards.iter().map(|(dev, _)| dev.as_str()).collect();
        // an exit shows the packet where it is then
        assert_eq!(devs, ["c", "far_c", "b", "far_b"]);
        assert_ne!(forwards[0].1, forwards[2].1, "c has a clone");
        assert!(at(&trace, "br_dev_queue_push_xmit", "c").cloned);
        assert_eq!(
            functions(&trace, "rx")
                .iter()
                .filter(|f| **f == "skb_clone")
                .count(),
            1
        );
    }
}

/// `br_handle_frame_finish()`: a broadcast goes to all ports as clones, and up.
#[test]
fn a_broadcast_goes_up_too() {
    let trace = run("", &send("ffffffffffff", ""));
    assert_eq!(
        functions(&trace, "rx")
            .iter()
            .filter(|f| **f == "skb_clone")
            .count(),
        2
    );
    assert!(functions(&trace, "br0").contains(&"netif_receive_skb"));
}

/// `br_flood()` without a port: NO_TX_TARGET is 112 (`include/net/dropreason-core.h`). The sender's own port is none.
#[test]
fn a_bridge_with_one_port_has_no_target() {
    let trace = run(
        "ip link set dev b nomaster\nip link set dev c down",
        &send(NOBODY, ""),
    );
    assert_eq!(drops(&trace), [112]);
}

/// `br_stp_recalculate_bridge_id()`: without an address of its own choice a bridge has the lowest of its ports; a frame to
/// it goes up. `br_mtu_auto_adjust()`: the smallest MTU. Both stay as a person set them.
#[test]
fn a_bridge_follows_its_ports() {
    let up = |more: &str, to: &str| {
        let trace = run(more, &send(to, ""));
        functions(&trace, "br0").contains(&"netif_receive_skb")
    };
    assert!(up("", "020000000001"));
    assert!(up(
        "ip link set dev c address 02:00:00:00:00:00",
        "020000000000"
    ));
    let chosen = "ip link set dev br0 address 02:00:00:00:00:42";
    assert!(up(chosen, "020000000042") && !up("", "020000000042"));
    let large = |more: &str| {
        let frame = format!("ffffffffffff0200000000010800{ECHO4}{}", "00".repeat(40));
        format!("{WIRE}{SWITCH}ip link set dev c mtu 68\n{more}\norc send br0 {frame}")
    };
    assert!(error(&large("")).contains("106 bytes are more than br0 takes (EMSGSIZE)"));
    let own = whole(&large("ip link set dev br0 mtu 1500"), MacHeader);
    assert!(functions(&own, "br0").contains(&"br_dev_xmit"));
}

/// IEEE 802.1D, table 7-10 (`br_handle_frame()`): LLDP's address is not forwarded, the pause address is dropped (117),
/// and with STP off the bridge group's address is forwarded as any other.
#[test]
fn reserved_addresses() {
    let lldp = run("", &send("0180c200000e", ""));
    assert!(!functions(&lldp, "rx").contains(&"br_handle_frame_finish"));
    assert!(functions(&lldp, "rx").contains(&"ip_rcv"));
    assert_eq!(drops(&run("", &send("0180c2000001", ""))), [117]);
    let stp = run("", &send("0180c2000000", ""));
    assert!(functions(&stp, "c").contains(&"br_forward_finish"));
}

/// The VLANs of the three ports: `rx` 10 untagged; `b` 10 tagged; `c` only the default 1.
const VLANS: &str = "ip link set dev br0 type bridge vlan_filtering 1
bridge vlan del dev rx vid 1
bridge vlan add dev rx vid 10 pvid untagged
bridge vlan add dev b vid 10
";

/// `br_allowed_ingress()` puts the tag of the port's pvid beside an untagged frame; `should_deliver()` leaves out ports
/// that are not in the VLAN; `br_handle_vlan()` takes the tag off where the VLAN is untagged.
#[test]
fn a_vlan_aware_bridge() {
    let trace = run(VLANS, &send(NOBODY, ""));
    let there = at(&trace, "__netif_receive_skb_core", "far_b");
    assert!(there.vlan_present && there.vlan_tci == 10 && there.vlan_proto == 0x8100);
    assert!(functions(&trace, "c").is_empty());
    // `b` untagged: the tag is gone
    let untagged = format!("{VLANS}bridge vlan add dev b vid 10 untagged\n");
    let trace = run(&untagged, &send(NOBODY, ""));
    assert!(!at(&trace, "__netif_receive_skb_core", "far_b").vlan_present);
}

/// `__allowed_ingress()`: a frame with the tag of a VLAN that the port is not in is dropped, one without a tag where there
/// is no pvid too; both NOT_SPECIFIED.
#[test]
fn a_vlan_that_the_port_is_not_in() {
    assert_eq!(drops(&run(VLANS, &send(NOBODY, "8100000b"))), [2]);
    let no_pvid = format!("{VLANS}bridge vlan add dev rx vid 10\n");
    assert_eq!(drops(&run(&no_pvid, &send(NOBODY, ""))), [2]);
    // tagged with 10 it is let in
    let trace = run(&no_pvid, &send(NOBODY, "8100000a"));
    assert!(functions(&trace, "far_b").contains(&"__netif_receive_skb_core"));
}

/// A priority tag (VLAN 0) belongs to the pvid and keeps its priority: 5 << 13 | 10.
#[test]
fn a_priority_tag_takes_the_pvid() {
    let trace = run(VLANS, &send(NOBODY, "8100a000"));
    assert_eq!(
        at(&trace, "__netif_receive_skb_core", "far_b").vlan_tci,
        0xa00a
    );
}

/// A tag of 802.1ad on a bridge of 802.1Q goes into the frame (18 bytes of link header), the pvid's beside it.
#[test]
fn a_tag_of_another_kind_is_inside() {
    let trace = run(VLANS, &send(NOBODY, "88a80007"));
    let there = at(&trace, "__netif_receive_skb_core", "far_b");
    assert_eq!((there.vlan_tci, there.protocol), (10, 0x88a8));
    assert_eq!(there.len, 4 + 52);
}

/// `br_pass_frame_up()` with `br_allowed_egress()`: the bridge itself must be in the VLAN. The address of a port is the
/// bridge's own in that VLAN (`fdb_add_local()`).
#[test]
fn the_bridge_is_a_member_by_self() {
    let frame = send("020000000001", "");
    assert_eq!(drops(&run(VLANS, &frame)), [2]);
    let member = format!("{VLANS}bridge vlan add dev br0 vid 10 self\n");
    let trace = run(&member, &frame);
    let up = at(&trace, "netif_receive_skb", "br0");
    assert!(up.vlan_present && up.vlan_tci == 10);
}

/// `rtnl_bridge_setlink()`: without `self`, a bridge is no port.
#[test]
fn vlans_of_what_is_no_port() {
    let text = format!("{WIRE}{SWITCH}bridge vlan add dev br0 vid 10");
    assert!(
        error(&text)
            .contains("`br0` is no port of a bridge, so Linux answers *Operation not supported*")
    );
    assert!(
        error(&format!(
            "{WIRE}{SWITCH}ip link set dev rx type bridge vlan_filtering 1"
        ))
        .contains("is not a bridge")
    );
}

/// A netkit pair beside the wire: `nk0` here, `nk1` in namespace `pod`.
fn netkit(options: &str) -> String {
    format!(
        "{WIRE}ip netns add pod
ip link add nk0 type netkit {options} name nk1 netns pod
ip link set dev nk0 up
ip -n pod link set dev nk1 up
ip -n pod addr add 10.9.0.2/24 dev nk1
ip addr add 10.9.0.1/24 dev nk0
"
    )
}

/// `netkit_xmit()`: without programs the packet is received on the other end by the backlog, with `data` behind the
/// Ethernet header, and answered. In mode l3 both addresses are zero, which makes the packet one *to us* (0).
#[test]
fn a_netkit_pair_carries_packets() {
    for mode in ["mode l3", "mode l2"] {
        let trace = whole(
            &format!("{}ping -c1 10.9.0.2", netkit(&format!("{mode} peer"))),
            MacHeader,
        );
        let there = at(&trace, "__netif_receive_skb", "nk1");
        assert_eq!((there.pkt_type, there.protocol), (0, 0x0800), "{mode}");
        assert_eq!(Some(there.data), there.mac_header.map(|mac| mac + 14));
        assert!(
            functions(&trace, "nk0").contains(&"icmp_rcv"),
            "{mode}: the answer"
        );
    }
}

/// `netkit_run()`: one program after the other while they say NETKIT_NEXT (−1); the last word counts, not the policy. What
/// is neither NEXT, PASS (0), DROP (2) nor REDIRECT (7) drops.
#[test]
fn programs_of_a_netkit_device_decide_where_it_sends() {
    let with = |options: &str, programs: &[&str], end: &str| {
        let programs: String = programs
            .iter()
            .map(|name| format!("orc netkit {name} nk0 {end}\n"))
            .collect();
        whole(
            &format!("{}{programs}ping -c1 10.9.0.2", netkit(options)),
            MacHeader,
        )
    };
    let arrives = |trace: &Trace| functions(trace, "nk1").contains(&"ip_rcv");
    let trace = with("peer", &["says_next", "says_shot"], "primary");
    assert_eq!(trace.printk, ["says_next", "says_shot"]);
    assert!(!arrives(&trace) && drops(&trace) == [2]);
    let trace = with("blackhole peer", &["says_ok"], "primary");
    assert!(arrives(&trace));
    assert!(!arrives(&with("blackhole peer", &[], "primary")));
    // NETKIT_NEXT from the last one lets it pass
    assert!(arrives(&with("blackhole peer", &["says_next"], "primary")));
    assert!(!arrives(&with("peer", &["says_stolen"], "primary")));
    // at the peer it is the answer that is dropped
    let trace = with("peer", &["says_shot"], "peer");
    assert!(arrives(&trace) && !functions(&trace, "nk0").contains(&"icmp_rcv"));
    assert!(
        !arrives(&with("peer blackhole", &[], "peer"))
            || drops(&with("peer blackhole", &[], "peer")) == [2]
    );
}

/// `skb_do_redirect()` with `BPF_F_PEER`: `ndo_get_peer_dev` is netkit's too. `nk0` is device 3 of the first namespace.
#[test]
fn redirect_peer_into_a_netkit_pair() {
    let text = format!(
        "{}orc tcx to_peer rx ingress\norc send tx 020000000001020000000002{}{ECHO4} tx",
        netkit("peer"),
        "0800"
    );
    let trace = whole(&text, MacHeader);
    assert!(
        functions(&trace, "nk1").contains(&"ip_rcv"),
        "{:?}",
        functions(&trace, "nk1")
    );
    assert!(!functions(&trace, "nk0").contains(&"netkit_xmit"));
}

/// `netkit_dev_fetch()`: `EACCES` for the peer, `ENXIO` for what is no netkit device. `netkit_new_link()`: `EOPNOTSUPP` for
/// an address in mode l3.
#[test]
fn what_netkit_refuses() {
    let base = netkit("peer");
    assert!(
        error(&format!("{base}orc netkit says_ok nk1 primary pod")).contains("Permission denied")
    );
    assert!(
        error(&format!("{base}orc netkit says_ok rx primary"))
            .contains("`rx` is not a netkit device")
    );
    let addressed = "ip link add nk5 address 02:00:00:00:00:05 type netkit peer name nk6";
    assert!(error(addressed).contains("no address of its own"));
    // netkit_xsk(): -EOPNOTSUPP for a program, which plain `xdp` asks for too (dev_xdp_mode())
    assert!(error(&format!("{base}orc xdp set_tag nk0 native")).contains("netkit_xsk()"));
}

/// Two MACVLAN devices on `rx`, with what a test adds to them.
fn macvlan(mode: &str) -> String {
    format!(
        "{WIRE}ip netns add pod
ip link add link rx name mv1 address 02:00:00:00:01:01 type macvlan mode {mode}
ip link add link rx name mv2 address 02:00:00:00:01:02 type macvlan mode {mode}
ip link set dev mv1 up
ip link set dev mv2 netns pod
ip -n pod link set dev mv2 up
"
    )
}

/// `macvlan_handle_frame()`: by its destination a frame is on the device that has the address, *to us*, and looked at once
/// more (RX_HANDLER_ANOTHER is 1); metadata are untouched. Other frames pass (3).
#[test]
fn a_macvlan_has_an_address_of_its_own() {
    let run = |to: &str| {
        let text = format!(
            "{}orc xdp set_tag rx native\norc tcx get_tag_dynptr mv1 ingress{}",
            macvlan("private"),
            send(to, "")
        );
        whole(&text, MacHeader)
    };
    let trace = run("020000000101");
    assert_eq!(trace.printk, ["get_tag_dynptr: ret 0 size 4 value 42"]);
    assert_eq!(at(&trace, "ip_rcv_core", "mv1").pkt_type, 0);
    let other = run("020000000001");
    assert!(functions(&other, "rx").contains(&"ip_rcv_core") && other.printk.is_empty());
}

/// `macvlan_broadcast_enqueue()`, `macvlan_multicast_rx()`: a broadcast is cloned for the worker, which clones it for each
/// device that is up (pkt_type 1); the packet itself goes on at the device below.
#[test]
fn a_broadcast_reaches_all_macvlans() {
    let trace = whole(
        &format!("{}{}", macvlan("vepa"), send("ffffffffffff", "")),
        MacHeader,
    );
    for dev in ["mv1", "mv2"] {
        assert_eq!(
            at(&trace, "__netif_receive_skb_core", dev).pkt_type,
            1,
            "{dev}"
        );
    }
    assert!(functions(&trace, "rx").contains(&"ip_rcv"));
    let clones = trace
        .steps
        .iter()
        .filter(|step| format!("{:?}", step.kind).contains("\"skb_clone\""))
        .count();
    assert_eq!(clones, 2 * 3, "entry and exit of three");
}

/// `macvlan_queue_xmit()`: in mode bridge a frame to another one goes straight there through the device below
/// (`dev_forward_skb()`), in the other modes out by the wire.
#[test]
fn macvlans_of_mode_bridge_see_each_other() {
    let run = |mode: &str| {
        let frame = format!("orc send mv1 0200000001020200000001010800{ECHO4}");
        whole(&format!("{}{frame}", macvlan(mode)), MacHeader)
    };
    let bridge = run("bridge");
    assert!(functions(&bridge, "mv2").contains(&"ip_rcv") && functions(&bridge, "tx").is_empty());
    let vepa = run("vepa");
    assert!(
        functions(&vepa, "mv2").is_empty()
            && functions(&vepa, "tx").contains(&"__netif_receive_skb")
    );
}

/// `netdev_rx_handler_register()`: one handler a device; a device in mode passthru is alone and takes all frames.
#[test]
fn what_a_macvlan_can_be_on() {
    let bridged = format!("{WIRE}{SWITCH}ip link add link rx name mv type macvlan mode bridge");
    assert!(error(&bridged).contains("no macvlan can be on `rx`"));
    let alone = format!("{WIRE}ip link add link rx name mv type macvlan mode passthru\n");
    assert!(
        error(&format!("{alone}ip link add link rx name m2 type macvlan")).contains("passthru")
    );
    let trace = whole(
        &format!("{alone}ip link set dev mv up{}", send(NOBODY, "")),
        MacHeader,
    );
    assert_eq!(at(&trace, "ip_rcv", "mv").pkt_type, 0);
}
