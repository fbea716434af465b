//! Delivery to sockets of processes: cgroup programs, socket filters, raw sockets. What is expected is counted from
//! `net/core/filter.c`, `kernel/bpf/cgroup.c`, `net/ipv4/udp.c` and `raw.c`.

mod world;

use headroom_core::design::DesignName::{self, MacHeader, MetaEnd, SkbExt};
use headroom_core::trace::Trace;
use world::{WIRE, at, drops, error, functions, whole};

/// UDP, 10.0.0.2:4000 to 10.0.0.1:5000, 24 bytes of data: 52 bytes of IPv4.
const UDP: &str = "02000000000102000000000208004500003422220000401144950a0000020a0000010fa013880020b3626162636465666768696a6b6c6d6e6f707172737475767778";
const UDP6: &str = "02000000000102000000000286dd600000000020114020010db800000000000000000000000220010db80000000000000000000000010fa0138800206bf06162636465666768696a6b6c6d6e6f707172737475767778";
/// Protocol 253, 24 bytes of data.
const RAW: &str = "02000000000102000000000208004500002c2222000040fd43b10a0000020a0000016162636465666768696a6b6c6d6e6f707172737475767778";

fn run_as(design: DesignName, commands: &str, frame: &str) -> Trace {
    whole(&format!("{WIRE}{commands}orc send tx {frame} tx"), design)
}

fn run(commands: &str, frame: &str) -> Trace {
    run_as(MacHeader, commands, frame)
}

fn cgroup(side: &str, program: &str) -> String {
    format!(
        "bpftool cgroup attach /sys/fs/cgroup cgroup_inet_{side} pinned /sys/fs/bpf/{program}\n"
    )
}

/// `__udp_enqueue_schedule_skb()` gets what is behind the UDP header.
#[test]
fn a_datagram_comes_to_its_socket() {
    let trace = run("orc sock udp 5000\n", UDP);
    assert!(drops(&trace).is_empty());
    assert_eq!(at(&trace, "__udp_enqueue_schedule_skb", "rx").len, 24);
    // another port: nobody
    assert_eq!(drops(&run("orc sock udp 5001\n", UDP)), [3]);
    assert!(drops(&run("orc sock udp 5000\n", UDP6)).is_empty());
}

/// `sk_filter_trim_cap()`: the answer is a length, not less than the UDP header; 0 drops with SOCKET_FILTER (5).
#[test]
fn a_filter_trims_or_drops() {
    // 15 is the first byte of port 4000, 0x0fa0
    let trace = run("orc sock udp 5000 filter sock_keep_12\n", UDP);
    assert_eq!(trace.printk, ["socket: len 32 first 15"]);
    assert_eq!(at(&trace, "__udp_enqueue_schedule_skb", "rx").len, 4);
    let trace = run("orc sock udp 5000 filter sock_keep_1\n", UDP);
    assert_eq!(at(&trace, "__udp_enqueue_schedule_skb", "rx").len, 0);
    let trace = run("orc sock udp 5000 filter sock_refuse\n", UDP);
    assert_eq!(drops(&trace), [5]);
    assert_eq!(trace.runs.last().map(|run| run.hook), Some("socket"));
}

/// `__cgroup_bpf_run_filter_skb()`: over the packet from its IP header on, before the socket's filter.
#[test]
fn a_cgroup_sees_what_comes_to_its_sockets() {
    let both = format!(
        "orc sock udp 5000 filter sock_keep_12\n{}",
        cgroup("ingress", "cg_in")
    );
    let trace = run(&both, UDP);
    assert_eq!(
        trace.printk,
        [
            "cgroup ingress: version 4 len 52",
            "socket: len 32 first 15"
        ]
    );
    let trace = run(&both, UDP6);
    assert_eq!(trace.printk[0], "cgroup ingress: version 6 len 72");
    let refuse = format!("orc sock udp 5000\n{}", cgroup("ingress", "cg_in_refuse"));
    assert_eq!(drops(&run(&refuse, UDP)), [5]);
    // no socket, no cgroup
    let trace = run(&cgroup("ingress", "cg_in"), UDP);
    assert!(trace.printk.is_empty() && drops(&trace) == [3]);
}

/// `bpf_prog_run_array_cg()`: all run, one that refuses is enough.
#[test]
fn several_programs_of_a_cgroup() {
    let multi = |programs: [&str; 2]| {
        let mut text = "orc sock udp 5000\n".to_owned();
        for program in programs {
            text += &cgroup("ingress", program).replace('\n', " multi\n");
        }
        run(&text, UDP)
    };
    assert_eq!(multi(["cg_in", "cg_in"]).printk.len(), 2);
    let trace = multi(["cg_in_refuse", "cg_in"]);
    assert_eq!((trace.printk.len(), drops(&trace)), (1, vec![5]));
    // without multi the second takes the place of the first
    let text = format!(
        "orc sock udp 5000\n{}{}",
        cgroup("ingress", "cg_in_refuse"),
        cgroup("ingress", "cg_in")
    );
    assert!(drops(&run(&text, UDP)).is_empty());
}

