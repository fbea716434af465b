//! `bpf_fib_lookup()` and `bpf_check_mtu()`, by hand from net/core/filter.c. Device 2 is `rx`, 3 is `out`.

use crate::design::DesignName;
use crate::scenario::parse;
use crate::scenario::topology::NetnsId;
use crate::stack::Kernel;
use crate::trace::SkbNo;

const WORLD: &str = "\
ip netns add tx
ip netns add far
ip link add rx type veth peer name tx netns tx
ip link add out type veth peer name in netns far
ip link set dev rx up
ip -n tx link set dev tx up
ip link set dev out up address 02:00:00:00:00:03
ip -n far link set dev in up address 02:00:00:00:00:04
ip link set dev out mtu 1400
ip addr add 10.0.0.1/24 dev rx
ip addr add 10.1.0.1/24 dev out
ip -n far addr add 10.1.0.2/24 dev in
ip route add 10.2.0.0/16 via 10.1.0.2
ip route add 10.3.0.0/16 via 10.1.0.9
ip route add blackhole 10.4.0.0/16
ip route add unreachable 10.5.0.0/16
ip route add prohibit 10.6.0.0/16
";
const FORWARD: &str = "sysctl -w net.ipv4.ip_forward=1\n";

fn world(more: &str) -> Kernel {
    let mut k = Kernel::new("test", DesignName::MacHeader.design());
    for line in parse(&format!("{WORLD}{more}")).expect("commands").lines {
        k.execute(&line).expect("a command");
    }
    k
}

fn asked(dst: [u8; 4], len: u16) -> Vec<u8> {
    let mut params = vec![0; 64];
    params[0] = 2;
    params[6..8].copy_from_slice(&len.to_le_bytes());
    params[8] = 2;
    params[32..36].copy_from_slice(&dst);
    params[48..52].fill(0xee);
    params
}

fn ask(k: &mut Kernel, params: &mut [u8], flags: u32) -> i64 {
    let rx = k.topology.find_dev(NetnsId(0), "rx").expect("rx");
    k.bpf_fib_lookup(rx, None, params, flags).expect("a result")
}

fn lookup(dst: [u8; 4], len: u16, flags: u32) -> (i64, Vec<u8>) {
    let (mut k, mut params) = (world(FORWARD), asked(dst, len));
    (ask(&mut k, &mut params, flags), params)
}

#[test]
fn a_way_through_a_gateway() {
    let (ret, params) = lookup([10, 2, 3, 4], 100, 16);
    assert_eq!(ret, 0);
    // ifindex, MTU, metric; the next hop, the source of the route's device, both link addresses; no VLAN
    assert_eq!((params[8], &params[6..8]), (3, &1400u16.to_le_bytes()[..]));
    assert_eq!(params[12..16], [0; 4]);
    assert_eq!(
        (&params[16..20], &params[32..36]),
        (&[10, 1, 0, 1][..], &[10, 1, 0, 2][..])
    );
    assert_eq!(params[48..52], [0; 4]);
    assert_eq!(
        (&params[52..58], &params[58..]),
        (&[2, 0, 0, 0, 0, 3][..], &[2, 0, 0, 0, 0, 4][..])
    );
    // Without BPF_FIB_LOOKUP_SRC the source stays; on the link the destination is the next hop.
    let (ret, params) = lookup([10, 1, 0, 2], 0, 0);
    assert_eq!(
        (ret, &params[16..20], &params[32..36]),
        (0, &[0; 4][..], &[10, 1, 0, 2][..])
    );
}

#[test]
fn what_is_not_forwarded() {
    let ret = |dst| lookup(dst, 0, 0).0;
    assert_eq!(
        (ret([10, 4, 0, 1]), ret([10, 5, 0, 1]), ret([10, 6, 0, 1])),
        (1, 2, 3)
    );
    // Nobody knows; an own address; a broadcast address.
    assert_eq!(
        (ret([9, 9, 9, 9]), ret([10, 1, 0, 1]), ret([10, 1, 0, 255])),
        (4, 4, 4)
    );
    let mut k = world("");
    assert_eq!(ask(&mut k, &mut asked([10, 2, 3, 4], 0), 0), 5);
    let labels = "ip route add 10.7.0.0/16 encap mpls 100 via 10.1.0.2 dev out\n";
    let mut k = world(&format!("{FORWARD}{labels}"));
    assert_eq!(ask(&mut k, &mut asked([10, 7, 0, 1], 0), 0), 6);
}

/// Nobody at the gateway: `NO_NEIGH`, with device and next hop there already; `SKIP_NEIGH` does not ask.
#[test]
fn without_a_neighbour() {
    let (ret, params) = lookup([10, 3, 0, 1], 0, 0);
    assert_eq!(
        (ret, params[8], &params[32..36]),
        (7, 3, &[10, 1, 0, 9][..])
    );
    assert_eq!(params[48..52], [0xee; 4]);
    let (ret, params) = lookup([10, 3, 0, 1], 0, 4);
    assert_eq!((ret, &params[48..]), (0, &[0; 16][..]));
}

