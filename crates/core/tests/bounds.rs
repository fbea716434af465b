//! What ends by itself or is cut in Linux: errors in a row, packets that come round again, datagrams above the MTU. What is
//! expected is counted from the files named.

mod world;

use headroom_core::design::DesignName::MacHeader;
use headroom_core::trace::Trace;
use world::{WIRE, at, drops, functions, whole};

/// UDP, 10.0.0.2:4000 to 10.0.0.1:5000.
const UDP: &str = "02000000000102000000000208004500003422220000401144950a0000020a0000010fa013880020b3626162636465666768696a6b6c6d6e6f707172737475767778";

fn count(trace: &Trace, function: &str, dev: &str) -> usize {
    let all = functions(trace, dev);
    all.iter().filter(|name| **name == function).count()
}

/// `XRLIM_BURST_FACTOR` is 6 (`net/ipv4/inetpeer.c`), and a host is told nothing until more time has passed
/// (`icmp_ratelimit` is a second).
#[test]
fn six_errors_in_a_row() {
    let burst = format!("{WIRE}orc burst tx tx{}\n", format!(" {UDP}").repeat(8));
    let trace = whole(&burst, MacHeader);
    assert_eq!(
        drops(&trace).iter().filter(|reason| **reason == 3).count(),
        8
    );
    assert_eq!(count(&trace, "icmp_rcv", "tx"), 6);
    // commands are typed one after another
    let apart = format!("{WIRE}{}", format!("orc send tx {UDP} tx\n").repeat(8));
    assert_eq!(count(&whole(&apart, MacHeader), "icmp_rcv", "tx"), 8);
}

/// `MIRRED_DEFER_LIMIT` is 3 (`net/sched/act_mirred.c`): rx, a, rx, and what comes to `a` again goes no further.
#[test]
fn a_packet_that_comes_round() {
    let mirror = |from: &str, to: &str| {
        format!(
            "tc qdisc add dev {from} clsact\ntc filter add dev {from} ingress protocol all pref 1 matchall action mirred ingress mirror dev {to}\n"
        )
    };
    let dummy = "ip link add a type dummy\nip link set a up\n";
    let text = format!(
        "{WIRE}{dummy}{}{}orc send tx {UDP} tx\n",
        mirror("rx", "a"),
        mirror("a", "rx")
    );
    let trace = whole(&text, MacHeader);
    let clones = |dev| count(&trace, "skb_clone", dev);
    assert_eq!((clones("rx"), clones("a")), (2, 1));
    assert_eq!(
        trace.warnings,
        ["Packet exceeded mirred recursion limit on dev a"]
    );
    // to the hook it is on: refused, and no redirect is left over
    let text = format!("{WIRE}{}orc send tx {UDP} tx\n", mirror("rx", "rx"));
    assert!(!functions(&whole(&text, MacHeader), "rx").contains(&"skb_clone"));
}

/// Ones' complement sum of big-endian words (RFC 1071), complemented.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes
        .chunks(2)
        .map(|pair| (u32::from(pair[0]) << 8) | pair.get(1).map_or(0, |low| u32::from(*low)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes()
}

/// An echo request of 2,992 bytes of data from 10.0.0.2 to 10.0.0.1, in fragments of 1480, 1480 and 40 bytes.
fn echo_in_fragments() -> String {
    let mut message = vec![8, 0, 0, 0, 0, 7, 0, 7];
    message.extend((0..2992_u32).map(|byte| byte as u8));
    let sum = checksum(&message);
    message[2..4].copy_from_slice(&sum);
    let mut text = String::new();
    for (part, body) in message.chunks(1480).enumerate() {
        let more = if part < 2 { 0x2000 } else { 0 };
        let (len, off) = (20 + body.len() as u16, more | (part as u16 * 185));
        let mut header = vec![
            0x45, 0, 0, 0, 0x42, 0x42, 0, 0, 64, 1, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1,
        ];
        header[2..4].copy_from_slice(&len.to_be_bytes());
        header[6..8].copy_from_slice(&off.to_be_bytes());
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum);
        let hex = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        text += &format!(
            "orc send tx 0200000000010200000000020800{}{} tx\n",
            hex(&header),
            hex(body)
        );
    }
    text
}

/// `__ip_append_data()` (`net/ipv4/ip_output.c`) cuts the answer where fragments end: 1480, 1480 and 40 bytes of ICMP, which
/// `ip_do_fragment()` sends as they are; the asker puts 3,000 bytes together.
#[test]
fn an_answer_above_the_mtu() {
    let trace = whole(&format!("{WIRE}{}", echo_in_fragments()), MacHeader);
    assert_eq!(count(&trace, "veth_xmit", "rx"), 3);
    assert_eq!(at(&trace, "veth_xmit", "rx").len, 14 + 20 + 1480);
    assert_eq!(at(&trace, "__ip_finish_output", "rx").len, 20 + 3000);
    assert_eq!(at(&trace, "icmp_rcv", "tx").len, 3000);
}

/// A pair has no carrier while one end is down, so `noop_enqueue()` (`net/sched/sch_generic.c`) has what is sent to the other
/// (`SKB_DROP_REASON_QDISC_DROP` is 64); the driver never sees it. A VLAN has the carrier of the device below.
#[test]
fn the_other_end_is_down() {
    let out = "ip netns add far\nip link add out type veth peer name far netns far\nip link set out up\nip link add link out name out.7 type vlan id 7\nip link set out.7 up\nsysctl -w net.ipv4.ip_forward=1\n";
    let on = "0200000000010200000000020800450000342222000040118c8c0a000002c00002090fa013880020fb596162636465666768696a6b6c6d6e6f707172737475767778";
    let run = |dev: &str, more: &str| {
        let to = format!(
            "ip addr add 192.0.2.1/24 dev {dev}\nip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev {dev}\n"
        );
        whole(
            &format!("{WIRE}{out}{to}{more}orc send tx {on} tx\n"),
            MacHeader,
        )
    };
    for (dev, driver) in [("out", "veth_xmit"), ("out.7", "vlan_dev_hard_start_xmit")] {
        let down = run(dev, "");
        assert_eq!(drops(&down), [64], "{dev}");
        assert!(!functions(&down, dev).contains(&driver));
        let up = run(dev, "ip -n far link set far up\n");
        assert!(functions(&up, dev).contains(&driver));
    }
}
