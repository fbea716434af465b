//! What is learned of the MTU of a path, and who is told (`net/ipv4/route.c`). Values are from the kernel functions named at each test.

mod world;

use headroom_core::design::DesignName::MacHeader;
use headroom_core::trace::Trace;
use world::{WIRE, drops, functions, whole};

/// `PKT_TOO_BIG` of `include/net/dropreason-core.h`.
const PKT_TOO_BIG: u32 = 91;

/// [`WIRE`], where this host forwards from `rx` into a VXLAN device, which sends by `out`, whose MTU is to be given.
const FORWARD: &str = "\
ip netns add far
ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far
ip link set dev out up
ip -n far link set dev far up
ip addr add 10.1.0.1/24 dev out
ip -n far addr add 10.1.0.2/24 dev far
ip link add v address 02:00:00:00:00:15 type vxlan id 42 local 10.1.0.1 remote 10.1.0.2 dstport 4789 nolearning
ip addr add 10.3.0.1/24 dev v
ip link set dev v up
ip neigh add 10.3.0.2 lladdr 02:00:00:00:00:25 dev v nud permanent
ip route add 10.2.0.0/24 via 10.3.0.2 dev v
sysctl -q -w net.ipv4.ip_forward=1
";

/// An IPv4 packet of `len` bytes from 10.0.0.2 to 10.2.0.5, without DF, in a frame from `tx` to `rx`.
fn send(len: u16) -> String {
    send_to(len, 5)
}

/// The same to 10.2.0.`host`.
fn send_to(len: u16, host: u8) -> String {
    let mut header = vec![
        0x45,
        0,
        (len >> 8) as u8,
        len as u8,
        0x11,
        0x11,
        0,
        0,
        64,
        17,
        0,
        0,
    ];
    header.extend([10, 0, 0, 2, 10, 2, 0, host]);
    let check = headroom_core::net::checksum::internet(&header).to_be_bytes();
    header[10..12].copy_from_slice(&check);
    header.resize(usize::from(len), 0x2a);
    let hex: String = header.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("orc send tx 0200000000010200000000020800{hex} tx\n")
}

/// How many packets leave by a device for each that is sent.
fn leave(trace: &Trace, dev: &str) -> usize {
    let on = functions(trace, dev);
    on.iter()
        .filter(|function| **function == "ip_finish_output2")
        .count()
}

/// `skb_tunnel_check_pmtu()`: what does not fit goes on, and the packet's route learns it. 200 − 50 bytes are less than
/// `net.ipv4.route.min_pmtu` allows, so the path has 552 and is locked (`__ip_rt_update_pmtu()`): the next packet that is forwarded there
/// is cut: 800 bytes into 548 and 272, as 528 is the multiple of eight. The recording `Rfa-007` shows it.
#[test]
fn a_path_through_a_tunnel_that_is_too_narrow_is_locked() {
    let run = |packets: usize| {
        let mtu = "ip link set dev out mtu 200\n";
        whole(
            &format!("{WIRE}{FORWARD}{mtu}{}", send(800).repeat(packets)),
            MacHeader,
        )
    };
    assert_eq!(leave(&run(1), "v"), 1);
    assert_eq!(leave(&run(2), "v"), 1 + 2);
    assert_eq!(leave(&run(3), "v"), 1 + 2 + 2);
    // another destination has a path of its own
    let both = send(800) + &send_to(800, 6);
    let text = format!("{WIRE}{FORWARD}ip link set dev out mtu 200\n{both}");
    let trace = whole(&text, MacHeader);
    assert_eq!(leave(&trace, "v"), 2);
}

/// `ip_dst_mtu_maybe_forward()`: forwarded packets take no notice of a path's MTU that is believed (1000 − 50), unless
/// `net.ipv4.ip_forward_use_pmtu` is set.
#[test]
fn forwarded_packets_use_what_was_learned_only_if_told_to() {
    let run = |sysctl: &str| {
        let mtu = "ip link set dev out mtu 1000\n";
        whole(
            &format!("{WIRE}{FORWARD}{mtu}{sysctl}{}", send(1200).repeat(2)),
            MacHeader,
        )
    };
    assert_eq!(leave(&run(""), "v"), 2);
    assert_eq!(
        leave(&run("sysctl -q -w net.ipv4.ip_forward_use_pmtu=1\n"), "v"),
        1 + 2
    );
    assert_eq!(
        leave(&run("sysctl -q -w net.ipv4.route.min_pmtu=960\n"), "v"),
        1 + 2
    );
}

/// `tx` sends by a GRE tunnel to `far`, behind this host, whose link there takes 700 bytes.
const TUNNEL: &str = "\
ip netns add far
ip link add out address 02:00:00:00:00:03 type veth peer name far address 02:00:00:00:00:04 netns far
ip link set dev out up
ip -n far link set dev far up
ip addr add 10.1.0.1/24 dev out
ip -n far addr add 10.1.0.2/24 dev far
ip link set dev out mtu 700
sysctl -q -w net.ipv4.ip_forward=1
ip -n tx route add 10.1.0.0/24 via 10.0.0.1
ip -n far route add 10.0.0.0/24 via 10.1.0.1
ip -n far tun add decap mode gre local 10.1.0.2 remote 10.0.0.2
ip -n far link set dev decap up
ip -n far addr add 192.0.2.1/24 dev decap
ip -n tx tun add encap mode gre local 10.0.0.2 remote 10.1.0.2
ip -n tx link set dev encap up
ip -n tx addr add 192.0.2.2/24 dev encap
ip netns exec far sysctl -q -w net.ipv4.icmp_echo_ignore_all=1
";

/// `gre_err()`: *fragmentation needed* makes the path to the tunnel's other end 700 bytes long. The first packet is lost at the router;
/// at the second one `tnl_update_pmtu()` tells the packet's own route (700 − 24), and the outer packet, which must not be cut, is
/// too long for the path; the third one is cut before it comes to the tunnel and arrives.
#[test]
fn a_gre_tunnel_learns_the_paths_mtu() {
    let ping = "ip netns exec tx ping -c1 -s 1000 -M dont 192.0.2.1\n";
    let run = |pings: usize| whole(&format!("{WIRE}{TUNNEL}{}", ping.repeat(pings)), MacHeader);
    let lost = |trace: &Trace| {
        drops(trace)
            .iter()
            .filter(|reason| **reason == PKT_TOO_BIG)
            .count()
    };
    let arrived = |trace: &Trace| functions(trace, "far").contains(&"gre_rcv");
    let [one, two, three] = [run(1), run(2), run(3)];
    assert_eq!((lost(&one), lost(&two), lost(&three)), (1, 2, 2));
    assert!(functions(&one, "out").is_empty() || !arrived(&one));
    assert!(!arrived(&two));
    assert!(arrived(&three));
    let sent = functions(&three, "encap");
    assert_eq!(
        sent.iter()
            .filter(|function| **function == "ipgre_xmit")
            .count(),
        1 + 1 + 2
    );
}
