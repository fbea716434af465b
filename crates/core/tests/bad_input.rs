//! What Linux does with what is wrong, missing or endless: each error names its place, each drop its reason.

mod world;

use headroom_core::design::DesignName::MacHeader;
use world::{WIRE, drops, error, functions, whole};

/// A device that is not there, with the nearest one that is.
#[test]
fn a_device_that_does_not_exist() {
    let said = error(&format!("{WIRE}ip link set dev rxx up"));
    assert_eq!(
        said,
        "line 9: `ip link set dev rxx up`: there is no device `rxx` in the own namespace (did you mean `rx`?); there are: rx"
            .replace("the own namespace", &own())
    );
    let kind = error("ip link add t type gretp local 10.0.0.1 remote 10.0.0.2");
    assert!(
        kind.contains("`gretp` (did you mean `gretap`?); it has: veth,"),
        "{kind}"
    );
}

/// How messages call the namespace in which commands start.
fn own() -> String {
    let said = error("ip link set dev nobody up");
    let from = said.find("` in ").map_or(0, |at| at + 5);
    let to = said.find(';').unwrap_or(said.len());
    said[from..to].to_owned()
}

/// No route for a ping is the command's error; on the way it is a drop: IP_INADDRERRORS on a host, IP_INNOROUTES on a
/// router, which also tells the sender.
#[test]
fn a_route_that_is_missing() {
    let said = error(&format!("{WIRE}ping -c1 192.0.2.9"));
    assert!(said.contains("there is no route to 192.0.2.9"), "{said}");
    // by hand: 4500 + 14 + 4001 + a00 + 2 + c000 + 209 = 15120, folded 5121, inverted aede
    let frame = "020000000001020000000002080045000014000000004001aede0a000002c0000209";
    let ends = |router: &str| {
        drops(&whole(
            &format!("{WIRE}{router}orc send tx {frame} tx"),
            MacHeader,
        ))
    };
    assert_eq!(ends(""), [85]);
    assert_eq!(ends("sysctl -w net.ipv4.ip_forward=1\n")[0], 86);
}

/// Packets that end before a header does, and headers that say less than themselves (`ip_rcv_core()`, `udp_rcv()`,
/// `tcp_v4_rcv()`, `icmp_rcv()`).
#[test]
fn packets_shorter_than_a_header() {
    let ends = |frame: &str| {
        drops(&whole(
            &format!("{WIRE}orc send tx 0200000000010200000000020800{frame} tx"),
            MacHeader,
        ))
    };
    // ten bytes of an IPv4 header; a version of 5; a header length of 16: IP_INHDR
    assert_eq!(ends("45000014000000004001"), [15]);
    assert_eq!(ends(&format!("55{}", "00".repeat(19))), [15]);
    assert_eq!(ends(&format!("44{}", "00".repeat(19))), [15]);
    // a wrong header checksum: IP_CSUM
    assert_eq!(ends("4500001400000000400100010a0000020a000001"), [14]);
}

/// Tunnels that send into each other: `iptunnel_xmit()` gives up above a depth of five (`IP_TUNNEL_RECURSION_LIMIT`),
/// as RECURSION_LIMIT, and says so.
#[test]
fn a_loop_of_tunnels_ends() {
    let text = format!(
        "{WIRE}ip link add a type gre local 10.0.0.1 remote 10.1.0.2
ip link add b type gre local 10.0.0.1 remote 10.2.0.2
ip link set dev a up\nip link set dev b up
ip route add 10.1.0.2/32 dev b\nip route add 10.2.0.2/32 dev a
orc send a 4500003422220000400144a50a0000020a0000010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778"
    );
    let trace = whole(&text, MacHeader);
    assert_eq!(drops(&trace), [125]);
    assert!(
        trace.warnings[0].starts_with("Dead loop on virtual device"),
        "{:?}",
        trace.warnings
    );
    assert!(functions(&trace, "a").len() > 4);
}

