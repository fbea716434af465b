//! Netfilter's points on the path, chains and programs there. What is expected is counted from `net/netfilter/core.c`,
//! `nf_bpf_link.c` and the callers of `NF_HOOK()`.

mod world;

use headroom_core::design::DesignName::MacHeader;
use headroom_core::trace::Trace;
use world::{WIRE, at, drops, error, functions, whole};

/// UDP, 10.0.0.2:4000 to 10.0.0.1:5000, 24 bytes of data: 52 bytes of IPv4.
const UDP: &str = "02000000000102000000000208004500003422220000401144950a0000020a0000010fa013880020b3626162636465666768696a6b6c6d6e6f707172737475767778";
/// The same to 192.0.2.9.
const ON: &str = "0200000000010200000000020800450000342222000040118c8c0a000002c00002090fa013880020fb596162636465666768696a6b6c6d6e6f707172737475767778";
/// The same over IPv6, 72 bytes.
const UDP6: &str = "02000000000102000000000286dd600000000020114020010db800000000000000000000000220010db80000000000000000000000010fa0138800206bf06162636465666768696a6b6c6d6e6f707172737475767778";
/// The echo request of the recordings.
const PING: &str = "02000000000102000000000208004500003422220000400144a50a0000020a0000010800dbd6070700016162636465666768696a6b6c6d6e6f707172737475767778";
const TABLE: &str = "nft add table inet t\n";

fn chain(hook: &str, policy: &str) -> String {
    format!(
        "nft add chain inet t {hook} {{ type filter hook {hook} priority 0 ; policy {policy} ; }}\n"
    )
}

fn run(commands: &str) -> Trace {
    whole(&format!("{WIRE}{commands}"), MacHeader)
}

fn points(trace: &Trace, dev: &str) -> Vec<String> {
    let names = functions(trace, dev).into_iter();
    let names = names.filter(|name| name.starts_with("NF_"));
    names.map(str::to_owned).collect()
}

/// `ip_rcv()`, `ip_local_deliver()`; the answer by `__ip_local_out()` (without a device yet) and `ip_output()`.
#[test]
fn the_points_of_a_packet_for_this_host() {
    let trace = run(&format!(
        "{TABLE}{}orc send tx {UDP} tx",
        chain("input", "accept")
    ));
    // nobody listens: NO_SOCKET here; the other host has nobody waiting for the error
    assert_eq!(drops(&trace), [3]);
    assert_eq!(
        points(&trace, "rx"),
        [
            "NF_INET_PRE_ROUTING",
            "NF_INET_LOCAL_IN",
            "NF_INET_POST_ROUTING"
        ]
    );
    // the point stands between the check of the header and the routing decision
    let path = functions(&trace, "rx");
    let place = |name: &str| path.iter().position(|known| *known == name);
    assert!(place("ip_rcv_core") < place("NF_INET_PRE_ROUTING"));
    assert!(place("NF_INET_PRE_ROUTING") < place("ip_rcv_finish_core"));
    assert!(place("nft_do_chain_inet") > place("NF_INET_LOCAL_IN"));
    // nobody is registered at the first one
    let slow = path.iter().filter(|name| **name == "nf_hook_slow").count();
    assert_eq!(slow, 1);
    // data is at the IP header at both
    let fields = at(&trace, "NF_INET_LOCAL_IN", "rx");
    assert_eq!(Some(fields.data), fields.network_header);
}

/// Without anybody registered there is no point in the trace, as `nf_hook()` does nothing.
#[test]
fn nothing_registered_nothing_shown() {
    let trace = run(&format!("{TABLE}orc send tx {UDP} tx"));
    assert!(points(&trace, "rx").is_empty());
}

/// `nf_hook_slow()` frees with `SKB_DROP_REASON_NETFILTER_DROP` (12).
#[test]
fn a_policy_drops() {
    let trace = run(&format!(
        "{TABLE}{}orc send tx {UDP} tx",
        chain("input", "drop")
    ));
    assert_eq!(drops(&trace), [12]);
    assert!(!functions(&trace, "rx").contains(&"ip_local_deliver_finish"));
    // __ip_local_out(): the packet never comes to ip_output()
    let trace = run(&format!(
        "{TABLE}{}ping -c1 10.0.0.2",
        chain("output", "drop")
    ));
    assert_eq!(drops(&trace), [12]);
    let all: Vec<_> = ["rx", "tx"]
        .iter()
        .flat_map(|dev| functions(&trace, dev))
        .collect();
    assert!(!all.contains(&"ip_output"));
}

/// The first rule that fits and has a verdict decides.
#[test]
fn rules_decide_before_the_policy() {
    let rules = |rules: &[&str]| {
        let mut text = format!("{TABLE}{}", chain("input", "drop"));
        for rule in rules {
            text += &format!("nft add rule inet t input {rule}\n");
        }
        let udp = run(&format!("{text}orc send tx {UDP} tx"));
        drops(&udp)[0]
    };
    assert_eq!(rules(&["iifname rx accept"]), 3);
    assert_eq!(rules(&["iifname tx accept"]), 12);
    assert_eq!(rules(&["oifname rx accept"]), 12);
    assert_eq!(
        rules(&["meta l4proto udp counter", "ip saddr 10.0.0.2 accept"]),
        3
    );
    assert_eq!(rules(&["ip daddr 10.0.0.1 ip protocol icmp accept"]), 12);
    assert_eq!(rules(&["ip protocol udp accept", "drop"]), 3);
}