#[test]
fn longer_than_the_mtu() {
    assert_eq!(lookup([10, 2, 0, 1], 1400, 0).0, 0);
    let (ret, params) = lookup([10, 2, 0, 1], 1401, 0);
    assert_eq!(
        (ret, &params[6..8], params[8]),
        (8, &1400u16.to_le_bytes()[..], 2)
    );
}

#[test]
fn tables_and_devices() {
    // The main table has no own addresses: the prefix on the link is found.
    assert_eq!(lookup([10, 1, 0, 1], 0, 1).0, 7);
    let table = |id: u32| {
        let (mut k, mut params) = (world(FORWARD), asked([10, 2, 0, 1], 0));
        params[48..52].copy_from_slice(&id.to_le_bytes());
        ask(&mut k, &mut params, 1 | 8)
    };
    assert_eq!((table(254), table(0), table(100)), (0, 0, 4));
    // BPF_FIB_LOOKUP_OUTPUT: only routes through the device that is asked for.
    assert_eq!(lookup([10, 2, 0, 1], 0, 2).0, 4);
    let (mut k, mut params) = (world(FORWARD), asked([10, 2, 0, 1], 0));
    params[8] = 3;
    assert_eq!(ask(&mut k, &mut params, 2), 0);
}

#[test]
fn refused_calls() {
    let mut k = world(FORWARD);
    assert_eq!(ask(&mut k, &mut [2; 63], 0), -22);
    assert_eq!(ask(&mut k, &mut asked([10, 2, 0, 1], 0), 64), -22);
    let mut other = asked([10, 2, 0, 1], 0);
    other[0] = 1;
    assert_eq!(ask(&mut k, &mut other, 0), -97);
    let mut nowhere = asked([10, 2, 0, 1], 0);
    nowhere[8] = 77;
    assert_eq!(ask(&mut k, &mut nowhere, 0), -19);
}

fn packet(k: &mut Kernel, len: u32) -> SkbNo {
    let no = k.alloc_skb(4096);
    let skb = k.skb_mut(no);
    skb.reserve(256);
    skb.put(len);
    no
}

/// An skb without a length from the program: its own, with link header and a VLAN tag more, counts.
#[test]
fn an_skb_counts_by_its_own_length() {
    let go = |len, tot_len| {
        let mut k = world(FORWARD);
        let no = packet(&mut k, len);
        let mut params = asked([10, 2, 0, 1], tot_len);
        let rx = k.topology.find_dev(NetnsId(0), "rx").expect("rx");
        let ret = k
            .bpf_fib_lookup(rx, Some(no), &mut params, 0)
            .expect("a result");
        (ret, u16::from_le_bytes([params[6], params[7]]))
    };
    assert_eq!(go(1400 + 14 + 4, 0), (0, 1400));
    assert_eq!(go(1400 + 14 + 5, 0), (8, 1400));
    assert_eq!(go(1400 + 14 + 5, 1400), (0, 1400));
}

#[test]
fn check_mtu() {
    let go = |skb: bool, len: u32, ifindex: u32, diff: i32, said: u32, flags: u64| {
        let mut k = world("");
        let no = packet(&mut k, 60);
        let rx = k.topology.find_dev(NetnsId(0), "rx").expect("rx");
        let mut mtu = said;
        let to = [ifindex, diff as u32];
        let ret = k.bpf_check_mtu(rx, skb.then_some(no), len, to, &mut mtu, flags);
        (ret.expect("a result"), mtu)
    };
    for skb in [false, true] {
        // rx has 1500, out has 1400; the packet's length counts its Ethernet header.
        assert_eq!(go(skb, 1514, 0, 0, 0, 0), (0, 1500));
        assert_eq!(go(skb, 1515, 0, 0, 0, 0), (1, 1500));
        assert_eq!(go(skb, 1515, 2, -1, 0, 0), (0, 1500));
        assert_eq!(go(skb, 1414, 3, 1, 0, 0), (1, 1400));
        // What the program says is a length without the link header.
        assert_eq!(go(skb, 60, 3, 0, 1400, 0), (0, 1400));
        assert_eq!(go(skb, 60, 3, 0, 1401, 0), (1, 1400));
        assert_eq!(go(skb, 60, 77, 0, 5, 0), (-19, 5));
        assert_eq!(go(skb, 60, 0, 0, 5, 2), (-22, 5));
    }
    assert_eq!(go(false, 60, 0, 0, 0, 1), (-22, 0));
    assert_eq!(go(true, 60, 0, 0, 0, 1), (0, 1500));
    assert_eq!(
        (go(true, 60, 0, 1, 0, 1).0, go(true, 60, 0, 0, 1, 1).0),
        (-22, -22)
    );
}

const WORLD6: &str = "\
sysctl -w net.ipv6.conf.all.forwarding=1
ip -6 addr add 2001:db8:1::1/64 dev out
ip -6 addr add 2001:db8:0::1/64 dev rx
ip -n far -6 addr add 2001:db8:1::2/64 dev in
ip -6 route add 2001:db8:2::/48 via 2001:db8:1::2
ip -6 route add 2001:db8:3::/48 via 2001:db8:1::9
ip -6 route add blackhole 2001:db8:4::/48
ip -6 route add unreachable 2001:db8:5::/48
ip -6 route add prohibit 2001:db8:6::/48
";