/// Packets that go round for ever over a wire (Linux would never end either): the run says so.
#[test]
fn an_endless_loop_is_told() {
    let text = format!(
        "{WIRE}tc qdisc add dev rx clsact\ntc filter add dev rx ingress matchall action mirred egress redirect dev rx
ip netns exec tx tc qdisc add dev tx clsact\nip netns exec tx tc filter add dev tx ingress matchall action mirred egress redirect dev tx
orc send tx 02000000000102000000000208004500 tx"
    );
    let said = error(&text);
    assert!(said.contains("do its devices form a loop?"), "{said}");
}

/// `__icmp_send()`: an error is told about a packet for this host alone, not about a later fragment, and not about an ICMP
/// message that is an error itself or of a type nobody knows (19). A UDP port that is closed; a hop too many on the way.
#[test]
fn what_no_icmp_error_is_said_about() {
    let told = |mac: &str, packet: &str| {
        let router = "sysctl -w net.ipv4.ip_forward=1";
        let text = format!("{WIRE}{router}\norc send tx {mac}0200000000020800{packet} tx");
        functions(&whole(&text, MacHeader), "tx").contains(&"icmp_rcv")
    };
    let (one, all) = ("020000000001", "ffffffffffff");
    let udp = "4500002022220000401144a90a0000020a00000103e80009000c231c61626364";
    let late = |protocol: &str, rest: &str| format!("4500001c2222{protocol}0a0000020a000009{rest}");
    let echo = late("0000010183b5", "0800f7f100070007");
    assert!(told(one, udp) && told(one, &echo));
    assert!(!told(all, udp));
    assert!(!told(one, &late("0000010183b5", "0300fcf100070007")));
    assert!(!told(one, &late("0000010183b5", "1300ecf100070007")));
    assert!(!told(one, &late("0001011183a4", "3132333435363738")));
}

/// `tcp_v4_rcv()`: a segment to many, and one that ends within its header, are dropped without a reason of their own; a data
/// offset of 4 is PKT_TOO_SMALL; one of 6 that is not there, again, has no reason.
#[test]
fn segments_without_an_answer() {
    let ends = |mac: &str, packet: &str| {
        drops(&whole(
            &format!("{WIRE}orc send tx {mac}0200000000020800{packet} tx"),
            MacHeader,
        ))
    };
    let one = "020000000001";
    let syn = "4500002822220000400644ac0a0000020a00000103e800500000000100000000500203e893bf0000";
    assert_eq!(ends("ffffffffffff", syn), [2]);
    assert_eq!(
        ends(
            one,
            "4500001e22220000400644b60a0000020a00000103e80050000000010000"
        ),
        [2]
    );
    assert_eq!(ends(one, &syn.replace("500203e8", "400203e8")), [9]);
    assert_eq!(ends(one, &syn.replace("500203e8", "600203e8")), [2]);
}

/// `bpf_mprog_attach()`: a hook has a program once, as Linux 6.18 said to the script of a scenario of ours that had it twice. The
/// recorder loads a program anew each time.
#[test]
fn a_program_twice_on_a_hook() {
    let attach =
        |hook: &str| format!("bpftool net attach tcx_{hook} pinned /sys/fs/bpf/get_meta dev rx\n");
    // the world has the objects of programs that are words of it
    let world = format!("{WIRE}orc tcx get_meta tx ingress tx\n");
    let twice = error(&format!("{world}{0}{0}", attach("ingress")));
    assert!(
        twice.starts_with("line 11:") && twice.contains("`get_meta` on this hook of rx"),
        "{twice}"
    );
    let both = format!("{world}{}{}", attach("ingress"), attach("egress"));
    whole(&both, MacHeader);
    let orc = "orc tcx get_meta rx ingress\n";
    whole(&format!("{WIRE}{orc}{orc}"), MacHeader);
}