/// Forwarded: PRE_ROUTING, FORWARD with both devices, POST_ROUTING.
#[test]
fn the_points_of_a_forwarded_packet() {
    let text = "sysctl -w net.ipv4.ip_forward=1\nip link add d0 type dummy\nip link set d0 up\nip addr add 192.0.2.1/24 dev d0\nip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev d0\n";
    let trace = run(&format!(
        "{text}orc nf nf_show ip forward\norc nf nf_show ip postrouting -5\norc send tx {ON} tx"
    ));
    // rx is 2 and d0 3 in this namespace; 52 bytes; PF_INET is 2
    assert_eq!(
        trace.printk,
        [
            "nf: pf 2 hook 2 in 2",
            "nf: out 3 len 52",
            "nf: pf 2 hook 4 in 2",
            "nf: out 3 len 52"
        ]
    );
    assert_eq!(
        points(&trace, "rx"),
        ["NF_INET_PRE_ROUTING", "NF_INET_FORWARD"]
    );
    assert_eq!(points(&trace, "d0"), ["NF_INET_POST_ROUTING"]);
    // ip_forward() has counted down before the hook
    let trace = run(&format!(
        "{text}{TABLE}{}orc send tx {ON} tx",
        chain("forward", "drop")
    ));
    assert_eq!(drops(&trace), [12]);
}

/// `nf_hook_run_bpf()`: 0 is NF_DROP. The program reads the packet through a dynptr from the IP header on.
#[test]
fn a_program_drops_what_it_looks_at() {
    let with = |frame: &str| {
        run(&format!(
            "sysctl -w net.ipv4.icmp_echo_ignore_all=1\norc nf nf_drop_icmp ip prerouting\norc send tx {frame} tx"
        ))
    };
    let trace = with(PING);
    assert_eq!(drops(&trace), [12]);
    let verdict = trace.runs.first().map(|run| (run.hook, run.verdict));
    assert_eq!(verdict, Some(("prerouting", Some(0))));
    assert_eq!(drops(&with(UDP)), [3]);
}

/// `NFPROTO_IPV6` is 10; `ip6_input()` is LOCAL_IN.
#[test]
fn ipv6_has_the_same_points() {
    let trace = run(&format!("orc nf nf_show ip6 input\norc send tx {UDP6} tx"));
    assert_eq!(trace.printk, ["nf: pf 10 hook 1 in 2", "nf: out 0 len 72"]);
    assert_eq!(
        points(&trace, "rx")[..2],
        ["NF_INET_PRE_ROUTING", "NF_INET_LOCAL_IN"]
    );
    let trace = run(&format!(
        "{TABLE}{}nft add rule inet t prerouting ip6 nexthdr udp drop\norc send tx {UDP6} tx",
        chain("prerouting", "accept")
    ));
    assert_eq!(drops(&trace), [12]);
}

/// `br_input.c`, `br_forward.c`: a bridge asks at its own points, before any of IPv4's; at PRE_ROUTING it frees without
/// a reason.
#[test]
fn a_bridge_has_points_of_its_own() {
    let bridge = "ip link add br0 type bridge\nip link set br0 up\nip link add o1 type dummy\nip link set o1 up\nip link set o1 master br0\nip link set rx master br0\n";
    let chain = |hook: &str, policy: &str| {
        format!(
            "nft add table bridge b\nnft add chain bridge b c {{ type filter hook {hook} priority filter; policy {policy}; }}\n"
        )
    };
    // to an address that nobody has: flooded to o1
    let frame = format!("020000000077{}", &UDP[12..]);
    let send = format!("orc send tx {frame} tx");
    let trace = run(&format!("{bridge}{}{send}", chain("forward", "accept")));
    assert_eq!(points(&trace, "rx"), ["NF_BR_PRE_ROUTING"]);
    assert_eq!(
        points(&trace, "o1"),
        ["NF_BR_FORWARD", "NF_BR_POST_ROUTING"]
    );
    let trace = run(&format!("{bridge}{}{send}", chain("forward", "drop")));
    assert_eq!(drops(&trace), [12]);
    let trace = run(&format!("{bridge}{}{send}", chain("prerouting", "drop")));
    assert_eq!(drops(&trace), [2]);
}

#[test]
fn what_is_not_there_or_taken_is_said() {
    let told = |commands: &str| error(&format!("{WIRE}{commands}"));
    let text = told("nft add chain ip t c { type filter hook input priority 0; }");
    assert!(
        text.ends_with("there is no table ip t, so Linux answers *No such file or directory*"),
        "{text}"
    );
    let text = told("nft add table ip t\nnft add rule ip t c drop");
    assert!(text.contains("there is no chain c in table ip t"), "{text}");
    let text = told("orc nf nf_show ip input\norc nf nf_show ip input 0");
    assert!(
        text.contains("priority 0 at the hook input is taken already"),
        "{text}"
    );
    let text = told("orc nf cg_in ip input");
    assert!(
        text.ends_with("program `cg_in` (section `cgroup_skb/ingress`) is no netfilter program"),
        "{text}"
    );
}
