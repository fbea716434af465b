//! What a person types beside addresses and routes: `ping` and who is asked for a neighbour, `ethtool -K`, XDP programs put in and
//! taken away. Values are arithmetic on header sizes and the rules named at each test.

mod world;

use headroom_core::design::DesignName::{MacHeader, MetaEnd};
use world::{WIRE, at, drops, error, functions, lens_at, whole};

/// `neigh_invalidate()`: nobody has the address. The packet is dropped as NEIGH_FAILED after three requests, and the
/// sender is told: a host itself by way of `lo`.
#[test]
fn a_neighbour_that_does_not_answer() {
    let text = format!("{WIRE}ping -c1 10.0.0.77");
    let trace = whole(&text, MacHeader);
    assert_eq!(drops(&trace), [58]);
    let asked = functions(&trace, "rx");
    assert_eq!(asked.iter().filter(|f| **f == "arp_solicit").count(), 3);
    // each question is a frame that leaves
    assert_eq!(asked.iter().filter(|f| **f == "veth_xmit").count(), 3);
    assert!(functions(&trace, "lo").contains(&"icmp_rcv"));
    // ip6_mc_input(): the three solicitations go to a group that nobody there has joined, NOT_SPECIFIED
    let trace = whole(&format!("{WIRE}ping -c1 2001:db8::77"), MacHeader);
    assert_eq!(drops(&trace), [2, 2, 2, 58]);
    assert!(functions(&trace, "lo").contains(&"icmpv6_rcv"));
}

/// Over devices whose other end is not the other end of a link, the neighbour is asked by ARP and answers: the request, and
/// then the echo request, come out of the tunnel. In front of `data` are the last four bytes of the VXLAN header: VNI 7 and
/// a zero, 0x00070000 as a little-endian number; or the tag, as a VLAN header is pulled behind the Ethernet header's place.
#[test]
fn a_neighbour_behind_a_device_is_asked() {
    let over = |kind: &str, far: &str| {
        format!(
            "{WIRE}ip link add t0 {kind}\nip -n tx link add t1 {far}\nip link set t0 up\nip -n tx link set t1 up\n\
             ip addr add 192.0.2.1/24 dev t0\nip -n tx addr add 192.0.2.2/24 dev t1\norc xdp set_tag rx native\n\
             orc tcx get_tag t0 ingress\nip netns exec tx ping -c1 192.0.2.1"
        )
    };
    let vxlan = over(
        "type vxlan id 7 dev rx remote 10.0.0.2 dstport 4789",
        "type vxlan id 7 dev tx remote 10.0.0.1 dstport 4789",
    );
    let trace = whole(&vxlan, MacHeader);
    assert_eq!(trace.printk, ["458752", "458752"]);
    assert!(functions(&trace, "t0").contains(&"icmp_rcv"));
    assert_eq!(whole(&vxlan, MetaEnd).printk, ["42", "42"]);
    let vlan = over("link rx type vlan id 7", "link tx type vlan id 7");
    assert_eq!(whole(&vlan, MacHeader).printk, ["42", "42"]);
}

/// `ping -s`: 1,472 bytes and two headers of 28 are the MTU of 1,500; one byte more leaves in two fragments, of 1,500 and of
/// 21 bytes, as the host's default lets them be cut here. With `-M do` it is not sent.
#[test]
fn ping_of_a_size() {
    let wire = format!("{WIRE}sysctl -w net.ipv4.icmp_echo_ignore_all=1\n");
    let lens = |options: &str| {
        let trace = whole(
            &format!("{wire}ip netns exec tx ping -c1 {options} 10.0.0.1"),
            MacHeader,
        );
        lens_at(&trace, "ip_rcv", "rx")
    };
    assert_eq!(lens("-s 1472"), [1500]);
    assert_eq!(lens("-s 1472 -M do"), [1500]);
    assert_eq!(lens("-s1473"), [1500, 21]);
    assert_eq!(lens("-s 0 -t 9"), [28]);
}

/// `validate_xmit_vlan()`: a device without `NETIF_F_HW_VLAN_CTAG_TX` gets the tag in the frame, 14 + 4 + 84 bytes; one with it
/// has the tag beside the frame, 98 bytes. 802.1ad has a feature of its own.
#[test]
fn a_tag_that_the_device_does_not_write() {
    let lens = |features: &str, kind: &str| {
        let text = format!(
            "{WIRE}ip -n tx link add link tx name t1 type vlan {kind}\nip -n tx link set t1 up\n\
             ip -n tx addr add 192.0.2.2/24 dev t1\nip -n tx neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev t1\n\
             ip netns exec tx ethtool -K tx {features}\nip netns exec tx ping -c1 192.0.2.1"
        );
        lens_at(&whole(&text, MacHeader), "veth_xmit", "tx")
    };
    assert_eq!(lens("gro off", "id 7"), [98]);
    assert_eq!(lens("txvlan off", "id 7"), [102]);
    assert_eq!(lens("txvlan off", "proto 802.1ad id 7"), [98]);
    assert_eq!(
        lens("gro on tx-vlan-stag-hw-insert off", "proto 802.1ad id 7"),
        [102]
    );
    assert_eq!(lens("txvlan off txvlan on", "id 7"), [98]);
}

/// `dev_xdp_attach()`: without force a second program is refused with EBUSY, with it the first is gone; `off` takes away the
/// program of its mode alone.
#[test]
fn an_xdp_program_in_the_place_of_another() {
    let count = |commands: &str| {
        let text = format!(
            "{WIRE}sysctl -w net.ipv4.icmp_echo_ignore_all=1\n{commands}\norc tcx get_tag_dynptr rx ingress\n\
             orc tcx get_meta rx ingress\nip netns exec tx ping -c1 10.0.0.1"
        );
        let trace = whole(&text, MacHeader);
        trace.printk
    };
    let pinned = |how: &str| format!("orc xdp set_tag rx native\n{how}");
    let pass = "bpftool net attach xdpdrv pinned /sys/fs/bpf/xdp_pass dev rx";
    let refused = error(&format!("{WIRE}{}", pinned(pass)));
    assert!(refused.contains("taken already"), "{refused}");
    let none = count(&pinned(&format!("{pass} overwrite")));
    assert!(none.iter().all(|line| !line.contains("42")), "{none:?}");
    let forced = "ip -force link set dev rx xdpdrv pinned /sys/fs/bpf/xdp_pass";
    assert_eq!(count(&pinned(forced)), none);
    assert_eq!(count(&pinned("ip link set dev rx xdp off")), none);
    assert_eq!(count(&pinned("bpftool net detach xdpdrv dev rx")), none);
    let kept = count(&pinned("ip link set dev rx xdpgeneric off"));
    assert!(kept.iter().any(|line| line.contains("42")), "{kept:?}");
}

/// To an address of this host: request and reply go over `lo`, 84 and 104 bytes, and nobody waits for the reply.
#[test]
fn ping_of_ones_own_address() {
    for (addr, receive, len) in [("10.0.0.1", "ip_rcv", 84), ("2001:db8::1", "ipv6_rcv", 104)] {
        let trace = whole(&format!("{WIRE}ping -c1 {addr}"), MacHeader);
        assert_eq!(drops(&trace), [3], "{addr}");
        assert_eq!(at(&trace, receive, "lo").len, len);
        assert!(functions(&trace, "rx").is_empty());
    }
}