/// `ip_finish_output()`: what a socket of the host sends; BPF_CGROUP_EGRESS is 55. 56 bytes of data make 84.
#[test]
fn a_cgroup_sees_what_its_sockets_send() {
    let ping = |program: &str| {
        let text = format!("{WIRE}{}ping -c1 10.0.0.2", cgroup("egress", program));
        whole(&text, MacHeader)
    };
    // the request, and the answer of the other host's ICMP socket
    assert_eq!(
        ping("cg_out").printk,
        ["cgroup egress: version 4 len 84"; 2]
    );
    assert_eq!(drops(&ping("cg_out_refuse")), [55]);
    // NET_XMIT_CN: sent nevertheless
    let trace = ping("cg_out_congested");
    // the answer comes back, to nobody: NO_SOCKET
    assert_eq!(drops(&trace), [3]);
    assert!(functions(&trace, "rx").contains(&"icmp_rcv"));
    // what is forwarded has no socket here: see `the_points_of_a_forwarded_packet` for the path
    let text = format!(
        "sysctl -w net.ipv4.ip_forward=1\nip link add d0 type dummy\nip link set d0 up\nip addr add 192.0.2.1/24 dev d0\nip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev d0\n{}",
        cgroup("egress", "cg_out")
    );
    let on = "0200000000010200000000020800450000342222000040118c8c0a000002c00002090fa013880020fb596162636465666768696a6b6c6d6e6f707172737475767778";
    assert!(run(&text, on).printk.is_empty());
}

/// `raw_local_deliver()`: a clone from the IP header on; a protocol that nobody else handles is consumed then.
#[test]
fn a_raw_socket_gets_a_clone() {
    assert_eq!(drops(&run("", RAW)), [19]);
    let trace = run("orc sock raw 253 filter sock_keep_12\n", RAW);
    assert!(drops(&trace).is_empty());
    // 0x45 is 69
    assert_eq!(trace.printk, ["socket: len 44 first 69"]);
    assert_eq!(at(&trace, "__sock_queue_rcv_skb", "rx").len, 12);
    // others have it too
    let trace = run(
        "orc sock raw 17 filter sock_refuse\norc sock udp 5000\n",
        UDP,
    );
    assert_eq!(drops(&trace), [5]);
    assert!(functions(&trace, "rx").contains(&"__udp_enqueue_schedule_skb"));
}

/// Roadmap row 4: Linux 7.2 gives the dynptr to TC programs only; the series of August 2026 to others too; elsewhere it
/// is assumed.
#[test]
fn metadata_at_hooks_behind_tc() {
    let hooks = format!(
        "orc xdp tag_4 rx native\norc nf meta_nf ip input\norc sock udp 5000 filter meta_socket\n{}",
        cgroup("ingress", "meta_cgroup")
    );
    let refused = error(&format!("{WIRE}{hooks}"));
    assert!(
        refused.contains("bpf_dynptr_from_skb_meta is not allowed"),
        "{refused}"
    );
    let all = ["netfilter: 42", "cgroup: 42", "socket: 42"];
    assert_eq!(run_as(SkbExt, &hooks, UDP).printk, all);
    let assumed = format!("headroom assume dynptr-everywhere\n{hooks}");
    for design in [MacHeader, MetaEnd] {
        assert_eq!(run_as(design, &assumed, UDP).printk, all, "{design:?}");
    }
}

/// Behind a GRE tunnel the formula of `mac_header` gives the tail of the GRE header at every hook (patch-series.md, 6a).
#[test]
fn metadata_behind_a_tunnel_at_hooks_behind_tc() {
    let hooks = "headroom assume dynptr-everywhere\nip tun add decap mode gre local 10.0.0.1 remote 10.0.0.2\nip addr add 192.0.2.1/24 dev decap\nip link set dev decap up\norc xdp tag_4 rx native\norc nf meta_nf ip prerouting\norc sock raw 1 filter meta_socket\nsysctl -w net.ipv4.icmp_echo_ignore_all=1\n";
    let frame = format!(
        "02000000000102000000000208004500004c11110000402f55700a0000020a00000100000800{}",
        world::ECHO4
    );
    // the outer packet is seen by netfilter first
    let read = |design| run_as(design, hooks, &frame).printk;
    assert_eq!(
        read(MacHeader),
        ["netfilter: 42", "netfilter: 524288", "socket: 524288"]
    );
    assert_eq!(
        read(MetaEnd),
        ["netfilter: 42", "netfilter: 42", "socket: 42"]
    );
    assert_eq!(
        read(SkbExt),
        ["netfilter: 42", "netfilter: 42", "socket: 42"]
    );
}

#[test]
fn what_is_taken_or_wrong_is_said() {
    let told = |commands: &str| error(&format!("{WIRE}{commands}"));
    let text = told("orc sock udp 5000\norc sock udp 5000");
    assert!(text.contains("EADDRINUSE"), "{text}");
    let text = told("orc sock udp 5000 filter cg_in");
    assert!(
        text.ends_with(
            "program `cg_in` (section `cgroup_skb/ingress`) is no socket filter program"
        ),
        "{text}"
    );
    let multi = cgroup("ingress", "cg_in").replace('\n', " multi\n");
    let text = told(&format!("{}{multi}", cgroup("ingress", "cg_in")));
    assert!(text.contains("attached without `multi`"), "{text}");
}