fn asked6(dst: &str, len: u16) -> Vec<u8> {
    let dst: std::net::Ipv6Addr = dst.parse().expect("an address");
    let mut params = asked([0; 4], len);
    params[0] = 10;
    params[32..48].copy_from_slice(&dst.octets());
    params
}

fn lookup6(dst: &str, len: u16, flags: u32) -> (i64, Vec<u8>) {
    let (mut k, mut params) = (world(WORLD6), asked6(dst, len));
    (ask(&mut k, &mut params, flags), params)
}

fn octets(addr: &str) -> [u8; 16] {
    let addr: std::net::Ipv6Addr = addr.parse().expect("an address");
    addr.octets()
}

#[test]
fn ipv6_through_a_gateway() {
    let (ret, params) = lookup6("2001:db8:2::7", 100, 16);
    assert_eq!(ret, 0);
    // ifindex, MTU, metric (IP6_RT_PRIO_USER); the next hop, the source, both link addresses; no VLAN
    assert_eq!((params[8], &params[6..8]), (3, &1400u16.to_le_bytes()[..]));
    assert_eq!(params[12..16], 1024u32.to_le_bytes());
    assert_eq!(params[16..32], octets("2001:db8:1::1"));
    assert_eq!(params[32..48], octets("2001:db8:1::2"));
    assert_eq!(params[48..52], [0; 4]);
    assert_eq!(
        (&params[52..58], &params[58..]),
        (&[2, 0, 0, 0, 0, 3][..], &[2, 0, 0, 0, 0, 4][..])
    );
    // on the link the destination is the next hop, and the metric is that of the address's route; the source stays
    let (ret, params) = lookup6("2001:db8:1::2", 0, 0);
    assert_eq!((ret, &params[12..16]), (0, &256u32.to_le_bytes()[..]));
    assert_eq!(
        (&params[16..32], &params[32..48]),
        (&[0; 16][..], &octets("2001:db8:1::2")[..])
    );
}

#[test]
fn ipv6_that_is_not_forwarded() {
    let ret = |dst| lookup6(dst, 0, 0).0;
    let refused = ["2001:db8:4::1", "2001:db8:5::1", "2001:db8:6::1"].map(ret);
    assert_eq!(refused, [1, 2, 3]);
    // nobody knows; an own address; link-local, multicast, loopback
    let not = ["2001:db9::1", "2001:db8:1::1", "fe80::1", "ff02::1", "::1"].map(ret);
    assert_eq!(not, [4; 5]);
    // the source counts too
    let (mut k, mut params) = (world(WORLD6), asked6("2001:db8:2::7", 0));
    params[16..32].copy_from_slice(&octets("fe80::2"));
    assert_eq!(ask(&mut k, &mut params, 0), 4);
    // no device of that index; no forwarding, of all devices or of this one, whichever was said last
    params[16..32].fill(0);
    params[8] = 77;
    assert_eq!(ask(&mut k, &mut params, 0), -19);
    let off = |more: &str| {
        let mut k = world(&format!("{WORLD6}{more}"));
        ask(&mut k, &mut asked6("2001:db8:2::7", 0), 0)
    };
    assert_eq!(off("sysctl -w net.ipv6.conf.all.forwarding=0\n"), 5);
    assert_eq!(off("sysctl -w net.ipv6.conf.rx.forwarding=0\n"), 5);
    let again =
        "sysctl -w net.ipv6.conf.all.forwarding=0\nsysctl -w net.ipv6.conf.rx.forwarding=1\n";
    assert_eq!(off(again), 0);
}

#[test]
fn ipv6_neighbours_lengths_and_tables() {
    let (ret, params) = lookup6("2001:db8:3::1", 0, 0);
    assert_eq!(
        (ret, params[8], &params[32..48]),
        (7, 3, &octets("2001:db8:1::9")[..])
    );
    assert_eq!(params[48..52], [0xee; 4]);
    assert_eq!(lookup6("2001:db8:3::1", 0, 4).0, 0);
    assert_eq!(lookup6("2001:db8:2::1", 1400, 0).0, 0);
    let (ret, params) = lookup6("2001:db8:2::1", 1401, 0);
    assert_eq!(
        (ret, &params[6..8], params[8]),
        (8, &1400u16.to_le_bytes()[..], 2)
    );
    // the main table has no own addresses: the prefix on the link is found, and nobody answers for it
    assert_eq!(lookup6("2001:db8:1::1", 0, 1).0, 7);
    let table = |id: u32| {
        let (mut k, mut params) = (world(WORLD6), asked6("2001:db8:2::1", 0));
        params[48..52].copy_from_slice(&id.to_le_bytes());
        ask(&mut k, &mut params, 1 | 8)
    };
    assert_eq!((table(254), table(0), table(100)), (0, 0, 4));
    // BPF_FIB_LOOKUP_OUTPUT prefers the device, and takes another one (`rt6_score_route()`)
    assert_eq!(lookup6("2001:db8:2::1", 0, 2).0, 0);
}
